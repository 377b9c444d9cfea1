//! Neural networks with dropout that compute only the units that dropout keeps.
//!
//! Your own rows become a model that predicts, in this process and in any other:
//!
#![cfg_attr(feature = "files", doc = "```")]
#![cfg_attr(not(feature = "files"), doc = "```ignore")]
//! use ndarray::Array2;
//! use thinnet::{data::Rows, model::Model, training::TrainingConfig};
//!
//! # fn main() -> thinnet::Result<()> {
//! # let folder = std::env::temp_dir().join(format!("thinnet-front-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder).unwrap();
//! # let file = folder.join("model.safetensors");
//! let x = Array2::from_shape_fn((90, 4), |(row, column)| if row % 3 == column { 1.0f32 } else { 0.1 * (row % 7) as f32 });
//! let rows = Rows::with_classes(x.clone(), (0..90).map(|row| row % 3).collect(), 3)?; // or with_numbers
//! let settings = TrainingConfig::from_toml("[model]\nhidden = [16]\nkeep = 0.75")?;
//! let model = Model::fit(&rows, &settings)?;
//! let (classes, probabilities) = (model.predict(&x)?, model.predict_proba(&x)?);
//! model.save(&file)?;
//! assert_eq!(Model::<f32>::load(&file)?.predict_proba(&x)?, probabilities); // bit for bit, in any process
//! # assert_eq!(classes.len(), 90);
//! # std::fs::remove_dir_all(&folder).unwrap();
//! # Ok(()) }
//! ```
//!
//! [`model`] is what most programs need. [`training`] has the training loop, for programs that run it step by step.
//! [`layers`], [`net`] and [`engine`] are the parts that these use.
#![forbid(unsafe_code)]

mod clock;
pub mod course;
pub mod data;
pub mod engine;
pub mod error;
#[cfg(feature = "files")]
pub mod files;
pub mod float;
pub mod gradient_check;
pub mod layers;
pub mod model;
mod names;
pub mod net;
pub mod optim;
pub mod random;
mod range;
#[cfg(feature = "report")]
pub mod report;
#[cfg(feature = "report")]
pub mod run;
#[cfg(feature = "files")]
pub mod sweep;
pub mod text;
pub mod training;

pub use error::{Error, Result};
pub use float::{Dtype, Float};
