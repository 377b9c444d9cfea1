//! The report of an ensemble: what its networks reach together, and each by itself.

use std::path::{Path, PathBuf};

use askama::Template;

use super::axis::Axis;
use super::bands::banded;
use super::chance::Chance;
use super::confusion::{Confusion, confusion_csv};
use super::look::{Entry, Look, Plot, float, legend, percent, words};
use super::panels::{LossScale, Panel, Series};
use super::plot::{self, DrawingError, Label};
use super::run::settings;
use crate::error::{Error, Result};
use crate::files;
use crate::training::{Epoch, Member, RunHistory, Score, Task, TrainingConfig};

/// An ensemble, and all that its report tells of it. It writes
///
/// | file | what it holds |
/// |---|---|
/// | `report.html` | one page that needs no other file and no network |
/// | `curves.png` | accuracy (or R squared) and loss over epochs |
/// | `members.csv` | the results of each network |
/// | `confusion.csv` | the confusion matrix, where there is one |
#[derive(Debug, Clone, Copy)]
pub struct EnsembleReport<'a> {
    /// Its settings.
    pub config: &'a TrainingConfig,
    /// Each network's results and epochs.
    pub members: &'a [(Member, RunHistory)],
    /// The ensemble's score on the validation samples.
    pub val: Score,
    /// Its score on the test samples, if there are any.
    pub test: Option<Score>,
    /// The classes' names, by label; of a regression, the targets' names.
    pub classes: &'a [String],
    /// Where the samples come from, for people.
    pub data: &'a str,
    /// The shape of one sample: `[channels, height, width]` of an image, `[numbers]` of other samples.
    pub shape: &'a [usize],
    /// How often each true class (row) was taken for each class (column), (C, C): of the test samples if `test` is there,
    /// otherwise of the validation samples.
    pub confusion: Option<&'a ndarray::Array2<usize>>,
    /// Seconds that all training steps took together.
    pub seconds: f64,
}

