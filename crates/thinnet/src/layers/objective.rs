//! The losses with their settings, and weights for the samples.

use std::f64::consts::TAU;

use ndarray::{Array2, ArrayView2, ArrayViewMut1, Axis};
use smart_default::SmartDefault;

use super::Loss;
use super::activation::{logistic, softplus};
use super::loss::{check_weights, weighted_softmax_loss};
use crate::data::Targets;
use crate::error::{Error, Result, ensure};
use crate::float::Float;

/// The smallest variance of [`Loss::GaussianNll`]: Lakshminarayanan, Pritzel and Blundell, "Simple and Scalable
/// Predictive Uncertainty Estimation using Deep Ensembles", NIPS 2017, section 2.2.1.
pub(crate) const SMALLEST_VARIANCE: f64 = 1e-6;

/// A loss over scores (N, C) with its settings, and the function that turns scores into predictions.
///
/// ```
/// use ndarray::array;
/// use thinnet::{data::Targets, layers::{Loss, Objective}};
/// # fn main() -> thinnet::Result<()> {
/// let quantiles = Objective { quantiles: vec![0.1, 0.9], ..Loss::Quantile.into() };
/// let (scores, targets) = (array![[1.0, 5.0]], array![[2.0]]);
/// let (loss, gradient) = quantiles.evaluate(scores.view(), Targets::Values(targets.view()), None)?;
/// assert!((loss - (0.1 * 1.0 + 0.1 * 3.0_f64)).abs() < 1e-12);
/// assert!((gradient[[0, 0]] + 0.1_f64).abs() < 1e-12 && (gradient[[0, 1]] - 0.1_f64).abs() < 1e-12);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, SmartDefault)]
pub struct Objective {
    /// The loss.
    pub loss: Loss,
    /// Share of each label, at least 0 and below 1, that [`Loss::Softmax`] spreads evenly over all C classes (Szegedy
    /// et al., "Rethinking the Inception Architecture for Computer Vision", CVPR 2016, section 7; default 0): the
    /// target is `(1 - smoothing) onehot(y) + smoothing / C`. 0 changes no bit.
    pub label_smoothing: f64,
    /// The residual, above 0, from which [`Loss::Huber`] is linear (default 1).
    #[default(1.0)]
    pub huber_delta: f64,
    /// The probabilities, between 0 and 1, of the quantiles that [`Loss::Quantile`] estimates: Q of them, in rising
    /// order (default only 0.5, the median).
    #[default(vec![0.5])]
    pub quantiles: Vec<f64>,
    /// The power, from 0 to 1, of the variance by which the gradient of [`Loss::GaussianNll`] is multiplied (default 0,
    /// which changes no bit). The plain gradient of a mean is divided by its variance, so that what the network thinks
    /// is noise is hardly learned; with 1 the mean learns as by the squared error (beta-NLL; Seitzer, Tavakoli, Antic and
    /// Martius, "On the Pitfalls of Heteroscedastic Uncertainty Estimation with Probabilistic Neural Networks", ICLR
    /// 2022, advise 0.5). The loss itself stays the log-density.
    pub beta_nll: f64,
    /// Whether the value of [`Loss::Softmax`] and [`Loss::Logistic`] takes probabilities clipped at the number type's
    /// epsilon, so that it stays finite, as scikit-learn's does. The gradient takes them as they are.
    pub clip_probabilities: bool,
}

impl Loss {
    /// [`Objective::predict`] with the default settings.
    pub fn predict<F: Float>(self, scores: Array2<F>) -> Array2<F> {
        Objective::from(self).predict(scores)
    }

    /// [`Objective::evaluate`] with the default settings.
    ///
    /// # Errors
    /// As [`Objective::evaluate`].
    pub fn evaluate<F: Float>(
        self,
        scores: ArrayView2<'_, F>,
        targets: Targets<'_, F>,
        weights: Option<&[f64]>,
    ) -> Result<(F, Array2<F>)> {
        Objective::from(self).evaluate(scores, targets, weights)
    }

