//! The training loop, step by step, so that the caller can stop after any step and resume later.

use super::check::{CheckedRows, Checks};
use super::rates::{Rates, StepPlan};
use super::state::{Best, Position, TrainerState};
use super::{ClassWeights, Epoch, RunHistory, Sampling, Score, TrainingConfig, TrainingData};
use crate::clock::Stopwatch;
use crate::data::{Features, Window};
use crate::engine::{self, Batch, Engine, StepLoss};
use crate::error::{Error, Result, ensure};
use crate::float::Float;
use crate::net::{FullyConnectedNet, Parameters};
use crate::random::RandomState;

/// Trains a network.
///
#[cfg_attr(feature = "files", doc = "```")]
#[cfg_attr(not(feature = "files"), doc = "```ignore")]
/// use thinnet::data::DataSet;
/// use thinnet::training::{Trainer, TrainingConfig, TrainingData};
/// # fn main() -> thinnet::Result<()> {
/// let mut config = TrainingConfig::default();
/// # config.set(&"model.hidden=[4]".parse()?)?;
/// config.set(&"train.epochs=2".parse()?)?;
/// let data = TrainingData::<f32>::new(DataSet::embedded_sample()?, &config)?;
/// let mut trainer = Trainer::new(&config, &data, 2)?;
/// while trainer.finished().is_none() {
///     let mut rates = trainer.rates()?; // what the settings say of the next step
///     rates.l2 = 1e-4 * trainer.progress().0 as f64; // your own schedule, for any of the rates
///     if let Some(epoch) = trainer.step_with(&rates)?.epoch {
///         println!("epoch {}: validation accuracy {:?}", epoch.epoch, epoch.val.accuracy);
///     }
/// }
/// let checkpoint = trainer.state()?.to_bytes(&config)?; // for `Trainer::resume`
/// # Ok(()) }
/// ```
pub struct Trainer<'a, F: Float> {
    pub(super) config: &'a TrainingConfig,
    pub(super) data: &'a TrainingData<F>,
    plan: StepPlan,
    checks: Checks,
    checked: [CheckedRows<'a, F>; 2],
    weights: Option<Vec<f64>>,
    engine: Box<dyn Engine<F>>,
    /// The last rates that the engine was given.
    rates: Rates,
    random: RandomState,
    position: Position,
    /// Blocks that were read, if samples stay in their file.
    window: Window<Features<F>>,
    pub(super) best: Option<Best<F>>,
}

/// Follows a run while it trains.
pub trait Progress {
    /// Called after every step; `steps` is the number of steps in the whole run.
    fn step(&mut self, step: &Step, steps: u64);

    /// Called after every step: true stops the run with [`Error::Interrupted`].
    fn interrupted(&self) -> bool {
        false
    }
}

/// Follows nothing.
impl Progress for () {
    fn step(&mut self, _: &Step, _: u64) {}
}

/// The result of one step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Its number, from 1.
    pub step: u64,
    /// Its loss, penalties included.
    pub loss: f64,
    /// The results if the network was checked after this step: at the end of an epoch, or after the first step, as
    /// epoch 0, if [`Checks::first_step`] is set.
    pub epoch: Option<Epoch>,
    /// Whether that network is the best so far.
    pub best: bool,
}

/// Why a run has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// All epochs are done.
    Epochs,
    /// This many epochs in a row were not better than the best one before them.
    Patience(usize),
}

impl<'a, F: Float> Trainer<'a, F> {
    /// A run from its start, on `threads` threads if the settings leave them open.
    ///
    /// # Errors
    /// [`Error::Configuration`] for settings out of range or that do not suit the data.
    pub fn new(config: &'a TrainingConfig, data: &'a TrainingData<F>, threads: usize) -> Result<Self> {
        Self::with_stream(config, data, threads, RandomState::new(config.train.seed), Checks::of(config))
    }

