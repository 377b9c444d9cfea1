//! The rows of a run: split and scaled, with everything that prediction needs to know about it.

use ndarray::{Array2, ArrayView2, Axis};
use serde::{Deserialize, Serialize};

use super::{DataConfig, Task, TrainingConfig};
use crate::data::{Columns, DataSet, Features, Rows, Scale, Scaling, SplitOptions};
use crate::engine::MaskedPredictions;
use crate::error::{Error, Result};
use crate::float::Float;
use crate::layers::{Loss, Objective};

/// How a sample is transformed before the network, and its output after it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Preprocessing {
    /// The shape of one sample: `[channels, height, width]` for an image, `[numbers]` for others.
    pub shape: Vec<usize>,
    /// The classes' names by label, or the targets' names.
    pub names: Vec<String>,
    /// The columns of a table.
    pub columns: Option<Columns>,
    /// The scaling of the inputs.
    pub scale: Scale,
    /// For regression: the scaling of the targets, which is undone for each output.
    pub targets: Option<Scale>,
}

impl Preprocessing {
    /// Refuses parts that do not match; they may come from a file.
    pub(crate) fn check(&self) -> Result<()> {
        let fits = |scale: &Scale, size: usize| {
            scale.mean.len() == size
                && scale.deviation.as_ref().is_none_or(|deviation| deviation.len() == size)
        };
        let inputs = self.shape.iter().try_fold(1usize, |size, &side| size.checked_mul(side));
        let columns = self.columns.as_ref().map(Columns::input_dim);
        if inputs.is_some_and(|inputs| {
            fits(&self.scale, inputs) && columns.is_none_or(|columns| columns == inputs)
        }) && self.targets.as_ref().is_none_or(|targets| fits(targets, self.names.len()))
        {
            return Ok(());
        }
        Err(Error::data("its preprocessing does not fit the shape of its samples"))
    }

    /// Samples (N, D) in the units of the data, converted to the network's inputs.
    ///
    /// # Errors
    /// [`Error::Shape`] for another D.
    pub fn inputs<F: Float>(&self, x: &Features<f64>) -> Result<Features<F>> {
        self.scale.apply(x)
    }

    /// A regression's predictions in the units of the data: [`Objective::predict`] of scores (N, K times
    /// [`Objective::scores_per_target`]). Scores of classes stay as they are.
    pub fn outputs<F: Float>(&self, scores: Array2<F>, objective: &Objective) -> Array2<F> {
        if self.targets.is_none() {
            return scores;
        }
        let mut predicted = objective.predict(scores);
        self.scale_back(&mut predicted, objective, true);
        predicted
    }

    /// Predictions over masks in the units of the data.
    pub(crate) fn in_units(&self, mut found: MaskedPredictions, objective: &Objective) -> MaskedPredictions {
        self.scale_back(&mut found.mean, objective, true);
        self.scale_back(&mut found.deviation, objective, false);
        found
    }

    /// Undoes the scaling of the targets for a regression's predictions: places, or deviations, which have a size alone.
    fn scale_back<F: Float>(&self, predicted: &mut Array2<F>, objective: &Objective, places: bool) {
        let Some(Scale { mean, deviation }) = &self.targets else { return };
        let each = objective.scores_per_target();
        for (index, mut column) in predicted.columns_mut().into_iter().enumerate() {
            let target = index / each;
            let divisor = deviation.as_ref().map_or(1.0, |deviation| deviation[target]);
            let size_alone = !places || objective.loss == Loss::GaussianNll && index % each == 1;
            let shift = if size_alone { 0.0 } else { mean[target] };
            column.mapv_inplace(|score| F::from_f64(score.as_f64() * divisor + shift));
        }
    }
}

/// The rows of a run.
#[derive(Debug, Clone)]
pub struct TrainingData<F> {
    /// For training.
    pub train: Rows<F>,
    /// For validation after each epoch.
    pub val: Rows<F>,
    /// For the final test, if the data set has such a part.
    pub test: Option<Rows<F>>,
    /// How they were made.
    pub preprocessing: Preprocessing,
    /// The settings, with open ones filled in.
    pub settings: DataConfig,
    /// What the user should know about how they were read.
    pub notes: Vec<String>,
}

impl<F: Float> TrainingData<F> {
    /// Splits and scales a data set as the configuration says.
    ///
    /// # Errors
    /// [`Error::Configuration`] if there are not enough samples, or for settings that do not suit the data.
    pub fn new(set: DataSet, config: &TrainingConfig) -> Result<Self> {
        Self::with_scale(set, config, None)
    }

    /// The same with a scaling of the inputs that is given, as that of a network that is trained further; then
    /// `data.scaling` has no effect.
    ///
    /// # Errors
    /// As [`TrainingData::new`]; [`Error::Shape`] for the scaling of another number of inputs.
    pub fn with_scale(set: DataSet, config: &TrainingConfig, scale: Option<&Scale>) -> Result<Self> {
        let mut settings = config.data.clone();
        let options = SplitOptions {
            num_val: settings.val,
            order: settings.split,
            seed: settings.split_seed,
            ..SplitOptions::default()
        };
        settings.split = Some(options.order_of(&set));
        let usual = if set.is_images() { Scaling::Unit } else { set.default_scaling() };
        if scale.is_none() {
            settings.scaling.get_or_insert(usual);
        }
        match (set.is_regression(), config.model.task) {
            (false, Task::Regression) => Err(Error::configuration(
                "model.task is regression, but the data have classes; read them for regression",
            )),
            (true, Task::Classification) => {
                Err(Error::configuration("the data have numbers as targets; set model.task to regression"))
            }
            (false, _) if set.names().len() == 1 => Err(Error::data(format!(
                "every sample has the same label, {}: there is nothing to learn; name another column of labels",
                set.names()[0]
            ))),
            _ => Self::of_set(set.split(&options)?, settings, scale),
        }
    }

