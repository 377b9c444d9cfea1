//! The measured network, with data that are the same in all compared programs.

use std::time::Instant;

use ndarray::Array2;
use serde::Deserialize;
use thinnet::data::{Features, Targets};
use thinnet::engine::{Engine, EngineConfig, EngineKind, MaskSource, Thin};
use thinnet::float::Float;
use thinnet::layers::Dropout;
use thinnet::net::{FullyConnectedNet, NetConfig};
use thinnet::optim::{Adam, Optimiser};
use thinnet::random::RandomState;

use crate::failure::Failure;
use crate::memory;

/// Images that batches are drawn from.
const IMAGES: usize = 5000;

/// The measured case.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Case {
    /// Inputs, hidden sizes, classes.
    pub(super) net: Vec<usize>,
    pub(super) batch: usize,
    pub(super) keep: f64,
    #[serde(default)]
    #[allow(dead_code, reason = "peers have several; this program has one")]
    pub(super) setting: String,
}

/// A network, its data, and the stream that batches are drawn from.
pub(super) struct Trainer<F: Float> {
    pub(super) engine: Thin<F>,
    x: Features<F>,
    y: Vec<usize>,
    batch: usize,
    random: RandomState,
    /// The loss of the last step.
    pub(super) loss: f64,
}

/// The settings of a case's network.
fn config(case: &Case) -> Result<NetConfig, Failure> {
    let [input_dim, hidden @ .., num_outputs] = case.net.as_slice() else {
        return Err(Failure::Refused("a net needs at least inputs and classes".to_owned()));
    };
    // As in the peers, a keep probability of 1 means a network without dropout.
    let dropout = Dropout::new(case.keep, None)?;
    let config = NetConfig {
        input_dim: *input_dim,
        hidden: hidden.to_vec(),
        num_outputs: *num_outputs,
        dropout: (case.keep < 1.0).then_some(dropout).into(),
        ..NetConfig::default()
    };
    if case.batch == 0 {
        return Err(Failure::Refused("--batch-size must be at least 1, got 0".to_owned()));
    }
    config.check()?;
    Ok(config)
}

/// The network and the engine for these settings.
fn engine<F: Float>(config: &NetConfig, kind: EngineKind, threads: usize) -> Result<Thin<F>, Failure> {
    let net = FullyConnectedNet::new(config.clone(), &mut RandomState::new(231))?;
    let rule = Optimiser::Adam(Adam { learning_rate: 5e-4, ..Adam::default() });
    let settings = EngineConfig { kind, threads, masks: MaskSource::Counter(231), isa: None };
    Ok(Thin::new(&net, rule, settings)?)
}

impl<F: Float> Trainer<F> {
    /// `rows` is the number of samples that will be predicted.
    pub(super) fn new(case: &Case, kind: EngineKind, threads: usize, rows: usize) -> Result<Self, Failure> {
        let config = config(case)?;
        let input_dim = config.input_dim;
        memory::check(memory_of::<F>(&config, case.batch, rows), || "this needs".to_owned())?;
        let x = Array2::from_shape_fn((IMAGES, input_dim), |(image, feature)| {
            F::from_f64(f64::from(hash(image * input_dim + feature)) / 2_147_483_648.0 - 1.0)
        })
        .into();
        let y =
            (0..IMAGES).map(|image| hash(IMAGES * input_dim + image) as usize % config.num_outputs).collect();
        let engine = engine(&config, kind, threads)?;
        Ok(Self { engine, x, y, batch: case.batch, random: RandomState::new(231), loss: f64::NAN })
    }

    /// The same network without dropout, on the same data.
    pub(super) fn without_dropout(
        &self,
        case: &Case,
        kind: EngineKind,
        threads: usize,
    ) -> Result<Self, Failure> {
        let engine = engine(&config(&Case { keep: 1.0, ..case.clone() })?, kind, threads)?;
        let (x, y, random) = (self.x.clone(), self.y.clone(), RandomState::new(231));
        Ok(Self { engine, x, y, batch: self.batch, random, loss: f64::NAN })
    }

    /// Milliseconds of this many steps.
    pub(super) fn steps(&mut self, count: usize) -> Result<Vec<f64>, Failure> {
        (0..count)
            .map(|_| {
                let start = Instant::now();
                let batch = self.random.choice(IMAGES, self.batch)?;
                let (targets, batch) = (Targets::Classes(&self.y), batch.as_slice().into());
                self.loss = self.engine.step(&self.x, targets, batch, &mut self.random)?.total();
                Ok(start.elapsed().as_secs_f64() * 1e3)
            })
            .collect()
    }

    /// Milliseconds of this many predictions of the first `rows` samples; after the last sample they start again.
    pub(super) fn predictions(&self, rows: usize, count: usize) -> Result<Vec<f64>, Failure> {
        let chosen: Vec<usize> = (0..rows).map(|row| row % IMAGES).collect();
        let rows = self.x.select(&chosen)?;
        (0..count)
            .map(|_| {
                let start = Instant::now();
                std::hint::black_box(self.engine.scores_of(rows.view())?);
                Ok(start.elapsed().as_secs_f64() * 1e3)
            })
            .collect()
    }
}

/// About how many bytes a network with Adam's state, the same without dropout, its data, a batch and rows to predict
/// take; a float, so that no size is too large.
fn memory_of<F>(config: &NetConfig, batch: usize, rows: usize) -> f64 {
    let shapes = config.layer_shapes();
    let parameters: f64 =
        shapes.iter().map(|&(inputs, outputs)| (inputs as f64 + 1.0) * outputs as f64).sum();
    let units: f64 = shapes.iter().map(|&(_, outputs)| outputs as f64).sum();
    let (inputs, outputs) = (config.input_dim as f64, config.num_outputs as f64);
    let samples =
        IMAGES as f64 * inputs + batch as f64 * (inputs + 8.0 * units) + rows as f64 * (inputs + outputs);
    size_of::<F>() as f64 * (12.0 * parameters + 2.0 * samples)
}

/// A well-mixed number for each index (the end of `MurmurHash3`), so that data are the same in every program and
/// language.
#[allow(clippy::cast_possible_truncation)] // the low 32 bits of the index are hashed
fn hash(index: usize) -> u32 {
    let mut h = index as u32;
    for (shift, factor) in [(16, 0x85eb_ca6b), (13, 0xc2b2_ae35)] {
        h = (h ^ h >> shift).wrapping_mul(factor);
    }
    h ^ h >> 16
}
