//! The sections, with their defaults. Every field is a key of the file: its name here is its name there, and its documentation
//! here is what a commented file and the table of settings say of it ([`super::explained`]).

use documented::{Documented, DocumentedFields};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use smart_default::SmartDefault;

use super::words;
use crate::data::{Order, Scaling};
use crate::engine::EngineKind;
use crate::float::Dtype;
use crate::layers::{Activation, DropoutKind, Normalisation};
use crate::names::names;
use crate::net::Initialisation;
use crate::optim::{OptimiserKind, ScheduleKind};

/// Which samples, and what is made of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Documented, DocumentedFields, SmartDefault)]
#[serde(default, deny_unknown_fields)]
pub struct DataConfig {
    /// `sample` (the embedded images), or a file or folder.
    #[default("sample".to_owned())]
    pub path: String,
    /// A table's column of labels or targets, by name or number from 1; `auto` takes label, class, target, y, labels, outcome or
    /// survived (not a y beside an x), else the last.
    #[serde(with = "words::auto")]
    pub label_column: Option<String>,
    /// What a table's label column holds: `classes` or `numbers`; `auto` takes numbers that are not whole or have many different
    /// values for numbers, which makes `model.task` regression.
    #[serde(with = "words::auto")]
    pub task: Option<TargetKind>,
    /// A table's columns that are inputs, by name or number from 1; none takes all but that of the labels.
    pub columns: Vec<String>,
    /// Columns of a table that are left out.
    pub drop: Vec<String>,
    /// Columns of a table whose numbers stand for something and are read as categories.
    pub categories: Vec<String>,
    /// Whether dates give weekday and month beside days.
    pub date_parts: bool,
    /// A table of test samples with the same columns; `none` has none.
    #[serde(with = "words::none")]
    pub test: Option<String>,
    /// Whether a table's first line names its columns; `auto` if no field of it is a number.
    #[serde(with = "words::auto")]
    pub header: Option<bool>,
    /// Width and height that the images of a folder are resized to, as in `32x32`; `none` leaves them.
    #[serde(with = "words::none")]
    pub resize: Option<String>,
    /// Whether the images of a folder that cannot be read are passed over; else the first of them is an error.
    pub skip_broken: bool,
    /// Training samples to use, from the first; `all` of them.
    #[serde(with = "words::all")]
    pub train: Option<usize>,
    /// Validation samples; `auto` takes those that the data have, or a fifth of the training samples, at most 1000.
    #[serde(with = "words::auto")]
    pub val: Option<usize>,
    /// How training and validation samples are parted where the data do not say: `stored` (in their order), `shuffled` or
    /// `stratified` (shuffled, each class by its share); `auto` is stored for image collections, which come shuffled, and
    /// stratified for the rest.
    #[serde(with = "words::auto")]
    pub split: Option<Order>,
    /// Seed of a split at random (NumPy's stream).
    pub split_seed: u32,
    /// What is done to the inputs: `none`, `mean` (less the mean), `standard` (then divided by the standard deviation) or
    /// `unit` (less the mean, divided by the range of all numbers); `auto` is unit for images, standard for the rest.
    #[serde(with = "words::auto")]
    pub scaling: Option<Scaling>,
    /// The same for the targets of a regression: `standard` or `none`.
    #[default(Scaling::Standard)]
    pub target_scaling: Scaling,
}

/// What the column of labels holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetKind {
    /// Classes.
    Classes,
    /// Numbers, for a regression.
    Numbers,
}

names!(TargetKind, "task", "tasks", Classes = "classes", Numbers = "numbers");

/// What the network is to tell of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Its class, with the softmax loss.
    #[default]
    Classification,
    /// A number or several, with the squared error.
    Regression,
}

/// How keep probabilities change while a network trains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Annealing {
    /// They do not.
    #[default]
    None,
    /// From 1 down to their value (Morerio et al., "Curriculum Dropout", ICCV 2017).
    Curriculum,
}

/// Probabilities to KEEP a hidden unit.
#[derive(Debug, Clone, PartialEq)]
pub enum Keep {
    /// The same for every hidden layer.
    All(f64),
    /// One a hidden layer, first to last.
    Each(Vec<f64>),
}

