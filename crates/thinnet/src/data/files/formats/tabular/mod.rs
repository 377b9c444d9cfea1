//! What all tables have in common, whatever file they come from: which column is what, and a data set of their rows.

mod build;
mod layout;
mod target;

pub(crate) use build::{Build, INDEX_NAMES, growing, inputs_of, push_inputs};
pub(crate) use layout::{LABEL_NAMES, Layout};
