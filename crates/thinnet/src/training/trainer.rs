//! The run itself, step by step, so that whoever drives it can stop between any two and go on later.

use std::time::Instant;

use ndarray::Array2;

use super::data::TrainingData;
use super::plan::Plan;
use super::score::Check;
use super::{Annealing, ClassWeights, Epoch, Monitor, RunHistory, RunStep, Sampling, Score, TrainingConfig};
use crate::engine::{self, Batch, Engine, EngineState};
use crate::error::{Error, Result};
use crate::float::Float;
use crate::layers::{Loss, RunningStatistics, Targets};
use crate::net::{FullyConnectedNet, Parameters};
use crate::random::{self, RandomState};

/// A network that trains.
///
/// ```no_run
/// use thinnet::data::DataSet;
/// use thinnet::training::{Trainer, TrainingConfig, TrainingData};
/// # fn main() -> thinnet::Result<()> {
/// let config = TrainingConfig::default();
/// let data = TrainingData::<f32>::new(DataSet::embedded_sample()?, &config)?;
/// let mut trainer = Trainer::new(&config, &data, 2)?;
/// while trainer.finished().is_none() {
///     if let Some(epoch) = trainer.step()?.epoch {
///         println!("epoch {}: validation accuracy {:?}", epoch.epoch, epoch.val.accuracy);
///     }
/// }
/// # Ok(()) }
/// ```
pub struct Trainer<'a, F: Float> {
    config: &'a TrainingConfig,
    data: &'a TrainingData<F>,
    plan: Plan,
    loss: Loss,
    weights: Option<Vec<f64>>,
    checks: [Check<F>; 2],
    engine: Box<dyn Engine<F>>,
    random: RandomState,
    position: Position,
    best: Option<Best<F>>,
}

/// Where a run is.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Position {
    /// Steps done.
    pub(super) step: u64,
    /// The epoch's samples in the order in which they are taken, where they are shuffled.
    pub(super) order: Vec<u32>,
    /// The sum of the epoch's losses so far.
    pub(super) epoch_loss: f64,
    /// Seconds that the epoch's steps took so far.
    pub(super) epoch_seconds: f64,
    /// Epochs since the last one that counted as better.
    pub(super) stale: usize,
    /// What the last such epoch reached.
    pub(super) mark: Option<f64>,
    /// Losses and epochs.
    pub(super) history: RunHistory,
}

/// The best epoch's network.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Best<F> {
    pub(super) parameters: Parameters<F>,
    pub(super) running: Vec<RunningStatistics<F>>,
}

/// All that a run needs to go on, beside its settings and samples. [`TrainerState::to_bytes`] makes a checkpoint of it.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainerState<F> {
    pub(super) engine: EngineState<F>,
    pub(super) random: random::State,
    pub(super) position: Position,
    pub(super) best: Option<Best<F>>,
}

/// One step's outcome.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Its number, from 1.
    pub step: u64,
    /// Its loss, penalties included.
    pub loss: f64,
    /// The epoch that it ended, if it did.
    pub epoch: Option<Epoch>,
    /// Whether that epoch is the best so far.
    pub best: bool,
}

/// Why a run has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// All epochs are done.
    Epochs,
    /// So many epochs in a row were no better than the best one before them.
    Patience(usize),
}

/// What a finished run comes to, of the parameters that it keeps.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// On the validation samples.
    pub val: Score,
    /// On the test samples, if there are any.
    pub test: Option<Score>,
    /// How often each class (row) was taken for each (column): of the test samples, or else of the validation samples.
    pub confusion: Option<Array2<usize>>,
}

