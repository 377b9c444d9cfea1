//! Checks the gradients of a whole network against finite differences.

use ndarray::{ArrayView2, ArrayViewD};
use rayon::prelude::*;

use super::trace::{Coordinate, Kind, Probe, Trace};
use super::{DEFAULT_STEP, greater, relative};
use crate::data::Targets;
use crate::error::{Error, Result};
use crate::float::Float;
use crate::net::{FullyConnectedNet, Parameters};
use crate::random::RandomState;

/// Settings of a check.
#[derive(Debug, Clone, PartialEq)]
pub struct NetCheckConfig {
    /// Step of the central differences (default 1e-5).
    pub step: f64,
    /// Relative error from which a gradient counts as wrong, unless a kink, rounding or truncation explains it
    /// (default 1e-6).
    pub tolerance: f64,
    /// Entries to check of each array, drawn without replacement with this seed; `None` checks all (default).
    pub sample: Option<(usize, u32)>,
    /// Threads; `None` uses the surrounding rayon pool, by default one thread per core (default `None`).
    pub threads: Option<usize>,
}

impl Default for NetCheckConfig {
    fn default() -> Self {
        Self { step: DEFAULT_STEP, tolerance: 1e-6, sample: None, threads: None }
    }
}

/// One entry of a parameter array.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Entry {
    /// Position in the array, row-major.
    pub index: usize,
    /// The gradient from the backward pass.
    pub analytic: f64,
    /// The gradient from finite differences.
    pub numeric: f64,
    /// `|analytic - numeric| / max(1e-8, |analytic| + |numeric|)`.
    pub rel_error: f64,
    /// Whether a kept unit's ReLU, or the corner of a weight's L1 term at 0, is crossed between x - h and x + h: then
    /// the finite difference is wrong, not (necessarily) the gradient.
    pub kink: bool,
    /// Whether rounding of the finite difference can explain the difference, `4 epsilon max(1, |loss|) / h`: a small
    /// gradient can have a large relative error only because of that.
    pub within_rounding: bool,
    /// Whether the difference is the finite difference's own truncation error: it is above the tolerance (or
    /// rounding), but vanishes when a second step, h/2, removes the step's error of order h^2 (Richardson 1911).
    pub truncation: bool,
}

/// The result for one parameter array.
#[derive(Debug, Clone, PartialEq)]
pub struct ParameterCheck {
    /// `W1`, `b1`, ...
    pub name: String,
    /// Entries checked.
    pub checked: usize,
    /// The max relative error of all entries checked: the figure that the course prints.
    pub rel_error: f64,
    /// Entries at which a ReLU, or the L1 term's corner, is crossed within the step.
    pub kinks: usize,
    /// The entry with the max relative error.
    pub worst: Option<Entry>,
    /// The entries that are wrong: above the tolerance, without a kink, and beyond rounding and truncation.
    pub wrong: Vec<Entry>,
}

impl ParameterCheck {
    /// Whether no entry is wrong.
    pub fn passes(&self) -> bool {
        self.wrong.is_empty()
    }
}

/// Checks the gradients of [`FullyConnectedNet::loss`] against central differences, parameter by parameter, on all
/// cores. The masks are those that the loss draws from the current state of `random`; they stay fixed, and `random`
/// itself is not changed.
///
/// Use 64-bit floats: with 32 bits and the course's step, a finite difference shows only rounding.
///
/// - `x`: (N, D), N > 0; `targets`: N labels in 0..C, or (N, C) numbers, as the network's loss requires
///
/// # Errors
/// Errors of the loss; [`Error::Configuration`] for a step that is not positive, or a sample without entries.
pub fn check_net<'a, F: Float>(
    net: &FullyConnectedNet<F>,
    x: ArrayView2<'_, F>,
    targets: impl Into<Targets<'a, F>>,
    random: &RandomState,
    config: &NetCheckConfig,
) -> Result<Vec<ParameterCheck>> {
    let targets: Targets<'a, F> = targets.into();
    let (_, gradients) = net.clone().loss(x, targets, &mut random.clone())?;
    check_gradients(net, &gradients, x, targets, random, config)
}

