//! Random streams: NumPy's legacy `RandomState`, draw for draw, and a counter-based one for drawing masks in
//! parallel.

mod counter;
mod normals;
mod numpy;
mod weights;

pub use counter::{CounterMasks, LayerMasks};
pub use normals::LayerNormals;
pub use numpy::{RandomState, State};
pub use weights::LayerWeightMasks;
