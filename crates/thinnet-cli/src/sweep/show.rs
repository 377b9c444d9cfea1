//! The display of a running sweep: a bar, one line per run if there is no bar, or JSON.

use serde::Serialize;
use serde_json::{Map, Value, json};
use thinnet::run::Message;
use thinnet::sweep::{Measure, Names, Outcome, Plan, Row, Run, RunFigures, SweepFolder, Table};

use crate::failure::Failure;
use crate::figures::{figure, percent, plural};
use crate::output::Output;

/// The text before the bar.
const NAME: &str = "sweep";

/// Shows a sweep.
pub(crate) struct Show<'a> {
    output: &'a mut Output,
    folder: &'a SweepFolder,
    plan: &'a Plan,
    names: Names,
    outcomes: Vec<Option<Outcome>>,
    quiet: bool,
    json: bool,
    /// Completed epochs of each run.
    epochs: Vec<usize>,
    /// How many runs this process has, of the plan or of its shard.
    runs: usize,
}

impl<'a> Show<'a> {
    /// Shows a sweep; these runs have ended before.
    pub(crate) fn new(
        output: &'a mut Output,
        folder: &'a SweepFolder,
        outcomes: Vec<Option<Outcome>>,
        quiet: bool,
        json: bool,
    ) -> Self {
        let plan = folder.plan();
        let epochs = vec![0; plan.runs.len()];
        let runs = (0..plan.runs.len()).filter(|&run| folder.has(run)).count();
        let names = Names::new(&plan.space.keys());
        Self { output, folder, plan, names, outcomes, quiet, json, epochs, runs }
    }

    /// Describes the runs to be trained.
    pub(crate) fn begin(&mut self, waiting: &[usize], jobs: usize) {
        if self.quiet || self.json {
            return;
        }
        let (points, seeds) = (self.plan.points.len(), self.plan.config.seeds);
        let shard = match self.folder.shard() {
            Some(shard) => format!(", {} in shard {shard}", self.runs),
            None => String::new(),
        };
        let before = match self.runs - waiting.len() {
            0 => String::new(),
            before => format!(", {before} already done"),
        };
        self.output.note(&format!(
            "{} ({} of settings x {}){shard}{before}, {jobs} at a time, in {}",
            plural(self.plan.runs.len(), "run"),
            plural(points, "combination"),
            plural(seeds, "seed"),
            self.folder.path().display()
        ));
        let steps =
            waiting.iter().filter_map(|&run| self.plan.runs.get(run)).map(|run| run.config.train.epochs);
        self.output.start_bar(NAME.to_owned(), steps.sum());
        self.beside_the_bar();
    }

    /// Shows the progress of a run.
    pub(crate) fn message(&mut self, message: Message) -> Result<(), Failure> {
        match message {
            Message::Epochs { run, done } => {
                if let Some(epochs) = self.epochs.get_mut(run) {
                    *epochs = done;
                }
                self.output.advance(self.epochs.iter().sum());
                Ok(())
            }
            Message::Ended { run: index, outcome } => {
                let plan = self.plan;
                let (Some(run), Some(place)) = (plan.runs.get(index), self.outcomes.get_mut(index)) else {
                    return Ok(());
                };
                *place = Some(outcome.clone());
                if let Some(epochs) = self.epochs.get_mut(index) {
                    *epochs = run.config.train.epochs; // skipped epochs count as done
                }
                self.output.advance(self.epochs.iter().sum());
                self.beside_the_bar();
                self.ended(run, &outcome)
            }
        }
    }

    /// Removes the bar, and returns how all runs ended.
    pub(crate) fn finish(self) -> Vec<Option<Outcome>> {
        self.output.end_bar();
        self.outcomes
    }

    /// Shows that a run ended.
    fn ended(&self, run: &Run, outcome: &Outcome) -> Result<(), Failure> {
        if self.json {
            return self.output.json(&Ended::new(self.plan, run, outcome));
        }
        let line = format!("[{}/{}] {}: {}", self.done(), self.runs, run.name, self.told(run, outcome));
        match outcome {
            Outcome::Failed { .. } => self.output.note(&line),
            Outcome::Finished(_) if self.quiet || self.output.has_bar() => {}
            Outcome::Finished(_) => self.output.line(&line)?,
        }
        Ok(())
    }

