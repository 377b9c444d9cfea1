//! Evaluates a network on rows during training.

use ndarray::{Array2, ArrayView2, Axis};

use super::{Score, TrainingConfig};
use crate::data::{Features, Rows, Stored, Targets};
use crate::engine::{Engine, Inputs};
use crate::error::{Error, Result};
use crate::float::Float;
use crate::layers::{Objective, argmax, rank};
use crate::random::RandomState;

/// The top-5 accuracy counts samples whose true class is among this many scores.
const TOP: usize = 5;

/// Confusion is counted for at most this many classes: memory and files grow with their square.
pub const MOST_COUNTED: usize = 1000;

/// What a run checks at the end of each epoch, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checks {
    /// The training rows that are checked.
    pub train: CheckRows,
    /// The validation rows that are checked.
    pub val: CheckRows,
    /// Whether they are also checked after the first step: that network may be the best.
    pub first_step: bool,
    /// Whether only accuracies are needed: then images of bytes are classified faster, and losses are NaN.
    pub accuracy_alone: bool,
    /// Re-seeds NumPy's stream after each check, as a seeded dropout layer of the course does even in test mode.
    pub reseed: Option<u32>,
    /// Whether a loss or a parameter that is not finite ends the run.
    pub stop_when_diverged: bool,
}

/// Which rows are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckRows {
    /// All of them.
    All,
    /// The first ones, this many; all if there are fewer.
    First(usize),
    /// This many, drawn each time with replacement from the stream of the batches; all if there are fewer.
    Drawn(usize),
}

impl Checks {
    /// As the settings say: the first training rows, and all validation rows.
    pub fn of(config: &TrainingConfig) -> Self {
        Self {
            train: config.train.check_samples.map_or(CheckRows::All, CheckRows::First),
            val: CheckRows::All,
            first_step: false,
            accuracy_alone: false,
            reseed: None,
            stop_when_diverged: true,
        }
    }

    /// As in the course's solver: only accuracies, also after the first step, on at most 1000 drawn training rows and
    /// on all validation rows.
    pub fn course() -> Self {
        Self {
            train: CheckRows::Drawn(1000),
            val: CheckRows::All,
            first_step: true,
            accuracy_alone: true,
            reseed: None,
            stop_when_diverged: true,
        }
    }
}

/// Rows that are checked repeatedly.
#[derive(Debug)]
pub(super) struct CheckedRows<'a, F> {
    rows: &'a Rows<F>,
    part: Chosen<F>,
}

/// Which of them.
#[derive(Debug)]
enum Chosen<F> {
    /// The first ones, this many, in the engine's form.
    Loaded(Inputs<F>, usize),
    /// All of them, if they stay in a file; they are read each time.
    Stored,
    /// This many, drawn each time.
    Drawn(usize),
}

impl<'a, F: Float> CheckedRows<'a, F> {
    /// Converts rows that are checked every time to the engine's form.
    pub(super) fn new(engine: &dyn Engine<F>, rows: &'a Rows<F>, which: CheckRows) -> Result<Self> {
        let total = rows.len();
        let part = match which {
            _ if total == 0 => return Err(Error::data("there are no samples to check the network on")),
            CheckRows::First(0) | CheckRows::Drawn(0) => {
                return Err(Error::configuration("the number of samples to check must be at least 1, got 0"));
            }
            CheckRows::Drawn(count) if count < total => Chosen::Drawn(count),
            CheckRows::First(count) if count < total => {
                Chosen::Loaded(engine.load(rows.slice(0, count).x())?, count)
            }
            _ => match rows.x() {
                Features::Stored(_) => Chosen::Stored,
                x => Chosen::Loaded(engine.load(x)?, total),
            },
        };
        Ok(Self { rows, part })
    }

    /// The network's score on them; rows are drawn with `random`.
    pub(super) fn score(
        &self,
        engine: &dyn Engine<F>,
        (objective, accuracy_alone): (&Objective, bool),
        random: &mut RandomState,
    ) -> Result<Score> {
        let score = |inputs: &Inputs<F>, rows: &Rows<F>| match rows.targets() {
            Targets::Classes(labels) if accuracy_alone => {
                let classes = engine.classes(inputs)?;
                let correct = classes.iter().zip(labels).filter(|(class, label)| class == label).count();
                let accuracy = Some(correct as f64 / labels.len() as f64);
                Ok(Score { loss: f64::NAN, accuracy, ..Score::default() })
            }
            targets => score(engine.scores(inputs)?.view(), targets, objective),
        };
        match &self.part {
            Chosen::Stored => judge(engine, self.rows, objective).map(|(score, _)| score),
            Chosen::Loaded(inputs, count) if *count == self.rows.len() => score(inputs, self.rows),
            Chosen::Loaded(inputs, count) => score(inputs, &self.rows.slice(0, *count)),
            Chosen::Drawn(count) => {
                let drawn = self.rows.select(&random.choice(self.rows.len(), *count)?)?;
                score(&engine.load(drawn.x())?, &drawn)
            }
        }
    }
}

