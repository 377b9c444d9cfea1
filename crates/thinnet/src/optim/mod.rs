//! Update rules: how a gradient changes a parameter. One file a rule, each with the course's defaults and its own state.

mod adam;
mod clipping;
mod max_norm;
mod momentum;
mod rmsprop;
mod schedule;
mod sgd;

pub use adam::{Adam, AdamState, adam};
pub use clipping::Clipping;
pub use max_norm::max_norm;
pub(crate) use max_norm::max_norm_factor;
pub use momentum::{SgdMomentum, SgdMomentumState, sgd_momentum};
pub use rmsprop::{RmsProp, RmsPropState, rmsprop};
pub use schedule::{MomentumRamp, Schedule, ScheduleKind};
pub use sgd::{Sgd, sgd};

use std::str::FromStr;

use ndarray::{ArrayD, ArrayViewD, ArrayViewMutD};

use crate::error::{Error, Result};
use crate::float::Float;

/// An update rule with its settings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum UpdateRule {
    /// Stochastic gradient descent.
    Sgd(Sgd),
    /// Stochastic gradient descent with momentum.
    SgdMomentum(SgdMomentum),
    /// `RMSProp`.
    RmsProp(RmsProp),
    /// Adam.
    Adam(Adam),
}

impl UpdateRule {
    /// The rules' names, as the course spells them.
    pub const NAMES: [&'static str; 4] = ["sgd", "sgd_momentum", "rmsprop", "adam"];

    /// The rule's name, as the course spells it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Sgd(_) => "sgd",
            Self::SgdMomentum(_) => "sgd_momentum",
            Self::RmsProp(_) => "rmsprop",
            Self::Adam(_) => "adam",
        }
    }

    /// The learning rate.
    pub fn learning_rate(&self) -> f64 {
        match self {
            Self::Sgd(rule) => rule.learning_rate,
            Self::SgdMomentum(rule) => rule.learning_rate,
            Self::RmsProp(rule) => rule.learning_rate,
            Self::Adam(rule) => rule.learning_rate,
        }
    }

    /// The same rule with another learning rate.
    #[must_use]
    pub fn with_learning_rate(mut self, learning_rate: f64) -> Self {
        match &mut self {
            Self::Sgd(rule) => rule.learning_rate = learning_rate,
            Self::SgdMomentum(rule) => rule.learning_rate = learning_rate,
            Self::RmsProp(rule) => rule.learning_rate = learning_rate,
            Self::Adam(rule) => rule.learning_rate = learning_rate,
        }
        self
    }

    /// The same rule with another momentum.
    ///
    /// # Errors
    /// [`Error::Configuration`] for a momentum that is not at least 0 and below 1, or another rule than SGD with momentum:
    /// what Adam has in its place, `beta1`, goes into the correction of all its steps so far.
    pub fn with_momentum(self, momentum: f64) -> Result<Self> {
        let Self::SgdMomentum(rule) = self else {
            return Err(Error::configuration(format!(
                "only the rule sgd_momentum has a momentum to set, and the rule is {}",
                self.name()
            )));
        };
        let rule = Self::SgdMomentum(SgdMomentum { momentum, ..rule });
        rule.check()?;
        Ok(rule)
    }

    /// Refuses settings out of range: a learning rate that is negative or not finite, a decay outside 0..1 (1 excluded),
    /// an epsilon that is not positive.
    pub fn check(&self) -> Result<()> {
        let rate = self.learning_rate();
        if !(rate >= 0.0 && rate.is_finite()) {
            return Err(Error::configuration(format!(
                "the learning rate must be finite and not negative, got {rate}"
            )));
        }
        let (decays, epsilon) = match self {
            Self::Sgd(_) => (vec![], 1.0),
            Self::SgdMomentum(rule) => (vec![("momentum", rule.momentum)], 1.0),
            Self::RmsProp(rule) => (vec![("decay_rate", rule.decay_rate)], rule.epsilon),
            Self::Adam(rule) => (vec![("beta1", rule.beta1), ("beta2", rule.beta2)], rule.epsilon),
        };
        for (what, value) in decays {
            if !(0.0..1.0).contains(&value) {
                return Err(Error::configuration(format!(
                    "{what} must be at least 0 and below 1, got {value}"
                )));
            }
        }
        if !(epsilon > 0.0 && epsilon.is_finite()) {
            return Err(Error::configuration(format!("epsilon must be finite and above 0, got {epsilon}")));
        }
        Ok(())
    }
}

