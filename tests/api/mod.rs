//! HTTP, request in, whole answer and appended events out: a folder a surface.

mod backend;
