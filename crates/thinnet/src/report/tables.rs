//! The figures for other programs: histories and losses as CSV, everything as JSON.
//!
//! Floats are written with as many digits as it takes to read back the same float.

use serde::{Deserialize, Serialize};

use super::figures::{epoch, labels};
use super::look::VERSION;
use crate::error::{Error, Result};
use crate::files;
use crate::training::Accuracies;
use crate::training::experiment::{Ending, NetworkRun, Outcome, Settings};

/// The JSON format that this version writes and reads.
const FORMAT: &str = "thinnet-experiment/1";

#[derive(Serialize)]
struct HistoryRow<'a> {
    network: &'a str,
    epoch: usize,
    train_accuracy: Option<f64>,
    val_accuracy: Option<f64>,
}

#[derive(Serialize)]
struct LossRow<'a> {
    network: &'a str,
    iteration: usize,
    loss: f64,
}

/// `history.csv`: a row for each network and check of its accuracies.
pub(crate) fn history_csv(outcome: &Outcome) -> Result<Vec<u8>> {
    files::csv("history.csv", |table| {
        table.write_record(["network", "epoch", "train_accuracy", "val_accuracy"])?;
        for (network, run) in labels(outcome).iter().zip(&outcome.networks) {
            let (train, val) = (&run.history.train_accuracy, &run.history.val_accuracy);
            for check in 0..train.len().max(val.len()) {
                let (train_accuracy, val_accuracy) = (train.get(check).copied(), val.get(check).copied());
                let epoch = epoch(&run.history, check);
                table.serialize(HistoryRow { network, epoch, train_accuracy, val_accuracy })?;
            }
        }
        Ok(())
    })
}

/// `loss.csv`: a row for each network and iteration, counted from 1.
pub(crate) fn loss_csv(outcome: &Outcome) -> Result<Vec<u8>> {
    files::csv("loss.csv", |table| {
        table.write_record(["network", "iteration", "loss"])?;
        for (network, run) in labels(outcome).iter().zip(&outcome.networks) {
            for (i, &loss) in run.history.loss.iter().enumerate() {
                table.serialize(LossRow { network, iteration: i + 1, loss })?;
            }
        }
        Ok(())
    })
}

/// A float in JSON, which has no word for those that are not finite: they become the strings "NaN", "inf" and "-inf".
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Number {
    Finite(f64),
    Other(String),
}

impl From<f64> for Number {
    fn from(value: f64) -> Self {
        if value.is_finite() { Self::Finite(value) } else { Self::Other(value.to_string()) }
    }
}

impl TryFrom<Number> for f64 {
    type Error = Error;

    fn try_from(number: Number) -> Result<Self> {
        match number {
            Number::Finite(value) => Ok(value),
            Number::Other(text) => text
                .parse()
                .map_err(|_| Error::data(format!("an experiment's file: {text:?} is not a number"))),
        }
    }
}

fn numbers(values: &[f64]) -> Vec<Number> {
    values.iter().copied().map(Number::from).collect()
}

fn floats(numbers: Vec<Number>) -> Result<Vec<f64>> {
    numbers.into_iter().map(f64::try_from).collect()
}

#[derive(Serialize, Deserialize)]
struct Document {
    format: String,
    versions: Versions,
    settings: Settings,
    networks: Vec<Network>,
    seconds: Number,
}

#[derive(Serialize, Deserialize)]
struct Versions {
    thinnet: String,
}

#[derive(Serialize, Deserialize)]
struct Network {
    name: String,
    keep: Number,
    seconds: Number,
    epoch: Vec<usize>,
    train_accuracy: Vec<Number>,
    val_accuracy: Vec<Number>,
    loss: Vec<Number>,
    /// Missing in files of versions that did not measure it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    end: Option<End>,
}

/// How a network does at the end of training, in test mode.
#[derive(Serialize, Deserialize)]
struct End {
    train_loss: Number,
    val_loss: Number,
    val_correct: Vec<bool>,
}

impl End {
    fn parsed(self) -> Result<Ending> {
        let (train_loss, val_loss) = (self.train_loss.try_into()?, self.val_loss.try_into()?);
        Ok(Ending { train_loss, val_loss, val_correct: self.val_correct })
    }
}

/// `experiment.json`: all of the outcome, and the version that made it.
pub(crate) fn json(outcome: &Outcome) -> serde_json::Result<Vec<u8>> {
    let networks = labels(outcome).into_iter().zip(&outcome.networks).map(|(name, run)| Network {
        name,
        keep: run.keep.into(),
        seconds: run.seconds.into(),
        epoch: run.history.epoch.clone(),
        train_accuracy: numbers(&run.history.train_accuracy),
        val_accuracy: numbers(&run.history.val_accuracy),
        loss: numbers(&run.history.loss),
        end: run.end.as_ref().map(|end| End {
            train_loss: end.train_loss.into(),
            val_loss: end.val_loss.into(),
            val_correct: end.val_correct.clone(),
        }),
    });
    let document = Document {
        format: FORMAT.to_owned(),
        versions: Versions { thinnet: VERSION.to_owned() },
        settings: outcome.settings.clone(),
        networks: networks.collect(),
        seconds: outcome.seconds.into(),
    };
    let mut bytes = serde_json::to_vec_pretty(&document)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Reads an outcome back from the bytes of an `experiment.json`, float for float.
///
/// Bytes that are no JSON, or of another format, give [`Error::Data`].
pub fn parse(bytes: &[u8]) -> Result<Outcome> {
    #[derive(Deserialize)]
    struct Head {
        format: Option<String>,
    }
    let wrong = |e: serde_json::Error| Error::data(format!("an experiment's file: {e}"));
    match serde_json::from_slice::<Head>(bytes).map_err(wrong)?.format {
        Some(format) if format == FORMAT => {}
        Some(format) => {
            return Err(Error::data(format!(
                "an experiment's file: its format is {format:?}, expected {FORMAT:?}"
            )));
        }
        None => return Err(Error::data(format!("an experiment's file: no \"format\", expected {FORMAT:?}"))),
    }
    let document: Document = serde_json::from_slice(bytes).map_err(wrong)?;
    let networks = document.networks.into_iter().map(|network| {
        Ok(NetworkRun {
            keep: network.keep.try_into()?,
            seconds: network.seconds.try_into()?,
            history: Accuracies {
                loss: floats(network.loss)?,
                epoch: network.epoch,
                train_accuracy: floats(network.train_accuracy)?,
                val_accuracy: floats(network.val_accuracy)?,
            },
            end: network.end.map(End::parsed).transpose()?,
        })
    });
    Ok(Outcome {
        settings: document.settings,
        networks: networks.collect::<Result<_>>()?,
        seconds: document.seconds.try_into()?,
    })
}
