//! The loss of a network after one parameter is changed, at the cost of only what that parameter changes.
//!
//! Changing an entry of layer l changes one column of that layer's output. So the next layer's affine output changes
//! by the product of that column's change and one row of its weights, and only the layers after that one are computed
//! whole. With layer normalisation every column depends on the changed one: then layer l is computed whole, too.

use ndarray::{Array, Array1, Array2, Array3, ArrayView, ArrayView1, ArrayView2, Axis, Dimension, Zip};

use crate::data::Targets;
use crate::error::Result;
use crate::float::Float;
use crate::layers::{
    Activation, BatchNorm, HiddenCache, Mode, Normalisation, NormalisationLayer, Objective,
    RunningStatistics, add_product, normalisation_forward,
};
use crate::net::{FullyConnectedNet, LayerParameters, Noise};
use crate::random::RandomState;

/// Which array of a layer a parameter belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Weight,
    Bias,
    Gamma,
    Beta,
}

/// One parameter: the layer, the array, its row (weights only) and column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Coordinate {
    pub layer: usize,
    pub kind: Kind,
    pub row: usize,
    pub column: usize,
}

/// A training pass with everything that a changed parameter needs: inputs, pre-activations and masks of every layer.
pub(super) struct Trace<'a, 't, F> {
    layers: &'a [LayerParameters<F>],
    targets: Targets<'t, F>,
    objective: Objective,
    activation: Activation,
    normalisation: Normalisation,
    /// Input of each layer (N, D).
    inputs: Vec<Array2<F>>,
    /// Output of each affine part (N, H).
    affine: Vec<Array2<F>>,
    /// Input of each activation (N, H).
    pre: Vec<Array2<F>>,
    /// Dropout's factors on each hidden layer's output (N, H), if it has any.
    masks: Vec<Option<Array2<F>>>,
    /// Which weights each sample keeps (N, D, H), if weights are dropped, and the factor on them.
    weight_masks: Vec<Option<WeightsKept<F>>>,
    reg: F,
    l1: F,
    penalty: F,
}

/// A layer's dropped weights.
struct WeightsKept<F> {
    kept: Array3<bool>,
    scale: F,
}

impl<F: Float> WeightsKept<F> {
    /// The masks of some weights, 0 or the scale.
    fn mask<D: Dimension>(&self, kept: ArrayView<'_, bool, D>) -> Array<F, D> {
        kept.mapv(|kept| if kept { self.scale } else { F::zero() })
    }
}

/// A loss, and the inputs of all activations that the changed parameter affects.
pub(super) struct Probe<F> {
    pub loss: F,
    pre: Vec<(usize, Reach<F>)>,
}

/// Part of a layer's pre-activations.
enum Reach<F> {
    Column(usize, Array1<F>),
    All(Array2<F>),
}

impl<'a, 't, F: Float> Trace<'a, 't, F> {
    /// Runs the network once in training mode on `x` (N, D) and its targets, with masks drawn from `random`.
    pub(super) fn new(
        net: &'a FullyConnectedNet<F>,
        x: ArrayView2<'_, F>,
        targets: Targets<'t, F>,
        random: &mut RandomState,
    ) -> Result<Self> {
        let layers = &net.parameters.layers;
        let (_, cache) = net.clone().forward_with(x, Mode::Train, &mut Noise::numpy(Mode::Train, random))?;
        let mut trace = Self {
            layers,
            targets,
            objective: net.config().objective(),
            activation: net.config().activation,
            normalisation: net.config().normalisation,
            inputs: vec![cache.input],
            affine: Vec::new(),
            pre: Vec::new(),
            masks: Vec::new(),
            weight_masks: Vec::new(),
            reg: F::from_f64(net.config().reg),
            l1: F::from_f64(net.config().l1),
            penalty: F::zero(),
        };
        trace.penalty = net.parameters.penalty(trace.reg, trace.l1);
        for (index, layer) in layers.iter().enumerate() {
            let masks = cache.hidden.get(index).and_then(HiddenCache::weight_masks);
            trace.weight_masks.push(masks.map(|masks| {
                let (inputs, outputs) = layer.w.dim();
                let (mut kept, mut scale) =
                    (Array3::from_elem((x.nrows(), inputs, outputs), false), F::zero());
                masks.each(|sample, mask| {
                    Zip::from(kept.index_axis_mut(Axis(0), sample)).and(mask).for_each(|kept, &mask| {
                        *kept = mask != F::zero();
                        scale = scale.max(mask);
                    });
                });
                WeightsKept { kept, scale }
            }));
            let affine = trace.product(index, &trace.inputs[index]);
            trace.affine.push(affine);
            if let Some(hidden) = cache.hidden.get(index) {
                let pre = match hidden.relu_input() {
                    Some(pre) => pre.clone(),
                    None => trace.normalise(index, trace.affine[index].clone(), None)?,
                };
                let mask = hidden.mask().cloned();
                trace.inputs.push(trace.activate(pre.view(), mask.as_ref()));
                trace.pre.push(pre);
                trace.masks.push(mask);
            }
        }
        Ok(trace)
    }

