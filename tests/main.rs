//! Tests that need the outside: PostgreSQL, HTTP, processes.
