//! `thinnet experiment --seeds N`: the experiment with several seeds at the same time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use thinnet::float::{Dtype, Float};
use thinnet::report::SeedsReport;
use thinnet::training::Epoch;
use thinnet::training::experiment::Outcome;
use thinnet::training::seeds::{SeedsObserver, repeat};

use crate::args::ExperimentArguments;
use crate::config::Config;
use crate::experiment::{announcement, failure, models, save, told};
use crate::failure::Failure;
use crate::figures::percent;
use crate::interrupt;
use crate::output::Output;

/// Trains the networks of every seed, and writes the report and the models.
///
/// - `count`: the number of seeds
/// - `command`: the command line that runs them again
pub(crate) fn run(
    arguments: ExperimentArguments,
    count: usize,
    command: &str,
    output: &mut Output,
) -> Result<(), Failure> {
    let config = Config::new(arguments)?;
    match config.settings.dtype {
        Dtype::F32 => train::<f32>(&config, count, command, output),
        Dtype::F64 => train::<f64>(&config, count, command, output),
    }
}

fn train<F: Float>(config: &Config, count: usize, command: &str, output: &mut Output) -> Result<(), Failure> {
    let (settings, data) = config.load::<F>(output)?;
    output.aside(&format!("{count} seeds: {}", announcement(&settings, data.input_dim())));
    let stop = interrupt::flag()?;
    // Accuracies are also checked after the first step.
    let checks = count * settings.keep.len() * (settings.epochs + 1);
    output.start_bar(format!("{count} seeds"), checks);
    let result = repeat(&settings, &data, count, &Follower { output, stop, done: AtomicUsize::new(0) });
    output.end_bar();
    let runs = result.map_err(|error| failure(error, "a network", &settings))?;
    let (outcomes, trained): (Vec<Outcome>, Vec<_>) = runs.into_iter().unzip();
    for outcome in &outcomes {
        output.line(&line(outcome))?;
    }
    let report = SeedsReport::new(&outcomes)?.command(command);
    report.write(&config.out)?;
    for (outcome, trained) in outcomes.iter().zip(trained) {
        let ending = format!(".seed-{}", outcome.settings.seed);
        save(&models(trained, (&settings, &data), &ending)?, &config.out)?;
    }
    report.sentences().iter().for_each(|sentence| output.note(sentence));
    told(&config.out, output);
    Ok(())
}

/// The final results of a seed's networks.
fn line(outcome: &Outcome) -> String {
    let networks = outcome.networks.iter().map(|network| {
        let last = |accuracies: &[f64]| accuracies.last().copied().unwrap_or(f64::NAN);
        let (train, val) = (last(&network.history.train_accuracy), last(&network.history.val_accuracy));
        format!("keep {}: train {} val {}", network.keep, percent(train), percent(val))
    });
    format!("seed {}  {}", outcome.settings.seed, networks.collect::<Vec<_>>().join("  "))
}

/// Moves the bar.
struct Follower<'a> {
    output: &'a Output,
    stop: Arc<AtomicBool>,
    done: AtomicUsize,
}

impl SeedsObserver for Follower<'_> {
    fn epoch(&self, _: u32, _: usize, _: &Epoch) {
        self.output.advance(self.done.fetch_add(1, Ordering::Relaxed) + 1);
    }

    fn interrupted(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}