/// The network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Documented, DocumentedFields, SmartDefault)]
#[serde(default, deny_unknown_fields)]
pub struct ModelConfig {
    /// `classification` (softmax loss) or `regression` (squared error).
    pub task: Task,
    /// Units of each hidden layer.
    #[default(vec![500])]
    pub hidden: Vec<usize>,
    /// What each hidden layer does to its sums: `relu`, `tanh`, `logistic` or `identity`.
    pub activation: Activation,
    /// Probability to KEEP a hidden unit, above 0 and at most 1: one for all hidden layers, or a list with one for each.
    #[default(Keep::All(0.5))]
    pub keep: Keep,
    /// The kind of dropout: `bernoulli` (of units), `gaussian` (noise on them) or `drop_connect` (of the weights into them).
    pub dropout: DropoutKind,
    /// Probability to KEEP an input, above 0 and at most 1.
    #[default(1.0)]
    pub input_keep: f64,
    /// How keep probabilities change over the run: `none`, or `curriculum`, from 1 down to their value (Morerio et al. 2017).
    pub annealing: Annealing,
    /// How fast they do: the curriculum's `gamma` is this divided by the steps of the whole run.
    #[default(10.0)]
    pub annealing_rate: f64,
    /// What normalises each layer's sums ahead of its activation: `none`, `batch` (each unit, over the batch) or `layer` (each
    /// sample, over the layer's units).
    pub normalisation: Normalisation,
    /// How weights start: `he` or `glorot` (by the layer's size), or `normal` with standard deviation `weight_scale`, as in the
    /// course.
    #[default(Initialisation::He)]
    pub initialisation: Initialisation,
    /// Standard deviation of the initial weights, where they are `normal`.
    #[default(1e-2)]
    pub weight_scale: f64,
    /// Number type: `f32` or `f64`.
    pub dtype: Dtype,
}

/// The optimiser, and what goes with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Documented, DocumentedFields, SmartDefault)]
#[serde(default, deny_unknown_fields)]
pub struct OptimConfig {
    /// The optimiser: `sgd`, `sgd_momentum`, `rmsprop`, `adam` or `adamw` (Adam with decoupled weight decay).
    #[default(OptimiserKind::Adam)]
    pub rule: OptimiserKind,
    /// The learning rate, after warm-up and before any decay.
    #[default(1e-3)]
    pub learning_rate: f64,
    /// How the learning rate changes over the epochs: `constant`, `decay`, `step` or `cosine`.
    pub schedule: ScheduleKind,
    /// The factor of the schedules `decay` (each epoch) and `step` (each `step_epochs`).
    #[default(0.95)]
    pub decay: f64,
    /// Epochs between two falls of the schedule `step`.
    #[default(10)]
    pub step_epochs: usize,
    /// Where the schedule `cosine` ends.
    pub final_learning_rate: f64,
    /// Epochs, or a part of one, in which the learning rate rises in a line from 0.
    pub warmup_epochs: f64,
    /// Momentum of `sgd_momentum`; with a ramp, where that ends.
    #[default(0.9)]
    pub momentum: f64,
    /// Where the momentum ramp starts.
    #[default(0.5)]
    pub momentum_start: f64,
    /// Epochs in which momentum rises in a line (Srivastava et al. 2014, appendix A.2); 0 is no ramp.
    pub momentum_ramp_epochs: f64,
    /// Nesterov's gradient, for `sgd_momentum`.
    pub nesterov: bool,
    /// Adam's share of the first moment that stays.
    #[default(0.9)]
    pub beta1: f64,
    /// Adam's share of the second moment that stays.
    #[default(0.999)]
    pub beta2: f64,
    /// `rmsprop`'s share of the mean square that stays.
    #[default(0.99)]
    pub decay_rate: f64,
    /// What keeps Adam's and `rmsprop`'s divisions from zero.
    #[default(1e-8)]
    pub epsilon: f64,
    /// How fast `adamw` lets weights decay, biases not: each step multiplies them by `1 - learning_rate * weight_decay`.
    #[default(1e-2)]
    pub weight_decay: f64,
    /// Strength of the L2 term `0.5 * l2 * sum(W^2)`.
    pub l2: f64,
    /// Strength of the L1 term `l1 * sum(|W|)`.
    pub l1: f64,
    /// Bound on the norm of the weights that lead into a unit; `none`.
    #[serde(with = "words::none")]
    pub max_norm: Option<f64>,
    /// Bound on the norm of all gradients together; `none`.
    #[serde(with = "words::none")]
    pub clip_norm: Option<f64>,
    /// Bound on the size of each gradient entry; `none`.
    #[serde(with = "words::none")]
    pub clip_value: Option<f64>,
}

