//! The losses: of classification with one label per sample or several, and of regression, each with weights for the
//! samples.

use ndarray::{Array2, ArrayView2, Zip};
use serde::{Deserialize, Serialize};

use super::activation::logistic;
use super::loss::{check_weights, weighted_softmax_loss};
use crate::data::Targets;
use crate::error::{Error, Result};
use crate::float::Float;
use crate::names::names;

/// A loss over scores (N, C), with the function that turns a score into a prediction. Each is the canonical pair of a
/// generalised linear model (McCullagh and Nelder 1989), so its gradient by the score is prediction minus target.
///
/// ```
/// use ndarray::array;
/// use thinnet::{data::Targets, layers::Loss};
/// # fn main() -> thinnet::Result<()> {
/// let (scores, targets) = (array![[1.0, 5.0]], array![[2.0, 5.0]]);
/// let (loss, gradient) = Loss::SquaredError.evaluate(scores.view(), Targets::Values(targets.view()), None)?;
/// assert_eq!((loss, gradient), (0.5, array![[-1.0, 0.0]]));
/// assert_eq!(Loss::Softmax.predict(array![[0.0, 0.0]]), array![[0.5, 0.5]]);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// One class per sample: cross-entropy of the softmax of all scores.
    #[default]
    Softmax,
    /// Targets 0 to 1, each output independently: `-(t log p + (1 - t) log(1 - p))` with `p = 1 / (1 + exp(-s))`.
    Logistic,
    /// Targets of any size: `0.5 (s - t)^2`.
    SquaredError,
    /// Targets that are counts or rates, not negative: half the Poisson deviance, `t log(t / p) - t + p` with
    /// `p = exp(s)`.
    Poisson,
}

names!(
    Loss,
    "loss",
    "losses",
    Softmax = "softmax",
    Logistic = "logistic",
    SquaredError = "squared_error",
    Poisson = "poisson"
);

impl Loss {
    /// The predictions for scores (N, C): the softmax's probabilities, each output's probability, the scores
    /// themselves, or their exponentials.
    pub fn predict<F: Float>(self, mut scores: Array2<F>) -> Array2<F> {
        match self {
            Self::Softmax => {
                for mut row in scores.rows_mut() {
                    let max = row.iter().copied().fold(F::neg_infinity(), F::max);
                    row.mapv_inplace(|s| (s - max).exp());
                    let sum: F = row.iter().copied().sum();
                    row.mapv_inplace(|e| e / sum);
                }
            }
            Self::Logistic => scores.mapv_inplace(logistic),
            Self::SquaredError => {}
            Self::Poisson => scores.mapv_inplace(num_traits::Float::exp),
        }
        scores
    }

    /// The mean loss over the samples, weighted if there are weights: `sum_i w_i l_i / sum_i w_i`, where `l_i` is the
    /// sum over a sample's outputs; and its gradient by the scores.
    ///
    /// - `scores`: (N, C), N > 0; `targets`: N labels in 0..C for the softmax, (N, C) for the others; `weights`: N, not
    ///   negative, not all 0
    ///
    /// Returns the loss and its gradient (N, C).
    ///
    /// # Errors
    /// [`Error::Shape`] for shapes that do not match; [`Error::Data`] for labels, targets or weights out of range;
    /// [`Error::Configuration`] for labels instead of numbers, or the other way round.
    pub fn evaluate<F: Float>(
        self,
        scores: ArrayView2<'_, F>,
        targets: Targets<'_, F>,
        weights: Option<&[f64]>,
    ) -> Result<(F, Array2<F>)> {
        self.evaluate_smoothed(scores, targets, weights, 0.0)
    }

