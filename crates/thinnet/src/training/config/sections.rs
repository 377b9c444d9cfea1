//! The sections, with their defaults. Every field is a key of the file with the same name. Its documentation is also
//! its explanation in a commented file and in the table of settings ([`super::explained`]).

use documented::{Documented, DocumentedFields};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use smart_default::SmartDefault;

use super::words;
use crate::data::{Order, Scaling};
use crate::engine::EngineKind;
use crate::float::Dtype;
use crate::layers::{Activation, DropoutKind, Loss, Normalisation};
use crate::names::names;
use crate::net::Initialisation;
use crate::optim::{OptimiserKind, ScheduleKind};

/// Which samples, and how they are prepared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Documented, DocumentedFields, SmartDefault)]
#[serde(default, deny_unknown_fields)]
pub struct DataConfig {
    /// `sample` (the embedded images), or a file or folder.
    #[default("sample".to_owned())]
    pub path: String,
    /// A table's label or target column, by name or number from 1; `auto` takes label, class, target, y, labels,
    /// outcome or survived (not a y next to an x), otherwise the last.
    #[serde(with = "words::auto")]
    pub label_column: Option<String>,
    /// What a table's label column holds: `classes` or `numbers`; `auto` treats numbers that are not whole or have
    /// many different values as `numbers`, which makes `model.task` regression.
    #[serde(with = "words::auto")]
    pub task: Option<TargetKind>,
    /// A table's input columns, by name or number from 1; an empty list takes all except the label column.
    pub columns: Vec<String>,
    /// Columns of a table that are left out.
    pub drop: Vec<String>,
    /// Columns of a table whose numbers are codes; they are read as categories.
    pub categories: Vec<String>,
    /// Whether dates also give weekday and month, besides days.
    pub date_parts: bool,
    /// A table of test samples with the same columns; `none` means there is none.
    #[serde(with = "words::none")]
    pub test: Option<String>,
    /// Whether a table's first line names its columns; with `auto` it does if no field of it is a number.
    #[serde(with = "words::auto")]
    pub header: Option<bool>,
    /// Width and height to which images in a folder are resized, as in `32x32`; `none` does not resize.
    #[serde(with = "words::none")]
    pub resize: Option<String>,
    /// Whether images in a folder that cannot be read are skipped; otherwise the first of them is an error.
    pub skip_broken: bool,
    /// How many of the first training samples to use; `all` uses all of them.
    #[serde(with = "words::all")]
    pub train: Option<usize>,
    /// Validation samples; `auto` takes the data's own, or a fifth of the training samples, at most 1000.
    #[serde(with = "words::auto")]
    pub val: Option<usize>,
    /// How the data are split into training and validation samples, if they are not split already: `stored` (in their
    /// order), `shuffled` or `stratified` (shuffled, each class in proportion); `auto` is stored for image
    /// collections, which are shuffled already, and stratified for the rest.
    #[serde(with = "words::auto")]
    pub split: Option<Order>,
    /// Seed of a random split (NumPy's stream).
    pub split_seed: u32,
    /// How inputs are scaled: `none`, `mean` (minus the mean), `standard` (then divided by the standard deviation) or
    /// `unit` (minus the mean, divided by the range of all numbers); `auto` is unit for images, standard for the
    /// rest.
    #[serde(with = "words::auto")]
    pub scaling: Option<Scaling>,
    /// How the targets of a regression are scaled: `standard` or `none`.
    #[default(Scaling::Standard)]
    pub target_scaling: Scaling,
}

/// The content of the label column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetKind {
    /// Classes.
    Classes,
    /// Numbers, for a regression.
    Numbers,
}

names!(TargetKind, "task", "tasks", Classes = "classes", Numbers = "numbers");

/// What the network predicts for a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Its class.
    #[default]
    Classification,
    /// One or more numbers.
    Regression,
}

/// How keep probabilities change during training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Annealing {
    /// They do not change.
    #[default]
    None,
    /// They fall from 1 to their value (Morerio et al., "Curriculum Dropout", ICCV 2017).
    Curriculum,
}

/// Probabilities to KEEP a hidden unit.
#[derive(Debug, Clone, PartialEq)]
pub enum Keep {
    /// The same for every hidden layer.
    All(f64),
    /// One per hidden layer, first to last.
    Each(Vec<f64>),
}