impl<'a, F: Float> Trainer<'a, F> {
    /// A run from its beginning, on `threads` threads where the settings leave them open.
    ///
    /// # Errors
    /// [`Error::Configuration`] for settings out of range or that do not fit the data.
    pub fn new(config: &'a TrainingConfig, data: &'a TrainingData<F>, threads: usize) -> Result<Self> {
        config.check()?;
        let mut random = RandomState::new(config.train.seed);
        let net =
            FullyConnectedNet::<F>::new(config.net(data.input_dim(), data.num_outputs())?, &mut random)?;
        let engine = engine::build(net, config.optimiser()?, config.engine(threads))?;
        let checked = config.train.check_samples.unwrap_or(usize::MAX);
        let train = if checked < data.train.len() { data.train.first(checked)? } else { data.train.clone() };
        Ok(Self {
            plan: Plan::new(config, data.train.len())?,
            loss: config.loss(),
            weights: sample_weights(config, data)?,
            checks: [Check::new(engine.as_ref(), train)?, Check::new(engine.as_ref(), data.val.clone())?],
            engine,
            random,
            position: Position::default(),
            best: None,
            config,
            data,
        })
    }

    /// The run from where `state` was taken. What follows is, bit for bit, what would have followed there.
    ///
    /// # Errors
    /// [`Error::Shape`] or [`Error::Configuration`] if the state is that of a run with other settings or data.
    pub fn resume(
        config: &'a TrainingConfig,
        data: &'a TrainingData<F>,
        threads: usize,
        state: &TrainerState<F>,
    ) -> Result<Self> {
        let mut trainer = Self::new(config, data, threads)?;
        trainer.restore(state)?;
        Ok(trainer)
    }

    fn restore(&mut self, state: &TrainerState<F>) -> Result<()> {
        let position = &state.position;
        let samples = self.data.train.len();
        let shuffled = self.config.train.sampling == Sampling::Shuffled;
        let in_epoch = !position.step.is_multiple_of(self.plan.steps_per_epoch);
        let fits = position.step <= self.plan.steps
            && position.history.loss.len() as u64 == position.step
            && position.history.epochs.len() as u64 == position.step / self.plan.steps_per_epoch
            && (!(shuffled && in_epoch) || position.order.len() == samples)
            && position.order.iter().all(|&index| (index as usize) < samples);
        if !fits {
            return Err(Error::configuration(format!(
                "a state after {} steps and {} epochs is not that of this run, which has {} steps an epoch on {samples} samples",
                position.step,
                position.history.epochs.len(),
                self.plan.steps_per_epoch
            )));
        }
        self.engine.restore(&state.engine)?;
        self.random = RandomState::from_state(&state.random)?;
        self.position = position.clone();
        self.best.clone_from(&state.best);
        Ok(())
    }

    /// All that the run needs to go on from here.
    ///
    /// # Errors
    /// None that a trainer made by [`Trainer::new`] could cause.
    pub fn state(&self) -> Result<TrainerState<F>> {
        Ok(TrainerState {
            engine: self.engine.state()?,
            random: self.random.state(),
            position: self.position.clone(),
            best: self.best.clone(),
        })
    }

    /// Losses and epochs so far.
    pub fn history(&self) -> &RunHistory {
        &self.position.history
    }

    /// Steps done, and those of the whole run.
    pub fn progress(&self) -> (u64, u64) {
        (self.position.step, self.plan.steps)
    }

    /// Steps of an epoch.
    pub fn steps_per_epoch(&self) -> u64 {
        self.plan.steps_per_epoch
    }

    /// Why the run has ended, if it has.
    pub fn finished(&self) -> Option<Finish> {
        if self.position.step >= self.plan.steps {
            return Some(Finish::Epochs);
        }
        let between = self.position.step.is_multiple_of(self.plan.steps_per_epoch);
        let patience = self.config.train.patience?;
        (between && self.position.stale >= patience).then_some(Finish::Patience(patience))
    }