    /// Rows that are scaled already.
    pub fn of_rows(train: Rows<F>, val: Rows<F>) -> Self {
        let preprocessing = Preprocessing {
            shape: vec![train.input_dim()],
            names: (0..train.num_outputs()).map(|output| output.to_string()).collect(),
            columns: None,
            scale: Scale::none(train.input_dim()),
            targets: train.is_regression().then(|| Scale::none(train.num_outputs())),
        };
        let settings = DataConfig::default();
        Self { train, val, test: None, preprocessing, settings, notes: Vec::new() }
    }

    /// The first `num_train` training rows and all other parts of a data set that is split, scaled as
    /// [`DataSet::default_scaling`] says, as in the course.
    ///
    /// # Errors
    /// [`Error::Configuration`] unless 1 <= `num_train` <= the number of training rows, and if there are no
    /// validation rows ([`DataSet::split`] makes some).
    pub fn of(set: &DataSet, num_train: usize) -> Result<Self> {
        let scaling = Some(set.default_scaling());
        Self::scaled(set, DataConfig { train: Some(num_train), scaling, ..DataConfig::default() })
    }

    /// The parts of a data set, scaled as the settings say; means and standard deviations are those of all its
    /// training rows.
    ///
    /// # Errors
    /// As [`TrainingData::of`].
    pub fn scaled(set: &DataSet, settings: DataConfig) -> Result<Self> {
        Self::of_set(set.clone(), settings, None)
    }

    /// The same for a set that nobody else needs: numbers of type `F` are scaled in place.
    fn of_set(set: DataSet, mut settings: DataConfig, scale: Option<&Scale>) -> Result<Self> {
        let available = set.train().len();
        let num_train = settings.train.unwrap_or(available);
        if num_train == 0 || num_train > available {
            let what = if set.is_images() { "images" } else { "samples" };
            return Err(Error::configuration(format!(
                "the number of training {what} must be from 1 to {available}, which is what this data set has; got {num_train}"
            )));
        }
        let no_val = || Error::configuration("this data set has no validation samples; split it first");
        settings.val = Some(set.val().ok_or_else(no_val)?.len());
        let scale = match scale {
            Some(scale) => scale.clone(),
            None => set.scale(*settings.scaling.get_or_insert(set.default_scaling()))?,
        };
        let (shape, names) = (set.shape().to_vec(), set.names().to_vec());
        let (columns, notes) = (set.columns().cloned(), set.notes().to_vec());
        let (all, val, test) = set.into_rows();
        let train = all.slice(0, num_train);
        drop(all); // so that the numbers are not shared
        let train = scale.rows_in_place::<F>(train)?;
        let targets = train.numbers().map(|numbers| target_scale(numbers, settings.target_scaling));
        let targets = targets.transpose()?;
        let apply = |rows: Rows<F>| match &targets {
            None => Ok(rows),
            Some(scale) => rows.map(rows.x().clone(), |numbers| scaled_targets(numbers, scale)),
        };
        let rows = |rows: Rows<f64>| apply(scale.rows_in_place(rows)?);
        Ok(Self {
            train: apply(train)?,
            val: rows(val.ok_or_else(no_val)?)?,
            test: test.map(rows).transpose()?,
            preprocessing: Preprocessing { shape, names, columns, scale: scale.clone(), targets },
            settings,
            notes,
        })
    }

    /// How many numbers a sample has.
    pub fn input_dim(&self) -> usize {
        self.train.input_dim()
    }

    /// The number of classes, or of targets.
    pub fn num_outputs(&self) -> usize {
        self.train.num_outputs()
    }
}

/// The scaling of the training rows' numbers (N, K).
fn target_scale<F: Float>(numbers: ArrayView2<'_, F>, scaling: Scaling) -> Result<Scale> {
    match scaling {
        Scaling::None => Ok(Scale::none(numbers.ncols())),
        Scaling::Standard => {
            let values = numbers.mapv(F::as_f64);
            let mean = values.mean_axis(Axis(0)).unwrap_or_default().to_vec();
            let not_zero = |deviation: f64| if deviation > 0.0 { deviation } else { 1.0 };
            let deviation = values.std_axis(Axis(0), 0.0).mapv(not_zero).to_vec();
            Ok(Scale { mean, deviation: Some(deviation) })
        }
        Scaling::Mean | Scaling::Unit => Err(Error::configuration(format!(
            "data.target_scaling is {}; it must be standard or none",
            scaling.name()
        ))),
    }
}

/// Numbers (N, K) minus their mean, divided by their standard deviation.
pub(crate) fn scaled_targets<F: Float>(numbers: ArrayView2<'_, F>, scale: &Scale) -> Array2<F> {
    let mut scaled = numbers.to_owned();
    for (index, mut column) in scaled.columns_mut().into_iter().enumerate() {
        let divisor = scale.deviation.as_ref().map_or(1.0, |deviation| deviation[index]);
        column.mapv_inplace(|value| F::from_f64((value.as_f64() - scale.mean[index]) / divisor));
    }
    scaled
}