    /// A run's settings and its result.
    fn told(&self, run: &Run, outcome: &Outcome) -> String {
        let label = self.names.point(values(self.plan, run.point));
        match outcome {
            Outcome::Failed { reason, .. } => format!("{label} failed: {reason}"),
            Outcome::Finished(RunFigures { best_val_score, best_epoch, seconds, .. }) => {
                let measure = Measure::of(&run.config);
                let (name, shown): (_, fn(f64) -> String) = match measure {
                    Measure::Accuracy => (measure.name(), percent),
                    Measure::R2 => (measure.name(), figure),
                };
                let score = best_val_score.map_or_else(|| "-".to_owned(), shown);
                let epoch = best_epoch.map_or_else(String::new, |epoch| format!(" in epoch {epoch}"));
                format!("{label}  val {name} {score}{epoch}, {seconds:.1} s")
            }
        }
    }

    fn done(&self) -> usize {
        let own = self.outcomes.iter().enumerate().filter(|(run, _)| self.folder.has(*run));
        own.filter(|(_, outcome)| outcome.is_some()).count()
    }

    /// Completed runs and the best result so far.
    fn beside_the_bar(&self) {
        if !self.output.has_bar() {
            return;
        }
        let table = Table::new(self.plan, &self.outcomes);
        let done = format!("{}/{} runs", self.done(), self.runs);
        let best = table.rows.first().filter(|row| row.best.is_some()).map_or_else(String::new, |row| {
            let score = format!(", best {}", table.score(row.best));
            // There must be space for the bar as well.
            let taken = done.chars().count() + score.chars().count() + " ()".len();
            let room = Output::room_beside_bar(NAME).saturating_sub(taken);
            match self.names.point_within(&row.values, room) {
                Some(label) => format!("{score} ({label})"),
                None => score,
            }
        });
        self.output.message(done + &best);
    }
}

/// A point's values of the settings that are varied.
fn values(plan: &Plan, point: usize) -> &[toml::Value] {
    plan.points.get(point).map(|point| &point.values[..]).unwrap_or_default()
}

/// A point's settings as JSON.
fn settings(plan: &Plan, point: usize) -> Value {
    let json = |value: &toml::Value| serde_json::to_value(value).unwrap_or(Value::Null);
    let pairs = plan.space.keys().into_iter().zip(values(plan, point).iter().map(json));
    Value::Object(pairs.collect::<Map<_, _>>())
}

/// A run that ended, as a JSON object.
#[derive(Serialize)]
struct Ended<'a> {
    event: &'static str,
    run: &'a str,
    point: usize,
    seed: u32,
    settings: Value,
    measure: &'static str,
    #[serde(flatten)]
    outcome: &'a Outcome,
}

impl<'a> Ended<'a> {
    fn new(plan: &Plan, run: &'a Run, outcome: &'a Outcome) -> Self {
        let (point, seed) = (run.point + 1, run.seed);
        let measure = Measure::of(&run.config).name();
        Self {
            event: "run",
            run: &run.name,
            point,
            seed,
            settings: settings(plan, run.point),
            measure,
            outcome,
        }
    }
}

/// The sweep's end, as a JSON object.
pub(crate) fn end(folder: &SweepFolder, table: &Table) -> Value {
    let (finished, failed, unfinished) = table.counts();
    let best = |row: &Row| {
        let best = row.best?;
        Some(json!({
            "point": row.point + 1,
            "settings": settings(folder.plan(), row.point),
            "mean": best.mean,
            "sd": best.sd,
            "seeds": best.count,
        }))
    };
    json!({
        "event": "end",
        "folder": folder.path(),
        "shard": folder.shard().map(|shard| shard.to_string()),
        "runs": folder.plan().runs.len(),
        "finished": finished,
        "failed": failed,
        "unfinished": unfinished,
        "measure": table.measure.name(),
        "best": table.rows.first().and_then(best),
    })
}
