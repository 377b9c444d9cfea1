//! The course's dropout experiment: the same network trained several times, each time with another keep probability,
//! from one random stream.

use serde::{Deserialize, Serialize};

use super::check::judge;
use super::{
    Accuracies, Checks, DataConfig, Keep, Masks, ModelConfig, OptimConfig, Progress, Sampling, TrainConfig,
    Trained, Trainer, TrainingConfig, TrainingData,
};
use crate::clock::Stopwatch;
use crate::data::{CIFAR10_CLASSES, Rows};
use crate::engine::{Engine, EngineKind};
use crate::error::{Error, Result};
use crate::float::{Dtype, Float};
use crate::layers::Objective;
use crate::net::Initialisation;
use crate::optim::OptimiserKind;
use crate::random::RandomState;

/// Everything that determines the experiment's results, and the threads, which do not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Where the samples come from, as text: "embedded CIFAR-10 sample", or a path and how it was read.
    pub data: String,
    /// The classes' names, by label. [`run`] takes them from the data.
    #[serde(default = "cifar10_classes")]
    pub classes: Vec<String>,
    /// Number of training samples.
    pub num_train: usize,
    /// Number of validation samples.
    pub num_val: usize,
    /// Keep probability of each network, in the order in which they are trained; 0 < keep <= 1.
    pub keep: Vec<f64>,
    /// Sizes of the hidden layers.
    pub hidden: Vec<usize>,
    /// Epochs.
    pub epochs: usize,
    /// Samples per step.
    pub batch_size: usize,
    /// How gradients change the parameters.
    pub update_rule: OptimiserKind,
    /// Learning rate.
    pub learning_rate: f64,
    /// Strength of the L2 term `0.5 * reg * sum(W^2)`.
    pub reg: f64,
    /// Seed of NumPy's legacy stream.
    pub seed: u32,
    /// Number type.
    pub dtype: Dtype,
    /// Threads.
    pub threads: usize,
    /// How products are computed.
    #[serde(default)]
    pub engine: EngineKind,
}

/// The classes of a report that does not name any.
fn cifar10_classes() -> Vec<String> {
    CIFAR10_CLASSES.map(str::to_owned).to_vec()
}

/// One trained network of the experiment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NetworkRun {
    /// Its keep probability.
    pub keep: f64,
    /// Its losses and accuracies.
    pub history: Accuracies,
    /// Seconds for its training, including accuracy checks.
    pub seconds: f64,
    /// Its results at the end of training; `None` in files of versions that did not measure them.
    #[serde(default)]
    pub end: Option<Ending>,
}

/// A network's results at the end of training: in test mode, with every unit and without penalties, so that networks
/// with different keep probabilities can be compared. It is not the best epoch but the last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ending {
    /// Mean loss on the training samples.
    pub train_loss: f64,
    /// Mean loss on the validation samples.
    pub val_loss: f64,
    /// Whether each validation sample is classified correctly, in order.
    pub val_correct: Vec<bool>,
}

impl Ending {
    /// Evaluates the network of `engine`.
    fn of<F: Float>(engine: &dyn Engine<F>, data: &TrainingData<F>, objective: &Objective) -> Result<Self> {
        let classes = engine.classes(&engine.load(data.val.x())?)?;
        let val_correct = classes.iter().zip(data.val.labels()).map(|(class, label)| class == label);
        Ok(Self {
            train_loss: loss_on(engine, &data.train, objective)?,
            val_loss: loss_on(engine, &data.val, objective)?,
            val_correct: val_correct.collect(),
        })
    }
}

/// The mean loss on rows. One block at a time is loaded, so that a whole data set needs no second copy in memory.
fn loss_on<F: Float>(engine: &dyn Engine<F>, rows: &Rows<F>, objective: &Objective) -> Result<f64> {
    const BLOCK: usize = 1000;
    let mut sum = 0.0;
    for start in (0..rows.len()).step_by(BLOCK) {
        let block = rows.slice(start, start + BLOCK);
        sum += judge(engine, &block, objective)?.0.loss * block.len() as f64;
    }
    Ok(sum / rows.len() as f64)
}

/// The experiment's result: everything that a report needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The settings of the experiment.
    pub settings: Settings,
    /// One entry for each of `settings.keep`, in that order.
    pub networks: Vec<NetworkRun>,
    /// Total seconds of wall time.
    pub seconds: f64,
}

/// Follows an experiment.
pub trait Observer: Progress {
    /// Called before the network with this keep probability is trained; networks count from 0.
    fn network(&mut self, index: usize, keep: f64);
}

impl Observer for () {
    fn network(&mut self, _: usize, _: f64) {}
}