impl FromStr for UpdateRule {
    type Err = Error;

    /// The rule of that name, with the course's defaults.
    fn from_str(name: &str) -> Result<Self> {
        match name {
            "sgd" => Ok(Self::Sgd(Sgd::default())),
            "sgd_momentum" => Ok(Self::SgdMomentum(SgdMomentum::default())),
            "rmsprop" => Ok(Self::RmsProp(RmsProp::default())),
            "adam" => Ok(Self::Adam(Adam::default())),
            _ => Err(Error::configuration(format!(
                "there is no update rule {name:?}; the rules are {}",
                Self::NAMES.join(", ")
            ))),
        }
    }
}

/// What a rule remembers of one parameter, in the parameter's shape.
#[derive(Debug, Clone, PartialEq)]
pub enum RuleState<F> {
    /// Plain SGD remembers nothing.
    Sgd,
    /// The velocity.
    SgdMomentum(SgdMomentumState<F>),
    /// The moving average of squared gradients.
    RmsProp(RmsPropState<F>),
    /// Both moments and the step count.
    Adam(AdamState<F>),
}

impl UpdateRule {
    /// The state of a parameter that has not been updated yet.
    pub fn state<F: Float>(&self, shape: &[usize]) -> RuleState<F> {
        let zeros = || ArrayD::zeros(shape);
        match self {
            Self::Sgd(_) => RuleState::Sgd,
            Self::SgdMomentum(_) => RuleState::SgdMomentum(SgdMomentumState { velocity: zeros() }),
            Self::RmsProp(_) => RuleState::RmsProp(RmsPropState { cache: zeros() }),
            Self::Adam(_) => RuleState::Adam(AdamState { m: zeros(), v: zeros(), t: 0 }),
        }
    }

    /// Refuses a state that is another rule's, or that of a parameter of another shape than `shape`.
    pub(crate) fn check_state<F: Float>(
        &self,
        name: &str,
        shape: &[usize],
        state: &RuleState<F>,
    ) -> Result<()> {
        let shapes = match (self, state) {
            (Self::Sgd(_), RuleState::Sgd) => vec![],
            (Self::SgdMomentum(_), RuleState::SgdMomentum(state)) => {
                vec![("velocity", state.velocity.shape())]
            }
            (Self::RmsProp(_), RuleState::RmsProp(state)) => vec![("cache", state.cache.shape())],
            (Self::Adam(_), RuleState::Adam(state)) => vec![("m", state.m.shape()), ("v", state.v.shape())],
            _ => return Err(self.foreign_state()),
        };
        check_shapes(name, shape, &shapes)
    }

    fn foreign_state(&self) -> Error {
        Error::configuration(format!("the state does not belong to the rule {}", self.name()))
    }

    /// Changes the parameter `w` by its gradient `dw` (same shape), with this rule and its state.
    ///
    /// # Errors
    /// [`Error::Shape`] if the shapes differ; [`Error::Configuration`] if the state is another rule's.
    pub fn update<F: Float>(
        &self,
        w: ArrayViewMutD<'_, F>,
        dw: &ArrayViewD<'_, F>,
        state: &mut RuleState<F>,
    ) -> Result<()> {
        match (self, state) {
            (Self::Sgd(rule), RuleState::Sgd) => sgd(w, dw, rule),
            (Self::SgdMomentum(rule), RuleState::SgdMomentum(state)) => sgd_momentum(w, dw, rule, state),
            (Self::RmsProp(rule), RuleState::RmsProp(state)) => rmsprop(w, dw, rule, state),
            (Self::Adam(rule), RuleState::Adam(state)) => adam(w, dw, rule, state),
            _ => Err(self.foreign_state()),
        }
    }
}

/// Checks that arrays have the parameter's shape.
fn check_shapes(rule: &str, w: &[usize], others: &[(&str, &[usize])]) -> Result<()> {
    match others.iter().find(|(_, shape)| *shape != w) {
        Some((what, shape)) => Err(Error::shape(format!("{what} of {rule}"), w, shape)),
        None => Ok(()),
    }
}
