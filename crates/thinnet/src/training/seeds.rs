//! The course's experiment with several seeds: the spread over runs shows what one run cannot.

use rayon::ThreadPoolBuilder;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use super::experiment::{self, Observer, Outcome, Settings};
use super::{Epoch, Progress, Step, Trained, TrainingData};
use crate::error::{Error, Result};
use crate::float::Float;

/// Follows the experiments of several seeds, which run at the same time: their threads call it.
pub trait SeedsObserver: Sync {
    /// Called when accuracies were checked.
    ///
    /// - `seed`, `network`: the experiment, and the network in it, counted from 0
    fn epoch(&self, seed: u32, network: usize, epoch: &Epoch);

    /// Whether to stop: then the experiments end with [`Error::Interrupted`].
    fn interrupted(&self) -> bool {
        false
    }
}

impl SeedsObserver for () {
    fn epoch(&self, _: u32, _: usize, _: &Epoch) {}
}

/// The seeds of `count` experiments, counting up from `first`.
///
/// # Errors
/// [`Error::Configuration`] for fewer than two, and for seeds above 4294967295.
pub fn seeds(first: u32, count: usize) -> Result<Vec<u32>> {
    if count < 2 {
        return Err(Error::setting("seeds", format!("must be at least 2, got {count}")));
    }
    let last = u32::try_from(count - 1).ok().and_then(|more| first.checked_add(more)).ok_or_else(|| {
        Error::setting(
            "seeds",
            format!("{count} seeds from {first} upwards pass the largest seed, {}", u32::MAX),
        )
    })?;
    Ok((first..=last).collect())
}

/// Runs the experiment once for each of `count` seeds: the settings' own and the following ones. `settings.threads`
/// of them run at a time, each on one thread, so that the results of each equal those of [`experiment::run`] with its
/// seed.
///
/// # Errors
/// As [`seeds`] and [`experiment::run`].
pub fn repeat<F: Float>(
    settings: &Settings,
    data: &TrainingData<F>,
    count: usize,
    observer: &dyn SeedsObserver,
) -> Result<Vec<(Outcome, Vec<Trained<F>>)>> {
    let seeds = seeds(settings.seed, count)?;
    settings.check(data.input_dim())?;
    let pool = ThreadPoolBuilder::new()
        .num_threads(settings.threads.min(count))
        .build()
        .map_err(|reason| Error::configuration(format!("cannot start threads: {reason}")))?;
    let run = |seed| {
        let settings = Settings { seed, threads: 1, ..settings.clone() };
        experiment::run(&settings, data, &mut OneSeed { seed, network: 0, observer })
    };
    pool.install(|| seeds.into_par_iter().map(run).collect())
}

/// Follows one of the experiments, called by its own loop.
struct OneSeed<'a> {
    seed: u32,
    network: usize,
    observer: &'a dyn SeedsObserver,
}

impl Progress for OneSeed<'_> {
    fn step(&mut self, step: &Step, _: u64) {
        if let Some(epoch) = &step.epoch {
            self.observer.epoch(self.seed, self.network, epoch);
        }
    }

    fn interrupted(&self) -> bool {
        self.observer.interrupted()
    }
}

impl Observer for OneSeed<'_> {
    fn network(&mut self, index: usize, _: f64) {
        self.network = index;
    }
}