    /// [`Loss::evaluate`] with smoothed labels: see [`Objective::label_smoothing`].
    ///
    /// # Errors
    /// As [`Objective::evaluate`].
    pub fn evaluate_smoothed<F: Float>(
        self,
        scores: ArrayView2<'_, F>,
        targets: Targets<'_, F>,
        weights: Option<&[f64]>,
        smoothing: f64,
    ) -> Result<(F, Array2<F>)> {
        Objective { label_smoothing: smoothing, ..self.into() }.evaluate(scores, targets, weights)
    }
}

impl From<Loss> for Objective {
    fn from(loss: Loss) -> Self {
        Self { loss, ..Self::default() }
    }
}

impl Objective {
    /// Refuses settings out of range, and label smoothing for a loss without labels.
    ///
    /// # Errors
    /// [`Error::Configuration`], which names the setting, its range and the value.
    pub fn check(&self) -> Result<()> {
        let Self { loss, label_smoothing: smoothing, huber_delta: delta, ref quantiles, beta_nll, .. } =
            *self;
        if !(0.0..1.0).contains(&smoothing) {
            return Err(Error::configuration(format!(
                "label_smoothing must be at least 0 and below 1, got {smoothing}"
            )));
        }
        if smoothing > 0.0 && loss != Loss::Softmax {
            return Err(Error::configuration(format!(
                "label_smoothing smooths the labels of the softmax loss; it must be 0 with the {} loss, got {smoothing}",
                loss.name()
            )));
        }
        if !(delta > 0.0 && delta.is_finite()) {
            return Err(Error::configuration(format!("huber_delta must be finite and above 0, got {delta}")));
        }
        let inside = quantiles.iter().all(|&q| 0.0 < q && q < 1.0);
        if quantiles.is_empty() || !inside || !quantiles.is_sorted_by(|a, b| a < b) {
            return Err(Error::configuration(format!(
                "quantiles must be probabilities between 0 and 1 in rising order, got {quantiles:?}"
            )));
        }
        if !(0.0..=1.0).contains(&beta_nll) {
            return Err(Error::configuration(format!("beta_nll must be from 0 to 1, got {beta_nll}")));
        }
        Ok(())
    }

    /// The scores C for each target: Q for quantiles, 2 for mean and variance, otherwise 1. Those of one target stand
    /// side by side.
    pub fn scores_per_target(&self) -> usize {
        match self.loss {
            Loss::Quantile => self.quantiles.len(),
            Loss::GaussianNll => 2,
            _ => 1,
        }
    }

    /// Which of the predictions of one target is its best guess: its mean, or its quantile that is nearest to the median.
    pub fn point(&self) -> usize {
        if self.loss != Loss::Quantile {
            return 0;
        }
        let off = |place: &usize| (self.quantiles[*place] - 0.5).abs();
        (0..self.quantiles.len()).min_by(|one, other| off(one).total_cmp(&off(other))).unwrap_or(0)
    }

    /// The best guess for each target (N, T) among predictions or scores (N, C).
    pub fn points<F: Float>(&self, predicted: ArrayView2<'_, F>) -> Array2<F> {
        let columns: Vec<usize> =
            (self.point()..predicted.ncols()).step_by(self.scores_per_target()).collect();
        predicted.select(Axis(1), &columns)
    }

