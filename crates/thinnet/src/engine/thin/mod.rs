//! The thin engine: a training step that computes only what dropout keeps.
//!
//! A step has four products in each layer. Each skips what a mask or a ReLU has made zero on one side:
//!
//! - the first layer's forward product takes, for each unit, the samples that keep it (share p of them);
//! - a later layer's forward product takes, for each sample, the inputs that were kept and are positive (about p/2);
//! - the gradient of a weight takes the samples in which its input (or, in the first layer, its output) was kept and
//!   positive. The optimiser's update is applied while the gradient is in registers, so no gradient is stored, unless
//!   gradients are clipped by the norm of all;
//! - the gradient for the layer below only takes units that were kept and positive.
//!
//! Small layers, and normalised ones, are computed whole and multiplied by the mask: lists would cost more than they
//! save.
//!
//! Sparse inputs are treated like those of a later layer: zeros cost nothing.
//!
//! Nothing is approximated: only products with zero are left out. Activations other than ReLU make no zeros of their
//! own, so there everything that was kept counts as active. Gaussian dropout drops nothing: only zeros of a ReLU are
//! left out. DropConnect drops weights, and leaves nothing out: such a layer's products take masks instead.

mod backward;
mod batch;
mod bytes;
mod clip;
mod connect;
mod constrain;
mod dense;
mod drop;
mod forward;
mod inputs;
mod monte_carlo;
mod normalise;
mod predict;
mod products;
mod sums;

pub use bytes::ByteInputs;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::OnceLock;
use std::time::Duration;

use ndarray::{Array2, ArrayView2};
use thinnet_kernels::{Isa, Lists, PanelBuf};

use self::batch::{BatchInput, Loaded, pack};
use self::dense::Dense;
use self::normalise::Normalised;
use super::masks::{Draw, Mask, training};
use super::noise::Noise;
use super::store::{Layer, Parameter, Stored, to_array};
use super::threads::Threads;
use super::weight_masks::Connect;
use super::{Batch, Engine, EngineConfig, EngineState, Inputs, StepLoss};
use crate::clock::Stopwatch;
use crate::data::{Features, Targets};
use crate::error::{Error, Result};
use crate::float::Float;
use crate::layers::{Activation, Dropout, DropoutKind, HiddenDropout, Mode, RunningStatistics, argmax};
use crate::net::{FullyConnectedNet, NetConfig, Parameters};
use crate::optim::Optimiser;
use crate::random::RandomState;

/// Trains a network with the kernels.
#[derive(Debug)]
pub struct Thin<F> {
    config: NetConfig,
    optimiser: Optimiser,
    engine: EngineConfig,
    isa: Isa,
    threads: Threads,
    layers: Vec<Layer<F>>,
    /// The first layer's weights with one row per input unit, for scores, if a training step has the other layout.
    /// Created when first needed, and kept until the next step.
    first_rows: OnceLock<PanelBuf<F>>,
    step: u64,
    /// Whether a backward pass only computes gradients, as they are.
    keeps: bool,
    times: StepTimes,
    /// The batch's inputs.
    x: BatchInput<F>,
    hidden: Vec<Hidden<F>>,
    /// Batch normalisation's running statistics, one per hidden layer; empty without it.
    running: Vec<RunningStatistics<F>>,
    /// One per hidden layer.
    connect: Vec<Connect<F>>,
}

/// How the time of training steps is spent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StepTimes {
    /// Steps.
    pub steps: u32,
    /// Gathering the batch into the kernels' layout.
    pub gather: Duration,
    /// Drawing masks and listing what they keep.
    pub masks: Duration,
    /// The forward pass.
    pub forward: Duration,
    /// The loss and its derivative.
    pub loss: Duration,
    /// The backward pass with the updates.
    pub backward: Duration,
    /// Multiply-adds that were computed, without padding.
    pub multiply_adds: u64,
}

/// What a step stores for a hidden layer.
#[derive(Debug)]
struct Hidden<F> {
    mask: Mask,
    /// Gaussian dropout's factors, if [`NetConfig::is_noisy`].
    noise: Noise<F>,
    /// For each unit, the samples that keep it.
    kept: Lists,
    /// For each unit, the samples in which it is active: kept and, for a ReLU, positive.
    active: Lists,
    /// The activations, one per entry of `active`; after the backward pass of the layer above, their derivatives.
    values: Vec<F>,
    /// The derivative of each activation by its sum, if `values` do not show it: if [`NetConfig::is_noisy`], or for
    /// an activation that takes a value at more than one point. Otherwise empty.
    slopes: Vec<F>,
    /// Stored instead of all that if every unit is computed, see [`Thin::is_dense`].
    dense: Dense<F>,
    /// For its normalisation, if it has one.
    normalised: Normalised<F>,
    /// The sums (N, H), if they are computed for every unit.
    sums: PanelBuf<F>,
    /// The derivatives of the loss by the sums (N, H), if the layer below needs them in panels.
    delta: PanelBuf<F>,
}

