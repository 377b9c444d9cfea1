//! The thin engine: a training step that computes only what dropout keeps.
//!
//! A step takes four products through each layer, and each is skipped where a mask or a ReLU has made one side zero:
//!
//! - the first layer's forward product takes, for each unit, the samples that keep it (share p of them);
//! - a later layer's forward product takes, for each sample, the inputs that were kept and are positive (about p/2);
//! - the gradient of a weight takes the samples in which its input (or, in the first layer, its output) was kept and
//!   positive, and the update rule is applied to it while it is in registers: no gradient is stored;
//! - the gradient handed down takes only units that were kept and positive.
//!
//! Nothing is approximated: what is left out is multiplied by zero.

mod backward;
mod forward;
mod predict;

pub(super) use forward::forward_listed;

use std::ops::Range;
use std::time::{Duration, Instant};

use ndarray::Array2;
use thinnet_kernels::{Isa, Lists, PanelBuf, PanelsMut, block_size, pack_pixels};

use super::masks::{Mask, MaskSource};
use super::scores::{ByteInputs, highest};
use super::store::{Layer, to_array};
use super::threads::Threads;
use super::{Engine, EngineConfig, Inputs};
use crate::data::Features;
use crate::error::{Error, Result};
use crate::float::Float;
use crate::layers::softmax_loss;
use crate::net::{FullyConnectedNet, NetConfig, Parameters};
use crate::optim::UpdateRule;
use crate::random::RandomState;

/// Trains a network over the kernels.
#[derive(Debug)]
pub struct Thin<F> {
    config: NetConfig,
    rule: UpdateRule,
    engine: EngineConfig,
    isa: Isa,
    threads: Threads,
    layers: Vec<Layer<F>>,
    /// Weights and biases of each layer.
    remembered: Vec<(PanelBuf<F>, PanelBuf<F>)>,
    step: u64,
    times: StepTimes,
    /// The batch's inputs (N, D).
    x: PanelBuf<F>,
    hidden: Vec<Hidden<F>>,
}

/// Where the time of training steps went.
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
    /// Multiply-adds that were computed, of padding none.
    pub multiply_adds: u64,
}

/// What a step keeps of a hidden layer.
#[derive(Debug)]
struct Hidden<F> {
    mask: Mask,
    /// Of each unit, the samples that keep it.
    kept: Lists,
    /// Of each unit, the samples in which it is active: kept and positive.
    active: Lists,
    /// The activations, an entry of `active` each; after the backward pass of the layer above, their derivatives.
    values: Vec<F>,
}

impl<F> Hidden<F> {
    fn new() -> Self {
        Self { mask: Mask::default(), kept: Lists::new(), active: Lists::new(), values: Vec::new() }
    }
}

impl<F: Float> Thin<F> {
    /// An engine for `net`, which it trains with `rule`.
    ///
    /// # Errors
    /// [`Error::Configuration`] for settings out of range, or for a network with batch normalisation, which this engine
    /// does not compute.
    pub fn new(net: &FullyConnectedNet<F>, rule: UpdateRule, engine: EngineConfig) -> Result<Self> {
        rule.check()?;
        let config = net.config().clone();
        if config.batch_norm {
            return Err(Error::configuration(
                "the thin engine has no batch normalisation; use the layers engine",
            ));
        }
        Ok(Self {
            layers: Layer::pack(&net.parameters, &rule),
            remembered: Vec::new(),
            hidden: config.hidden.iter().map(|_| Hidden::new()).collect(),
            isa: engine.isa.unwrap_or_else(Isa::detect),
            threads: Threads::new(engine.threads)?,
            config,
            rule,
            engine,
            step: 0,
            times: StepTimes::default(),
            x: PanelBuf::zeros(0, 0),
        })
    }

    /// Where the time of all steps so far went.
    pub fn times(&self) -> StepTimes {
        self.times
    }

    /// The instruction set that the kernels run on.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// Draws the masks of a step, first layer to last.
    fn draw_masks(&mut self, samples: usize, random: &mut RandomState) {
        let Some(dropout) = self.config.dropout else { return };
        for ((hidden, &units), layer) in self.hidden.iter_mut().zip(&self.config.hidden).zip(0..) {
            match self.engine.masks {
                MaskSource::Numpy => hidden.mask.draw_numpy(samples, units, dropout, random),
                MaskSource::Counter(seed) => {
                    hidden.mask.draw_counter(
                        (samples, units),
                        dropout,
                        (seed, self.step, layer),
                        (self.isa, &self.threads),
                    );
                }
            }
        }
    }

