//! Times training steps of small and table-sized networks on one thread, with and without dropout, by each kind of engine, in
//! turns; the least of many tries, which other programs disturb least.
//!
//! ```text
//! cargo run --release -p thinnet --example small_time [THREADS]
//! ```
#![allow(clippy::print_stdout)] // it is a program

use std::time::Instant;

use ndarray::Array2;
use thinnet::data::{Features, Targets};
use thinnet::engine::{Engine, EngineConfig, EngineKind, MaskSource, Thin};
use thinnet::layers::Dropout;
use thinnet::net::{FullyConnectedNet, NetConfig};
use thinnet::optim::{Adam, Optimiser};
use thinnet::random::RandomState;

const SAMPLES: usize = 1000;
const ROUNDS: usize = 15;

fn main() -> thinnet::Result<()> {
    let threads = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(1);
    let nets: [(usize, &[usize], usize); 10] = [
        (13, &[50], 32),
        (20, &[64, 64], 32),
        (50, &[256, 256], 200),
        (784, &[512], 200),
        (256, &[256], 100),
        (512, &[512], 100),
        (1024, &[512], 100),
        (1024, &[1024], 100),
        (3072, &[500], 100),
        (3072, &[500, 500, 500, 500], 100),
    ];
    println!("us a step, {threads} threads: thin, dense, auto at keep 0.25, 0.5, 0.75, 1");
    for (input_dim, hidden, batch) in nets {
        let mut random = RandomState::new(231);
        let x: Array2<f64> = random.randn((SAMPLES, input_dim));
        #[allow(clippy::cast_possible_truncation)]
        let x = Features::from(x.mapv(|x| x as f32));
        let y = random.choice(5, SAMPLES)?;
        print!("{input_dim}-{hidden:?}-5, batch {batch}:");
        for keep in [0.25, 0.5, 0.75, 1.0] {
            let dropout = if keep < 1.0 { Some(Dropout::new(keep, None)?) } else { None };
            let config = NetConfig {
                input_dim,
                hidden: hidden.to_vec(),
                num_outputs: 5,
                dropout: dropout.into(),
                ..NetConfig::default()
            };
            let net = FullyConnectedNet::<f32>::new(config, &mut random)?;
            let mut engines = Vec::new();
            for kind in [EngineKind::Thin, EngineKind::Dense, EngineKind::Auto] {
                let masks = MaskSource::Counter(231);
                let settings = EngineConfig { kind, masks, ..EngineConfig::course(threads) };
                engines.push((Thin::new(&net, Optimiser::Adam(Adam::default()), settings)?, f64::INFINITY));
            }
            let steps = (20_000_000 / (input_dim * hidden[0] * batch)).clamp(3, 200);
            for _ in 0..ROUNDS {
                for (engine, least) in &mut engines {
                    let batch = random.choice(SAMPLES, batch)?;
                    let start = Instant::now();
                    for _ in 0..steps {
                        engine.step(&x, Targets::Classes(&y), batch.as_slice().into(), &mut random)?;
                    }
                    *least = least.min(start.elapsed().as_secs_f64() * 1e6 / steps as f64);
                }
            }
            let least = engines.iter().map(|(_, least)| format!("{least:.1}"));
            print!("  {}", least.collect::<Vec<_>>().join(" "));
        }
        println!();
    }
    Ok(())
}
