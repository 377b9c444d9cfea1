//! Computes training steps. The solver knows only [`Engine`]. [`Layers`] computes with the readable layers; it is the
//! reference in the tests of [`Thin`].

mod build;
mod config;
mod layers;
mod masks;
mod monte_carlo;
mod noise;
mod parts;
mod state;
mod store;
mod thin;
mod threads;
mod weight_masks;

pub use build::{build, sparse_below};
pub use config::{EngineConfig, EngineKind, cores};
pub use layers::Layers;
pub use masks::MaskSource;
pub use monte_carlo::{MaskedPredictions, predict_masked};
pub use parts::{gradients_in_parts, part_size};
pub use state::EngineState;
pub use thin::{ByteInputs, StepTimes, Thin};
pub use thinnet_kernels::Isa;

use std::ops::Range;

use ndarray::{ArcArray2, Array2, ArrayView2, Axis, concatenate};
use thinnet_kernels::PanelBuf;

use crate::data::{Features, SparseRows, Targets};
use crate::error::{Error, Result};
use crate::float::Float;
use crate::layers::{Dropout, HiddenDropout, RunningStatistics, argmax};
use crate::net::Parameters;
use crate::random::RandomState;

/// Computes training steps and scores for one network.
pub trait Engine<F: Float>: Send + Sync {
    /// One training step: the loss over a batch, its gradients, and the update of every parameter.
    ///
    /// - `x`: N samples of D numbers; `targets`: N labels or (N, C) numbers, as the network's loss requires
    ///
    /// Masks are drawn from `random`, layer by layer, as in the course, unless the engine has its own stream for
    /// them. Returns the loss before the update.
    fn step(
        &mut self,
        x: &Features<F>,
        targets: Targets<'_, F>,
        batch: Batch<'_>,
        random: &mut RandomState,
    ) -> Result<StepLoss>;

    /// The loss over a batch and its gradients by parameter, without an update. With [`Engine::update`], a step can be
    /// taken in parts, or by another optimiser.
    ///
    /// - `x`, `targets`, `random`: as of [`Engine::step`]
    /// - `first`: the position of the batch's first sample in a larger batch of which this is a part; from the
    ///   counter-based stream, it gets the masks of that position
    ///
    /// The L2 and L1 terms are in the gradients; they are not clipped. Batch normalisation's running statistics change
    /// as in a step.
    fn gradients(
        &mut self,
        x: &Features<F>,
        targets: Targets<'_, F>,
        batch: Batch<'_>,
        first: usize,
        random: &mut RandomState,
    ) -> Result<(StepLoss, Parameters<F>)>;

    /// Updates every parameter with these gradients, clipped if the network says so, and completes a step.
    ///
    /// # Errors
    /// [`Error::Shape`] if they do not have the parameters' shapes; then nothing is changed.
    fn update(&mut self, gradients: Parameters<F>) -> Result<()>;

    /// Converts samples (N, D) to the form from which the engine computes scores, for repeated use.
    fn load(&self, x: &Features<F>) -> Result<Inputs<F>>;

    /// The scores (N, C) of loaded samples in test mode.
    fn scores(&self, inputs: &Inputs<F>) -> Result<Array2<F>>;

    /// The scores (N, C) of samples (N, D) in test mode, for single use: the same as [`load`](Self::load) and
    /// [`scores`](Self::scores), but without a copy if the engine can read the rows directly.
    ///
    /// # Errors
    /// [`Error::Shape`] if the samples do not have the network's width.
    fn scores_of(&self, x: ArrayView2<'_, F>) -> Result<Array2<F>> {
        self.scores(&self.load(&Features::from(x.to_owned()))?)
    }

    /// The scores (N, C) of loaded samples with masks as in training, and batch normalisation as in test mode: one
    /// draw of Monte-Carlo dropout (Gal and Ghahramani, "Dropout as a Bayesian Approximation", ICML 2016).
    ///
    /// If the engine has its own stream, masks are determined by (seed, `draw`, layer, sample, unit), and differ from
    /// those of training steps; otherwise they are drawn from `random`.
    fn masked_scores(
        &mut self,
        inputs: &Inputs<F>,
        draw: u64,
        random: &mut RandomState,
    ) -> Result<Array2<F>> {
        let mut parts = Vec::new();
        self.each_masked(inputs, draw..draw + 1, 0, random, &mut |_, scores| {
            parts.push(scores);
            Ok(())
        })?;
        let views: Vec<_> = parts.iter().map(|part| part.view()).collect();
        concatenate(Axis(0), &views).map_err(|_| Error::shape("scores", "parts of one width", views.len()))
    }

    /// Calls `each` with the scores (n, C) of n loaded samples under the masks of each draw: block after block of the
    /// samples, and for each block draw after draw. What does not depend on masks is computed once for all draws.
    ///
    /// - `draws`: as `draw` of [`Engine::masked_scores`]
    /// - `first`: what to add to a sample's position in `inputs` for its place in the counter-based stream, if `inputs`
    ///   are a part of more samples
    /// - `each`: takes the positions of the block's samples, and their scores
    ///
    /// # Errors
    /// As [`Engine::scores`], and errors of `each`, which end it.
    fn each_masked(
        &mut self,
        inputs: &Inputs<F>,
        draws: Range<u64>,
        first: usize,
        random: &mut RandomState,
        each: &mut dyn FnMut(Range<usize>, Array2<F>) -> Result<()>,
    ) -> Result<()>;

