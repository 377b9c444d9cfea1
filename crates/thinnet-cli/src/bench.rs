//! `thinnet bench`: how long a training step takes on this machine, beside what the machine could do.

use std::io::{BufRead, stdin};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use thinnet::data::{Features, Targets};
use thinnet::engine::{Engine, EngineConfig, EngineKind, Isa, MaskSource, StepTimes, Thin, cores};
use thinnet::float::Float;
use thinnet::layers::Dropout;
use thinnet::net::{FullyConnectedNet, NetConfig};
use thinnet::optim::{Adam, Optimiser};
use thinnet::random::RandomState;
use thinnet::text::joined;
use thinnet_kernels::multiply_adds;

use crate::args::BenchArguments;
use crate::failure::Failure;
use crate::memory;
use crate::output::Output;

/// Images that batches are drawn from.
const IMAGES: usize = 5000;
/// Steps before the first that counts: they bring weights and code into the caches.
const WARM_UP: usize = 5;

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Report {
    step_ms: Spread,
    engine: &'static str,
    threads: usize,
    kernels: &'static str,
    dtype: String,
    net: Vec<usize>,
    batch_size: usize,
    keep: f64,
    steps: usize,
    share: Share,
    gflops: f64,
    peak_gflops: f64,
    gbytes_per_second: f64,
    sweep_gbytes_per_second: f64,
}

/// Milliseconds of a step.
#[derive(Debug, Serialize)]
struct Spread {
    median: f64,
    min: f64,
    max: f64,
}

/// Shares of the step that its parts take.
#[derive(Debug, Serialize)]
struct Share {
    gather: f64,
    masks: f64,
    forward: f64,
    loss: f64,
    backward_and_update: f64,
}

/// What is measured.
#[derive(Debug, Clone, Deserialize)]
struct Case {
    /// Inputs, hidden sizes, classes.
    net: Vec<usize>,
    batch: usize,
    keep: f64,
    #[serde(default)]
    #[allow(dead_code, reason = "peers have several; this program has one")]
    setting: String,
}

/// Measures, and writes what it found.
pub(crate) fn run(arguments: &BenchArguments, output: &Output) -> Result<(), Failure> {
    let threads = arguments.compute.threads.unwrap_or_else(cores);
    let kind: EngineKind = arguments.compute.engine.parse()?;
    if arguments.steps == 0 {
        return Err(Failure::Refused("--steps must be at least 1, got 0".to_owned()));
    }
    let mut net = vec![NetConfig::default().input_dim];
    net.extend(&arguments.hidden);
    net.push(NetConfig::default().num_outputs);
    let case = Case { net, batch: arguments.batch_size, keep: arguments.keep, setting: String::new() };
    match arguments.compute.dtype.as_str() {
        "f64" => dispatch::<f64>(arguments, case, kind, threads, output),
        _ => dispatch::<f32>(arguments, case, kind, threads, output),
    }
}

fn dispatch<F: Float>(
    arguments: &BenchArguments,
    case: Case,
    kind: EngineKind,
    threads: usize,
    output: &Output,
) -> Result<(), Failure> {
    if arguments.serve {
        return serve::<F>(kind, threads, output);
    }
    let mut trainer = Trainer::<F>::new(&case, kind, threads)?;
    trainer.steps(WARM_UP)?;
    let before = trainer.engine.times();
    let mut times = trainer.steps(arguments.steps)?;
    times.sort_by(f64::total_cmp);
    let report = report::<F>(&trainer, &case, kind, threads, &times, before);
    if arguments.json {
        return output.json(&report);
    }
    for line in lines(&report) {
        output.line(&line)?;
    }
    Ok(())
}

/// A network, its data, and the stream that batches are drawn from.
struct Trainer<F: Float> {
    engine: Thin<F>,
    x: Features<F>,
    y: Vec<usize>,
    batch: usize,
    random: RandomState,
    /// Of the last step.
    loss: f64,
}

