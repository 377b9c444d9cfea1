//! Split-conformal prediction: sets of classes and intervals of numbers that hold the truth with a given probability.
//!
//! Sources: Vovk, Gammerman and Shafer, "Algorithmic Learning in a Random World", 2005; Angelopoulos and Bates, "A Gentle
//! Introduction to Conformal Prediction and Distribution-Free Uncertainty Quantification", 2021, section 1.

use ndarray::{Array2, ArrayView1, ArrayView2, Axis};

use crate::error::{Error, Result, ensure, same_shape};
use crate::float::Float;
use crate::layers::{Loss, Objective};

/// So many scores are kept, of all targets together; a target keeps at least [`LEAST`].
const MOST: usize = 4000;
/// So many scores a target keeps at least, if there are as many samples.
const LEAST: usize = 100;

/// How far off a network's predictions are on samples that it was not trained on.
///
/// If new samples come from the same source, a set or an interval for a coverage of `q` holds the truth with a
/// probability from `q` to `q + 1 / (n + 1)`, where `n` is the number of these samples. This is so on average over all
/// samples, not for each class or each kind of sample; and it is exact only if nothing was chosen by these samples.
///
/// ```
/// use ndarray::array;
/// use thinnet::training::Conformal;
/// # fn main() -> thinnet::Result<()> {
/// let probabilities = array![[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]];
/// let conformal = Conformal::of_classes(probabilities.view(), &[0, 1, 1])?; // scores 0.1, 0.6, 0.2
/// assert!((conformal.radii(0.5)?[0] - 0.2).abs() < 1e-12); // the second of three
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Conformal {
    samples: usize,
    /// Ascending in each row: one row for classes, or one for each target.
    scores: Array2<f64>,
}

impl Conformal {
    /// Of classes: the score of a sample is one minus the probability of its class.
    ///
    /// - `probabilities`: (N, C); `labels`: N, below C
    ///
    /// # Errors
    /// [`Error::Shape`] for another number of labels; [`Error::Data`] for labels of C or more, and if there are no
    /// samples.
    pub fn of_classes<F: Float>(probabilities: ArrayView2<'_, F>, labels: &[usize]) -> Result<Self> {
        same_shape("labels, one for each row", &[probabilities.nrows()], &[labels.len()])?;
        let score = |(row, &label): (usize, &usize)| {
            probabilities.get((row, label)).map(|probability| class_score(*probability))
        };
        let scores: Option<Vec<f64>> = labels.iter().enumerate().map(score).collect();
        let classes = probabilities.ncols();
        Self::of(vec![scores.ok_or_else(|| Error::data(format!("a label does not fit {classes} classes")))?])
    }

    /// Of numbers: the score of a sample is the absolute difference of prediction and truth, for each target.
    ///
    /// - `predicted`, `truth`: (N, K)
    ///
    /// # Errors
    /// [`Error::Shape`] if the two differ in shape; [`Error::Data`] if there are no samples.
    pub fn of_numbers<F: Float>(predicted: ArrayView2<'_, F>, truth: ArrayView2<'_, F>) -> Result<Self> {
        same_shape("numbers that are predicted", predicted.shape(), truth.shape())?;
        let off = |(one, other): (&F, &F)| (one.as_f64() - other.as_f64()).abs();
        let columns = predicted.columns().into_iter().zip(truth.columns());
        Self::of(columns.map(|(predicted, truth)| predicted.iter().zip(truth).map(off).collect()).collect())
    }

    /// Of what a regression predicts besides its best guess. Where it predicts noise, the score is the distance in
    /// standard deviations, so that intervals are wide where there is noise (Lei et al., "Distribution-Free Predictive
    /// Inference for Regression", Journal of the American Statistical Association 2018, section 5.2). With two or more
    /// quantiles it is the distance from the nearer of the outer ones, negative between them (Romano, Patterson and
    /// Candès, "Conformalized Quantile Regression", NeurIPS 2019). Otherwise as [`Conformal::of_numbers`].
    ///
    /// - `predicted`: (N, K times [`Objective::scores_per_target`]), as [`Objective::predict`] gives; `truth`: (N, K)
    ///
    /// # Errors
    /// As [`Conformal::of_numbers`].
    pub fn of_outputs<F: Float>(
        objective: &Objective,
        predicted: ArrayView2<'_, F>,
        truth: ArrayView2<'_, F>,
    ) -> Result<Self> {
        let each = objective.scores_per_target();
        same_shape("numbers that are predicted", &[truth.nrows(), truth.ncols() * each], predicted.shape())?;
        let of_target = |(own, truth): (ArrayView2<'_, F>, ArrayView1<'_, F>)| {
            let rows = own.rows().into_iter().zip(truth);
            rows.map(|(own, truth)| number_score(objective, own, truth.as_f64())).collect()
        };
        Self::of(predicted.axis_chunks_iter(Axis(1), each).zip(truth.columns()).map(of_target).collect())
    }

