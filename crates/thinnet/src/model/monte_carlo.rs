//! Monte-Carlo predictions of a model: many passes, each with other dropout masks.

use std::borrow::Cow;

use ndarray::{Array2, Axis};

use super::Model;
use crate::data::Features;
use crate::engine::{self, Engine, EngineConfig, MaskSource, MaskedPredictions, predict_masked};
use crate::error::{Error, Result, ensure};
use crate::float::Float;
use crate::layers::{Loss, Objective};
use crate::net::FullyConnectedNet;
use crate::optim::{Optimiser, Sgd};
use crate::random::RandomState;
use crate::training::tempered;

/// Predicts with dropout masks, and with the model's temperature if it has one (Gal and Ghahramani, "Dropout as a Bayesian Approximation", ICML 2016). A sample's masks
/// depend on the seed and on the sample's number, which counts through all calls.
///
#[cfg_attr(feature = "files", doc = "```")]
#[cfg_attr(not(feature = "files"), doc = "```ignore")]
/// use ndarray::Array2;
/// use thinnet::{data::Rows, model::{Model, MonteCarlo}, training::TrainingConfig};
/// # fn main() -> thinnet::Result<()> {
/// let x = Array2::from_shape_fn((90, 4), |(row, column)| (row % 3 == column) as u8 as f32 + 0.1 * (row % 7) as f32);
/// let rows = Rows::with_classes(x.clone(), (0..90).map(|row| row % 3).collect(), 3)?;
/// let mut settings = TrainingConfig::default();
/// settings.set(&"model.hidden=[16]".parse()?)?;
/// settings.set(&"model.keep=0.5".parse()?)?;
/// let model = Model::fit(&rows, &settings)?;
/// let predicted = MonteCarlo::new(&model, 100, 7)?.predict(&x)?;
/// assert_eq!((predicted.mean.dim(), predicted.entropy.dim()), ((90, 3), (90, 1)));
/// assert_eq!(MonteCarlo::new(&model, 100, 7)?.predict(&x)?, predicted);
/// # Ok(()) }
/// ```
pub struct MonteCarlo<'a, F: Float> {
    model: &'a Model<F>,
    /// One for each network.
    engines: Vec<Box<dyn Engine<F>>>,
    masks: u64,
    samples: usize,
}

impl<'a, F: Float> MonteCarlo<'a, F> {
    /// Predictions of `model` over `masks` masks for each sample, for each network of an ensemble.
    ///
    /// # Errors
    /// [`Error::Configuration`] for 0 masks, and for a model without dropout, to which all masks are the same.
    pub fn new(model: &'a Model<F>, masks: u64, seed: u64) -> Result<Self> {
        let engines = masked_engines(model, masks, seed)?;
        Ok(Self { model, engines, masks, samples: 0 })
    }

    /// The predictions for the next N samples: probabilities of classes, or numbers in the units of the data. If the
    /// model predicts noise, `mean` (N, K) has the means alone, and `deviation` holds the noise too. Quantiles are (N, K
    /// times Q).
    ///
    /// - `x`: (N, D), in the units of the training data
    ///
    /// # Errors
    /// [`Error::Shape`] for another D.
    pub fn predict(&mut self, x: impl Into<Features<f64>>) -> Result<MaskedPredictions> {
        let found = self.predict_while(x, &mut || true)?;
        found.ok_or(Error::Interrupted { step: 0 }) // it is never stopped
    }

