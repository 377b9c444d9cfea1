//! What all tables have in common, whatever file they come from: which column is what, and a data set of their rows.

mod build;
mod inputs;
mod layout;
mod target;

pub(crate) use build::{Build, INDEX_NAMES};
pub(crate) use inputs::Inputs;
pub(crate) use layout::{LABEL_NAMES, Layout};
