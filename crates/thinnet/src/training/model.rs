//! A trained network as a file: safetensors, with parameters by name, and configuration and preprocessing in its metadata.

use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::checkpoint::{add_network, network};
use super::data::Preprocessing;
use super::tensors::{Read, Tensors};
use super::{Score, TrainingConfig};
use crate::error::{Error, Result};
use crate::files;
use crate::float::{Dtype, Float};
use crate::net::FullyConnectedNet;

/// A trained network, with all that a prediction needs.
#[derive(Debug, Clone)]
pub struct Model<F> {
    /// The network.
    pub net: FullyConnectedNet<F>,
    /// The settings of its run.
    pub config: TrainingConfig,
    /// What is done to a sample before, and to the outputs after.
    pub preprocessing: Preprocessing,
    /// The epoch that it is of, from 1.
    pub epoch: usize,
    /// How it does on the validation samples.
    pub val: Score,
}

/// The metadata.
#[derive(Serialize, Deserialize)]
struct Metadata {
    format: u32,
    thinnet: String,
    config: String,
    preprocessing: Preprocessing,
    epoch: usize,
    val: Score,
}

/// The number of this format.
const FORMAT: u32 = 1;

impl<F: Float> Model<F> {
    /// The file's bytes: the same for the same model, whenever and wherever they are made.
    ///
    /// # Errors
    /// [`Error::Data`] for numbers that JSON cannot hold, which no finite score has.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut config = self.config.clone();
        config.train.threads = None; // changes no figure, and so no byte
        let metadata = Metadata {
            format: FORMAT,
            thinnet: env!("CARGO_PKG_VERSION").to_owned(),
            config: config.to_toml()?,
            preprocessing: self.preprocessing.clone(),
            epoch: self.epoch,
            val: self.val,
        };
        let text = serde_json::to_string(&metadata)
            .map_err(|error| Error::data(format!("metadata as JSON: {error}")))?;
        let mut tensors = Tensors::default();
        add_network(&mut tensors, "", &self.net.parameters, self.net.running());
        tensors.to_bytes(text)
    }

    /// Writes the file, whole or not at all, in place of one that is there.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        let bytes = self.to_bytes()?;
        files::write_one(path, true, |out| out.write_all(&bytes))
    }

    /// The model of a file's bytes, whose number type has to be `F`.
    ///
    /// # Errors
    /// [`Error::Data`] for bytes that are no such file.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let read = Read::new(bytes)?;
        let metadata = metadata(&read)?;
        let config = TrainingConfig::from_toml(&metadata.config)?;
        let (parameters, running) = network(&read, "", config.model.hidden.len() + 1)?;
        let preprocessing = metadata.preprocessing;
        let net = config.net(preprocessing.mean.len(), preprocessing.classes.len())?;
        let mut net = FullyConnectedNet::from_parameters(net, parameters)?;
        net.set_running(&running)?;
        Ok(Self { net, config, preprocessing, epoch: metadata.epoch, val: metadata.val })
    }
}

/// The number type of a model file.
///
/// # Errors
/// [`Error::Data`] for bytes that are no such file.
pub fn model_dtype(bytes: &[u8]) -> Result<Dtype> {
    let metadata = metadata(&Read::new(bytes)?)?;
    Ok(TrainingConfig::from_toml(&metadata.config)?.model.dtype)
}

fn metadata(read: &Read<'_>) -> Result<Metadata> {
    let metadata: Metadata = serde_json::from_str(&read.text)
        .map_err(|error| Error::data(format!("its metadata are not those of a model: {error}")))?;
    if metadata.format == FORMAT {
        Ok(metadata)
    } else {
        Err(Error::data(format!(
            "it has the model format {}, and this version reads {FORMAT}",
            metadata.format
        )))
    }
}
