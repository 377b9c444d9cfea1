//! Predictions that hold the truth with a given probability: sets of classes, and intervals of numbers.

use ndarray::{Array2, ArrayView2, Axis};

use super::Model;
use crate::data::Features;
use crate::error::{Error, Result};
use crate::float::Float;
use crate::training::{Task, class_score, interval};

impl<F: Float> Model<F> {
    /// A set of classes for each of N samples, the most probable first. The true class is in it with the probability
    /// `coverage`, on average over samples like those that the model was trained on: see [`Conformal`](crate::training::Conformal). A set may be
    /// empty: then no class is as probable as true classes are.
    ///
    /// # Errors
    /// As [`Model::predict`]; as [`Model::radii`].
    ///
    /// ```
    /// # use ndarray::Array2;
    /// # use thinnet::{data::Rows, model::Model, training::TrainingConfig};
    /// # fn main() -> thinnet::Result<()> {
    /// # let x = Array2::from_shape_fn((90, 2), |(row, column)| (row % 2 == column) as u8 as f32 + 0.01 * row as f32);
    /// # let rows = Rows::with_classes(x.clone(), (0..90).map(|row| row % 2).collect(), 2)?;
    /// # let mut settings = TrainingConfig::default();
    /// # settings.set(&"model.hidden=[8]".parse()?)?;
    /// let model = Model::fit(&rows, &settings)?;
    /// let sets = model.predict_sets(&x, 0.9)?;
    /// assert!(sets.len() == 90 && sets.iter().all(|set| set.len() <= 2));
    /// # Ok(()) }
    /// ```
    pub fn predict_sets(&self, x: impl Into<Features<f64>>, coverage: f64) -> Result<Vec<Vec<usize>>> {
        let probabilities = self.predict_proba(x)?;
        let radius = self.radii(coverage)?[0];
        Ok(probabilities.rows().into_iter().map(|row| prediction_set(row.iter().copied(), radius)).collect())
    }

    /// The lower and the upper ends (N, K) of an interval for each number of a regression, in the units of the training
    /// data. The true number is between them with the probability `coverage`, as in [`Model::predict_sets`]; for each
    /// number by itself, not for all K together.
    ///
    /// # Errors
    /// As [`Model::predict_numbers`]; as [`Model::radii`].
    pub fn predict_intervals(
        &self,
        x: impl Into<Features<f64>>,
        coverage: f64,
    ) -> Result<(Array2<f64>, Array2<f64>)> {
        self.task(Task::Regression)?;
        let [low, high] = self.intervals(self.outputs(&x.into())?.view(), &self.radii(coverage)?);
        Ok((low, high))
    }

    /// The lower and the upper ends (N, K) of the intervals around a regression's outputs that reach this far.
    ///
    /// - `outputs`: (N, K times [`scores_per_target`](crate::layers::Objective::scores_per_target)), of [`Model::outputs`]
    /// - `radii`: K, of [`Model::radii`]
    pub fn intervals(&self, outputs: ArrayView2<'_, F>, radii: &[f64]) -> [Array2<f64>; 2] {
        let objective = self.objective();
        let mut ends = [(); 2].map(|()| Array2::zeros((outputs.nrows(), radii.len())));
        for (sample, row) in outputs.rows().into_iter().enumerate() {
            let targets = row.axis_chunks_iter(Axis(0), objective.scores_per_target());
            for (target, (own, &radius)) in targets.zip(radii).enumerate() {
                let found = interval(&objective, own, radius);
                ends.iter_mut().zip(found).for_each(|(ends, end)| ends[[sample, target]] = end);
            }
        }
        ends
    }

    /// How far sets and intervals reach: for classes one number, and a class is in the set if one minus its probability
    /// is not larger; for a regression one number for each target, with which [`interval`] makes intervals.
    ///
    /// # Errors
    /// [`Error::Configuration`] unless 0 < `coverage` < 1, if the model has too few validation samples for it, or if it
    /// has no conformal scores: an older version made it, or [`Model::uncalibrated`] took them.
    pub fn radii(&self, coverage: f64) -> Result<Vec<f64>> {
        let conformal = self.trained.conformal.as_ref().ok_or_else(|| {
            Error::configuration(
                "the model has no scores of its validation samples, which a coverage needs; train it again with this version",
            )
        })?;
        conformal.radii(coverage)
    }
}

/// The classes of one sample whose probability is large enough, the most probable first.
///
/// - `probabilities`: C; `radius`: of [`Model::radii`]
pub fn prediction_set<F: Float>(probabilities: impl Iterator<Item = F>, radius: f64) -> Vec<usize> {
    let scores = probabilities.map(class_score).enumerate();
    let mut classes: Vec<(usize, f64)> = scores.filter(|(_, score)| *score <= radius).collect();
    classes.sort_by(|one, other| one.1.total_cmp(&other.1));
    classes.into_iter().map(|(class, _)| class).collect()
}