    /// The loss with the parameter at `at` changed by `h`.
    pub(super) fn probe(&self, at: Coordinate, h: F) -> Result<Probe<F>> {
        let mut probe = Probe { loss: F::zero(), pre: Vec::new() };
        let scores = self.scores(at, h, &mut probe.pre)?;
        let penalty = match at.kind {
            // 0.5 reg ((w + h)^2 - w^2) = reg h (w + h / 2)
            Kind::Weight => {
                let w = self.layers[at.layer].w[(at.row, at.column)];
                let sizes = self.l1 * ((w + h).abs() - w.abs());
                self.penalty + self.reg * h * (w + F::from_f64(0.5) * h) + sizes
            }
            _ => self.penalty,
        };
        probe.loss = self.objective.evaluate(scores.view(), self.targets, None)?.0 + penalty;
        Ok(probe)
    }

    /// The class scores with that parameter changed.
    fn scores(&self, at: Coordinate, h: F, pre: &mut Vec<(usize, Reach<F>)>) -> Result<Array2<F>> {
        let Coordinate { layer, column, .. } = at;
        let last = self.layers.len() - 1;
        let affine = self.affine_column(at, h);
        if layer == last {
            let mut scores = self.affine[last].clone();
            scores.column_mut(column).assign(&affine);
            return Ok(scores);
        }
        // The first layer that is computed whole, and its affine output.
        let (first, mut affine) = if self.normalisation == Normalisation::Layer {
            let mut whole = self.affine[layer].clone();
            whole.column_mut(column).assign(&affine);
            (layer, whole)
        } else {
            let moved = self.normalise_column(at, h, affine)?;
            let next = self.after_column(layer, column, &moved);
            pre.push((layer, Reach::Column(column, moved)));
            (layer + 1, next)
        };
        for index in first..last {
            let normalised = self.normalise(index, affine, Some((at, h)))?;
            let input = self.activate(normalised.view(), self.masks[index].as_ref());
            pre.push((index, Reach::All(normalised)));
            affine = self.product(index + 1, &input);
        }
        Ok(affine)
    }

    /// The affine output (N, H) of the layer after `layer`, if one column (N) of the pre-activations of `layer` is
    /// `moved`.
    fn after_column(&self, layer: usize, column: usize, moved: &Array1<F>) -> Array2<F> {
        let mut change = moved.mapv(|z| self.activation.value(z));
        if let Some(mask) = &self.masks[layer] {
            change *= &mask.column(column);
        }
        let next = layer + 1;
        change -= &self.inputs[next].column(column);
        let mut affine = self.affine[next].clone();
        let row = self.layers[next].w.row(column);
        for (sample, (mut out, &change)) in affine.rows_mut().into_iter().zip(&change).enumerate() {
            if change == F::zero() {
                continue;
            }
            match &self.weight_masks[next] {
                None => out.scaled_add(change, &row),
                Some(weights) => {
                    let kept = weights.kept.index_axis(Axis(0), sample);
                    out.scaled_add(change, &(weights.mask(kept.row(column)) * row));
                }
            }
        }
        affine
    }

    /// The affine output (N, H) of a layer for this input.
    fn product(&self, index: usize, input: &Array2<F>) -> Array2<F> {
        let LayerParameters { w, b, .. } = &self.layers[index];
        let Some(weights) = &self.weight_masks[index] else {
            return input.dot(w) + b;
        };
        let mut out = Array2::from_shape_fn((input.nrows(), b.len()), |(_, unit)| b[unit]);
        for (sample, out) in out.rows_mut().into_iter().enumerate() {
            let mask = weights.mask(weights.kept.index_axis(Axis(0), sample));
            add_product(input.row(sample), w.view(), mask.view(), out);
        }
        out
    }

    /// The column of the affine output that the changed parameter belongs to (N).
    fn affine_column(&self, at: Coordinate, h: F) -> Array1<F> {
        let mut column = self.affine[at.layer].column(at.column).to_owned();
        match at.kind {
            Kind::Weight => {
                let input = self.inputs[at.layer].column(at.row);
                match &self.weight_masks[at.layer] {
                    None => column.scaled_add(h, &input),
                    Some(weights) => {
                        let kept = weights.kept.index_axis(Axis(1), at.row);
                        column.scaled_add(h, &(weights.mask(kept.column(at.column)) * input));
                    }
                }
            }
            Kind::Bias => column += h,
            Kind::Gamma | Kind::Beta => {}
        }
        column
    }

