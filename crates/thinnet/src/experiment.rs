//! The course's dropout experiment: the same network trained several times, each with another keep probability, from
//! one random stream.

use std::str::FromStr;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::data::Dataset;
use crate::engine::{self, EngineConfig};
use crate::error::{Error, Result};
use crate::float::{Dtype, Float};
use crate::layers::Dropout;
use crate::net::{FullyConnectedNet, NetConfig};
use crate::optim::UpdateRule;
use crate::random::RandomState;
use crate::solver::{self, History, Progress, SolverConfig};

/// Everything that determines the experiment's figures, and the threads, which do not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Where the images come from, for people: "embedded CIFAR-10 sample" or a path.
    pub data: String,
    /// Number of training images.
    pub num_train: usize,
    /// Number of validation images.
    pub num_val: usize,
    /// Keep probability of each network, in the order in which they are trained; 0 < keep <= 1.
    pub keep: Vec<f64>,
    /// Sizes of the hidden layers.
    pub hidden: Vec<usize>,
    /// Epochs.
    pub epochs: usize,
    /// Images a step.
    pub batch_size: usize,
    /// Name of the update rule: `sgd`, `sgd_momentum`, `rmsprop` or `adam`.
    pub update_rule: String,
    /// Learning rate.
    pub learning_rate: f64,
    /// Strength of the L2 term `0.5 * reg * sum(W^2)`.
    pub reg: f64,
    /// Seed of NumPy's legacy stream.
    pub seed: u32,
    /// Number type.
    pub dtype: Dtype,
    /// Threads.
    pub threads: usize,
}

/// One trained network of the experiment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NetworkRun {
    /// Its keep probability.
    pub keep: f64,
    /// Its losses and accuracies.
    pub history: History,
    /// Seconds that its training took, accuracy checks included.
    pub seconds: f64,
}

/// The experiment's outcome: all that a report needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// What was run.
    pub settings: Settings,
    /// One entry for each of `settings.keep`, in that order.
    pub networks: Vec<NetworkRun>,
    /// Seconds of wall time for all of it.
    pub seconds: f64,
}

/// Follows an experiment.
pub trait Observer: Progress {
    /// Called before the network with this keep probability is trained; networks count from 0.
    fn network(&mut self, index: usize, keep: f64);
}

impl Observer for () {
    fn network(&mut self, _: usize, _: f64) {}
}

impl Settings {
    /// The course's experiment on `data` with `num_val` validation images.
    pub fn course(data: impl Into<String>, num_val: usize, threads: usize) -> Self {
        Self {
            data: data.into(),
            num_train: 500,
            num_val,
            keep: vec![1.0, 0.25],
            hidden: vec![500],
            epochs: 25,
            batch_size: 100,
            update_rule: "adam".into(),
            learning_rate: 5e-4,
            reg: 0.0,
            seed: 231,
            dtype: Dtype::F32,
            threads,
        }
    }
}

/// Trains one network for each of `settings.keep`, in order and from one random stream, as the course does: each takes
/// its weights, its batches and its masks from where the one before it left the stream.
///
/// # Errors
/// Those of [`FullyConnectedNet::new`] and [`solver::train`], and [`Error::Configuration`] for settings out of range.
pub fn run<F: Float>(settings: &Settings, data: &Dataset<F>, observer: &mut dyn Observer) -> Result<Outcome> {
    let start = Instant::now();
    let rule = UpdateRule::from_str(&settings.update_rule)?.with_learning_rate(settings.learning_rate);
    rule.check()?;
    if settings.keep.is_empty() {
        return Err(Error::configuration("the experiment needs at least one keep probability"));
    }
    let dropouts = settings.keep.iter().map(|&keep| Dropout::new(keep, None)).collect::<Result<Vec<_>>>()?;
    let config = SolverConfig {
        num_epochs: settings.epochs,
        batch_size: settings.batch_size,
        learning_rate: settings.learning_rate,
        ..SolverConfig::default()
    };
    config.check()?;

    let mut random = RandomState::new(settings.seed);
    let mut networks = Vec::with_capacity(dropouts.len());
    for (index, dropout) in dropouts.into_iter().enumerate() {
        let keep = dropout.keep_prob();
        observer.network(index, keep);
        let start = Instant::now();
        let config_net = NetConfig {
            input_dim: data.train.x.dim().1,
            hidden: settings.hidden.clone(),
            dropout: Some(dropout),
            reg: settings.reg,
            ..NetConfig::default()
        };
        let net = FullyConnectedNet::<F>::new(config_net, &mut random)?;
        let mut engine = engine::build(net, rule, EngineConfig::course(settings.threads))?;
        let trained = solver::train(engine.as_mut(), data, &config, &mut random, observer)?;
        networks.push(NetworkRun { keep, history: trained.history, seconds: start.elapsed().as_secs_f64() });
    }
    Ok(Outcome { settings: settings.clone(), networks, seconds: start.elapsed().as_secs_f64() })
}