    /// The same with a random stream that others also draw from. It gives initial weights, batches and, with
    /// [`Masks::Numpy`](super::Masks), masks. [`Trainer::into_random`] returns it.
    ///
    /// # Errors
    /// As [`Trainer::new`].
    pub fn with_stream(
        config: &'a TrainingConfig,
        data: &'a TrainingData<F>,
        threads: usize,
        mut random: RandomState,
        checks: Checks,
    ) -> Result<Self> {
        let net = config.net(data.input_dim(), data.num_outputs())?;
        let net = FullyConnectedNet::<F>::new(net, &mut random)?;
        let engine = engine::build(net, config.optimiser()?, config.engine(threads))?;
        Self::with_engine(config, data, engine, random, checks)
    }

    /// The same with the network, masks and optimiser of `engine` instead of the settings'.
    ///
    /// # Errors
    /// As [`Trainer::new`].
    pub fn with_engine(
        config: &'a TrainingConfig,
        data: &'a TrainingData<F>,
        engine: Box<dyn Engine<F>>,
        random: RandomState,
        checks: Checks,
    ) -> Result<Self> {
        config.check()?;
        if config.train.sampling != Sampling::Replacement {
            config.check_batch(data.train.len())?;
        }
        if let (Features::Stored(_), Sampling::Shuffled | Sampling::Replacement) =
            (data.train.x(), config.train.sampling)
        {
            return Err(Error::setting(
                "train.sampling",
                "must be stream for samples that stay in their file",
            ));
        }
        let plan = StepPlan::new(config, data.train.len())?;
        Ok(Self {
            // An annealed dropout is built with its final value.
            rates: Rates {
                dropout: config.hidden_dropout(None)?,
                input_dropout: config.input_dropout(None)?,
                ..plan.rates(config, 0)?
            },
            plan,
            checked: [
                CheckedRows::new(engine.as_ref(), &data.train, checks.train)?,
                CheckedRows::new(engine.as_ref(), &data.val, checks.val)?,
            ],
            checks,
            weights: sample_weights(config, data)?,
            engine,
            random,
            position: Position::default(),
            window: Window::default(),
            best: None,
            config,
            data,
        })
    }

    /// Continues the run from `state`. The following steps are bit for bit the same as without the interruption.
    ///
    /// # Errors
    /// [`Error::Shape`] or [`Error::Configuration`] if the state belongs to a run with other settings or data.
    pub fn resume(
        config: &'a TrainingConfig,
        data: &'a TrainingData<F>,
        threads: usize,
        state: &TrainerState<F>,
    ) -> Result<Self> {
        let mut trainer = Self::new(config, data, threads)?;
        let (position, first_step) = (&state.position, trainer.checks.first_step);
        position.check(&trainer.plan, config.train.sampling, first_step, data.train.len())?;
        trainer.engine.restore(&state.engine)?;
        trainer.random = RandomState::from_state(&state.random)?;
        trainer.position = position.clone();
        trainer.best.clone_from(&state.best);
        Ok(trainer)
    }

    /// Everything that the run needs to continue from here.
    ///
    /// # Errors
    /// None for a trainer made by [`Trainer::new`].
    pub fn state(&self) -> Result<TrainerState<F>> {
        Ok(TrainerState {
            engine: self.engine.state()?,
            random: self.random.state(),
            position: self.position.clone(),
            best: self.best.clone(),
        })
    }

    /// Returns the random stream, for further draws.
    pub fn into_random(self) -> RandomState {
        self.random
    }

    /// Losses and epochs so far.
    pub fn history(&self) -> &RunHistory {
        &self.position.history
    }

    /// Steps done, and steps of the whole run.
    pub fn progress(&self) -> (u64, u64) {
        (self.position.step, self.plan.steps)
    }

    /// Steps per epoch.
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

    /// Trains to the end. If `progress` asks to stop after the last step, the run is still finished.
    ///
    /// # Errors
    /// As [`Trainer::step`]; [`Error::Interrupted`] if `progress` asks for it.
    pub fn run(&mut self, progress: &mut dyn Progress) -> Result<Finish> {
        loop {
            if let Some(finish) = self.finished() {
                return Ok(finish);
            }
            let step = self.step()?;
            progress.step(&step, self.plan.steps);
            if self.finished().is_none() && progress.interrupted() {
                return Err(Error::Interrupted { step: step.step });
            }
        }
    }

    /// The rates of the next step, according to the settings.
    ///
    /// # Errors
    /// None for settings in range.
    pub fn rates(&self) -> Result<Rates> {
        self.plan.rates(self.config, self.position.step)
    }

