//! HTTP: one folder a surface, each with its own envelope and codes, plus `admin` and `ops`.

pub mod server;
