//! Chooses the engine for a network.

use super::{Engine, EngineConfig, Layers, Thin};
use crate::error::Result;
use crate::float::Float;
use crate::layers::DropoutKind;
use crate::net::{FullyConnectedNet, NetConfig};
use crate::optim::Optimiser;

/// The engine for a network: [`Thin`], or [`Layers`] if the network has both DropConnect and a normalisation.
///
/// # Errors
/// [`Error::Configuration`](crate::Error::Configuration) for settings out of range.
pub fn build<F: Float>(
    net: FullyConnectedNet<F>,
    optimiser: Optimiser,
    config: EngineConfig,
) -> Result<Box<dyn Engine<F>>> {
    if !Thin::<F>::computes(net.config()) {
        return Ok(Box::new(Layers::new(net, optimiser)?.with_masks(config.masks)));
    }
    Ok(Box::new(Thin::new(&net, optimiser, config)?))
}

/// If a smaller share than this of the samples' numbers is nonzero, training is faster with sparse rows than with
/// floats. The cost of sparse rows depends on the nonzero inputs, the cost of floats on what dropout keeps of the
/// first layer's output (measured on MNIST: docs/kernels.md). It is 0 for a network that takes all samples as floats
/// in the end.
pub fn sparse_below(config: &NetConfig) -> f64 {
    let as_rows = Thin::<f32>::computes(config) && config.dropout_kind != DropoutKind::DropConnect;
    if as_rows { 0.4 * config.computed_share(0) } else { 0.0 }
}
