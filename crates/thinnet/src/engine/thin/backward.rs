//! The backward pass and the updates.

use std::ops::Range;

use thinnet_kernels::{
    Adjust, Isa, PanelBuf, Samples, add_row_sums, apply_update, dense_gradient, listed_backward,
    listed_update,
};

use super::batch::BatchInput;
use super::normalise::column_sums;
use super::{Hidden, Thin};
use crate::engine::store::Parameter;
use crate::engine::threads::split;
use crate::error::Result;
use crate::float::Float;
use crate::layers::{Activation, Normalisation};
use crate::optim::Optimiser;

/// Rows whose dense gradients are computed together before their updates: they stay in the second-level cache.
const GRADIENT_ROWS: usize = 64;

impl<F: Float> Thin<F> {
    /// Updates every parameter, given the derivative of the loss by the scores (N, C), or keeps its gradient if
    /// [`Thin::keeps_gradients`].
    pub(super) fn backward(&mut self, dscores: PanelBuf<F>) -> Result<()> {
        let mut delta = dscores;
        let mut bias_gradient = column_sums(&delta);
        for index in (1..self.layers.len()).rev() {
            self.update_biases(index, &bias_gradient)?;
            let mut below = std::mem::take(&mut self.hidden[index - 1].delta);
            if self.is_dense(index - 1) {
                let dense = &mut self.hidden[index - 1].dense;
                dense.hand_down(self.isa, &self.threads, &self.layers[index], &delta, &mut below);
                self.update_dense(index, &delta)?;
                self.normalise_back(index - 1, &mut below)?;
                bias_gradient = match self.config.normalisation {
                    Normalisation::Batch => PanelBuf::zeros(1, below.cols()), // it cancels a bias
                    Normalisation::Layer | Normalisation::None => column_sums(&below),
                };
            } else {
                self.update_later(index, &delta)?;
                let Hidden { active, values, .. } = &self.hidden[index - 1];
                bias_gradient = PanelBuf::zeros(1, active.rows());
                let mut sums = vec![F::zero(); active.rows()];
                add_row_sums(active.view(), values, &mut sums);
                bias_gradient.view_mut().pack(&sums);
                if index > 1 || matches!(self.x, BatchInput::Sparse(_)) || self.drops_weights(0) {
                    below.reset(delta.rows(), active.rows());
                    below.view_mut().scatter(active.view(), 0, values);
                }
            }
            let above = std::mem::replace(&mut delta, below);
            if let Some(hidden) = self.hidden.get_mut(index) {
                hidden.delta = above; // its memory is reused
            }
        }
        self.update_biases(0, &bias_gradient)?;
        self.update_first(&delta)?;
        if let Some(hidden) = self.hidden.first_mut() {
            hidden.delta = delta;
        }
        Ok(())
    }

    /// The optimiser that the backward pass updates with; `None` if it keeps gradients instead.
    pub(super) fn fused_optimiser(&self) -> Option<Optimiser> {
        (!self.keeps_gradients()).then_some(self.optimiser)
    }

    /// Updates the biases of layer `index` with their gradient (1, H).
    fn update_biases(&mut self, index: usize, gradient: &PanelBuf<F>) -> Result<()> {
        let (isa, adjust, optimiser) = (self.isa, self.adjust_biases(), self.fused_optimiser());
        update_vector(isa, &mut self.layers[index].b, gradient, adjust, optimiser)
    }

    /// Backpropagates the derivatives (N, H) through the normalisation of hidden layer `index`, if it has one, and
    /// updates its scale and shift.
    fn normalise_back(&mut self, index: usize, delta: &mut PanelBuf<F>) -> Result<()> {
        let (isa, adjust, optimiser) = (self.isa, self.adjust_biases(), self.fused_optimiser());
        let Some(gamma_beta) = &mut self.layers[index].gamma_beta else { return Ok(()) };
        let normalised = &mut self.hidden[index].normalised;
        let gradients = normalised.backward(self.config.normalisation, &gamma_beta[0].value, delta);
        for (parameter, gradient) in gamma_beta.iter_mut().zip(gradients) {
            update_vector(isa, parameter, &gradient, adjust, optimiser)?;
        }
        Ok(())
    }

    /// Updates the weights of the first layer, given the derivative by its sums: `delta` (N, H), or the first hidden
    /// layer's values if it lists what it keeps of a dense input.
    fn update_first(&mut self, delta: &PanelBuf<F>) -> Result<()> {
        if self.drops_weights(0) {
            return self.update_masked(0, delta);
        }
        let (isa, adjust, listed) = (self.isa, self.adjust_weights(), self.lists_first());
        if !listed && matches!(self.x, BatchInput::Dense(_)) {
            return self.update_dense(0, delta);
        }
        let (optimiser, w) = (self.fused_optimiser(), &mut self.layers[0].w);
        let ranges = self.threads.split(w.value.rows());
        let parts = w.parts(optimiser, &ranges)?.into_iter().zip(ranges).collect();
        match (&self.x, self.hidden.first()) {
            (BatchInput::Dense(x), Some(Hidden { active, values, .. })) => {
                self.threads.each(parts, |((w, update), units)| {
                    let values = &values[active.view().entries(units.clone())];
                    listed_update(isa, active.view().slice(units), values, x.view(), w, adjust, update);
                });
            }
            (BatchInput::Sparse(x), _) => {
                self.threads.each(parts, |((w, update), inputs)| {
                    let (lists, values) = x.by_input(inputs);
                    listed_update(isa, lists.view(), &values, delta.view(), w, adjust, update);
                });
            }
            (BatchInput::Dense(_), None) => {} // a dense input is handled above
        }
        Ok(())
    }

