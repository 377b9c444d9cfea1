//! Hidden layers with DropConnect: a weight is dropped, for each sample others, so that nothing is left out, and products take
//! masks in the place of lists.

use std::ops::Range;

use thinnet_kernels::{Adjust, Lists, PanelBuf, apply_update, masked_axpy, masked_backward};

use super::backward::UnitBelow;
use super::batch::BatchInput;
use super::{Hidden, Thin};
use crate::engine::masks::{Draw, LayerDraw};
use crate::engine::weight_masks::WeightMasks;
use crate::error::Result;
use crate::float::Float;
use crate::layers::DropoutKind;
use crate::random::RandomState;

/// What a step keeps of a layer with DropConnect.
#[derive(Debug, Default)]
pub(super) struct Connect<F> {
    masks: WeightMasks,
    /// What a layer after the first takes (N, D).
    x: PanelBuf<F>,
}

impl<F: Float> Thin<F> {
    /// Whether the samples of a batch drop weights of layer `index`, each its own.
    pub(super) fn drops_weights(&self, index: usize) -> bool {
        let keep_prob = self.config.dropout.layer(index).map_or(1.0, |dropout| dropout.keep_prob());
        self.config.dropout_kind == DropoutKind::DropConnect && index < self.hidden.len() && keep_prob < 1.0
    }

    /// Draws the masks of a batch, first layer to last.
    pub(super) fn draw_weight_masks(&mut self, samples: usize, draw: Draw, random: &mut RandomState) {
        let inputs = std::iter::once(self.config.input_dim).chain(self.config.hidden.iter().copied());
        let layers = self.connect.iter_mut().zip(&self.config.hidden).zip(inputs);
        for (layer, ((connect, &units), inputs)) in layers.enumerate() {
            let Some(dropout) = self.config.dropout.layer(layer) else { continue };
            let of = LayerDraw { samples, units, dropout, layer, draw };
            connect.masks.draw(of, inputs, self.engine.masks, random, (self.isa, &self.threads));
        }
    }

    /// The factor on the weights that are kept of hidden layer `index`.
    fn weight_scale(&self, index: usize) -> F {
        F::from_f64(self.config.dropout.layer(index).map_or(1.0, |dropout| 1.0 / dropout.keep_prob()))
    }

    /// The sums (N, H) of hidden layer `index`, which [drops weights](Thin::drops_weights), from the batch or the activations
    /// below.
    pub(super) fn masked_sums(&mut self, index: usize) -> PanelBuf<F> {
        let scale = self.weight_scale(index);
        let (isa, threads, layer) = (self.isa, &self.threads, &self.layers[index]);
        let Connect { masks, x: own } = &mut self.connect[index];
        if let Some(below) = index.checked_sub(1) {
            let Hidden { active, values, .. } = &self.hidden[below];
            own.reset(active.cols(), active.rows());
            own.view_mut().scatter(active.view(), 0, values);
        }
        let Some(x) = input(index, &self.x, own) else { return PanelBuf::zeros(0, layer.outputs()) };
        let mut z = PanelBuf::zeros(x.rows(), layer.outputs());
        let mut rest = z.view_mut();
        let (w, b, x) = (layer.w.value.view(), layer.b.value.view(), x.view());
        for chunk in masks.chunks() {
            let bits = masks.of(chunk.clone(), isa, threads);
            let part = |rows: Range<usize>| (rest.take_first(rows.len()), rows);
            let tasks = threads.split(chunk.len()).into_iter().map(part).collect();
            threads.each(tasks, |(z, rows)| {
                let x = x.slice(chunk.start + rows.start..chunk.start + rows.end);
                masked_axpy(isa, x, bits, rows.start, w, scale, b, z);
            });
        }
        z
    }