/// What the template is filled with; it escapes all but the drawings.
#[derive(Template)]
#[template(path = "ensemble.html")]
struct Page {
    look: Look,
    headline: String,
    sentences: Vec<String>,
    legend: Vec<Entry>,
    plots: Vec<Plot>,
    columns: Vec<String>,
    rows: Vec<(String, Vec<String>)>,
    confusion: Option<Confusion>,
    settings: Vec<(&'static str, String)>,
    toml: String,
}

/// A figure of a score: its name, what it is, and how it is shown.
type Figure = (&'static str, fn(&Score) -> Option<f64>, fn(f64) -> String);

const FIGURES: [Figure; 4] = [
    ("loss", |score| Some(score.loss), float),
    ("accuracy", |score| score.accuracy, percent),
    ("top-5", |score| score.top5, percent),
    ("R squared", |score| score.r2, float),
];

/// The styles of curves, and what they are called.
const TRAIN: (usize, &str) = (0, "training, mean of the networks");
const VAL: (usize, &str) = (1, "validation, mean of the networks");
const TOGETHER: (usize, &str) = (2, "validation, the ensemble");

impl EnsembleReport<'_> {
    /// The files as bytes, by name.
    ///
    /// # Errors
    /// [`Error::Shape`] for a confusion matrix that does not fit the classes; [`Error::Report`] if a file cannot be made,
    /// which no ensemble is known to cause.
    pub fn files(self) -> Result<Vec<(&'static str, Vec<u8>)>> {
        let counted = if self.test.is_some() { "test" } else { "validation" };
        let confusion =
            self.confusion.map(|matrix| Confusion::new(matrix, self.classes, counted)).transpose()?;
        let toml = self.config.to_toml()?;
        let plots = self.plots();
        let labels = labels();
        let picture: Vec<_> =
            plots.iter().map(|(title, _, panel)| (*title, labels.as_slice(), panel.clone())).collect();
        let mut all = vec![
            ("report.html", self.page(plots, confusion, toml).map_err(Error::report("report.html"))?),
            ("curves.png", plot::picture(&picture).map_err(Error::report("curves.png"))?),
            ("members.csv", self.table()?),
        ];
        if let Some(matrix) = self.confusion {
            all.push(("confusion.csv", confusion_csv(matrix, self.classes)?));
        }
        Ok(all)
    }

    /// Writes the files into `folder`, which is made if need be; gives their paths.
    ///
    /// # Errors
    /// Those of [`EnsembleReport::files`], and [`Error::Io`] if the folder or a file cannot be written: every file there is
    /// then a whole one, old or new.
    pub fn write(self, folder: &Path) -> Result<Vec<PathBuf>> {
        files::write_all(folder, &self.files()?)
    }

    fn page(
        self,
        plots: Vec<(&'static str, String, Panel)>,
        confusion: Option<Confusion>,
        toml: String,
    ) -> std::result::Result<Vec<u8>, DrawingError> {
        let mut sentences = self.sentences().into_iter();
        let (columns, rows) = self.rows();
        let page = Page {
            look: Look::new(),
            headline: sentences.next().unwrap_or_default(),
            sentences: sentences.collect(),
            legend: legend(&labels())?,
            plots: plots
                .into_iter()
                .map(|(title, words, panel)| Plot::new(title, words, &panel))
                .collect::<std::result::Result<_, _>>()?,
            columns,
            rows,
            confusion,
            settings: settings(self.config, self.data, self.shape, self.classes),
            toml,
        };
        Ok(page.render()?.into_bytes())
    }

    /// What decides between models: accuracy, R squared or the loss, on test samples if there are any.
    fn judged(&self) -> (&'static str, Figure, Score) {
        let what = if self.test.is_some() { "test" } else { "validation" };
        let score = self.test.unwrap_or(self.val);
        let figure = FIGURES.into_iter().skip(1).find(|(_, figure, _)| figure(&score).is_some());
        (what, figure.unwrap_or(FIGURES[0]), score)
    }

    fn sentences(&self) -> Vec<String> {
        let (what, (name, figure, show), score) = self.judged();
        let own = |member: &Member| figure(if what == "test" { member.test.as_ref()? } else { &member.val });
        let each: Vec<f64> = self.members.iter().filter_map(|(member, _)| own(member)).collect();
        let count = self.members.len();
        let value = figure(&score).map_or_else(String::new, show);
        let mut sentences = vec![format!("Together, the {count} networks have the {what} {name} {value}.")];
        if let (Some(least), Some(most)) =
            (each.iter().copied().reduce(f64::min), each.iter().copied().reduce(f64::max))
        {
            sentences.push(format!(
                "Each by itself has from {} to {}, {} on average.",
                show(least),
                show(most),
                show(each.iter().sum::<f64>() / each.len() as f64)
            ));
        }
        sentences.push(format!("All training steps together took {} seconds.", float(self.seconds)));
        sentences
    }

    /// The columns of the table after the first, and its rows.
    fn rows(&self) -> (Vec<String>, Vec<(String, Vec<String>)>) {
        let shown: Vec<Figure> =
            FIGURES.into_iter().filter(|(_, figure, _)| figure(&self.val).is_some()).collect();
        let parts = if self.test.is_some() { vec!["Validation", "Test"] } else { vec!["Validation"] };
        let column =
            |part: &str| -> Vec<String> { shown.iter().map(|(name, ..)| format!("{part} {name}")).collect() };
        let cells = |score: Option<&Score>| -> Vec<String> {
            let cell = |(_, figure, show): &Figure| score.and_then(figure).map_or_else(String::new, show);
            shown.iter().map(cell).collect()
        };
        let row = |epoch: String, val: &Score, test: Option<&Score>| {
            let test = if self.test.is_some() { cells(test) } else { Vec::new() };
            [vec![epoch], cells(Some(val)), test].concat()
        };
        let together = ("The ensemble".to_owned(), row(String::new(), &self.val, self.test.as_ref()));
        let each = self.members.iter().zip(1..).map(|((member, _), number)| {
            let name = format!("Network {number} (seed {})", member.seed);
            (name, row(member.epoch.to_string(), &member.val, member.test.as_ref()))
        });
        let columns = [vec!["Epoch".to_owned()], parts.into_iter().flat_map(column).collect()].concat();
        (columns, [together].into_iter().chain(each).collect())
    }

    /// A row for each network.
    fn table(&self) -> Result<Vec<u8>> {
        let scores = ["loss", "accuracy", "top5", "r2"];
        let names = ["val", "test"].map(|part| scores.map(|score| format!("{part}_{score}")));
        files::csv("members.csv", |table| {
            let head = ["member", "seed", "epoch"].map(str::to_owned);
            table.write_record(head.into_iter().chain(names.into_iter().flatten()))?;
            for ((member, _), number) in self.members.iter().zip(1..) {
                let of = |score: Option<&Score>| {
                    FIGURES.map(|(_, figure, _)| {
                        score.and_then(figure).map_or_else(String::new, |value| value.to_string())
                    })
                };
                let facts = [number.to_string(), member.seed.to_string(), member.epoch.to_string()];
                let val = of(Some(&member.val)).into_iter().chain(of(member.test.as_ref()));
                table.write_record(facts.into_iter().chain(val))?;
            }
            Ok(())
        })
    }

    /// Titles, words for who cannot see, and panels.
    fn plots(&self) -> Vec<(&'static str, String, Panel)> {
        let chance = Chance::of(self.classes.len());
        let (title, quality, show): Figure = match self.config.model.task {
            Task::Classification => ("Accuracy", |score| score.accuracy, percent),
            Task::Regression => ("R squared", |score| score.r2, float),
        };
        let values = |figure: fn(&Score) -> Option<f64>| -> Vec<f64> {
            let epochs = self.members.iter().flat_map(|(_, history)| &history.epochs);
            let each = epochs.flat_map(|epoch| [figure(&epoch.train), figure(&epoch.val)]);
            each.chain([figure(&self.val)]).flatten().collect()
        };
        let of_quality = values(quality);
        let (axis, chance) = match self.config.model.task {
            Task::Classification => (Chance::axis(chance.as_ref(), of_quality.into_iter()), chance),
            Task::Regression => (Axis::plain(of_quality.into_iter()), None),
        };
        let scale = LossScale::of(values(|score| Some(score.loss)).into_iter());
        let first = self.panel("", axis, quality, &|value| value);
        let first = Panel { chance, ..first };
        let loss_axis = scale.axis.clone();
        let second = self.panel(scale.text(), loss_axis, |score| Some(score.loss), &|loss| scale.place(loss));
        vec![
            (title, self.words(&format!("{title} over epochs"), quality, show), first),
            ("Loss", self.words("Loss over epochs", |score| Some(score.loss), float), second),
        ]
    }

    fn panel(
        &self,
        y_text: &'static str,
        axis: Axis,
        figure: fn(&Score) -> Option<f64>,
        place: &dyn Fn(f64) -> f64,
    ) -> Panel {
        let over = |of: fn(&Epoch) -> &Score| -> Vec<Vec<(usize, f64)>> {
            let value = |epoch: &Epoch| (epoch.epoch, figure(of(epoch)).map_or(f64::NAN, place));
            self.members.iter().map(|(_, history)| history.epochs.iter().map(value).collect()).collect()
        };
        let (train, train_band) = banded(TRAIN.0, TRAIN.1, &over(|epoch| &epoch.train));
        let (val, val_band) = banded(VAL.0, VAL.1, &over(|epoch| &epoch.val));
        let last = self.members.iter().map(|(_, history)| history.epochs.len()).max().unwrap_or(1);
        let level = figure(&self.val).map_or(f64::NAN, place);
        let together = Series {
            style: TOGETHER.0,
            name: TOGETHER.1.to_owned(),
            values: vec![(1, level), (last.max(2), level)],
        };
        let mut panel = Panel::over_epochs(y_text, 1, axis, vec![train, val, together]);
        panel.bands = train_band.into_iter().chain(val_band).collect();
        panel
    }

    fn words(&self, what: &str, figure: fn(&Score) -> Option<f64>, show: fn(f64) -> String) -> String {
        let last = |of: fn(&Epoch) -> &Score| {
            let ends = self.members.iter().filter_map(|(_, history)| figure(of(history.epochs.last()?)));
            ends.collect::<Vec<f64>>()
        };
        let curves = [
            (TRAIN.1, last(|epoch| &epoch.train)),
            (VAL.1, last(|epoch| &epoch.val)),
            (TOGETHER.1, figure(&self.val).into_iter().collect()),
        ];
        words(what, curves.into_iter(), show)
    }
}

fn labels() -> Vec<Label> {
    [TRAIN, VAL, TOGETHER].into_iter().map(|(style, name)| (style, name.to_owned())).collect()
}
