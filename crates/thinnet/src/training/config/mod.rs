//! The settings of a training run, in four sections, as in a file.
//!
//! | section | determines |
//! |---|---|
//! | `data` | which samples, how they are split and scaled |
//! | `model` | the network, its dropout, its initial weights |
//! | `optim` | the optimiser, its schedules, the regularisation of weights |
//! | `train` | epochs, batches, random streams, when to stop |
//!
//! [`TrainingConfig::from_toml`] reads them, [`TrainingConfig::set`] changes one, [`TrainingConfig::to_toml`] writes
//! all, [`TrainingConfig::to_commented_toml`] with their meanings.

mod by_name;
mod explained;
mod sections;
mod synonyms;
mod text;
mod types;
mod words;

pub use explained::{Setting, keys, settings};
pub use sections::{
    Annealing, ClassWeights, DataConfig, Keep, Masks, ModelConfig, Monitor, OptimConfig, Sampling,
    TargetKind, Task, TrainConfig,
};
pub use synonyms::meant;
pub use text::Assignment;

use serde::{Deserialize, Serialize};
use toml::Value;

use self::by_name::Section;
use crate::data::{DataSet, Scaling};
use crate::engine::{EngineConfig, MaskSource};
use crate::error::{Error, Result, ensure};
use crate::float::Dtype;
use crate::layers::{Curriculum, Dropout, HiddenDropout, Loss, Normalisation, Objective};
use crate::net::NetConfig;
use crate::optim::{Clipping, MomentumRamp, Optimiser, OptimiserKind, Schedule, ScheduleKind};
use crate::range::Range;

/// Everything that determines a training run's results, and the threads, which do not.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainingConfig {
    /// The samples.
    pub data: DataConfig,
    /// The network.
    pub model: ModelConfig,
    /// How gradients change it.
    pub optim: OptimConfig,
    /// How long, on which batches, and what is monitored.
    pub train: TrainConfig,
}

/// A position in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunStep {
    /// Steps done.
    pub step: u64,
    /// Steps of the whole run.
    pub steps: u64,
}

