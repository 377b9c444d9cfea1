//! The program `thinnet`.
fn main() {}
