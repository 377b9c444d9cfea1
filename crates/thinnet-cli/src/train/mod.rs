//! `thinnet train`: the library trains what the arguments ask for ([`request`]); the progress is shown ([`watch`],
//! [`screen`]).

mod curve;
mod panel;
pub(crate) mod request;
mod screen;
pub(crate) mod watch;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use thinnet::Error;
use thinnet::float::{Dtype, Float};
use thinnet::run::{self, RunFolder, Session, Summary};
use thinnet::training::TrainingConfig;

use crate::args::train::TrainArguments;
use crate::failure::Failure;
use crate::interrupt;
use crate::output::Output;
use request::Request;
use watch::View;

/// About how many times per run the weights are recorded for TensorBoard.
const PICTURES: usize = 10;

/// Trains the network that the arguments describe.
pub(crate) fn run(arguments: TrainArguments, output: &mut Output) -> Result<(), Failure> {
    if arguments.defaults {
        return output.text(&format!("{}\n", TrainingConfig::default().to_commented_toml()?.trim_end()));
    }
    let stop = interrupt::flag()?;
    let (every, keep) = (arguments.checkpoint_every, arguments.keep_checkpoints);
    let session = Session { every, every_epoch: Duration::ZERO, pictures: PICTURES, keep };
    let (quiet, json) = (arguments.quiet, arguments.json);
    let request = Request::new(arguments)?;
    let view: Box<dyn View> = match (quiet, json) {
        (true, _) => Box::new(watch::Quiet),
        (_, true) => Box::new(watch::Json),
        // The display has room for one network.
        _ if output.draws() && request.config.train.members == 1 => {
            Box::new(screen::Screen::new(Arc::clone(&stop)))
        }
        _ => Box::new(watch::Lines::default()),
    };
    let mut shown = watch::Shown::new(output, view, stop);
    let summary = match request.config.model.dtype {
        Dtype::F32 => train::<f32>(request, session, &mut shown)?,
        Dtype::F64 => train::<f64>(request, session, &mut shown)?,
    };
    shown.end(&summary)
}

fn train<F: Float>(
    request: Request,
    session: Session,
    shown: &mut watch::Shown<'_>,
) -> Result<Summary, Failure> {
    let mut prepared = request.prepare::<F>(shown)?;
    shown.notes = std::mem::take(&mut prepared.notes);
    let folder = prepared.folder.path().to_path_buf();
    run::train(&session, prepared, shown).map_err(|error| match shown.failure() {
        Some(failure) => failure,
        None => resumable(error, &folder, shown.progress()),
    })
}

/// The message for a run that was stopped or failed, with how to resume it.
fn resumable(error: Error, folder: &Path, (done, steps): (u64, u64)) -> Failure {
    let saved = |text: String| {
        if RunFolder::has_checkpoint(folder) {
            format!("{text}; earlier checkpoints are in {}", folder.join("checkpoints").display())
        } else {
            format!("{text}; there is no earlier checkpoint")
        }
    };
    match error.into() {
        Failure::Interrupted(_) => Failure::Interrupted(format!(
            "stopped after step {done} of {steps}; `thinnet train --resume {}` continues from there",
            folder.display()
        )),
        Failure::Refused(text) => Failure::Refused(saved(text)),
        Failure::Diverged(text) => Failure::Diverged(saved(text)),
        Failure::NobodyReads => Failure::NobodyReads,
    }
}
