//! Temperature scaling: one number that makes a classifier as sure as it is right.
//!
//! Source: Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks", ICML 2017, section 4.2.

use ndarray::ArrayView2;

use crate::error::{Error, Result, ensure, same_shape};
use crate::float::Float;

/// The temperatures that are tried.
const RANGE: (f64, f64) = (0.01, 100.0);
/// Steps of the search; halving the range alone needs fewer.
const STEPS: usize = 100;

/// The temperature `T` for which `softmax(scores / T)` has the smallest negative log-likelihood of the labels, to six
/// digits. Above 1 the network was too sure, below 1 not sure enough. Which score is the highest does not change.
///
/// It is between 0.01 and 100, and never worse than 1. Where the likelihood grows without end as `T` falls, because no
/// sample is classified incorrectly, the samples do not say how sure the network may be: then it is 1.
///
/// - `scores`: (N, C), before softmax, of samples that the network was not trained on; `labels`: N, below C
///
/// # Errors
/// [`Error::Shape`] for another number of labels; [`Error::Data`] for labels of C or more, and if there are no samples.
///
/// ```
/// use ndarray::array;
/// use thinnet::training::fit_temperature;
/// # fn main() -> thinnet::Result<()> {
/// // Right in three of four cases: softmax([a, 0]) is to be [3/4, 1/4], so a = ln 3.
/// let scores = array![[6.0, 0.0], [6.0, 0.0], [6.0, 0.0], [6.0, 0.0]];
/// let temperature = fit_temperature(scores.view(), &[0, 0, 0, 1])?;
/// assert!((temperature - 6.0 / 3.0_f64.ln()).abs() < 1e-4);
/// # Ok(()) }
/// ```
pub fn fit_temperature<F: Float>(scores: ArrayView2<'_, F>, labels: &[usize]) -> Result<f64> {
    same_shape("labels, one for each row of scores", &[scores.nrows()], &[labels.len()])?;
    ensure!(!labels.is_empty(), Error::data("a temperature needs samples, and there are none"));
    let classes = scores.ncols();
    ensure!(
        labels.iter().all(|&label| label < classes),
        Error::data(format!("a label does not fit {classes} classes"))
    );
    // Newton's method on ln T, and halving where a step of it leaves the range.
    let (mut low, mut high) = (RANGE.0.ln(), RANGE.1.ln());
    if Loss::at(low, scores, labels).slope >= 0.0 {
        return Ok(1.0);
    }
    let mut place = 0.0;
    for _ in 0..STEPS {
        let loss = Loss::at(place, scores, labels);
        if loss.slope < 0.0 {
            low = place;
        } else {
            high = place;
        }
        let newton = place - loss.slope / loss.curvature;
        let inside = loss.curvature > 0.0 && low < newton && newton < high;
        let next = if inside { newton } else { f64::midpoint(low, high) };
        let moved = (next - place).abs();
        place = next;
        if moved < 1e-10 {
            break;
        }
    }
    // Six digits are more than the samples determine, and the same wherever `exp` rounds differently.
    let temperature: f64 = format!("{:.5e}", place.exp()).parse().unwrap_or(1.0);
    let value = |temperature: f64| Loss::at(temperature.ln(), scores, labels).value;
    Ok(if value(temperature) < value(1.0) { temperature } else { 1.0 })
}

/// The negative log-likelihood at one `ln T`, and its derivatives by that. With `b = 1 / T` a sample has
/// `log(sum_j exp(b s_j)) - b s_y`, whose derivatives by `b` are the mean of `s` under the softmax minus `s_y`, and the
/// variance of `s`.
struct Loss {
    value: f64,
    slope: f64,
    curvature: f64,
}

impl Loss {
    fn at<F: Float>(log_temperature: f64, scores: ArrayView2<'_, F>, labels: &[usize]) -> Self {
        let b = (-log_temperature).exp();
        let (mut value, mut first, mut second) = (0.0, 0.0, 0.0);
        for (row, &label) in scores.rows().into_iter().zip(labels) {
            let highest = row.iter().fold(f64::NEG_INFINITY, |highest, score| highest.max(score.as_f64()));
            let (mut total, mut mean, mut square) = (0.0, 0.0, 0.0);
            for score in row {
                let below = score.as_f64() - highest;
                let weight = (b * below).exp();
                total += weight;
                mean += weight * below;
                square += weight * below * below;
            }
            let (mean, own) = (mean / total, row[label].as_f64() - highest);
            value += total.ln() - b * own;
            first += mean - own;
            second += square / total - mean * mean;
        }
        let n = labels.len() as f64;
        Self { value: value / n, slope: -b * first / n, curvature: (b * first + b * b * second) / n }
    }
}
