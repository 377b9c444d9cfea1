//! The settings of a network and its optimiser, as Python's keyword arguments.

use numpy::ndarray::Array1;
use pyo3::prelude::*;
use thinnet::Float;
use thinnet::layers::{Activation, Dropout, HiddenDropout, Loss, Normalisation, RunningStatistics};
use thinnet::net::{NetConfig, Parameters};
use thinnet::optim::{Adam, AdamW, Optimiser, Sgd, SgdMomentum};

/// All settings of a network except its sizes, which follow from its parameters. In Python it is a dictionary.
#[derive(Debug, Clone, FromPyObject, IntoPyObject)]
#[pyo3(from_item_all)]
pub struct Settings {
    /// One of `Activation::NAMES`.
    pub activation: String,
    /// One of `Loss::NAMES`.
    pub loss: String,
    /// For the Huber loss.
    pub huber_delta: f64,
    /// For the quantile loss, in rising order.
    pub quantiles: Vec<f64>,
    /// The dropout rate of each hidden layer.
    pub dropout: Vec<f64>,
    /// The dropout rate of the inputs.
    pub input_dropout: f64,
    /// Bound on the norm of each unit's incoming weights.
    pub max_norm: Option<f64>,
    /// Batch normalisation of the hidden layers.
    pub batch_norm: bool,
    /// `sgd`, `adam`, `adamw`, or `lbfgs`, which steps outside.
    pub solver: String,
    /// The learning rate of the next step.
    pub learning_rate: f64,
    /// For SGD.
    pub momentum: f64,
    /// For SGD.
    pub nesterov: bool,
    /// For AdamW.
    pub weight_decay: f64,
    /// For Adam and AdamW.
    pub beta_1: f64,
    /// For Adam and AdamW.
    pub beta_2: f64,
    /// For Adam and AdamW.
    pub epsilon: f64,
    /// For the masks.
    pub seed: u64,
}

impl Settings {
    /// The architecture for parameters of these shapes.
    ///
    /// # Errors
    /// `thinnet::Error::Configuration` for an unknown name or a value out of range.
    pub fn config<F: Float>(&self, parameters: &Parameters<F>) -> thinnet::Result<NetConfig> {
        let outputs: Vec<usize> = parameters.layers.iter().map(|layer| layer.w.ncols()).collect();
        let (num_outputs, hidden) = outputs.split_last().map_or((0, &[][..]), |(&last, rest)| (last, rest));
        let dropped = |rate: f64| Dropout::new(1.0 - rate, None);
        let dropout = if self.dropout.iter().all(|&rate| rate == 0.0) {
            HiddenDropout::None
        } else {
            HiddenDropout::Each(
                self.dropout.iter().map(|&rate| dropped(rate)).collect::<thinnet::Result<_>>()?,
            )
        };
        Ok(NetConfig {
            input_dim: parameters.layers.first().map_or(0, |layer| layer.w.nrows()),
            hidden: hidden.to_vec(),
            num_outputs,
            activation: self.activation.parse::<Activation>()?,
            loss: self.loss.parse::<Loss>()?,
            huber_delta: self.huber_delta,
            quantiles: self.quantiles.clone(),
            clip_probabilities: true,
            dropout,
            input_dropout: if self.input_dropout == 0.0 { None } else { Some(dropped(self.input_dropout)?) },
            max_norm: self.max_norm,
            normalisation: if self.batch_norm { Normalisation::Batch } else { Normalisation::None },
            ..NetConfig::default()
        })
    }

    /// The optimiser: Adam in scikit-learn's form, AdamW, SGD with momentum, or SGD, which keeps no state, for a solver
    /// that steps outside.
    pub fn optimiser(&self) -> Optimiser {
        let Self { learning_rate, beta_1: beta1, beta_2: beta2, epsilon, .. } = *self;
        match self.solver.as_str() {
            "adam" => Optimiser::Adam(Adam { learning_rate, beta1, beta2, epsilon, epsilon_hat: true }),
            "adamw" => {
                let weight_decay = self.weight_decay;
                Optimiser::AdamW(AdamW { learning_rate, weight_decay, beta1, beta2, epsilon })
            }
            "lbfgs" => Optimiser::Sgd(Sgd { learning_rate }),
            _ => {
                let (momentum, nesterov) = (self.momentum, self.nesterov);
                Optimiser::SgdMomentum(SgdMomentum { learning_rate, momentum, nesterov })
            }
        }
    }
}

/// Statistics before the first step: mean 0, variance 1, so that a network after few steps is normalised by reasonable
/// values.
pub fn initial_statistics<F: Float>(units: usize) -> RunningStatistics<F> {
    RunningStatistics { mean: Array1::zeros(units), variance: Array1::ones(units) }
}