/// How batches are made of the training samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sampling {
    /// Every epoch takes each sample once, in random order; what is left over makes a last, smaller batch.
    #[default]
    Shuffled,
    /// Each batch is drawn anew, with replacement, as the course does; an epoch is `max(N / batch_size, 1)` batches.
    Replacement,
    /// As [`Sampling::Shuffled`], of samples that stay in their file (Parquet, NPY or IDX): blocks of it are read in random
    /// order, and the samples of those that are in memory together are shuffled.
    Stream,
}

/// Where masks come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Masks {
    /// The counter-based stream, drawn by all threads.
    #[default]
    Counter,
    /// NumPy's stream, which batches come from as well, as in the course.
    Numpy,
}

/// What decides which epoch is the best, and when to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Monitor {
    /// The highest validation accuracy.
    Accuracy,
    /// The lowest validation loss.
    Loss,
}

/// How much each class counts in the loss.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(
    rename_all = "snake_case",
    expecting = "it takes \"none\", \"balanced\", or a list of a weight for each class"
)]
pub enum ClassWeights {
    /// All samples alike.
    #[default]
    None,
    /// Each class by the inverse of its share: `N / (C * N_class)`, as scikit-learn does.
    Balanced,
    /// A weight for each class, in the order of the classes.
    #[serde(untagged)]
    Each(Vec<f64>),
}

/// How long, on which batches, and what is watched.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Documented, DocumentedFields, SmartDefault)]
#[serde(default, deny_unknown_fields)]
pub struct TrainConfig {
    /// Times that the training samples are gone through, at most.
    #[default(25)]
    pub epochs: usize,
    /// Samples a step.
    #[default(100)]
    pub batch_size: usize,
    /// Seed of all that is random: weights, batches, masks.
    #[default(231)]
    pub seed: u32,
    /// How batches are made: `shuffled` (each epoch takes every sample once), `replacement` (drawn anew, as in the course) or
    /// `stream` (as `shuffled`, a part of a large file at a time).
    pub sampling: Sampling,
    /// Where `sampling` is `stream`: MiB of the file that are in memory together, and shuffled together.
    #[default(128)]
    pub window: usize,
    /// Where masks come from: `counter` (a stream that all threads draw from) or `numpy` (NumPy's, as in the course).
    pub masks: Masks,
    /// Training samples on which accuracy and loss are checked at each epoch's end, from the first; `all`.
    #[default(Some(1000))]
    #[serde(with = "words::all")]
    pub check_samples: Option<usize>,
    /// What decides which epoch is the best: validation `accuracy` or `loss`; `auto` is accuracy for classification, loss for
    /// regression.
    #[serde(with = "words::auto")]
    pub monitor: Option<Monitor>,
    /// Epochs without a better one after which training stops; `none` goes on to the end.
    #[serde(with = "words::none")]
    pub patience: Option<usize>,
    /// By how much an epoch must be better to count for `patience`.
    pub min_delta: f64,
    /// Whether the model in the end is that of the best epoch, or else that of the last.
    #[default(true)]
    pub restore_best: bool,
    /// Share of each target that is spread over all classes (Szegedy et al. 2016).
    pub label_smoothing: f64,
    /// How much each class counts: `none` (as many samples as it has), `balanced` (all classes alike), or a list of weights.
    pub class_weights: ClassWeights,
    /// Threads; `auto` is one a core. It changes no figure.
    #[serde(with = "words::auto")]
    pub threads: Option<usize>,
    /// How products are computed: `dense`, `thin` (kept units only) or `auto` (whichever was measured to be faster). It changes
    /// no figure but by rounding.
    pub engine: EngineKind,
}

impl Serialize for Keep {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All(keep) => keep.serialize(serializer),
            Self::Each(each) => each.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Keep {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match toml::Value::deserialize(deserializer)? {
            list @ toml::Value::Array(_) => Vec::deserialize(list).map(Self::Each).map_err(de::Error::custom),
            one => f64::deserialize(one).map(Self::All).map_err(de::Error::custom),
        }
    }
}
