//! A training run's figures for other programs: a line an epoch, as CSV and as JSON.
//!
//! Both have the keys of [`COLUMNS`], in that order, whatever the task: what a run does not have (accuracies of a
//! regression) is empty in the CSV and `null` in the JSON. Floats are written with as many digits as it takes to read back
//! the same float. A value that is not finite is `NaN`, `inf` or `-inf`, in JSON as a string.
//!
//! Lines are made one by one as well as all together, so that a file can be appended to while its run goes on.

use serde::{Deserialize, Serialize};

use super::tables::Number;
use crate::error::{Error, Result};
use crate::files;
use crate::training::{Epoch, RunHistory, Score};

/// The name of the file that [`history_csv`] makes.
pub const HISTORY_CSV: &str = "history.csv";
/// The name of the file that [`metrics_jsonl`] makes.
pub const METRICS_JSONL: &str = "metrics.jsonl";

/// The columns of the CSV, which are the keys of the JSON: what each is, is said at [`Epoch`] and
/// [`Score`].
pub const COLUMNS: [&str; 14] = [
    "epoch",
    "step",
    "learning_rate",
    "loss",
    "train_loss",
    "train_accuracy",
    "train_top5",
    "train_r2",
    "val_loss",
    "val_accuracy",
    "val_top5",
    "val_r2",
    "seconds",
    "samples_per_second",
];

/// A line; its fields are [`COLUMNS`].
#[derive(Serialize, Deserialize)]
struct Line<T> {
    epoch: usize,
    step: u64,
    learning_rate: T,
    loss: T,
    train_loss: T,
    train_accuracy: Option<T>,
    train_top5: Option<T>,
    train_r2: Option<T>,
    val_loss: T,
    val_accuracy: Option<T>,
    val_top5: Option<T>,
    val_r2: Option<T>,
    seconds: T,
    samples_per_second: T,
}

impl<T: From<f64>> Line<T> {
    fn of(epoch: &Epoch) -> Self {
        let Epoch { train, val, .. } = epoch;
        Self {
            epoch: epoch.epoch,
            step: epoch.step,
            learning_rate: epoch.learning_rate.into(),
            loss: epoch.loss.into(),
            train_loss: train.loss.into(),
            train_accuracy: train.accuracy.map(T::from),
            train_top5: train.top5.map(T::from),
            train_r2: train.r2.map(T::from),
            val_loss: val.loss.into(),
            val_accuracy: val.accuracy.map(T::from),
            val_top5: val.top5.map(T::from),
            val_r2: val.r2.map(T::from),
            seconds: epoch.seconds.into(),
            samples_per_second: epoch.samples_per_second.into(),
        }
    }
}

impl From<Line<f64>> for Epoch {
    fn from(line: Line<f64>) -> Self {
        let score = |loss, accuracy, top5, r2| Score { loss, accuracy, top5, r2 };
        Self {
            epoch: line.epoch,
            step: line.step,
            learning_rate: line.learning_rate,
            loss: line.loss,
            train: score(line.train_loss, line.train_accuracy, line.train_top5, line.train_r2),
            val: score(line.val_loss, line.val_accuracy, line.val_top5, line.val_r2),
            seconds: line.seconds,
            samples_per_second: line.samples_per_second,
        }
    }
}

/// The CSV's first line, which names the columns.
pub fn csv_head() -> Vec<u8> {
    (COLUMNS.join(",") + "\n").into_bytes()
}

/// The CSV's line of an epoch, with its end.
///
/// # Errors
/// [`Error::Report`], which no epoch is known to cause.
pub fn csv_line(epoch: &Epoch) -> Result<Vec<u8>> {
    files::csv(HISTORY_CSV, |table| table.serialize(Line::<f64>::of(epoch)))
}

/// `history.csv` of all epochs.
///
/// # Errors
/// Those of [`csv_line`].
pub fn history_csv(history: &RunHistory) -> Result<Vec<u8>> {
    let lines = history.epochs.iter().map(csv_line).collect::<Result<Vec<_>>>()?;
    Ok([csv_head(), lines.concat()].concat())
}

/// The epochs of a `history.csv`, float for float. A last line without its end, which its run is still writing, is left out.
///
/// # Errors
/// [`Error::Data`] for a table that is no `history.csv`, with the line that is wrong.
pub fn parse_history_csv(bytes: &[u8]) -> Result<Vec<Epoch>> {
    let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
    let mut table = csv::Reader::from_reader(&bytes[..whole]);
    let lines = table.deserialize::<Line<f64>>();
    let epochs = lines.map(|line| line.map(Epoch::from)).collect::<std::result::Result<_, _>>();
    epochs.map_err(|error| Error::data(format!("it is no history of epochs: {error}")))
}

/// The JSON object of an epoch on a line of its own, with its end.
///
/// # Errors
/// [`Error::Report`], which no epoch is known to cause.
pub fn json_line(epoch: &Epoch) -> Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec(&Line::<Number>::of(epoch)).map_err(Error::report(METRICS_JSONL))?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// `metrics.jsonl` of all epochs.
///
/// # Errors
/// Those of [`json_line`].
pub fn metrics_jsonl(history: &RunHistory) -> Result<Vec<u8>> {
    Ok(history.epochs.iter().map(json_line).collect::<Result<Vec<_>>>()?.concat())
}