    /// Does one training step; at an epoch's end, checks the network on training and validation samples.
    ///
    /// # Errors
    /// [`Error::NotFinite`] if the loss, a parameter or a check's loss is NaN or infinite: the run cannot go on from there;
    /// [`Error::Configuration`] if it has ended.
    pub fn step(&mut self) -> Result<Step> {
        if self.position.step >= self.plan.steps {
            return Err(Error::configuration("all steps of this run are done"));
        }
        let start = Instant::now();
        let batch = self.batch()?;
        self.set_rates()?;
        let batch = Batch { indices: &batch, weights: self.weights.as_deref() };
        let loss =
            self.engine.step(&self.data.train.x, self.data.train.targets(), batch, &mut self.random)?.total();
        self.position.step += 1;
        let step = self.position.step;
        self.check_network(loss)?;
        self.position.history.loss.push(loss);
        self.position.epoch_loss += loss;
        self.position.epoch_seconds += start.elapsed().as_secs_f64();
        let mut done = Step { step, loss, epoch: None, best: false };
        if step.is_multiple_of(self.plan.steps_per_epoch) {
            let (epoch, best) = self.end_epoch()?;
            (done.epoch, done.best) = (Some(epoch), best);
        }
        Ok(done)
    }

    /// The next batch's samples.
    fn batch(&mut self) -> Result<Vec<usize>> {
        let (samples, size) = (self.data.train.len(), self.config.train.batch_size);
        if self.config.train.sampling == Sampling::Replacement {
            return self.random.choice(samples, size);
        }
        let at = self.position.step % self.plan.steps_per_epoch;
        if at == 0 {
            let order = self.random.permutation(samples);
            self.position.order =
                order.into_iter().map(|index| u32::try_from(index).unwrap_or(u32::MAX)).collect();
        }
        let mut batches = self.position.order.chunks(size);
        let batch = batches.nth(usize::try_from(at).unwrap_or(usize::MAX)).unwrap_or_default();
        Ok(batch.iter().map(|&index| index as usize).collect())
    }

    /// Learning rate, momentum and keep probabilities of the step to come.
    fn set_rates(&mut self) -> Result<()> {
        let step = self.position.step;
        self.engine.set_learning_rate(self.plan.learning_rate(step));
        if let Some(momentum) = self.plan.momentum(step) {
            self.engine.set_momentum(momentum)?;
        }
        if self.config.model.annealing != Annealing::None {
            let at = Some(RunStep { step, steps: self.plan.steps });
            self.engine.set_dropout(self.config.hidden_dropout(at)?, self.config.input_dropout(at)?)?;
        }
        Ok(())
    }

    /// Refuses a loss and parameters that training cannot go on from. Parameters are looked at after every step: a ReLU hides
    /// those that are NaN from the loss.
    fn check_network(&self, loss: f64) -> Result<()> {
        let step = self.position.step;
        let what = match (loss.is_finite(), self.engine.first_not_finite()) {
            (true, None) => return Ok(()),
            (true, Some(array)) => format!("{array} holds numbers that are not finite"),
            (false, None) => format!("the loss is {loss}"),
            (false, Some(array)) => {
                format!("the loss is {loss}, and {array} holds numbers that are not finite")
            }
        };
        Err(Error::NotFinite { what, step })
    }

    /// Refuses numbers that training cannot go on from.
    fn check_finite(&self, value: f64, what: &str) -> Result<()> {
        let step = self.position.step;
        if value.is_finite() {
            return Ok(());
        }
        Err(Error::NotFinite { what: format!("{what} is {value}"), step })
    }

