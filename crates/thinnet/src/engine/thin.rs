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

use std::ops::Range;
use std::time::{Duration, Instant};

use ndarray::Array2;
use thinnet_kernels::{
    Isa, Lists, PanelBuf, PanelsMut, add_row_sums, apply_update, block_size, dense_dot, gather, listed_axpy,
    listed_backward, listed_dot, listed_update, pack_pixels, relu_listed,
};

use super::masks::{Mask, MaskSource};
use super::scores::{ByteInputs, highest};
use super::store::{Layer, to_array};
use super::threads::{Threads, split};
use super::{Engine, EngineConfig, Inputs};
use crate::data::Features;
use crate::error::{Error, Result};
use crate::float::Float;
use crate::layers::softmax_loss;
use crate::net::{FullyConnectedNet, NetConfig, Parameters};
use crate::optim::UpdateRule;
use crate::random::RandomState;

/// Samples whose scores are computed together: a thread's share of the input (768 KiB of 3072 floats) stays in the
/// second-level cache.
const SCORE_BLOCK: usize = 64;

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

    /// The factor on kept activations.
    fn scale(&self) -> F {
        F::from_f64(self.config.dropout.map_or(1.0, |dropout| 1.0 / dropout.keep_prob()))
    }

    /// The first layer's activations.
    fn first_hidden(&mut self) {
        let scale = self.scale();
        let keep = self.config.dropout.map_or(1.0, |dropout| dropout.keep_prob());
        let dense = self.engine.product.is_dense(keep);
        let (isa, layer, x) = (self.isa, &self.layers[0], self.x.view());
        let Hidden { kept, active, values, .. } = &mut self.hidden[0];
        let kept = kept.view();
        let parts = self.threads.each(self.threads.split(layer.outputs()), |units| {
            let kept = kept.slice(units.clone());
            let w = layer.w.value.view().slice(units.clone());
            let mut z = vec![F::zero(); kept.len()];
            if !dense {
                listed_dot(isa, kept, w, x, &mut z);
            } else if keep >= 1.0 {
                dense_dot(isa, w, x, &mut z);
            } else {
                let mut all = vec![F::zero(); units.len() * x.rows()];
                dense_dot(isa, w, x, &mut all);
                for unit in 0..kept.rows() {
                    let all = &all[unit * x.rows()..];
                    for (z, &sample) in z[kept.row_entries(unit)].iter_mut().zip(kept.row(unit)) {
                        *z = all[sample as usize];
                    }
                }
            }
            let (mut active, mut values) = (Lists::new(), Vec::new());
            relu_listed(kept, &z, &layer.bias()[units], scale, &mut active, &mut values);
            (active, values)
        });
        join(parts, active, values);
    }

    /// The outputs (N, H) of layer `index` > 0, from the activations below.
    fn product(&self, index: usize) -> PanelBuf<F> {
        let layer = &self.layers[index];
        let Hidden { active, values, .. } = &self.hidden[index - 1];
        forward_listed(self.isa, &self.threads, layer, active, values)
    }

    /// The activations of hidden layer `index` > 0, from its outputs (N, H).
    fn later_hidden(&mut self, index: usize, z: &PanelBuf<F>) {
        let scale = self.scale();
        let Hidden { kept, active, values, .. } = &mut self.hidden[index];
        let (kept, z) = (kept.view(), z.view());
        let parts = self.threads.each(self.threads.split(kept.rows()), |units| {
            let kept = kept.slice(units.clone());
            let mut entries = Vec::with_capacity(kept.len());
            for unit in 0..kept.rows() {
                let column = units.start + unit;
                let (panel, lane) = (column / F::PANEL, column % F::PANEL);
                entries.extend(kept.row(unit).iter().map(|&sample| z.row(panel, sample as usize)[lane]));
            }
            let (mut active, mut values) = (Lists::new(), Vec::new());
            let bias = vec![F::zero(); units.len()]; // it is in `z` already
            relu_listed(kept, &entries, &bias, scale, &mut active, &mut values);
            (active, values)
        });
        join(parts, active, values);
    }

    /// The class scores (N, C) of a training pass, as a matrix in panels.
    fn forward(&mut self) -> PanelBuf<F> {
        let last = self.layers.len() - 1;
        if last == 0 {
            return dense_scores(self.isa, &self.layers[0], self.x.view());
        }
        self.first_hidden();
        for index in 1..last {
            let z = self.product(index);
            self.later_hidden(index, &z);
        }
        self.product(last)
    }

    /// Updates every parameter, from the derivative of the loss by the scores (N, C).
    fn backward(&mut self, dscores: &PanelBuf<F>) -> Result<()> {
        let (isa, rule, threads) = (self.isa, self.rule, &self.threads);
        let (reg, scale) = (F::from_f64(self.config.reg), self.scale());
        let step = u32::try_from(self.step).unwrap_or(u32::MAX);
        let samples = dscores.rows();
        let last = self.layers.len() - 1;

        let mut bias_gradient = column_sums(dscores);
        let mut delta = dscores.clone();
        for index in (0..=last).rev() {
            let layer = &mut self.layers[index];
            let whole = [0..1; 1];
            for (b, update) in layer.b.parts(&rule, step, &whole)? {
                let gradient = PanelBuf::from_rows(1, bias_gradient.len(), &bias_gradient);
                apply_update(isa, b, gradient.view(), F::zero(), update);
            }
            let ranges = threads.split(layer.w.value.rows());
            let parts = layer.w.parts(&rule, step, &ranges)?.into_iter().zip(ranges.clone());
            if index == 0 {
                let (lists, values);
                let (lists, values) = if let Some(hidden) = self.hidden.first() {
                    (hidden.active.view(), &hidden.values)
                } else {
                    lists = Lists::full(delta.cols(), samples, block_size(samples));
                    values = transposed(&delta);
                    (lists.view(), &values)
                };
                let x = self.x.view();
                threads.each(parts.collect(), |((w, update), rows)| {
                    let values = &values[lists.entries(rows.clone())];
                    listed_update(isa, lists.slice(rows), values, x, w, reg, update);
                });
                continue;
            }
            let Hidden { active, values, .. } = &mut self.hidden[index - 1];
            let mut derivatives = vec![F::zero(); active.len()];
            let mut rest = derivatives.as_mut_slice();
            let lists = active.view();
            let tasks = parts
                .map(|((w, update), rows)| {
                    let (own, others) =
                        std::mem::take(&mut rest).split_at_mut(lists.entries(rows.clone()).len());
                    rest = others;
                    (w, update, rows, own)
                })
                .collect();
            let delta_view = delta.view();
            threads.each(tasks, |(w, update, rows, derivatives)| {
                let values = &values[lists.entries(rows.clone())];
                listed_backward(isa, lists.slice(rows), values, delta_view, w, derivatives, reg, update);
                for derivative in derivatives {
                    *derivative *= scale;
                }
            });
            *values = derivatives;
            bias_gradient = vec![F::zero(); lists.rows()];
            add_row_sums(lists, values, &mut bias_gradient);
            if index > 1 {
                delta.reset(samples, lists.rows());
                delta.view_mut().scatter(lists, 0, values);
            }
        }
        Ok(())
    }

    /// Multiply-adds of the step that was just computed.
    fn multiply_adds(&self, samples: usize) -> u64 {
        let inputs = self.config.input_dim;
        let Some(first) = self.hidden.first() else {
            return 2 * (samples * inputs * self.config.num_classes) as u64;
        };
        let keep = self.config.dropout.map_or(1.0, |dropout| dropout.keep_prob());
        let computed = if self.engine.product.is_dense(keep) {
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

    /// The scores of samples in test mode, row-major (N, C).
    fn panel_scores(&self, panels: &PanelBuf<F>) -> Vec<F> {
        let blocks = split(panels.rows(), panels.rows().div_ceil(SCORE_BLOCK));
        let blocks = self.threads.each(blocks, |rows| self.block_scores(panels.view().slice(rows)));
        blocks.iter().flat_map(|block| block.view().to_rows()).collect()
    }

    /// The scores of a block of samples in test mode.
    fn block_scores(&self, x: thinnet_kernels::Panels<'_, F>) -> PanelBuf<F> {
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
        Features::Pixels(pixels) => pack_pixels(isa, pixels.bytes(), pixels.mean(), chosen, rows),
        Features::Floats(x) => {
            let standard = x.as_standard_layout();
            if let Some(source) = standard.as_slice() {
                rows.pack_chosen(source, chosen);
            }
        }
    }
}

/// Joins what each thread has found of its units.
fn join<F: Float>(parts: Vec<(Lists, Vec<F>)>, active: &mut Lists, values: &mut Vec<F>) {
    let (lists, parts): (Vec<Lists>, Vec<Vec<F>>) = parts.into_iter().unzip();
    active.rebuild_from_parts(&lists);
    values.clear();
    for part in &parts {
        values.extend_from_slice(part);
    }
}

/// `z = b + a W` (N, H) for a layer whose weights have one row an input unit, from the activations by unit.
pub(super) fn forward_listed<F: Float>(
    isa: Isa,
    threads: &Threads,
    layer: &Layer<F>,
    active: &Lists,
    values: &[F],
) -> PanelBuf<F> {
    let (by_sample, from) = active.transpose(block_size(active.rows()));
    let mut a = vec![F::zero(); from.len()];
    gather(values, &from, &mut a);
    let mut z = PanelBuf::zeros(by_sample.rows(), layer.outputs());
    let mut rest = z.view_mut();
    let mut part = |rows: Range<usize>| (rest.take_first(rows.len()), rows);
    let tasks: Vec<_> = threads.split(by_sample.rows()).into_iter().map(&mut part).collect();
    let (lists, w, b) = (by_sample.view(), layer.w.value.view(), layer.b.value.view());
    threads.each(tasks, |(z, rows)| {
        let a = &a[lists.entries(rows.clone())];
        listed_axpy(isa, lists.slice(rows), a, w, Some(b), z);
    });
    z
}

/// `x W + b` (N, H) for a layer whose weights have one row an output unit.
fn dense_scores<F: Float>(isa: Isa, layer: &Layer<F>, x: thinnet_kernels::Panels<'_, F>) -> PanelBuf<F> {
    let (units, samples) = (layer.outputs(), x.rows());
    let mut z = vec![F::zero(); units * samples];
    dense_dot(isa, layer.w.value.view(), x, &mut z);
    let mut out = Vec::with_capacity(z.len());
    for sample in 0..samples {
        out.extend((0..units).map(|unit| z[unit * samples + sample] + layer.bias()[unit]));
    }
    PanelBuf::from_rows(samples, units, &out)
}

/// The sum of each column.
fn column_sums<F: Float>(panels: &PanelBuf<F>) -> Vec<F> {
    let mut sums = vec![F::zero(); panels.cols()];
    for row in panels.view().to_rows().chunks_exact(panels.cols().max(1)) {
        sums.iter_mut().zip(row).for_each(|(sum, &value)| *sum += value);
    }
    sums
}

/// The matrix column by column.
fn transposed<F: Float>(panels: &PanelBuf<F>) -> Vec<F> {
    let (rows, cols) = (panels.rows(), panels.cols());
    let flat = panels.view().to_rows();
    (0..cols)
        .flat_map(|col| (0..rows).map(move |row| (row, col)))
        .map(|(row, col)| flat[row * cols + col])
        .collect()
}