impl<F: Float> Trainer<F> {
    fn new(case: &Case, kind: EngineKind, threads: usize) -> Result<Self, Failure> {
        let [input_dim, hidden @ .., num_outputs] = case.net.as_slice() else {
            return Err(Failure::Refused("a net needs at least inputs and classes".to_owned()));
        };
        let mut random = RandomState::new(231);
        // As in the peers, a keep probability of 1 is a network without dropout.
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
        memory::check(memory_of::<F>(&config, case.batch), || "this needs".to_owned())?;
        let x = ndarray::Array2::from_shape_fn((IMAGES, *input_dim), |(image, feature)| {
            F::from_f64(f64::from(hash(image * input_dim + feature)) / 2_147_483_648.0 - 1.0)
        })
        .into();
        let y = (0..IMAGES).map(|image| hash(IMAGES * input_dim + image) as usize % num_outputs).collect();
        let net = FullyConnectedNet::new(config, &mut random)?;
        let rule = Optimiser::Adam(Adam { learning_rate: 5e-4, ..Adam::default() });
        let engine = Thin::new(
            &net,
            rule,
            EngineConfig { kind, threads, masks: MaskSource::Counter(231), isa: None },
        )?;
        Ok(Self { engine, x, y, batch: case.batch, random, loss: f64::NAN })
    }

    /// Milliseconds of so many steps.
    fn steps(&mut self, count: usize) -> Result<Vec<f64>, Failure> {
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
}

/// About how many bytes a network with Adam's state, its data and a batch take; a float, so that no size is too large.
fn memory_of<F>(config: &NetConfig, batch: usize) -> f64 {
    let shapes = config.layer_shapes();
    let parameters: f64 =
        shapes.iter().map(|&(inputs, outputs)| (inputs as f64 + 1.0) * outputs as f64).sum();
    let units: f64 = shapes.iter().map(|&(_, outputs)| outputs as f64).sum();
    let samples =
        IMAGES as f64 * config.input_dim as f64 + batch as f64 * (config.input_dim as f64 + 8.0 * units);
    size_of::<F>() as f64 * (6.0 * parameters + 2.0 * samples)
}

/// A well-mixed number for each index (the end of `MurmurHash3`): data that are the same in every program and language.
#[allow(clippy::cast_possible_truncation)] // the low 32 bits of the index are hashed
fn hash(index: usize) -> u32 {
    let mut h = index as u32;
    for (shift, factor) in [(16, 0x85eb_ca6b), (13, 0xc2b2_ae35)] {
        h = (h ^ h >> shift).wrapping_mul(factor);
    }
    h ^ h >> 16
}

/// All figures of a run whose sorted step times are `times`.
fn report<F: Float>(
    trainer: &Trainer<F>,
    case: &Case,
    kind: EngineKind,
    threads: usize,
    times: &[f64],
    before: StepTimes,
) -> Report {
    let after = trainer.engine.times();
    let spent = |part: fn(&StepTimes) -> Duration| part(&after).saturating_sub(part(&before)).as_secs_f64();
    let seconds = times.iter().sum::<f64>() / 1e3;
    let share = |part| spent(part) / seconds;
    let median = times[times.len() / 2];
    let flops = 2.0 * (after.multiply_adds - before.multiply_adds) as f64 / times.len() as f64;
    // Weights and state are read and written once by the update; the forward pass reads the weights once more.
    let bytes = 2.0 * trainer.engine.parameter_bytes() as f64 + trainer.engine.parameter_bytes() as f64 / 3.0;
    let isa = trainer.engine.isa();
    Report {
        step_ms: Spread { median, min: times[0], max: times[times.len() - 1] },
        engine: kind.name(),
        threads,
        kernels: isa.name(),
        dtype: F::DTYPE.to_string(),
        net: case.net.clone(),
        batch_size: case.batch,
        keep: case.keep,
        steps: times.len(),
        share: Share {
            gather: share(|times| times.gather),
            masks: share(|times| times.masks),
            forward: share(|times| times.forward),
            loss: share(|times| times.loss),
            backward_and_update: share(|times| times.backward),
        },
        gflops: flops / median / 1e6,
        peak_gflops: peak::<F>(isa, threads),
        gbytes_per_second: bytes / median / 1e6,
        sweep_gbytes_per_second: sweep_speed(threads, trainer.engine.parameter_bytes()),
    }
}

/// The machine's rate of multiply-adds with so many threads, in GFLOP/s: the best of several tries.
fn peak<F: Float>(isa: Isa, threads: usize) -> f64 {
    const ROUNDS: usize = 300_000;
    best_of(&mut vec![(); threads], |()| multiply_adds::<F>(isa, ROUNDS) as f64)
}

/// How fast `bytes` of memory, parted among the threads, are read and written in turn, in GB/s: the best of several
/// tries. Whether they fit a cache decides, so it is asked of as many as a step goes over.
fn sweep_speed(threads: usize, bytes: usize) -> f64 {
    const SWEEPS: usize = 8;
    let floats = bytes / size_of::<f32>() / threads;
    best_of(&mut vec![vec![1.0f32; floats]; threads], |memory| {
        for _ in 0..SWEEPS {
            for value in memory.iter_mut() {
                *value *= 1.000_1;
            }
            std::hint::black_box(&mut *memory);
        }
        (SWEEPS * 2 * size_of_val(memory.as_slice())) as f64
    })
}

/// The work of all threads, each with what is its own, divided by the time, in units of 1e9 a second.
fn best_of<T: Send>(own: &mut [T], work: impl Fn(&mut T) -> f64 + Sync) -> f64 {
    let mut best = 0.0f64;
    for _ in 0..5 {
        let start = Instant::now();
        let done: f64 = std::thread::scope(|scope| {
            let handles: Vec<_> = own.iter_mut().map(|own| scope.spawn(|| work(own))).collect();
            handles.into_iter().filter_map(|handle| handle.join().ok()).sum()
        });
        best = best.max(done / start.elapsed().as_secs_f64() / 1e9);
    }
    best
}

/// The report for a person.
fn lines(report: &Report) -> Vec<String> {
    let percent = |share: f64| format!("{:.0}%", 100.0 * share);
    let share = &report.share;
    vec![
        format!(
            "net {}, batch {}, keep {}, {}, Adam: {} steps, engine {}, {} threads, {} kernels",
            joined(&report.net, "-"),
            report.batch_size,
            report.keep,
            report.dtype,
            report.steps,
            report.engine,
            report.threads,
            report.kernels
        ),
        format!(
            "step   {:.3} ms median, {:.3} least, {:.3} most",
            report.step_ms.median, report.step_ms.min, report.step_ms.max
        ),
        format!(
            "parts  gather {}, masks {}, forward {}, loss {}, backward and update {}",
            percent(share.gather),
            percent(share.masks),
            percent(share.forward),
            percent(share.loss),
            percent(share.backward_and_update)
        ),
        format!(
            "rate   {:.0} GFLOP/s computed (nothing that is dropped counts) of a peak of {:.0}",
            report.gflops, report.peak_gflops
        ),
        format!(
            "memory {:.0} GB/s of parameters and state, where sweeping over as much reaches {:.0}",
            report.gbytes_per_second, report.sweep_gbytes_per_second
        ),
    ]
}

/// A request of a driver that measures several programs in turn.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Request {
    Steps { steps: usize },
    Case(Case),
}

