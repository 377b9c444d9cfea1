//! How far a regression's intervals, its noise and its quantiles can be trusted.

use std::f64::consts::{FRAC_1_SQRT_2, TAU};

use ndarray::ArrayView1;
use serde::Serialize;

use crate::error::{Error, Result, ensure, same_shape};
use crate::float::Float;
use crate::layers::{Loss, Objective};
use crate::training::{Conformal, number_score};

/// The coverages that are shown.
const LEVELS: [f64; 4] = [0.5, 0.8, 0.9, 0.95];
/// Coverages of a curve, evenly spaced between 0 and 1.
const POINTS: usize = 20;
/// Coverages from 0 to 1 over which the calibration error is the mean, as in the Uncertainty Toolbox (Chung, Char, Guo,
/// Schneider and Neiswanger 2021).
const GRID: usize = 100;

/// What an interval comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum IntervalKind {
    /// The errors on validation samples ([`Conformal`]).
    Conformal,
    /// The mean and the standard deviation that the model predicts, as a normal distribution.
    Normal,
    /// The outer quantiles that the model predicts.
    Quantiles,
}

/// How the intervals of one coverage did.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct IntervalFigures {
    /// Where they come from.
    pub kind: IntervalKind,
    /// The probability with which they are to hold the truth, 0..=1.
    pub coverage: f64,
    /// The share of samples whose truth they hold, 0..=1.
    pub inside: f64,
    /// Their mean width, in the target's unit.
    pub width: f64,
}

/// How a predicted quantile did.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct QuantileFigures {
    /// Its probability.
    pub probability: f64,
    /// The share of samples whose truth is not above it, 0..=1.
    pub below: f64,
    /// Its mean loss ([`Loss::Quantile`]), in the target's unit.
    pub loss: f64,
}

/// How far predicted means and standard deviations, as normal distributions, can be trusted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Noise {
    /// The mean of the logarithm of the truth's density, natural logarithm, in the target's unit.
    pub log_likelihood: f64,
    /// The root mean square of the standard deviations: small is sharp.
    pub sharpness: f64,
    /// The mean of `|share inside - coverage|` of central intervals, over 100 coverages from 0 to 1 (Kuleshov, Fenner and
    /// Ermon, "Accurate Uncertainties for Deep Learning Using Calibrated Regression", ICML 2018).
    pub calibration_error: f64,
}

/// What is known of one target's intervals.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Spread {
    /// Of predicted standard deviations; `None` if the model predicts none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noise: Option<Noise>,
    /// Of predicted quantiles; empty if the model predicts none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub quantiles: Vec<QuantileFigures>,
    /// Of intervals for some coverages. Those of a coverage that needs more validation samples are missing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub intervals: Vec<IntervalFigures>,
    /// Of conformal intervals, and of those of the noise, the share inside for coverages between 0 and 1.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub curve: Vec<IntervalFigures>,
}

impl Noise {
    /// How far these means and standard deviations can be trusted, given the truth; N of each.
    ///
    /// # Errors
    /// [`Error::Shape`] for other numbers of them; [`Error::Data`] without samples and for deviations that are not above 0.
    ///
    /// ```
    /// use thinnet::model::Noise;
    /// # fn main() -> thinnet::Result<()> {
    /// let noise = Noise::of(&[0.0, 0.0], &[1.0, 1.0], &[0.5, -2.0])?;
    /// assert!((noise.log_likelihood + 1.9814385).abs() < 1e-6 && noise.sharpness == 1.0);
    /// # Ok(()) }
    /// ```
    pub fn of(means: &[f64], deviations: &[f64], truth: &[f64]) -> Result<Self> {
        Tally::of_noise(means, deviations, truth)?
            .noise()
            .ok_or_else(|| Error::data("there are no samples with standard deviations"))
    }
}

impl Spread {
    /// The figures of [`Noise::of`], and those of the intervals that these means and standard deviations give.
    ///
    /// # Errors
    /// As [`Noise::of`].
    pub fn of_noise(means: &[f64], deviations: &[f64], truth: &[f64]) -> Result<Self> {
        Ok(Tally::of_noise(means, deviations, truth)?.finish(&Loss::GaussianNll.into(), None, 0))
    }
}

/// What is counted of one target's samples, which come one after the other.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    /// As of [`Conformal::of_outputs`]; eight bytes for each sample.
    scores: Vec<f64>,
    /// Sums of: the width between outer quantiles; standard deviations; their squares; logarithms of densities.
    core: f64,
    deviations: f64,
    squares: f64,
    log_likelihood: f64,
    /// Of each quantile: the samples that are not above it, and its losses.
    quantiles: Vec<(usize, f64)>,
}

impl Tally {
    fn of_noise(means: &[f64], deviations: &[f64], truth: &[f64]) -> Result<Self> {
        same_shape("means, one for each truth", &[truth.len()], &[means.len()])?;
        same_shape("deviations, one for each truth", &[truth.len()], &[deviations.len()])?;
        ensure!(
            deviations.iter().all(|deviation| *deviation > 0.0),
            Error::data("standard deviations must be above 0")
        );
        let mut tally = Self::default();
        let objective = Objective::from(Loss::GaussianNll);
        for ((&mean, &deviation), &truth) in means.iter().zip(deviations).zip(truth) {
            tally.add(&objective, ArrayView1::from(&[mean, deviation]), truth);
        }
        Ok(tally)
    }