/// The network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Documented, DocumentedFields, SmartDefault)]
#[serde(default, deny_unknown_fields)]
pub struct ModelConfig {
    /// `classification` or `regression`.
    pub task: Task,
    /// The loss: `softmax` for classification; `squared_error`, `absolute_error`, `huber`, `poisson` (counts),
    /// `quantile` or `gaussian_nll` (mean and noise) for regression; `auto` is softmax or squared_error.
    #[serde(with = "words::auto")]
    pub loss: Option<Loss>,
    /// The residual, in scaled units, from which the loss `huber` is linear.
    #[default(1.0)]
    pub huber_delta: f64,
    /// The quantiles that the loss `quantile` estimates, as probabilities in rising order.
    #[default(vec![0.05, 0.5, 0.95])]
    pub quantiles: Vec<f64>,
    /// The power, from 0 to 1, of the variance by which the gradient of `gaussian_nll` is multiplied; with 0.5 noise keeps
    /// the mean from being learned less (beta-NLL, Seitzer et al. 2022).
    pub beta_nll: f64,
    /// Units of each hidden layer.
    #[default(vec![500])]
    pub hidden: Vec<usize>,
    /// Activation of each hidden layer: `relu`, `leaky_relu`, `elu`, `selu`, `gelu`, `silu`, `mish`, `softplus`, `tanh`,
    /// `logistic` or `identity`.
    pub activation: Activation,
    /// Probability to KEEP a hidden unit, above 0 and at most 1: one for all hidden layers, or a list with one for each.
    #[default(Keep::All(0.5))]
    pub keep: Keep,
    /// The kind of dropout: `bernoulli` (of units), `gaussian` (noise on them) or `drop_connect` (of their incoming
    /// weights).
    pub dropout: DropoutKind,
    /// Probability to KEEP an input, above 0 and at most 1.
    #[default(1.0)]
    pub input_keep: f64,
    /// How keep probabilities change during the run: `none`, or `curriculum`, from 1 down to their value (Morerio et
    /// al. 2017).
    pub annealing: Annealing,
    /// How fast keep probabilities fall: the curriculum's `gamma` is this divided by the steps of the whole run.
    #[default(10.0)]
    pub annealing_rate: f64,
    /// Normalisation of each layer's sums, before its activation: `none`, `batch` (each unit, over the batch) or
    /// `layer` (each sample, over the layer's units).
    pub normalisation: Normalisation,
    /// Initial weights: `he` or `glorot` (depend on the layer's size), or `normal` with standard deviation
    /// `weight_scale`, as in the course.
    #[default(Initialisation::He)]
    pub initialisation: Initialisation,
    /// Standard deviation of the initial weights, if they are `normal`.
    #[default(1e-2)]
    pub weight_scale: f64,
    /// The file of a trained network with which a run begins, of this or another program; `none` draws initial weights.
    #[serde(with = "words::none")]
    pub from: Option<String>,
    /// Number type: `f32` or `f64`.
    pub dtype: Dtype,
}

/// The optimiser, its schedules, and regularisation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Documented, DocumentedFields, SmartDefault)]
#[serde(default, deny_unknown_fields)]
pub struct OptimConfig {
    /// The optimiser: `sgd`, `sgd_momentum`, `rmsprop`, `adam` or `adamw` (Adam with decoupled weight decay).
    #[default(OptimiserKind::Adam)]
    pub rule: OptimiserKind,
    /// Learning rate, after warm-up and before any decay.
    #[default(1e-3)]
    pub learning_rate: f64,
    /// How the learning rate changes during training: `constant`, `decay`, `step` or `cosine`.
    pub schedule: ScheduleKind,
    /// The factor of the schedules `decay` (every epoch) and `step` (every `step_epochs`).
    #[default(0.95)]
    pub decay: f64,
    /// Epochs between two reductions in the schedule `step`.
    #[default(10)]
    pub step_epochs: usize,
    /// Final learning rate of the schedule `cosine`.
    pub final_learning_rate: f64,
    /// Epochs, or a fraction of one, in which the learning rate rises linearly from 0.
    pub warmup_epochs: f64,
    /// Momentum of `sgd_momentum`; with a ramp, its final value.
    #[default(0.9)]
    pub momentum: f64,
    /// Initial value of the momentum ramp.
    #[default(0.5)]
    pub momentum_start: f64,
    /// Epochs in which momentum rises linearly (Srivastava et al. 2014, appendix A.2); 0 means no ramp.
    pub momentum_ramp_epochs: f64,
    /// Nesterov's gradient, for `sgd_momentum`.
    pub nesterov: bool,
    /// Adam's decay rate of the first moment.
    #[default(0.9)]
    pub beta1: f64,
    /// Adam's decay rate of the second moment.
    #[default(0.999)]
    pub beta2: f64,
    /// Decay rate of the mean square in `rmsprop`.
    #[default(0.99)]
    pub decay_rate: f64,
    /// Added to the denominator in Adam and `rmsprop` to avoid division by zero.
    #[default(1e-8)]
    pub epsilon: f64,
    /// Weight decay of `adamw`, not of biases: each step multiplies weights by `1 - learning_rate * weight_decay`.
    #[default(1e-2)]
    pub weight_decay: f64,
    /// Strength of the L2 term `0.5 * l2 * sum(W^2)`.
    pub l2: f64,
    /// Strength of the L1 term `l1 * sum(|W|)`.
    pub l1: f64,
    /// Bound on the norm of each unit's incoming weights; `none` means no bound.
    #[serde(with = "words::none")]
    pub max_norm: Option<f64>,
    /// Bound on the norm of all gradients together; `none` means no bound.
    #[serde(with = "words::none")]
    pub clip_norm: Option<f64>,
    /// Bound on the absolute value of each gradient entry; `none` means no bound.
    #[serde(with = "words::none")]
    pub clip_value: Option<f64>,
}

