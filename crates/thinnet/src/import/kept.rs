//! The network that a run began with, as a file in its folder: the run does not depend on the file that it came from.

use serde::{Deserialize, Serialize};

use super::imported::Imported;
use crate::data::{Columns, Scale};
use crate::error::{Error, Result, ensure};
use crate::layers::{Activation, Loss, Normalisation};
use crate::training::{Read, Task, Tensors, add_network, network};

/// The version of this format.
const START: u32 = 1;

/// The metadata, whose first entry is how such a file is recognised.
#[derive(Serialize, Deserialize)]
struct Metadata {
    start: u32,
    source: String,
    layers: usize,
    activation: Option<Activation>,
    normalisation: Normalisation,
    scale: Option<Scale>,
    task: Option<Task>,
    loss: Option<Loss>,
    targets: Option<Scale>,
    names: Option<Vec<String>>,
    columns: Option<Columns>,
}

/// Whether these bytes, a safetensors file, are those of [`Imported::to_bytes`].
pub(super) fn is_kept(bytes: &[u8]) -> bool {
    Read::new(bytes).is_ok_and(|read| read.text.starts_with("{\"start\":"))
}

/// Reads the bytes of [`Imported::to_bytes`].
pub(super) fn read(bytes: &[u8]) -> Result<Imported> {
    #[derive(Deserialize)]
    struct Numbered {
        start: u32,
    }
    let wrong = |error| Error::data(format!("its metadata are not those of a run's start: {error}"));
    let read = Read::new(bytes)?;
    let Numbered { start } = serde_json::from_str(&read.text).map_err(wrong)?;
    ensure!(
        start == START,
        Error::data(format!("it has the format {start} of a run's start, but this version reads {START}"))
    );
    let Metadata {
        source,
        layers,
        activation,
        normalisation,
        scale,
        task,
        loss,
        targets,
        names,
        columns,
        ..
    } = serde_json::from_str(&read.text).map_err(wrong)?;
    let (parameters, running) = network(&read, "", layers)?;
    let imported = Imported {
        source,
        parameters,
        running,
        activation,
        normalisation,
        scale,
        task,
        loss,
        targets,
        names,
        columns,
    };
    imported.check()?;
    Ok(imported)
}

impl Imported {
    /// The network as bytes, which [`from_bytes`](super::from_bytes) reads.
    ///
    /// # Errors
    /// [`Error::Data`] for numbers that JSON cannot hold; finite scales have none.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let Self { source, parameters, running, activation, normalisation, .. } = self.clone();
        let Self { scale, task, loss, targets, names, columns, .. } = self.clone();
        let mut tensors = Tensors::default();
        add_network(&mut tensors, "", &parameters, &running);
        let metadata = Metadata {
            start: START,
            source,
            layers: parameters.layers.len(),
            activation,
            normalisation,
            scale,
            task,
            loss,
            targets,
            names,
            columns,
        };
        let text = serde_json::to_string(&metadata)
            .map_err(|error| Error::data(format!("metadata as JSON: {error}")))?;
        tensors.to_bytes(text)
    }
}