    /// Counts a sample.
    ///
    /// - `own`: what the model predicts for this target
    pub(super) fn add<F: Float>(&mut self, objective: &Objective, own: ArrayView1<'_, F>, truth: f64) {
        let score = number_score(objective, own, truth);
        self.scores.push(score);
        match objective.loss {
            Loss::GaussianNll => {
                let deviation = own[1].as_f64();
                self.deviations += deviation;
                self.squares += deviation * deviation;
                self.log_likelihood -= 0.5 * (TAU.ln() + score * score) + deviation.ln();
            }
            Loss::Quantile => {
                self.core += own[own.len() - 1].as_f64() - own[0].as_f64();
                self.quantiles.resize(own.len(), (0, 0.0));
                for ((below, loss), (value, q)) in
                    self.quantiles.iter_mut().zip(own.iter().zip(&objective.quantiles))
                {
                    let over = value.as_f64() - truth;
                    *below += usize::from(over >= 0.0);
                    *loss += if over > 0.0 { (1.0 - q) * over } else { -q * over };
                }
            }
            _ => {}
        }
    }

    /// The share of scores up to this one; the scores must be sorted.
    fn share(&self, most: f64) -> f64 {
        self.scores.partition_point(|score| *score <= most) as f64 / self.scores.len() as f64
    }

    fn noise(&mut self) -> Option<Noise> {
        if self.scores.is_empty() || self.squares <= 0.0 {
            return None;
        }
        self.scores.sort_by(f64::total_cmp);
        let n = self.scores.len() as f64;
        // The smallest coverage whose interval holds each truth: ascending, as the scores are.
        let coverages: Vec<f64> = self.scores.iter().map(|score| libm::erf(score * FRAC_1_SQRT_2)).collect();
        let off = (0..GRID).map(|point| {
            let coverage = point as f64 / (GRID - 1) as f64;
            let inside = coverages.partition_point(|own| *own <= coverage) as f64 / n;
            // The interval of coverage 1 is all numbers.
            if point == GRID - 1 { 0.0 } else { (inside - coverage).abs() }
        });
        Some(Noise {
            log_likelihood: self.log_likelihood / n,
            sharpness: (self.squares / n).sqrt(),
            calibration_error: off.sum::<f64>() / GRID as f64,
        })
    }

    /// The figures of the `target`th target.
    pub(super) fn finish(
        mut self,
        objective: &Objective,
        conformal: Option<&Conformal>,
        target: usize,
    ) -> Spread {
        let noise = self.noise();
        self.scores.sort_by(f64::total_cmp);
        let n = self.scores.len() as f64;
        let normal = |coverage| {
            let reach = reach_of(coverage);
            let (inside, width) = (self.share(reach), 2.0 * reach * self.deviations / n);
            IntervalFigures { kind: IntervalKind::Normal, coverage, inside, width }
        };
        // What a score is counted in, on average.
        let unit = if objective.loss == Loss::GaussianNll { self.deviations / n } else { 1.0 };
        let conformal = |coverage| {
            let radius = *conformal?.radii(coverage).ok()?.get(target)?;
            let width = (self.core / n + 2.0 * radius * unit).max(0.0);
            Some(IntervalFigures {
                kind: IntervalKind::Conformal,
                coverage,
                inside: self.share(radius),
                width,
            })
        };
        let mut intervals: Vec<IntervalFigures> = LEVELS.into_iter().filter_map(conformal).collect();
        let points = || (1..POINTS).map(|point| point as f64 / POINTS as f64);
        let mut curve: Vec<IntervalFigures> = points().filter_map(conformal).collect();
        if noise.is_some() {
            intervals.extend(LEVELS.map(normal));
            curve.extend(points().map(normal));
        }
        if let (Loss::Quantile, [low, .., high]) = (objective.loss, objective.quantiles.as_slice()) {
            intervals.push(IntervalFigures {
                kind: IntervalKind::Quantiles,
                coverage: high - low,
                inside: self.share(0.0),
                width: self.core / n,
            });
        }
        let quantiles = self.quantiles.iter().zip(&objective.quantiles);
        let quantiles = quantiles.map(|(&(below, loss), &probability)| QuantileFigures {
            probability,
            below: below as f64 / n,
            loss: loss / n,
        });
        Spread { noise, quantiles: quantiles.collect(), intervals, curve }
    }
}

/// How many standard deviations a normal distribution's central interval of this coverage reaches, by bisection.
fn reach_of(coverage: f64) -> f64 {
    let (mut low, mut high) = (0.0, 10.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if libm::erf(middle * FRAC_1_SQRT_2) < coverage {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_those_of_the_normal_distribution() {
        let reaches = [
            0.674_489_750_196_081_7,
            1.281_551_565_544_600_4,
            1.644_853_626_951_472_2,
            1.959_963_984_540_054,
        ];
        for (coverage, reach) in LEVELS.into_iter().zip(reaches) {
            assert!((reach_of(coverage) - reach).abs() < 1e-12, "{coverage}");
        }
    }
}
