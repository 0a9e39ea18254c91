//! Over HTTP: request in; status, whole body and appended events out.

mod admin;
mod coverage;
mod node;
mod ops;
