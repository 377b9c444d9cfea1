//! Reports of an experiment and of a training run: pages, pictures, and tables for other programs.
//!
//! Of a training run: [`RunReport`] is its page, [`metrics`] its epochs as lines of text, [`tensorboard`] its event file.
//!
//! Of the dropout experiment with several seeds: [`SeedsReport`]. Of any runs and experiments, compared: [`ComparisonReport`].
//!
//! Of the dropout experiment: [`write()`] takes an [`Outcome`] and a folder and leaves there
//!
//! | file | what it holds |
//! |---|---|
//! | `report.html` | one page that needs no other file and no network: what the figures show, plots, tables, settings |
//! | `accuracy.png` | training and validation accuracy over epochs, as the cs231n course draws them |
//! | `history.csv` | `network, epoch, train_accuracy, val_accuracy`; accuracies 0..=1 |
//! | `loss.csv` | `network, iteration, loss`; iterations from 1 |
//! | `experiment.json` | settings, version, histories and times; [`parse`] reads it back |
//!
//! A network is named by its keep probability: "0.25", and "0.25 (2)" for the second one of that keep probability.
//!
//! One idea a file: `figures` (the numbers), `paired` (what is more than chance), `summary` (sentences from them), `axis` and `panels` (what is plotted),
//! `bands` (several runs as one), `plot` (how), `data` (the same for the page's script), `fonts` (in what), `canvas` (onto which bitmap), `look` (what pages have in common), `page` and `tables`; `run`, with
//! `confusion` and `weights`, is the training run's page, and `ensemble` an ensemble's, and `evaluation` with `trust`, `intervals` and `averages` a model's. Beside them stands [`montage`], a picture of a data set.

mod averages;
mod axis;
mod bands;
mod canvas;
mod chance;
mod comparison;
mod confusion;
mod data;
mod ensemble;
mod evaluation;
mod figures;
mod fonts;
mod intervals;
mod look;
pub mod metrics;
pub mod montage;
mod noise;
mod page;
mod paired;
mod panels;
mod plot;
mod record;
mod run;
mod seeds;
mod summary;
pub mod sweep;
mod tables;
pub mod tensorboard;
mod trust;
mod weights;

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::files;
use crate::training::experiment::Outcome;
pub use comparison::{ComparedRun, ComparisonReport};
pub use confusion::{confusion_csv, listed, most_frequent};
pub use ensemble::EnsembleReport;
pub use evaluation::EvaluationReport;
pub use intervals::kind_name;
use panels::{Images, Panel};
pub use record::{RunRecord, first_layer};
pub use run::RunReport;
pub use seeds::SeedsReport;
pub use tables::parse;
pub use trust::Shown;
pub use weights::{MOST_UNITS, SizedPng, weights_png};

/// The files of a report, by name.
pub const FILES: [&str; 5] = ["report.html", "accuracy.png", "history.csv", "loss.csv", "experiment.json"];

/// Writes the report on `outcome` into `folder`, which is made if need be; gives the paths of the files.
///
/// The page says that the settings repeat the run; [`Report`] lets it show the command line as well.
///
/// # Errors
/// [`Error::Io`] if the folder or a file cannot be written: every file there is then a whole one, old or new.
///
/// ```no_run
/// # fn f(outcome: &thinnet::training::experiment::Outcome) -> thinnet::Result<()> {
/// for path in thinnet::report::write(outcome, "thinnet-report".as_ref())? {
///     println!("{}", path.display());
/// }
/// # Ok(())
/// # }
/// ```
pub fn write(outcome: &Outcome, folder: &Path) -> Result<Vec<PathBuf>> {
    Report::new(outcome).write(folder)
}

/// A report, with what the outcome itself does not know.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    outcome: &'a Outcome,
    command: Option<&'a str>,
}

impl<'a> Report<'a> {
    /// A report on `outcome`.
    #[must_use]
    pub fn new(outcome: &'a Outcome) -> Self {
        Self { outcome, command: None }
    }

    /// The command line that repeats the run, shown on the page as it is given.
    #[must_use]
    pub fn command(self, command: &'a str) -> Self {
        Self { command: Some(command), ..self }
    }

    /// The files' names and contents.
    ///
    /// # Errors
    /// [`Error::Report`] if one cannot be made, which no outcome is known to cause.
    pub fn files(self) -> Result<Vec<(&'static str, Vec<u8>)>> {
        let outcome = self.outcome;
        let page = || page::html(outcome, self.command).map_err(Error::report("report.html"));
        let labels = page::curves(outcome);
        let picture = || {
            let plot = |title, images| (title, labels.as_slice(), Panel::accuracies(outcome, images));
            plot::picture(&[plot("Train accuracy", Images::Train), plot("Val accuracy", Images::Val)])
                .map_err(Error::report("accuracy.png"))
        };
        Ok(vec![
            ("report.html", page()?),
            ("accuracy.png", picture()?),
            ("history.csv", tables::history_csv(outcome)?),
            ("loss.csv", tables::loss_csv(outcome)?),
            ("experiment.json", tables::json(outcome).map_err(Error::report("experiment.json"))?),
        ])
    }

    /// Writes the files into `folder`; see [`write()`].
    ///
    /// # Errors
    /// [`Error::Io`] if the folder or a file cannot be written.
    pub fn write(self, folder: &Path) -> Result<Vec<PathBuf>> {
        files::write_all(folder, &self.files()?)
    }
}

#[cfg(test)]
mod samples {
    //! Small outcomes for the tests of this module.

    use crate::float::Dtype;
    use crate::optim::OptimiserKind;
    use crate::training::Accuracies;
    use crate::training::experiment::{NetworkRun, Outcome, Settings};

    /// An outcome of networks given as (keep, training accuracies, validation accuracies).
    pub(super) fn outcome(networks: &[(f64, &[f64], &[f64])]) -> Outcome {
        Outcome {
            settings: Settings {
                data: "a sample".to_owned(),
                classes: crate::data::CIFAR10_CLASSES.map(str::to_owned).to_vec(),
                num_train: 500,
                num_val: 1000,
                keep: networks.iter().map(|n| n.0).collect(),
                hidden: vec![500],
                epochs: networks.iter().map(|n| n.1.len().saturating_sub(1)).max().unwrap_or(0),
                batch_size: 100,
                update_rule: OptimiserKind::Adam,
                learning_rate: 5e-4,
                reg: 0.0,
                seed: 231,
                dtype: Dtype::F64,
                threads: 1,
                engine: crate::engine::EngineKind::Auto,
            },
            networks: networks
                .iter()
                .map(|&(keep, train, val)| NetworkRun {
                    keep,
                    history: Accuracies {
                        loss: vec![2.3; 5 * train.len().saturating_sub(1)],
                        epoch: (0..train.len()).collect(),
                        train_accuracy: train.to_vec(),
                        val_accuracy: val.to_vec(),
                    },
                    seconds: 0.5,
                    end: None,
                })
                .collect(),
            seconds: 1.0,
        }
    }
}
