//! HTTP: parse, dispatch one command or one query, answer.

pub mod ops;
pub mod problem;
pub mod server;
