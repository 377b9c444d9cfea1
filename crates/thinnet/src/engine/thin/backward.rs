//! The backward pass, with the updates.

use std::ops::Range;

use thinnet_kernels::{
    Lists, PanelBuf, add_row_sums, apply_update, block_size, listed_backward, listed_update,
};

use super::batch::BatchInput;
use super::{Hidden, Thin};
use crate::error::Result;
use crate::float::Float;
use crate::layers::Activation;
use crate::optim::Optimiser;

impl<F: Float> Thin<F> {
    /// Updates every parameter, from the derivative of the loss by the scores (N, C).
    pub(super) fn backward(&mut self, dscores: &PanelBuf<F>) -> Result<()> {
        let mut delta = dscores.clone();
        let mut bias_gradient = column_sums(dscores);
        for index in (1..self.layers.len()).rev() {
            self.update_biases(index, &bias_gradient)?;
            self.update_later(index, &delta)?;
            let Hidden { active, values, .. } = &self.hidden[index - 1];
            bias_gradient = vec![F::zero(); active.rows()];
            add_row_sums(active.view(), values, &mut bias_gradient);
            if index > 1 || matches!(self.x, BatchInput::Sparse(_)) || self.drops_weights(0) {
                delta.reset(dscores.rows(), active.rows());
                delta.view_mut().scatter(active.view(), 0, values);
            }
        }
        self.update_biases(0, &bias_gradient)?;
        self.update_first(&delta)?;
        self.update_clipped()
    }

    /// The optimiser that the backward pass updates with; none where it keeps gradients instead.
    pub(super) fn fused_optimiser(&self) -> Option<Optimiser> {
        (!self.keeps_gradients()).then_some(self.optimiser)
    }

    /// Updates the biases of layer `index` with their gradient (H).
    fn update_biases(&mut self, index: usize, gradient: &[F]) -> Result<()> {
        let (isa, adjust) = (self.isa, self.adjust_biases());
        let (optimiser, whole) = (self.fused_optimiser(), [0..1; 1]);
        let gradient = PanelBuf::from_rows(1, gradient.len(), gradient);
        for (b, update) in self.layers[index].b.parts(optimiser, &whole)? {
            apply_update(isa, b, gradient.view(), adjust, update);
        }
        Ok(())
    }

    /// Updates the weights of the first layer, from the derivative by its sums: `delta` (N, H) where there is no hidden layer
    /// or the input is sparse, else the first hidden layer's values.
    fn update_first(&mut self, delta: &PanelBuf<F>) -> Result<()> {
        if self.drops_weights(0) {
            return self.update_masked(0, delta);
        }
        let (isa, adjust) = (self.isa, self.adjust_weights());
        let (optimiser, w) = (self.fused_optimiser(), &mut self.layers[0].w);
        let ranges = self.threads.split(w.value.rows());
        let parts = w.parts(optimiser, &ranges)?.into_iter().zip(ranges).collect();
        match &self.x {
            BatchInput::Sparse(x) => self.threads.each(parts, |((w, update), inputs)| {
                let (lists, values) = x.by_input(inputs);
                listed_update(isa, lists.view(), &values, delta.view(), w, adjust, update);
            }),
            BatchInput::Dense(x) => {
                let all;
                let (lists, values) = if let Some(hidden) = self.hidden.first() {
                    (hidden.active.view(), &hidden.values)
                } else {
                    let (samples, units) = (delta.rows(), delta.cols());
                    all = (Lists::full(units, samples, block_size(samples)), transposed(delta));
                    (all.0.view(), &all.1)
                };
                self.threads.each(parts, |((w, update), units)| {
                    let values = &values[lists.entries(units.clone())];
                    listed_update(isa, lists.slice(units), values, x.view(), w, adjust, update);
                })
            }
        };
        Ok(())
    }

    /// Updates the weights of layer `index` > 0, from the derivative by its sums (N, H); in place of the activations below
    /// stand then the derivatives by the sums behind them.
    fn update_later(&mut self, index: usize, delta: &PanelBuf<F>) -> Result<()> {
        if self.drops_weights(index) {
            return self.update_masked(index, delta);
        }
        let (isa, adjust) = (self.isa, self.adjust_weights());
        let (optimiser, w) = (self.fused_optimiser(), &mut self.layers[index].w);
        let (noisy, keep) = (self.config.is_noisy(index - 1), self.config.computed_share(index - 1));
        let unit = UnitBelow::new(self.config.activation, keep);
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
            if noisy {
                derivatives.iter_mut().zip(&slopes[entries]).for_each(|(d, &slope)| *d *= slope);
            } else {
                unit.hand_through(derivatives, values);
            }
        });
        *values = derivatives;
        Ok(())
    }
}

/// A unit of the layer below, without noise: from the derivative by its activation to that by the sum behind it.
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

    /// Of entries with these activations. A dense engine lists zeros too: a unit that was dropped or is not positive hands
    /// nothing down.
    pub(super) fn hand_through(self, derivatives: &mut [F], values: &[F]) {
        let relu = self.activation == Activation::Relu;
        for (derivative, &value) in derivatives.iter_mut().zip(values) {
            *derivative = match relu {
                true if value > F::zero() => *derivative * self.scale,
                true => F::zero(),
                false => *derivative * self.scale * self.activation.derivative(value * self.keep),
            };
        }
    }
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
