//! The training loop.
mod history;
pub use history::History;
