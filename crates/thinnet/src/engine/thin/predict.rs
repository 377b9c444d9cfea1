//! Scores in test mode.

use thinnet_kernels::{Lists, PanelBuf, Panels, block_size, dense_dot, relu_listed};

use super::Thin;
use super::forward::{dense_scores, forward_listed};
use crate::engine::threads::{Threads, split};
use crate::float::Float;

/// Samples whose scores are computed together: a thread's share of the input (768 KiB of 3072 floats) stays in the
/// second-level cache.
const SCORE_BLOCK: usize = 64;

impl<F: Float> Thin<F> {
    /// The scores of samples in test mode, row-major (N, C).
    pub(super) fn panel_scores(&self, panels: &PanelBuf<F>) -> Vec<F> {
        let blocks = split(panels.rows(), panels.rows().div_ceil(SCORE_BLOCK));
        let blocks = self.threads.each(blocks, |rows| self.block_scores(panels.view().slice(rows)));
        blocks.iter().flat_map(|block| block.view().to_rows()).collect()
    }

    /// The scores of a block of samples in test mode.
    fn block_scores(&self, x: Panels<'_, F>) -> PanelBuf<F> {
        let (first, later) = (&self.layers[0], &self.layers[1..]);
        let samples = x.rows();
        if later.is_empty() {
            return dense_scores(self.isa, first, x);
        }
        let mut z = vec![F::zero(); first.outputs() * samples];
        dense_dot(self.isa, first.w.value.view(), x, &mut z);
        let all = Lists::full(first.outputs(), samples, block_size(samples));
        let (mut active, mut values) = (Lists::new(), Vec::new());
        relu_listed(all.view(), &z, first.bias(), F::one(), &mut active, &mut values);
        let one = &Threads::one();
        let mut out = PanelBuf::zeros(0, 0);
        for (index, layer) in later.iter().enumerate() {
            out = forward_listed(self.isa, one, layer, &active, &values);
            if index + 1 < later.len() {
                let units = layer.outputs();
                values.clear();
                active.rebuild_from_fn(units, samples, block_size(samples), |unit, sample| {
                    let z = out.view().row(unit / F::PANEL, sample)[unit % F::PANEL];
                    if z > F::zero() {
                        values.push(z);
                    }
                    z > F::zero()
                });
            }
        }
        out
    }
}