    /// Batch normalisation, if there is any, of that column; gamma or beta is changed if it is the parameter.
    fn normalise_column(&self, at: Coordinate, h: F, affine: Array1<F>) -> Result<Array1<F>> {
        let Some((gamma, beta)) = self.gamma_beta(at.layer, Some((at, h))) else {
            return Ok(affine);
        };
        let [gamma, beta] = [gamma, beta].map(|all| all.select(Axis(0), &[at.column]));
        let x = affine.view().insert_axis(Axis(1));
        let out = normalise(self.normalisation, x, gamma.view(), beta.view())?;
        Ok(out.column(0).to_owned())
    }

    /// The same for the normalisation of a whole layer.
    fn normalise(
        &self,
        layer: usize,
        affine: Array2<F>,
        moved: Option<(Coordinate, F)>,
    ) -> Result<Array2<F>> {
        match self.gamma_beta(layer, moved) {
            Some((gamma, beta)) => normalise(self.normalisation, affine.view(), gamma.view(), beta.view()),
            None => Ok(affine),
        }
    }

    /// A layer's gamma and beta (H each), if it has any, after a change of one of them.
    fn gamma_beta(&self, layer: usize, moved: Option<(Coordinate, F)>) -> Option<(Array1<F>, Array1<F>)> {
        let (mut gamma, mut beta) = self.layers[layer].gamma_beta.clone()?;
        if let Some((at, h)) = moved.filter(|(at, _)| at.layer == layer) {
            match at.kind {
                Kind::Gamma => gamma[at.column] += h,
                Kind::Beta => beta[at.column] += h,
                Kind::Weight | Kind::Bias => {}
            }
        }
        Some((gamma, beta))
    }

    /// Activation and mask.
    fn activate(&self, pre: ArrayView2<'_, F>, mask: Option<&Array2<F>>) -> Array2<F> {
        let out = pre.mapv(|z| self.activation.value(z));
        match mask {
            Some(mask) => out * mask,
            None => out,
        }
    }

    /// Whether the L1 term has its corner, at a weight of 0, within `h` of the parameter at `at`, but not exactly in
    /// the middle: there a central difference gives the slope of 0 that the gradient has.
    pub(super) fn is_near_corner(&self, at: Coordinate, h: F) -> bool {
        let near = |w: F| w != F::zero() && w.abs() < h;
        at.kind == Kind::Weight && self.l1 > F::zero() && near(self.layers[at.layer].w[(at.row, at.column)])
    }

    /// Whether an activation of two pieces has its input, in a kept unit, on one side of 0 in `plus` and on the other in
    /// `minus`.
    pub(super) fn crosses(&self, plus: &Probe<F>, minus: &Probe<F>) -> bool {
        if !self.activation.is_piecewise() {
            return false;
        }
        let differ = |p: F, m: F| (p > F::zero()) != (m > F::zero());
        plus.pre.iter().zip(&minus.pre).any(|((layer, plus), (_, minus))| {
            let mask = self.masks[*layer].as_ref();
            match (plus, minus) {
                (Reach::Column(column, plus), Reach::Column(_, minus)) => {
                    let kept = |sample: usize| mask.is_none_or(|mask| mask[(sample, *column)] != F::zero());
                    plus.iter().zip(minus).enumerate().any(|(sample, (&p, &m))| differ(p, m) && kept(sample))
                }
                (Reach::All(plus), Reach::All(minus)) => match mask {
                    Some(mask) => Zip::from(plus)
                        .and(minus)
                        .and(mask)
                        .any(|&p, &m, &kept| differ(p, m) && kept != F::zero()),
                    None => Zip::from(plus).and(minus).any(|&p, &m| differ(p, m)),
                },
                _ => false,
            }
        })
    }
}

/// Normalisation in training mode, without storing statistics.
fn normalise<F: Float>(
    kind: Normalisation,
    x: ArrayView2<'_, F>,
    gamma: ArrayView1<'_, F>,
    beta: ArrayView1<'_, F>,
) -> Result<Array2<F>> {
    let mut running = RunningStatistics::zeros(x.ncols());
    let running = (kind == Normalisation::Batch).then_some(&mut running);
    match NormalisationLayer::new(kind, Some((gamma, beta)), running, BatchNorm::default())? {
        Some(layer) => Ok(normalisation_forward(x, layer, Mode::Train)?.0),
        None => Ok(x.to_owned()),
    }
}
