//! `thinnet train`: what is asked for ([`request`]) is trained ([`session`]) and shown ([`watch`], [`screen`]).

mod curve;
mod panel;
pub(crate) mod request;
mod saver;
mod screen;
pub(crate) mod session;
pub(crate) mod watch;

use std::sync::Arc;
use std::time::Duration;

use thinnet::float::{Dtype, Float};
use thinnet::training::TrainingConfig;

use crate::args::train::TrainArguments;
use crate::failure::Failure;
use crate::interrupt;
use crate::output::Output;
use request::Request;
use session::{Session, Summary};
use watch::Watch;

/// About how often in a run TensorBoard is given the weights.
const PICTURES: usize = 10;

/// Trains the network that the arguments ask for.
pub(crate) fn run(arguments: TrainArguments, output: &mut Output) -> Result<(), Failure> {
    if arguments.defaults {
        return output.line(TrainingConfig::default().to_commented_toml()?.trim_end());
    }
    let stop = interrupt::flag()?;
    let (every, keep) = (arguments.checkpoint_every, arguments.keep_checkpoints);
    let mut watch: Box<dyn Watch + '_> = match (arguments.quiet, arguments.json) {
        (true, _) => Box::new(watch::Quiet::new(output)),
        (_, true) => Box::new(watch::Json::new(output)),
        _ if output.draws() => Box::new(screen::Screen::new(output, Arc::clone(&stop))),
        _ => Box::new(watch::Lines::new(output)),
    };
    let request = Request::new(arguments)?;
    let session = Session { every, every_epoch: Duration::ZERO, pictures: PICTURES, keep, stop };
    let summary = match request.config.model.dtype {
        Dtype::F32 => train::<f32>(request, &session, watch.as_mut())?,
        Dtype::F64 => train::<f64>(request, &session, watch.as_mut())?,
    };
    watch.end(&summary)
}

fn train<F: Float>(request: Request, session: &Session, watch: &mut dyn Watch) -> Result<Summary, Failure> {
    session.train(request.prepare::<F>()?, watch)
}
