//! Scores of any number of samples, in test mode or with masks.

use std::borrow::Cow;

use ndarray::Array2;
use thinnet_kernels::{Lists, PanelBuf, Panels, block_size, dense_dot, relu_listed};

use super::Thin;
use super::forward::{dense_scores, forward_listed};
use crate::engine::Inputs;
use crate::engine::masks::{Draw, MaskSource, prediction};
use crate::engine::threads::{Threads, split};
use crate::error::{Error, Result};
use crate::float::Float;
use crate::layers::Activation;
use crate::random::RandomState;

/// Samples whose scores are computed together: a thread's share of the input (768 KiB of 3072 floats) stays in the
/// second-level cache.
const SCORE_BLOCK: usize = 64;

/// Samples that are drawn masks for together, as large a batch as training has.
const MASKED_BLOCK: usize = 512;

impl<F: Float> Thin<F> {
    /// The scores of samples in test mode, row-major (N, C).
    pub(super) fn panel_scores(&self, panels: &PanelBuf<F>) -> Vec<F> {
        let blocks = split(panels.rows(), panels.rows().div_ceil(SCORE_BLOCK));
        let blocks = self.threads.each(blocks, |rows| self.block_scores(panels.view().slice(rows)));
        blocks.iter().flat_map(|block| block.view().to_rows()).collect()
    }

    /// The scores of samples (N, C) with masks: of the counter-based stream's draw `draw`, or from `random`.
    pub(super) fn panel_masked_scores(
        &mut self,
        panels: &PanelBuf<F>,
        draw: u64,
        random: &mut RandomState,
    ) -> Result<Array2<F>> {
        let mut flat = Vec::with_capacity(panels.rows() * self.config.num_classes);
        let blocks = match self.engine.masks {
            MaskSource::Counter(_) => panels.rows().div_ceil(MASKED_BLOCK),
            MaskSource::Numpy => 1, // its numbers are drawn layer by layer for all samples
        };
        for rows in split(panels.rows(), blocks) {
            self.x =
                PanelBuf::from_rows(rows.len(), panels.cols(), &panels.view().slice(rows.clone()).to_rows());
            let draw = Draw { step: draw, number: prediction, first: rows.start };
            flat.extend(self.masked_forward(draw, random).view().to_rows());
        }
        Array2::from_shape_vec((panels.rows(), self.config.num_classes), flat)
            .map_err(|_| Error::shape("scores", panels.rows(), self.config.num_classes))
    }

    /// Loaded samples in the kernels' layout.
    pub(super) fn as_panels<'a>(&self, inputs: &'a Inputs<F>) -> Cow<'a, PanelBuf<F>> {
        match inputs {
            Inputs::Panels(panels) => Cow::Borrowed(panels),
            Inputs::Rows(rows) => {
                let rows_first: Vec<F> = rows.iter().copied().collect();
                Cow::Owned(PanelBuf::from_rows(rows.nrows(), rows.ncols(), &rows_first))
            }
            Inputs::Bytes(bytes) => {
                Cow::Owned(bytes.floats(self.isa, &(0..bytes.dim().0).collect::<Vec<_>>()))
            }
        }
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
        let activation = self.config.activation;
        if activation == Activation::Relu {
            relu_listed(all.view(), &z, first.bias(), F::one(), &mut active, &mut values);
        } else {
            let biases = first.bias().iter().flat_map(|&bias| std::iter::repeat_n(bias, samples));
            values.extend(z.iter().zip(biases).map(|(&z, bias)| activation.value(z + bias)));
            active = all;
        }
        let one = &Threads::one();
        let mut out = PanelBuf::zeros(0, 0);
        for (index, layer) in later.iter().enumerate() {
            out = forward_listed(self.isa, one, layer, &active, &values);
            if index + 1 < later.len() {
                let units = layer.outputs();
                values.clear();
                active.rebuild_from_fn(units, samples, block_size(samples), |unit, sample| {
                    let a = activation.value(out.view().row(unit / F::PANEL, sample)[unit % F::PANEL]);
                    let stays = activation != Activation::Relu || a > F::zero();
                    if stays {
                        values.push(a);
                    }
                    stays
                });
            }
        }
        out
    }
}