    /// [`Loss::evaluate`] with smoothed labels (Szegedy et al., "Rethinking the Inception Architecture for Computer
    /// Vision", CVPR 2016, section 7): a share `smoothing` of each label, at least 0 and below 1, is spread evenly
    /// over all C classes, so the target is `(1 - smoothing) onehot(y) + smoothing / C`. 0 changes no bit.
    ///
    /// # Errors
    /// As [`Loss::evaluate`]; [`Error::Configuration`] for a share out of range, or above 0 with a loss other than
    /// the softmax.
    pub fn evaluate_smoothed<F: Float>(
        self,
        scores: ArrayView2<'_, F>,
        targets: Targets<'_, F>,
        weights: Option<&[f64]>,
        smoothing: f64,
    ) -> Result<(F, Array2<F>)> {
        self.check_smoothing(smoothing)?;
        match (self, targets) {
            (Self::Softmax, Targets::Classes(labels)) => {
                weighted_softmax_loss(scores, labels, weights, smoothing)
            }
            (Self::Softmax, Targets::Values(_)) => {
                Err(Error::configuration("the softmax loss takes labels, got numbers"))
            }
            (_, Targets::Classes(_)) => Err(Error::configuration(format!(
                "the {} loss takes numbers, one per output, got labels",
                self.name()
            ))),
            (_, Targets::Values(targets)) => self.outputs_loss(scores, targets, weights),
        }
    }

    /// Refuses label smoothing out of range, and any for a loss without labels.
    pub(crate) fn check_smoothing(self, smoothing: f64) -> Result<()> {
        if !(0.0..1.0).contains(&smoothing) {
            return Err(Error::configuration(format!(
                "label_smoothing must be at least 0 and below 1, got {smoothing}"
            )));
        }
        if smoothing > 0.0 && self != Self::Softmax {
            return Err(Error::configuration(format!(
                "label_smoothing smooths the labels of the softmax loss; it must be 0 with the {} loss, got {smoothing}",
                self.name()
            )));
        }
        Ok(())
    }

    /// [`Loss::evaluate`] for the losses that treat each output independently.
    fn outputs_loss<F: Float>(
        self,
        scores: ArrayView2<'_, F>,
        targets: ArrayView2<'_, F>,
        weights: Option<&[f64]>,
    ) -> Result<(F, Array2<F>)> {
        if scores.nrows() == 0 {
            return Err(Error::shape(format!("scores of {}", self.name()), ("N > 0", "C"), scores.shape()));
        }
        if targets.dim() != scores.dim() {
            return Err(Error::shape(format!("targets of {}", self.name()), scores.shape(), targets.shape()));
        }
        let within = match self {
            Self::Logistic => |t: f64| (0.0..=1.0).contains(&t),
            Self::Poisson => |t: f64| t >= 0.0 && t.is_finite(),
            Self::Softmax | Self::SquaredError => f64::is_finite,
        };
        if let Some(target) = targets.iter().find(|target| !within(target.as_f64())) {
            return Err(Error::data(format!("the {} loss cannot take a target of {target}", self.name())));
        }
        let total = check_weights(scores.nrows(), weights)?;
        let mut loss = 0.0; // in f64, like the softmax loss
        let mut gradient = self.predict(scores.to_owned());
        for (sample, mut row) in gradient.rows_mut().into_iter().enumerate() {
            let weight = weights.map_or(1.0, |weights| weights[sample]);
            let mut own = 0.0;
            Zip::from(&mut row).and(scores.row(sample)).and(targets.row(sample)).for_each(|p, &s, &t| {
                own += self.of_output(s.as_f64(), t.as_f64());
                *p = (*p - t) * F::from_f64(weight) / F::from_f64(total);
            });
            loss += weight * own;
        }
        Ok((F::from_f64(loss / total), gradient))
    }

    /// The loss of one output with score `s` and target `t`.
    fn of_output(self, s: f64, t: f64) -> f64 {
        match self {
            // log(1 + exp(s)) - t s, written so that nothing overflows
            Self::Softmax | Self::Logistic => s.max(0.0) - t * s + (-s.abs()).exp().ln_1p(),
            Self::SquaredError => 0.5 * (s - t) * (s - t),
            Self::Poisson => {
                let entropy = if t > 0.0 { t * (t.ln() - s) } else { 0.0 };
                entropy - t + s.exp()
            }
        }
    }
}
