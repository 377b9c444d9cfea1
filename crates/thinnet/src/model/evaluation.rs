//! Evaluates a model on rows with known targets, part by part.

use ndarray::{Array2, ArrayView2, Axis};
use serde::Serialize;

use super::Model;
use super::averages::Averages;
use super::intervals::{self, Spread};
use super::trust::{Tally, Trust};
use crate::data::{Rows, Targets};
use crate::error::{Error, Result, ensure};
use crate::float::Float;
use crate::layers::{Loss, argmax, rank};
use crate::training::MOST_COUNTED;

/// The top-5 accuracy counts samples whose true class is among this many scores.
const TOP: usize = 5;

/// The results of an evaluation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evaluation {
    /// N.
    pub samples: usize,
    /// For classes: the share of samples with the true class as the highest score, 0..=1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<f64>,
    /// For more than five classes: the share of samples with the true class among the five highest scores, 0..=1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top5: Option<f64>,
    /// For classes: the mean of `-log(probability of the true class)`, natural logarithm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_loss: Option<f64>,
    /// For classes: how far the probabilities can be trusted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trust: Option<Trust>,
    /// One pass without masks compared with averages over masks, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub averages: Option<Averages>,
    /// The results of each class, by label; empty if numbers are predicted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<ClassFigures>,
    /// How often each class (row) was predicted as each class (column); `None` for more than [`MOST_COUNTED`]
    /// classes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(serialize_with = "rows")]
    pub confusion: Option<Array2<usize>>,
    /// The results of each target, by column; empty if classes are predicted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<TargetFigures>,
}

/// The results of one class. A ratio with denominator 0 is 0, as in scikit-learn.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassFigures {
    /// Its name.
    pub name: String,
    /// The number of its samples.
    pub samples: usize,
    /// Of the samples predicted as this class, the share that belongs to it.
    pub precision: f64,
    /// Of the samples of this class, the share that is predicted as it.
    pub recall: f64,
    /// The harmonic mean of both.
    pub f1: f64,
}

/// The results of one target, in its units.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TargetFigures {
    /// Its name.
    pub name: String,
    /// The root mean squared error.
    pub rmse: f64,
    /// The mean absolute error.
    pub mae: f64,
    /// The explained share of its variance, at most 1; `None` if all its numbers are equal.
    pub r2: Option<f64>,
    /// How far its intervals can be trusted.
    #[serde(flatten)]
    pub spread: Spread,
}

/// The matrix row by row.
#[allow(clippy::ref_option, reason = "serde passes a reference to the field")]
fn rows<S: serde::Serializer>(
    matrix: &Option<Array2<usize>>,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    let rows = matrix.iter().flat_map(|matrix| matrix.rows()).map(|row| row.to_vec());
    serializer.collect_seq(rows)
}

/// Evaluates a model on rows that come in parts.
pub struct Evaluator<'a, F: Float> {
    model: &'a Model<F>,
    samples: usize,
    log_loss: f64,
    top: usize,
    trust: Tally,
    of_classes: Vec<Counts>,
    confusion: Option<Array2<usize>>,
    targets: Vec<(Errors, intervals::Tally)>,
}

/// How often a class was the true one, the predicted one, and both.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    samples: usize,
    taken: usize,
    hits: usize,
}

/// The errors of one target, and its variance (Welford, "Note on a Method for Calculating Corrected Sums of Squares
/// and Products", 1962).
#[derive(Debug, Clone, Copy, Default)]
struct Errors {
    squares: f64,
    sizes: f64,
    mean: f64,
    variation: f64,
}

impl<F: Float> Model<F> {
    /// Evaluates the model on these rows; their targets are in the units of the data.
    ///
    /// # Errors
    /// [`Error::Shape`] for another D or another number of outputs; [`Error::Configuration`] for classes if the model
    /// predicts numbers, or the other way round; [`Error::Data`] if there are no rows.
    ///
    /// ```
    /// # use ndarray::Array2;
    /// # use thinnet::{data::Rows, model::Model, training::TrainingConfig};
    /// # fn main() -> thinnet::Result<()> {
    /// # let x = Array2::from_shape_fn((60, 2), |(row, column)| (row % 2 == column) as u8 as f32 + 0.01 * row as f32);
    /// # let rows = Rows::with_classes(x, (0..60).map(|row| row % 2).collect(), 2)?;
    /// # let mut settings = TrainingConfig::default();
    /// # settings.set(&"model.hidden=[8]".parse()?)?;
    /// # settings.set(&"optim.learning_rate=0.05".parse()?)?;
    /// let model = Model::fit(&rows, &settings)?;
    /// let evaluation = model.evaluate(&rows.to_f64())?;
    /// assert!(evaluation.accuracy > Some(0.5) && evaluation.classes.len() == 2);
    /// # Ok(()) }
    /// ```
    pub fn evaluate(&self, rows: &Rows<f64>) -> Result<Evaluation> {
        let mut evaluator = Evaluator::new(self);
        evaluator.add(rows)?;
        evaluator.finish()
    }
}

