//! The checks of the course's dropout exercise (cs231n assignment 2, cs6353), with the figures that its notebook prints.

use ndarray::Array2;
use serde::Serialize;

use crate::error::Result;
use crate::gradient_check::{
    DEFAULT_STEP, NetCheckConfig, ParameterCheck, check_net, eval_numerical_gradient_array, rel_error,
};
use crate::layers::{Dropout, HiddenDropout, Mode, dropout_backward, dropout_forward};
use crate::net::{FullyConnectedNet, NetConfig};
use crate::random::RandomState;

/// The seed of every exercise.
pub const SEED: u32 = 231;

/// What dropout does to the mean of an array, and how much of it is set to zero.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct DropoutStatistics {
    /// The keep probability.
    pub p: f64,
    /// Mean of the input, `randn(500, 500) + 10`.
    pub input_mean: f64,
    /// Mean of the output in training mode.
    pub train_mean: f64,
    /// Mean of the output in test mode.
    pub test_mean: f64,
    /// Share of zeros in the output in training mode.
    pub train_zero_fraction: f64,
    /// Share of zeros in the output in test mode.
    pub test_zero_fraction: f64,
}

/// A small network's initial loss and how its gradients compare with finite differences.
#[derive(Debug, Clone, PartialEq)]
pub struct NetworkFigures {
    /// The keep probability.
    pub keep: f64,
    /// The loss before any training.
    pub initial_loss: f64,
    /// One entry per parameter array.
    pub checks: Vec<ParameterCheck>,
}

/// All figures of the exercise's checks.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    /// Dropout's forward pass, for p = 0.25, 0.4 and 0.7 in turn.
    pub dropout: Vec<DropoutStatistics>,
    /// Relative error of dropout's backward pass, p = 0.2.
    pub dropout_backward_rel_error: f64,
    /// Networks with keep probabilities 1, 0.75 and 0.5 in turn.
    pub networks: Vec<NetworkFigures>,
}

/// Computes the figures, in 64-bit floats, as the notebook does.
///
/// # Errors
/// The fixed shapes cause none.
pub fn figures() -> Result<Figures> {
    Ok(Figures {
        dropout: dropout_statistics()?,
        dropout_backward_rel_error: backward_error()?,
        networks: networks()?,
    })
}

/// "Dropout forward pass".
fn dropout_statistics() -> Result<Vec<DropoutStatistics>> {
    let mut random = RandomState::new(SEED);
    let x: Array2<f64> = random.randn((500, 500)) + 10.0;
    let mean = |x: &Array2<f64>| x.sum() / x.len() as f64;
    let zeros = |x: &Array2<f64>| x.iter().filter(|&&value| value == 0.0).count() as f64 / x.len() as f64;
    [0.25, 0.4, 0.7]
        .into_iter()
        .map(|p| {
            let dropout = Dropout::new(p, None)?;
            let (train, _) = dropout_forward(x.view(), dropout, Mode::Train, &mut random);
            let (test, _) = dropout_forward(x.view(), dropout, Mode::Test, &mut random);
            Ok(DropoutStatistics {
                p,
                input_mean: mean(&x),
                train_mean: mean(&train),
                test_mean: mean(&test),
                train_zero_fraction: zeros(&train),
                test_zero_fraction: zeros(&test),
            })
        })
        .collect()
}

/// "Dropout backward pass".
fn backward_error() -> Result<f64> {
    let mut random = RandomState::new(SEED);
    let x: Array2<f64> = random.randn((10, 10)) + 10.0;
    let dout: Array2<f64> = random.randn((10, 10));
    let dropout = Dropout::new(0.2, Some(123))?;
    let (_, cache) = dropout_forward(x.view(), dropout, Mode::Train, &mut random);
    let dx = dropout_backward(dout.view(), &cache)?;
    let dx_num = eval_numerical_gradient_array(
        |x| Ok(dropout_forward(x, dropout, Mode::Train, &mut random).0),
        x.view(),
        dout.view(),
        DEFAULT_STEP,
    )?;
    rel_error(dx.view(), dx_num.view())
}

