//! The operators' listener, and the loop under both.
