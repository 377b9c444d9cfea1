//! How a training step is computed. The solver knows only [`Engine`]; [`Layers`] computes with the readable layers, the
//! truth that the others are tested against.

mod layers;

pub use layers::Layers;

use ndarray::{Array2, ArrayView2};

use crate::error::Result;
use crate::float::Float;
use crate::net::Parameters;
use crate::random::RandomState;

/// Computes training steps and scores for one network.
pub trait Engine<F: Float> {
    /// One training step: the loss over the samples `batch` (indices into `x` and `y`), its gradients, and the update of
    /// every parameter.
    ///
    /// - `x`: (N, D); `y`: N labels
    ///
    /// Masks are drawn from `random`, layer by layer, as the course does. Returns the loss before the update, with the
    /// L2 term.
    fn step(
        &mut self,
        x: ArrayView2<'_, F>,
        y: &[usize],
        batch: &[usize],
        random: &mut RandomState,
    ) -> Result<f64>;

    /// The class scores (N, C) of the samples `x` (N, D) in test mode.
    fn scores(&mut self, x: ArrayView2<'_, F>, random: &mut RandomState) -> Result<Array2<F>>;

    /// The current parameters.
    fn parameters(&self) -> Parameters<F>;

    /// Sets the learning rate of the steps to come.
    fn set_learning_rate(&mut self, learning_rate: f64);
}
