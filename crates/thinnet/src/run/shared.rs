//! The report of a sweep whose folder other shards may share.

use crate::error::Result;
use crate::report::sweep::SweepReport;
use crate::sweep::{Outcome, SweepFolder};

/// Writes the report of all runs into the sweep's folder; returns how each of them ended.
///
/// Shards that end at the same time all write it. A slow one could replace the report of a later one by its own, which lacks runs.
/// So each looks again when it has written, and writes again if runs have ended meanwhile: the last report has them all.
///
/// - `outcomes`: those of all runs; those of other shards are read
///
/// # Errors
/// As [`SweepFolder::outcome`] and [`SweepReport::write`].
pub fn write_report(
    folder: &SweepFolder,
    mut outcomes: Vec<Option<Outcome>>,
) -> Result<Vec<Option<Outcome>>> {
    let mut written = None;
    loop {
        for (index, run) in folder.plan().runs.iter().enumerate() {
            if !folder.has(index) {
                outcomes[index] = folder.outcome(run)?;
            }
        }
        if written.as_ref() == Some(&outcomes) {
            return Ok(outcomes);
        }
        SweepReport { plan: folder.plan(), outcomes: &outcomes }.write(folder.path())?;
        written = Some(outcomes.clone());
    }
}
