//! Dropout of the hidden layers in a batch.

use thinnet_kernels::{Lists, block_size};

use super::Thin;
use crate::engine::masks::{Draw, LayerDraw, MaskSource};
use crate::float::Float;
use crate::layers::DropoutKind;
use crate::random::RandomState;

impl<F: Float> Thin<F> {
    /// Draws the masks or the noise of a batch, first layer to last.
    pub(super) fn draw_masks(&mut self, samples: usize, draw: Draw, random: &mut RandomState) {
        if self.config.dropout_kind == DropoutKind::DropConnect {
            return self.draw_weight_masks(samples, draw, random);
        }
        let gaussian = self.config.dropout_kind == DropoutKind::Gaussian;
        for (layer, &units) in self.config.hidden.iter().enumerate() {
            let Some(dropout) = self.config.dropout.layer(layer) else { continue };
            let of = LayerDraw { samples, units, dropout, layer, draw };
            let (dense, threads) = (self.is_dense(layer), &self.threads);
            let hidden = &mut self.hidden[layer];
            match self.engine.masks {
                MaskSource::Numpy if dense => hidden.dense.draw_numpy(of, gaussian, random),
                MaskSource::Numpy if gaussian => hidden.noise.draw_numpy(of, random),
                MaskSource::Numpy => hidden.mask.draw_numpy(of, random),
                MaskSource::Counter(seed) if dense => {
                    hidden.dense.draw_counter(of, gaussian, seed, self.isa, threads);
                }
                MaskSource::Counter(seed) if gaussian => hidden.noise.draw_counter(of, seed, threads),
                MaskSource::Counter(seed) => hidden.mask.draw_counter(of, seed, self.isa, threads),
            }
        }
    }

    /// Lists what each hidden layer's mask keeps, if not every unit is computed.
    pub(super) fn list_kept(&mut self, samples: usize) {
        for (layer, &units) in self.config.hidden.iter().enumerate() {
            if self.is_dense(layer) {
                continue;
            }
            let hidden = &mut self.hidden[layer];
            let kept = &mut hidden.kept;
            if self.config.computed_share(layer) < 1.0 {
                hidden.mask.lists(units, &self.threads, kept);
            } else if (kept.rows(), kept.cols(), kept.len()) != (units, samples, units * samples) {
                *kept = Lists::full(units, samples, block_size(samples));
            }
        }
    }

    /// Whether hidden layer `index`, which computes every unit, has factors on its activations.
    pub(super) fn has_factors(&self, index: usize) -> bool {
        self.config.is_noisy(index) || self.config.computed_share(index) < 1.0
    }
}
