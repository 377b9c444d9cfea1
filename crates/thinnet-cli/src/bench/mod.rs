//! `thinnet bench`: how long a training step or a prediction takes on this machine, compared with the machine's peak.

mod machine;
mod serve;
mod trainer;

use std::time::Duration;

use serde::Serialize;
use thinnet::engine::{EngineKind, StepTimes, cores};
use thinnet::float::Float;
use thinnet::text::joined;

use self::machine::{peak, sweep_speed};
use self::trainer::{Case, Trainer};
use crate::args::BenchArguments;
use crate::failure::Failure;
use crate::output::Output;

/// Steps before the first that counts: they load weights and code into the caches.
const WARM_UP: usize = 5;
/// Steps with dropout, then as many without, in turns, so that both have the same conditions.
const TURN: usize = 20;

/// The output of `--json`.
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
    /// `None` if there is no dropout.
    without_dropout: Option<WithoutDropout>,
}

/// The same net without dropout, measured alternately with it.
#[derive(Debug, Serialize)]
struct WithoutDropout {
    step_ms: Spread,
    /// Its median time divided by that of the net with dropout.
    ratio: f64,
}

/// The output of `--predict --json`.
#[derive(Debug, Serialize)]
struct PredictionReport {
    call_ms: Spread,
    rows: usize,
    rows_per_second: f64,
    threads: usize,
    kernels: &'static str,
    dtype: String,
    net: Vec<usize>,
    calls: usize,
    gflops: f64,
    peak_gflops: f64,
}

/// Milliseconds per step.
#[derive(Debug, Serialize)]
struct Spread {
    median: f64,
    min: f64,
    max: f64,
}

impl Spread {
    /// The statistics of at least one time.
    fn of(mut times: Vec<f64>) -> Self {
        times.sort_by(f64::total_cmp);
        Self { median: times[times.len() / 2], min: times[0], max: times[times.len() - 1] }
    }

    /// The times as text, with as many digits as the median needs.
    fn text(&self) -> String {
        let digits = if self.median < 0.1 { 5 } else { 3 };
        let [median, min, max] = [self.median, self.min, self.max].map(|time| format!("{time:.digits$}"));
        format!("{median} ms median, {min} min, {max} max")
    }
}

/// The share of each part in the time of a step.
#[derive(Debug, Serialize)]
struct Share {
    gather: f64,
    masks: f64,
    forward: f64,
    loss: f64,
    backward_and_update: f64,
}

/// Measures, and prints the results.
pub(crate) fn run(arguments: &BenchArguments, output: &Output) -> Result<(), Failure> {
    let threads = arguments.compute.threads.unwrap_or_else(cores);
    let kind: EngineKind = arguments.compute.engine.parse()?;
    if arguments.steps == 0 {
        return Err(Failure::Refused("--steps must be at least 1, got 0".to_owned()));
    }
    if arguments.predict == Some(0) {
        return Err(Failure::Refused("--predict must be at least 1, got 0".to_owned()));
    }
    let mut net = vec![arguments.inputs];
    net.extend(&arguments.hidden);
    net.push(arguments.classes);
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
        return serve::serve::<F>(kind, threads, output);
    }
    let mut trainer = Trainer::<F>::new(&case, kind, threads, arguments.predict.unwrap_or(0))?;
    if let Some(rows) = arguments.predict {
        trainer.predictions(rows, WARM_UP)?;
        let times = trainer.predictions(rows, arguments.steps)?;
        let report = prediction_report(&trainer, case, rows, threads, times);
        return write(&report, prediction_lines, arguments.json, output);
    }
    let mut without = None;
    if case.keep < 1.0 {
        without = Some((trainer.without_dropout(&case, kind, threads)?, Vec::new()));
    }
    trainer.steps(WARM_UP)?;
    if let Some((without, _)) = &mut without {
        without.steps(WARM_UP)?;
    }
    let before = trainer.engine.times();
    let mut times = Vec::with_capacity(arguments.steps);
    while times.len() < arguments.steps {
        let count = TURN.min(arguments.steps - times.len());
        times.extend(trainer.steps(count)?);
        if let Some((without, others)) = &mut without {
            others.extend(without.steps(count)?);
        }
    }
    let mut report = report::<F>(&trainer, &case, kind, threads, times, before);
    report.without_dropout = without.map(|(_, times)| {
        let step_ms = Spread::of(times);
        WithoutDropout { ratio: step_ms.median / report.step_ms.median, step_ms }
    });
    write(&report, lines, arguments.json, output)
}

