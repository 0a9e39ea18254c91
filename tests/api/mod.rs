//! Over HTTP: request in; status, whole body and appended events out. A folder a surface.

mod admin;
mod backend;
mod coverage;
mod node;
mod ops;
