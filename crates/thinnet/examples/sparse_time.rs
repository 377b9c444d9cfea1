//! Times a training step on MNIST, 784-512-10 with batches of 200, with its images as floats and as sparse rows, in turns.
//!
//! ```text
//! cargo run --release -p thinnet --example sparse_time [-- PATH]
//! ```
//!
//! `PATH` is a folder with MNIST's files. Four of five pixels are 0: what is left out is most of the first layer's work.
#![allow(clippy::print_stdout)] // it is a program

use std::env;
use std::path::PathBuf;
use std::time::Instant;

use etcetera::BaseStrategy;
use ndarray::Array2;
use thinnet::data::{DataSet, Features, ReadOptions, SparseRows, Targets};
use thinnet::engine::{self, Engine, EngineConfig, MaskSource};
use thinnet::layers::Dropout;
use thinnet::net::{FullyConnectedNet, NetConfig};
use thinnet::optim::{Adam, Optimiser};
use thinnet::random::RandomState;

const BATCH: usize = 200;
const STEPS: usize = 30;
const ROUNDS: usize = 15;
const THREADS: usize = 2;

/// Milliseconds of a step, the middle of `STEPS`.
fn turn(
    engine: &mut dyn Engine<f32>,
    x: &Features<f32>,
    y: &[usize],
    random: &mut RandomState,
) -> thinnet::Result<f64> {
    let mut times = Vec::with_capacity(STEPS);
    for _ in 0..STEPS {
        let batch = random.choice(y.len(), BATCH)?;
        let start = Instant::now();
        engine.step(x, Targets::Classes(y), batch.as_slice().into(), random)?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    Ok(middle(times))
}

fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let default = || -> Result<PathBuf, etcetera::HomeDirError> {
        Ok(etcetera::base_strategy::choose_native_strategy()?.cache_dir().join("thinnet/datasets/mnist"))
    };
    let path = env::args_os().nth(1).map_or_else(default, |path| Ok(PathBuf::from(path)))?;
    let set = DataSet::open(&path, &ReadOptions::default())?;
    #[allow(clippy::cast_possible_truncation, reason = "pixels")]
    let floats: Array2<f32> = set.train().x().to_floats()?.mapv(|x| x as f32) / 255.0;
    let sparse = SparseRows::from_dense(floats.view());
    let share = floats.iter().filter(|&&x| x != 0.0).count() as f64 / floats.len() as f64;
    println!("{} images, {:.1}% of their pixels not 0", floats.nrows(), 100.0 * share);
    let (dense, sparse) = (Features::from(floats), Features::from(sparse));
    for keep in [1.0, 0.5, 0.25] {
        let mut random = RandomState::new(231);
        let dropout = (keep < 1.0).then(|| Dropout::new(keep, None)).transpose()?;
        let config = NetConfig {
            input_dim: dense.dim().1,
            hidden: vec![512],
            dropout: dropout.into(),
            ..NetConfig::default()
        };
        let net = FullyConnectedNet::<f32>::new(config, &mut random)?;
        let settings = EngineConfig { masks: MaskSource::Counter(231), ..EngineConfig::course(THREADS) };
        let rule = Optimiser::Adam(Adam::default());
        let mut engines = [
            (engine::build(net.clone(), rule, settings)?, &dense, Vec::new()),
            (engine::build(net, rule, settings)?, &sparse, Vec::new()),
        ];
        for _ in 0..ROUNDS {
            for (engine, x, times) in &mut engines {
                times.push(turn(engine.as_mut(), x, set.train().labels(), &mut random)?);
            }
        }
        let [(_, _, dense), (_, _, sparse)] = &engines;
        let ratio = middle(dense.iter().zip(sparse).map(|(dense, sparse)| dense / sparse).collect());
        println!(
            "keep {keep}: dense {:.2} ms, sparse {:.2} ms, {ratio:.2} times as fast",
            middle(dense.clone()),
            middle(sparse.clone())
        );
    }
    Ok(())
}
