//! Training that can be stopped and gone on with: settings, the run itself, and what it leaves behind.
//!
//! [`TrainingConfig`] says what is trained, [`TrainingData`] on what, [`Trainer`] does it step by step; [`TrainerState`] is
//! where it is, to be written and gone on from; [`RunHistory`] is what came of it, epoch by epoch, and [`Model`] the
//! network in the end.

mod checkpoint;
mod config;
mod data;
mod folder;
mod model;
mod plan;
mod record;
mod score;
mod tensors;
mod trainer;

pub use config::{
    Annealing, Assignment, ClassWeights, DataConfig, Keep, Masks, ModelConfig, Monitor, OptimConfig, RunStep,
    Sampling, Setting, Task, TrainConfig, TrainingConfig, keys, settings,
};
pub use data::{Labelled, Preprocessing, TrainingData};
pub use folder::{Newest, RunFolder};
pub use model::{Model, model_dtype};
pub use record::{Epoch, RunHistory, Score};
pub use trainer::{Finish, Step, Trainer, TrainerState, Verdict};
