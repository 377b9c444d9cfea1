//! The architecture and initialisation of a network.

use smart_default::SmartDefault;

use super::Initialisation;
use crate::error::{Error, Result, ensure, same_shape};
use crate::layers::{
    Activation, Dropout, DropoutKind, HiddenDropout, Loss, Normalisation, Objective, RunningStatistics,
};
use crate::optim::Clipping;

/// The architecture and initialisation of a [`FullyConnectedNet`](super::FullyConnectedNet), with the course's defaults.
///
/// ```
/// use thinnet::layers::{Dropout, Normalisation};
/// use thinnet::net::NetConfig;
/// # fn main() -> thinnet::Result<()> {
/// let config = NetConfig {
///     input_dim: 28 * 28,
///     hidden: vec![500, 300],
///     dropout: Some(Dropout::new(0.5, None)?).into(),
///     normalisation: Normalisation::Layer,
///     ..NetConfig::default()
/// };
/// config.check()?;
/// assert_eq!(config.layer_shapes(), [(784, 500), (500, 300), (300, 10)]);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, SmartDefault)]
pub struct NetConfig {
    /// Number of inputs D (default 3 * 32 * 32).
    #[default(3 * 32 * 32)]
    pub input_dim: usize,
    /// Sizes of the hidden layers.
    #[default(vec![100])]
    pub hidden: Vec<usize>,
    /// Number of outputs C: one per class, or [`Objective::scores_per_target`] per target (default 10).
    #[default(10)]
    pub num_outputs: usize,
    /// The activation of each hidden layer (default ReLU).
    pub activation: Activation,
    /// The loss, which compares the scores with the targets (default softmax).
    pub loss: Loss,
    /// Share of each label that the softmax loss spreads evenly over all classes, at least 0 and below 1 (Szegedy et al.
    /// 2016, section 7; default 0): see [`Objective::label_smoothing`].
    pub label_smoothing: f64,
    /// The residual from which the Huber loss is linear (default 1): see [`Objective::huber_delta`].
    #[default(1.0)]
    pub huber_delta: f64,
    /// The quantiles of the quantile loss (default only the median): see [`Objective::quantiles`].
    #[default(vec![0.5])]
    pub quantiles: Vec<f64>,
    /// The power of the variance in the gradient of the Gaussian loss (default 0): see [`Objective::beta_nll`].
    pub beta_nll: f64,
    /// Whether the value of a loss takes clipped probabilities (default no): see [`Objective::clip_probabilities`].
    pub clip_probabilities: bool,
    /// The dropout of each hidden layer. `None` leaves the layer out. A keep probability of 1 keeps every unit, but
    /// its mask is still drawn (default `None`).
    pub dropout: HiddenDropout,
    /// The kind of dropout in hidden layers: of units, as noise on them, or of their incoming weights (default
    /// Bernoulli, of units).
    pub dropout_kind: DropoutKind,
    /// Dropout of the inputs, before the first layer; always Bernoulli, whatever the hidden layers' kind (default
    /// `None`).
    pub input_dropout: Option<Dropout>,
    /// Bound on the L2 norm of each unit's incoming weights, applied after every update (Srivastava et al. 2014,
    /// section 5.1; default `None`).
    pub max_norm: Option<f64>,
    /// Bound on the gradients of all parameters, applied before every update (default `None`).
    pub clipping: Option<Clipping>,
    /// The normalisation of each hidden layer's sums, before its activation (default `None`).
    pub normalisation: Normalisation,
    /// Strength of the L2 term `0.5 * reg * sum(W^2)` over all weights (default 0).
    pub reg: f64,
    /// Strength of the L1 term `l1 * sum(|W|)` over all weights, whose gradient is `l1 * sign(W)` with `sign(0) = 0`
    /// (default 0).
    pub l1: f64,
    /// The distribution of the initial weights (default normal, as in the course).
    pub initialisation: Initialisation,
    /// Standard deviation of the initial weights, if they are normal (default 1e-2); the other initialisations have
    /// their own.
    #[default(1e-2)]
    pub weight_scale: f64,
}

impl NetConfig {
    /// Refuses sizes of 0; a `reg`, `l1` or `weight_scale` that is negative or not finite; a `max_norm` or a bound of
    /// `clipping` that is not above 0; settings of the loss that [`Objective::check`] refuses, or a number of outputs
    /// that does not suit them; and a number of dropouts that is not the number of hidden layers.
    pub fn check(&self) -> Result<()> {
        for (what, size) in [("input dimension", self.input_dim), ("number of outputs", self.num_outputs)]
            .into_iter()
            .chain(self.hidden.iter().map(|&size| ("size of a hidden layer", size)))
        {
            ensure!(size > 0, Error::configuration(format!("the {what} must be at least 1, got 0")));
        }
        for (what, value) in [("reg", self.reg), ("l1", self.l1), ("weight_scale", self.weight_scale)] {
            if !(value >= 0.0 && value.is_finite()) {
                return Err(Error::configuration(format!(
                    "{what} must be finite and not negative, got {value}"
                )));
            }
        }
        if let Some(bound) = self.max_norm
            && (bound.is_nan() || bound <= 0.0)
        {
            return Err(Error::configuration(format!("max_norm must be above 0, got {bound}")));
        }
        if let Some(clipping) = self.clipping {
            clipping.check()?;
        }
        let objective = self.objective();
        objective.check()?;
        let each = objective.scores_per_target();
        if !self.num_outputs.is_multiple_of(each) {
            return Err(Error::configuration(format!(
                "the {} loss takes {each} outputs for each target, but the number of outputs is {}",
                self.loss.name(),
                self.num_outputs
            )));
        }
        self.check_dropout(&self.dropout)
    }

