//! Times training steps of a network with units and inputs that died, for 5,000 steps: where gradients become exactly 0, Adam's moments
//! decay, and what decays must not end in denormal numbers, which some CPUs compute with slowly. After 500 steps half of the
//! inputs become constant, and a quarter of the units get a bias that no sample lifts above 0. Beside it runs the same
//! network with nothing dead.
//!
//! ```text
//! cargo run --release -p thinnet --example dead_time
//! ```
#![allow(clippy::print_stdout)] // it is a program

use std::time::Instant;

use ndarray::{Array2, s};
use thinnet::data::{Features, Targets};
use thinnet::engine::{Engine, EngineConfig, Thin};
use thinnet::net::{FullyConnectedNet, NetConfig};
use thinnet::optim::{Adam, Optimiser};
use thinnet::random::RandomState;

const SAMPLES: usize = 1000;
const BATCH: usize = 100;
const STEPS: usize = 500;
const TURNS: usize = 10;
const UNITS: usize = 512;

fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// What is smaller than the smallest normal number, of all that an optimiser keeps, and not 0.
fn denormal(engine: &Thin<f32>) -> thinnet::Result<usize> {
    let state = engine.state()?;
    Ok(state.optimiser.iter().flat_map(|own| &own.slots).flatten().filter(|x| x.is_subnormal()).count())
}

fn main() -> thinnet::Result<()> {
    let mut random = RandomState::new(231);
    let x: Array2<f64> = random.randn((SAMPLES, 784));
    #[allow(clippy::cast_possible_truncation)]
    let alive = x.mapv(|x| x as f32);
    let mut dead = alive.clone();
    dead.slice_mut(s![.., ..392]).fill(0.0);
    let (alive, dead) = (Features::from(alive), Features::from(dead));
    let y = random.choice(10, SAMPLES)?;
    let config = NetConfig { input_dim: 784, hidden: vec![UNITS], ..NetConfig::default() };
    let net = FullyConnectedNet::<f32>::new(config, &mut random)?;
    let new = || Thin::new(&net, Optimiser::Adam(Adam::default()), EngineConfig::course(1));
    let mut engines = [new()?, new()?];
    println!(
        "784-{UNITS}-10, batch {BATCH}, one thread; ms a step, the median of {STEPS}: nothing dead, half dead"
    );
    for turn in 0..TURNS {
        if turn == 1 {
            let mut state = engines[1].state()?;
            state.parameters.layers[0].b.slice_mut(s![..UNITS / 4]).fill(-1e6);
            engines[1].restore(&state)?;
        }
        let mut times = [Vec::new(), Vec::new()];
        for _ in 0..STEPS {
            let batch = random.choice(SAMPLES, BATCH)?;
            for (index, engine) in engines.iter_mut().enumerate() {
                let x = if index == 1 && turn > 0 { &dead } else { &alive };
                let start = Instant::now();
                engine.step(x, Targets::Classes(&y), batch.as_slice().into(), &mut random)?;
                times[index].push(start.elapsed().as_secs_f64() * 1e3);
            }
        }
        let [alive, dead] = times.map(middle);
        let denormal = denormal(&engines[1])?;
        println!("step {:4}: {alive:.3} {dead:.3}, {denormal} denormal numbers kept", (turn + 1) * STEPS);
    }
    Ok(())
}
