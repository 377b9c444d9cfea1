//! Results: each point's means and standard deviations over its seeds.

use toml::Value;

use super::outcome::{Measure, Outcome, RunFigures};
use super::plan::Plan;
use super::space::label;
use crate::error::Result;
use crate::files;
use crate::text::{aligned, joined};

/// A column for programs: its name and its figure.
type Column<'a, T, V> = (&'a str, fn(&T) -> Option<V>);

/// A mean over runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stat {
    /// The number of runs.
    pub count: usize,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation, with `count - 1` in the denominator; `None` for a single run.
    pub sd: Option<f64>,
}

impl Stat {
    /// The mean and standard deviation of these values; `None` if there are none.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let values: Vec<f64> = values.into_iter().collect();
        let count = values.len();
        if count == 0 {
            return None;
        }
        let mean = values.iter().sum::<f64>() / count as f64;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        Some(Self { count, mean, sd: (count > 1).then(|| (squares / (count - 1) as f64).sqrt()) })
    }

    /// The mean without its standard deviation.
    pub(crate) fn alone(self) -> Self {
        Self { sd: None, ..self }
    }
}

/// The results of a point.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The point's place in [`Plan::points`].
    pub point: usize,
    /// Its values, one for each key.
    pub values: Vec<Value>,
    /// Finished runs.
    pub finished: usize,
    /// Failed runs.
    pub failed: usize,
    /// Runs that are not finished yet.
    pub unfinished: usize,
    /// Validation score of the best epoch.
    pub best: Option<Stat>,
    /// Validation loss of the best epoch.
    pub best_loss: Option<Stat>,
    /// Validation score of the last epoch.
    pub last: Option<Stat>,
    /// Validation loss of the last epoch.
    pub last_loss: Option<Stat>,
    /// Training score of the last epoch.
    pub train: Option<Stat>,
    /// Training minus validation score of the last epoch.
    pub gap: Option<Stat>,
    /// Epochs that were trained.
    pub epochs: Option<Stat>,
    /// Seconds of training.
    pub seconds: Option<Stat>,
}

/// A sweep's results.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The settings that are varied.
    pub keys: Vec<String>,
    /// The measure of the scores.
    pub measure: Measure,
    /// One row per point, the highest mean validation score first; points without a score last, in the plan's order.
    pub rows: Vec<Row>,
}

impl Table {
    /// The results of a plan's runs; `outcomes` has one for each of its runs, in order.
    pub fn new(plan: &Plan, outcomes: &[Option<Outcome>]) -> Self {
        let mut own: Vec<Vec<Option<&Outcome>>> = vec![Vec::new(); plan.points.len()];
        for (index, run) in plan.runs.iter().enumerate() {
            if let Some(own) = own.get_mut(run.point) {
                own.push(outcomes.get(index).and_then(Option::as_ref));
            }
        }
        let points = plan.points.iter().zip(&own).enumerate();
        let mut rows: Vec<Row> =
            points.map(|(number, (point, own))| row(number, point.values.clone(), own)).collect();
        // A stable sort: equal points stay in the plan's order.
        rows.sort_by(|a, b| match (a.best, b.best) {
            (Some(a), Some(b)) => b.mean.total_cmp(&a.mean),
            (a, b) => b.is_some().cmp(&a.is_some()),
        });
        Self { keys: plan.space.keys(), measure: Measure::of(&plan.config.base), rows }
    }

    /// The results of runs that were trained each on its own: a row for each group of them, in the given order. A figure that some
    /// run of a group lacks is in no mean.
    ///
    /// - `groups`: the group's values, one for each key, and the figures of its runs; `None` for a run without a finished epoch
    pub fn of_groups(
        keys: Vec<String>,
        measure: Measure,
        groups: Vec<(Vec<Value>, Vec<Option<RunFigures>>)>,
    ) -> Self {
        let rows = groups.into_iter().enumerate().map(|(number, (values, figures))| {
            let outcomes: Vec<Option<Outcome>> =
                figures.into_iter().map(|figures| figures.map(Outcome::Finished)).collect();
            let mut row = row(number, values, &outcomes.iter().map(Option::as_ref).collect::<Vec<_>>());
            let Row { finished, best, best_loss, last, last_loss, train, gap, .. } = &mut row;
            for stat in [best, best_loss, last, last_loss, train, gap] {
                *stat = stat.filter(|stat| stat.count == *finished);
            }
            row
        });
        Self { keys, measure, rows: rows.collect() }
    }

    /// Runs that are finished, failed and unfinished.
    pub fn counts(&self) -> (usize, usize, usize) {
        let sum = |count: fn(&Row) -> usize| self.rows.iter().map(count).sum();
        (sum(|row| row.finished), sum(|row| row.failed), sum(|row| row.unfinished))
    }

