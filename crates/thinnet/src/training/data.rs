//! The samples of a run: read, parted, scaled, with all that a prediction needs of how it was done.

use ndarray::{Array2, Axis};
use serde::{Deserialize, Serialize};

use super::{DataConfig, Task, TrainingConfig};
use crate::data::{DataSet, Features, Part, Samples, Scaling, SplitOptions};
use crate::error::{Error, Result};
use crate::float::Float;
use crate::layers::{ChosenTargets, Targets};

/// Samples with what they are to give.
#[derive(Debug, Clone)]
pub struct Labelled<F> {
    /// The inputs of N samples.
    pub x: Features<F>,
    y: ChosenTargets<F>,
}

impl<F: Float> Labelled<F> {
    /// N labels, or (N, K) numbers.
    pub fn targets(&self) -> Targets<'_, F> {
        self.y.view()
    }

    /// N.
    pub fn len(&self) -> usize {
        self.x.dim().0
    }

    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The first `count` samples.
    pub(super) fn first(&self, count: usize) -> Result<Self> {
        let chosen: Vec<usize> = (0..count).collect();
        Ok(Self { x: Features::Floats(self.x.select(&chosen)?), y: self.targets().select(&chosen) })
    }
}

/// What is done to a sample before the network sees it, and to its output after.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Preprocessing {
    /// The shape of one sample: `[channels, height, width]` of an image, `[numbers]` of others.
    pub shape: Vec<usize>,
    /// The classes' names by label, or the targets' names.
    pub classes: Vec<String>,
    /// Subtracted from each of a sample's D numbers.
    pub mean: Vec<f64>,
    /// What the difference is divided by, if it is.
    pub deviation: Option<Vec<f64>>,
    /// Regression: added to each output once it was multiplied by `target_deviation`.
    pub target_mean: Option<Vec<f64>>,
    /// Regression: see `target_mean`.
    pub target_deviation: Option<Vec<f64>>,
}

/// The samples of a run.
#[derive(Debug, Clone)]
pub struct TrainingData<F> {
    /// To train on.
    pub train: Labelled<F>,
    /// To validate on after each epoch.
    pub val: Labelled<F>,
    /// To test on in the end, if the data set has such a part.
    pub test: Option<Labelled<F>>,
    /// How they were made.
    pub preprocessing: Preprocessing,
    /// The settings, with what they left open filled in.
    pub settings: DataConfig,
}

impl<F: Float> TrainingData<F> {
    /// Parts and scales a data set as the configuration says.
    ///
    /// # Errors
    /// [`Error::Configuration`] for more samples than there are, or settings that do not suit the data.
    pub fn new(set: DataSet, config: &TrainingConfig) -> Result<Self> {
        let mut settings = config.data.clone();
        let options = SplitOptions {
            num_val: settings.val,
            order: settings.split,
            seed: settings.split_seed,
            ..SplitOptions::default()
        };
        settings.split = Some(options.order_of(&set));
        let set = set.split(&options)?;
        let usual = if set.is_images() { Scaling::Unit } else { set.default_scaling() };
        let scaling = settings.scaling.unwrap_or(usual);
        let num_train = settings.train.unwrap_or(set.train.len());
        let data = set.scaled::<F>(num_train, scaling)?;
        let test = match set.test {
            Some(_) => Some(set.samples::<F>(Part::Test, scaling)?),
            None => None,
        };
        settings.scaling = Some(scaling);
        settings.val = Some(data.val.y.len());
        let (mean, deviation) = set.scale_of(scaling);
        let targets = match (&data.train.targets, config.model.task) {
            (None, Task::Classification) => None,
            (Some(targets), Task::Regression) => Some(TargetScale::of(targets, settings.target_scaling)?),
            (None, Task::Regression) => {
                return Err(Error::configuration(
                    "model.task is regression, and the data have classes; they have to be read for regression",
                ));
            }
            (Some(_), Task::Classification) => {
                return Err(Error::configuration(
                    "the data have numbers as targets; model.task has to be regression",
                ));
            }
        };
        let labelled = |samples: Samples<F>| {
            let y = match (samples.targets, &targets) {
                (Some(values), Some(scale)) => ChosenTargets::Values(scale.apply(values)),
                _ => ChosenTargets::Classes(samples.y),
            };
            Labelled { x: samples.x, y }
        };
        let preprocessing = Preprocessing {
            shape: set.shape.clone(),
            classes: set.classes.clone(),
            mean: mean.to_vec(),
            deviation: deviation.map(|deviation| deviation.to_vec()),
            target_mean: targets.as_ref().map(|scale| scale.mean.clone()),
            target_deviation: targets.as_ref().map(|scale| scale.deviation.clone()),
        };
        Ok(Self {
            train: labelled(data.train),
            val: labelled(data.val),
            test: test.map(labelled),
            preprocessing,
            settings,
        })
    }

    /// Numbers of a sample.
    pub fn input_dim(&self) -> usize {
        self.train.x.dim().1
    }

    /// Scores of the network: one a class, or one a target.
    pub fn num_outputs(&self) -> usize {
        self.preprocessing.classes.len()
    }
}

/// What is subtracted from each target, and what the difference is divided by.
#[derive(Debug)]
struct TargetScale {
    mean: Vec<f64>,
    deviation: Vec<f64>,
}

impl TargetScale {
    /// Of the training samples' targets (N, K).
    fn of<F: Float>(targets: &Array2<F>, scaling: Scaling) -> Result<Self> {
        let outputs = targets.ncols();
        match scaling {
            Scaling::None => Ok(Self { mean: vec![0.0; outputs], deviation: vec![1.0; outputs] }),
            Scaling::Standard => {
                let values = targets.mapv(F::as_f64);
                let mean = values.mean_axis(Axis(0)).unwrap_or_default();
                let not_zero = |deviation: f64| if deviation > 0.0 { deviation } else { 1.0 };
                let deviation = values.std_axis(Axis(0), 0.0).mapv(not_zero);
                Ok(Self { mean: mean.to_vec(), deviation: deviation.to_vec() })
            }
            Scaling::Mean | Scaling::Unit => Err(Error::configuration(format!(
                "data.target_scaling is {}; it takes standard or none",
                scaling.name()
            ))),
        }
    }

    fn apply<F: Float>(&self, mut targets: Array2<F>) -> Array2<F> {
        for mut row in targets.rows_mut() {
            for ((value, mean), deviation) in row.iter_mut().zip(&self.mean).zip(&self.deviation) {
                *value = F::from_f64((value.as_f64() - mean) / deviation);
            }
        }
        targets
    }
}