impl Settings {
    /// The course's experiment on `data`, which is CIFAR-10, with `num_val` validation images.
    pub fn course(data: impl Into<String>, num_val: usize, threads: usize) -> Self {
        Self {
            data: data.into(),
            classes: cifar10_classes(),
            num_train: 500,
            num_val,
            keep: vec![1.0, 0.25],
            hidden: vec![500],
            epochs: 25,
            batch_size: 100,
            update_rule: OptimiserKind::Adam,
            learning_rate: 5e-4,
            reg: 0.0,
            seed: 231,
            dtype: Dtype::F32,
            threads,
            engine: EngineKind::Auto,
        }
    }

    /// How the network with this keep probability is trained: as the course does, by the one loop.
    pub fn config(&self, keep: f64) -> TrainingConfig {
        TrainingConfig {
            data: DataConfig {
                train: Some(self.num_train),
                val: Some(self.num_val),
                ..DataConfig::default()
            },
            model: ModelConfig {
                hidden: self.hidden.clone(),
                keep: Keep::All(keep),
                initialisation: Initialisation::Normal,
                dtype: self.dtype,
                ..ModelConfig::default()
            },
            optim: OptimConfig {
                rule: self.update_rule,
                learning_rate: self.learning_rate,
                l2: self.reg,
                ..OptimConfig::default()
            },
            train: TrainConfig {
                epochs: self.epochs,
                batch_size: self.batch_size,
                seed: self.seed,
                sampling: Sampling::Replacement,
                masks: Masks::Numpy,
                threads: Some(self.threads),
                engine: self.engine,
                ..TrainConfig::default()
            },
        }
    }

    /// Refuses settings out of range, before data are read or a network is trained. `input_dim` is the number of
    /// inputs of a sample.
    ///
    /// # Errors
    /// [`Error::Configuration`], which names the setting, its range and the value.
    pub fn check(&self, input_dim: usize) -> Result<()> {
        if self.keep.is_empty() {
            return Err(Error::configuration("the experiment needs at least one keep probability"));
        }
        self.keep.iter().try_for_each(|&keep| self.config(keep).check())?;
        if self.threads == 0 || self.threads > Self::MAX_THREADS {
            return Err(Error::setting(
                "train.threads",
                format!("must be from 1 to {}, got {}", Self::MAX_THREADS, self.threads),
            ));
        }
        if self.memory(input_dim) > isize::MAX as f64 {
            return Err(Error::configuration(format!(
                "hidden layers of {:?} units, batches of {} and {} epochs are more than any memory can hold",
                self.hidden, self.batch_size, self.epochs
            )));
        }
        Ok(())
    }

    /// The maximum number of threads.
    pub const MAX_THREADS: usize = 1024;

    /// About how many bytes the experiment needs in addition to its samples, which have `input_dim` numbers each. The
    /// result is a float, so that no size is too large to estimate.
    pub fn memory(&self, input_dim: usize) -> f64 {
        let samples = self.num_train.max(self.num_val);
        self.config(1.0).memory(input_dim, self.classes.len(), samples) * self.keep.len() as f64
    }
}

/// Trains one network for each of `settings.keep`, in order and from one random stream, as in the course: each
/// network continues the stream where the one before it stopped, for its weights, its batches and its masks. Returns
/// the result and the networks.
///
/// # Errors
/// As [`Trainer::run`], and [`Error::Configuration`] for settings out of range.
pub fn run<F: Float>(
    settings: &Settings,
    data: &TrainingData<F>,
    observer: &mut dyn Observer,
) -> Result<(Outcome, Vec<Trained<F>>)> {
    let start = Stopwatch::start();
    let names = data.preprocessing.names.clone();
    let settings = Settings { classes: names, ..settings.clone() };
    settings.check(data.input_dim())?;
    let mut random = RandomState::new(settings.seed);
    let (mut networks, mut all) = (Vec::new(), Vec::new());
    for (index, &keep) in settings.keep.iter().enumerate() {
        observer.network(index, keep);
        let start = Stopwatch::start();
        let config = TrainingConfig { data: data.settings.clone(), ..settings.config(keep) };
        let mut trainer = Trainer::with_stream(&config, data, settings.threads, random, Checks::course())?;
        trainer.run(observer)?;
        let seconds = start.elapsed().as_secs_f64();
        let end = Some(Ending::of(trainer.engine(), data, &config.objective())?);
        networks.push(NetworkRun { keep, history: Accuracies::of(trainer.history()), seconds, end });
        all.push(Trained { val: trainer.verdict(settings.threads)?.val, ..trainer.trained()? });
        random = trainer.into_random();
    }
    Ok((Outcome { settings, networks, seconds: start.elapsed().as_secs_f64() }, all))
}