impl<'a, F: Float> Evaluator<'a, F> {
    /// An evaluation without rows so far.
    pub fn new(model: &'a Model<F>) -> Self {
        let outputs = model.preprocessing.names.len();
        let is_regression = model.preprocessing.targets.is_some();
        let classes = if is_regression { 0 } else { outputs };
        Self {
            model,
            samples: 0,
            log_loss: 0.0,
            top: 0,
            trust: Tally::default(),
            of_classes: vec![Counts::default(); classes],
            confusion: (!is_regression && classes <= MOST_COUNTED).then(|| Array2::zeros((classes, classes))),
            targets: vec![Default::default(); outputs - classes],
        }
    }

    /// Evaluates the model on these rows too.
    ///
    /// # Errors
    /// As [`Model::evaluate`].
    pub fn add(&mut self, rows: &Rows<f64>) -> Result<()> {
        let (own, other) = (self.model.preprocessing.targets.is_some(), rows.is_regression());
        let what = |numbers: bool| if numbers { "numbers" } else { "classes" };
        if own != other {
            return Err(Error::configuration(format!(
                "the model predicts {}, but these rows have {}",
                what(own),
                what(other)
            )));
        }
        let outputs = self.model.preprocessing.names.len();
        ensure!(rows.num_outputs() <= outputs, Error::shape(what(own), outputs, rows.num_outputs()));
        let scores = self.model.outputs(rows.x())?;
        match rows.targets() {
            Targets::Classes(labels) => self.add_classes(scores.view(), labels)?,
            Targets::Values(numbers) => self.add_numbers(scores.view(), numbers),
        }
        Ok(())
    }

    fn add_classes(&mut self, scores: ArrayView2<'_, F>, labels: &[usize]) -> Result<()> {
        if labels.is_empty() {
            return Ok(());
        }
        let tempered = self.model.tempered(scores.to_owned());
        let (loss, _) = Loss::Softmax.evaluate(tempered.view(), labels.into(), None)?;
        self.log_loss += loss.as_f64() * labels.len() as f64;
        let probabilities = Loss::Softmax.predict(tempered);
        for ((row, probabilities), &label) in scores.rows().into_iter().zip(probabilities.rows()).zip(labels)
        {
            let taken = argmax(row);
            self.trust.add(probabilities.iter().copied(), label, taken);
            self.of_classes[label].samples += 1;
            self.of_classes[taken].taken += 1;
            self.of_classes[label].hits += usize::from(taken == label);
            if let Some(confusion) = &mut self.confusion {
                confusion[[label, taken]] += 1;
            }
            self.top += usize::from(rank(row, label) < TOP);
        }
        self.samples += labels.len();
        Ok(())
    }

    fn add_numbers(&mut self, outputs: ArrayView2<'_, F>, numbers: ArrayView2<'_, f64>) {
        let objective = self.model.objective();
        let (each, point) = (objective.scores_per_target(), objective.point());
        for (row, truth) in outputs.rows().into_iter().zip(numbers.rows()) {
            self.samples += 1;
            let targets = self.targets.iter_mut().zip(row.axis_chunks_iter(Axis(0), each));
            for (((errors, intervals), own), &truth) in targets.zip(truth) {
                intervals.add(&objective, own, truth);
                let error = own[point].as_f64() - truth;
                errors.squares += error * error;
                errors.sizes += error.abs();
                let delta = truth - errors.mean;
                errors.mean += delta / self.samples as f64;
                errors.variation += delta * (truth - errors.mean);
            }
        }
    }

    /// The results for all rows.
    ///
    /// # Errors
    /// [`Error::Data`] if there were no rows.
    pub fn finish(self) -> Result<Evaluation> {
        ensure!(self.samples > 0, Error::data("there are no samples to evaluate the model on"));
        let (n, names) = (self.samples as f64, &self.model.preprocessing.names);
        let regression = self.model.preprocessing.targets.is_some();
        let share = |part: usize, whole: usize| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
        let counted = self.of_classes.iter().zip(names);
        let classes = counted.map(|(&Counts { samples, taken, hits }, name)| ClassFigures {
            name: name.clone(),
            samples,
            precision: share(hits, taken),
            recall: share(hits, samples),
            f1: share(2 * hits, samples + taken),
        });
        let right = self.of_classes.iter().map(|counts| counts.hits).sum();
        let conformal = self.model.trained.conformal.as_ref();
        let objective = self.model.objective();
        let targets = self.targets.into_iter().zip(names).enumerate();
        let targets = targets.map(|(target, ((errors, intervals), name))| TargetFigures {
            name: name.clone(),
            spread: intervals.finish(&objective, conformal, target),
            rmse: (errors.squares / n).sqrt(),
            mae: errors.sizes / n,
            r2: (errors.variation > 0.0).then(|| 1.0 - errors.squares / errors.variation),
        });
        let of_classes = |value: f64| (!regression).then_some(value);
        let trust = if regression { None } else { Some(self.trust.finish(-self.log_loss / n)?) };
        Ok(Evaluation {
            samples: self.samples,
            accuracy: of_classes(share(right, self.samples)),
            top5: of_classes(share(self.top, self.samples)).filter(|_| names.len() > TOP),
            log_loss: of_classes(self.log_loss / n),
            trust,
            averages: None,
            classes: classes.collect(),
            targets: targets.collect(),
            confusion: self.confusion,
        })
    }
}
