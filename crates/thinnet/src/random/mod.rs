//! Random streams: NumPy's legacy `RandomState`, draw for draw, and a counter-based one for masks drawn in parallel.

mod counter;
mod numpy;

pub use counter::{CounterMasks, LayerMasks};
pub use numpy::{RandomState, State};
