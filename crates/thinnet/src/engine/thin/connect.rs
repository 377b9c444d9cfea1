//! Hidden layers with DropConnect: each sample drops other weights, so no unit can be left out, and products take
//! masks instead of lists.

use std::ops::Range;

use thinnet_kernels::{Lists, PanelBuf, Panels, PanelsMut, apply_update, masked_axpy, masked_gradient};

use super::backward::UnitBelow;
use super::batch::BatchInput;
use super::{Hidden, Thin};
use crate::engine::masks::{Draw, LayerDraw};
use crate::engine::threads::split;
use crate::engine::weight_masks::Connect;
use crate::error::Result;
use crate::float::Float;
use crate::layers::DropoutKind;
use crate::random::RandomState;

/// Rows of a panel, 256 KiB, whose gradients are stored before the update.
const BLOCK_ROWS: usize = 1024;

impl<F: Float> Thin<F> {
    /// Whether each sample of a batch drops its own weights of layer `index`.
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

    /// The factor on the kept weights of hidden layer `index`.
    fn weight_scale(&self, index: usize) -> F {
        F::from_f64(self.config.dropout.layer(index).map_or(1.0, |dropout| 1.0 / dropout.keep_prob()))
    }

    /// The sums (N, H) of hidden layer `index`, which [drops weights](Thin::drops_weights), from the batch or the
    /// activations below.
    pub(super) fn masked_sums(&mut self, index: usize) -> PanelBuf<F> {
        let scale = self.weight_scale(index);
        let (isa, threads, layer) = (self.isa, &self.threads, &self.layers[index]);
        let Connect { masks, x: own, .. } = &mut self.connect[index];
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

    /// Updates the weights of hidden layer `index`, which [drops weights](Thin::drops_weights), given the derivative
    /// by its sums (N, H). If there are activations below, they are replaced by the derivatives by their sums.
    ///
    /// Gradients are stored in blocks of rows, each of which stays in the second-level cache until its update.
    pub(super) fn update_masked(&mut self, index: usize, delta: &PanelBuf<F>) -> Result<()> {
        let (isa, adjust, optimiser) = (self.isa, self.adjust_weights(), self.fused_optimiser());
        let delta = scaled(delta, self.weight_scale(index));
        let threads = &self.threads;
        let Connect { masks, x: own, gradient } = &mut self.connect[index];
        let Some(x) = input(index, &self.x, own) else { return Ok(()) };
        let parameter = &mut self.layers[index].w;
        let (inputs, panels) = (parameter.value.rows(), parameter.value.view().panels());
        let eights = |part: Range<usize>| part.start * 8..inputs.min(part.end * 8);
        let blocks = inputs.div_ceil((BLOCK_ROWS / panels.max(1)).max(8)).next_multiple_of(threads.used());
        let ranges: Vec<_> = split(inputs.div_ceil(8), blocks).into_iter().map(eights).collect();
        gradient.reset(inputs, delta.cols());
        let below = index.checked_sub(1).map(|below| &mut self.hidden[below]);
        let mut derivatives = vec![F::zero(); below.as_ref().map_or(0, |below| below.active.len())];
        let chunks = masks.chunks();
        for (number, chunk) in chunks.iter().enumerate() {
            let bits = masks.of(chunk.clone(), isa, threads);
            let (x, delta) = (x.view().slice(chunk.clone()), delta.view().slice(chunk.clone()));
            let sums = |w: Panels<'_, F>, g: PanelsMut<'_, F>, rows: &Range<usize>| {
                let mut d_x =
                    (index > 0).then(|| vec![F::zero(); rows.len().next_multiple_of(4) * chunk.len()]);
                masked_gradient(isa, x, bits, rows.start, delta, w, g, d_x.as_deref_mut());
                d_x.unwrap_or_default()
            };
            let mut rest = gradient.view_mut();
            let d_x = if number + 1 < chunks.len() {
                let w = parameter.value.view();
                let part = |rows: &Range<usize>| (rest.take_first(rows.len()), rows.clone());
                let tasks = ranges.iter().map(part).collect();
                threads.each(tasks, |(g, rows)| sums(w.slice(rows.clone()), g, &rows))
            } else {
                let parts = parameter.parts(optimiser, &ranges)?.into_iter().zip(&ranges);
                let tasks = parts.map(|(part, rows)| (part, rest.take_first(rows.len()), rows)).collect();
                threads.each(tasks, |((w, update), mut g, rows)| {
                    let d_x = sums(w.as_view(), g.reborrow(), rows);
                    apply_update(isa, w, g.as_view(), adjust, update);
                    d_x
                })
            };
            if let Some(below) = &below {
                pick(&below.active, chunk, &ranges, &d_x, &mut derivatives);
            }
        }
        if let Some(below) = below {
            let unit = UnitBelow::new(self.config.activation, 1.0);
            unit.hand_through(&mut derivatives, &below.values, Some(&below.slopes));
            below.values = derivatives;
        }
        Ok(())
    }
}

impl<F: Float> Thin<F> {
    /// The extra multiply-adds of a step in layers above the first that drop weights: those beyond the active inputs.
    pub(super) fn masked_multiply_adds(&self, samples: usize) -> u64 {
        let of = |index: usize| {
            let (inputs, units) = (self.config.layer_shapes()[index].0, self.layers[index].outputs());
            match index.checked_sub(1) {
                None => 0,
                Some(below) => 3 * (samples * inputs - self.hidden[below].active.len()) * units,
            }
        };
        (0..self.hidden.len()).filter(|&index| self.drops_weights(index)).map(|index| of(index) as u64).sum()
    }
}

/// The input of layer `index`: the batch, which [`Thin::gather`] makes dense for such a layer, or the activations
/// below.
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
    let mut view = scaled.view_mut();
    for panel in 0..view.panels() {
        for row in 0..view.rows() {
            view.row_mut(panel, row).iter_mut().for_each(|value| *value *= scale);
        }
    }
    scaled
}