/// How batches are drawn from the training samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sampling {
    /// Every epoch takes each sample once, in random order; the remaining samples form a last, smaller batch.
    #[default]
    Shuffled,
    /// Each batch is drawn with replacement, as in the course; an epoch is `max(N / batch_size, 1)` batches.
    Replacement,
    /// As [`Sampling::Shuffled`], for samples that stay in their file (Parquet, NPY or IDX): blocks are read in
    /// random order, and the samples of the blocks that are in memory together are shuffled.
    Stream,
}

/// The source of masks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Masks {
    /// The counter-based stream, drawn by all threads.
    #[default]
    Counter,
    /// NumPy's stream, which also draws the batches, as in the course.
    Numpy,
}

/// What determines the best epoch, and when to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Monitor {
    /// The highest validation accuracy.
    Accuracy,
    /// The lowest validation loss.
    Loss,
}

/// The weight of each class in the loss.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(
    rename_all = "snake_case",
    expecting = "it takes \"none\", \"balanced\", or a list of a weight for each class"
)]
pub enum ClassWeights {
    /// All samples equally.
    #[default]
    None,
    /// Each class by the inverse of its share: `N / (C * N_class)`, as in scikit-learn.
    Balanced,
    /// A weight for each class, in the order of the classes.
    #[serde(untagged)]
    Each(Vec<f64>),
}

/// How long, on which batches, and what is monitored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Documented, DocumentedFields, SmartDefault)]
#[serde(default, deny_unknown_fields)]
pub struct TrainConfig {
    /// Maximum number of epochs.
    #[default(25)]
    pub epochs: usize,
    /// Samples per step.
    #[default(100)]
    pub batch_size: usize,
    /// Seed of everything that is random: weights, batches, masks.
    #[default(231)]
    pub seed: u32,
    /// Networks that are trained by themselves, with seeds counting up from `seed`, and predict together: an ensemble
    /// (Lakshminarayanan et al. 2017).
    #[default(1)]
    pub members: usize,
    /// How batches are drawn: `shuffled` (each epoch takes every sample once), `replacement` (with replacement, as in
    /// the course) or `stream` (as `shuffled`, one part of a large file at a time).
    pub sampling: Sampling,
    /// If `sampling` is `stream`: MiB of the file that are in memory and shuffled together.
    #[default(128)]
    pub window: usize,
    /// Source of masks: `counter` (a stream from which all threads draw) or `numpy` (NumPy's, as in the course).
    pub masks: Masks,
    /// How many of the first training samples are used to check accuracy and loss at the end of each epoch; `all`
    /// uses all of them.
    #[default(Some(1000))]
    #[serde(with = "words::all")]
    pub check_samples: Option<usize>,
    /// What determines the best epoch: validation `accuracy` or `loss`; `auto` is accuracy for classification, loss
    /// for regression.
    #[serde(with = "words::auto")]
    pub monitor: Option<Monitor>,
    /// Training stops after this many epochs without a better one; `none` never stops early.
    #[serde(with = "words::none")]
    pub patience: Option<usize>,
    /// How much better an epoch must be to count for `patience`.
    pub min_delta: f64,
    /// Whether the final model is that of the best epoch; otherwise it is that of the last.
    #[default(true)]
    pub restore_best: bool,
    /// Whether one temperature is fitted on the validation samples at the end, so that probabilities of classes are as
    /// sure as they are right (Guo et al. 2017).
    pub calibrate: bool,
    /// Share of each target that is spread evenly over all classes (Szegedy et al. 2016).
    pub label_smoothing: f64,
    /// Weights of classes: `none` (all samples count equally), `balanced` (all classes count equally), or a list of
    /// weights.
    pub class_weights: ClassWeights,
    /// Threads; `auto` is one per core. It changes no result.
    #[serde(with = "words::auto")]
    pub threads: Option<usize>,
    /// How products are computed: `dense`, `thin` (kept units only) or `auto` (whichever was measured to be faster).
    /// It changes results only by rounding.
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
