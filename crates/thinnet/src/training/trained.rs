//! The result of a run: the network that it keeps, and its scores.

use ndarray::Array2;

use super::check::judge;
use super::{Score, Trainer, TrainingConfig};
use crate::data::Rows;
use crate::engine;
use crate::error::{Error, Result};
use crate::float::Float;
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

impl<F: Float> Trainer<'_, F> {
    /// The network that the run keeps: the best epoch's, or the current one.
    ///
    /// # Errors
    /// [`Error::Configuration`] before the first epoch has ended.
    pub fn trained(&self) -> Result<Trained<F>> {
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
        Ok(Trained { net, config, epoch: kept.epoch, samples, val: kept.val, test: None })
    }

    /// The scores on validation and test rows of the network that the run keeps.
    ///
    /// # Errors
    /// None for a trainer made by [`Trainer::new`].
    pub fn verdict(&self, threads: usize) -> Result<Verdict> {
        // It is never trained, so it has the optimiser with the least memory.
        let optimiser = Optimiser::Sgd(Sgd::default());
        let engine = engine::build(self.trained()?.net, optimiser, self.config.engine(threads))?;
        let judge = |rows| judge(engine.as_ref(), rows, self.config.loss());
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