    /// Lists what each hidden layer's mask keeps.
    fn list_kept(&mut self, samples: usize) {
        let drops = self.config.dropout.is_some_and(|dropout| dropout.keep_prob() < 1.0);
        for (hidden, &units) in self.hidden.iter_mut().zip(&self.config.hidden) {
            if drops {
                hidden.mask.lists(units, &self.threads, &mut hidden.kept);
            } else if (hidden.kept.rows(), hidden.kept.cols()) != (units, samples) {
                hidden.kept = Lists::full(units, samples, block_size(samples));
            }
        }
    }

    /// The probability to keep a hidden unit.
    fn keep_prob(&self) -> f64 {
        self.config.dropout.map_or(1.0, |dropout| dropout.keep_prob())
    }

    /// The factor on kept activations.
    fn scale(&self) -> F {
        F::from_f64(1.0 / self.keep_prob())
    }

    /// Multiply-adds of the step that was just computed.
    fn multiply_adds(&self, samples: usize) -> u64 {
        let inputs = self.config.input_dim;
        let Some(first) = self.hidden.first() else {
            return 2 * (samples * inputs * self.config.num_classes) as u64;
        };
        let computed = if self.engine.product.is_first_dense(self.keep_prob()) {
            samples * self.layers[0].outputs()
        } else {
            first.kept.len()
        };
        // Forward, gradient of the weights, gradient of the input.
        let later = self
            .hidden
            .iter()
            .zip(&self.layers[1..])
            .map(|(below, layer)| 3 * below.active.len() * layer.outputs());
        ((computed + first.active.len()) * inputs + later.sum::<usize>()) as u64
    }

    /// Bytes of parameters and of the update rule's state, each of which a step reads and writes once.
    pub fn parameter_bytes(&self) -> usize {
        self.layers.iter().map(|layer| layer.w.bytes() + layer.b.bytes()).sum()
    }

    /// The L2 term.
    fn penalty(&self) -> f64 {
        if self.config.reg == 0.0 {
            return 0.0;
        }
        let squares =
            |layer: &Layer<F>| layer.w.value.as_slice().iter().map(|w| w.as_f64().powi(2)).sum::<f64>();
        0.5 * self.config.reg * self.layers.iter().map(squares).sum::<f64>()
    }

    /// The body of [`Engine::step`].
    fn train(&mut self, y: &[usize], random: &mut RandomState) -> Result<f64> {
        let samples = y.len();
        let start = Instant::now();
        self.draw_masks(samples, random);
        self.list_kept(samples);
        let drawn = Instant::now();
        let scores = self.forward();
        let forward = Instant::now();
        let (loss, dscores) = softmax_loss(to_array(&scores)?.view(), y)?;
        let loss = loss.as_f64() + self.penalty();
        let flat: Vec<F> = dscores.iter().copied().collect();
        let dscores = PanelBuf::from_rows(samples, dscores.ncols(), &flat);
        let scored = Instant::now();
        self.step += 1;
        self.backward(&dscores)?;
        self.times.masks += drawn - start;
        self.times.forward += forward - drawn;
        self.times.loss += scored - forward;
        self.times.backward += scored.elapsed();
        self.times.multiply_adds += self.multiply_adds(samples);
        self.times.steps += 1;
        Ok(loss)
    }

    /// Brings a batch into the kernels' layout.
    fn gather(&mut self, x: &Features<F>, batch: &[usize]) {
        if (self.x.rows(), self.x.cols()) != (batch.len(), self.config.input_dim) {
            self.x.reset(batch.len(), self.config.input_dim);
        }
        let (isa, threads) = (self.isa, &self.threads);
        let mut rest = self.x.view_mut();
        let mut part = |rows: Range<usize>| (rest.take_first(rows.len()), &batch[rows]);
        let tasks: Vec<_> = threads.split(batch.len()).into_iter().map(&mut part).collect();
        threads.each(tasks, |(rows, chosen)| pack(isa, x, chosen, rows));
    }

    /// Re-seeds the stream if the dropout has a seed, as each dropout layer does, in test mode too.
    fn reseed(&self, random: &mut RandomState) {
        let seed = self.config.dropout.and_then(|dropout| dropout.seed());
        if let (Some(seed), MaskSource::Numpy, false) = (seed, self.engine.masks, self.hidden.is_empty()) {
            random.seed(seed);
        }
    }
}

