//! Monte-Carlo dropout: what predictions say under many masks.

use std::ops::Range;

use ndarray::{Array2, Axis, Zip};

use super::{Engine, Inputs};
use crate::error::{Error, Result};
use crate::float::Float;
use crate::layers::{Loss, Objective};
use crate::random::RandomState;

/// Predictions over masks (Gal and Ghahramani, "Dropout as a Bayesian Approximation", ICML 2016).
#[derive(Debug, Clone, PartialEq)]
pub struct MaskedPredictions {
    /// The mean over the masks (N, C): probabilities, or numbers.
    pub mean: Array2<f64>,
    /// The standard deviation over the masks (N, C).
    pub deviation: Array2<f64>,
    /// The entropy of the mean probabilities, in nats: (N, 1) for classes, (N, C) for several labels per sample, (N, 0)
    /// for numbers.
    pub entropy: Array2<f64>,
    /// The mutual information of the class and the mask, of the same shape: entropy minus the mean entropy under one
    /// mask. It is the part of the entropy that more data would reduce (Houlsby et al., "Bayesian Active Learning",
    /// 2011).
    pub mutual_information: Array2<f64>,
}

/// Predictions for loaded samples under the masks of each draw.
///
/// - `draws`, `first`, `random`: as of [`Engine::each_masked`]
/// - `goes_on`: called before each draw of each block of samples; when it returns `false`, the result is `None`
///
/// # Errors
/// As [`Engine::each_masked`]; [`Error::Configuration`] without draws.
pub fn predict_masked<F: Float>(
    engine: &mut dyn Engine<F>,
    objective: &Objective,
    inputs: &Inputs<F>,
    (draws, first): (Range<u64>, usize),
    random: &mut RandomState,
    goes_on: &mut dyn FnMut() -> bool,
) -> Result<Option<MaskedPredictions>> {
    if draws.is_empty() {
        return Err(Error::configuration("the number of masks must be at least 1, got 0"));
    }
    let count = (draws.end - draws.start) as f64;
    let mut blocks: Vec<(Range<usize>, Sums)> = Vec::new();
    let mut stopped = false;
    let done = engine.each_masked(inputs, draws, first, random, &mut |rows, scores| {
        if !goes_on() {
            stopped = true;
            return Err(Error::Interrupted { step: 0 });
        }
        let p = objective.predict(scores).mapv(F::as_f64);
        match blocks.last_mut() {
            Some((own, sums)) if *own == rows => sums.add(&p, objective.loss),
            _ => blocks.push((rows, Sums::new(&p, objective.loss))),
        }
        Ok(())
    });
    if stopped {
        return Ok(None);
    }
    done?;
    let samples = blocks.last().map_or(0, |(rows, _)| rows.end);
    let widths = blocks.first().map_or((0, 0), |(_, sums)| (sums.mean.ncols(), sums.entropies.ncols()));
    let of = |width| Array2::zeros((samples, width));
    let mut all = MaskedPredictions {
        mean: of(widths.0),
        deviation: of(widths.0),
        entropy: of(widths.1),
        mutual_information: of(widths.1),
    };
    for (rows, sums) in blocks {
        let entropy = entropies(&sums.mean, objective.loss);
        // Rounding could make it a little less than 0.
        let information = (&entropy - &(sums.entropies / count)).mapv(|value| value.max(0.0));
        let deviation = sums.squares.mapv(|sum| (sum / count).sqrt());
        for (all, own) in [
            (&mut all.mean, sums.mean),
            (&mut all.deviation, deviation),
            (&mut all.entropy, entropy),
            (&mut all.mutual_information, information),
        ] {
            all.slice_axis_mut(Axis(0), rows.clone().into()).assign(&own);
        }
    }
    Ok(Some(all))
}

impl MaskedPredictions {
    /// The predictions of several networks together, each over its own masks or none: the mixture of all.
    ///
    /// - `members`: of the same samples, (N, C) each
    ///
    /// # Errors
    /// [`Error::Configuration`] without members.
    pub fn combine(members: &[Self], loss: Loss) -> Result<Self> {
        let count = members.len() as f64;
        let over = |of: &dyn Fn(&Self) -> Array2<f64>| {
            members.iter().map(of).reduce(|sum, one| sum + one).map(|sum| sum / count)
        };
        let none = || Error::configuration("there are no predictions to combine");
        let mean = over(&|one| one.mean.clone()).ok_or_else(none)?;
        let square = over(&|one| {
            let off = &one.mean - &mean;
            &one.deviation * &one.deviation + &off * &off
        });
        let of_one = over(&|one| &one.entropy - &one.mutual_information).ok_or_else(none)?;
        let entropy = entropies(&mean, loss);
        let mutual_information = (&entropy - &of_one).mapv_into(|value| value.max(0.0));
        let deviation = square.ok_or_else(none)?.mapv_into(f64::sqrt);
        Ok(Self { mean, deviation, entropy, mutual_information })
    }

    /// A prediction without masks: it has no deviation, and no mutual information.
    pub fn of_one(mean: Array2<f64>, loss: Loss) -> Self {
        let entropy = entropies(&mean, loss);
        let (deviation, mutual_information) =
            (Array2::zeros(mean.raw_dim()), Array2::zeros(entropy.raw_dim()));
        Self { mean, deviation, entropy, mutual_information }
    }
}

/// What has been drawn of a block of samples.
struct Sums {
    draws: f64,
    mean: Array2<f64>,
    /// Sums of squared differences from the mean, by Welford's recurrence.
    squares: Array2<f64>,
    entropies: Array2<f64>,
}

impl Sums {
    fn new(p: &Array2<f64>, loss: Loss) -> Self {
        let zeros = Array2::zeros(p.raw_dim());
        Self { draws: 1.0, mean: p.clone(), squares: zeros, entropies: entropies(p, loss) }
    }

    fn add(&mut self, p: &Array2<f64>, loss: Loss) {
        self.draws += 1.0;
        let draws = self.draws;
        Zip::from(&mut self.mean).and(&mut self.squares).and(p).for_each(|mean, squares, &p| {
            let delta = p - *mean;
            *mean += delta / draws;
            *squares += delta * (p - *mean);
        });
        self.entropies += &entropies(p, loss);
    }
}

/// The entropies of probabilities (N, C), as in [`MaskedPredictions::entropy`].
fn entropies(p: &Array2<f64>, loss: Loss) -> Array2<f64> {
    let term = |p: f64| if p > 0.0 { -p * p.ln() } else { 0.0 };
    match loss {
        Loss::Softmax => {
            Array2::from_shape_fn((p.nrows(), 1), |(row, _)| p.row(row).iter().map(|&p| term(p)).sum())
        }
        Loss::Logistic => p.mapv(|p| term(p) + term(1.0 - p)),
        _ => Array2::zeros((p.nrows(), 0)),
    }
}
