//! Data sets: images or other samples with labels or numerical targets, read from files, split, and scaled for
//! training.
//!
//! [`DataSet::open`] reads a file or folder of any [`Format`], which it recognises from the content. The set keeps
//! its content as it was read, images as bytes. [`DataSet::split`] makes a set with training, validation and test
//! rows, and [`DataSet::scale`] determines how they are scaled for training. [`Rows`] hold your own samples.
//! docs/data.md is the guide.
//!
#![cfg_attr(feature = "files", doc = "```no_run")]
#![cfg_attr(not(feature = "files"), doc = "```ignore")]
//! use thinnet::data::{DataSet, ReadOptions, SplitOptions};
//!
//! # fn main() -> thinnet::Result<()> {
//! let cifar10 = DataSet::open("cifar-10-python.tar.gz".as_ref(), &ReadOptions::default())?;
//! let course = cifar10.split(&SplitOptions::course(49_000, 1_000, 1_000))?;
//! assert_eq!(course.train().len(), 49_000);
//! # Ok(())
//! # }
//! ```

mod features;
#[cfg(feature = "files")]
mod files;
mod rows;
mod scaling;
mod set;
mod shape;
mod sparse;
mod split;
#[cfg_attr(not(feature = "streams"), allow(dead_code, reason = "there are no stored samples without it"))]
mod stored;
mod summary;
#[cfg_attr(not(feature = "files"), allow(dead_code, reason = "tables come from files"))]
mod table;

pub use features::{Features, Pixels};
#[cfg(any(feature = "columnar", feature = "hdf5"))]
pub use files::catches_panic;
#[cfg(feature = "files")]
pub use files::{Block, ReadOptions, ReadProgress, Wanted, formats, limits, stream, stream_table};
#[cfg(all(feature = "export", feature = "files"))]
pub(crate) use files::{write_array, write_halves, write_words};
pub use rows::{Rows, Targets};
pub use scaling::{Scale, Scaling};
pub use set::{DataSet, Format, Part};
pub(crate) use shape::check_shape;
pub use shape::parse_size;
pub use sparse::SparseRows;
pub use split::{Order, SplitOptions};
pub use stored::Stored;
pub(crate) use stored::Window;
pub use summary::{SplitSummary, Summary, TargetSummary};
#[cfg(feature = "export")]
pub(crate) use table::GAPS;
pub use table::{ColumnSummary, Columns, Encoding, MOST_CATEGORIES, Table};

/// The ten classes of CIFAR-10, by label.
pub const CIFAR10_CLASSES: [&str; 10] =
    ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];