/// "Fully-connected nets with Dropout".
fn networks() -> Result<Vec<NetworkFigures>> {
    let mut random = RandomState::new(SEED);
    let (samples, input_dim, num_outputs) = (2, 15, 10);
    let x: Array2<f64> = random.randn((samples, input_dim));
    let y = random.choice(num_outputs, samples)?; // randint(C, size=N) draws the same
    [1.0, 0.75, 0.5]
        .into_iter()
        .map(|keep| {
            let config = NetConfig {
                input_dim,
                hidden: vec![20, 30],
                num_outputs,
                dropout: HiddenDropout::Every(Dropout::new(keep, Some(123))?),
                weight_scale: 5e-2,
                ..NetConfig::default()
            };
            let mut net = FullyConnectedNet::<f64>::new(config, &mut random)?;
            let (initial_loss, _) = net.loss(x.view(), &y, &mut random)?;
            let checks = check_net(&net, x.view(), &y, &random, &NetCheckConfig::default())?;
            Ok(NetworkFigures { keep, initial_loss, checks })
        })
        .collect()
}

/// A figure next to the course's.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// What it is.
    pub what: String,
    /// Our figure.
    pub value: f64,
    /// What the course prints, verbatim.
    pub course: String,
    /// Whether they agree as closely as the figure allows.
    pub agrees: bool,
    /// A remark; empty if there is none.
    pub remark: String,
}

/// How exactly a figure is known.
enum Expected {
    /// Up to a relative error.
    Close(f64, f64),
    /// An error that may be at most this.
    AtMost(f64),
}

impl Figures {
    /// Compares every figure that the course prints with ours.
    pub fn compare(&self) -> Vec<Comparison> {
        use Expected::{AtMost, Close};
        const TRAIN: [(f64, f64); 3] = [
            (10.014_059_116_977_283, 0.749_784),
            (9.977_917_658_761_159, 0.600_796),
            (9.987_811_912_159_426, 0.300_74),
        ];
        const LOSSES: [f64; 3] = [2.300_479_089_768_492, 2.302_848_733_153_321_6, 2.304_275_922_078_59];
        const MEAN: f64 = 10.000_207_878_477_502;

        let mut all = Vec::new();
        for (s, (train_mean, zeros)) in self.dropout.iter().zip(TRAIN) {
            let figures = [
                ("mean of input", s.input_mean, Close(MEAN, 1e-12)),
                ("mean of train-time output", s.train_mean, Close(train_mean, 1e-12)),
                ("mean of test-time output", s.test_mean, Close(MEAN, 1e-12)),
                ("fraction zero in train mode", s.train_zero_fraction, Close(zeros, 0.0)),
                ("fraction zero in test mode", s.test_zero_fraction, Close(0.0, 0.0)),
            ];
            let of_p = |(what, value, expected)| compare(format!("p = {}: {what}", s.p), value, expected);
            all.extend(figures.map(of_p));
        }
        // This relative error is only rounding, so only its order of magnitude is fixed.
        let error = self.dropout_backward_rel_error;
        let mut backward = compare("dropout backward: relative error of dx".into(), error, AtMost(1e-10));
        backward.course = "5.44560814873387e-11".into();
        all.push(backward);
        for (network, loss) in self.networks.iter().zip(LOSSES) {
            let keep = network.keep;
            all.push(compare(format!("keep {keep}: initial loss"), network.initial_loss, Close(loss, 1e-14)));
            for check in &network.checks {
                let worst = keep >= 1.0 && check.name == "W2";
                let limit = if worst { 1e-4 } else { 1e-6 };
                let what = format!("keep {keep}: relative error of {}", check.name);
                let mut comparison = compare(what, check.rel_error, AtMost(limit));
                comparison.agrees &= check.passes();
                if worst {
                    comparison.course = "2.21e-05".into();
                }
                comparison.remark = remark(check);
                all.push(comparison);
            }
        }
        all
    }
}

/// One comparison.
fn compare(what: String, value: f64, expected: Expected) -> Comparison {
    let (course, agrees) = match expected {
        Expected::Close(course, tolerance) => {
            (format!("{course}"), (value - course).abs() <= tolerance * course.abs())
        }
        Expected::AtMost(limit) => (format!("under {limit:e}"), value <= limit),
    };
    Comparison { what, value, course, agrees, remark: String::new() }
}

/// Why an array's worst entry has its error, if that is worth a remark.
fn remark(check: &ParameterCheck) -> String {
    match &check.worst {
        Some(worst) if worst.kink => {
            format!("entry {} has a kink: a ReLU is crossed within the step", worst.index)
        }
        Some(worst) if worst.rel_error > 1e-6 && worst.within_rounding => {
            format!("entry {} is {:.2e}: small enough for rounding to show", worst.index, worst.analytic)
        }
        _ if !check.wrong.is_empty() => {
            format!("{} of {} entries are wrong", check.wrong.len(), check.checked)
        }
        _ => String::new(),
    }
}