    /// [`MonteCarlo::predict`], which is stopped when `goes_on`, called before each pass, returns `false`: the result is
    /// then `None`.
    ///
    /// # Errors
    /// As [`MonteCarlo::predict`].
    pub fn predict_while(
        &mut self,
        x: impl Into<Features<f64>>,
        goes_on: &mut dyn FnMut() -> bool,
    ) -> Result<Option<MaskedPredictions>> {
        let inputs = self.model.preprocessing().inputs(&x.into())?;
        let objective = self.model.objective();
        let draws = (0..self.masks, self.samples);
        let mut members = Vec::with_capacity(self.engines.len());
        for engine in &mut self.engines {
            let loaded = engine.load(&inputs)?;
            let random = &mut RandomState::new(0); // masks come from the engine's own stream
            let found = predict_masked(&mut **engine, &objective, &loaded, draws.clone(), random, goes_on)?;
            let Some(found) = found else { return Ok(None) };
            members.push(self.model.preprocessing().in_units(found, &objective));
        }
        let found = MaskedPredictions::combine(&members, objective.loss)?;
        self.samples += found.mean.nrows();
        Ok(Some(with_noise(found, &objective)))
    }
}

/// An engine for each network of a model, with its temperature; each draws masks of its own from the seed.
///
/// # Errors
/// As [`MonteCarlo::new`].
pub(super) fn masked_engines<F: Float>(
    model: &Model<F>,
    masks: u64,
    seed: u64,
) -> Result<Vec<Box<dyn Engine<F>>>> {
    ensure!(masks > 0, Error::configuration("the number of masks must be at least 1, got 0"));
    ensure!(
        model.net().config().drops(),
        Error::configuration("this model was trained without dropout: all masks give the same prediction")
    );
    let threads = model.config().train.threads.unwrap_or_else(engine::cores);
    let engine = |(net, seed): (Cow<'_, FullyConnectedNet<F>>, u64)| {
        let masked = MaskSource::Counter(seed);
        let how = EngineConfig { threads, masks: masked, ..model.config().engine(threads) };
        engine::build(net.into_owned(), Optimiser::Sgd(Sgd::default()), how)
    };
    let seeds = (0..).map(|member| seed.wrapping_add(member));
    model.calibrated_nets().zip(seeds).map(engine).collect()
}

impl<F: Float> Model<F> {
    /// How far the networks of an ensemble agree, without masks: as [`MonteCarlo::predict`], with one pass of each.
    ///
    /// - `x`: (N, D), in the units of the training data
    ///
    /// # Errors
    /// [`Error::Shape`] for another D; [`Error::Configuration`] for a single network that predicts no noise, which has no
    /// deviation.
    pub fn predict_spread(&self, x: impl Into<Features<f64>>) -> Result<MaskedPredictions> {
        let objective = self.objective();
        if self.engines.len() == 1 && objective.loss != Loss::GaussianNll {
            return Err(Error::configuration(
                "this model is one network without noise: train an ensemble (train.members), predict over masks, or train \
                 with model.loss = gaussian_nll",
            ));
        }
        let inputs = self.preprocessing.inputs(&x.into())?;
        let member = |engine: &dyn Engine<F>| {
            let scores = tempered(engine.scores(&engine.load(&inputs)?)?, self.trained.temperature);
            let mean = objective.predict(scores).mapv(F::as_f64);
            let of_one = MaskedPredictions::of_one(mean, objective.loss);
            Ok(self.preprocessing.in_units(of_one, &objective))
        };
        let members =
            self.engines.iter().map(|engine| member(engine.as_ref())).collect::<Result<Vec<_>>>()?;
        Ok(with_noise(MaskedPredictions::combine(&members, objective.loss)?, &objective))
    }
}

/// Of means and deviations of noise, (N, 2 K), the means alone, with deviations that hold the noise too: the variance of
/// the mixture.
fn with_noise(found: MaskedPredictions, objective: &Objective) -> MaskedPredictions {
    if objective.loss != Loss::GaussianNll {
        return found;
    }
    let of = |all: &Array2<f64>, place: usize| {
        all.select(Axis(1), &(place..all.ncols()).step_by(2).collect::<Vec<_>>())
    };
    let square = |values: Array2<f64>| values.mapv_into(|value| value * value);
    let variance =
        square(of(&found.deviation, 0)) + square(of(&found.mean, 1)) + square(of(&found.deviation, 1));
    MaskedPredictions { mean: of(&found.mean, 0), deviation: variance.mapv_into(f64::sqrt), ..found }
}
