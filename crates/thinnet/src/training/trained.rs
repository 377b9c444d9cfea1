//! The result of a run: the network that it keeps, and its scores.

use ndarray::Array2;

use super::check::{judge, scores_of};
use super::conformal::Conformal;
use super::temperature::fit_temperature;
use super::{Member, Preprocessing, Score, Trainer, TrainingConfig};
use crate::data::{Rows, Targets};
use crate::engine::{self, Engine};
use crate::error::{Error, Result};
use crate::float::Float;
use crate::layers::Loss;
use crate::net::{FullyConnectedNet, Parameters};
use crate::optim::{Optimiser, Sgd};

/// The network that a run keeps, and its results.
#[derive(Debug, Clone)]
pub struct Trained<F> {
    /// The network: the best epoch's, or the last one's.
    pub net: FullyConnectedNet<F>,
    /// The settings of the run.
    pub config: TrainingConfig,
    /// Its epoch, from 1; 0 means after the first step, in a run that checks it.
    pub epoch: usize,
    /// How many training, validation and test rows the run had.
    pub samples: [usize; 3],
    /// Its score on the validation rows.
    pub val: Score,
    /// Its score on the test rows, once that is known.
    pub test: Option<Score>,
    /// What its scores are divided by before they become probabilities, if `train.calibrate` is set.
    pub temperature: Option<f64>,
    /// What sets of classes and intervals of numbers need; `None` for models of older versions.
    pub conformal: Option<Conformal>,
    /// The further networks of an ensemble; empty for one network.
    pub others: Vec<FullyConnectedNet<F>>,
    /// What each network of an ensemble reached by itself, the first one included; empty for one network.
    pub members: Vec<Member>,
}

/// Scores (N, C) of classes divided by a temperature, if there is one.
pub(crate) fn tempered<F: Float>(scores: Array2<F>, temperature: Option<f64>) -> Array2<F> {
    match temperature {
        Some(temperature) => scores.mapv_into(|score| F::from_f64(score.as_f64() / temperature)),
        None => scores,
    }
}

/// The results of a finished run, for the parameters that it keeps.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// On the validation rows.
    pub val: Score,
    /// On the test rows, if there are any.
    pub test: Option<Score>,
    /// How often each class (row) was predicted as each class (column), on the test rows or else on the validation
    /// rows. `None` for numbers, and for more than [`MOST_COUNTED`](super::MOST_COUNTED) classes.
    pub confusion: Option<Array2<usize>>,
}

/// The temperature, if the settings ask for one, and the conformal scores that predictions of validation rows give.
///
/// - `scores`: (N, C), the network's
pub(super) fn fitted<F: Float>(
    scores: Array2<F>,
    val: &Rows<F>,
    config: &TrainingConfig,
    preprocessing: &Preprocessing,
) -> Result<(Option<f64>, Option<Conformal>)> {
    let mut temperature = None;
    let conformal = match val.targets() {
        Targets::Classes(labels) => {
            if config.train.calibrate {
                temperature = Some(fit_temperature(scores.view(), labels)?);
            }
            let probabilities = Loss::Softmax.predict(tempered(scores, temperature));
            Conformal::of_classes(probabilities.view(), labels)?
        }
        Targets::Values(truth) => {
            let objective = config.objective();
            let outputs = preprocessing.outputs(scores, &objective);
            let truth = preprocessing.outputs(truth.to_owned(), &Loss::SquaredError.into());
            Conformal::of_outputs(&objective, outputs.view(), truth.view())?
        }
    };
    let conformal = Some(conformal).filter(Conformal::is_finite);
    Ok((temperature, conformal))
}

/// An engine that only predicts: it is never trained, so it has the optimiser with the least memory.
pub(crate) fn predictor<F: Float>(
    net: FullyConnectedNet<F>,
    config: &TrainingConfig,
    threads: usize,
) -> Result<Box<dyn Engine<F>>> {
    engine::build(net, Optimiser::Sgd(Sgd::default()), config.engine(threads))
}

impl<F: Float> Trainer<'_, F> {
    /// The network that the run keeps: the best epoch's, or the current one. Its predictions of the validation rows give
    /// its temperature and its conformal scores.
    ///
    /// # Errors
    /// [`Error::Configuration`] before the first epoch has ended.
    pub fn trained(&self) -> Result<Trained<F>> {
        let kept = self.kept()?;
        let val = &self.data.val;
        let threads = self.config.train.threads.unwrap_or_else(engine::cores);
        let engine = predictor(kept.net.clone(), self.config, threads)?;
        let scores = scores_of(engine.as_ref(), val, &self.config.objective())?;
        let (temperature, conformal) = fitted(scores, val, self.config, &self.data.preprocessing)?;
        Ok(Trained { temperature, conformal, ..kept })
    }

    /// The network that the run keeps, without what its predictions give.
    fn kept(&self) -> Result<Trained<F>> {
        let (parameters, running) = match &self.best {
            Some(best) => (best.parameters.clone(), best.running.clone()),
            None => (self.parameters()?, self.engine().running().to_vec()),
        };
        let config = TrainingConfig { data: self.data.settings.clone(), ..self.config.clone() };
        let net = config.net(self.data.input_dim(), self.data.num_outputs())?;
        let mut net = FullyConnectedNet::from_parameters(net, parameters)?;
        net.set_running(&running)?;
        let history = self.history();
        let kept = if self.best.is_some() { history.best_epoch() } else { history.epochs.last() };
        let kept = kept.ok_or_else(|| Error::configuration("the run has no epoch yet"))?;
        let test = self.data.test.as_ref().map_or(0, Rows::len);
        let samples = [self.data.train.len(), self.data.val.len(), test];
        let (epoch, val) = (kept.epoch, kept.val);
        Ok(Trained {
            net,
            config,
            epoch,
            samples,
            val,
            test: None,
            temperature: None,
            conformal: None,
            others: Vec::new(),
            members: Vec::new(),
        })
    }

    /// The scores on validation and test rows of the network that the run keeps.
    ///
    /// # Errors
    /// None for a trainer made by [`Trainer::new`].
    pub fn verdict(&self, threads: usize) -> Result<Verdict> {
        let engine = predictor(self.kept()?.net, self.config, threads)?;
        let judge = |rows| judge(engine.as_ref(), rows, &self.config.objective());
        let (val, confusion) = judge(&self.data.val)?;
        match &self.data.test {
            None => Ok(Verdict { val, test: None, confusion }),
            Some(test) => {
                let (test, confusion) = judge(test)?;
                Ok(Verdict { val, test: Some(test), confusion })
            }
        }
    }

    /// The parameters that the run keeps: the best epoch's, or the current ones.
    ///
    /// # Errors
    /// None for a trainer made by [`Trainer::new`].
    pub fn best_parameters(&self) -> Result<Parameters<F>> {
        self.best.as_ref().map_or_else(|| self.parameters(), |best| Ok(best.parameters.clone()))
    }
}
