//! The backward pass, with the updates.

use thinnet_kernels::{
    Lists, PanelBuf, add_row_sums, apply_update, block_size, listed_backward, listed_update,
};

use super::inputs::BatchInput;
use super::{Hidden, Thin};
use crate::error::Result;
use crate::float::Float;
use crate::layers::Activation;

impl<F: Float> Thin<F> {
    /// Updates every parameter, from the derivative of the loss by the scores (N, C).
    pub(super) fn backward(&mut self, dscores: &PanelBuf<F>) -> Result<()> {
        let (isa, threads) = (self.isa, &self.threads);
        let optimiser = (!self.keeps_gradients()).then_some(self.optimiser);
        let (adjust, adjust_biases, activation) =
            (self.adjust_weights(), self.adjust_biases(), self.config.activation);
        let samples = dscores.rows();
        let last = self.layers.len() - 1;

        let mut bias_gradient = column_sums(dscores);
        let mut delta = dscores.clone();
        for index in (0..=last).rev() {
            let layer = &mut self.layers[index];
            let whole = [0..1; 1];
            for (b, update) in layer.b.parts(optimiser, &whole)? {
                let gradient = PanelBuf::from_rows(1, bias_gradient.len(), &bias_gradient);
                apply_update(isa, b, gradient.view(), adjust_biases, update);
            }
            let ranges = threads.split(layer.w.value.rows());
            let parts = layer.w.parts(optimiser, &ranges)?.into_iter().zip(ranges.clone());
            if index == 0 {
                let x = match &self.x {
                    BatchInput::Dense(x) => x.view(),
                    BatchInput::Sparse(x) => {
                        threads.each(parts.collect(), |((w, update), inputs)| {
                            let (lists, values) = x.by_input(inputs);
                            listed_update(isa, lists.view(), &values, delta.view(), w, adjust, update);
                        });
                        continue;
                    }
                };
                let (lists, values);
                let (lists, values) = if let Some(hidden) = self.hidden.first() {
                    (hidden.active.view(), &hidden.values)
                } else {
                    lists = Lists::full(delta.cols(), samples, block_size(samples));
                    values = transposed(&delta);
                    (lists.view(), &values)
                };
                threads.each(parts.collect(), |((w, update), rows)| {
                    let values = &values[lists.entries(rows.clone())];
                    listed_update(isa, lists.slice(rows), values, x, w, adjust, update);
                });
                continue;
            }
            let (keep, noisy) = (self.config.computed_share(index - 1), self.config.is_noisy(index - 1));
            let (scale, keep) = (F::from_f64(1.0 / keep), F::from_f64(keep));
            let Hidden { active, values, slopes, .. } = &mut self.hidden[index - 1];
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
                let entries = lists.entries(rows.clone());
                let values = &values[entries.clone()];
                listed_backward(isa, lists.slice(rows), values, delta_view, w, derivatives, adjust, update);
                if noisy {
                    let slopes = slopes[entries].iter();
                    derivatives.iter_mut().zip(slopes).for_each(|(derivative, &slope)| *derivative *= slope);
                    return;
                }
                // A dense engine lists zeros too: a unit that was dropped or is not positive hands nothing down.
                let relu = activation == Activation::Relu;
                for (derivative, &value) in derivatives.iter_mut().zip(values) {
                    *derivative = match relu {
                        true if value > F::zero() => *derivative * scale,
                        true => F::zero(),
                        false => *derivative * scale * activation.derivative(value * keep),
                    };
                }
            });
            *values = derivatives;
            bias_gradient = vec![F::zero(); lists.rows()];
            add_row_sums(lists, values, &mut bias_gradient);
            if index > 1 || matches!(self.x, BatchInput::Sparse(_)) {
                delta.reset(samples, lists.rows());
                delta.view_mut().scatter(lists, 0, values);
            }
        }
        self.update_clipped()
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
