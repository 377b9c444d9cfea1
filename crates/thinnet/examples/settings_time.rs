//! Times what comes to a training step besides its gradients: asking whether all parameters are finite, an L1 term, and
//! clipped gradients; networks of two shapes, batches of 100, keep 0.5, Adam, in turns. Beside the middle stands the least, which
//! other programs disturb less. Then a step with DropConnect, on both engines.
//!
//! ```text
//! cargo run --release -p thinnet --example settings_time
//! ```
#![allow(clippy::print_stdout)] // it is a program

use std::time::Instant;

use ndarray::Array2;
use thinnet::data::{Features, Targets};
use thinnet::engine::{Engine, EngineConfig, Layers, MaskSource, Thin};
use thinnet::layers::{Dropout, DropoutKind, HiddenDropout, Normalisation};
use thinnet::net::{FullyConnectedNet, NetConfig};
use thinnet::optim::{Adam, Clipping, Optimiser};
use thinnet::random::RandomState;

const SAMPLES: usize = 1000;
const BATCH: usize = 100;
const STEPS: usize = 20;
const ROUNDS: usize = 15;
const THREADS: usize = 2;

fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn least(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

/// Milliseconds since.
fn since(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e3
}

fn main() -> thinnet::Result<()> {
    for (input_dim, hidden) in [(784, vec![1024, 1024]), (3072, vec![500])] {
        let mut random = RandomState::new(231);
        let x: Array2<f64> = random.randn((SAMPLES, input_dim));
        #[allow(clippy::cast_possible_truncation)]
        let x = Features::from(x.mapv(|x| x as f32));
        let y = random.choice(10, SAMPLES)?;
        println!("{input_dim}-{hidden:?}-10, {THREADS} threads; {ROUNDS} turns of {STEPS} steps, ms");
        let dropout = Some(Dropout::new(0.5, None)?).into();
        let plain = NetConfig { input_dim, hidden, dropout, ..NetConfig::default() };
        let clipped = |clipping| NetConfig { clipping: Some(clipping), ..plain.clone() };
        let normalised = |normalisation| NetConfig { normalisation, ..plain.clone() };
        let cases = [
            ("plain", plain.clone()),
            ("L2", NetConfig { reg: 1e-5, ..plain.clone() }),
            ("L1", NetConfig { l1: 1e-5, ..plain.clone() }),
            ("clipped by value", clipped(Clipping::Value(1e-3))),
            ("clipped by norm", clipped(Clipping::Norm(1e-1))),
            ("batch normalisation", normalised(Normalisation::Batch)),
            ("layer normalisation", normalised(Normalisation::Layer)),
        ];
        let mut engines = Vec::new();
        for (name, config) in cases {
            let net = FullyConnectedNet::<f32>::new(config, &mut random)?;
            let settings = EngineConfig { masks: MaskSource::Counter(231), ..EngineConfig::course(THREADS) };
            engines.push((name, Thin::new(&net, Optimiser::Adam(Adam::default()), settings)?, Vec::new()));
        }
        let mut checks = Vec::new();
        for round in 0..ROUNDS {
            for (index, (_, engine, times)) in engines.iter_mut().enumerate() {
                let (mut turn, mut checked) = (Vec::new(), Vec::new());
                for _ in 0..STEPS {
                    let batch = random.choice(SAMPLES, BATCH)?;
                    let start = Instant::now();
                    engine.step(&x, Targets::Classes(&y), batch.as_slice().into(), &mut random)?;
                    turn.push(since(start));
                    if index == 0 && round % 2 == 1 {
                        let start = Instant::now();
                        assert_eq!(engine.first_not_finite(), None);
                        checked.push(since(start));
                    }
                }
                times.extend(turn);
                checks.extend(checked);
            }
        }
        let (base, base_least) = (middle(engines[0].2.clone()), least(&engines[0].2));
        for (name, _, times) in &engines {
            let (own, own_least) = (middle(times.clone()), least(times));
            let (ratio, ratio_least) = (own / base, own_least / base_least);
            println!("  {name}: {own:.3}, least {own_least:.3}; {ratio:.3} and {ratio_least:.3} of plain");
        }
        let (check, check_least) = (middle(checks.clone()), least(&checks));
        let (share, share_least) = (100.0 * check / base, 100.0 * check_least / base_least);
        println!("  finite? {check:.3}, least {check_least:.3}; {share:.1}% and {share_least:.1}% of a step");
    }
    drop_connect()
}

/// Times steps of 3072-500-10 with DropConnect: with a keep probability of few binary digits, and of many, from both streams.
fn drop_connect() -> thinnet::Result<()> {
    let mut random = RandomState::new(231);
    let x: Array2<f64> = random.randn((SAMPLES, 3072));
    #[allow(clippy::cast_possible_truncation)]
    let x = Features::from(x.mapv(|x| x as f32));
    let y = random.choice(10, SAMPLES)?;
    println!("DropConnect, 3072-500-10; ms, least");
    for (keep, masks) in
        [(0.5, MaskSource::Counter(231)), (0.8, MaskSource::Counter(231)), (0.5, MaskSource::Numpy)]
    {
        let dropout = HiddenDropout::Every(Dropout::new(keep, None)?);
        let dropout_kind = DropoutKind::DropConnect;
        let config = NetConfig { hidden: vec![500], dropout, dropout_kind, ..NetConfig::default() };
        let net = FullyConnectedNet::<f32>::new(config, &mut random)?;
        let rule = Optimiser::Adam(Adam::default());
        let mut step = |engine: &mut dyn Engine<f32>, steps: usize| -> thinnet::Result<f64> {
            let mut times = Vec::new();
            for _ in 0..steps {
                let batch = random.choice(SAMPLES, BATCH)?;
                let start = Instant::now();
                engine.step(&x, Targets::Classes(&y), batch.as_slice().into(), &mut random)?;
                times.push(since(start));
            }
            Ok(least(&times))
        };
        println!("  keep {keep}, {masks:?}");
        println!("    layers: {:.1}", step(&mut Layers::new(net.clone(), rule)?.with_masks(masks), 2)?);
        for threads in [1, THREADS] {
            let mut engine = Thin::new(&net, rule, EngineConfig { masks, ..EngineConfig::course(threads) })?;
            print!("    kernels, {threads} threads: {:.2}", step(&mut engine, ROUNDS * STEPS / 5)?);
            let times = engine.times();
            let all = times.gather + times.masks + times.forward + times.loss + times.backward;
            let of = |part: std::time::Duration| 100.0 * part.as_secs_f64() / all.as_secs_f64();
            let (masks, forward, backward) = (of(times.masks), of(times.forward), of(times.backward));
            println!("; masks {masks:.0}%, forward {forward:.0}%, backward {backward:.0}%");
        }
    }
    Ok(())
}