/// The score of a network on all of these rows, and how often each class (row) is predicted as each class (column);
/// `None` for numbers, and for more than [`MOST_COUNTED`] classes.
pub(super) fn judge<F: Float>(
    engine: &dyn Engine<F>,
    rows: &Rows<F>,
    objective: &Objective,
) -> Result<(Score, Option<Array2<usize>>)> {
    judge_scores(scores_of(engine, rows, objective)?.view(), rows, objective)
}

/// The same for scores (N, C) that are known.
pub(super) fn judge_scores<F: Float>(
    scores: ArrayView2<'_, F>,
    rows: &Rows<F>,
    objective: &Objective,
) -> Result<(Score, Option<Array2<usize>>)> {
    let confusion = (!rows.is_regression() && scores.ncols() <= MOST_COUNTED).then(|| {
        let mut counts = Array2::zeros((scores.ncols(), scores.ncols()));
        for (row, &label) in scores.rows().into_iter().zip(rows.labels()) {
            counts[[label, argmax(row)]] += 1;
        }
        counts
    });
    Ok((score(scores, rows.targets(), objective)?, confusion))
}

/// The scores (N, C) of rows, in memory or not.
pub(super) fn scores_of<F: Float>(
    engine: &dyn Engine<F>,
    rows: &Rows<F>,
    objective: &Objective,
) -> Result<Array2<F>> {
    let outputs = rows.num_outputs() * objective.scores_per_target();
    match rows.x() {
        Features::Stored(stored) => scores_of_stored(engine, stored, outputs),
        x => engine.scores(&engine.load(x)?),
    }
}

/// The scores (N, C) of rows that stay in a file; one block at a time is in memory.
fn scores_of_stored<F: Float>(
    engine: &dyn Engine<F>,
    stored: &Stored<Features<F>>,
    outputs: usize,
) -> Result<Array2<F>> {
    let mut scores = Array2::zeros((stored.dim().0, outputs));
    stored.each_block(|block, rows| {
        let of_block = engine.scores(&engine.load(&block)?)?;
        for &(index, row) in rows {
            scores.row_mut(index).assign(&of_block.row(row));
        }
        Ok(())
    })?;
    Ok(scores)
}

/// Loss and accuracies of scores (N, C).
fn score<F: Float>(
    scores: ArrayView2<'_, F>,
    targets: Targets<'_, F>,
    objective: &Objective,
) -> Result<Score> {
    let (value, _) = objective.evaluate(scores, targets, None)?;
    let mut score = Score { loss: value.as_f64(), ..Score::default() };
    match targets {
        Targets::Classes(labels) => {
            let (mut first, mut top) = (0usize, 0usize);
            for (row, &label) in scores.rows().into_iter().zip(labels) {
                let rank = rank(row, label);
                first += usize::from(rank == 0);
                top += usize::from(rank < TOP);
            }
            let share = |count: usize| count as f64 / labels.len().max(1) as f64;
            score.accuracy = Some(share(first));
            score.top5 = (scores.ncols() > TOP).then(|| share(top));
        }
        Targets::Values(values) => {
            let mean = values.mapv(F::as_f64).mean_axis(Axis(0)).unwrap_or_default();
            let (mut residual, mut total) = (0.0, 0.0);
            let guesses = objective.points(objective.predict(scores.to_owned()).view());
            for (row, target) in guesses.rows().into_iter().zip(values.rows()) {
                for ((s, t), mean) in row.iter().zip(target).zip(&mean) {
                    let (s, t) = (s.as_f64(), t.as_f64());
                    residual += (s - t) * (s - t);
                    total += (t - mean) * (t - mean);
                }
            }
            score.r2 = (total > 0.0).then(|| 1.0 - residual / total);
        }
    }
    Ok(score)
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;
    use crate::layers::Loss;

    #[test]
    fn accuracies_count_ranks_and_the_first_of_equals() {
        let scores = array![
            [6.0, 5.0, 4.0, 3.0, 2.0, 1.0, 0.0],
            [6.0, 5.0, 4.0, 3.0, 2.0, 1.0, 0.0],
            [6.0, 5.0, 4.0, 3.0, 2.0, 1.0, 0.0],
            [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0],
        ];
        let found = score(scores.view(), Targets::Classes(&[0, 4, 5, 0]), &Loss::Softmax.into()).unwrap();
        assert_eq!((found.accuracy, found.top5, found.r2), (Some(0.5), Some(0.75), None));
        let few = array![[1.0, 2.0], [2.0, 1.0]];
        let found = score(few.view(), Targets::Classes(&[1, 1]), &Loss::Softmax.into()).unwrap();
        assert_eq!((found.accuracy, found.top5), (Some(0.5), None));
    }

    #[test]
    fn r_squared_is_one_less_the_residuals_share() {
        let targets = array![[1.0], [2.0], [3.0]];
        let of = |scores: Array2<f64>| {
            score(scores.view(), Targets::Values(targets.view()), &Loss::SquaredError.into()).unwrap()
        };
        assert_eq!(of(targets.clone()).r2, Some(1.0));
        assert_eq!(of(array![[2.0], [2.0], [2.0]]).r2, Some(0.0));
        assert_eq!(of(array![[2.0], [2.0], [3.0]]).r2, Some(0.5));
        let constant = array![[1.0], [1.0]];
        let found =
            score(constant.view(), Targets::Values(constant.view()), &Loss::SquaredError.into()).unwrap();
        assert_eq!(found.r2, None);
    }
}