    /// Does one training step; at the end of an epoch, also checks the network on training and validation rows.
    ///
    /// # Errors
    /// [`Error::Diverged`] if the loss, a parameter or a check's loss is NaN or infinite: the run cannot continue
    /// from there; [`Error::Configuration`] if it has ended.
    pub fn step(&mut self) -> Result<Step> {
        self.step_with(&self.rates()?)
    }

    /// [`Trainer::step`] with rates other than those of the settings.
    ///
    /// # Errors
    /// As [`Trainer::step`]; [`Error::Configuration`] for rates out of range.
    pub fn step_with(&mut self, rates: &Rates) -> Result<Step> {
        ensure!(self.position.step < self.plan.steps, Error::configuration("all steps of this run are done"));
        let start = Stopwatch::start();
        let batch = self.batch()?;
        self.set_rates(rates)?;
        let loss = self.step_on(&batch)?.total();
        self.position.step += 1;
        let step = self.position.step;
        if self.checks.stop_when_diverged {
            self.check_finite(loss)?;
        }
        self.position.history.loss.push(loss);
        self.position.epoch_loss += loss;
        self.position.epoch_seconds += start.elapsed().as_secs_f64();
        let mut done = Step { step, loss, epoch: None, best: false };
        let ends_epoch = step.is_multiple_of(self.plan.steps_per_epoch);
        if ends_epoch || (step == 1 && self.checks.first_step) {
            let (epoch, best) = self.check(ends_epoch)?;
            (done.epoch, done.best) = (Some(epoch), best);
        }
        Ok(done)
    }

    /// A step on these samples. If they stay in their file they are read, unless their block was read already.
    fn step_on(&mut self, batch: &[usize]) -> Result<StepLoss> {
        let rows = &self.data.train;
        let samples = Batch { indices: batch, weights: self.weights.as_deref() };
        let Features::Stored(stored) = rows.x() else {
            return self.engine.step(rows.x(), rows.targets(), samples, &mut self.random);
        };
        let x = Features::picked(stored, batch, &mut self.window)?;
        let (targets, weights) = (rows.targets().select(batch), samples.own_weights());
        let all: Vec<usize> = (0..batch.len()).collect();
        let samples = Batch { indices: &all, weights: weights.as_deref() };
        self.engine.step(&x, targets.view(), samples, &mut self.random)
    }

    /// The samples of the next batch.
    fn batch(&mut self) -> Result<Vec<usize>> {
        let (samples, size) = (self.data.train.len(), self.config.train.batch_size);
        if self.config.train.sampling == Sampling::Replacement {
            return self.random.choice(samples, size);
        }
        let at = self.position.step % self.plan.steps_per_epoch;
        if at == 0 {
            self.position.order = if let Features::Stored(stored) = self.data.train.x() {
                stored.shuffled(&mut self.random)
            } else {
                let order = self.random.permutation(samples);
                order.into_iter().map(|index| u32::try_from(index).unwrap_or(u32::MAX)).collect()
            };
        }
        let mut batches = self.position.order.chunks(size);
        let batch = batches.nth(usize::try_from(at).unwrap_or(usize::MAX)).unwrap_or_default();
        Ok(batch.iter().map(|&index| index as usize).collect())
    }

    /// Passes changed rates to the engine.
    fn set_rates(&mut self, rates: &Rates) -> Result<()> {
        self.engine.set_learning_rate(rates.learning_rate);
        if let Some(momentum) = rates.momentum {
            self.engine.set_momentum(momentum)?;
        }
        #[allow(clippy::float_cmp)] // exactly what was set
        if rates.l2 != self.rates.l2 {
            self.engine.set_reg(rates.l2);
        }
        if (&rates.dropout, rates.input_dropout) != (&self.rates.dropout, self.rates.input_dropout) {
            self.engine.set_dropout(rates.dropout.clone(), rates.input_dropout)?;
        }
        self.rates.clone_from(rates);
        Ok(())
    }

