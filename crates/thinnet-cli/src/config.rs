//! Arguments that were parsed become an experiment that can be run.

use std::num::NonZero;
use std::path::PathBuf;
use std::thread;

use thinnet::data::{Dataset, Split};
use thinnet::experiment::Settings;
use thinnet::float::{Dtype, Float};

use crate::args::ExperimentArguments;
use crate::args::source::SourceArguments;
use crate::failure::Failure;
use crate::{folder, memory};

/// Training samples that are used where nobody asks for more or less: the course's 500.
const NUM_TRAIN: usize = 500;

/// An experiment whose settings are in range, and whose report can be written.
#[derive(Debug)]
pub(crate) struct Config {
    /// What is run.
    pub(crate) settings: Settings,
    /// The report's folder.
    pub(crate) out: PathBuf,
    data: SourceArguments,
    num_train: Option<usize>,
}

impl Config {
    /// Checks all that can be checked before samples are read.
    pub(crate) fn new(arguments: ExperimentArguments) -> Result<Self, Failure> {
        if arguments.data.read.regression {
            return Err(Failure::Refused(
                "--regression reads numbers as targets, and `thinnet experiment` learns classes; it is for `thinnet data info` \
                 and `thinnet data convert`"
                    .to_owned(),
            ));
        }
        let compute = &arguments.compute;
        let settings = Settings {
            num_train: arguments.train.unwrap_or(NUM_TRAIN),
            keep: arguments.keep,
            hidden: arguments.hidden,
            epochs: arguments.epochs,
            batch_size: arguments.batch_size,
            update_rule: arguments.update_rule,
            learning_rate: arguments.learning_rate,
            reg: arguments.reg,
            seed: arguments.seed,
            dtype: if compute.dtype == "f64" { Dtype::F64 } else { Dtype::F32 },
            engine: compute.engine.parse()?,
            ..Settings::course(String::new(), 1, compute.threads.unwrap_or_else(cores))
        };
        check(&settings, 1)?; // a sample has one number at least
        folder::check_for_report(&arguments.out)?;
        Ok(Self { settings, out: arguments.out, data: arguments.data, num_train: arguments.train })
    }

    /// Reads the samples, and checks the settings that depend on them.
    pub(crate) fn load<F: Float>(&mut self) -> Result<Dataset<F>, Failure> {
        let source = self.data.read()?;
        let (set, settings) = (&source.set, &mut self.settings);
        settings.data.clone_from(&source.description);
        settings.classes.clone_from(&set.classes);
        settings.num_train = self.num_train.unwrap_or(NUM_TRAIN.min(set.train.len()));
        settings.num_val = set.val.as_ref().map_or(0, Split::len);
        check(settings, set.input_dim())?;
        Ok(set.scaled(settings.num_train, source.scaling)?)
    }
}

/// Refuses settings that are out of range, or that do not fit in memory with samples of `input_dim` numbers.
fn check(settings: &Settings, input_dim: usize) -> Result<(), Failure> {
    settings.check(input_dim)?;
    memory::check(settings.memory(input_dim), || {
        let units: Vec<String> = settings.hidden.iter().map(ToString::to_string).collect();
        let (batch_size, epochs) = (settings.batch_size, settings.epochs);
        format!("--hidden {}, --batch-size {batch_size} and --epochs {epochs} together need", units.join(","))
    })
}

/// Cores that this program may use.
pub(crate) fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get).min(Settings::MAX_THREADS)
}
