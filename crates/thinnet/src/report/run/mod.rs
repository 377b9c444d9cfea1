//! The report of one training run: a page, and what of it is worth a file of its own.
//!
//! | file | what it holds |
//! |---|---|
//! | `report.html` | one page without scripts that needs no network: figures, curves, confusion matrix, weights, settings |
//! | `curves.png` | accuracy (or R squared) and loss over epochs |
//! | `weights.png` | the first layer's weights as images, where samples are images |
//! | `confusion.csv` | the confusion matrix, where there is one |
//!
//! One idea a file: `summary` (sentences), `curves` (plots), `page`.

mod curves;
mod page;
mod summary;

use std::path::{Path, PathBuf};

use ndarray::{Array2, ArrayView2};

use super::confusion::confusion_csv;
use super::plot;
use super::weights::weights_png;
use crate::error::{Error, Result};
use crate::files;
use crate::training::{RunHistory, Score, TrainingConfig};

/// A training run, and all that its report tells of it.
///
/// ```no_run
/// # use thinnet::training::{RunHistory, TrainingConfig};
/// # fn f(config: &TrainingConfig, history: &RunHistory, classes: &[String]) -> thinnet::Result<()> {
/// use thinnet::report::RunReport;
///
/// let report = RunReport {
///     config,
///     history,
///     classes,
///     data: "the embedded CIFAR-10 sample",
///     shape: &[3, 32, 32],
///     first_layer: None,
///     confusion: None,
///     test: None,
///     command: Some("thinnet train config.toml"),
///     seconds: 12.5,
///     finished: true,
/// };
/// report.write("runs/first".as_ref())?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct RunReport<'a> {
    /// Its settings.
    pub config: &'a TrainingConfig,
    /// Its epochs.
    pub history: &'a RunHistory,
    /// The classes' names, by label; of a regression, none.
    pub classes: &'a [String],
    /// Where the samples come from, for people.
    pub data: &'a str,
    /// The shape of one sample: `[channels, height, width]` of an image, `[numbers]` of other samples.
    pub shape: &'a [usize],
    /// The first layer's weights (D, H), D being the product of `shape`.
    pub first_layer: Option<ArrayView2<'a, f64>>,
    /// How often each true class (row) was taken for each class (column), (C, C): of the test samples if `test` is there,
    /// otherwise of the validation samples.
    pub confusion: Option<&'a Array2<usize>>,
    /// The kept model's score on test samples.
    pub test: Option<Score>,
    /// The command line that repeats the run, shown on the page as it is given; without it, `thinnet train config.toml`.
    pub command: Option<&'a str>,
    /// Seconds that its training steps took.
    pub seconds: f64,
    /// Whether the run came to its end: its last epoch, or one without which it was to stop.
    pub finished: bool,
}

impl RunReport<'_> {
    /// The files' names and contents: `report.html` and `curves.png`, then `weights.png` and `confusion.csv` where the run
    /// has what they show.
    ///
    /// # Errors
    /// [`Error::Shape`] for weights or a confusion matrix that do not fit samples or classes; [`Error::Report`] if a file
    /// cannot be made, which no run is known to cause.
    pub fn files(&self) -> Result<Vec<(&'static str, Vec<u8>)>> {
        let weights = match self.first_layer {
            Some(w1) => weights_png(w1, self.shape)?,
            None => None,
        };
        let plots = curves::plots(self);
        let picture: Vec<_> =
            plots.iter().map(|plot| (plot.title, plot.labels.as_slice(), plot.panel.clone())).collect();
        let mut files = vec![
            ("report.html", page::html(self, &plots, weights.as_ref())?),
            ("curves.png", plot::picture(&picture).map_err(Error::report("curves.png"))?),
        ];
        if let Some((png, _)) = weights {
            files.push(("weights.png", png));
        }
        if let Some(matrix) = self.confusion {
            files.push(("confusion.csv", confusion_csv(matrix, self.classes)?));
        }
        Ok(files)
    }

    /// Writes the files into `folder`, which is made if need be; gives their paths.
    ///
    /// # Errors
    /// Those of [`RunReport::files`], and [`Error::Io`] if the folder or a file cannot be written: every file there is then
    /// a whole one, old or new.
    pub fn write(&self, folder: &Path) -> Result<Vec<PathBuf>> {
        files::write_all(folder, &self.files()?)
    }
}