    /// Updates the weights of hidden layer `index`, which [drops weights](Thin::drops_weights), from the derivative by its sums
    /// (N, H); in place of the activations below, if there are any, stand then the derivatives by the sums behind them.
    pub(super) fn update_masked(&mut self, index: usize, delta: &PanelBuf<F>) -> Result<()> {
        let (isa, adjust, optimiser) = (self.isa, self.adjust_weights(), self.fused_optimiser());
        let delta = scaled(delta, self.weight_scale(index));
        let threads = &self.threads;
        let Connect { masks, x: own } = &mut self.connect[index];
        let Some(x) = input(index, &self.x, own) else { return Ok(()) };
        let w = &mut self.layers[index].w;
        let inputs = w.value.rows();
        let eights = |part: Range<usize>| part.start * 8..inputs.min(part.end * 8);
        let ranges: Vec<_> = threads.split(inputs.div_ceil(8)).into_iter().map(eights).collect();
        let below = index.checked_sub(1).map(|below| &mut self.hidden[below]);
        let mut derivatives = vec![F::zero(); below.as_ref().map_or(0, |below| below.active.len())];
        let chunks = masks.chunks();
        let mut sum: Option<PanelBuf<F>> = None;
        for chunk in &chunks {
            let bits = masks.of(chunk.clone(), isa, threads);
            let (x, delta) = (x.view().slice(chunk.clone()), delta.view().slice(chunk.clone()));
            // The gradient of a few of the samples waits for the others'.
            let whole = chunks.len() == 1;
            let (adjust, optimiser) = if whole { (adjust, optimiser) } else { (Adjust::NONE, None) };
            let parts = w.parts(optimiser, &ranges)?.into_iter().zip(ranges.clone()).collect();
            let d_x = threads.each(parts, |((w, update), rows)| {
                let mut d_x = (index > 0).then(|| vec![F::zero(); rows.len().next_multiple_of(4) * chunk.len()]);
                masked_backward(isa, x, bits, rows.start, delta, w, d_x.as_deref_mut(), adjust, update);
                d_x.unwrap_or_default()
            });
            if let Some(below) = &below {
                pick(&below.active, chunk, &ranges, &d_x, &mut derivatives);
            }
            if !whole {
                match &mut sum {
                    None => sum = Some(w.gradient.clone()),
                    Some(sum) => add(sum, &w.gradient),
                }
            }
        }
        if let Some(sum) = sum {
            let parts = w.parts(optimiser, &ranges)?.into_iter().zip(ranges).collect();
            threads.each(parts, |((w, update), rows)| {
                apply_update(isa, w, sum.view().slice(rows), adjust, update);
            });
        }
        if let Some(below) = below {
            UnitBelow::new(self.config.activation, 1.0).hand_through(&mut derivatives, &below.values);
            below.values = derivatives;
        }
        Ok(())
    }
}

impl<F: Float> Thin<F> {
    /// Multiply-adds that a step computes of layers which drop weights, beyond those of what is active in the others.
    pub(super) fn masked_multiply_adds(&self, samples: usize) -> u64 {
        let of = |index: usize| {
            let (inputs, units) = (self.config.layer_shapes()[index].0, self.layers[index].outputs());
            match index.checked_sub(1) {
                None => (samples * units - self.hidden[0].active.len()) * inputs,
                Some(below) => 3 * (samples * inputs - self.hidden[below].active.len()) * units,
            }
        };
        (0..self.hidden.len()).filter(|&index| self.drops_weights(index)).map(|index| of(index) as u64).sum()
    }
}

/// What layer `index` takes: the batch, which [`Thin::gather`] makes dense for such a layer, or the activations below.
fn input<'a, F>(index: usize, batch: &'a BatchInput<F>, own: &'a PanelBuf<F>) -> Option<&'a PanelBuf<F>> {
    match batch {
        _ if index > 0 => Some(own),
        BatchInput::Dense(x) => Some(x),
        BatchInput::Sparse(_) => None,
    }
}

/// Every number times `scale`.
fn scaled<F: Float>(panels: &PanelBuf<F>, scale: F) -> PanelBuf<F> {
    let mut scaled = panels.clone();
    each_row(&mut scaled, |row, _, _| row.iter_mut().for_each(|value| *value *= scale));
    scaled
}

/// Adds a matrix of the same shape.
fn add<F: Float>(sum: &mut PanelBuf<F>, other: &PanelBuf<F>) {
    let other = other.view();
    each_row(sum, |row, panel, at| {
        row.iter_mut().zip(other.row(panel, at)).for_each(|(sum, &value)| *sum += value);
    });
}

/// Gives every panel's rows, with the numbers of panel and row.
fn each_row<F: Float>(panels: &mut PanelBuf<F>, mut take: impl FnMut(&mut [F], usize, usize)) {
    let mut view = panels.view_mut();
    for panel in 0..view.panels() {
        for row in 0..view.rows() {
            take(view.row_mut(panel, row), panel, row);
        }
    }
}

/// The derivatives by the inputs that are active in some of the samples, out of those by all, which lie for each range of inputs
/// as [`masked_backward`] gives them.
fn pick<F: Float>(
    active: &Lists,
    chunk: &Range<usize>,
    ranges: &[Range<usize>],
    d_x: &[Vec<F>],
    derivatives: &mut [F],
) {
    let lists = active.view();
    for (range, d_x) in ranges.iter().zip(d_x) {
        for (at, unit) in range.clone().enumerate() {
            for (derivative, &sample) in derivatives[lists.row_entries(unit)].iter_mut().zip(lists.row(unit)) {
                if chunk.contains(&(sample as usize)) {
                    let sample = sample as usize - chunk.start;
                    *derivative = d_x[(at / 4 * chunk.len() + sample) * 4 + at % 4];
                }
            }
        }
    }
}
