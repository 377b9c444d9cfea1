//! Scores with masks, of any number of samples, for several draws.

use std::ops::Range;

use ndarray::Array2;
use thinnet_kernels::PanelBuf;

use super::Thin;
use super::batch::Loaded;
use super::products::forward_dense;
use crate::engine::masks::{Draw, MaskSource, prediction};
use crate::engine::threads::split;
use crate::error::Result;
use crate::float::Float;
use crate::layers::Mode;
use crate::random::RandomState;

/// Masks are drawn for this many samples together, as many as a large batch in training.
const MASKED_BLOCK: usize = 512;

impl<F: Float> Thin<F> {
    /// See [`Engine::each_masked`](crate::engine::Engine::each_masked).
    pub(super) fn each_masked_block(
        &mut self,
        inputs: &Loaded<'_, F>,
        draws: Range<u64>,
        first: usize,
        random: &mut RandomState,
        each: &mut dyn FnMut(Range<usize>, Array2<F>) -> Result<()>,
    ) -> Result<()> {
        let samples = inputs.dim().0;
        if samples == 0 {
            return draws.into_iter().try_for_each(|_| each(0..0, self.scores_array(0, Vec::new())?));
        }
        let blocks = match self.engine.masks {
            MaskSource::Counter(_) => samples.div_ceil(MASKED_BLOCK),
            MaskSource::Numpy => 1, // it draws layer by layer for all samples
        };
        for rows in split(samples, blocks) {
            self.threads = self.threads.suited(self.work(rows.len()));
            // For one draw, what it drops is worth more than what it shares.
            let masked = self.first_masked().filter(|_| draws.end.saturating_sub(draws.start) > 1);
            let sums = masked.map(|layer| self.sums_until(inputs, rows.clone(), layer)).transpose()?;
            for draw in draws.clone() {
                let draw = Draw { step: draw, number: prediction, first: first + rows.start };
                let scores = if let (Some(layer), Some(sums)) = (masked, &sums) {
                    self.draw_masks(rows.len(), draw, random);
                    self.list_kept(rows.len());
                    self.forward_from(layer, sums)
                } else {
                    self.gather_loaded(inputs, rows.clone(), draw, random)?;
                    self.masked_forward(rows.len(), draw, Mode::Test, random)
                };
                each(rows.clone(), self.scores_array(rows.len(), scores.view().to_rows())?)?;
            }
        }
        Ok(())
    }

    /// The first hidden layer with dropout of its units, if nothing before it depends on masks.
    fn first_masked(&self) -> Option<usize> {
        let before = self.config.input_dropout.is_some() || self.drops_weights(0);
        (0..self.hidden.len()).find(|&index| self.has_factors(index)).filter(|_| !before)
    }

    /// The sums (n, H) of hidden layer `layer` for these samples, normalised if it has a normalisation; the layers
    /// before it have no dropout.
    fn sums_until(&self, inputs: &Loaded<'_, F>, rows: Range<usize>, layer: usize) -> Result<PanelBuf<F>> {
        let first = self.first_rows()?;
        let mut z = PanelBuf::zeros(rows.len(), self.layers[0].outputs());
        let mut rest = z.view_mut();
        let tasks = self.threads.split(rows.len()).into_iter();
        let tasks = tasks.map(|part| (rest.take_first(part.len()), part)).collect();
        self.threads.each(tasks, |(z, part): (_, Range<usize>)| {
            self.first_sums(inputs, first, rows.start + part.start..rows.start + part.end, z);
        });
        self.normalised(0, &mut z);
        for next in 1..=layer {
            self.activate(&mut z);
            let mut above = PanelBuf::zeros(0, 0);
            forward_dense(self.isa, &self.threads, &self.layers[next], z.view(), &mut above);
            z = above;
            self.normalised(next, &mut z);
        }
        Ok(z)
    }

    /// Gathers these samples as a batch, after the dropout of the inputs.
    fn gather_loaded(
        &mut self,
        inputs: &Loaded<'_, F>,
        rows: Range<usize>,
        draw: Draw,
        random: &mut RandomState,
    ) -> Result<()> {
        let count = rows.len();
        match inputs {
            Loaded::Rows(own, columns) => {
                let own = &own[rows.start * columns..rows.end * columns];
                self.gather_rows(own, count, draw, random)
            }
            Loaded::Panels(panels) => {
                self.gather_rows(&panels.view().slice(rows).to_rows(), count, draw, random)
            }
            Loaded::Sparse(sparse) if self.drops_weights(0) => {
                let dense = sparse.dense(rows);
                self.gather_rows(dense.as_slice().unwrap_or_default(), count, draw, random)
            }
            Loaded::Sparse(sparse) => self.gather_sparse(sparse, &rows.collect::<Vec<_>>(), draw, random),
        }
    }
}
