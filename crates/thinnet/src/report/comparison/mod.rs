//! The report that compares runs which were trained each on its own, and experiments.
//!
//! | file | what it holds |
//! |---|---|
//! | `report.html` | the page: which network is best and whether that is more than chance, curves, a table, differences |
//! | `curves.png` | training and validation accuracy (or R squared) over epochs |
//! | `comparison.csv` | a line a network: its settings, means and standard deviations over its seeds |
//! | `runs.csv` | a line a run |
//!
//! Runs whose settings differ only in the seed are one network. One idea a file: `facts` (what is known of a run), `groups` (what is one network, and how networks
//! differ), `curves`, `summary` (sentences), `page`.

mod curves;
mod facts;
mod groups;
mod page;
mod summary;

use std::path::{Path, PathBuf};

use super::plot;
use crate::error::{Error, Result};
use crate::files;
use crate::sweep::{Measure, Table, figures_csv};
pub use facts::ComparedRun;
use facts::{COMPARISON_CSV, PAGE, PICTURE, RUNS_CSV};
use groups::Groups;

/// A report on runs.
#[derive(Debug)]
pub struct ComparisonReport<'a> {
    groups: Groups<'a>,
    command: Option<&'a str>,
}

impl<'a> ComparisonReport<'a> {
    /// A report on these runs, in this order. Others are compared with the first.
    ///
    /// # Errors
    /// [`Error::Configuration`] for fewer than two runs, and for runs of both classes and numbers.
    pub fn new(runs: &'a [ComparedRun]) -> Result<Self> {
        let [first, rest @ ..] = runs else {
            return Err(Error::configuration("there is no run to report on"));
        };
        if rest.is_empty() {
            return Err(Error::configuration(format!(
                "{} is the only run: a comparison needs two or more",
                first.name
            )));
        }
        let measure = Measure::of(&first.config);
        if let Some(other) = rest.iter().find(|run| Measure::of(&run.config) != measure) {
            let task = |run: &ComparedRun| match Measure::of(&run.config) {
                Measure::Accuracy => "classes",
                Measure::R2 => "numbers",
            };
            return Err(Error::configuration(format!(
                "{} predicts {} and {} predicts {}: these cannot be compared",
                first.name,
                task(first),
                other.name,
                task(other)
            )));
        }
        Ok(Self { groups: Groups::of(runs)?, command: None })
    }

    /// The command line that makes the report again, shown on the page as it is given.
    #[must_use]
    pub fn command(self, command: &'a str) -> Self {
        Self { command: Some(command), ..self }
    }

    /// What the figures show, in sentences, the most important first.
    pub fn sentences(&self) -> Vec<String> {
        summary::sentences(&self.groups)
    }

    /// The networks' figures, in the order of their first runs. The first key is `network`, what tells a network from the others.
    pub fn table(&self) -> Table {
        let name = |group: &groups::Group<'_>| vec![group.label.as_str().into()];
        self.groups.table(vec!["network".to_owned()], name)
    }

    /// The files' names and contents. The page has no links to the runs' own, which [`ComparisonReport::write`] makes.
    ///
    /// # Errors
    /// [`Error::Report`] if one cannot be made, which no runs are known to cause.
    pub fn files(&self) -> Result<Vec<(&'static str, Vec<u8>)>> {
        self.files_in(None)
    }

    /// - `folder`: where the page will be
    fn files_in(&self, folder: Option<&Path>) -> Result<Vec<(&'static str, Vec<u8>)>> {
        let groups = &self.groups;
        let plots = curves::plots(groups);
        let labels = curves::legend(groups);
        let picture: Vec<_> =
            plots.iter().take(2).map(|plot| (plot.title, labels.as_slice(), plot.panel.clone())).collect();
        let page = page::html(groups, &plots, &labels, self.command, folder);
        Ok(vec![
            (PAGE, page.map_err(Error::report(PAGE))?),
            (PICTURE, plot::picture(&picture).map_err(Error::report(PICTURE))?),
            (COMPARISON_CSV, groups.table(groups.keys.clone(), |group| group.values.clone()).csv()?),
            (RUNS_CSV, self.runs_csv()?),
        ])
    }

    /// A line a run, with its network's number in `comparison.csv`.
    fn runs_csv(&self) -> Result<Vec<u8>> {
        let runs = self.groups.all.iter().enumerate().flat_map(|(number, group)| {
            let line = move |run: &&ComparedRun| {
                let seed = run.config.train.seed.to_string();
                (vec![(number + 1).to_string(), run.name.clone(), seed], run.figures())
            };
            group.runs.iter().map(line)
        });
        figures_csv(RUNS_CSV, self.groups.measure, &["point", "run", "seed"], runs)
    }

    /// Writes the files into `folder`, which is made if it does not exist; gives their paths. The page links to the runs' own pages.
    ///
    /// # Errors
    /// Those of [`ComparisonReport::files`], and [`Error::Io`] if the folder or a file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<Vec<PathBuf>> {
        files::write_all(folder, &self.files_in(Some(folder))?)
    }
}
