//! A model as a file: safetensors, with named parameters, and settings and preprocessing in its metadata.

#[cfg(feature = "files")]
use std::io::Write;
use std::path::Path;

use ndarray::Ix2;
use serde::{Deserialize, Serialize};

use super::Model;
use crate::error::{Error, Result, ensure};
#[cfg(feature = "files")]
use crate::files;
use crate::float::{Dtype, Float};
use crate::net::FullyConnectedNet;
use crate::training::{
    Conformal, Member, Preprocessing, Read, Score, Tensors, Trained, TrainingConfig, add_network, network,
};

/// The metadata.
#[derive(Serialize, Deserialize)]
struct Metadata {
    format: u32,
    thinnet: String,
    config: String,
    preprocessing: Preprocessing,
    epoch: usize,
    samples: [usize; 3],
    val: Score,
    test: Option<Score>,
    /// What scores are divided by; models of older versions have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    /// The number of samples behind the array of conformal scores; models of older versions have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    conformal_samples: Option<usize>,
    /// What each network of an ensemble reached by itself; empty for one network.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    members: Vec<Member>,
}

/// The array of conformal scores, float64.
const CONFORMAL: &str = "conformal";

/// The version of this format; ensembles have [`OF_ENSEMBLES`], so that a version that does not know them refuses them.
const FORMAT: u32 = 2;
/// The version of the format of ensembles. The arrays of the second network have names such as `member2.W1`.
const OF_ENSEMBLES: u32 = 3;

/// What the names of the arrays of an ensemble's network begin with, counted from 1.
fn prefix(member: usize) -> String {
    if member == 1 { String::new() } else { format!("member{member}.") }
}

impl<F: Float> Model<F> {
    /// The file's bytes: always the same for the same model.
    ///
    /// # Errors
    /// [`Error::Data`] for numbers that JSON cannot hold; finite scores have none.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let Trained { config, epoch, samples, val, test, temperature, conformal, members, .. } =
            &self.trained;
        let mut config = config.clone();
        config.train.threads = None; // changes no result, and so no byte
        // The path of the data means nothing elsewhere; the file name still says what they were.
        if let Some(name) = Path::new(&config.data.path).file_name() {
            config.data.path = name.to_string_lossy().into_owned();
        }
        if let Some(from) = &mut config.model.from
            && let Some(name) = Path::new(from.as_str()).file_name()
        {
            *from = name.to_string_lossy().into_owned();
        }
        let metadata = Metadata {
            format: if members.is_empty() { FORMAT } else { OF_ENSEMBLES },
            thinnet: self.version.clone(),
            config: config.to_toml()?,
            preprocessing: self.preprocessing.clone(),
            epoch: *epoch,
            samples: *samples,
            val: *val,
            test: *test,
            temperature: *temperature,
            conformal_samples: conformal.as_ref().map(Conformal::samples),
            members: members.clone(),
        };
        let text = serde_json::to_string(&metadata)
            .map_err(|error| Error::data(format!("metadata as JSON: {error}")))?;
        let mut tensors = Tensors::default();
        for (net, member) in self.trained.nets().zip(1..) {
            add_network(&mut tensors, &prefix(member), &net.parameters, net.running());
        }
        if let Some(conformal) = conformal {
            tensors.add(CONFORMAL, conformal.scores().into_dyn());
        }
        tensors.to_bytes(text)
    }

    /// The model in a file's bytes.
    ///
    /// # Errors
    /// [`Error::Data`] if they are not a model, are damaged, or have a number type other than `F` ([`model_dtype`]
    /// returns it).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let read = Read::new(bytes)?;
        let metadata = metadata(&read)?;
        let Metadata {
            thinnet, config, preprocessing, epoch, samples, val, test, temperature, members, ..
        } = metadata;
        ensure!(
            temperature.is_none_or(|temperature| temperature.is_finite() && temperature > 0.0),
            Error::data("its temperature is not a positive number")
        );
        let config = TrainingConfig::from_toml(&config)?;
        if config.model.dtype != F::DTYPE {
            return Err(Error::data(format!(
                "it is a model of {} numbers, but {} are requested",
                config.model.dtype,
                F::DTYPE
            )));
        }
        ensure!(
            members.is_empty() || members.len() == config.train.members,
            Error::data("its results are not those of its networks")
        );
        let member = |member: usize| {
            let (parameters, running) = network(&read, &prefix(member), config.model.hidden.len() + 1)?;
            let net = config.net(preprocessing.scale.mean.len(), preprocessing.names.len())?;
            let mut net = FullyConnectedNet::from_parameters(net, parameters)?;
            net.set_running(&running)?;
            Ok(net)
        };
        let net = member(1)?;
        let others = (2..=members.len()).map(member).collect::<Result<_>>()?;
        preprocessing.check()?;
        let rows = preprocessing.targets.as_ref().map_or(1, |_| preprocessing.names.len());
        let conformal =
            metadata.conformal_samples.map(|samples| conformal(&read, samples, rows)).transpose()?;
        let trained =
            Trained { net, config, epoch, samples, val, test, temperature, conformal, others, members };
        let model = Self::new(trained, preprocessing)?;
        Ok(Self { version: thinnet, ..model })
    }
}

#[cfg(feature = "files")]
impl<F: Float> Model<F> {
    /// Writes the file, completely or not at all; replaces an existing one.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let bytes = self.to_bytes()?;
        files::write_one(path.as_ref(), true, |out| out.write_all(&bytes))
    }

    /// Reads the file that [`Model::save`] wrote. Its predictions are bit for bit those of the saved model.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be read; [`Error::Data`] as for [`Model::from_bytes`].
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
        Self::from_bytes(&bytes).map_err(|error| error.within(path.display()))
    }
}

/// The number type of a model file.
///
/// # Errors
/// [`Error::Data`] for bytes that are not such a file.
pub fn model_dtype(bytes: &[u8]) -> Result<Dtype> {
    let metadata = metadata(&Read::new(bytes)?)?;
    Ok(TrainingConfig::from_toml(&metadata.config)?.model.dtype)
}

/// The conformal scores of a model with this many rows of them.
fn conformal(read: &Read<'_>, samples: usize, rows: usize) -> Result<Conformal> {
    let scores = read.array::<f64>(CONFORMAL)?.into_dimensionality::<Ix2>();
    let scores = scores.map_err(|_| Error::data(format!("its array {CONFORMAL} is no matrix")))?;
    Conformal::kept(samples, scores, rows)
}

fn metadata(read: &Read<'_>) -> Result<Metadata> {
    #[derive(Deserialize)]
    struct Numbered {
        format: u32,
    }
    let wrong = |error| Error::data(format!("its metadata are not those of a model: {error}"));
    let Numbered { format } = serde_json::from_str(&read.text).map_err(wrong)?;
    if ![FORMAT, OF_ENSEMBLES].contains(&format) {
        return Err(Error::data(format!(
            "it has the model format {format}, but this version reads {FORMAT} and {OF_ENSEMBLES}"
        )));
    }
    serde_json::from_str(&read.text).map_err(wrong)
}
