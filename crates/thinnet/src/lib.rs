//! Neural networks with dropout that compute only the units that dropout keeps.
#![forbid(unsafe_code)]

mod clock;
pub mod course;
pub mod data;
pub mod engine;
pub mod error;
pub mod experiment;
mod files;
pub mod float;
pub mod gradient_check;
pub mod layers;
pub mod net;
pub mod optim;
pub mod random;
#[cfg(feature = "report")]
pub mod report;
pub mod solver;
pub mod sweep;
pub mod training;

pub use error::{Error, Result};
pub use float::{Dtype, Float};
