//! Trains 784-512-512-10 with dropout on MNIST, and prints the accuracy on the 10,000 test images after each epoch.
//!
//! ```text
//! cargo run --release -p thinnet --example mnist [-- PATH]
//! ```
//!
//! `PATH` is a folder with MNIST's files, or any other data set with test samples; by default the folder that `thinnet data
//! fetch mnist` makes. The test images are looked at and no more: no weights are chosen by them.
#![allow(clippy::print_stdout)] // it is a program

use std::env;
use std::path::PathBuf;
use std::thread;
use std::time::Instant;

use etcetera::BaseStrategy;
use thinnet::data::{DataSet, ReadOptions, Scaling};
use thinnet::engine::{self, EngineConfig, MaskSource};
use thinnet::layers::{Dropout, HiddenDropout};
use thinnet::net::{FullyConnectedNet, NetConfig};
use thinnet::optim::{Adam, Optimiser};
use thinnet::random::RandomState;
use thinnet::solver::{self, Event, Progress, SolverConfig};

/// Probability to keep a hidden unit.
const KEEP: f64 = 0.75;
const EPOCHS: usize = 10;
const LEARNING_RATE: f64 = 3e-4;
/// Pixels go up to 255: the first weights are small, for sums of about 1 in the first layer.
const WEIGHT_SCALE: f64 = 2e-3;
/// What is done to pixels.
const SCALING: Scaling = Scaling::Mean;
/// Factor on the learning rate after each epoch.
const DECAY: f64 = 0.8;

/// Prints a line an epoch.
struct Lines {
    start: Instant,
}

impl Progress for Lines {
    fn event(&mut self, event: Event) {
        // The first check comes after one iteration, before any epoch is over.
        if let Event::Epoch { epoch: epoch @ 1.., epochs, train_accuracy, val_accuracy } = event {
            let seconds = self.start.elapsed().as_secs_f64();
            println!(
                "epoch {epoch:2} of {epochs}: training accuracy {:.2}%, test accuracy {:.2}%, {seconds:.2} s",
                100.0 * train_accuracy,
                100.0 * val_accuracy
            );
            self.start = Instant::now();
        }
    }
}

/// The folder that `thinnet data fetch mnist` makes.
fn default_path() -> Result<PathBuf, Box<dyn std::error::Error>> {
    let datasets = match env::var_os("THINNET_DATASETS") {
        Some(folder) => PathBuf::from(folder),
        None => etcetera::base_strategy::choose_native_strategy()?.cache_dir().join("thinnet/datasets"),
    };
    Ok(datasets.join("mnist"))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = env::args_os().nth(1).map_or_else(default_path, |path| Ok(PathBuf::from(path)))?;
    let set = DataSet::open(&path, &ReadOptions::default())?;
    let test = set.test.clone().ok_or("the data set has no test samples")?;
    // All training images train; what the solver checks after each epoch is the test images.
    let set = DataSet { val: Some(test), test: None, ..set };
    let data = set.scaled::<f32>(set.train.len(), SCALING)?;

    let mut random = RandomState::new(231);
    let config = NetConfig {
        input_dim: set.input_dim(),
        hidden: vec![512, 512],
        num_classes: set.classes.len(),
        dropout: HiddenDropout::Every(Dropout::new(KEEP, None)?),
        weight_scale: WEIGHT_SCALE,
        ..NetConfig::default()
    };
    let net = FullyConnectedNet::new(config, &mut random)?;
    let threads = thread::available_parallelism()?.get();
    let masks = EngineConfig { masks: MaskSource::Counter(231), ..EngineConfig::course(threads) };
    let mut engine = engine::build(net, Optimiser::Adam(Adam::default()), masks)?;
    let solver = SolverConfig {
        num_epochs: EPOCHS,
        learning_rate: LEARNING_RATE,
        lr_decay: DECAY,
        ..SolverConfig::default()
    };
    let mut lines = Lines { start: Instant::now() };
    solver::train(engine.as_mut(), &data, &solver, &mut random, &mut lines)?;
    Ok(())
}