/// Answers requests, one JSON object a line, until standard input ends: a case is made ready and answered with
/// `{"ready": true}`; `{"steps": n}` is answered with `{"ms": [...], "loss": x}`.
fn serve<F: Float>(kind: EngineKind, threads: usize, output: &Output) -> Result<(), Failure> {
    let mut trainer: Option<Trainer<F>> = None;
    for line in stdin().lock().lines() {
        let line = line.map_err(|reason| Failure::Refused(format!("cannot read a request: {reason}")))?;
        if line.trim().is_empty() {
            continue;
        }
        let request = serde_json::from_str(&line)
            .map_err(|reason| Failure::Refused(format!("{line:?} is not a request: {reason}")))?;
        let answer = match (request, &mut trainer) {
            (Request::Case(case), trainer) => {
                *trainer = Some(Trainer::new(&case, kind, threads)?);
                serde_json::json!({"ready": true})
            }
            (Request::Steps { steps }, Some(trainer)) => {
                let ms = trainer.steps(steps)?;
                serde_json::json!({"ms": ms, "loss": trainer.loss})
            }
            (Request::Steps { .. }, None) => {
                return Err(Failure::Refused("steps were asked for before a net was described".to_owned()));
            }
        };
        output.line(&answer.to_string())?;
    }
    Ok(())
}
