//! One prediction of several networks.
//!
//! Source: Lakshminarayanan, Pritzel and Blundell, "Simple and Scalable Predictive Uncertainty Estimation using Deep
//! Ensembles", NIPS 2017, section 2.4.

use ndarray::{Array2, ArrayView2, Zip};

use super::objective::SMALLEST_VARIANCE;
use super::{Loss, Objective};
use crate::error::{Error, Result, same_shape};
use crate::float::Float;

impl Objective {
    /// The scores of an ensemble: those whose predictions ([`Objective::predict`]) are the mean of its members'
    /// predictions. Of probabilities, counts, numbers and quantiles this is the mean; of means and deviations it is the
    /// mean and the deviation of the mixture of the members' distributions. One member's scores stay as they are.
    ///
    /// - `members`: (N, C) each
    ///
    /// # Errors
    /// [`Error::Shape`] if the members' shapes differ; [`Error::Configuration`] without members.
    ///
    /// ```
    /// use ndarray::array;
    /// use thinnet::layers::{Loss, Objective};
    /// # fn main() -> thinnet::Result<()> {
    /// let members = [array![[0.0, 0.0]], array![[0.0, f64::ln(3.0)]]]; // probabilities 1/2, 1/2 and 1/4, 3/4
    /// let objective = Objective::from(Loss::Softmax);
    /// let both = objective.predict(objective.combine(&members)?);
    /// assert!((both[[0, 1]] - 0.625).abs() < 1e-12);
    /// # Ok(()) }
    /// ```
    pub fn combine<F: Float>(&self, members: &[Array2<F>]) -> Result<Array2<F>> {
        let first = members.first().ok_or_else(|| Error::configuration("an ensemble has no members"))?;
        for member in members {
            same_shape("the scores of an ensemble's members", first.shape(), member.shape())?;
        }
        if members.len() == 1 {
            return Ok(first.clone());
        }
        let combined = match self.loss {
            Loss::Softmax => mean_by(members, logarithms, f64::exp, f64::ln),
            Loss::Logistic => return Ok(mean_logits(members)),
            Loss::GaussianNll => return Ok(self.mixture(members)),
            Loss::Quantile => mean_by(members, |of| self.predict(of.to_owned()).mapv(F::as_f64), same, same),
            Loss::Poisson => mean_by(members, values, f64::exp, f64::ln),
            Loss::SquaredError | Loss::AbsoluteError | Loss::Huber => mean_by(members, values, same, same),
        };
        Ok(combined.mapv(F::from_f64))
    }

    /// The scores of mean and variance of the mixture: the law of total variance.
    fn mixture<F: Float>(&self, members: &[Array2<F>]) -> Array2<F> {
        let count = members.len() as f64;
        let predicted: Vec<Array2<f64>> =
            members.iter().map(|of| self.predict(of.clone()).mapv(F::as_f64)).collect();
        let mut combined = Array2::<F>::zeros(members[0].raw_dim());
        for ((row, column), score) in combined.indexed_iter_mut() {
            let mean = predicted.iter().map(|of| of[[row, column - column % 2]]).sum::<f64>() / count;
            if column % 2 == 0 {
                *score = F::from_f64(mean);
                continue;
            }
            let of_member =
                |of: &Array2<f64>| of[[row, column]].powi(2) + (of[[row, column - 1]] - mean).powi(2);
            let variance = predicted.iter().map(of_member).sum::<f64>() / count;
            *score = F::from_f64(inverse_softplus((variance - SMALLEST_VARIANCE).max(f64::MIN_POSITIVE)));
        }
        combined
    }
}

fn same(value: f64) -> f64 {
    value
}

fn values<F: Float>(scores: ArrayView2<'_, F>) -> Array2<f64> {
    scores.mapv(F::as_f64)
}

/// The logarithms of the probabilities of classes.
fn logarithms<F: Float>(scores: ArrayView2<'_, F>) -> Array2<f64> {
    let mut logarithms = values(scores);
    for mut row in logarithms.rows_mut() {
        let max = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum = row.iter().map(|s| (s - max).exp()).sum::<f64>().ln();
        row.mapv_inplace(|s| s - max - sum);
    }
    logarithms
}

/// `back` of the mean of `forth` of each member's numbers. The largest is taken out first, so that an exponential neither
/// overflows nor vanishes.
fn mean_by<F: Float>(
    members: &[Array2<F>],
    of: impl Fn(ArrayView2<'_, F>) -> Array2<f64>,
    forth: fn(f64) -> f64,
    back: fn(f64) -> f64,
) -> Array2<f64> {
    let own: Vec<Array2<f64>> = members.iter().map(|member| of(member.view())).collect();
    let mut largest = own[0].clone();
    for other in &own[1..] {
        largest.zip_mut_with(other, |one, &other| *one = one.max(other));
    }
    let mut sum = Array2::<f64>::zeros(largest.raw_dim());
    for own in &own {
        Zip::from(&mut sum).and(own).and(&largest).for_each(|sum, &own, &most| *sum += forth(own - most));
    }
    let count = members.len() as f64;
    largest + sum.mapv_into(|sum| back(sum / count))
}

/// The logits of the mean probabilities of labels.
fn mean_logits<F: Float>(members: &[Array2<F>]) -> Array2<F> {
    let mut combined = members[0].clone();
    for ((row, column), score) in combined.indexed_iter_mut() {
        // The logarithms of sum p and of sum (1 - p): each is a sum of numbers above 0, without cancellation.
        let sum = |sign: f64| {
            let p = |one: &Array2<F>| 1.0 / (1.0 + (-sign * one[[row, column]].as_f64()).exp());
            members.iter().map(p).sum::<f64>().max(f64::MIN_POSITIVE).ln()
        };
        *score = F::from_f64(sum(1.0) - sum(-1.0));
    }
    combined
}

/// The number whose softplus this is.
fn inverse_softplus(value: f64) -> f64 {
    value + (-(-value).exp_m1()).ln()
}
