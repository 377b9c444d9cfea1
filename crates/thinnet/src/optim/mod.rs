//! Optimisers: how a gradient changes a parameter. Each has its own file, with its settings, their defaults and
//! ranges, its arrays for each parameter, and its formula. Also here: schedules, clipping, max-norm.

mod adam;
mod adamw;
mod clipping;
mod max_norm;
mod method;
mod momentum;
mod optimiser;
mod rmsprop;
mod schedule;
mod sgd;

pub use adam::Adam;
pub use adamw::AdamW;
pub use clipping::Clipping;
pub use max_norm::max_norm;
pub(crate) use max_norm::max_norm_factor;
pub use momentum::SgdMomentum;
pub use optimiser::{Optimiser, OptimiserKind, OptimiserState};
pub use rmsprop::RmsProp;
pub use schedule::{MomentumRamp, Schedule, ScheduleKind};
pub use sgd::Sgd;
