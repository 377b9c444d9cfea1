//! Optimisers: how a gradient changes a parameter. One file an optimiser, with its settings, their defaults and ranges, what it
//! keeps of each parameter, and its formula. What goes with them: schedules, clipping, max-norm.

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
