//! The result of training: a model that predicts, is evaluated, saved and loaded.

mod averages;
mod evaluation;
mod file;
mod guaranteed;
mod intervals;
mod matching;
mod monte_carlo;
mod trust;

pub use averages::{Averages, Comparison, OverMasks, Quality};
pub use evaluation::{ClassFigures, Evaluation, Evaluator, TargetFigures};
pub use file::model_dtype;
pub use guaranteed::prediction_set;
pub use intervals::{IntervalFigures, IntervalKind, Noise, QuantileFigures, Spread};
pub use monte_carlo::MonteCarlo;
pub use trust::{Bin, Kept, Mistake, Trust};

use std::borrow::Cow;

use ndarray::Array2;

use crate::data::{DataSet, Features, Rows};
use crate::engine::{self, Engine};
use crate::error::{Error, Result, same_shape};
use crate::float::Float;
use crate::layers::{Loss, Objective, argmax};
use crate::net::FullyConnectedNet;
use crate::training::{
    Preprocessing, Progress, Task, Trained, TrainingConfig, TrainingData, predictor, tempered, train_all,
};

/// A trained network with everything that prediction needs: it takes samples in the units of its training data.
///
/// Any number of threads may predict with one model at the same time: `predict(&self, ...)` changes nothing.
///
#[cfg_attr(feature = "files", doc = "```")]
#[cfg_attr(not(feature = "files"), doc = "```ignore")]
/// use ndarray::Array2;
/// use thinnet::{data::Rows, model::Model, training::TrainingConfig};
/// # fn main() -> thinnet::Result<()> {
/// # let folder = std::env::temp_dir().join(format!("thinnet-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder).unwrap();
/// # let path = folder.join("model.safetensors");
/// let x = Array2::from_shape_fn((90, 4), |(row, column)| (row % 3 == column) as u8 as f32 + 0.1 * (row % 7) as f32);
/// let rows = Rows::with_classes(x.clone(), (0..90).map(|row| row % 3).collect(), 3)?;
/// let mut settings = TrainingConfig::default();
/// settings.set(&"model.hidden=[16]".parse()?)?;
/// let model = Model::fit(&rows, &settings)?;
/// let (classes, probabilities) = (model.predict(&x)?, model.predict_proba(&x)?);
/// assert_eq!((classes.len(), probabilities.dim()), (90, (90, 3)));
/// model.save(&path)?;
/// assert_eq!(Model::<f32>::load(&path)?.predict_proba(&x)?, probabilities); // in another process, too
/// # std::fs::remove_dir_all(&folder).unwrap();
/// # Ok(()) }
/// ```
pub struct Model<F: Float> {
    trained: Trained<F>,
    preprocessing: Preprocessing,
    version: String,
    /// One for each network.
    engines: Vec<Box<dyn Engine<F>>>,
}

impl<F: Float> Model<F> {
    /// Trains a network on your own rows; a part of them is used for validation. The rows decide the task and the
    /// number type, whatever the settings say.
    ///
    /// # Errors
    /// [`Error::Configuration`] for settings out of range or unsuitable for the rows; [`Error::Diverged`] if numbers
    /// become infinite or NaN in training.
    pub fn fit(rows: &Rows<F>, settings: &TrainingConfig) -> Result<Self> {
        let mut settings = settings.clone();
        settings.model.task = if rows.is_regression() { Task::Regression } else { Task::Classification };
        Self::fit_set(DataSet::new(rows.to_f64())?, &settings, &mut ())
    }

    /// Trains a network on a data set, and reports every step to `progress`. To do more, such as stop and resume, use
    /// a [`Trainer`](crate::training::Trainer) and make a model of the [`trained`](crate::training::Trainer::trained)
    /// network.
    ///
    /// # Errors
    /// As [`Model::fit`]; [`Error::Interrupted`] if `progress` asks for it.
    pub fn fit_set(set: DataSet, settings: &TrainingConfig, progress: &mut dyn Progress) -> Result<Self> {
        let mut settings = settings.clone();
        settings.model.dtype = F::DTYPE;
        let data = TrainingData::<F>::new(set, &settings)?;
        Self::new(train_all(&settings, &data, progress)?, data.preprocessing)
    }

    /// The model of a network that was trained on data with this preprocessing.
    ///
    /// # Errors
    /// [`Error::Configuration`] if the two do not match.
    pub fn new(trained: Trained<F>, preprocessing: Preprocessing) -> Result<Self> {
        let inputs = preprocessing.scale.mean.len();
        let outputs = preprocessing.names.len() * trained.config.objective().scores_per_target();
        for net in trained.nets() {
            let net = net.config();
            same_shape("the network of a model", &(inputs, outputs), &(net.input_dim, net.num_outputs))?;
        }
        let threads = trained.config.train.threads.unwrap_or_else(engine::cores);
        let engines = trained.nets().map(|net| predictor(net.clone(), &trained.config, threads));
        let engines = engines.collect::<Result<_>>()?;
        Ok(Self { trained, preprocessing, version: env!("CARGO_PKG_VERSION").to_owned(), engines })
    }

    /// The class of each of N samples: the one with the highest score, the first of equals.
    ///
    /// - `x`: (N, D), in the units of the training data
    ///
    /// # Errors
    /// [`Error::Shape`] for another D; [`Error::Configuration`] if the model predicts numbers.
    pub fn predict(&self, x: impl Into<Features<f64>>) -> Result<Vec<usize>> {
        self.task(Task::Classification)?;
        Ok(self.scores(&x.into())?.rows().into_iter().map(argmax).collect())
    }

