//! Connect, migrate, and the private PostgreSQL server.
