//! The course's dropout experiment: the same network trained several times, each with another keep probability, from
//! one random stream.

use std::str::FromStr;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::data::{CIFAR10_CLASSES, Dataset};
use crate::engine::{self, EngineConfig, Product};
use crate::error::{Error, Result};
use crate::float::{Dtype, Float};
use crate::layers::Dropout;
use crate::net::{FullyConnectedNet, NetConfig};
use crate::optim::Optimiser;
use crate::random::RandomState;
use crate::solver::{self, History, Progress, SolverConfig};

/// Everything that determines the experiment's figures, and the threads, which do not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Where the samples come from, for people: "embedded CIFAR-10 sample", or a path and how it was read.
    pub data: String,
    /// The classes' names, by label. [`run`] takes them from the data.
    #[serde(default = "cifar10_classes")]
    pub classes: Vec<String>,
    /// Number of training samples.
    pub num_train: usize,
    /// Number of validation samples.
    pub num_val: usize,
    /// Keep probability of each network, in the order in which they are trained; 0 < keep <= 1.
    pub keep: Vec<f64>,
    /// Sizes of the hidden layers.
    pub hidden: Vec<usize>,
    /// Epochs.
    pub epochs: usize,
    /// Samples a step.
    pub batch_size: usize,
    /// Name of the optimiser, as in [`Optimiser::NAMES`].
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
    /// How products are computed.
    #[serde(default)]
    pub engine: Product,
}

/// The classes of a report that names none.
fn cifar10_classes() -> Vec<String> {
    CIFAR10_CLASSES.map(str::to_owned).to_vec()
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
    /// The course's experiment on `data`, which is CIFAR-10, with `num_val` validation images.
    pub fn course(data: impl Into<String>, num_val: usize, threads: usize) -> Self {
        Self {
            data: data.into(),
            classes: cifar10_classes(),
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
            engine: Product::Auto,
        }
    }

    /// Refuses settings out of range, so that a caller knows before it reads data or trains. `input_dim` is the number
    /// of inputs of a sample.
    ///
    /// # Errors
    /// [`Error::Configuration`] that names the setting, its range and the value that came.
    pub fn check(&self, input_dim: usize) -> Result<()> {
        self.optimiser()?;
        self.dropouts()?;
        self.solver().check()?;
        self.net(input_dim, None).check()?;
        if self.num_train == 0 {
            return Err(Error::configuration("the number of training samples must be at least 1, got 0"));
        }
        if self.threads == 0 || self.threads > Self::MAX_THREADS {
            return Err(Error::configuration(format!(
                "the number of threads must be from 1 to {}, got {}",
                Self::MAX_THREADS,
                self.threads
            )));
        }
        if self.memory(input_dim) > isize::MAX as f64 {
            return Err(Error::configuration(format!(
                "hidden layers of {:?} units, batches of {} and {} epochs are more than any memory can hold",
                self.hidden, self.batch_size, self.epochs
            )));
        }
        Ok(())
    }

    /// The greatest number of threads.
    pub const MAX_THREADS: usize = 1024;

    /// About how many bytes the experiment needs beside its samples, which have `input_dim` numbers each. A float, so that
    /// no size is too large to be estimated.
    pub fn memory(&self, input_dim: usize) -> f64 {
        // The weights, their gradients, the best so far, Adam's two moments, and an update's temporaries.
        const COPIES: f64 = 6.0;
        // What is kept of each unit for the backward pass, and the numbers that its mask is drawn from.
        const ACTIVATIONS: f64 = 5.0;
        // A loss, as `f64`, of each iteration of each network.
        let iterations = self.epochs as f64 * (self.num_train as f64 / self.batch_size as f64).max(1.0);
        let losses = 8.0 * self.keep.len() as f64 * iterations;
        let bytes = match self.dtype {
            Dtype::F32 => 4.0,
            Dtype::F64 => 8.0,
        };
        let shapes = self.net(input_dim, None).layer_shapes();
        let parameters: f64 =
            shapes.iter().map(|&(inputs, outputs)| (inputs as f64 + 1.0) * outputs as f64).sum();
        let units: f64 = shapes.iter().map(|&(_, outputs)| outputs as f64).sum();
        let rows = self.batch_size.max(self.num_val).max(self.num_train.min(1000)) as f64;
        let activations = rows * (input_dim as f64 + ACTIVATIONS * units);
        bytes * (COPIES * parameters + activations) + losses
    }

    /// The optimiser, in range.
    fn optimiser(&self) -> Result<Optimiser> {
        let optimiser = Optimiser::from_str(&self.update_rule)?.with_learning_rate(self.learning_rate);
        optimiser.check()?;
        Ok(optimiser)
    }

    /// One dropout for each network.
    fn dropouts(&self) -> Result<Vec<Dropout>> {
        if self.keep.is_empty() {
            return Err(Error::configuration("the experiment needs at least one keep probability"));
        }
        self.keep.iter().map(|&keep| Dropout::new(keep, None)).collect()
    }

    /// How each network is trained.
    fn solver(&self) -> SolverConfig {
        SolverConfig {
            num_epochs: self.epochs,
            batch_size: self.batch_size,
            learning_rate: self.learning_rate,
            ..SolverConfig::default()
        }
    }

    /// How each network is made.
    fn net(&self, input_dim: usize, dropout: Option<Dropout>) -> NetConfig {
        NetConfig {
            input_dim,
            hidden: self.hidden.clone(),
            num_classes: self.classes.len(),
            dropout: dropout.into(),
            reg: self.reg,
            ..NetConfig::default()
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
    let input_dim = data.train.x.dim().1;
    let settings = &Settings { classes: data.classes.clone(), ..settings.clone() };
    settings.check(input_dim)?;
    let (optimiser, dropouts, config) = (settings.optimiser()?, settings.dropouts()?, settings.solver());

    let mut random = RandomState::new(settings.seed);
    let mut networks = Vec::with_capacity(dropouts.len());
    for (index, dropout) in dropouts.into_iter().enumerate() {
        let keep = dropout.keep_prob();
        observer.network(index, keep);
        let start = Instant::now();
        let net = FullyConnectedNet::<F>::new(settings.net(input_dim, Some(dropout)), &mut random)?;
        let products = EngineConfig { product: settings.engine, ..EngineConfig::course(settings.threads) };
        let mut engine = engine::build(net, optimiser, products)?;
        let trained = solver::train(engine.as_mut(), data, &config, &mut random, observer)?;
        networks.push(NetworkRun { keep, history: trained.history, seconds: start.elapsed().as_secs_f64() });
    }
    Ok(Outcome { settings: settings.clone(), networks, seconds: start.elapsed().as_secs_f64() })
}
