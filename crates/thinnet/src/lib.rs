//! Neural networks with dropout that compute only the units that dropout keeps.
#![forbid(unsafe_code)]

pub mod error;
pub mod experiment;
#[cfg(feature = "report")]
pub mod report;
pub mod solver;

pub use error::{Error, Result};
