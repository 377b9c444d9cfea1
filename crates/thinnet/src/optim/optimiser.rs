//! All optimisers as one type, and the state of a parameter.

use std::str::FromStr;

use ndarray::{ArrayD, ArrayViewD, ArrayViewMutD};
use serde::{Deserialize, Serialize};
use thinnet_kernels::{PanelsMut, Update};

use super::adam::Adam;
use super::adamw::AdamW;
use super::method::{Method, Setting};
use super::momentum::SgdMomentum;
use super::rmsprop::RmsProp;
use super::sgd::Sgd;
use crate::error::{Error, Result};
use crate::float::Float;
use crate::names::names;
use crate::range::Range;

/// Defines [`Optimiser`] and [`OptimiserKind`] from a list of names and settings, and the macro `each`, which matches
/// on the former.
macro_rules! optimisers {
    ($($(#[$doc:meta])* $name:literal => $kind:ident,)+) => {
        /// An optimiser with its settings: how a gradient changes a parameter.
        #[derive(Debug, Clone, Copy, PartialEq)]
        pub enum Optimiser {
            $($(#[$doc])* $kind($kind),)+
        }

        /// The kind of optimiser, by its name in a file of settings.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(try_from = "String")]
        pub enum OptimiserKind {
            $($(#[$doc])* #[serde(rename = $name)] $kind,)+
        }

        impl OptimiserKind {
            /// The names of the arrays that it keeps for each parameter.
            pub fn slots(self) -> &'static [&'static str] {
                match self { $(Self::$kind => $kind::SLOT_NAMES),+ }
            }
        }

        names!(OptimiserKind, "optimiser", "optimisers", $($kind = $name),+);

        impl From<OptimiserKind> for Optimiser {
            /// With the course's defaults.
            fn from(kind: OptimiserKind) -> Self {
                match kind { $(OptimiserKind::$kind => Self::$kind($kind::default())),+ }
            }
        }

        impl Optimiser {
            /// The optimisers' names, spelled as in the course.
            pub const NAMES: [&'static str; OptimiserKind::NAMES.len()] = OptimiserKind::NAMES;

            /// The kind of optimiser.
            pub fn kind(&self) -> OptimiserKind {
                match self { $(Self::$kind(_) => OptimiserKind::$kind),+ }
            }
        }

        /// The same expression of the settings, for any optimiser.
        macro_rules! each {
            ($optimiser:expr, $own:ident => $body:expr) => {
                match $optimiser { $(Optimiser::$kind($own) => $body),+ }
            };
        }
    };
}

optimisers! {
    /// Stochastic gradient descent.
    "sgd" => Sgd,
    /// Stochastic gradient descent with momentum.
    "sgd_momentum" => SgdMomentum,
    /// `RMSProp`.
    "rmsprop" => RmsProp,
    /// Adam.
    "adam" => Adam,
    /// Adam with decoupled weight decay.
    "adamw" => AdamW,
}

impl TryFrom<String> for OptimiserKind {
    type Error = Error;

    fn try_from(name: String) -> Result<Self> {
        name.parse()
    }
}

impl FromStr for Optimiser {
    type Err = Error;

    /// The optimiser with this name and the course's defaults.
    fn from_str(name: &str) -> Result<Self> {
        name.parse::<OptimiserKind>().map(Self::from)
    }
}

impl Optimiser {
    /// The name, spelled as in the course.
    pub fn name(&self) -> &'static str {
        self.kind().name()
    }

    /// The learning rate.
    pub fn learning_rate(&self) -> f64 {
        each!(self, own => own.learning_rate)
    }

    /// The same optimiser with another learning rate.
    #[must_use]
    pub fn with_learning_rate(mut self, learning_rate: f64) -> Self {
        each!(&mut self, own => own.learning_rate = learning_rate);
        self
    }

    /// The same optimiser with another momentum.
    ///
    /// # Errors
    /// [`Error::Configuration`] for a momentum that is not at least 0 and below 1, or for an optimiser other than SGD
    /// with momentum: in Adam the corresponding `beta1` also determines the correction for all steps so far.
    pub fn with_momentum(self, momentum: f64) -> Result<Self> {
        let Self::SgdMomentum(own) = self else {
            return Err(Error::configuration(format!(
                "only the optimiser sgd_momentum has a momentum to set, but the optimiser is {}",
                self.name()
            )));
        };
        let optimiser = Self::SgdMomentum(SgdMomentum { momentum, ..own });
        optimiser.check()?;
        Ok(optimiser)
    }

    /// The same optimiser without weight decay, if it has any: for parameters that are not weights.
    #[must_use]
    pub fn without_weight_decay(mut self) -> Self {
        self.settings()
            .into_iter()
            .filter(|(name, _)| *name == "weight_decay")
            .for_each(|(_, decay)| decay.set(0.0));
        self
    }

    /// The settings by name, without the learning rate.
    pub(crate) fn settings(&mut self) -> Vec<(&'static str, Setting<'_>)> {
        each!(self, own => own.settings())
    }

    /// Sets the setting called `name`, like its field. The value may be out of range, which [`Optimiser::check`]
    /// reports; for a flag, 0 means off.
    ///
    /// # Errors
    /// [`Error::Configuration`] for a setting that this optimiser does not have.
    pub fn set(&mut self, name: &str, value: f64) -> Result<()> {
        let optimiser = self.name();
        let found = self.settings().into_iter().find(|(own, _)| *own == name);
        let (_, setting) = found.ok_or_else(|| {
            Error::configuration(format!("the optimiser {optimiser} has no setting {name}"))
        })?;
        setting.set(value);
        Ok(())
    }

    /// Refuses settings out of range: a learning rate or weight decay that is negative or not finite, a decay rate or
    /// momentum outside 0..1 (1 excluded), an epsilon that is not positive.
    ///
    /// # Errors
    /// [`Error::Configuration`], which names the setting, its range and the value.
    pub fn check(mut self) -> Result<()> {
        Range::NotNegative.check("the learning rate", self.learning_rate())?;
        self.settings().into_iter().try_for_each(|(name, setting)| match setting {
            Setting::Number(value, range) => range.check(name, *value),
            Setting::Flag(_) => Ok(()),
        })
    }

    /// The state of a parameter that has not been updated yet.
    pub fn state<F: Float>(&self, shape: &[usize]) -> OptimiserState<F> {
        let kind = self.kind();
        OptimiserState { kind, slots: kind.slots().iter().map(|_| ArrayD::zeros(shape)).collect(), steps: 0 }
    }

    /// Updates the parameter `w` with its gradient `dw` (same shape) and its state.
    ///
    /// # Errors
    /// [`Error::Shape`] if the shapes differ; [`Error::Configuration`] if the state is another optimiser's. Then
    /// nothing is changed.
    pub fn update<F: Float>(
        &self,
        w: ArrayViewMutD<'_, F>,
        dw: &ArrayViewD<'_, F>,
        state: &mut OptimiserState<F>,
    ) -> Result<()> {
        check_shape("dw", self.name(), w.shape(), dw.shape())?;
        self.check_state(self.name(), w.shape(), state)?;
        let (slots, step) = (state.slots.as_mut_slice(), state.steps + 1);
        each!(self, own => own.update(w, dw, slots.try_into().map_err(|_| self.foreign_state())?, step));
        state.steps = step;
        Ok(())
    }

    /// Refuses a state that is another optimiser's, or that does not match `shape`, the shape of the parameter
    /// `name`.
    pub(crate) fn check_state<F: Float>(
        &self,
        name: &str,
        shape: &[usize],
        state: &OptimiserState<F>,
    ) -> Result<()> {
        let slots = self.kind().slots();
        if state.kind != self.kind() || state.slots.len() != slots.len() {
            return Err(self.foreign_state());
        }
        slots
            .iter()
            .zip(&state.slots)
            .try_for_each(|(slot, array)| check_shape(slot, name, shape, array.shape()))
    }

    /// Update `step` (from 1) for the kernels, on rows of the slots.
    ///
    /// # Errors
    /// [`Error::Configuration`] if the number of slots is wrong for this optimiser.
    pub(crate) fn kernel<'a, F: Float>(
        &self,
        slots: Vec<PanelsMut<'a, F>>,
        step: u64,
    ) -> Result<Update<'a, F>> {
        let step = u32::try_from(step).unwrap_or(u32::MAX);
        each!(self, own => Ok(own.kernel(slots.try_into().map_err(|_| self.foreign_state())?, step)))
    }

    fn foreign_state(&self) -> Error {
        Error::configuration(format!("the state does not belong to the optimiser {}", self.name()))
    }
}

/// An optimiser's state for one parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct OptimiserState<F> {
    /// The optimiser it belongs to.
    pub kind: OptimiserKind,
    /// Arrays in the parameter's shape, in the order of [`OptimiserKind::slots`].
    pub slots: Vec<ArrayD<F>>,
    /// The number of updates so far.
    pub steps: u64,
}

/// Refuses an array `what` of `whose` if it does not have the parameter's shape.
fn check_shape(what: &str, whose: &str, expected: &[usize], got: &[usize]) -> Result<()> {
    if expected == got { Ok(()) } else { Err(Error::shape(format!("{what} of {whose}"), expected, got)) }
}