    /// The probability of each class for each sample (N, C), with the model's temperature if it has one. The most
    /// probable class is the one that [`Model::predict`] gives.
    ///
    /// # Errors
    /// As [`Model::predict`].
    pub fn predict_proba(&self, x: impl Into<Features<f64>>) -> Result<Array2<F>> {
        self.task(Task::Classification)?;
        let scores = self.scores(&x.into())?;
        let classes: Vec<usize> = scores.rows().into_iter().map(argmax).collect();
        let mut probabilities = Loss::Softmax.predict(self.tempered(scores));
        for (mut row, class) in probabilities.rows_mut().into_iter().zip(classes) {
            if argmax(row.view()) < class {
                // Division made scores equal that were not: the higher one stays ahead.
                row[class] *= F::one() + F::epsilon();
            }
        }
        Ok(probabilities)
    }

    /// The same model without its temperature, and without the conformal scores of its probabilities.
    #[must_use]
    pub fn uncalibrated(mut self) -> Self {
        if self.trained.temperature.take().is_some() {
            self.trained.conformal = None;
        }
        self
    }

    /// The networks with the model's temperature, if it has one, in their last layers. The scores of a single network are
    /// then those that [`Model::predict_proba`] turns into probabilities. For other programs, which know no temperature.
    pub fn calibrated_nets(&self) -> impl Iterator<Item = Cow<'_, FullyConnectedNet<F>>> {
        self.trained.nets().map(|net| {
            let Some(temperature) = self.trained.temperature else { return Cow::Borrowed(net) };
            let mut net = net.clone();
            let divide = |value: F| F::from_f64(value.as_f64() / temperature);
            if let Some(last) = net.parameters.layers.last_mut() {
                last.w.mapv_inplace(divide);
                last.b.mapv_inplace(divide);
            }
            Cow::Owned(net)
        })
    }

    /// Scores of classes, divided by the model's temperature.
    fn tempered(&self, scores: Array2<F>) -> Array2<F> {
        tempered(scores, self.trained.temperature)
    }

    /// A regression's best guess of each number for each sample (N, K), in the units of the training data: the mean, or
    /// the quantile that is nearest to the median.
    ///
    /// # Errors
    /// [`Error::Shape`] for another D; [`Error::Configuration`] if the model predicts classes.
    pub fn predict_numbers(&self, x: impl Into<Features<f64>>) -> Result<Array2<F>> {
        self.task(Task::Regression)?;
        Ok(self.objective().points(self.outputs(&x.into())?.view()))
    }

    /// What the model gives for each sample: scores of classes (N, C), or a regression's predictions in the units of the
    /// data (N, K times [`Objective::scores_per_target`]), as [`Objective::predict`] orders them: each number's mean and
    /// standard deviation of the noise with [`Loss::GaussianNll`], its quantiles with [`Loss::Quantile`], otherwise the
    /// number.
    ///
    /// # Errors
    /// [`Error::Shape`] for another D.
    pub fn outputs(&self, x: &Features<f64>) -> Result<Array2<F>> {
        Ok(self.preprocessing.outputs(self.scores(x)?, &self.objective()))
    }

    /// The names of the columns of [`Model::outputs`].
    pub fn output_names(&self) -> Vec<String> {
        let (objective, names) = (self.objective(), &self.preprocessing.names);
        match objective.loss {
            Loss::GaussianNll => {
                names.iter().flat_map(|name| [name.clone(), format!("{name} std")]).collect()
            }
            Loss::Quantile => {
                let of = |name| objective.quantiles.iter().map(move |quantile| format!("{name} {quantile}"));
                names.iter().flat_map(of).collect()
            }
            _ => names.clone(),
        }
    }

    /// The loss that it was trained with.
    pub fn objective(&self) -> Objective {
        self.trained.config.objective()
    }

    /// The scores of samples (N, D) in the units of the data; an ensemble's are those of [`Objective::combine`].
    fn scores(&self, x: &Features<f64>) -> Result<Array2<F>> {
        let inputs = self.preprocessing.inputs(x)?;
        let of = |engine: &dyn Engine<F>| engine.scores(&engine.load(&inputs)?);
        let each = self.engines.iter().map(|engine| of(engine.as_ref()));
        self.objective().combine(&each.collect::<Result<Vec<_>>>()?)
    }

    /// Refuses to predict what the model cannot.
    fn task(&self, wanted: Task) -> Result<()> {
        if self.trained.config.model.task == wanted {
            return Ok(());
        }
        Err(Error::configuration(match wanted {
            Task::Classification => "this model predicts numbers, not classes: use predict_numbers",
            Task::Regression => "this model predicts classes, not numbers: use predict",
        }))
    }

    /// The network; of an ensemble, the first one.
    pub fn net(&self) -> &FullyConnectedNet<F> {
        &self.trained.net
    }

    /// The settings that it was trained with.
    pub fn config(&self) -> &TrainingConfig {
        &self.trained.config
    }

    /// How a sample is transformed before prediction, and the outputs after it.
    pub fn preprocessing(&self) -> &Preprocessing {
        &self.preprocessing
    }

    /// The network with its settings, the sizes of its data, and its validation and test scores.
    pub fn trained(&self) -> &Trained<F> {
        &self.trained
    }

    /// The networks with their settings and results.
    #[must_use]
    pub fn into_trained(self) -> Trained<F> {
        self.trained
    }

    /// The version of thinnet that made it.
    pub fn version(&self) -> &str {
        &self.version
    }
}

impl<F: Float> std::fmt::Debug for Model<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model")
            .field("net", self.net().config())
            .field("epoch", &self.trained.epoch)
            .finish_non_exhaustive()
    }
}
