//! Tables with words, gaps and dates: columns as they were read ([`Cells`]), and how they become numbers
//! ([`Encoding`]).
//!
//! A table keeps its columns unchanged, and samples become numbers when they are needed: the training rows determine
//! the categories and the values for gaps, and they are only known after the data set is split.

mod cells;
mod columns;
mod encoding;
pub(crate) mod field;
mod kind;
mod numbers;
mod rows;

#[cfg(feature = "files")]
pub(crate) use cells::{Cells, Column, Growing};
pub use columns::{ColumnSummary, Columns};
pub use encoding::{Encoding, MOST_CATEGORIES};
#[cfg(feature = "files")]
pub(crate) use kind::Kind;
#[cfg(feature = "files")]
pub(crate) use numbers::Numbers;
pub use rows::Table;

#[cfg(feature = "export")]
pub(crate) use field::GAPS;
