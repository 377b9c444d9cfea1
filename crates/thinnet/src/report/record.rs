//! What a run writes of its epochs: `history.csv`, `metrics.jsonl`, and TensorBoard's events.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use ndarray::{Array2, ArrayView2, Ix2};

use super::metrics::{csv_line, history_csv, json_line, metrics_jsonl};
use super::tensorboard::EventFile;
use super::weights::weights_png;
use crate::error::{Error, Result};
use crate::files;
use crate::float::Float;
use crate::net::Parameters;
use crate::training::{Epoch, RunHistory};

/// A run's files, which grow by what each epoch tells.
#[derive(Debug)]
pub struct RunRecord {
    csv: Appended,
    json: Appended,
    events: EventFile,
    shape: Vec<usize>,
    epochs: usize,
    pictures: usize,
    folder: PathBuf,
    /// What the files hold.
    history: RunHistory,
}

impl RunRecord {
    /// Brings the files of the run in `folder` to where its history is: what a killed run wrote of epochs that will be
    /// trained again is taken away.
    ///
    /// - `shape`: that of a sample
    /// - `epochs`: of the whole run
    /// - `pictures`: about how often in the run TensorBoard is given the weights, which cost far more than figures do
    ///
    /// # Errors
    /// [`Error::Io`] if they cannot be written.
    pub fn open(
        folder: &Path,
        history: &RunHistory,
        shape: &[usize],
        epochs: usize,
        pictures: usize,
    ) -> Result<Self> {
        Ok(Self {
            csv: Appended::open(folder.join("history.csv"), &history_csv(history)?)?,
            json: Appended::open(folder.join("metrics.jsonl"), &metrics_jsonl(history)?)?,
            events: EventFile::resume_with(folder, &history.epochs)?,
            shape: shape.to_vec(),
            epochs,
            pictures,
            folder: folder.to_path_buf(),
            history: RunHistory { epochs: history.epochs.clone(), ..RunHistory::default() },
        })
    }

    /// Adds an epoch, with the parameters that the network had at its end, if they are at hand.
    ///
    /// # Errors
    /// [`Error::Io`] if the files cannot be written.
    pub fn epoch<F: Float>(&mut self, epoch: &Epoch, parameters: Option<&Parameters<F>>) -> Result<()> {
        // What was taken away meanwhile is made again.
        if self.csv.is_gone() {
            self.csv = Appended::open(self.folder.join("history.csv"), &history_csv(&self.history)?)?;
        }
        if self.json.is_gone() {
            self.json = Appended::open(self.folder.join("metrics.jsonl"), &metrics_jsonl(&self.history)?)?;
        }
        if !self.events.path().exists() {
            self.events = EventFile::resume_with(&self.folder, &self.history.epochs)?;
        }
        self.history.epochs.push(*epoch);
        self.csv.append(&csv_line(epoch)?)?;
        self.json.append(&json_line(epoch)?)?;
        self.events.epoch(epoch)?;
        let number = epoch.epoch;
        let every = self.epochs.div_ceil(self.pictures.max(1)).max(1);
        let is_due = number == 1 || number == self.epochs || number.is_multiple_of(every);
        if let Some(parameters) = parameters.filter(|_| is_due) {
            for (name, array) in parameters.named() {
                self.events.histogram(
                    &format!("weights/{name}"),
                    number,
                    array.iter().map(|v| v.as_f64()),
                )?;
            }
            if let Some(first) = first_layer(parameters)
                && let Some((png, size)) = weights_png(first.view(), &self.shape)?
            {
                self.events.image("first_layer", number, &png, size)?;
            }
        }
        self.events.flush()
    }
}

/// The first layer's weights (D, H).
pub fn first_layer<F: Float>(parameters: &Parameters<F>) -> Option<Array2<f64>> {
    let w1 = parameters.get("W1")?;
    let w1: ArrayView2<'_, F> = w1.into_dimensionality::<Ix2>().ok()?;
    Some(w1.mapv(F::as_f64))
}

/// A file that lines are added to.
#[derive(Debug)]
struct Appended {
    file: File,
    path: PathBuf,
}

impl Appended {
    /// Makes `content` the file's, and opens it behind that.
    fn open(path: PathBuf, content: &[u8]) -> Result<Self> {
        if fs::read(&path).ok().as_deref() != Some(content) {
            files::write_one(&path, true, |out| out.write_all(content))?;
        }
        let file = File::options().append(true).open(&path).map_err(Error::io("write", &path))?;
        Ok(Self { file, path })
    }

    /// Whether the name is gone: what is added would go to a file that nobody finds.
    fn is_gone(&self) -> bool {
        !self.path.exists()
    }

    /// Adds a line in one piece.
    fn append(&mut self, line: &[u8]) -> Result<()> {
        self.file.write_all(line).map_err(Error::io("write", &self.path))
    }
}
