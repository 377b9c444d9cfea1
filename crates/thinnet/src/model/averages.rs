//! One pass with scaled weights compared with averages over dropout masks.

use ndarray::{Array2, ArrayView2, Axis};
use serde::Serialize;

use super::Model;
use super::monte_carlo::masked_engines;
use crate::data::{Rows, Targets};
use crate::engine::Engine;
use crate::error::{Error, Result, ensure};
use crate::float::Float;
use crate::layers::{Loss, argmax};
use crate::random::RandomState;
use crate::training::scaled_targets;

/// How good predictions of one kind are. A smaller log loss or error is better.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Quality {
    /// For classes: the share of samples that are classified correctly, 0..=1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<f64>,
    /// For classes: the mean of `-log(probability of the true class)`, natural logarithm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_loss: Option<f64>,
    /// For numbers: the root mean squared error over samples and targets, in scaled units.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rmse: Option<f64>,
}

/// Averages over the same masks.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct OverMasks {
    /// The number of masks for each sample.
    pub masks: u64,
    /// Of the mean of the predictions.
    pub arithmetic: Quality,
    /// For classes: of the geometric mean of the probabilities, which is divided by its sum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub geometric: Option<Quality>,
}

/// The three ways to predict with dropout (Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov, "Dropout", JMLR
/// 2014, section 7.5; Warde-Farley, Goodfellow, Courville and Bengio, "An Empirical Analysis of Dropout in Piecewise Linear
/// Networks", ICLR 2014).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Averages {
    /// The seed of the masks.
    pub seed: u64,
    /// Of one pass without masks: weight scaling, which inverted dropout has done in training.
    pub scaling: Quality,
    /// Of averages over more and more masks.
    pub over: Vec<OverMasks>,
}

/// Compares one pass without masks with averages over 1, 2, 5, 10 and more masks, on rows that come in parts.
pub struct Comparison<'a, F: Float> {
    model: &'a Model<F>,
    engine: Box<dyn Engine<F>>,
    seed: u64,
    steps: Vec<u64>,
    samples: usize,
    scaling: Tally,
    /// Of the arithmetic and the geometric mean, for each of the steps.
    over: Vec<[Tally; 2]>,
}

impl<'a, F: Float> Comparison<'a, F> {
    /// A comparison without rows so far.
    ///
    /// - `most`: the largest number of masks
    ///
    /// # Errors
    /// [`Error::Configuration`] for 0 masks, a model without dropout, or an ensemble.
    pub fn new(model: &'a Model<F>, most: u64, seed: u64) -> Result<Self> {
        let mut engines = masked_engines(model, most, seed)?;
        let engine = engines.swap_remove(0);
        ensure!(
            engines.is_empty(),
            Error::configuration(
                "averages over masks are compared for one network, and this model is an ensemble"
            )
        );
        let steps = steps(most);
        let over = vec![[Tally::default(); 2]; steps.len()];
        Ok(Self { model, engine, seed, steps, samples: 0, scaling: Tally::default(), over })
    }

    /// Compares on these rows too, whose targets are in the units of the data.
    ///
    /// - `goes_on`: called before each pass; when it returns `false`, the comparison ends
    ///
    /// # Errors
    /// [`Error::Configuration`] for classes if the model predicts numbers, or the other way round; [`Error::Shape`] for
    /// another D; [`Error::Interrupted`] if `goes_on` returned `false`.
    pub fn add(&mut self, rows: &Rows<f64>, goes_on: &mut dyn FnMut() -> bool) -> Result<()> {
        let model = self.model;
        let regression = model.preprocessing.targets.is_some();
        ensure!(
            rows.is_regression() == regression,
            Error::configuration("the rows do not have what the model predicts: classes, or numbers")
        );
        let scaled = match (rows.targets(), &model.preprocessing.targets) {
            (Targets::Values(truth), Some(scale)) => Some(scaled_targets(truth, scale)),
            _ => None,
        };
        let targets = scaled.as_ref().map_or(rows.targets(), |scaled| Targets::Values(scaled.view()));
        let inputs = self.engine.load(&model.preprocessing.inputs(rows.x())?)?;
        self.scaling.add(&point_predictions(model, self.engine.scores(&inputs)?), 0, targets);
        let (steps, over) = (&self.steps, &mut self.over);
        let most = steps.last().copied().unwrap_or(0);
        let (mut block, mut sums, mut drawn) = (0..0, None, 0);
        let random = &mut RandomState::new(0); // masks come from the engine's own stream
        self.engine.each_masked(&inputs, 0..most, self.samples, random, &mut |own, scores| {
            ensure!(goes_on(), Error::Interrupted { step: 0 });
            if own != block {
                (block, sums, drawn) = (own, None, 0);
            }
            let predicted = point_predictions(model, scores);
            // Probabilities that vanish stay comparable.
            let logs = predicted.mapv(|p| p.max(f64::MIN_POSITIVE).ln());
            let (sum, of_logs) = sums.get_or_insert_with(|| {
                (Array2::<f64>::zeros(predicted.raw_dim()), Array2::<f64>::zeros(predicted.raw_dim()))
            });
            *sum += &predicted;
            *of_logs += &logs;
            drawn += 1;
            if let Ok(place) = steps.binary_search(&drawn) {
                let count = drawn as f64;
                let [arithmetic, geometric] = &mut over[place];
                arithmetic.add(&(&*sum / count), block.start, targets);
                if !regression {
                    geometric.add(&Loss::Softmax.predict(&*of_logs / count), block.start, targets);
                }
            }
            Ok(())
        })?;
        self.samples += rows.len();
        Ok(())
    }

