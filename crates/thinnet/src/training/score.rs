//! How a network does on samples that it does not learn from.

use ndarray::{Array2, ArrayView2, Axis};

use super::Score;
use super::data::Labelled;
use crate::engine::{Engine, Inputs};
use crate::error::{Error, Result};
use crate::float::Float;
use crate::layers::{Loss, Targets, argmax};
use crate::random::RandomState;

/// Scores among which the true class has to be for the top-5 accuracy.
const TOP: usize = 5;

/// Samples that are checked time and again, in the engine's form.
#[derive(Debug)]
pub(super) struct Check<F> {
    inputs: Inputs<F>,
    samples: Labelled<F>,
}

impl<F: Float> Check<F> {
    /// Brings samples into the engine's form.
    pub(super) fn new(engine: &dyn Engine<F>, samples: Labelled<F>) -> Result<Self> {
        if samples.is_empty() {
            return Err(Error::data("there are no samples to check the network on"));
        }
        Ok(Self { inputs: engine.load(&samples.x)?, samples })
    }

    /// The network's score on them.
    pub(super) fn score(
        &self,
        engine: &mut dyn Engine<F>,
        loss: Loss,
        random: &mut RandomState,
    ) -> Result<Score> {
        let scores = engine.scores(&self.inputs, random)?;
        score(scores.view(), self.samples.targets(), loss)
    }

    /// How often each class (row) is taken for each (column).
    pub(super) fn confusion(
        &self,
        engine: &mut dyn Engine<F>,
        random: &mut RandomState,
    ) -> Result<Option<Array2<usize>>> {
        let Targets::Classes(labels) = self.samples.targets() else { return Ok(None) };
        let scores = engine.scores(&self.inputs, random)?;
        let mut counts = Array2::zeros((scores.ncols(), scores.ncols()));
        for (row, &label) in scores.rows().into_iter().zip(labels) {
            counts[[label, argmax(row)]] += 1;
        }
        Ok(Some(counts))
    }
}

/// Loss and accuracies of scores (N, C).
fn score<F: Float>(scores: ArrayView2<'_, F>, targets: Targets<'_, F>, loss: Loss) -> Result<Score> {
    let (value, _) = loss.evaluate(scores, targets, None)?;
    let mut score = Score { loss: value.as_f64(), ..Score::default() };
    match targets {
        Targets::Classes(labels) => {
            let (mut first, mut top) = (0usize, 0usize);
            for (row, &label) in scores.rows().into_iter().zip(labels) {
                // Ahead of it are higher scores, and equal ones of classes before it.
                let own = row[label];
                let ahead =
                    row.iter().enumerate().filter(|&(class, &s)| s > own || (s == own && class < label));
                let rank = ahead.count();
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
            for (row, target) in scores.rows().into_iter().zip(values.rows()) {
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

    #[test]
    fn accuracies_count_ranks_and_the_first_of_equals() {
        let scores = array![
            [6.0, 5.0, 4.0, 3.0, 2.0, 1.0, 0.0],
            [6.0, 5.0, 4.0, 3.0, 2.0, 1.0, 0.0],
            [6.0, 5.0, 4.0, 3.0, 2.0, 1.0, 0.0],
            [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0],
        ];
        let found = score(scores.view(), Targets::Classes(&[0, 4, 5, 0]), Loss::Softmax).unwrap();
        assert_eq!((found.accuracy, found.top5, found.r2), (Some(0.5), Some(0.75), None));
        let few = array![[1.0, 2.0], [2.0, 1.0]];
        let found = score(few.view(), Targets::Classes(&[1, 1]), Loss::Softmax).unwrap();
        assert_eq!((found.accuracy, found.top5), (Some(0.5), None));
    }

    #[test]
    fn r_squared_is_one_less_the_residuals_share() {
        let targets = array![[1.0], [2.0], [3.0]];
        let of = |scores: Array2<f64>| {
            score(scores.view(), Targets::Values(targets.view()), Loss::SquaredError).unwrap()
        };
        assert_eq!(of(targets.clone()).r2, Some(1.0));
        assert_eq!(of(array![[2.0], [2.0], [2.0]]).r2, Some(0.0));
        assert_eq!(of(array![[2.0], [2.0], [3.0]]).r2, Some(0.5));
        let constant = array![[1.0], [1.0]];
        let found = score(constant.view(), Targets::Values(constant.view()), Loss::SquaredError).unwrap();
        assert_eq!(found.r2, None);
    }
}
