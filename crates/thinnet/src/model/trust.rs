//! How far a classifier's probabilities can be trusted: scores of the probabilities themselves, the reliability diagram,
//! what rejecting the least sure samples brings, and the surest mistakes.
//!
//! The probability of the predicted class, the largest of a sample, is called its confidence.

use ndarray::ArrayView2;
use serde::Serialize;

use crate::error::{Error, Result, ensure, same_shape};
use crate::float::Float;
use crate::layers::argmax;

/// Bins of the reliability diagram, as in Guo et al. 2017.
const BINS: usize = 15;
/// Points of the rejection curve.
const POINTS: usize = 20;
/// How many of the surest mistakes are listed.
const MISTAKES: usize = 10;

/// How far a classifier's probabilities can be trusted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trust {
    /// The mean of `log(probability of the true class)`, natural logarithm: minus the log loss.
    pub log_likelihood: f64,
    /// The mean over samples of `sum_c (p_c - [c is the true class])^2`, from 0 to 2 (Brier, "Verification of Forecasts
    /// Expressed in Terms of Probability", Monthly Weather Review 1950).
    pub brier: f64,
    /// The expected calibration error: the mean over samples of `|accuracy - mean confidence|` of their bin, with 15 bins
    /// of equal width (Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks", ICML 2017,
    /// section 2). Chance makes it too large where bins have few samples.
    pub calibration_error: f64,
    /// The root mean square of the same differences, without what chance adds to them: the debiased estimate of Kumar,
    /// Liang and Ma, "Verified Uncertainty Calibration", NeurIPS 2019, section 5. Bins of one sample count as 0, and so
    /// does a mean square below 0.
    pub debiased_error: f64,
    /// The bins of the reliability diagram that have samples, by ascending confidence.
    pub bins: Vec<Bin>,
    /// The accuracy of the surest samples, for twentieths of all samples.
    pub rejection: Vec<Kept>,
    /// The area under that curve: the mean accuracy of the k surest samples over all k from 1 to N (one minus the AURC of
    /// Geifman, Uziel and El-Yaniv, "Bias-Reduced Uncertainty Estimation for Deep Neural Classifiers", ICLR 2019).
    pub rejection_area: f64,
    /// The mistakes with the largest confidence, the surest first; at most ten.
    pub mistakes: Vec<Mistake>,
}

/// Samples of similar confidence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bin {
    /// Their confidence is above this number,
    pub above: f64,
    /// and at most this one.
    pub to: f64,
    /// How many they are.
    pub samples: usize,
    /// Their mean confidence.
    pub confidence: f64,
    /// The share of them that is classified correctly.
    pub accuracy: f64,
}

/// The surest samples, when the others are rejected.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Kept {
    /// Their share of all samples, 0..=1.
    pub share: f64,
    /// The smallest confidence among them.
    pub confidence: f64,
    /// The share of them that is classified correctly. Of samples with equal confidence each counts as the mean of them.
    pub accuracy: f64,
}

/// A sample that was classified incorrectly.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Mistake {
    /// Its index among the samples that were evaluated, from 0.
    pub sample: usize,
    /// The label that it has.
    pub class: usize,
    /// The label that was predicted.
    pub predicted: usize,
    /// The probability of the predicted class.
    pub probability: f64,
}

impl Trust {
    /// How far these probabilities (N, C) can be trusted, given the N samples' labels. The predicted class is the first
    /// of the largest probabilities. `ln 0` counts as the logarithm of the smallest normal number.
    ///
    /// # Errors
    /// [`Error::Shape`] for another number of labels; [`Error::Data`] for labels of C or more, and if there are no rows.
    ///
    /// ```
    /// use ndarray::array;
    /// use thinnet::model::Trust;
    /// # fn main() -> thinnet::Result<()> {
    /// let probabilities = array![[0.8, 0.2], [0.8, 0.2], [0.8, 0.2], [0.8, 0.2]];
    /// let trust = Trust::of(probabilities.view(), &[0, 0, 0, 1])?; // sure to 80%, and right in three of four cases
    /// assert!((trust.calibration_error - 0.05).abs() < 1e-12);
    /// # Ok(()) }
    /// ```
    pub fn of(probabilities: ArrayView2<'_, f64>, labels: &[usize]) -> Result<Self> {
        same_shape("labels, one for each row", &[probabilities.nrows()], &[labels.len()])?;
        let classes = probabilities.ncols();
        if let Some(label) = labels.iter().find(|&&label| label >= classes) {
            return Err(Error::data(format!("label {label} does not fit {classes} classes")));
        }
        let mut tally = Tally::default();
        let mut log_likelihood = 0.0;
        for (row, &label) in probabilities.rows().into_iter().zip(labels) {
            tally.add(row.iter().copied(), label, argmax(row));
            log_likelihood += row[label].max(f64::MIN_POSITIVE).ln();
        }
        tally.finish(log_likelihood / labels.len() as f64)
    }
}

