//! The course's dropout experiment: the same network trained several times, each with another keep probability, from
//! one random stream.

use serde::{Deserialize, Serialize};

use crate::solver::History;

/// The number type of parameters and activations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dtype {
    /// 32-bit floats, the course's default.
    #[default]
    F32,
    /// 64-bit floats.
    F64,
}

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
    /// Name of the update rule: "sgd", "sgd_momentum", "rmsprop" or "adam".
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
