//! Tests that need the outside: PostgreSQL, HTTP, processes.

mod ground;
mod layering;
mod support;