impl<F: Float> Hidden<F> {
    fn new() -> Self {
        Self {
            mask: Mask::default(),
            noise: Noise::default(),
            kept: Lists::new(),
            active: Lists::new(),
            values: Vec::new(),
            slopes: Vec::new(),
            dense: Dense::new(),
            normalised: Normalised::new(),
            sums: PanelBuf::zeros(0, 0),
            delta: PanelBuf::zeros(0, 0),
        }
    }
}

impl<F: Float> Thin<F> {
    /// An engine that trains `net` with `optimiser`.
    ///
    /// # Errors
    /// [`Error::Configuration`] for settings out of range, or for a network with both DropConnect and a
    /// normalisation, which this engine does not support.
    pub fn new(net: &FullyConnectedNet<F>, optimiser: Optimiser, engine: EngineConfig) -> Result<Self> {
        optimiser.check()?;
        let config = net.config().clone();
        if !Self::computes(&config) {
            return Err(Error::configuration(
                "the thin engine does not support DropConnect with normalisation; use the layers engine",
            ));
        }
        Ok(Self {
            layers: Layer::pack(&net.parameters, optimiser),
            hidden: config.hidden.iter().map(|_| Hidden::new()).collect(),
            running: net.running().to_vec(),
            connect: config.hidden.iter().map(|_| Connect::default()).collect(),
            isa: engine.isa.unwrap_or_else(Isa::detect),
            threads: Threads::new(engine.threads)?,
            config,
            optimiser,
            engine,
            first_rows: OnceLock::new(),
            step: 0,
            keeps: false,
            times: StepTimes::default(),
            x: BatchInput::Dense(PanelBuf::zeros(0, 0)),
        })
    }

    /// Whether this engine can compute such a network.
    pub(super) fn computes(config: &NetConfig) -> bool {
        !(config.is_normalised() && config.dropout_kind == DropoutKind::DropConnect)
    }

    /// The time of all steps so far.
    pub fn times(&self) -> StepTimes {
        self.times
    }

    /// The instruction set of the kernels.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// The factor on kept activations of hidden layer `index`.
    fn scale(&self, index: usize) -> F {
        F::from_f64(1.0 / self.config.computed_share(index))
    }

    /// Whether every unit of hidden layer `index` is computed, and dropped ones are multiplied by zero.
    fn is_dense(&self, index: usize) -> bool {
        if self.config.is_normalised() {
            return true; // it needs every sum
        }
        if self.config.dropout_kind == DropoutKind::DropConnect {
            return false;
        }
        let inputs = self.layers[index].inputs();
        let outputs = self.layers[index + 1].outputs();
        self.engine.kind.is_dense(index, inputs, outputs, self.config.computed_share(index))
    }

    /// Whether images can be classified with products of bytes.
    fn decides_by_bytes(&self) -> bool {
        let drops_weights = self.config.dropout_kind == DropoutKind::DropConnect; // whose weights have the other layout
        self.config.activation == Activation::Relu && !self.config.is_normalised() && !drops_weights
    }

    /// Whether the first layer's weights have one row per output unit in a step: it then takes samples by lists of
    /// what is kept.
    fn lists_first(&self) -> bool {
        !self.hidden.is_empty() && !self.is_dense(0) && !self.drops_weights(0)
    }

    /// The approximate multiply-adds of a step with this many samples, with an update of a weight counted as 8. It
    /// decides how many threads a step uses.
    fn work(&self, samples: usize) -> usize {
        let layers = self.layers.iter().enumerate();
        let each = layers.map(|(index, layer)| {
            let weights = layer.w.value.rows() * layer.w.value.cols();
            let share = if index < self.hidden.len() { self.config.computed_share(index) } else { 1.0 };
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a share of the samples
            let computed = (3.0 * samples as f64 * share) as usize;
            weights.saturating_mul(computed + 8)
        });
        each.fold(0, usize::saturating_add)
    }

    /// Multiply-adds of the last step: for each layer, forward, gradient of the weights and, except in the first,
    /// gradient of the inputs.
    fn multiply_adds(&self, samples: usize) -> u64 {
        let (first, outputs) = (&self.layers[0], self.layers[0].outputs());
        let first = match &self.x {
            BatchInput::Sparse(x) => 2 * x.a.len() * outputs,
            BatchInput::Dense(_) if !self.lists_first() => 2 * samples * first.inputs() * outputs,
            BatchInput::Dense(_) => {
                let hidden = &self.hidden[0];
                let computed = if self.first_is_whole() { samples * outputs } else { hidden.kept.len() };
                (computed + hidden.active.len()) * first.inputs()
            }
        };
        let later = self.hidden.iter().zip(&self.layers[1..]).enumerate().map(|(index, (below, layer))| {
            let entries = if self.is_dense(index) { samples * layer.inputs() } else { below.active.len() };
            3 * entries * layer.outputs()
        });
        (first + later.sum::<usize>()) as u64
    }

