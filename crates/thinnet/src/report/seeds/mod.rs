//! The report on the experiment with several seeds: bands over seeds, differences paired by seed, and what they prove.
//!
//! | file | what it holds |
//! |---|---|
//! | `report.html` | the page |
//! | `accuracy.png` | mean accuracies over epochs, with bands from the minimum to the maximum over seeds |
//! | `history.csv` | `seed, network, epoch, train_accuracy, val_accuracy` |
//! | `seeds.csv` | `seed, network`, and what each network comes to at the end |
//! | `experiment-SEED.json` | each experiment, as [`parse`](super::parse) reads it back |

mod figures;
mod page;
mod summary;

use std::path::{Path, PathBuf};

use super::figures::{Figures, epoch, labels};
use super::panels::Images;
use super::{plot, tables};
use crate::error::{Error, Result};
use crate::files;
use crate::training::experiment::Outcome;

/// A report on outcomes that differ in their seed alone.
#[derive(Debug, Clone, Copy)]
pub struct SeedsReport<'a> {
    outcomes: &'a [Outcome],
    command: Option<&'a str>,
}

impl<'a> SeedsReport<'a> {
    /// A report on these outcomes, by their seeds.
    ///
    /// # Errors
    /// [`Error::Configuration`] for fewer than two outcomes, and for some that differ in more than seed and data read.
    pub fn new(outcomes: &'a [Outcome]) -> Result<Self> {
        let networks =
            |outcome: &Outcome| outcome.networks.iter().map(|run| run.keep.to_bits()).collect::<Vec<_>>();
        match outcomes {
            [first, rest @ ..]
                if !rest.is_empty() && rest.iter().all(|other| networks(other) == networks(first)) =>
            {
                Ok(Self { outcomes, command: None })
            }
            [] | [_] => Err(Error::configuration("a report over seeds needs at least two experiments")),
            _ => Err(Error::configuration(
                "the experiments of a report over seeds must have the same networks",
            )),
        }
    }

    /// The command line that repeats the runs, shown on the page as it is given.
    #[must_use]
    pub fn command(self, command: &'a str) -> Self {
        Self { command: Some(command), ..self }
    }

    /// What the figures show, in sentences, the most important first.
    pub fn sentences(&self) -> Vec<String> {
        summary::sentences(&figures::Network::all(self.outcomes), self.outcomes)
    }

    /// The files' names and contents.
    ///
    /// # Errors
    /// [`Error::Report`] if one cannot be made, which no outcome is known to cause.
    pub fn files(self) -> Result<Vec<(String, Vec<u8>)>> {
        let labels: Vec<_> =
            labels(&self.outcomes[0]).into_iter().map(|label| format!("keep {label}")).enumerate().collect();
        let panel = |images| figures::accuracies(self.outcomes, images);
        let picture = plot::picture(&[
            ("Training accuracy", labels.as_slice(), panel(Images::Train)),
            ("Validation accuracy", labels.as_slice(), panel(Images::Val)),
        ]);
        let mut files = vec![
            (
                "report.html".to_owned(),
                page::html(self.outcomes, &labels, self.command).map_err(Error::report("report.html"))?,
            ),
            ("accuracy.png".to_owned(), picture.map_err(Error::report("accuracy.png"))?),
            ("history.csv".to_owned(), history_csv(self.outcomes)?),
            ("seeds.csv".to_owned(), seeds_csv(self.outcomes)?),
        ];
        for outcome in self.outcomes {
            let name = format!("experiment-{}.json", outcome.settings.seed);
            let json = tables::json(outcome).map_err(Error::report("an experiment's file"))?;
            files.push((name, json));
        }
        Ok(files)
    }

    /// Writes the files into `folder`, which is made if it does not exist; gives their paths.
    ///
    /// # Errors
    /// Those of [`SeedsReport::files`], and [`Error::Io`] if the folder or a file cannot be written.
    pub fn write(self, folder: &Path) -> Result<Vec<PathBuf>> {
        files::write_all(folder, &self.files()?)
    }
}

/// A row for each seed, network and check of accuracies.
fn history_csv(outcomes: &[Outcome]) -> Result<Vec<u8>> {
    files::csv("history.csv", |table| {
        table.write_record(["seed", "network", "epoch", "train_accuracy", "val_accuracy"])?;
        for outcome in outcomes {
            for (network, run) in labels(outcome).iter().zip(&outcome.networks) {
                let accuracies = run.history.train_accuracy.iter().zip(&run.history.val_accuracy);
                for (check, (train, val)) in accuracies.enumerate() {
                    table.serialize((
                        outcome.settings.seed,
                        network,
                        epoch(&run.history, check),
                        train,
                        val,
                    ))?;
                }
            }
        }
        Ok(())
    })
}

/// A row for each seed and network: how it ends.
fn seeds_csv(outcomes: &[Outcome]) -> Result<Vec<u8>> {
    files::csv("seeds.csv", |table| {
        table.write_record([
            "seed",
            "network",
            "train_accuracy",
            "val_accuracy",
            "train_loss",
            "val_loss",
            "seconds",
        ])?;
        for outcome in outcomes {
            for network in Figures::of(outcome) {
                let Figures { label, train, val, train_loss, val_loss, seconds, .. } = network;
                table.serialize((outcome.settings.seed, label, train, val, train_loss, val_loss, seconds))?;
            }
        }
        Ok(())
    })
}
