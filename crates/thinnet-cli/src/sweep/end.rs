//! The end of a sweep or a merge: results, where the report is, and what is left.

use thinnet::sweep::{Outcome, SweepFolder, Table};

use super::show;
use crate::failure::Failure;
use crate::output::Output;
use crate::results;

/// How many runs have ended, and how many there are: of the shard, if this process trains one.
pub(super) fn progress(folder: &SweepFolder, outcomes: &[Option<Outcome>]) -> (usize, usize) {
    let own = own(folder, outcomes);
    (own.iter().flatten().count(), own.len())
}

/// Shows the results, and says why if there are none or not all.
///
/// - `left`: why some runs have not ended
pub(super) fn end(
    folder: &SweepFolder,
    outcomes: &[Option<Outcome>],
    left: Option<Failure>,
    (quiet, json): (bool, bool),
    output: &Output,
) -> Result<(), Failure> {
    let table = Table::new(folder.plan(), outcomes);
    if json {
        output.json(&show::end(folder, &table))?;
    } else if table.counts().0 > 0 {
        results::lines(&table, "sweep.csv", output.width()).iter().try_for_each(|line| output.line(line))?;
    }
    left.map_or(Ok(()), Err)?;
    let own = own(folder, outcomes);
    let reasons: Vec<&str> = own
        .iter()
        .filter_map(|outcome| match outcome {
            Some(Outcome::Failed { reason, .. }) => Some(reason.as_str()),
            _ => None,
        })
        .collect();
    if let Some(first) = reasons.first().filter(|_| reasons.len() == own.len()) {
        let all = own.len();
        return Err(Failure::Refused(format!("all {all} runs failed, the first because {first}")));
    }
    if !quiet && !json {
        let path = folder.path();
        output.note(&format!("report in {}: open {}", path.display(), path.join("report.html").display()));
    }
    Ok(())
}

/// How the runs of this process ended.
fn own<'a>(folder: &SweepFolder, outcomes: &'a [Option<Outcome>]) -> Vec<Option<&'a Outcome>> {
    let own = outcomes.iter().enumerate().filter(|(run, _)| folder.has(*run));
    own.map(|(_, outcome)| outcome.as_ref()).collect()
}
