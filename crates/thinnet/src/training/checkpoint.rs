//! A run's state as bytes, with a checksum that shows damage.
//!
//! A checkpoint is a line `thinnet checkpoint 1`, the SHA-256 of everything after it as a line of hexadecimal digits,
//! and a safetensors file. That has parameters by name, the optimiser's state as `W1.m`, `W1.v`, ..., the best
//! epoch's network as `best.W1`, ..., the epoch's order of samples, every step's loss, and the rest as JSON in its
//! metadata.

use ndarray::ArrayView1;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::state::{Best, Position, TrainerState};
use super::tensors::{Read, Tensors, add_network, network};
use super::{Epoch, RunHistory, TrainingConfig};
use crate::engine::EngineState;
use crate::error::{Error, Result};
use crate::float::Float;
use crate::net::Parameters;
use crate::optim::{OptimiserKind, OptimiserState};
use crate::random;

/// The first line.
const MAGIC: &str = "thinnet checkpoint 1\n";

/// Everything that is not an array.
#[derive(Serialize, Deserialize)]
struct Rest {
    /// The version that wrote it.
    version: String,
    /// The settings, as TOML.
    config: String,
    random: random::State,
    engine_step: u64,
    /// The number of the optimiser's updates.
    updates: u64,
    layers: usize,
    rule: OptimiserKind,
    #[serde(flatten)]
    position: Position,
    epochs: Vec<Epoch>,
    best_epoch: Option<usize>,
}

impl<F: Float> TrainerState<F> {
    /// The state as bytes, with the run's settings.
    ///
    /// # Errors
    /// [`Error::Configuration`] for settings that TOML cannot hold; no settings in range are like that.
    pub fn to_bytes(&self, config: &TrainingConfig) -> Result<Vec<u8>> {
        let position = &self.position;
        let mut tensors = Tensors::default();
        add_network(&mut tensors, "", &self.engine.parameters, &self.engine.running);
        for ((name, _), state) in self.engine.parameters.named().iter().zip(&self.engine.optimiser) {
            for (slot, array) in state.kind.slots().iter().zip(&state.slots) {
                tensors.add(format!("{name}.{slot}"), array.view());
            }
        }
        if let Some(best) = &self.best {
            add_network(&mut tensors, "best.", &best.parameters, &best.running);
        }
        tensors.add("history.loss", ArrayView1::from(&position.history.loss).into_dyn());
        tensors.add_indices("order", &position.order);
        let rest = Rest {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            config: config.to_toml()?,
            random: self.random.clone(),
            engine_step: self.engine.step,
            updates: self.engine.optimiser.first().map_or(0, |state| state.steps),
            layers: self.engine.parameters.layers.len(),
            rule: config.optim.rule,
            position: Position { order: Vec::new(), history: RunHistory::default(), ..*position },
            epochs: position.history.epochs.clone(),
            best_epoch: position.history.best,
        };
        let text =
            serde_json::to_string(&rest).map_err(|error| Error::data(format!("state as JSON: {error}")))?;
        let body = tensors.to_bytes(text)?;
        let mut bytes = Vec::with_capacity(MAGIC.len() + 65 + body.len());
        bytes.extend_from_slice(MAGIC.as_bytes());
        bytes.extend_from_slice(digest(&body).as_bytes());
        bytes.push(b'\n');
        bytes.extend_from_slice(&body);
        Ok(bytes)
    }

    /// The state written by [`TrainerState::to_bytes`], with the run's settings.
    ///
    /// # Errors
    /// [`Error::Data`] for bytes that are truncated, changed, or of another kind.
    pub fn from_bytes(bytes: &[u8]) -> Result<(Self, TrainingConfig)> {
        let body = whole(bytes)?;
        let read = Read::new(body)?;
        let rest: Rest = serde_json::from_str(&read.text)
            .map_err(|error| Error::data(format!("it is the checkpoint of another version: {error}")))?;
        let config = TrainingConfig::from_toml(&rest.config)?;
        let (parameters, running) = network(&read, "", rest.layers)?;
        let (kind, steps) = (rest.rule, rest.updates);
        let state = |(name, _): (String, _)| {
            let slots = kind.slots().iter().map(|slot| read.array(&format!("{name}.{slot}")));
            Ok(OptimiserState { kind, slots: slots.collect::<Result<_>>()?, steps })
        };
        let optimiser = parameters.named().into_iter().map(state).collect::<Result<_>>()?;
        let best = if read.has("best.W1") {
            let (parameters, running) = network(&read, "best.", rest.layers)?;
            Some(Best { parameters, running })
        } else {
            None
        };
        let state = Self {
            engine: EngineState { parameters, optimiser, step: rest.engine_step, running },
            random: rest.random,
            position: Position {
                order: read.indices("order")?,
                history: RunHistory {
                    loss: read.array::<f64>("history.loss")?.iter().copied().collect(),
                    epochs: rest.epochs,
                    best: rest.best_epoch,
                },
                ..rest.position
            },
            best,
        };
        Ok((state, config))
    }

    /// The number of steps done in this state.
    pub fn step(&self) -> u64 {
        self.position.step
    }

    /// The network's parameters in this state.
    pub fn parameters(&self) -> &Parameters<F> {
        &self.engine.parameters
    }

    /// Losses and epochs up to this state.
    pub fn history(&self) -> &RunHistory {
        &self.position.history
    }
}

/// The body of an undamaged checkpoint.
fn whole(bytes: &[u8]) -> Result<&[u8]> {
    let no_checkpoint = || Error::data("it is not a checkpoint of thinnet, or it was cut short");
    let rest = bytes.strip_prefix(MAGIC.as_bytes()).ok_or_else(no_checkpoint)?;
    let (sum, body) = rest.split_at_checked(64).ok_or_else(no_checkpoint)?;
    let body = body.strip_prefix(b"\n").ok_or_else(no_checkpoint)?;
    if digest(body).as_bytes() != sum {
        return Err(Error::data("its checksum does not match: it was cut short or changed"));
    }
    Ok(body)
}

/// The SHA-256 in hexadecimal digits.
fn digest(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let digits = |byte: &u8| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]];
    Sha256::digest(bytes).iter().flat_map(digits).collect()
}
