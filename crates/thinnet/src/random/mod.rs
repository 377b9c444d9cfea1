//! Random streams: NumPy's legacy `RandomState`, draw for draw.

mod numpy;

pub use numpy::{RandomState, State};