    /// Bytes of the parameters and the optimiser's state; a step reads and writes each once.
    pub fn parameter_bytes(&self) -> usize {
        self.layers.iter().flat_map(Layer::all).map(Parameter::bytes).sum()
    }

    /// The scores of the gathered batch with newly drawn masks, as a matrix in panels; batch normalisation is as in
    /// `mode`.
    fn masked_forward(
        &mut self,
        samples: usize,
        draw: Draw,
        mode: Mode,
        random: &mut RandomState,
    ) -> PanelBuf<F> {
        let start = Stopwatch::start();
        self.draw_masks(samples, draw, random);
        self.list_kept(samples);
        self.times.masks += start.elapsed();
        let start = Stopwatch::start();
        let scores = self.forward(mode);
        self.times.forward += start.elapsed();
        scores
    }

    /// The loss of a batch, and its gradients: updates with them, or keeps them if [`Thin::keeps_gradients`].
    fn pass(
        &mut self,
        x: &Features<F>,
        targets: &Targets<'_, F>,
        batch: Batch<'_>,
        first: usize,
        random: &mut RandomState,
    ) -> Result<StepLoss> {
        super::check_batch(x, targets, &batch, self.config.input_dim)?;
        let x = &*x.loaded()?;
        let targets = targets.select(batch.indices);
        let weights = batch.own_weights();
        let start = Stopwatch::start();
        let draw = Draw { step: self.step, number: training, first };
        self.threads = self.threads.suited(self.work(batch.indices.len()));
        self.gather(x, batch.indices, draw, random)?;
        self.times.gather += start.elapsed();
        self.train(targets.view(), weights.as_deref(), draw, random)
    }

    /// Updates with kept gradients, and completes the step.
    fn end_step(&mut self) -> Result<()> {
        let start = Stopwatch::start();
        if self.keeps_gradients() {
            self.update_kept()?;
        }
        self.step += 1;
        self.first_rows = OnceLock::new();
        self.constrain();
        self.times.backward += start.elapsed();
        self.times.steps += 1;
        Ok(())
    }

    /// The body of [`Thin::pass`], from the gathered batch on.
    fn train(
        &mut self,
        targets: Targets<'_, F>,
        weights: Option<&[f64]>,
        draw: Draw,
        random: &mut RandomState,
    ) -> Result<StepLoss> {
        let samples = targets.len();
        let scores = self.masked_forward(samples, draw, Mode::Train, random);
        let start = Stopwatch::start();
        let scores = to_array(&scores)?;
        let (data, dscores) = self.config.objective().evaluate(scores.view(), targets, weights)?;
        let loss = StepLoss { data: data.as_f64(), penalty: self.penalty() };
        let flat: Vec<F> = dscores.iter().copied().collect();
        let dscores = PanelBuf::from_rows(samples, dscores.ncols(), &flat);
        self.times.loss += start.elapsed();
        let start = Stopwatch::start();
        self.backward(dscores)?;
        self.times.backward += start.elapsed();
        self.times.multiply_adds += self.multiply_adds(samples) + self.masked_multiply_adds(samples);
        Ok(loss)
    }
}

impl<F: Float> Engine<F> for Thin<F> {
    fn step(
        &mut self,
        x: &Features<F>,
        targets: Targets<'_, F>,
        batch: Batch<'_>,
        random: &mut RandomState,
    ) -> Result<StepLoss> {
        let loss = self.pass(x, &targets, batch, 0, random)?;
        self.end_step()?;
        Ok(loss)
    }

    fn gradients(
        &mut self,
        x: &Features<F>,
        targets: Targets<'_, F>,
        batch: Batch<'_>,
        first: usize,
        random: &mut RandomState,
    ) -> Result<(StepLoss, Parameters<F>)> {
        self.keeps = true;
        let loss = self.pass(x, &targets, batch, first, random);
        self.keeps = false;
        Ok((loss?, Layer::unpack_gradients(&self.layers)?))
    }

    fn update(&mut self, gradients: Parameters<F>) -> Result<()> {
        self.parameters()?.check_like("gradients", &gradients)?;
        Layer::set_gradients(&mut self.layers, &gradients);
        self.keeps = true;
        let ended = self.end_step();
        self.keeps = false;
        ended
    }

