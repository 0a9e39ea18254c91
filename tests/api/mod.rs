//! HTTP, request in, whole answer and appended events out: a folder a surface.

mod admin;
mod backend;
mod community;
mod coverage;
mod node;
mod ops;
mod past;
mod server;
mod weidu;
mod xdua;
mod zhugeleida;
