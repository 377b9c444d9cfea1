//! Neural networks with dropout that compute only the units that dropout keeps.
#![forbid(unsafe_code)]

pub mod error;
pub mod experiment;
pub mod solver;

pub use error::{Error, Result};
