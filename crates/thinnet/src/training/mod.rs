//! Training that can be stopped and gone on with: settings, the run itself, and what it leaves behind.
//!
//! [`TrainingConfig`] says what is trained; [`RunHistory`] what came of it, epoch by epoch.

mod config;
mod record;

pub use config::{
    Annealing, Assignment, ClassWeights, DataConfig, Keep, ModelConfig, Monitor, OptimConfig, Sampling, Task,
    TrainConfig, TrainingConfig, keys,
};
pub use record::{Epoch, RunHistory, Score};
