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
use std::time::Instant;

use etcetera::BaseStrategy;
use thinnet::data::{DataSet, Part, ReadOptions};
use thinnet::model::Model;
use thinnet::training::{Progress, Step, TrainingConfig};

const SETTINGS: &str = "
[data]
scaling = 'mean'
[model]
hidden = [512, 512]
keep = 0.75 # the probability to KEEP a unit
initialisation = 'normal'
weight_scale = 2e-3 # pixels go up to 255: small weights give sums of about 1 in the first layer
[optim]
learning_rate = 3e-4
schedule = 'decay'
decay = 0.8
[train]
epochs = 10
";

/// Prints a line an epoch.
struct Lines {
    start: Instant,
}

impl Progress for Lines {
    fn step(&mut self, step: &Step, _: u64) {
        let Some(epoch) = step.epoch else { return };
        let percent = |accuracy: Option<f64>| 100.0 * accuracy.unwrap_or_default();
        println!(
            "epoch {:2}: training accuracy {:.2}%, test accuracy {:.2}%, {:.2} s",
            epoch.epoch,
            percent(epoch.train.accuracy),
            percent(epoch.val.accuracy),
            self.start.elapsed().as_secs_f64()
        );
        self.start = Instant::now();
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
    // All training images train; what is checked after each epoch is the test images.
    let test = set.test().cloned().ok_or("the data set has no test samples")?;
    let set = set.with_part(Part::Val, test)?;
    let settings = TrainingConfig::from_toml(SETTINGS)?;
    Model::<f32>::fit_set(set, &settings, &mut Lines { start: Instant::now() })?;
    Ok(())
}
