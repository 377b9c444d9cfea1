//! The display of a running experiment: the course's lines, and the progress bar.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use thinnet::training::experiment::{Observer, Settings};
use thinnet::training::{CourseLine, Progress, Step};

use crate::failure::Failure;
use crate::output::Output;

/// The course prints the loss of every hundredth iteration, starting with the first.
const PRINT_EVERY: u64 = 100;

/// Shows an experiment.
pub(crate) struct Follower<'a> {
    output: &'a mut Output,
    stop: Arc<AtomicBool>,
    networks: usize,
    epochs: usize,
    iterations: usize,
    now: Option<(usize, f64)>,
    failure: Option<Failure>,
}

impl<'a> Follower<'a> {
    /// Shows the experiment with these settings, until `stop` becomes true.
    pub(crate) fn new(output: &'a mut Output, settings: &Settings, stop: Arc<AtomicBool>) -> Self {
        Self {
            output,
            stop,
            networks: settings.keep.len(),
            epochs: settings.epochs,
            iterations: settings.epochs.saturating_mul((settings.num_train / settings.batch_size).max(1)),
            now: None,
            failure: None,
        }
    }

    /// Removes the bar. Returns which network was trained last, and the error if a line could not be written.
    pub(crate) fn finish(self) -> (String, Option<Failure>) {
        self.output.end_bar();
        let network = match self.now {
            Some((index, keep)) => format!("network {} of {} (keep {keep})", index + 1, self.networks),
            None => "the first network".to_owned(),
        };
        (network, self.failure)
    }

    /// Writes a line; the first failure ends the experiment at the next iteration.
    fn line(&mut self, text: &str) {
        if self.failure.is_none() {
            self.failure = self.output.line(text).err();
        }
    }
}

impl Progress for Follower<'_> {
    fn step(&mut self, step: &Step, steps: u64) {
        self.output.advance(usize::try_from(step.step).unwrap_or(usize::MAX));
        for line in CourseLine::of(step, steps, self.epochs, PRINT_EVERY) {
            if let CourseLine::Epoch { epoch, epochs, .. } = line {
                self.output.message(format!("epoch {epoch}/{epochs}"));
            }
            self.line(&line.to_string());
        }
    }

    fn interrupted(&self) -> bool {
        self.failure.is_some() || self.stop.load(Ordering::Relaxed)
    }
}

impl Observer for Follower<'_> {
    fn network(&mut self, index: usize, keep: f64) {
        self.output.end_bar();
        self.now = Some((index, keep));
        self.line(&keep.to_string());
        let name = match self.networks {
            1 => format!("keep {keep}"),
            networks => format!("{}/{networks} keep {keep}", index + 1),
        };
        self.output.start_bar(name, self.iterations);
        self.output.message(format!("epoch 0/{}", self.epochs));
    }
}