    fn load(&self, x: &Features<F>) -> Result<Inputs<F>> {
        super::check_width(x.dim(), self.config.input_dim)?;
        let x = &*x.loaded()?;
        if let (Features::Pixels(pixels), [_, _]) = (x, self.layers.as_slice())
            && self.decides_by_bytes()
            && let Some(bytes) = ByteInputs::new(pixels, x.dim().0)
        {
            return Ok(Inputs::Bytes(bytes));
        }
        match x {
            Features::Sparse(rows) => return Ok(Inputs::Sparse(rows.clone())),
            Features::Floats(rows) => return Ok(Inputs::Rows(rows.clone())),
            Features::Singles(_) | Features::Pixels(_) | Features::Table(_) | Features::Stored(_) => {}
        }
        let all: Vec<usize> = (0..x.dim().0).collect();
        let mut panels = PanelBuf::zeros(all.len(), self.config.input_dim);
        pack(self.isa, x, &all, panels.view_mut());
        Ok(Inputs::Panels(panels))
    }

    fn scores(&self, inputs: &Inputs<F>) -> Result<Array2<F>> {
        self.all_scores(&self.as_loaded(inputs)?)
    }

    fn scores_of(&self, x: ArrayView2<'_, F>) -> Result<Array2<F>> {
        super::check_width(x.dim(), self.config.input_dim)?;
        let x = x.as_standard_layout();
        self.all_scores(&Loaded::Rows(x.as_slice().unwrap_or_default().into(), x.ncols()))
    }

    fn each_masked(
        &mut self,
        inputs: &Inputs<F>,
        draws: Range<u64>,
        first: usize,
        random: &mut RandomState,
        each: &mut dyn FnMut(Range<usize>, Array2<F>) -> Result<()>,
    ) -> Result<()> {
        let inputs = self.as_loaded(inputs)?;
        self.each_masked_block(&inputs, draws, first, random, each)
    }

    fn classes(&self, inputs: &Inputs<F>) -> Result<Vec<usize>> {
        let (Inputs::Bytes(bytes), [first, last]) = (inputs, self.layers.as_slice()) else {
            return Ok(self.scores(inputs)?.rows().into_iter().map(argmax).collect());
        };
        super::check_width(bytes.dim(), self.config.input_dim)?;
        let found = match first.stored {
            // Bytes loaded by another engine only work for ReLU units.
            Stored::Columns if self.decides_by_bytes() => {
                bytes.classes(self.isa, &self.score_threads(bytes.dim().0), first, last)
            }
            _ => None,
        };
        let found = found.unwrap_or_else(|| vec![None; bytes.dim().0]);
        let close: Vec<usize> = (0..found.len()).filter(|&sample| found[sample].is_none()).collect();
        let floats = Loaded::Panels(Cow::Owned(bytes.floats(self.isa, &close)));
        let scores = self.all_scores(&floats)?;
        let mut again = scores.rows().into_iter().map(argmax);
        Ok(found.into_iter().map(|class| class.or_else(|| again.next()).unwrap_or(0)).collect())
    }

    fn parameters(&self) -> Result<Parameters<F>> {
        Layer::unpack(&self.layers)
    }

    fn running(&self) -> &[RunningStatistics<F>] {
        &self.running
    }

    fn set_learning_rate(&mut self, learning_rate: f64) {
        self.optimiser = self.optimiser.with_learning_rate(learning_rate);
    }

    fn set_momentum(&mut self, momentum: f64) -> Result<()> {
        self.optimiser = self.optimiser.with_momentum(momentum)?;
        Ok(())
    }

    fn set_reg(&mut self, reg: f64) {
        self.config.reg = reg;
    }

    fn set_dropout(&mut self, hidden: HiddenDropout, input: Option<Dropout>) -> Result<()> {
        self.config.set_dropout(hidden, input)
    }

    fn first_not_finite(&self) -> Option<String> {
        self.not_finite()
    }

    fn state(&self) -> Result<EngineState<F>> {
        Ok(EngineState {
            parameters: self.parameters()?,
            optimiser: Layer::states(&self.layers, self.optimiser)?,
            step: self.step,
            running: self.running.clone(),
        })
    }

    fn restore(&mut self, state: &EngineState<F>) -> Result<()> {
        let own = self.parameters()?;
        own.check_like("parameters to restore", &state.parameters)?;
        super::state::check_optimiser(&self.optimiser, &own, &state.optimiser)?;
        self.config.check_running(&state.running)?;
        self.running.clone_from(&state.running);
        Layer::set(&mut self.layers, &state.parameters, &state.optimiser);
        self.first_rows = OnceLock::new();
        self.step = state.step;
        Ok(())
    }
}
