//! What an export with fewer bits costs, measured on labelled samples.

use std::path::{Path, PathBuf};

use thinnet::Float;
use thinnet::export::{Weights, rounded};
use thinnet::model::{Evaluation, Model};
use thinnet::run::SAMPLE;

use super::evaluate::{evaluation, open, parts};
use crate::args::model::ExportArguments;
use crate::failure::Failure;
use crate::figures::{figure, part_name, percent, thousands};
use crate::output::Output;

/// How much worse a model may become, unless the user says otherwise.
const TOLERANCE: f64 = 0.01;

/// Compares the model with what it becomes, and says so. Refuses weights that cost more than the tolerance.
///
/// - `folded`: whether the file has batch normalisation in its weights
pub(super) fn check<F: Float>(
    model: &Model<F>,
    weights: Weights,
    folded: bool,
    arguments: &ExportArguments,
    output: &Output,
) -> Result<(), Failure> {
    let own = (model.config().data.path == SAMPLE).then(|| PathBuf::from(SAMPLE));
    let Some(data) = arguments.data.clone().or(own) else {
        if let Some(tolerance) = arguments.tolerance {
            return Err(Failure::Refused(format!(
                "--tolerance {tolerance}: there is nothing to measure it on; add --data with labelled samples"
            )));
        }
        output.note("what the weights cost was not measured; --data with labelled samples measures it");
        return Ok(());
    };
    let small = rounded(model, weights, folded)
        .map_err(|error| Failure::Refused(format!("{}: {error}", arguments.model.display())))?;
    let set = open(model, &data)?;
    output.notes_of(&set);
    let parts = parts(&set, &data, arguments.part.as_deref())?;
    let before = evaluation(model, &data, &set, &parts)?;
    let after = evaluation(&small, &data, &set, &parts)?;
    let what = match parts.as_slice() {
        [(part, _)] => format!("{} ", part_name(*part)),
        _ => String::new(),
    };
    let changes = changes(&before, &after);
    let samples = format!("{} {what}samples of {}", thousands(before.samples), data.display());
    for change in &changes {
        output.note(&format!("{} with {} weights ({samples})", change.text, weights.name()));
    }
    let tolerance = arguments.tolerance.unwrap_or(TOLERANCE);
    match changes.iter().find(|change| change.fall.is_nan() || change.fall > tolerance) {
        None => Ok(()),
        Some(change) => Err(refused(arguments, &data, change, weights, tolerance)),
    }
}

fn refused(
    arguments: &ExportArguments,
    data: &Path,
    change: &Change,
    weights: Weights,
    tolerance: f64,
) -> Failure {
    Failure::Refused(format!(
        "{}: {} with {} weights on {}, a fall of more than {tolerance}; nothing was written; --tolerance allows more",
        arguments.out.display(),
        change.text,
        weights.name(),
        data.display()
    ))
}

/// A figure before and after.
#[derive(Debug)]
struct Change {
    text: String,
    /// How much worse it is.
    fall: f64,
}

/// Accuracy; or R squared and RMSE of each target. Without an R squared, RMSE counts by its share.
fn changes(before: &Evaluation, after: &Evaluation) -> Vec<Change> {
    let accuracy = before.accuracy.zip(after.accuracy).map(|(before, after)| Change {
        text: format!("accuracy {} instead of {}", percent(after), percent(before)),
        fall: before - after,
    });
    let targets = before.targets.iter().zip(&after.targets).map(|(before, after)| {
        let rmse =
            format!("RMSE of {} {} instead of {}", before.name, figure(after.rmse), figure(before.rmse));
        match before.r2.zip(after.r2) {
            Some((was, is)) => Change {
                text: format!("R squared of {} {is:.4} instead of {was:.4}, {rmse}", before.name),
                fall: was - is,
            },
            None => {
                Change { text: rmse, fall: (after.rmse - before.rmse) / before.rmse.max(f64::MIN_POSITIVE) }
            }
        }
    });
    accuracy.into_iter().chain(targets).collect()
}