impl TrainingConfig {
    /// The sections with their names, in file order.
    fn sections(&self) -> [(&'static str, &dyn Section); 4] {
        let Self { data, model, optim, train } = self;
        [("data", data), ("model", model), ("optim", optim), ("train", train)]
    }

    /// The section with this name.
    fn section_mut(&mut self, name: &str) -> Option<&mut dyn Section> {
        let Self { data, model, optim, train } = self;
        match name {
            "data" => Some(data),
            "model" => Some(model),
            "optim" => Some(optim),
            "train" => Some(train),
            _ => None,
        }
    }

    /// Refuses settings out of range, as far as this is possible without the samples.
    ///
    /// # Errors
    /// [`Error::Configuration`], which names the setting, its range and the value.
    pub fn check(&self) -> Result<()> {
        self.optimiser()?.check()?;
        self.schedule().check()?;
        if let Some(ramp) = self.momentum_ramp() {
            ramp.check()?;
        }
        self.net(1, 1)?.check()?;
        self.members()?;
        self.check_loss()?;
        if self.model.from.is_some() && self.train.members > 1 {
            return Err(Error::setting(
                "train.members",
                "must be 1 for a run that begins with a trained network: the networks of an ensemble begin by themselves",
            ));
        }
        let train = &self.train;
        let always = [
            ("train.epochs", train.epochs),
            ("train.batch_size", train.batch_size),
            ("train.window", train.window),
        ];
        for (key, count) in always
            .into_iter()
            .chain(train.patience.map(|patience| ("train.patience", patience)))
            .chain(self.data.train.map(|count| ("data.train", count)))
            .chain(self.data.val.map(|count| ("data.val", count)))
        {
            ensure!(count > 0, Error::setting(key, "must be at least 1, got 0"));
        }
        if train.batch_size == 1 {
            self.check_batch(1)?;
        }
        Range::NotNegative.check_setting("train.min_delta", train.min_delta)?;
        Range::Positive.check_setting("model.annealing_rate", self.model.annealing_rate)?;
        if self.model.task == Task::Regression {
            if train.monitor == Some(Monitor::Accuracy) {
                return Err(Error::setting(
                    "train.monitor",
                    "is accuracy, which regression does not have; it takes loss",
                ));
            }
            if train.calibrate {
                return Err(Error::setting(
                    "train.calibrate",
                    "is for classification: a temperature changes probabilities, and a regression has none; set it to false",
                ));
            }
            if train.class_weights != ClassWeights::None {
                return Err(Error::setting("train.class_weights", "are for classification"));
            }
        }
        if let ClassWeights::Each(weights) = &train.class_weights {
            let each = |&weight| Range::NotNegative.check_setting("train.class_weights", weight);
            weights.iter().try_for_each(each)?;
        }
        if self.optim.clip_norm.is_some() && self.optim.clip_value.is_some() {
            return Err(Error::configuration("optim.clip_norm and optim.clip_value exclude each other"));
        }
        Ok(())
    }

    /// Sets the task to regression if the samples have numbers as targets, unless `data.task` says that they are
    /// classes.
    pub fn take_task_of(&mut self, set: &DataSet) {
        if set.is_regression() && self.data.task != Some(TargetKind::Classes) {
            self.model.task = Task::Regression;
        }
    }

    /// Refuses batches of at most `samples` samples if that is too few: batch normalisation needs each unit's
    /// standard deviation over the batch, which is 0 for one sample, so nothing is learned.
    ///
    /// # Errors
    /// [`Error::Configuration`] for batch normalisation with one sample.
    pub(super) fn check_batch(&self, samples: usize) -> Result<()> {
        let learns = samples > 1 || self.model.normalisation != Normalisation::Batch;
        ensure!(
            learns,
            Error::setting(
                "train.batch_size",
                format!(
                    "must be at least 2 with batch normalisation, which learns nothing from batches of {samples} sample; set \
                     model.normalisation to layer or none, or use larger batches"
                )
            )
        );
        Ok(())
    }

    /// The network for samples of `input_dim` numbers and this many classes or targets, with the keep probabilities
    /// at the end of training.
    ///
    /// # Errors
    /// [`Error::Configuration`] for a keep probability out of range, or a number of them that is not the number of
    /// hidden layers.
    pub fn net(&self, input_dim: usize, num_outputs: usize) -> Result<NetConfig> {
        let model = &self.model;
        Ok(NetConfig {
            input_dim,
            hidden: model.hidden.clone(),
            num_outputs: num_outputs.saturating_mul(self.objective().scores_per_target()),
            activation: model.activation,
            loss: self.loss(),
            huber_delta: model.huber_delta,
            quantiles: model.quantiles.clone(),
            beta_nll: model.beta_nll,
            label_smoothing: self.train.label_smoothing,
            dropout: self.hidden_dropout(None)?,
            dropout_kind: model.dropout,
            input_dropout: self.input_dropout(None)?,
            max_norm: self.optim.max_norm,
            clipping: self.clipping(),
            normalisation: model.normalisation,
            reg: self.optim.l2,
            l1: self.optim.l1,
            initialisation: model.initialisation,
            weight_scale: model.weight_scale,
            ..NetConfig::default()
        })
    }

    /// The loss: the one that is set, or the usual one of the task.
    pub fn loss(&self) -> Loss {
        self.model.loss.unwrap_or(match self.model.task {
            Task::Classification => Loss::Softmax,
            Task::Regression => Loss::SquaredError,
        })
    }

    /// The loss with its settings, without label smoothing: that changes training, but not what is reported.
    pub fn objective(&self) -> Objective {
        let ModelConfig { huber_delta, quantiles, beta_nll, .. } = &self.model;
        Objective {
            huber_delta: *huber_delta,
            quantiles: quantiles.clone(),
            beta_nll: *beta_nll,
            ..self.loss().into()
        }
    }

    /// Refuses a loss that is not the task's.
    fn check_loss(&self) -> Result<()> {
        let refuse = |reason: &str| Err(Error::setting("model.loss", reason));
        match (self.loss(), self.model.task) {
            (Loss::Softmax, Task::Classification) => Ok(()),
            (_, Task::Classification) => {
                refuse("must be softmax for classification; the others are for regression")
            }
            (Loss::Softmax, Task::Regression) => {
                refuse("is softmax, which is for classes; the data have numbers as targets")
            }
            (Loss::Logistic, Task::Regression) => {
                refuse("cannot be logistic, which is for several labels per sample")
            }
            (Loss::Poisson, Task::Regression) if self.data.target_scaling != Scaling::None => {
                refuse("is poisson, which takes counts as they are; set data.target_scaling to none")
            }
            _ => Ok(()),
        }
    }

    /// What decides which epoch is the best.
    pub fn monitor(&self) -> Monitor {
        self.train.monitor.unwrap_or(match self.model.task {
            Task::Classification => Monitor::Accuracy,
            Task::Regression => Monitor::Loss,
        })
    }

    /// The optimiser at the start: each of its settings has the value of the key with the same name.
    ///
    /// # Errors
    /// None: the section can be written.
    pub fn optimiser(&self) -> Result<Optimiser> {
        let own = self.optim.table()?;
        let mut optimiser = Optimiser::from(self.optim.rule).with_learning_rate(self.optim.learning_rate);
        for (name, setting) in optimiser.settings() {
            match own.get(name) {
                Some(Value::Float(value)) => setting.set(*value),
                Some(Value::Boolean(on)) => setting.set(f64::from(*on)),
                _ => {}
            }
        }
        Ok(optimiser)
    }

    /// The bound on gradients, if there is one.
    fn clipping(&self) -> Option<Clipping> {
        let optim = &self.optim;
        optim.clip_norm.map(Clipping::Norm).or(optim.clip_value.map(Clipping::Value))
    }

    /// The learning rate during training.
    pub fn schedule(&self) -> Schedule {
        let optim = &self.optim;
        Schedule {
            kind: optim.schedule,
            learning_rate: optim.learning_rate,
            decay: optim.decay,
            step_epochs: optim.step_epochs,
            final_learning_rate: optim.final_learning_rate,
            warmup_epochs: optim.warmup_epochs,
        }
    }

    /// The momentum during training, if it changes.
    pub fn momentum_ramp(&self) -> Option<MomentumRamp> {
        let optim = &self.optim;
        (optim.rule == OptimiserKind::SgdMomentum && optim.momentum_ramp_epochs > 0.0).then_some(
            MomentumRamp {
                start: optim.momentum_start,
                end: optim.momentum,
                epochs: optim.momentum_ramp_epochs,
            },
        )
    }

    /// The dropout of the hidden layers at a position in the run; `None` is its end, with the keep probabilities of
    /// the settings.
    ///
    /// # Errors
    /// [`Error::Configuration`] for a keep probability out of range.
    pub fn hidden_dropout(&self, at: Option<RunStep>) -> Result<HiddenDropout> {
        Ok(match &self.model.keep {
            Keep::All(keep) => HiddenDropout::Every(self.dropout(*keep, at)?),
            Keep::Each(each) => {
                HiddenDropout::Each(each.iter().map(|&keep| self.dropout(keep, at)).collect::<Result<_>>()?)
            }
        })
    }

    /// The same for the inputs; `None` if all are kept.
    ///
    /// # Errors
    /// [`Error::Configuration`] for a keep probability out of range.
    pub fn input_dropout(&self, at: Option<RunStep>) -> Result<Option<Dropout>> {
        let keep = self.model.input_keep;
        #[allow(clippy::float_cmp)] // exactly what was set
        if keep == 1.0 { Ok(None) } else { self.dropout(keep, at).map(Some) }
    }

    fn dropout(&self, keep: f64, at: Option<RunStep>) -> Result<Dropout> {
        let whole = Dropout::new(keep, None)?;
        match (self.model.annealing, at) {
            (Annealing::None, _) | (_, None) => Ok(whole),
            (Annealing::Curriculum, Some(RunStep { step, steps })) => {
                let gamma = self.model.annealing_rate / steps.max(1) as f64;
                Dropout::new(Curriculum::new(keep, gamma)?.keep_at(step), None)
            }
        }
    }

    /// Whether a step's results depend on the number of epochs.
    pub fn depends_on_length(&self) -> bool {
        self.optim.schedule == ScheduleKind::Cosine || self.model.annealing != Annealing::None
    }

    /// About how many bytes a run needs in addition to its samples, which have `input_dim` numbers each; at most
    /// `samples` of them are checked at once. The result is a float, so that no size is too large to estimate.
    pub fn memory(&self, input_dim: usize, num_outputs: usize, samples: usize) -> f64 {
        // The weights with Adam's two moments, in the engine, in a state to write and as its bytes; the best epoch's
        // twice.
        const COPIES: f64 = 13.0;
        // The values of each unit for the backward pass, and the numbers from which its mask is drawn.
        const ACTIVATIONS: f64 = 5.0;
        let bytes = match self.model.dtype {
            Dtype::F32 => 4.0,
            Dtype::F64 => 8.0,
        };
        let widths: Vec<f64> = [input_dim]
            .iter()
            .chain(&self.model.hidden)
            .chain(&[num_outputs.saturating_mul(self.objective().scores_per_target())])
            .map(|&width| width as f64)
            .collect();
        let parameters: f64 = widths.windows(2).map(|pair| (pair[0] + 1.0) * pair[1]).sum();
        let units: f64 = widths[1..].iter().sum();
        let batch = self.train.batch_size as f64 * (widths[0] + ACTIVATIONS * units);
        let scores = samples as f64 * num_outputs as f64 * 3.0;
        let steps = self.train.epochs as f64 * (samples as f64 / self.train.batch_size as f64).max(1.0);
        bytes * (COPIES * parameters + batch + scores) + 3.0 * 8.0 * steps
    }

    /// How steps are computed, with this many threads if the settings leave it open.
    pub fn engine(&self, threads: usize) -> EngineConfig {
        EngineConfig {
            kind: self.train.engine,
            threads: self.train.threads.unwrap_or(threads),
            masks: match self.train.masks {
                Masks::Numpy => MaskSource::Numpy,
                Masks::Counter => MaskSource::Counter(self.train.seed.into()),
            },
            isa: None,
        }
    }
}