/// Selects the derivatives by inputs that are active in some samples from those by all inputs, which are stored for
/// each range of inputs in the order of [`masked_gradient`].
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
            for (derivative, &sample) in derivatives[lists.row_entries(unit)].iter_mut().zip(lists.row(unit))
            {
                if chunk.contains(&(sample as usize)) {
                    let sample = sample as usize - chunk.start;
                    *derivative = d_x[(at / 4 * chunk.len() + sample) * 4 + at % 4];
                }
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test fails by panic
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::data::{Features, Targets};
    use crate::engine::{Engine, EngineConfig, MaskSource};
    use crate::layers::{Dropout, HiddenDropout};
    use crate::net::{FullyConnectedNet, NetConfig};
    use crate::optim::Clipping;

    /// Masks that are not all in memory at once give the same bits.
    #[test]
    fn batches_of_any_size_fit_into_memory() {
        for (masks, clipping) in [
            (MaskSource::Numpy, None),
            (MaskSource::Counter(4), None),
            (MaskSource::Counter(4), Some(Clipping::Norm(0.1))),
            (MaskSource::Counter(4), Some(Clipping::Value(0.01))),
        ] {
            let dropout = HiddenDropout::Every(Dropout::new(0.6, None).unwrap());
            let (input_dim, hidden) = (20, vec![70, 15]);
            let (dropout_kind, weight_scale) = (DropoutKind::DropConnect, 0.3);
            let more = NetConfig { clipping, l1: 0.01, reg: 0.1, weight_scale, ..NetConfig::default() };
            let config = NetConfig { input_dim, hidden, dropout, dropout_kind, ..more };
            let mut random = RandomState::new(1);
            let net = FullyConnectedNet::<f64>::new(config, &mut random).unwrap();
            let x: Array2<f64> = random.randn((31, 20));
            let y = random.choice(10, 31).unwrap();
            let (x, all) = (Features::from(x), (0..31).collect::<Vec<_>>());
            let run = |most: Option<usize>| {
                let (engine, mut random) =
                    (EngineConfig { masks, ..EngineConfig::course(2) }, random.clone());
                let mut thin = Thin::new(&net, "sgd".parse().unwrap(), engine).unwrap();
                if let Some(most) = most {
                    thin.connect.iter_mut().for_each(|connect| connect.masks.most = most);
                }
                let inputs = thin.load(&x).unwrap();
                let scores = thin.masked_scores(&inputs, 3, &mut random).unwrap();
                thin.step(&x, Targets::Classes(&y), all.as_slice().into(), &mut random).unwrap();
                (scores, thin.parameters().unwrap(), random.state())
            };
            let (scores, parameters, state) = run(None);
            for most in [0, 300, 1000] {
                let (few, moved, after) = run(Some(most));
                assert_eq!((few, after), (scores.clone(), state.clone()), "{masks:?}, {most}");
                for ((name, few), (_, whole)) in moved.named().into_iter().zip(parameters.named()) {
                    assert_eq!(few, whole, "{masks:?}, {most}: {name}");
                }
            }
        }
    }
}
