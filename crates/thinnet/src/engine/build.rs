//! Which engine a network is computed by.

use super::{Engine, EngineConfig, Layers, Thin};
use crate::error::Result;
use crate::float::Float;
use crate::layers::DropoutKind;
use crate::net::{FullyConnectedNet, NetConfig};
use crate::optim::Optimiser;

/// The engine for a network: [`Thin`], but [`Layers`] for one with both DropConnect and a normalisation.
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

/// Samples of which a smaller share than this is not zero are trained on faster as sparse rows than as floats: the one
/// costs by what is not zero in the input, the other by what dropout keeps of the first layer's output (measured on MNIST:
/// docs/kernels.md). It is 0 for a network that takes all samples as floats in the end.
pub fn sparse_below(config: &NetConfig) -> f64 {
    let as_rows = Thin::<f32>::computes(config) && config.dropout_kind != DropoutKind::DropConnect;
    if as_rows { 0.4 * config.computed_share(0) } else { 0.0 }
}
