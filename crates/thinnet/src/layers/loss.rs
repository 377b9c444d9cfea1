//! Losses over class scores. Both return the mean loss over the samples and its gradient with respect to the scores.

use ndarray::{Array2, ArrayView2};

use crate::error::{Error, Result, ensure, same_shape};
use crate::float::Float;

/// Checks that there is a label below C for each of the N > 0 samples.
fn check<F: Float>(function: &str, scores: ArrayView2<'_, F>, y: &[usize]) -> Result<()> {
    let (samples, classes) = scores.dim();
    ensure!(samples > 0, Error::shape(format!("scores of {function}"), ("N > 0", "C"), scores.shape()));
    ensure!(y.len() == samples, Error::shape(format!("y of {function}"), [samples], [y.len()]));
    match y.iter().find(|&&label| label >= classes) {
        Some(label) => Err(Error::data(format!(
            "label {label} does not fit {classes} classes: labels count from 0 to {}",
            classes.saturating_sub(1)
        ))),
        None => Ok(()),
    }
}

/// The softmax (cross-entropy) loss: the mean over samples of `-log(exp(s_y) / sum_j exp(s_j))`, computed from scores
/// shifted by each row's maximum so that nothing overflows.
///
/// - `scores`: (N, C), N > 0; `y`: N labels in 0..C
///
/// Returns the loss and its gradient (N, C): `(softmax(s) - onehot(y)) / N`.
///
/// ```
/// use ndarray::array;
/// use thinnet::layers::softmax_loss;
/// # fn main() -> thinnet::Result<()> {
/// let (loss, gradient) = softmax_loss(array![[3.0_f64, 3.0]].view(), &[1])?;
/// assert!((loss - 2.0_f64.ln()).abs() < 1e-12);
/// assert!((gradient - array![[0.5, -0.5]]).iter().all(|off| off.abs() < 1e-12));
/// # Ok(()) }
/// ```
pub fn softmax_loss<F: Float>(scores: ArrayView2<'_, F>, y: &[usize]) -> Result<(F, Array2<F>)> {
    weighted_softmax_loss(scores, y, None, 0.0, f64::INFINITY)
}

/// [`softmax_loss`] with a weight for each sample, `sum_i w_i l_i / sum_i w_i`, and smoothed labels (Szegedy et al.,
/// "Rethinking the Inception Architecture for Computer Vision", CVPR 2016, section 7). With `e = smoothing`, in 0..1,
/// the target is `q = (1 - e) onehot(y) + e / C`, the loss `-sum_j q_j log(softmax(s)_j)`, its gradient `softmax(s) -
/// q`. Weights of 1 and a smoothing of 0 change no bit. The value of a sample's loss is at most `largest`.
pub(crate) fn weighted_softmax_loss<F: Float>(
    scores: ArrayView2<'_, F>,
    y: &[usize],
    weights: Option<&[f64]>,
    smoothing: f64,
    largest: f64,
) -> Result<(F, Array2<F>)> {
    check("softmax_loss", scores, y)?;
    let total = check_weights(scores.nrows(), weights)?;
    let mut loss = 0.0; // in f64: rounding in a sum of hundreds would be visible in the mean
    let mut gradient = scores.to_owned();
    let (own, others) = (F::from_f64(1.0 - smoothing), F::from_f64(smoothing / scores.ncols() as f64));
    for (sample, (mut row, &label)) in gradient.rows_mut().into_iter().zip(y).enumerate() {
        let weight = weights.map_or(1.0, |weights| weights[sample]);
        let max = row.iter().copied().fold(F::neg_infinity(), F::max);
        row.mapv_inplace(|s| s - max);
        let log_sum = row.iter().map(|s| s.exp()).sum::<F>().ln();
        let mut expected = row[label]; // the mean score under the target distribution
        if smoothing > 0.0 {
            expected = own * expected + others * row.sum();
        }
        let of_sample = (log_sum - expected).as_f64();
        loss += weight * if of_sample > largest { largest } else { of_sample };
        row.mapv_inplace(|s| (s - log_sum).exp());
        row[label] -= own; // before the division: this is exact near 1, and Adam amplifies small gradients
        if smoothing > 0.0 {
            row.mapv_inplace(|p| p - others);
        }
        row.mapv_inplace(|p| p * F::from_f64(weight) / F::from_f64(total));
    }
    Ok((F::from_f64(loss / total), gradient))
}

/// The sum of the weights, or N without weights; refuses weights that are not N, negative, not finite or all 0.
pub(super) fn check_weights(samples: usize, weights: Option<&[f64]>) -> Result<f64> {
    let Some(weights) = weights else { return Ok(samples as f64) };
    same_shape("sample weights", &[samples], &[weights.len()])?;
    if let Some(weight) = weights.iter().find(|weight| !(**weight >= 0.0 && weight.is_finite())) {
        return Err(Error::data(format!("a sample weight must be finite and not negative, got {weight}")));
    }
    let total: f64 = weights.iter().sum();
    if total > 0.0 { Ok(total) } else { Err(Error::data("the sample weights of a batch are all 0")) }
}

/// The multiclass support vector machine (hinge) loss of Weston and Watkins 1999: the mean over samples of
/// `sum over j != y of max(0, s_j - s_y + 1)`.
///
/// - `scores`: (N, C), N > 0; `y`: N labels in 0..C
///
/// Returns the loss and its gradient (N, C).
pub fn svm_loss<F: Float>(scores: ArrayView2<'_, F>, y: &[usize]) -> Result<(F, Array2<F>)> {
    check("svm_loss", scores, y)?;
    let weight = F::from_f64(scores.nrows() as f64).recip();
    let mut loss = F::zero();
    let mut gradient = Array2::zeros(scores.raw_dim());
    for ((row, mut gradient), &label) in scores.rows().into_iter().zip(gradient.rows_mut()).zip(y) {
        for (class, &score) in row.indexed_iter() {
            let margin = score - row[label] + F::one();
            if class != label && margin > F::zero() {
                loss += margin;
                gradient[class] += weight;
                gradient[label] -= weight;
            }
        }
    }
    Ok((loss * weight, gradient))
}