    /// The table for a terminal: columns of the varied keys, then of the figures, each a mean with its standard
    /// deviation over the seeds. Does not end with a line feed.
    pub fn text(&self) -> String {
        let mut header = self.keys.clone();
        header.extend(self.heads().map(str::to_owned));
        let mut lines = vec![header];
        for row in &self.rows {
            lines.push(row.values.iter().map(label).chain(self.cells(row)).collect());
        }
        let runs = lines[0].len() - 1; // is text as well
        let table = aligned(&lines, |column| column < self.keys.len() || column == runs);
        joined(table.into_iter().chain(self.missing()), "\n")
    }

    /// The headings of the columns of [`Table::cells`].
    pub fn heads(&self) -> [&'static str; 8] {
        let score = match self.measure {
            Measure::Accuracy => "val accuracy",
            Measure::R2 => "val R2",
        };
        [score, "val loss", "at the end", "train", "gap", "epochs", "seconds", "runs"]
    }

    /// A row's figures for display: means with standard deviations, mean epochs and seconds, and its runs.
    pub fn cells(&self, row: &Row) -> [String; 8] {
        let others = [(row.failed, " failed"), (row.unfinished, " unfinished")];
        let others = others.into_iter().filter(|(count, _)| *count > 0);
        let runs =
            [(row.finished, "")].into_iter().chain(others).map(|(count, what)| format!("{count}{what}"));
        [
            self.score(row.best),
            number(row.best_loss, 3),
            self.score(row.last),
            self.score(row.train),
            self.score(row.gap),
            number(row.epochs.map(Stat::alone), 1),
            number(row.seconds.map(Stat::alone), 1),
            joined(runs, ", "),
        ]
    }

    /// Sentences about runs that are not in the figures: failed runs and unfinished runs.
    pub fn missing(&self) -> Vec<String> {
        let (finished, failed, unfinished) = self.counts();
        let all = finished + failed + unfinished;
        let verb = |count: usize| if count == 1 { "is" } else { "are" };
        let mut sentences = Vec::new();
        if failed > 0 {
            sentences.push(format!("{failed} of {all} runs failed and {} in no figure.", verb(failed)));
        }
        if unfinished > 0 {
            sentences.push(format!("{unfinished} of {all} runs {} unfinished.", verb(unfinished)));
        }
        sentences
    }

    /// A score with its standard deviation: accuracies in per cent, R squared as a number.
    pub fn score(&self, stat: Option<Stat>) -> String {
        match self.measure {
            Measure::Accuracy => {
                let percent = |value: f64| value * 100.0;
                let stat = stat.map(|s| Stat { mean: percent(s.mean), sd: s.sd.map(percent), ..s });
                let text = number(stat, 1);
                if stat.is_some() { text + "%" } else { text }
            }
            Measure::R2 => number(stat, 4),
        }
    }

    /// `sweep.csv`: one line per point, in the table's order. Means and standard deviations have enough digits to
    /// read back the same float; missing values are empty.
    ///
    /// # Errors
    /// [`Error::Report`](crate::Error::Report) if it cannot be created; no table is known to cause this.
    pub fn csv(&self) -> Result<Vec<u8>> {
        let name = self.measure.name();
        let mut header: Vec<String> =
            ["point"].into_iter().map(str::to_owned).chain(self.keys.iter().cloned()).collect();
        header.extend(["finished", "failed", "unfinished"].map(str::to_owned));
        let stats: [Column<'_, Row, Stat>; 8] = [
            (&format!("best_val_{name}"), |row| row.best),
            ("best_val_loss", |row| row.best_loss),
            (&format!("final_val_{name}"), |row| row.last),
            ("final_val_loss", |row| row.last_loss),
            (&format!("train_{name}"), |row| row.train),
            ("gap", |row| row.gap),
            ("epochs", |row| row.epochs),
            ("seconds", |row| row.seconds),
        ];
        header.extend(stats.iter().flat_map(|(what, _)| [format!("{what}_mean"), format!("{what}_sd")]));
        let rows = self.rows.iter().map(|row| {
            let mut line = vec![(row.point + 1).to_string()];
            line.extend(row.values.iter().map(plain));
            line.extend([row.finished, row.failed, row.unfinished].map(|count| count.to_string()));
            for stat in stats.iter().map(|(_, stat)| stat(row)) {
                line.extend([exact(stat.map(|stat| stat.mean)), exact(stat.and_then(|stat| stat.sd))]);
            }
            line
        });
        write("sweep.csv", &header, rows)
    }
}

