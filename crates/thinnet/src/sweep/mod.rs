//! A sweep: the same training at every point of a space of settings, with several seeds each.
//!
//! | type | what it is |
//! |---|---|
//! | [`Space`] | which settings take which values: lists and ranges, as a grid or drawn at random |
//! | [`Plan`] | points and seeds as runs, each with its name and its complete settings |
//! | [`Shard`] | a part of the runs, for one of several machines |
//! | [`SweepFolder`] | the plan in a folder, from which a stopped sweep is resumed |
//! | [`Outcome`] | the result of one run, in its own file |
//! | [`Table`] | means and standard deviations over seeds, as text and as CSV |
//! | [`Names`] | what settings are called |
//!
//! The caller trains the runs, in any order and on any number of threads: no run's results depend on another.

mod folder;
mod lock;
mod names;
mod outcome;
mod plan;
mod range;
mod shard;
mod space;
mod table;

pub use folder::{MANIFEST, RUNS, SweepFolder};
pub use names::{Names, shown};
pub use outcome::{Measure, Outcome, RunFigures};
pub use plan::{Draws, Plan, Point, Run, SweepConfig};
pub use range::{Range, Scale};
pub use shard::Shard;
pub use space::{Dimension, MAX_RUNS, Space, Values, label};
pub use table::{Row, Stat, Table, figures_csv, runs_csv};
