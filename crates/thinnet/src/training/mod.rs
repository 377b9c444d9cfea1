//! Training that can be stopped and resumed: settings, the only training loop, and the state from which it resumes.
//!
//! [`TrainingConfig`] says what is trained, [`TrainingData`] on which data, and [`Trainer`] does it step by step.
//! [`TrainerState`] is its state, which can be written and resumed. [`RunHistory`] has the results epoch by epoch,
//! and [`Trained`] the final network. [`experiment`] is the course's experiment, a preset of the same loop.

mod accuracies;
mod check;
mod checkpoint;
mod config;
mod conformal;
mod data;
mod divergence;
mod ensemble;
pub mod experiment;
mod rates;
mod record;
pub mod seeds;
mod state;
mod temperature;
mod tensors;
mod trained;
mod trainer;

pub use accuracies::{Accuracies, CourseLine};
pub use check::{CheckRows, Checks, MOST_COUNTED};
pub use config::{
    Annealing, Assignment, ClassWeights, DataConfig, Keep, Masks, ModelConfig, Monitor, OptimConfig, RunStep,
    Sampling, Setting, TargetKind, Task, TrainConfig, TrainingConfig, keys, meant, settings,
};
pub use conformal::{Conformal, interval};
pub(crate) use conformal::{class_score, number_score};
pub(crate) use data::scaled_targets;
pub use data::{Preprocessing, TrainingData};
pub use divergence::Divergence;
#[cfg(feature = "report")]
pub(crate) use ensemble::side_by_side;
pub(crate) use ensemble::train_all;
pub use rates::Rates;
pub use record::{Epoch, Member, RunHistory, Score};
pub use state::TrainerState;
pub use temperature::fit_temperature;
pub(crate) use tensors::{Read, Tensors, add_network, network};
pub use trained::{Trained, Verdict};
pub(crate) use trained::{predictor, tempered};
pub use trainer::{Finish, Progress, Step, Trainer};