/// Checks any `gradients` of the loss of `net`, for example your own, as [`check_net`] does.
///
/// # Errors
/// As [`check_net`]; [`Error::Shape`] if the gradients do not have the parameters' names and shapes.
pub fn check_gradients<'a, F: Float>(
    net: &FullyConnectedNet<F>,
    gradients: &Parameters<F>,
    x: ArrayView2<'_, F>,
    targets: impl Into<Targets<'a, F>>,
    random: &RandomState,
    config: &NetCheckConfig,
) -> Result<Vec<ParameterCheck>> {
    let step = F::from_f64(config.step);
    if !(step > F::zero() && step.is_finite()) {
        return Err(Error::configuration(format!(
            "the step must be finite and above 0 in the network's number type ({}), got {}",
            F::DTYPE,
            config.step
        )));
    }
    if matches!(config.sample, Some((0, _))) {
        return Err(Error::configuration("the entries to check of each array must be at least 1, got 0"));
    }
    net.parameters.check_like("gradients of check_gradients", gradients)?;
    let targets: Targets<'a, F> = targets.into();
    let (loss, _) = net.clone().loss(x, targets, &mut random.clone())?;
    let trace = Trace::new(net, x, targets, &mut random.clone())?;
    let check = NetChecker { trace, config, loss: loss.as_f64() };
    let run = || gradients.named().into_iter().map(|(name, array)| check.array(name, &array)).collect();
    match config.threads {
        Some(threads) => rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .map_err(|reason| Error::configuration(format!("cannot start {threads} threads: {reason}")))?
            .install(run),
        None => run(),
    }
}

/// A check under way.
struct NetChecker<'a, 't, F> {
    trace: Trace<'a, 't, F>,
    config: &'a NetCheckConfig,
    loss: f64,
}

impl<F: Float> NetChecker<'_, '_, F> {
    /// Checks one array of gradients.
    fn array(&self, name: String, gradient: &ArrayViewD<'_, F>) -> Result<ParameterCheck> {
        let split = name.find(|c: char| c.is_ascii_digit()).unwrap_or(name.len());
        let kind = match &name[..split] {
            "W" => Kind::Weight,
            "b" => Kind::Bias,
            "gamma" => Kind::Gamma,
            _ => Kind::Beta,
        };
        let layer = name[split..].parse::<usize>().map_or(0, |number| number - 1);
        let columns = gradient.shape().last().copied().unwrap_or(1);
        let indices = match self.config.sample {
            Some((count, seed)) if count < gradient.len() => {
                RandomState::new(seed).choice_without_replacement(gradient.len(), count)?
            }
            _ => (0..gradient.len()).collect(),
        };
        let analytic: Vec<f64> = gradient.iter().map(|value| value.as_f64()).collect();
        let entries = indices
            .par_iter()
            .map(|&index| {
                let at = Coordinate { layer, kind, row: index / columns, column: index % columns };
                self.entry(index, analytic[index], at)
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(self.summary(name, &entries))
    }

    /// Checks one entry.
    fn entry(&self, index: usize, analytic: f64, at: Coordinate) -> Result<Entry> {
        let h = F::from_f64(self.config.step);
        let (plus, minus) = (self.trace.probe(at, h)?, self.trace.probe(at, -h)?);
        let quotient = |plus: &Probe<F>, minus: &Probe<F>, h: F| {
            (plus.loss.as_f64() - minus.loss.as_f64()) / (2.0 * h.as_f64())
        };
        let numeric = quotient(&plus, &minus, h);
        let rounding = 4.0 * F::epsilon().as_f64() * self.loss.abs().max(1.0) / h.as_f64();
        let mut entry = Entry {
            index,
            analytic,
            numeric,
            rel_error: relative(analytic, numeric),
            kink: self.trace.crosses(&plus, &minus) || self.trace.is_near_corner(at, h),
            within_rounding: (analytic - numeric).abs() <= rounding,
            truncation: false,
        };
        if self.is_wrong(&entry) {
            let half = F::from_f64(0.5) * h;
            let (plus, minus) = (self.trace.probe(at, half)?, self.trace.probe(at, -half)?);
            let extrapolated = (4.0 * quotient(&plus, &minus, half) - numeric) / 3.0;
            // Rounding counts twice as much in the quotient of the half step: (4 * 2 + 1) / 3 = 3 times in total.
            entry.truncation = relative(analytic, extrapolated) <= self.config.tolerance
                || (analytic - extrapolated).abs() <= 3.0 * rounding;
        }
        Ok(entry)
    }

    /// Whether an entry is above the tolerance and the finite difference does not explain it.
    fn is_wrong(&self, entry: &Entry) -> bool {
        let off = entry.rel_error.is_nan() || entry.rel_error > self.config.tolerance;
        off && !entry.kink && !entry.within_rounding && !entry.truncation
    }

    /// The array's figures.
    fn summary(&self, name: String, entries: &[Entry]) -> ParameterCheck {
        ParameterCheck {
            name,
            checked: entries.len(),
            rel_error: entries.iter().map(|entry| entry.rel_error).fold(0.0, greater),
            kinks: entries.iter().filter(|entry| entry.kink).count(),
            worst: entries.iter().max_by(|a, b| a.rel_error.total_cmp(&b.rel_error)).copied(),
            wrong: entries.iter().filter(|entry| self.is_wrong(entry)).copied().collect(),
        }
    }
}
