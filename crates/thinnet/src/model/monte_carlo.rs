//! Monte-Carlo predictions of a model: many passes, each with other dropout masks.

use super::Model;
use crate::data::Features;
use crate::engine::{self, Engine, EngineConfig, MaskSource, MaskedPredictions, predict_masked};
use crate::error::{Error, Result};
use crate::float::Float;
use crate::optim::{Optimiser, Sgd};
use crate::random::RandomState;

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
    engine: Box<dyn Engine<F>>,
    masks: u64,
    samples: usize,
}

impl<'a, F: Float> MonteCarlo<'a, F> {
    /// Predictions of `model` over `masks` masks for each sample.
    ///
    /// # Errors
    /// [`Error::Configuration`] for 0 masks, and for a model without dropout, to which all masks are the same.
    pub fn new(model: &'a Model<F>, masks: u64, seed: u64) -> Result<Self> {
        let net = model.net();
        if masks == 0 {
            return Err(Error::configuration("the number of masks must be at least 1, got 0"));
        }
        if !net.config().drops() {
            return Err(Error::configuration(
                "this model was trained without dropout: all masks give the same prediction",
            ));
        }
        let threads = model.config().train.threads.unwrap_or_else(engine::cores);
        let masked = MaskSource::Counter(seed);
        let how = EngineConfig { threads, masks: masked, ..model.config().engine(threads) };
        let engine = engine::build(model.calibrated_net().into_owned(), Optimiser::Sgd(Sgd::default()), how)?;
        Ok(Self { model, engine, masks, samples: 0 })
    }

    /// The predictions for the next N samples: probabilities of classes, or numbers in the units of the data.
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
        let preprocessing = self.model.preprocessing();
        let inputs = self.engine.load(&preprocessing.inputs(&x.into())?)?;
        let objective = self.model.net().config().objective();
        let draws = (0..self.masks, self.samples);
        let random = &mut RandomState::new(0); // masks come from the engine's own stream
        let found = predict_masked(&mut *self.engine, &objective, &inputs, draws, random, goes_on)?;
        let Some(mut found) = found else { return Ok(None) };
        self.samples += found.mean.nrows();
        found.mean = preprocessing.outputs(found.mean);
        if let Some(deviations) = preprocessing.targets.as_ref().and_then(|scale| scale.deviation.as_ref()) {
            let deviations = ndarray::aview1(deviations);
            found.deviation *= &deviations;
        }
        Ok(Some(found))
    }
}
