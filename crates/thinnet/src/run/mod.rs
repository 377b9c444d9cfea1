//! Runs in folders: trained from their settings, saved in checkpoints, recorded and reported, stopped and resumed; a
//! single one, or the many of a sweep, on one machine or on several.
//!
//! | in a run's folder | what it is |
//! |---|---|
//! | `config.toml` | all settings, with every default filled in |
//! | `samples.json` | the [`Fingerprint`] of its samples |
//! | `start.safetensors` | the network that it began with, if that came from a file |
//! | `checkpoints/step-0000001200.ckpt` | the run after that many steps: the last ones, and the best epoch's |
//! | `members/1`, `members/2`, ... | the folders of an ensemble's networks, each a run |
//! | `model.safetensors` | the [`Model`](crate::model::Model), once the run has ended |
//! | `report.html`, `history.csv`, ... | what [`report`](crate::report) makes of it |
//! | `.lock` | held by the process that trains |

mod compared;
mod ensemble;
mod fingerprint;
mod folder;
mod merge;
mod open;
mod pool;
mod prepare;
mod saver;
mod session;
mod shared;
mod sweep;

pub use compared::{compared, has_results};
pub use ensemble::train;
pub use fingerprint::Fingerprint;
pub use folder::{Newest, RunFolder};
pub use merge::{Merged, merge};
pub use open::{SAMPLE, open, open_for, open_watched, open_with, stream};
pub use pool::Message;
pub use prepare::{CHANGEABLE, Prepared, make_absolute, may_change, prepare, prepare_from, start_of};
pub use session::{Announcement, Session, Summary, Watch};
pub use shared::write_report;
pub use sweep::SweepRuns;
