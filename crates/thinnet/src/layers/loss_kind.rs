//! The kinds of losses: of classification with one label per sample or several, and of regression.

use serde::{Deserialize, Serialize};

use crate::names::names;

/// A loss over scores (N, C). `s` is a score and `t` its target; an [`Objective`](super::Objective) adds settings.
///
/// The first four are the canonical pairs of a generalised linear model with its link (McCullagh and Nelder 1989), so
/// the gradient by the score is prediction minus target.
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
    /// `|s - t|`; the scores estimate medians. Its gradient at 0 is 0.
    AbsoluteError,
    /// `0.5 r^2` up to a residual `r = |s - t|` of delta, then `delta (r - 0.5 delta)` (Huber, "Robust Estimation of a
    /// Location Parameter", Annals of Mathematical Statistics 1964).
    Huber,
    /// For a quantile of probability `q`: `q (t - s)` if the score is too low, `(1 - q) (s - t)` if it is too high
    /// (Koenker and Bassett, "Regression Quantiles", Econometrica 1978). One score for each quantile of a target.
    Quantile,
    /// Two scores for each target, its mean `m` and what makes its variance `v = ln(1 + exp(s)) + 1e-6`: minus the
    /// log-density `0.5 (log(2 pi v) + (t - m)^2 / v)` of a normal distribution (Nix and Weigend, "Estimating the Mean
    /// and Variance of the Target Probability Distribution", ICNN 1994).
    GaussianNll,
}

impl Loss {
    /// Whether it is for numbers alone, and so for regressions.
    pub(crate) fn needs_numbers(self) -> bool {
        !matches!(self, Self::Softmax | Self::Logistic)
    }
}

names!(
    Loss,
    "loss",
    "losses",
    Softmax = "softmax",
    Logistic = "logistic",
    SquaredError = "squared_error",
    Poisson = "poisson",
    AbsoluteError = "absolute_error",
    Huber = "huber",
    Quantile = "quantile",
    GaussianNll = "gaussian_nll"
);
