//! What dropout leaves of the hidden layers in a batch.

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
        for (layer, (hidden, &units)) in self.hidden.iter_mut().zip(&self.config.hidden).enumerate() {
            let Some(dropout) = self.config.dropout.layer(layer) else { continue };
            let of = LayerDraw { samples, units, dropout, layer, draw };
            match self.engine.masks {
                MaskSource::Numpy if gaussian => hidden.noise.draw_numpy(of, random),
                MaskSource::Numpy => hidden.mask.draw_numpy(of, random),
                MaskSource::Counter(seed) if gaussian => hidden.noise.draw_counter(of, seed, &self.threads),
                MaskSource::Counter(seed) => hidden.mask.draw_counter(of, seed, self.isa, &self.threads),
            }
        }
    }

    /// Lists what each hidden layer's mask keeps.
    pub(super) fn list_kept(&mut self, samples: usize) {
        for (layer, (hidden, &units)) in self.hidden.iter_mut().zip(&self.config.hidden).enumerate() {
            let kept = &mut hidden.kept;
            if self.config.computed_share(layer) < 1.0 {
                hidden.mask.lists(units, &self.threads, kept);
            } else if (kept.rows(), kept.cols(), kept.len()) != (units, samples, units * samples) {
                *kept = Lists::full(units, samples, block_size(samples));
            }
        }
    }
}
