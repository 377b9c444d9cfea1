//! What all tables share, from any file format: the role of each column, and a data set from the rows.

mod build;
mod inputs;
mod layout;
mod target;

pub(crate) use build::{Build, INDEX_NAMES};
#[cfg(all(feature = "columnar", feature = "streams"))]
pub(crate) use build::{columns_of, data_set, is_unlabelled};
pub(crate) use inputs::Inputs;
#[cfg(all(feature = "columnar", feature = "streams"))]
pub(crate) use inputs::Read;
pub(crate) use layout::{LABEL_NAMES, Layout};
#[cfg(all(feature = "columnar", feature = "streams"))]
pub(crate) use target::Target;