    /// Updates the weights of layer `index`, which has a full input, given the derivative by its sums (N, H).
    fn update_dense(&mut self, index: usize, delta: &PanelBuf<F>) -> Result<()> {
        let (isa, adjust) = (self.isa, self.adjust_weights());
        let (optimiser, w) = (self.fused_optimiser(), &mut self.layers[index].w);
        let x = match (index.checked_sub(1), &self.x) {
            (Some(below), _) => self.hidden[below].dense.h.view(),
            (None, BatchInput::Dense(x)) => x.view(),
            (None, BatchInput::Sparse(_)) => return Ok(()), // this case does not occur
        };
        let rows = w.value.rows();
        let ranges = split(rows, rows.div_ceil(GRADIENT_ROWS).max(self.threads.used()));
        let parts = w.parts(optimiser, &ranges)?.into_iter().zip(ranges).collect();
        self.threads.each(parts, |((w, update), inputs)| {
            let mut gradient = PanelBuf::zeros(w.rows(), w.cols());
            dense_gradient(isa, Samples::Panels(x), inputs, delta.view(), gradient.view_mut());
            apply_update(isa, w, gradient.view(), adjust, update);
        });
        Ok(())
    }

    /// Updates the weights of layer `index` > 0, given the derivative by its sums (N, H), and replaces the
    /// activations below by the derivatives by their sums.
    fn update_later(&mut self, index: usize, delta: &PanelBuf<F>) -> Result<()> {
        if self.drops_weights(index) {
            return self.update_masked(index, delta);
        }
        let (isa, adjust) = (self.isa, self.adjust_weights());
        let (optimiser, w) = (self.fused_optimiser(), &mut self.layers[index].w);
        let unit = UnitBelow::new(self.config.activation, self.config.computed_share(index - 1));
        let Hidden { active, values, slopes, .. } = &mut self.hidden[index - 1];
        let lists = active.view();
        let mut derivatives = vec![F::zero(); lists.len()];
        let mut rest = derivatives.as_mut_slice();
        let mut own =
            |rows: &Range<usize>| rest.split_off_mut(..lists.entries(rows.clone()).len()).unwrap_or_default();
        let ranges = self.threads.split(w.value.rows());
        let parts = w.parts(optimiser, &ranges)?.into_iter().zip(ranges);
        let tasks = parts.map(|(part, rows)| (part, own(&rows), rows)).collect();
        self.threads.each(tasks, |((w, update), derivatives, rows)| {
            let entries = lists.entries(rows.clone());
            let values = &values[entries.clone()];
            listed_backward(isa, lists.slice(rows), values, delta.view(), w, derivatives, adjust, update);
            unit.hand_through(derivatives, values, slopes.get(entries));
        });
        *values = derivatives;
        Ok(())
    }
}

/// Updates a vector with its gradient (1, H).
fn update_vector<F: Float>(
    isa: Isa,
    vector: &mut Parameter<F>,
    gradient: &PanelBuf<F>,
    adjust: Adjust<F>,
    optimiser: Option<Optimiser>,
) -> Result<()> {
    let whole = [0..1; 1];
    for (own, update) in vector.parts(optimiser, &whole)? {
        apply_update(isa, own, gradient.view(), adjust, update);
    }
    Ok(())
}

/// A unit of the layer below: converts the derivative by its activation to the derivative by its sum.
#[derive(Clone, Copy)]
pub(super) struct UnitBelow<F> {
    activation: Activation,
    keep: F,
    /// Inverted dropout's factor.
    scale: F,
}

impl<F: Float> UnitBelow<F> {
    pub(super) fn new(activation: Activation, keep: f64) -> Self {
        Self { activation, keep: F::from_f64(keep), scale: F::from_f64(1.0 / keep) }
    }

    /// The same for entries with these activations, and slopes if the activations do not show them. A dense engine
    /// lists zeros too: a unit that was dropped or is not positive passes no gradient down.
    pub(super) fn hand_through(self, derivatives: &mut [F], values: &[F], slopes: Option<&[F]>) {
        if let Some(slopes) = slopes.filter(|slopes| slopes.len() == values.len()) {
            return derivatives.iter_mut().zip(slopes).for_each(|(d, &slope)| *d *= slope);
        }
        let relu = self.activation == Activation::Relu;
        for (derivative, &value) in derivatives.iter_mut().zip(values) {
            *derivative = match relu {
                true if value > F::zero() => *derivative * self.scale,
                true => F::zero(),
                false => *derivative * self.scale * self.activation.at_value(value * self.keep),
            };
        }
    }
}
