//! The report of one training run: a page, and what of it is worth a file of its own.
//!
//! | file | what it holds |
//! |---|---|
//! | `report.html` | one page that needs no other file and no network: figures, curves, confusion matrix, weights, settings |
//! | `curves.png` | accuracy (or R squared) and loss over epochs |
//! | `weights.png` | the first layer's weights as images, where samples are images |
//! | `confusion.csv` | the confusion matrix, where there is one |
//!
//! One idea a file: `facts` (what there is to tell), `summary` (sentences), `curves` (plots), `page`.

mod curves;
mod facts;
mod page;
mod summary;

use std::path::{Path, PathBuf};

use super::confusion::confusion_csv;
use super::plot;
use super::weights::weights_png;
use crate::error::{Error, Result};
use crate::files;
pub use facts::RunReport;
pub(super) use page::settings;

impl RunReport<'_> {
    /// The files' names and contents: `report.html` and `curves.png`, then `weights.png` and `confusion.csv` where the run
    /// has what they show.
    ///
    /// # Errors
    /// [`Error::Shape`] for weights or a confusion matrix that do not fit samples or classes; [`Error::Report`] if a file
    /// cannot be made, which no run is known to cause.
    pub fn files(&self) -> Result<Vec<(&'static str, Vec<u8>)>> {
        let weights = self.first_layer.map(|w1| weights_png(w1, self.shape)).transpose()?.flatten();
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
