//! What all tables have in common, whatever file they come from: which column is what, and a data set of their rows.

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