    /// The predictions for scores (N, C): the softmax's probabilities, each output's probability, exponentials, each
    /// target's quantiles, each target's mean and standard deviation, or the scores themselves.
    ///
    /// Quantiles are sorted, because scores of different quantiles may cross (Chernozhukov, Fernández-Val and
    /// Galichon, "Quantile and Probability Curves Without Crossing", Econometrica 2010).
    pub fn predict<F: Float>(&self, mut scores: Array2<F>) -> Array2<F> {
        match self.loss {
            Loss::Softmax => {
                for mut row in scores.rows_mut() {
                    let max = row.iter().copied().fold(F::neg_infinity(), F::max);
                    row.mapv_inplace(|s| (s - max).exp());
                    let sum: F = row.iter().copied().sum();
                    row.mapv_inplace(|e| e / sum);
                }
            }
            Loss::Logistic => scores.mapv_inplace(logistic),
            Loss::Poisson => scores.mapv_inplace(num_traits::Float::exp),
            Loss::SquaredError | Loss::AbsoluteError | Loss::Huber => {}
            Loss::Quantile => each_target(&mut scores, self.quantiles.len(), |mut own| {
                let mut sorted = own.to_vec();
                sorted.sort_by(|a, b| a.as_f64().total_cmp(&b.as_f64()));
                own.iter_mut().zip(sorted).for_each(|(to, s)| *to = s);
            }),
            Loss::GaussianNll => each_target(&mut scores, 2, |mut own| own[1] = variance(own[1]).sqrt()),
        }
        scores
    }

    /// The mean loss over the samples, weighted if there are weights: `sum_i w_i l_i / sum_i w_i`, where `l_i` is the
    /// sum over a sample's outputs; and its gradient by the scores.
    ///
    /// - `scores`: (N, C), N > 0; `targets`: N labels in 0..C for the softmax, for the others numbers (N, T), where C
    ///   is T times [`Objective::scores_per_target`]; `weights`: N, not negative, not all 0
    ///
    /// Returns the loss and its gradient (N, C).
    ///
    /// # Errors
    /// [`Error::Shape`] for shapes that do not match; [`Error::Data`] for labels, targets or weights out of range;
    /// [`Error::Configuration`] for labels instead of numbers or the other way round, and from [`Objective::check`].
    pub fn evaluate<F: Float>(
        &self,
        scores: ArrayView2<'_, F>,
        targets: Targets<'_, F>,
        weights: Option<&[f64]>,
    ) -> Result<(F, Array2<F>)> {
        self.check()?;
        match (self.loss, targets) {
            (Loss::Softmax, Targets::Classes(labels)) => {
                weighted_softmax_loss(scores, labels, weights, self.label_smoothing, self.largest::<F>())
            }
            (Loss::Softmax, Targets::Values(_)) => {
                Err(Error::configuration("the softmax loss takes labels, got numbers"))
            }
            (_, Targets::Classes(_)) => Err(Error::configuration(format!(
                "the {} loss takes numbers, one per output, got labels",
                self.loss.name()
            ))),
            (_, Targets::Values(targets)) => self.outputs_loss(scores, targets, weights),
        }
    }

    /// The largest loss of one probability.
    fn largest<F: Float>(&self) -> f64 {
        if self.clip_probabilities { -F::epsilon().as_f64().ln() } else { f64::INFINITY }
    }

    /// [`Objective::evaluate`] for the losses that treat each target independently.
    fn outputs_loss<F: Float>(
        &self,
        scores: ArrayView2<'_, F>,
        targets: ArrayView2<'_, F>,
        weights: Option<&[f64]>,
    ) -> Result<(F, Array2<F>)> {
        let (name, each) = (self.loss.name(), self.scores_per_target());
        ensure!(
            scores.nrows() > 0,
            Error::shape(format!("scores of {name}"), ("N > 0", "C"), scores.shape())
        );
        if (targets.nrows(), targets.ncols() * each) != scores.dim() {
            let expected = (scores.nrows(), scores.ncols() / each);
            return Err(Error::shape(format!("targets of {name}"), expected, targets.shape()));
        }
        let within = match self.loss {
            Loss::Logistic => |t: f64| (0.0..=1.0).contains(&t),
            Loss::Poisson => |t: f64| t >= 0.0 && t.is_finite(),
            _ => f64::is_finite,
        };
        if let Some(target) = targets.iter().find(|target| !within(target.as_f64())) {
            return Err(Error::data(format!("the {name} loss cannot take a target of {target}")));
        }
        let total = check_weights(scores.nrows(), weights)?;
        let mut loss = 0.0; // in f64, like the softmax loss
        let mut gradient = scores.to_owned();
        for (sample, (mut row, targets)) in gradient.rows_mut().into_iter().zip(targets.rows()).enumerate() {
            let weight = weights.map_or(1.0, |weights| weights[sample]);
            let mut own = 0.0;
            for (block, &t) in row.axis_chunks_iter_mut(Axis(0), each).zip(targets) {
                own += self.of_target(block, t);
            }
            row.mapv_inplace(|d| d * F::from_f64(weight) / F::from_f64(total));
            loss += weight * own;
        }
        Ok((F::from_f64(loss / total), gradient))
    }

