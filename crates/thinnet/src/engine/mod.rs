//! How a training step is computed. The solver knows only [`Engine`]; [`Layers`] computes with the readable layers, the
//! truth that [`Thin`] is tested against.

mod build;
mod config;
mod layers;
mod masks;
mod noise;
mod state;
mod store;
mod thin;
mod threads;
mod weight_masks;

pub use build::{build, sparse_below};
pub use config::{EngineConfig, EngineKind, cores};
pub use layers::Layers;
pub use masks::MaskSource;
pub use state::EngineState;
pub use thin::{ByteInputs, StepTimes, Thin};
pub use thinnet_kernels::Isa;

use ndarray::{ArcArray2, Array2, ArrayView2};
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
    /// - `x`: N samples of D numbers; `targets`: N labels or (N, C) numbers, as the network's loss wants them
    ///
    /// Masks are drawn from `random`, layer by layer, as the course does, unless the engine has a stream of its own for
    /// them. Returns the loss before the update.
    fn step(
        &mut self,
        x: &Features<F>,
        targets: Targets<'_, F>,
        batch: Batch<'_>,
        random: &mut RandomState,
    ) -> Result<StepLoss>;

    /// Brings samples (N, D) into the form that the engine computes scores from, to be used any number of times.
    fn load(&self, x: &Features<F>) -> Result<Inputs<F>>;

    /// The scores (N, C) of loaded samples in test mode.
    fn scores(&self, inputs: &Inputs<F>) -> Result<Array2<F>>;

    /// The scores (N, C) of samples (N, D) in test mode, which are asked for once: as [`load`](Self::load) and
    /// [`scores`](Self::scores) give them, without a copy where the engine can read the rows as they lie.
    ///
    /// # Errors
    /// [`Error::Shape`] if the samples do not have the network's width.
    fn scores_of(&self, x: ArrayView2<'_, F>) -> Result<Array2<F>> {
        self.scores(&self.load(&Features::from(x.to_owned()))?)
    }

    /// The scores (N, C) of loaded samples with masks as in training, and batch normalisation as in test mode: one draw of
    /// Monte-Carlo dropout (Gal and Ghahramani, "Dropout as a Bayesian Approximation", ICML 2016).
    ///
    /// Masks from a stream of the engine's own are those of (seed, `draw`, layer, sample, unit), and none of a training
    /// step's; otherwise they are drawn from `random`.
    fn masked_scores(&mut self, inputs: &Inputs<F>, draw: u64, random: &mut RandomState)
    -> Result<Array2<F>>;

    /// The class with the highest score (the first of equals) for each loaded sample, in test mode.
    fn classes(&self, inputs: &Inputs<F>) -> Result<Vec<usize>> {
        Ok(self.scores(inputs)?.rows().into_iter().map(argmax).collect())
    }

    /// The current parameters.
    fn parameters(&self) -> Result<Parameters<F>>;

    /// Batch normalisation's running statistics, one a hidden layer; none without it.
    fn running(&self) -> &[RunningStatistics<F>] {
        &[]
    }

    /// Sets the learning rate of the steps to come.
    fn set_learning_rate(&mut self, learning_rate: f64);

    /// Sets the momentum of the steps to come.
    ///
    /// # Errors
    /// [`Error::Configuration`] as [`Optimiser::with_momentum`](crate::optim::Optimiser::with_momentum) says; nothing has
    /// changed then.
    fn set_momentum(&mut self, momentum: f64) -> Result<()>;

    /// Sets the strength of the L2 term in the steps to come.
    fn set_reg(&mut self, reg: f64);

    /// Sets the dropout of the hidden layers and of the inputs in the steps to come, and in scores with masks: keep
    /// probabilities that fall as training goes on ([`Curriculum`](crate::layers::Curriculum)), or dropout turned on or off.
    /// Its kind stays what it is.
    ///
    /// # Errors
    /// [`Error::Configuration`] if the hidden dropouts are not one for each hidden layer; the old ones hold then.
    fn set_dropout(&mut self, hidden: HiddenDropout, input: Option<Dropout>) -> Result<()>;

    /// The name (`W1`, `b1`, ...) of the first array of parameters, layer by layer, that holds a NaN or an infinity; `None`
    /// if all are finite. The loss alone does not tell: a ReLU takes a NaN for a sum that is not positive, and hides it.
    ///
    /// It costs little beside a step, and can be asked after every one (docs/kernels.md).
    fn first_not_finite(&self) -> Option<String>;

    /// All that the steps to come depend on, but the settings and `random`.
    fn state(&self) -> Result<EngineState<F>>;

    /// Goes on from such a state: the steps to come are, bit for bit, those of the engine that gave it.
    ///
    /// # Errors
    /// [`Error::Shape`] or [`Error::Configuration`] if it is another network's or another optimiser's.
    fn restore(&mut self, state: &EngineState<F>) -> Result<()>;
}

/// The samples of a training step.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    /// Which of the N samples, in order; any may come twice.
    pub indices: &'a [usize],
    /// A weight for each of the N samples: the loss is `sum_i w_i l_i / sum_i w_i` over the batch. `None` weighs all alike.
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
    /// Both.
    pub fn total(self) -> f64 {
        self.data + self.penalty
    }
}

/// Samples (N, D) in the form that an engine takes.
#[derive(Debug, Clone)]
pub enum Inputs<F> {
    /// Row-major.
    Rows(ArcArray2<F>),
    /// In the kernels' layout.
    Panels(PanelBuf<F>),
    /// Rows that are mostly zeros.
    Sparse(SparseRows<F>),
    /// Images, for classes alone; scores are computed from their floats.
    Bytes(ByteInputs),
}

/// Checks that samples (N, D) have the network's width.
fn check_width(dim: (usize, usize), input_dim: usize) -> Result<()> {
    if dim.1 == input_dim { Ok(()) } else { Err(Error::shape("x", ("N", input_dim), dim)) }
}

/// Checks that `x` fits the network, targets and weights fit `x`, and the batch is not empty and names samples that are
/// there.
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
