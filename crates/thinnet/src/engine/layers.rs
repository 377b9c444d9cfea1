//! The readable engine: a step is the network's loss, then the update rule on each parameter.

use ndarray::{Array2, ArrayView2, Axis};

use super::Engine;
use crate::error::{Error, Result};
use crate::float::Float;
use crate::net::{FullyConnectedNet, Parameters};
use crate::optim::{RuleState, UpdateRule};
use crate::random::RandomState;

/// Steps computed with the functions of [`layers`](crate::layers) and [`optim`](crate::optim).
#[derive(Debug, Clone)]
pub struct Layers<F> {
    net: FullyConnectedNet<F>,
    rule: UpdateRule,
    states: Vec<RuleState<F>>,
}

impl<F: Float> Layers<F> {
    /// An engine for `net`, which it trains with `rule`.
    ///
    /// # Errors
    /// [`Error::Configuration`] if the rule's settings are out of range.
    pub fn new(net: FullyConnectedNet<F>, rule: UpdateRule) -> Result<Self> {
        rule.check()?;
        let states = net.parameters.named().iter().map(|(_, array)| rule.state(array.shape())).collect();
        Ok(Self { net, rule, states })
    }
}

impl<F: Float> Engine<F> for Layers<F> {
    fn step(
        &mut self,
        x: ArrayView2<'_, F>,
        y: &[usize],
        batch: &[usize],
        random: &mut RandomState,
    ) -> Result<f64> {
        let (x, y) = gather(x, y, batch)?;
        let (loss, gradients) = self.net.loss(x.view(), &y, random)?;
        let parameters = self.net.parameters.named_mut().into_iter();
        for (((_, w), (_, dw)), state) in parameters.zip(gradients.named()).zip(&mut self.states) {
            self.rule.update(w, &dw, state)?;
        }
        Ok(loss.as_f64())
    }

    fn scores(&mut self, x: ArrayView2<'_, F>, random: &mut RandomState) -> Result<Array2<F>> {
        self.net.scores(x, random)
    }

    fn parameters(&self) -> Parameters<F> {
        self.net.parameters.clone()
    }

    fn set_learning_rate(&mut self, learning_rate: f64) {
        self.rule = self.rule.with_learning_rate(learning_rate);
    }
}

/// The samples of a batch.
fn gather<F: Float>(x: ArrayView2<'_, F>, y: &[usize], batch: &[usize]) -> Result<(Array2<F>, Vec<usize>)> {
    if y.len() != x.nrows() {
        return Err(Error::shape("y of step", [x.nrows()], [y.len()]));
    }
    if let Some(index) = batch.iter().find(|&&index| index >= y.len()) {
        return Err(Error::shape("batch of step", format!("indices below {}", y.len()), index));
    }
    Ok((x.select(Axis(0), batch), batch.iter().map(|&index| y[index]).collect()))
}
