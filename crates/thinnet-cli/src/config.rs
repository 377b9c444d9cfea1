//! Arguments that were parsed become an experiment that can be run.

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::thread;

use thinnet::data::{Cifar10, Dataset};
use thinnet::experiment::Settings;
use thinnet::float::{Dtype, Float};

use crate::args::ExperimentArguments;
use crate::failure::Failure;
use crate::{folder, memory};

/// Numbers in an image: CIFAR-10's 3 x 32 x 32.
const INPUT_DIM: usize = 3 * 32 * 32;
/// Validation images of CIFAR-10 as the course splits it, in the sample and in a folder alike.
const NUM_VAL: usize = 1000;

/// An experiment whose settings are in range, whose report can be written, and that fits in memory.
#[derive(Debug)]
pub(crate) struct Config {
    /// What is run.
    pub(crate) settings: Settings,
    /// The report's folder.
    pub(crate) out: PathBuf,
    source: Source,
}

/// Where images come from.
#[derive(Debug)]
enum Source {
    Sample,
    Folder(PathBuf),
}

impl Config {
    /// Checks all that can be checked before images are read.
    pub(crate) fn new(arguments: ExperimentArguments) -> Result<Self, Failure> {
        let source = match arguments.data {
            data if data == Path::new("sample") => Source::Sample,
            folder => Source::Folder(folder),
        };
        let settings = Settings {
            data: match &source {
                Source::Sample => "embedded CIFAR-10 sample".to_owned(),
                Source::Folder(folder) => folder.display().to_string(),
            },
            num_train: arguments.train,
            num_val: NUM_VAL,
            keep: arguments.keep,
            hidden: arguments.hidden,
            epochs: arguments.epochs,
            batch_size: arguments.batch_size,
            update_rule: arguments.update_rule,
            learning_rate: arguments.learning_rate,
            reg: arguments.reg,
            seed: arguments.seed,
            dtype: if arguments.dtype == "f64" { Dtype::F64 } else { Dtype::F32 },
            threads: arguments.threads.unwrap_or_else(cores),
            engine: arguments.engine.parse()?,
        };
        settings.check(INPUT_DIM)?;
        let (need, have) = (settings.memory(INPUT_DIM), memory::available());
        if need > have {
            let units: Vec<String> = settings.hidden.iter().map(ToString::to_string).collect();
            return Err(Failure::Refused(format!(
                "--hidden {}, --batch-size {} and --epochs {} together need about {} of memory, and {} are available",
                units.join(","),
                settings.batch_size,
                settings.epochs,
                memory::show(need),
                memory::show(have),
            )));
        }
        folder::check("--out", &arguments.out)?;
        Ok(Self { settings, out: arguments.out, source })
    }

    /// Reads the images.
    pub(crate) fn load<F: Float>(&self) -> Result<Dataset<F>, Failure> {
        let images = match &self.source {
            Source::Sample => Cifar10::embedded_sample()?,
            Source::Folder(folder) if !folder.is_dir() => {
                return Err(Failure::Refused(format!(
                    "--data {}: there is no such folder; it takes `sample` or a folder with CIFAR-10's binary version",
                    folder.display()
                )));
            }
            Source::Folder(folder) => Cifar10::from_folder(folder, self.settings.num_train)?,
        };
        Ok(images.dataset(self.settings.num_train)?)
    }
}

/// Cores that this program may use.
pub(crate) fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get).min(Settings::MAX_THREADS)
}
