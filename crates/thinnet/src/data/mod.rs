//! Data sets: images or other samples with their labels or numbers as targets, read from files, split, and scaled for training.
//!
//! [`DataSet::open`] reads a file or folder of any [`Format`], which it recognises from what is in it; what a set holds
//! stays as it was read, images as bytes. [`DataSet::split`] makes a set with training, validation and test rows, and
//! [`DataSet::scale`] says how they are scaled for training. [`Rows`] are samples of one's own. docs/data.md is the guide.
//!
//! ```no_run
//! use thinnet::data::{DataSet, ReadOptions, SplitOptions};
//!
//! # fn main() -> thinnet::Result<()> {
//! let cifar10 = DataSet::open("cifar-10-python.tar.gz".as_ref(), &ReadOptions::default())?;
//! let course = cifar10.split(&SplitOptions::course(49_000, 1_000, 1_000))?;
//! assert_eq!(course.train().len(), 49_000);
//! # Ok(())
//! # }
//! ```

mod archive;
mod embedded;
mod features;
mod file;
mod folder;
pub mod formats;
mod kind;
mod labels;
pub mod limits;
mod open;
mod options;
mod pairs;
mod rows;
mod scaling;
mod set;
mod sparse;
mod split;
mod stream;
mod summary;
mod write;

pub use features::{Features, Pixels};
pub use options::{ReadOptions, parse_size};
pub use rows::{Rows, Targets};
pub use scaling::{Scale, Scaling};
pub use set::{Columns, DataSet, Format, Part};
pub use sparse::SparseRows;
pub use split::{Order, SplitOptions};
pub(crate) use stream::check_shape;
pub use stream::{Block, Wanted, stream, stream_table};
pub use summary::{SplitSummary, Summary, TargetSummary};

/// The ten classes of CIFAR-10, by label.
pub const CIFAR10_CLASSES: [&str; 10] =
    ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];
