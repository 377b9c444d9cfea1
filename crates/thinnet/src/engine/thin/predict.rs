//! Scores of any number of samples, in test mode.

use std::borrow::Cow;
use std::ops::Range;

use ndarray::Array2;
use thinnet_kernels::{PanelBuf, Panels, PanelsMut, Samples, dense_axpy, listed_axpy};

use super::Thin;
use super::batch::{Loaded, SparseInput};
use super::normalise::Normalised;
use crate::engine::store::Stored;
use crate::engine::threads::{Threads, split};
use crate::engine::{Inputs, check_width};
use crate::error::{Error, Result};
use crate::float::Float;
use crate::layers::{Activation, Mode};

/// Samples whose scores are computed together; their inputs fit in the second-level cache.
const SCORE_BLOCK: usize = 96;
const SCORE_NUMBERS: usize = 1 << 17;

/// A thread gets its samples in this many parts, one after another: with more than one, a thread that lost its core
/// delays the others less.
const PARTS_A_THREAD: usize = 4;

impl<F: Float> Thin<F> {
    /// The scores of samples (N, C) in test mode. A sample's scores do not depend on the other samples.
    pub(super) fn all_scores(&self, inputs: &Loaded<'_, F>) -> Result<Array2<F>> {
        let first = self.first_rows()?;
        let flat = self.by_block(inputs.dim().0, |block, z| {
            self.first_sums(inputs, first, block, z.view_mut());
        });
        self.scores_array(inputs.dim().0, flat)
    }

    /// The first layer's sums of a block of samples, in test mode.
    ///
    /// - `w`: [`Thin::first_rows`]
    pub(super) fn first_sums(
        &self,
        inputs: &Loaded<'_, F>,
        w: Panels<'_, F>,
        block: Range<usize>,
        z: PanelsMut<'_, F>,
    ) {
        let bias = self.layers[0].b.value.view();
        match inputs {
            Loaded::Rows(rows, columns) => {
                let x = Samples::Rows(&rows[block.start * columns..block.end * columns], *columns);
                dense_axpy(self.isa, x, w, bias, z);
            }
            Loaded::Panels(panels) => {
                dense_axpy(self.isa, Samples::Panels(panels.view().slice(block)), w, bias, z);
            }
            Loaded::Sparse(sparse) => {
                let chosen: Vec<usize> = block.collect();
                let x = SparseInput::new(sparse, &chosen, |_| None);
                listed_axpy(self.isa, x.by_sample.view(), &x.a, w, Some(bias), z);
            }
        }
    }