    /// The loss of one target with these scores, which become the derivatives by them.
    fn of_target<F: Float>(&self, mut scores: ArrayViewMut1<'_, F>, target: F) -> f64 {
        let (score, t) = (scores[0], target.as_f64());
        let s = score.as_f64();
        let residual = score - target;
        match self.loss {
            Loss::Softmax | Loss::Logistic => {
                let p: F = logistic(score);
                scores[0] = p - target;
                if self.clip_probabilities {
                    let least = F::epsilon().as_f64();
                    let p = p.as_f64().clamp(least, 1.0 - least);
                    return -(t * p.ln() + (1.0 - t) * (1.0 - p).ln());
                }
                // log(1 + exp(s)) - t s, written so that nothing overflows
                s.max(0.0) - t * s + (-s.abs()).exp().ln_1p()
            }
            Loss::SquaredError => {
                scores[0] = residual;
                0.5 * (s - t) * (s - t)
            }
            Loss::Poisson => {
                scores[0] = score.exp() - target;
                let entropy = if t > 0.0 { t * (t.ln() - s) } else { 0.0 };
                entropy - t + s.exp()
            }
            Loss::AbsoluteError => {
                scores[0] = if residual == F::zero() { residual } else { residual.signum() };
                (s - t).abs()
            }
            Loss::Huber => {
                let (size, delta) = ((s - t).abs(), self.huber_delta);
                let bound = F::from_f64(delta);
                scores[0] = if size <= delta { residual } else { residual.signum() * bound };
                if size <= delta { 0.5 * size * size } else { delta * (size - 0.5 * delta) }
            }
            Loss::Quantile => {
                let own = scores.iter_mut().zip(&self.quantiles);
                own.map(|(score, &q)| {
                    let over = score.as_f64() - t;
                    *score = match over {
                        over if over > 0.0 => F::from_f64(1.0 - q),
                        over if over < 0.0 => F::from_f64(-q),
                        even => F::from_f64(even), // 0 or NaN
                    };
                    if over > 0.0 { (1.0 - q) * over } else { -q * over }
                })
                .sum()
            }
            Loss::GaussianNll => {
                let (slope, variance) = (logistic(scores[1]), variance(scores[1]));
                let square = residual * residual / variance;
                scores[0] = residual / variance;
                scores[1] = F::from_f64(0.5) * (F::one() - square) / variance * slope;
                if self.beta_nll > 0.0 {
                    let weight = variance.powf(F::from_f64(self.beta_nll));
                    scores.mapv_inplace(|d| d * weight);
                }
                0.5 * (variance.as_f64().ln() + square.as_f64() + TAU.ln())
            }
        }
    }
}

/// The variance that a score stands for.
fn variance<F: Float>(score: F) -> F {
    softplus(score) + F::from_f64(SMALLEST_VARIANCE)
}

/// Calls `change` with the scores of each target, `each` of them.
fn each_target<F: Float>(scores: &mut Array2<F>, each: usize, mut change: impl FnMut(ArrayViewMut1<'_, F>)) {
    for mut row in scores.rows_mut() {
        row.axis_chunks_iter_mut(Axis(0), each).for_each(&mut change);
    }
}