    /// The results for all rows.
    ///
    /// # Errors
    /// [`Error::Data`] if there were no rows.
    pub fn finish(self) -> Result<Averages> {
        ensure!(self.samples > 0, Error::data("there are no samples to compare averages on"));
        let regression = self.model.preprocessing.targets.is_some();
        let over = self.steps.into_iter().zip(self.over);
        let over = over.map(|(masks, [arithmetic, geometric])| OverMasks {
            masks,
            arithmetic: arithmetic.finish(regression),
            geometric: (!regression).then(|| geometric.finish(false)),
        });
        Ok(Averages { seed: self.seed, scaling: self.scaling.finish(regression), over: over.collect() })
    }
}

/// Probabilities (N, C), or best guesses (N, K) in scaled units.
fn point_predictions<F: Float>(model: &Model<F>, scores: Array2<F>) -> Array2<f64> {
    let objective = model.objective();
    let predicted = objective.predict(scores);
    let points = if objective.loss == Loss::Softmax { predicted } else { objective.points(predicted.view()) };
    points.mapv(F::as_f64)
}

/// 1, 2, 5, 10, 20 and so on, and the most at the end.
fn steps(most: u64) -> Vec<u64> {
    let decades = std::iter::successors(Some(1u64), |ten| ten.checked_mul(10));
    let mut steps: Vec<u64> = decades
        .flat_map(|ten| [1, 2, 5].map(|times| ten.saturating_mul(times)))
        .take_while(|&one| one < most)
        .collect();
    steps.push(most);
    steps
}

/// What is counted of samples.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    count: usize,
    right: usize,
    loss: f64,
    squares: f64,
}

impl Tally {
    /// Counts the samples from `first`, for which this was predicted: probabilities, or numbers in scaled units.
    fn add(&mut self, predicted: &Array2<f64>, first: usize, targets: Targets<'_, f64>) {
        match targets {
            Targets::Classes(labels) => self.classes(predicted.view(), &labels[first..]),
            Targets::Values(truth) => {
                let truth = truth.slice_axis(Axis(0), (first..first + predicted.nrows()).into());
                self.count += predicted.len();
                self.squares +=
                    predicted.iter().zip(truth).map(|(own, truth)| (own - truth).powi(2)).sum::<f64>();
            }
        }
    }

    fn classes(&mut self, predicted: ArrayView2<'_, f64>, labels: &[usize]) {
        for (row, &label) in predicted.rows().into_iter().zip(labels) {
            self.count += 1;
            self.right += usize::from(argmax(row) == label);
            let p = row.get(label).copied().unwrap_or(0.0);
            self.loss -= p.max(f64::MIN_POSITIVE).ln();
        }
    }

    fn finish(self, regression: bool) -> Quality {
        let n = self.count.max(1) as f64;
        if regression {
            return Quality { accuracy: None, log_loss: None, rmse: Some((self.squares / n).sqrt()) };
        }
        Quality { accuracy: Some(self.right as f64 / n), log_loss: Some(self.loss / n), rmse: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_end_with_the_most() {
        assert_eq!(steps(1), [1]);
        assert_eq!(steps(100), [1, 2, 5, 10, 20, 50, 100]);
        assert_eq!(steps(30), [1, 2, 5, 10, 20, 30]);
        assert!(steps(u64::MAX).len() < 80);
    }
}