    /// The first layer's weights (D, H).
    pub(super) fn first_rows(&self) -> Result<Panels<'_, F>> {
        let first = &self.layers[0];
        if first.stored == Stored::Rows {
            return Ok(first.w.value.view());
        }
        if let Some(rows) = self.first_rows.get() {
            return Ok(rows.view());
        }
        let rows = first.rows()?; // if two threads do this at once, one result is kept
        Ok(self.first_rows.get_or_init(|| rows).view())
    }

    /// Loaded samples, checked to have the network's width.
    pub(super) fn as_loaded<'a>(&self, inputs: &'a Inputs<F>) -> Result<Loaded<'a, F>> {
        let loaded = match inputs {
            Inputs::Panels(panels) => Loaded::Panels(Cow::Borrowed(panels)),
            Inputs::Sparse(rows) => Loaded::Sparse(rows),
            Inputs::Rows(rows) => {
                let own =
                    rows.as_slice().map_or_else(|| Cow::Owned(rows.iter().copied().collect()), Cow::Borrowed);
                Loaded::Rows(own, rows.ncols())
            }
            Inputs::Bytes(bytes) => {
                let all: Vec<usize> = (0..bytes.dim().0).collect();
                Loaded::Panels(Cow::Owned(bytes.floats(self.isa, &all)))
            }
        };
        check_width(loaded.dim(), self.config.input_dim)?;
        Ok(loaded)
    }

    pub(super) fn scores_array(&self, samples: usize, flat: Vec<F>) -> Result<Array2<F>> {
        let shape = (samples, self.config.num_outputs);
        let len = flat.len();
        Array2::from_shape_vec(shape, flat).map_err(|_| Error::shape("scores", shape, len))
    }

    /// Threads for the scores of this many samples.
    pub(super) fn score_threads(&self, samples: usize) -> Threads {
        let weights = self.layers.iter().map(|layer| layer.w.value.rows() * layer.w.value.cols());
        self.threads.suited(weights.sum::<usize>().saturating_mul(samples))
    }

    /// The scores of all samples, row-major. `first` computes the first layer's sums for a block of them.
    fn by_block(&self, samples: usize, first: impl Fn(Range<usize>, &mut PanelBuf<F>) + Sync) -> Vec<F> {
        let outputs = self.config.num_outputs;
        let size = (SCORE_NUMBERS / self.config.input_dim).clamp(SCORE_BLOCK / 4, SCORE_BLOCK);
        let threads = self.score_threads(samples);
        let parts = if threads.used() == 1 { 1 } else { PARTS_A_THREAD * threads.used() };
        let mut scores = vec![F::zero(); samples * outputs];
        let mut rest = scores.as_mut_slice();
        let mut part = |rows: Range<usize>| {
            let (own, later) = std::mem::take(&mut rest).split_at_mut(rows.len() * outputs);
            rest = later;
            (rows, own)
        };
        let tasks = split(samples, parts.min(samples.div_ceil(size))).into_iter().map(&mut part).collect();
        threads.each(tasks, |(rows, own): (Range<usize>, &mut [F])| {
            // Sums of each layer, reused for all blocks, so that their memory pages are cleared only once.
            let mut sums: Vec<_> = self.layers.iter().map(|_| PanelBuf::zeros(0, 0)).collect();
            for (start, out) in rows.clone().step_by(size).zip(own.chunks_mut(size * outputs)) {
                let block = start..rows.end.min(start + size);
                sums[0].fit(block.len(), self.layers[0].outputs());
                first(block, &mut sums[0]);
                self.later_sums(&mut sums);
                sums[self.layers.len() - 1].view().write_rows(out);
            }
        });
        scores
    }

    /// The sums of all layers for a block of samples, from the first layer's sums, which become activations.
    fn later_sums(&self, sums: &mut [PanelBuf<F>]) {
        for (index, layer) in self.layers[1..].iter().enumerate() {
            let (below, above) = sums.split_at_mut(index + 1);
            let (z, next) = (&mut below[index], &mut above[0]);
            self.normalised(index, z);
            self.activate(z);
            next.fit(z.rows(), layer.outputs());
            let (w, b) = (layer.w.value.view(), layer.b.value.view());
            dense_axpy(self.isa, Samples::Panels(z.view()), w, b, next.view_mut());
        }
    }

    /// Normalises the sums of hidden layer `index`, if it has a normalisation, in test mode.
    pub(super) fn normalised(&self, index: usize, z: &mut PanelBuf<F>) {
        let Some([gamma, beta]) = &self.layers[index].gamma_beta else { return };
        let mut running = self.running.get(index).cloned();
        let running = running.as_mut().map(|running| (running, Mode::Test));
        Normalised::new().forward(z, &[&gamma.value, &beta.value], running);
    }

    /// Turns sums into activations, in test mode.
    pub(super) fn activate(&self, z: &mut PanelBuf<F>) {
        let activation = self.config.activation;
        let (panels, cols) = (z.view().panels(), z.cols());
        let mut z = z.view_mut();
        for panel in 0..panels {
            let width = (cols - panel * F::PANEL).min(F::PANEL);
            for row in 0..z.rows() {
                let row = &mut z.row_mut(panel, row)[..width];
                if activation == Activation::Relu {
                    for z in row {
                        *z = if *z > F::zero() { *z } else { F::zero() };
                    }
                } else {
                    for z in row {
                        *z = activation.value(*z);
                    }
                }
            }
        }
    }
}
