//! What there is to tell of a training run.

use ndarray::{Array2, ArrayView2};

use crate::training::{RunHistory, Score, TrainingConfig};

/// A training run, and all that its report tells of it.
///
/// ```no_run
/// # use thinnet::training::{RunHistory, TrainingConfig};
/// # fn f(config: &TrainingConfig, history: &RunHistory, classes: &[String]) -> thinnet::Result<()> {
/// use thinnet::report::RunReport;
///
/// let report = RunReport {
///     config,
///     history,
///     classes,
///     data: "the embedded CIFAR-10 sample",
///     shape: &[3, 32, 32],
///     first_layer: None,
///     confusion: None,
///     test: None,
///     command: Some("thinnet train config.toml"),
///     seconds: 12.5,
///     finished: true,
/// };
/// report.write("runs/first".as_ref())?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct RunReport<'a> {
    /// Its settings.
    pub config: &'a TrainingConfig,
    /// Its epochs.
    pub history: &'a RunHistory,
    /// The classes' names, by label; of a regression, none.
    pub classes: &'a [String],
    /// Where the samples come from, for people.
    pub data: &'a str,
    /// The shape of one sample: `[channels, height, width]` of an image, `[numbers]` of other samples.
    pub shape: &'a [usize],
    /// The first layer's weights (D, H), D being the product of `shape`.
    pub first_layer: Option<ArrayView2<'a, f64>>,
    /// How often each true class (row) was taken for each class (column), (C, C): of the test samples if `test` is there,
    /// otherwise of the validation samples.
    pub confusion: Option<&'a Array2<usize>>,
    /// The kept model's score on test samples.
    pub test: Option<Score>,
    /// The command line that repeats the run, shown on the page as it is given; without it, `thinnet train config.toml`.
    pub command: Option<&'a str>,
    /// Seconds that its training steps took.
    pub seconds: f64,
    /// Whether the run came to its end: its last epoch, or one without which it was to stop.
    pub finished: bool,
}