    /// Inputs, units of each hidden layer, outputs.
    pub fn widths(&self) -> Vec<usize> {
        [&[self.input_dim], self.hidden.as_slice(), &[self.num_outputs]].concat()
    }

    /// The loss with its settings.
    pub fn objective(&self) -> Objective {
        Objective {
            loss: self.loss,
            label_smoothing: self.label_smoothing,
            huber_delta: self.huber_delta,
            quantiles: self.quantiles.clone(),
            beta_nll: self.beta_nll,
            clip_probabilities: self.clip_probabilities,
        }
    }

    /// The probability that a unit of hidden layer `index` is computed: 1 unless dropout drops units.
    pub(crate) fn computed_share(&self, index: usize) -> f64 {
        match (self.dropout_kind, self.dropout.layer(index)) {
            (DropoutKind::Bernoulli, Some(dropout)) => dropout.keep_prob(),
            _ => 1.0,
        }
    }

    /// Whether hidden layer `index` is multiplied by Gaussian dropout's noise.
    pub(crate) fn is_noisy(&self, index: usize) -> bool {
        self.dropout_kind == DropoutKind::Gaussian && self.dropout.layer(index).is_some()
    }

    /// Whether any mask or noise is random.
    pub(crate) fn drops(&self) -> bool {
        let random =
            |dropout: Dropout| self.dropout_kind == DropoutKind::Gaussian || dropout.keep_prob() < 1.0;
        self.input_dropout.is_some_and(|dropout| dropout.keep_prob() < 1.0)
            || (0..self.hidden.len()).any(|index| self.dropout.layer(index).is_some_and(random))
    }

    /// Changes the dropout of the hidden layers and of the inputs.
    ///
    /// # Errors
    /// [`Error::Configuration`] if there is not one dropout for each hidden layer; then nothing is changed.
    pub(crate) fn set_dropout(&mut self, hidden: HiddenDropout, input: Option<Dropout>) -> Result<()> {
        self.check_dropout(&hidden)?;
        (self.dropout, self.input_dropout) = (hidden, input);
        Ok(())
    }

    /// Refuses dropouts if there is not one for each hidden layer.
    fn check_dropout(&self, hidden: &HiddenDropout) -> Result<()> {
        match hidden {
            HiddenDropout::Each(each) if each.len() != self.hidden.len() => {
                Err(Error::configuration(format!(
                    "there must be a dropout for each of the {} hidden layers, got {}",
                    self.hidden.len(),
                    each.len()
                )))
            }
            _ => Ok(()),
        }
    }

    /// Whether hidden layers have a scale and a shift.
    pub(crate) fn is_normalised(&self) -> bool {
        self.normalisation != Normalisation::None
    }

    /// The sizes of the layers that have running statistics: all hidden layers, or none.
    pub(super) fn running_sizes(&self) -> &[usize] {
        if self.normalisation == Normalisation::Batch { &self.hidden } else { &[] }
    }

    /// Refuses running statistics that do not match this architecture.
    pub(crate) fn check_running<F>(&self, running: &[RunningStatistics<F>]) -> Result<()> {
        let expected: Vec<_> = self.running_sizes().iter().map(|&size| (size, size)).collect();
        let got: Vec<_> = running.iter().map(|own| (own.mean.len(), own.variance.len())).collect();
        same_shape("running statistics", &expected, &got)
    }

    /// The names and shapes of the parameters, in the order of [`Parameters::named`](super::Parameters::named).
    fn parameter_shapes(&self) -> Vec<(String, Vec<usize>)> {
        let mut all = Vec::new();
        for ((inputs, outputs), number) in self.layer_shapes().into_iter().zip(1..) {
            all.push((format!("W{number}"), vec![inputs, outputs]));
            all.push((format!("b{number}"), vec![outputs]));
            if self.is_normalised() && number <= self.hidden.len() {
                all.push((format!("gamma{number}"), vec![outputs]));
                all.push((format!("beta{number}"), vec![outputs]));
            }
        }
        all
    }

    /// Refuses parameters whose names and shapes do not match this architecture.
    pub(super) fn check_parameters(&self, got: &[(String, Vec<usize>)]) -> Result<()> {
        same_shape("parameters of the network", self.parameter_shapes().as_slice(), got)
    }

    /// The layers' shapes (inputs, outputs), first to last.
    pub fn layer_shapes(&self) -> Vec<(usize, usize)> {
        let inputs = std::iter::once(self.input_dim).chain(self.hidden.iter().copied());
        let outputs = self.hidden.iter().copied().chain(std::iter::once(self.num_outputs));
        inputs.zip(outputs).collect()
    }
}
