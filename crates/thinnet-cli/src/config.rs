//! Converts parsed arguments to an experiment that can run.

use std::path::PathBuf;

use thinnet::Error;
use thinnet::data::Rows;
use thinnet::engine::cores;
use thinnet::float::{Dtype, Float};
use thinnet::text::joined;
use thinnet::training::experiment::Settings;
use thinnet::training::seeds::seeds;
use thinnet::training::{DataConfig, TrainingData};

use crate::args::ExperimentArguments;
use crate::args::source::SourceArguments;
use crate::failure::Failure;
use crate::hints::option_of;
use crate::output::Output;
use crate::{folder, memory};

/// Training samples by default: the course's 500.
const NUM_TRAIN: usize = 500;

/// An experiment whose settings are in range, and whose report can be written.
#[derive(Debug)]
pub(crate) struct Config {
    /// The settings of the experiment.
    pub(crate) settings: Settings,
    /// The number of seeds, if there are several.
    pub(crate) seeds: Option<usize>,
    /// The report's folder.
    pub(crate) out: PathBuf,
    data: SourceArguments,
    num_train: Option<usize>,
}

impl Config {
    /// Checks everything that can be checked before samples are read.
    pub(crate) fn new(arguments: ExperimentArguments) -> Result<Self, Failure> {
        if arguments.data.read.regression {
            return Err(Failure::Refused(
                "--regression reads numbers as targets, but `thinnet experiment` learns classes; it is for `thinnet data info` \
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
            update_rule: arguments.update_rule.parse()?,
            learning_rate: arguments.learning_rate,
            reg: arguments.reg,
            seed: arguments.seed,
            dtype: if compute.dtype == "f64" { Dtype::F64 } else { Dtype::F32 },
            engine: compute.engine.parse()?,
            ..Settings::course(String::new(), 1, compute.threads.unwrap_or_else(cores))
        };
        check(&settings, 1, 1)?; // a sample has at least one number
        if let Some(count) = arguments.seeds {
            seeds(settings.seed, count).map_err(named)?;
        }
        folder::check_for_report(&arguments.out)?;
        Ok(Self {
            settings,
            seeds: arguments.seeds,
            out: arguments.out,
            data: arguments.data,
            num_train: arguments.train,
        })
    }

    /// Reads the samples, and sets and checks everything that depends on them.
    pub(crate) fn load<F: Float>(&self, output: &Output) -> Result<(Settings, TrainingData<F>), Failure> {
        let source = self.data.read()?;
        let set = &source.set;
        output.notes_of(set);
        let settings = Settings {
            data: source.description,
            classes: set.names().to_vec(),
            num_train: self.num_train.unwrap_or(NUM_TRAIN.min(set.train().len())),
            num_val: set.val().map_or(0, Rows::len),
            ..self.settings.clone()
        };
        check(&settings, set.input_dim(), self.seeds.unwrap_or(1).min(settings.threads))?;
        let data = DataConfig {
            path: self.data.data.display().to_string(),
            train: Some(settings.num_train),
            scaling: Some(source.scaling),
            ..DataConfig::default()
        };
        Ok((settings, TrainingData::scaled(set, data)?))
    }
}

/// Refuses settings that are out of range, or that do not fit in memory `times` times with samples of `input_dim`
/// numbers.
fn check(settings: &Settings, input_dim: usize, times: usize) -> Result<(), Failure> {
    settings.check(input_dim).map_err(named)?;
    memory::check(settings.memory(input_dim) * times as f64, || {
        let (units, batch_size) = (joined(&settings.hidden, ","), settings.batch_size);
        format!("--hidden {units}, --batch-size {batch_size} and --epochs {} together need", settings.epochs)
    })
}

/// The same error with the option that sets what is wrong.
fn named(error: Error) -> Failure {
    let Error::Configuration { setting: Some(setting), message } = &error else { return error.into() };
    Failure::Refused(format!("{} {message}", option_of(setting).unwrap_or(setting)))
}