    /// Scores of each target, in any order. Many are thinned: every so-manieth is kept, and the largest.
    fn of(all: Vec<Vec<f64>>) -> Result<Self> {
        let samples = all.first().map_or(0, Vec::len);
        ensure!(
            samples > 0,
            Error::data("sets and intervals need samples with known answers, and there are none")
        );
        let most = (MOST / all.len()).max(LEAST).min(samples);
        let mut scores = Array2::zeros((all.len(), most));
        for (mut row, mut all) in scores.rows_mut().into_iter().zip(all) {
            all.sort_by(f64::total_cmp);
            for (place, score) in row.iter_mut().enumerate() {
                *score = all[rank(place + 1, most, samples) - 1];
            }
        }
        Ok(Self { samples, scores })
    }

    /// How large a score may be so that a sample's truth has no larger one with this probability: one number for classes,
    /// or one for each target. A class belongs to the set if one minus its probability is not larger; the interval of a
    /// number reaches so far to both sides.
    ///
    /// # Errors
    /// [`Error::Configuration`] unless 0 < `coverage` < 1, and if there are too few samples for it: `n` samples allow up
    /// to `n / (n + 1)`.
    pub fn radii(&self, coverage: f64) -> Result<Vec<f64>> {
        ensure!(
            coverage > 0.0 && coverage < 1.0,
            Error::configuration(format!("a coverage must be above 0 and below 1, got {coverage}"))
        );
        // Rounding must not make 0.7 of 10 the eighth.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        // positive, and at most samples + 1
        let wanted = (coverage * (self.samples as f64 + 1.0) - 1e-9).ceil().max(1.0) as usize;
        ensure!(
            wanted <= self.samples,
            Error::configuration(format!(
                "a coverage of {coverage} needs more validation samples: with {} it can be at most {}",
                self.samples,
                self.samples as f64 / (self.samples as f64 + 1.0)
            ))
        );
        let kept = self.scores.ncols();
        let place = (wanted * kept).div_ceil(self.samples); // the first kept score that is not too small
        Ok(self.scores.column(place - 1).to_vec())
    }

    /// The number of samples.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// Whether all scores are finite; those of a network that diverged are not.
    pub(crate) fn is_finite(&self) -> bool {
        self.scores.iter().all(|score| score.is_finite())
    }

    /// What a file keeps: ascending scores, one row for classes or one for each target.
    pub(crate) fn scores(&self) -> ArrayView2<'_, f64> {
        self.scores.view()
    }

    /// What a file kept, for a model with this many rows of scores.
    pub(crate) fn kept(samples: usize, scores: Array2<f64>, rows: usize) -> Result<Self> {
        let sorted = scores.rows().into_iter().all(|row| row.iter().is_sorted_by(|one, next| one <= next));
        let fits = scores.nrows() == rows && (1..=samples).contains(&scores.ncols());
        ensure!(sorted && fits, Error::data("its conformal scores do not fit its outputs or are not sorted"));
        Ok(Self { samples, scores })
    }
}

/// The score of a class with this probability.
pub(crate) fn class_score<F: Float>(probability: F) -> f64 {
    1.0 - probability.as_f64()
}

/// The score of a truth, given what is predicted for its target: see [`Conformal::of_outputs`].
pub(crate) fn number_score<F: Float>(objective: &Objective, own: ArrayView1<'_, F>, truth: f64) -> f64 {
    let [low, high] = core(objective, own);
    (low - truth).max(truth - high) / unit(objective, own)
}

/// The interval that reaches as far as a score of `radius`.
///
/// - `own`: what [`Objective::predict`] gives for one target of one sample
pub fn interval<F: Float>(objective: &Objective, own: ArrayView1<'_, F>, radius: f64) -> [f64; 2] {
    let ([low, high], reach) = (core(objective, own), radius * unit(objective, own));
    let (low, high) = (low - reach, high + reach);
    if low <= high { [low, high] } else { [f64::midpoint(low, high); 2] }
}

/// The interval of radius 0: between the outer quantiles, or the best guess alone.
fn core<F: Float>(objective: &Objective, own: ArrayView1<'_, F>) -> [f64; 2] {
    match objective.loss {
        Loss::Quantile => [own[0].as_f64(), own[own.len() - 1].as_f64()],
        _ => [own[0].as_f64(); 2],
    }
}

/// What a score is counted in: standard deviations, or the target's unit.
fn unit<F: Float>(objective: &Objective, own: ArrayView1<'_, F>) -> f64 {
    if objective.loss == Loss::GaussianNll { own[1].as_f64() } else { 1.0 }
}

/// Which of `samples` sorted scores is the `place`th of the `most` that are kept, both from 1.
fn rank(place: usize, most: usize, samples: usize) -> usize {
    (place * samples).div_ceil(most)
}