/// What is counted of samples that come one after the other.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    samples: usize,
    brier: f64,
    /// Of each bin: the samples, the sum of their confidences, the correct ones.
    bins: [(usize, f64, usize); BINS],
    /// The confidences of all samples, with whether they are classified correctly. Sixteen bytes for each sample are
    /// little beside the sample.
    sure: Vec<(f64, bool)>,
    /// The surest first.
    mistakes: Vec<Mistake>,
}

impl Tally {
    /// Counts a sample.
    ///
    /// - `row`: C probabilities
    pub(super) fn add<F: Float>(&mut self, row: impl Iterator<Item = F>, label: usize, predicted: usize) {
        let (sample, mut confidence) = (self.samples, 0.0);
        self.samples += 1;
        for (class, probability) in row.enumerate() {
            let probability = probability.as_f64();
            let off = if class == label { probability - 1.0 } else { probability };
            self.brier += off * off;
            if class == predicted {
                confidence = probability;
            }
        }
        let right = predicted == label;
        let (samples, sum, correct) = &mut self.bins[bin(confidence)];
        *samples += 1;
        *sum += confidence;
        *correct += usize::from(right);
        self.sure.push((confidence, right));
        if !right {
            // Later samples come after earlier ones of the same probability.
            let place = self.mistakes.partition_point(|mistake| mistake.probability >= confidence);
            if place < MISTAKES {
                self.mistakes.truncate(MISTAKES - 1);
                self.mistakes
                    .insert(place, Mistake { sample, class: label, predicted, probability: confidence });
            }
        }
    }

    /// The results for all samples, given the mean log-likelihood.
    pub(super) fn finish(self, log_likelihood: f64) -> Result<Trust> {
        ensure!(self.samples > 0, Error::data("there are no samples with probabilities"));
        let n = self.samples as f64;
        let bins: Vec<Bin> = (0..BINS)
            .zip(self.bins)
            .filter(|(_, (samples, ..))| *samples > 0)
            .map(|(place, (samples, sum, correct))| Bin {
                above: place as f64 / BINS as f64,
                to: (place + 1) as f64 / BINS as f64,
                samples,
                confidence: sum / samples as f64,
                accuracy: correct as f64 / samples as f64,
            })
            .collect();
        let weighted =
            |of: fn(&Bin) -> f64| bins.iter().map(|bin| bin.samples as f64 / n * of(bin)).sum::<f64>();
        let calibration_error = weighted(|bin| (bin.accuracy - bin.confidence).abs());
        let square = weighted(|bin| {
            let chance = bin.accuracy * (1.0 - bin.accuracy) / (bin.samples as f64 - 1.0);
            if bin.samples < 2 { 0.0 } else { (bin.accuracy - bin.confidence).powi(2) - chance }
        });
        let (rejection, rejection_area) = rejection(self.sure);
        Ok(Trust {
            log_likelihood,
            brier: self.brier / n,
            calibration_error,
            debiased_error: square.max(0.0).sqrt(),
            bins,
            rejection,
            rejection_area,
            mistakes: self.mistakes,
        })
    }
}

/// The bin of a confidence: bin `b` of `B` has those above `b / B` and up to `(b + 1) / B`.
fn bin(confidence: f64) -> usize {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // from 0 to 15, and saturates
    let above = (confidence * BINS as f64).ceil() as usize;
    above.clamp(1, BINS) - 1
}

/// The rejection curve and its area.
fn rejection(mut sure: Vec<(f64, bool)>) -> (Vec<Kept>, f64) {
    sure.sort_by(|one, other| other.0.total_cmp(&one.0));
    let total = sure.len();
    let counts: Vec<usize> = (1..=POINTS).map(|point| (point * total).div_ceil(POINTS)).collect();
    let (mut curve, mut area, mut before, mut kept) = (Vec::with_capacity(POINTS), 0.0, 0.0, 0);
    for equal in sure.chunk_by(|one, other| one.0.total_cmp(&other.0).is_eq()) {
        let right = equal.iter().filter(|(_, right)| *right).count() as f64;
        for place in 1..=equal.len() {
            kept += 1;
            let accuracy = (before + right * place as f64 / equal.len() as f64) / kept as f64;
            area += accuracy;
            if counts.binary_search(&kept).is_ok() {
                curve.push(Kept { share: kept as f64 / total as f64, confidence: equal[0].0, accuracy });
            }
        }
        before += right;
    }
    (curve, area / total as f64)
}
