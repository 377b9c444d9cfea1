//! Gradient clipping. By value: while a gradient is in registers. By norm: in a separate pass, because the norm is
//! that of all gradients, so no parameter can be updated before the last one is known.

use thinnet_kernels::{Adjust, apply_update};

use super::Thin;
use super::sums::sum;
use crate::engine::store::Layer;
use crate::error::Result;
use crate::float::Float;
use crate::optim::{Clipping, max_norm_factor};

impl<F: Float> Thin<F> {
    /// How the backward pass changes the gradient of weights.
    pub(super) fn adjust_weights(&self) -> Adjust<F> {
        let (l2, l1) = (F::from_f64(self.config.reg), F::from_f64(self.config.l1));
        Adjust { l2, l1, ..self.adjust_biases() }
    }

    /// How the backward pass changes the gradient of biases.
    pub(super) fn adjust_biases(&self) -> Adjust<F> {
        let limit = match self.config.clipping {
            Some(Clipping::Value(bound)) if !self.keeps => Some(F::from_f64(bound)),
            _ => None,
        };
        Adjust { limit, ..Adjust::NONE }
    }

    /// Whether the backward pass keeps gradients, for [`Thin::update_kept`], instead of updating with them.
    pub(super) fn keeps_gradients(&self) -> bool {
        self.keeps || matches!(self.config.clipping, Some(Clipping::Norm(_)))
    }

    /// Updates every parameter with the gradient that it keeps, clipped.
    pub(super) fn update_kept(&mut self) -> Result<()> {
        let adjust = match self.config.clipping {
            Some(Clipping::Norm(bound)) => {
                let parameters = self.layers.iter().flat_map(Layer::all);
                let squares = parameters
                    .map(|parameter| sum(parameter.gradient.as_slice(), &self.threads, |g| g * g))
                    .sum();
                let factor = max_norm_factor(squares, bound).map_or(F::one(), F::from_f64);
                Adjust { factor, ..Adjust::NONE }
            }
            Some(Clipping::Value(bound)) => Adjust { limit: Some(F::from_f64(bound)), ..Adjust::NONE },
            None => Adjust::NONE,
        };
        let isa = self.isa;
        for parameter in self.layers.iter_mut().flat_map(Layer::all_mut) {
            let gradient = std::mem::take(&mut parameter.gradient);
            let ranges = self.threads.split(gradient.rows());
            let parts = parameter.parts(Some(self.optimiser), &ranges)?.into_iter().zip(ranges);
            self.threads.each(parts.collect(), |((w, update), rows)| {
                apply_update(isa, w, gradient.view().slice(rows), adjust, update);
            });
            parameter.gradient = gradient; // its memory is reused
        }
        Ok(())
    }
}
