//! Scores of any number of samples, in test mode or with masks.

use std::borrow::Cow;
use std::ops::Range;

use ndarray::Array2;
use thinnet_kernels::{Lists, PanelBuf, Panels, block_size, dense_dot, relu_listed};

use super::Thin;
use super::batch::{Loaded, SparseInput};
use super::products::{dense_scores, forward_listed, forward_rows};
use crate::engine::masks::{Draw, MaskSource, prediction};
use crate::engine::store::{Layer, Stored};
use crate::engine::threads::{Threads, split};
use crate::engine::{Inputs, check_width};
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
    /// The scores of samples (N, C) in test mode.
    pub(super) fn all_scores(&self, inputs: &Loaded<'_, F>) -> Result<Array2<F>> {
        let samples = inputs.dim().0;
        let flat = match inputs {
            Loaded::Panels(panels) => {
                let first = self.layers[0].stored_as(Stored::Columns)?;
                self.by_block(samples, |rows| self.dense_block(&first, panels.view().slice(rows)))
            }
            Loaded::Sparse(sparse) => {
                let first = self.layers[0].stored_as(Stored::Rows)?;
                self.by_block(samples, |rows| {
                    let chosen: Vec<usize> = rows.collect();
                    self.sparse_block(&first, &SparseInput::new(sparse, &chosen, |_| None))
                })
            }
        };
        self.scores_array(samples, flat)
    }

    /// The scores of samples (N, C) with masks: of the counter-based stream's draw `draw`, or from `random`.
    pub(super) fn all_masked_scores(
        &mut self,
        inputs: &Loaded<'_, F>,
        draw: u64,
        random: &mut RandomState,
    ) -> Result<Array2<F>> {
        let samples = inputs.dim().0;
        let mut flat = Vec::with_capacity(samples * self.config.num_outputs);
        let blocks = match self.engine.masks {
            MaskSource::Counter(_) => samples.div_ceil(MASKED_BLOCK),
            MaskSource::Numpy => 1, // its numbers are drawn layer by layer for all samples
        };
        for rows in split(samples, blocks) {
            let draw = Draw { step: draw, number: prediction, first: rows.start };
            let count = rows.len();
            match inputs {
                Loaded::Panels(panels) => self.gather_panels(panels, rows, draw, random)?,
                Loaded::Sparse(sparse) => {
                    self.gather_sparse(sparse, &rows.collect::<Vec<_>>(), draw, random)?;
                }
            }
            flat.extend(self.masked_forward(count, draw, random).view().to_rows());
        }
        self.scores_array(samples, flat)
    }

    /// Loaded samples of the network's width.
    pub(super) fn as_loaded<'a>(&self, inputs: &'a Inputs<F>) -> Result<Loaded<'a, F>> {
        let loaded = match inputs {
            Inputs::Panels(panels) => Loaded::Panels(Cow::Borrowed(panels)),
            Inputs::Sparse(rows) => Loaded::Sparse(rows),
            Inputs::Rows(rows) => {
                let rows_first: Vec<F> = rows.iter().copied().collect();
                Loaded::Panels(Cow::Owned(PanelBuf::from_rows(rows.nrows(), rows.ncols(), &rows_first)))
            }
            Inputs::Bytes(bytes) => {
                let all: Vec<usize> = (0..bytes.dim().0).collect();
                Loaded::Panels(Cow::Owned(bytes.floats(self.isa, &all)))
            }
        };
        check_width(loaded.dim(), self.config.input_dim)?;
        Ok(loaded)
    }

    fn scores_array(&self, samples: usize, flat: Vec<F>) -> Result<Array2<F>> {
        let shape = (samples, self.config.num_outputs);
        let len = flat.len();
        Array2::from_shape_vec(shape, flat).map_err(|_| Error::shape("scores", shape, len))
    }

    /// What `scores` gives of each block of the samples, row-major, one block after the other.
    fn by_block(&self, samples: usize, scores: impl Fn(Range<usize>) -> PanelBuf<F> + Sync) -> Vec<F> {
        let blocks = self.threads.each(split(samples, samples.div_ceil(SCORE_BLOCK)), scores);
        blocks.iter().flat_map(|block| block.view().to_rows()).collect()
    }

    /// The scores of a block of samples in test mode.
    fn dense_block(&self, first: &Layer<F>, x: Panels<'_, F>) -> PanelBuf<F> {
        let samples = x.rows();
        if self.hidden.is_empty() {
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
        self.later_block(active, values)
    }

    /// The same of a block of sparse samples.
    fn sparse_block(&self, first: &Layer<F>, x: &SparseInput<F>) -> PanelBuf<F> {
        let z = forward_rows(self.isa, &Threads::one(), first, &x.by_sample, &x.a);
        if self.hidden.is_empty() {
            return z;
        }
        let (active, values) = self.activated(&z);
        self.later_block(active, values)
    }

    /// The scores of a block of samples from the first layer's activations.
    fn later_block(&self, mut active: Lists, mut values: Vec<F>) -> PanelBuf<F> {
        let (one, later) = (&Threads::one(), &self.layers[1..]);
        let mut out = PanelBuf::zeros(0, 0);
        for (index, layer) in later.iter().enumerate() {
            out = forward_listed(self.isa, one, layer, &active, &values);
            if index + 1 < later.len() {
                (active, values) = self.activated(&out);
            }
        }
        out
    }

    /// Activations by unit, of a layer's outputs (N, H) in test mode.
    fn activated(&self, z: &PanelBuf<F>) -> (Lists, Vec<F>) {
        let (samples, activation) = (z.rows(), self.config.activation);
        let (mut active, mut values) = (Lists::new(), Vec::new());
        active.rebuild_from_fn(z.cols(), samples, block_size(samples), |unit, sample| {
            let a = activation.value(z.view().row(unit / F::PANEL, sample)[unit % F::PANEL]);
            let stays = activation != Activation::Relu || a > F::zero();
            if stays {
                values.push(a);
            }
            stays
        });
        (active, values)
    }
}
