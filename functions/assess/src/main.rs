//! Placeholder until the adapter is written.
fn main() {}