/// `runs.csv`: one line per run, in the plan's order, with the same format.
///
/// # Errors
/// [`Error::Report`](crate::Error::Report) if it cannot be created; no plan is known to cause this.
pub fn runs_csv(plan: &Plan, outcomes: &[Option<Outcome>]) -> Result<Vec<u8>> {
    let mut header: Vec<String> = ["run", "point", "seed"].map(str::to_owned).to_vec();
    header.extend(plan.space.keys());
    header.push("state".to_owned());
    let columns = figure_columns(Measure::of(&plan.config.base));
    header.extend(columns.iter().map(|(what, _)| what.clone()));
    header.push("reason".to_owned());
    let rows = plan.runs.iter().enumerate().map(|(index, run)| {
        let mut line = vec![run.name.clone(), (run.point + 1).to_string(), run.seed.to_string()];
        let values = plan.points.get(run.point).map(|point| &point.values[..]);
        line.extend(values.unwrap_or_default().iter().map(plain));
        let (state, figures, reason) = match outcomes.get(index).and_then(Option::as_ref) {
            None => ("unfinished", None, ""),
            Some(Outcome::Failed { reason, diverged: true }) => ("diverged", None, reason.as_str()),
            Some(Outcome::Failed { reason, .. }) => ("failed", None, reason.as_str()),
            Some(Outcome::Finished(figures)) => ("finished", Some(figures), ""),
        };
        line.push(state.to_owned());
        line.extend(columns.iter().map(|(_, figure)| exact(figures.and_then(figure))));
        line.push(reason.to_owned());
        line
    });
    write("runs.csv", &header, rows)
}

/// A line a run: cells of its own, and then its figures as `runs.csv` has them; empty for a run without figures.
///
/// - `file`: what messages call the table
/// - `lead`: the heads of the cells
///
/// # Errors
/// [`Error::Report`](crate::Error::Report) if it cannot be made, which no figures are known to cause.
pub fn figures_csv(
    file: &'static str,
    measure: Measure,
    lead: &[&str],
    runs: impl Iterator<Item = (Vec<String>, Option<RunFigures>)>,
) -> Result<Vec<u8>> {
    let columns = figure_columns(measure);
    let heads = lead.iter().map(|&head| head.to_owned());
    let header: Vec<String> = heads.chain(columns.iter().map(|(what, _)| what.clone())).collect();
    let rows = runs.map(|(mut line, figures)| {
        line.extend(columns.iter().map(|(_, figure)| exact(figures.as_ref().and_then(figure))));
        line
    });
    write(file, &header, rows)
}

/// A column's name and its figure.
type FigureColumn = (String, fn(&RunFigures) -> Option<f64>);

/// The columns of a run's figures in tables for programs.
fn figure_columns(measure: Measure) -> [FigureColumn; 10] {
    let name = measure.name();
    // A float that is whole is written like a count.
    [
        (format!("best_val_{name}"), |f| f.best_val_score),
        ("best_val_loss".to_owned(), |f| f.best_val_loss),
        ("best_epoch".to_owned(), |f| f.best_epoch.map(|epoch| epoch as f64)),
        (format!("final_val_{name}"), |f| f.final_val_score),
        ("final_val_loss".to_owned(), |f| f.final_val_loss),
        (format!("train_{name}"), |f| f.train_score),
        ("train_loss".to_owned(), |f| f.train_loss),
        ("gap".to_owned(), RunFigures::gap),
        ("epochs".to_owned(), |f| Some(f.epochs as f64)),
        ("seconds".to_owned(), |f| Some(f.seconds)),
    ]
}

/// The row of a point, given how each of its runs ended.
fn row(point: usize, values: Vec<Value>, own: &[Option<&Outcome>]) -> Row {
    let figures: Vec<&RunFigures> = own
        .iter()
        .filter_map(|outcome| match outcome {
            Some(Outcome::Finished(figures)) => Some(figures),
            _ => None,
        })
        .collect();
    let stat =
        |get: fn(&RunFigures) -> Option<f64>| Stat::of(figures.iter().filter_map(|figures| get(figures)));
    Row {
        point,
        values,
        finished: figures.len(),
        failed: own.iter().filter(|outcome| matches!(outcome, Some(Outcome::Failed { .. }))).count(),
        unfinished: own.iter().filter(|outcome| outcome.is_none()).count(),
        best: stat(|f| f.best_val_score),
        best_loss: stat(|f| f.best_val_loss),
        last: stat(|f| f.final_val_score),
        last_loss: stat(|f| f.final_val_loss),
        train: stat(|f| f.train_score),
        gap: stat(RunFigures::gap),
        epochs: stat(|f| Some(f.epochs as f64)),
        seconds: stat(|f| Some(f.seconds)),
    }
}

/// A mean and its standard deviation with this many decimals; a dash for none.
fn number(stat: Option<Stat>, decimals: usize) -> String {
    match stat {
        None => "-".to_owned(),
        Some(Stat { mean, sd: None, .. }) => format!("{mean:.decimals$}"),
        Some(Stat { mean, sd: Some(sd), .. }) => format!("{mean:.decimals$} ± {sd:.decimals$}"),
    }
}

/// A value in a table for programs: a string without quotes, anything else as in TOML.
fn plain(value: &Value) -> String {
    match value {
        Value::String(word) => word.clone(),
        other => other.to_string(),
    }
}

fn exact(value: Option<f64>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

fn write(
    file: &'static str,
    header: &[String],
    mut rows: impl Iterator<Item = Vec<String>>,
) -> Result<Vec<u8>> {
    files::csv(file, |table| {
        table.write_record(header)?;
        rows.try_for_each(|row| table.write_record(row))
    })
}