impl<F: Float> Engine<F> for Thin<F> {
    fn step(
        &mut self,
        x: &Features<F>,
        y: &[usize],
        batch: &[usize],
        random: &mut RandomState,
    ) -> Result<f64> {
        super::check_batch(x, y, batch, self.config.input_dim)?;
        let y: Vec<usize> = batch.iter().map(|&index| y[index]).collect();
        let start = Instant::now();
        self.gather(x, batch);
        self.times.gather += start.elapsed();
        self.train(&y, random)
    }

    fn load(&self, x: &Features<F>) -> Result<Inputs<F>> {
        super::check_width(x.dim(), self.config.input_dim)?;
        if let (Features::Pixels(pixels), [_, _]) = (x, self.layers.as_slice())
            && let Some(bytes) = ByteInputs::new(pixels, x.dim().0)
        {
            return Ok(Inputs::Bytes(bytes));
        }
        let all: Vec<usize> = (0..x.dim().0).collect();
        let mut panels = PanelBuf::zeros(all.len(), self.config.input_dim);
        pack(self.isa, x, &all, panels.view_mut());
        Ok(Inputs::Panels(panels))
    }

    fn scores(&mut self, inputs: &Inputs<F>, random: &mut RandomState) -> Result<Array2<F>> {
        let packed;
        let panels = match inputs {
            Inputs::Panels(panels) => panels,
            Inputs::Rows(rows) => {
                let rows_first: Vec<F> = rows.iter().copied().collect();
                packed = PanelBuf::from_rows(rows.nrows(), rows.ncols(), &rows_first);
                &packed
            }
            Inputs::Bytes(bytes) => {
                packed = bytes.floats(self.isa, &(0..bytes.dim().0).collect::<Vec<_>>());
                &packed
            }
        };
        self.reseed(random);
        super::check_width((panels.rows(), panels.cols()), self.config.input_dim)?;
        let flat = self.panel_scores(panels);
        Array2::from_shape_vec((panels.rows(), self.config.num_classes), flat)
            .map_err(|_| Error::shape("scores", panels.rows(), self.config.num_classes))
    }

    fn classes(&mut self, inputs: &Inputs<F>, random: &mut RandomState) -> Result<Vec<usize>> {
        if let (Inputs::Bytes(bytes), [first, last]) = (inputs, self.layers.as_slice()) {
            super::check_width(bytes.dim(), self.config.input_dim)?;
            if let Some(found) = bytes.classes(self.isa, &self.threads, first, last) {
                self.reseed(random);
                let close: Vec<usize> = (0..found.len()).filter(|&sample| found[sample].is_none()).collect();
                let scores = self.panel_scores(&bytes.floats(self.isa, &close));
                let mut again = scores.chunks_exact(self.config.num_classes).map(highest);
                return Ok(found
                    .into_iter()
                    .map(|class| class.or_else(|| again.next()).unwrap_or(0))
                    .collect());
            }
        }
        let scores = self.scores(inputs, random)?;
        Ok(scores.rows().into_iter().map(|row| highest(&row.to_vec())).collect())
    }

    fn parameters(&self) -> Result<Parameters<F>> {
        Layer::unpack(self.layers.iter().map(|layer| (&layer.w.value, &layer.b.value)))
    }

    fn remember(&mut self) {
        self.remembered =
            self.layers.iter().map(|layer| (layer.w.value.clone(), layer.b.value.clone())).collect();
    }

    fn remembered(&self) -> Result<Parameters<F>> {
        match self.remembered.as_slice() {
            [] => self.parameters(),
            remembered => Layer::unpack(remembered.iter().map(|(w, b)| (w, b))),
        }
    }

    fn set_learning_rate(&mut self, learning_rate: f64) {
        self.rule = self.rule.with_learning_rate(learning_rate);
    }
}

/// Brings chosen samples into the kernels' layout.
fn pack<F: Float>(isa: Isa, x: &Features<F>, chosen: &[usize], mut rows: PanelsMut<'_, F>) {
    match x {
        Features::Pixels(pixels) if pixels.deviation().is_none() => {
            pack_pixels(isa, pixels.bytes(), pixels.mean(), chosen, rows);
        }
        Features::Pixels(pixels) => {
            let mut floats = vec![F::zero(); pixels.mean().len()];
            for (row, &choice) in chosen.iter().enumerate() {
                pixels.write_row(choice, &mut floats);
                rows.pack_row(row, &floats);
            }
        }
        Features::Floats(x) => {
            let standard = x.as_standard_layout();
            if let Some(source) = standard.as_slice() {
                rows.pack_chosen(source, chosen);
            }
        }
    }
}