    /// Checks the network, and takes it as the best if it is.
    fn end_epoch(&mut self) -> Result<(Epoch, bool)> {
        let mut scores = [Score::default(); 2];
        for (score, check) in scores.iter_mut().zip(&self.checks) {
            *score = check.score(self.engine.as_mut(), self.loss, &mut self.random)?;
        }
        let [train, val] = scores;
        self.check_finite(train.loss, "the loss on training samples")?;
        self.check_finite(val.loss, "the loss on validation samples")?;
        let position = &mut self.position;
        let (step, seconds) = (position.step, position.epoch_seconds);
        let epoch = Epoch {
            epoch: usize::try_from(step / self.plan.steps_per_epoch).unwrap_or(usize::MAX),
            step,
            learning_rate: self.plan.learning_rate(step - 1),
            loss: position.epoch_loss / self.plan.steps_per_epoch as f64,
            train,
            val,
            seconds,
            samples_per_second: self.plan.samples_per_epoch as f64 / seconds.max(f64::MIN_POSITIVE),
        };
        (position.epoch_loss, position.epoch_seconds) = (0.0, 0.0);
        position.history.epochs.push(epoch);

        // Higher is better, whatever is watched.
        let monitor = self.config.monitor();
        let of = |score: &Score| match monitor {
            Monitor::Accuracy => score.accuracy.unwrap_or(f64::NEG_INFINITY),
            Monitor::Loss => -score.loss,
        };
        let best = position.history.best_epoch().is_none_or(|best| of(&val) > of(&best.val));
        if position.mark.is_none_or(|mark| of(&val) > mark + self.config.train.min_delta) {
            (position.mark, position.stale) = (Some(of(&val)), 0);
        } else {
            position.stale += 1;
        }
        if best {
            position.history.best = Some(position.history.epochs.len() - 1);
            if self.config.train.restore_best {
                let running =
                    if self.config.model.batch_norm { self.engine.state()?.running } else { Vec::new() };
                self.best = Some(Best { parameters: self.engine.parameters()?, running });
            }
        }
        Ok((epoch, best))
    }

    /// The network that the run keeps: the best epoch's, or the current one.
    ///
    /// # Errors
    /// None that a trainer made by [`Trainer::new`] could cause.
    pub fn network(&self) -> Result<FullyConnectedNet<F>> {
        let (parameters, running) = if let Some(best) = &self.best {
            (best.parameters.clone(), best.running.clone())
        } else {
            let state = self.engine.state()?;
            (state.parameters, state.running)
        };
        let config = self.config.net(self.data.input_dim(), self.data.num_outputs())?;
        let mut net = FullyConnectedNet::from_parameters(config, parameters)?;
        net.set_running(&running)?;
        Ok(net)
    }

    /// How the network that the run keeps does on validation and test samples.
    ///
    /// # Errors
    /// None that a trainer made by [`Trainer::new`] could cause.
    pub fn verdict(&self, threads: usize) -> Result<Verdict> {
        let mut engine =
            engine::build(self.network()?, self.config.optimiser()?, self.config.engine(threads))?;
        let (engine, random) = (engine.as_mut(), &mut self.random.clone());
        let val = self.checks[1].score(engine, self.loss, random)?;
        let Some(samples) = &self.data.test else {
            return Ok(Verdict { val, test: None, confusion: self.checks[1].confusion(engine, random)? });
        };
        let test = Check::new(engine, samples.clone())?;
        let score = test.score(engine, self.loss, random)?;
        Ok(Verdict { val, test: Some(score), confusion: test.confusion(engine, random)? })
    }

    /// The network's parameters as they are now.
    ///
    /// # Errors
    /// None that a trainer made by [`Trainer::new`] could cause.
    pub fn parameters(&self) -> Result<Parameters<F>> {
        self.engine.parameters()
    }
}

/// A weight for each training sample, where classes are weighted.
fn sample_weights<F: Float>(config: &TrainingConfig, data: &TrainingData<F>) -> Result<Option<Vec<f64>>> {
    let Targets::Classes(labels) = data.train.targets() else { return Ok(None) };
    let classes = data.num_outputs();
    let weights = match &config.train.class_weights {
        ClassWeights::None => return Ok(None),
        ClassWeights::Each(weights) if weights.len() == classes => weights.clone(),
        ClassWeights::Each(weights) => {
            return Err(Error::configuration(format!(
                "train.class_weights has {} weights, and the data have {classes} classes",
                weights.len()
            )));
        }
        ClassWeights::Balanced => {
            let mut counts = vec![0usize; classes];
            for &label in labels {
                counts[label] += 1;
            }
            let share = |count: usize| labels.len() as f64 / (classes * count.max(1)) as f64;
            counts.into_iter().map(share).collect()
        }
    };
    Ok(Some(labels.iter().map(|&label| weights[label]).collect()))
}