/// Prints a report as JSON or, with `lines`, as text.
fn write<R: Serialize>(
    report: &R,
    lines: impl Fn(&R) -> Vec<String>,
    json: bool,
    output: &Output,
) -> Result<(), Failure> {
    if json {
        return output.json(report);
    }
    lines(report).iter().try_for_each(|line| output.line(line))
}

/// All results of steps with these `times`, except those without dropout.
fn report<F: Float>(
    trainer: &Trainer<F>,
    case: &Case,
    kind: EngineKind,
    threads: usize,
    times: Vec<f64>,
    before: StepTimes,
) -> Report {
    let after = trainer.engine.times();
    let spent = |part: fn(&StepTimes) -> Duration| part(&after).saturating_sub(part(&before)).as_secs_f64();
    let (steps, seconds) = (times.len(), times.iter().sum::<f64>() / 1e3);
    let share = |part| spent(part) / seconds;
    let step_ms = Spread::of(times);
    let median = step_ms.median;
    let flops = 2.0 * (after.multiply_adds - before.multiply_adds) as f64 / steps as f64;
    // The update reads and writes weights and state once; the forward pass reads the weights once more.
    let bytes = 2.0 * trainer.engine.parameter_bytes() as f64 + trainer.engine.parameter_bytes() as f64 / 3.0;
    let isa = trainer.engine.isa();
    Report {
        step_ms,
        engine: kind.name(),
        threads,
        kernels: isa.name(),
        dtype: F::DTYPE.to_string(),
        net: case.net.clone(),
        batch_size: case.batch,
        keep: case.keep,
        steps,
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
        without_dropout: None,
    }
}

/// All results of predictions of `rows` samples with these `times`.
fn prediction_report<F: Float>(
    trainer: &Trainer<F>,
    case: Case,
    rows: usize,
    threads: usize,
    times: Vec<f64>,
) -> PredictionReport {
    let weights: usize = case.net.windows(2).map(|sizes| sizes[0] * sizes[1]).sum();
    let (calls, call_ms, isa) = (times.len(), Spread::of(times), trainer.engine.isa());
    PredictionReport {
        rows,
        rows_per_second: rows as f64 / call_ms.median * 1e3,
        threads,
        kernels: isa.name(),
        dtype: F::DTYPE.to_string(),
        net: case.net,
        calls,
        gflops: 2.0 * (weights * rows) as f64 / call_ms.median / 1e6,
        peak_gflops: peak::<F>(isa, threads),
        call_ms,
    }
}

/// The same as text.
fn prediction_lines(report: &PredictionReport) -> Vec<String> {
    vec![
        format!(
            "net {}, {} rows, {}: {} predictions, {} threads, {} kernels",
            joined(&report.net, "-"),
            report.rows,
            report.dtype,
            report.calls,
            report.threads,
            report.kernels
        ),
        format!("call   {}; {:.0} rows a second", report.call_ms.text(), report.rows_per_second),
        format!("rate   {:.1} GFLOP/s; the machine's peak is {:.0}", report.gflops, report.peak_gflops),
    ]
}

/// The report of steps as text.
fn lines(report: &Report) -> Vec<String> {
    let percent = |share: f64| format!("{:.0}%", 100.0 * share);
    let share = &report.share;
    let mut lines = vec![
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
        format!("step   {}", report.step_ms.text()),
        format!(
            "parts  gather {}, masks {}, forward {}, loss {}, backward and update {}",
            percent(share.gather),
            percent(share.masks),
            percent(share.forward),
            percent(share.loss),
            percent(share.backward_and_update)
        ),
        format!(
            "rate   {:.0} GFLOP/s without dropped units; the machine's peak is {:.0}",
            report.gflops, report.peak_gflops
        ),
        format!(
            "memory {:.0} GB/s of parameters and state; a plain pass over as much reaches {:.0}",
            report.gbytes_per_second, report.sweep_gbytes_per_second
        ),
    ];
    if let Some(without) = &report.without_dropout {
        lines.push(format!("no dropout: {}", without.step_ms.text()));
        lines.push(saving(report.keep, without.ratio));
    }
    lines
}

/// What dropout saves, if a step without it takes `ratio` times the time.
fn saving(keep: f64, ratio: f64) -> String {
    if ratio > 1.0 {
        format!(
            "keep {keep} saves {:.0}% of the step: it is {ratio:.2} times as fast",
            100.0 * (1.0 - 1.0 / ratio)
        )
    } else {
        format!("keep {keep} saves nothing here: the step takes {:.2} times as long", 1.0 / ratio)
    }
}
