//! The report of a sweep: a page, a picture, and tables for other programs.
//!
//! | file | what it holds |
//! |---|---|
//! | `report.html` | one page that needs no other file and no network: what is best, plots, table, settings |
//! | `accuracy.png`, `r2.png` | validation accuracy (or R squared) over the first setting that is varied |
//! | `sweep.csv` | a line a point: means and standard deviations over its seeds |
//! | `runs.csv` | a line a run |
//! | `config.toml` | the settings that are not varied, from which the sweep can be repeated |
//!
//! One idea a file: `effects` (what a setting does), `parallel` (all points at once), `draw` (how both are drawn), `summary`
//! (sentences), `page`.

mod draw;
mod effects;
mod page;
mod parallel;
mod summary;

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::files;
use crate::sweep::{Outcome, Plan, Table, runs_csv};
use effects::{Effect, picture_name};

/// The names that a report's files can have.
pub const FILES: [&str; 6] =
    ["report.html", "accuracy.png", "r2.png", "sweep.csv", "runs.csv", "config.toml"];

/// A sweep, finished or not, and what came of its runs.
#[derive(Debug, Clone, Copy)]
pub struct SweepReport<'a> {
    /// Its runs.
    pub plan: &'a Plan,
    /// How each of them ended, in the plan's order; `None` for one that has not.
    pub outcomes: &'a [Option<Outcome>],
}

impl SweepReport<'_> {
    /// The files' names and contents. The picture is left out where there is nothing to draw: no setting with two values, or no
    /// figures. The page has no links to runs, which [`SweepReport::write`] makes.
    ///
    /// # Errors
    /// [`Error::Report`] if one cannot be made, which no sweep is known to cause.
    pub fn files(self) -> Result<Vec<(&'static str, Vec<u8>)>> {
        self.files_in(None)
    }

    /// - `folder`: that of the sweep, to link the runs that have a page there
    fn files_in(self, folder: Option<&Path>) -> Result<Vec<(&'static str, Vec<u8>)>> {
        let Self { plan, outcomes } = self;
        let table = Table::new(plan, outcomes);
        let effects = Effect::all(plan, &table);
        let links = page::Links::of(plan, folder);
        let page = page::html(plan, &table, &effects, links).map_err(Error::report("report.html"))?;
        let mut files = vec![("report.html", page)];
        if let Some(effect) = effects.first() {
            let name = picture_name(table.measure);
            files.push((name, draw::picture(effect).map_err(Error::report(name))?));
        }
        files.push(("sweep.csv", table.csv()?));
        files.push(("runs.csv", runs_csv(plan, outcomes)?));
        files.push(("config.toml", plan.config.base.to_toml()?.into_bytes()));
        Ok(files)
    }

    /// Writes the files into `folder`, which is made if need be; gives their paths. Where the folder is the sweep's own, the
    /// page links to the pages of its runs.
    ///
    /// # Errors
    /// [`Error::Io`] if the folder or a file cannot be written: every file there is then a whole one, old or new.
    pub fn write(self, folder: &Path) -> Result<Vec<PathBuf>> {
        files::write_all(folder, &self.files_in(Some(folder))?)
    }
}
