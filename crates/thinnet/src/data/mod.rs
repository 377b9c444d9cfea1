//! Data sets: images or other samples with their labels or numbers as targets, read from files, split, and scaled for training.
//!
//! [`DataSet::open`] reads a file or folder of any [`Format`], which it recognises from what is in it; what a set holds
//! stays as it was read, images as bytes. [`DataSet::split`] makes a set with training, validation and test samples, and
//! [`DataSet::dataset`] gives what a solver trains on. docs/data.md is the guide.
//!
//! ```no_run
//! use thinnet::data::{DataSet, ReadOptions, SplitOptions};
//!
//! # fn main() -> thinnet::Result<()> {
//! let cifar10 = DataSet::open("cifar-10-python.tar.gz".as_ref(), &ReadOptions::default())?;
//! let course = cifar10.split(&SplitOptions::course(49_000, 1_000, 1_000))?;
//! let data = course.dataset::<f32>(500)?; // the first 500 training images and all 1,000 validation images
//! # Ok(())
//! # }
//! ```

mod archive;
mod embedded;
mod features;
mod folder;
pub mod formats;
mod labels;
pub mod limits;
mod open;
mod scaling;
mod set;
mod sparse;
mod split;
mod summary;
mod write;

use ndarray::Array2;

pub use features::{Features, Pixels};
pub use open::ReadOptions;
pub use scaling::Scaling;
pub use set::{DataSet, Format, Part, Split, Values};
pub use sparse::SparseRows;
pub use split::{Order, SplitOptions};
pub use summary::{SplitSummary, Summary, TargetSummary};

/// The ten classes of CIFAR-10, by label.
pub const CIFAR10_CLASSES: [&str; 10] =
    ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

/// Samples with their labels or targets.
#[derive(Debug, Clone, PartialEq)]
pub struct Samples<F> {
    /// The inputs of N samples.
    pub x: Features<F>,
    /// N labels, each the index of a class; N zeros where targets are numbers.
    pub y: Vec<usize>,
    /// The numbers (N, K) that a regression is to predict, as they were read; `None` where samples have classes.
    pub targets: Option<Array2<F>>,
}

/// What a solver trains and validates on.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset<F> {
    /// Training samples.
    pub train: Samples<F>,
    /// Validation samples.
    pub val: Samples<F>,
    /// The classes' names, by label; the targets' names, by column, where targets are numbers.
    pub classes: Vec<String>,
}
