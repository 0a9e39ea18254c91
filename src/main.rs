//! The `shiji` binary.
fn main() {}
