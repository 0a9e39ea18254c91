//! What the operator says: one struct, read once at start.