    /// The class with the highest score (the first of equals) for each loaded sample, in test mode.
    fn classes(&self, inputs: &Inputs<F>) -> Result<Vec<usize>> {
        Ok(self.scores(inputs)?.rows().into_iter().map(argmax).collect())
    }

    /// The current parameters.
    fn parameters(&self) -> Result<Parameters<F>>;

    /// Batch normalisation's running statistics, one per hidden layer; empty without it.
    fn running(&self) -> &[RunningStatistics<F>] {
        &[]
    }

    /// Sets the learning rate of the following steps.
    fn set_learning_rate(&mut self, learning_rate: f64);

    /// Sets the momentum of the following steps.
    ///
    /// # Errors
    /// [`Error::Configuration`] as for [`Optimiser::with_momentum`](crate::optim::Optimiser::with_momentum); then
    /// nothing is changed.
    fn set_momentum(&mut self, momentum: f64) -> Result<()>;

    /// Sets the strength of the L2 term in the following steps.
    fn set_reg(&mut self, reg: f64);

    /// Sets the dropout of the hidden layers and of the inputs for the following steps and for scores with masks:
    /// keep probabilities that fall during training ([`Curriculum`](crate::layers::Curriculum)), or dropout turned on
    /// or off. Its kind stays the same.
    ///
    /// # Errors
    /// [`Error::Configuration`] if there is not one hidden dropout for each hidden layer; then the old ones stay.
    fn set_dropout(&mut self, hidden: HiddenDropout, input: Option<Dropout>) -> Result<()>;

    /// The name (`W1`, `b1`, ...) of the first array of parameters, layer by layer, that contains a NaN or an
    /// infinity; `None` if all are finite. The loss alone does not show it: a ReLU turns a NaN into 0 and so hides
    /// it.
    ///
    /// It costs little compared with a step, and can be called after every step (docs/kernels.md).
    fn first_not_finite(&self) -> Option<String>;

    /// Everything that the following steps depend on, except the settings and `random`.
    fn state(&self) -> Result<EngineState<F>>;

    /// Continues from such a state: the following steps are bit for bit the same as those of the engine that returned
    /// it.
    ///
    /// # Errors
    /// [`Error::Shape`] or [`Error::Configuration`] if it comes from another network or another optimiser.
    fn restore(&mut self, state: &EngineState<F>) -> Result<()>;
}

/// The samples of a training step.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    /// The indices of the samples, in order; a sample may occur twice.
    pub indices: &'a [usize],
    /// A weight for each of the N samples: the loss is `sum_i w_i l_i / sum_i w_i` over the batch. `None` weights all
    /// equally.
    pub weights: Option<&'a [f64]>,
}

impl<'a> From<&'a [usize]> for Batch<'a> {
    fn from(indices: &'a [usize]) -> Self {
        Self { indices, weights: None }
    }
}

impl Batch<'_> {
    /// The weights of the batch's samples, in order.
    pub(crate) fn own_weights(&self) -> Option<Vec<f64>> {
        self.weights.map(|weights| self.indices.iter().map(|&index| weights[index]).collect())
    }
}

/// The loss of a training step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepLoss {
    /// The mean over the batch's samples.
    pub data: f64,
    /// The L2 and L1 terms.
    pub penalty: f64,
}

impl StepLoss {
    /// The sum of both.
    pub fn total(self) -> f64 {
        self.data + self.penalty
    }
}

/// Samples (N, D) in the form that an engine uses.
#[derive(Debug, Clone)]
pub enum Inputs<F> {
    /// Row-major.
    Rows(ArcArray2<F>),
    /// In the kernels' layout.
    Panels(PanelBuf<F>),
    /// Rows that are mostly zeros.
    Sparse(SparseRows<F>),
    /// Images, only for classes; scores are computed from their floats.
    Bytes(ByteInputs),
}

/// Checks that samples (N, D) have the network's width.
fn check_width(dim: (usize, usize), input_dim: usize) -> Result<()> {
    if dim.1 == input_dim { Ok(()) } else { Err(Error::shape("x", ("N", input_dim), dim)) }
}

/// Checks that `x` matches the network, that targets and weights match `x`, and that the batch is not empty and its
/// indices exist.
fn check_batch<F: Float>(
    x: &Features<F>,
    targets: &Targets<'_, F>,
    batch: &Batch<'_>,
    input_dim: usize,
) -> Result<()> {
    let (samples, _) = x.dim();
    check_width(x.dim(), input_dim)?;
    if targets.len() != samples {
        return Err(Error::shape("targets of step", [samples], [targets.len()]));
    }
    if let Some(weights) = batch.weights
        && weights.len() != samples
    {
        return Err(Error::shape("sample weights of step", [samples], [weights.len()]));
    }
    if batch.indices.is_empty() {
        return Err(Error::shape("batch of step", "at least one index", [0]));
    }
    match batch.indices.iter().find(|&&index| index >= samples) {
        Some(index) => Err(Error::shape("batch of step", format!("indices below {samples}"), index)),
        None => Ok(()),
    }
}
