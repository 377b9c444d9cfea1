//! The readable engine: a step is the network's loss, then the update rule on each parameter.

use ndarray::Array2;

use super::store::to_array;
use super::{Engine, Inputs, Isa};
use crate::data::Features;
use crate::error::Result;
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
    remembered: Option<Parameters<F>>,
}

impl<F: Float> Layers<F> {
    /// An engine for `net`, which it trains with `rule`.
    ///
    /// # Errors
    /// [`Error::Configuration`](crate::Error::Configuration) if the rule's settings are out of range.
    pub fn new(net: FullyConnectedNet<F>, rule: UpdateRule) -> Result<Self> {
        rule.check()?;
        let states = net.parameters.named().iter().map(|(_, array)| rule.state(array.shape())).collect();
        Ok(Self { net, rule, states, remembered: None })
    }
}

impl<F: Float> Engine<F> for Layers<F> {
    fn step(
        &mut self,
        x: &Features<F>,
        y: &[usize],
        batch: &[usize],
        random: &mut RandomState,
    ) -> Result<f64> {
        super::check_batch(x, y, batch, self.net.config().input_dim)?;
        let x = x.select(batch)?;
        let y: Vec<usize> = batch.iter().map(|&index| y[index]).collect();
        let (loss, gradients) = self.net.loss(x.view(), &y, random)?;
        let parameters = self.net.parameters.named_mut().into_iter();
        for (((_, w), (_, dw)), state) in parameters.zip(gradients.named()).zip(&mut self.states) {
            self.rule.update(w, &dw, state)?;
        }
        Ok(loss.as_f64())
    }

    fn load(&self, x: &Features<F>) -> Result<Inputs<F>> {
        super::check_width(x.dim(), self.net.config().input_dim)?;
        Ok(Inputs::Rows(x.to_floats()))
    }

    fn scores(&mut self, inputs: &Inputs<F>, random: &mut RandomState) -> Result<Array2<F>> {
        match inputs {
            Inputs::Rows(rows) => self.net.scores(rows.view(), random),
            Inputs::Panels(panels) => self.net.scores(to_array(panels)?.view(), random),
            Inputs::Bytes(bytes) => {
                let all: Vec<usize> = (0..bytes.dim().0).collect();
                self.net.scores(to_array(&bytes.floats(Isa::detect(), &all))?.view(), random)
            }
        }
    }

    fn parameters(&self) -> Result<Parameters<F>> {
        Ok(self.net.parameters.clone())
    }

    fn remember(&mut self) {
        self.remembered = Some(self.net.parameters.clone());
    }

    fn remembered(&self) -> Result<Parameters<F>> {
        Ok(self.remembered.as_ref().unwrap_or(&self.net.parameters).clone())
    }

    fn set_learning_rate(&mut self, learning_rate: f64) {
        self.rule = self.rule.with_learning_rate(learning_rate);
    }
}