    /// Refuses a loss and parameters from which training cannot continue. Parameters are checked after every step: a
    /// ReLU hides a NaN from the loss.
    fn check_finite(&self, loss: f64) -> Result<()> {
        let what = match (loss.is_finite(), self.engine.first_not_finite()) {
            (true, None) => return Ok(()),
            (true, Some(array)) => format!("{array} holds numbers that are not finite"),
            (false, None) => format!("the loss is {loss}"),
            (false, Some(array)) => {
                format!("the loss is {loss}, and {array} holds numbers that are not finite")
            }
        };
        Err(Error::Diverged { what, step: self.position.step })
    }

    /// Checks the network, and stores it if it is the best.
    fn check(&mut self, ends_epoch: bool) -> Result<(Epoch, bool)> {
        let how = (&self.config.objective(), self.checks.accuracy_alone);
        let mut scores = [Score::default(); 2];
        for (score, check) in scores.iter_mut().zip(&self.checked) {
            *score = check.score(self.engine.as_ref(), how, &mut self.random)?;
            self.checks.reseed.iter().for_each(|&seed| self.random.seed(seed));
        }
        let [train, val] = scores;
        for (score, rows) in [(train, "training"), (val, "validation")] {
            if !score.loss.is_finite() && !self.checks.accuracy_alone && self.checks.stop_when_diverged {
                let what = format!("the loss on {rows} samples is {}", score.loss);
                return Err(Error::Diverged { what, step: self.position.step });
            }
        }
        let position = &mut self.position;
        let (step, seconds) = (position.step, position.epoch_seconds);
        let epoch = Epoch {
            epoch: usize::try_from(step / self.plan.steps_per_epoch).unwrap_or(usize::MAX),
            step,
            learning_rate: self.rates.learning_rate,
            loss: position.epoch_loss / if ends_epoch { self.plan.steps_per_epoch as f64 } else { 1.0 },
            train,
            val,
            seconds,
            samples_per_second: self.plan.samples_per_epoch as f64 / seconds.max(f64::MIN_POSITIVE),
        };
        if ends_epoch {
            (position.epoch_loss, position.epoch_seconds) = (0.0, 0.0);
        }
        let best = self.judge(&epoch);
        self.position.history.epochs.push(epoch);
        if best {
            self.position.history.best = Some(self.position.history.epochs.len() - 1);
            if self.config.train.restore_best {
                let running = self.engine.running().to_vec();
                self.best = Some(Best { parameters: self.engine.parameters()?, running });
            }
        }
        Ok((epoch, best))
    }

    /// Whether an epoch is the best so far, and whether patience starts again.
    fn judge(&mut self, epoch: &Epoch) -> bool {
        let monitor = self.config.monitor();
        let of = |epoch: &Epoch| monitor.of(&epoch.val);
        let position = &mut self.position;
        if position.mark.is_none_or(|mark| of(epoch) > mark + self.config.train.min_delta) {
            (position.mark, position.stale) = (Some(of(epoch)), 0);
        } else {
            position.stale += 1;
        }
        position.history.best_epoch().is_none_or(|best| of(epoch) > of(best))
    }

    /// The network's parameters as they are now.
    ///
    /// # Errors
    /// None for a trainer made by [`Trainer::new`].
    pub fn parameters(&self) -> Result<Parameters<F>> {
        self.engine.parameters()
    }

    /// The engine, for reading its state.
    pub fn engine(&self) -> &dyn Engine<F> {
        self.engine.as_ref()
    }
}

/// A weight for each training sample, if classes are weighted.
fn sample_weights<F: Float>(config: &TrainingConfig, data: &TrainingData<F>) -> Result<Option<Vec<f64>>> {
    if data.train.is_regression() {
        return Ok(None);
    }
    let labels = data.train.labels();
    let classes = data.num_outputs();
    let weights = match &config.train.class_weights {
        ClassWeights::None => return Ok(None),
        ClassWeights::Each(weights) if weights.len() == classes => weights.clone(),
        ClassWeights::Each(weights) => {
            return Err(Error::configuration(format!(
                "train.class_weights has {} weights, but the data have {classes} classes",
                weights.len()
            )));
        }
        ClassWeights::Balanced => {
            let share = |count: usize| labels.len() as f64 / (classes * count.max(1)) as f64;
            data.train.class_counts().into_iter().map(share).collect()
        }
    };
    Ok(Some(labels.iter().map(|&label| weights[label]).collect()))
}
