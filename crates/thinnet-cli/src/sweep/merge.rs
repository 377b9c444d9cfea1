//! `thinnet sweep --merge`: folders of shards become one.

use std::sync::atomic::Ordering;

use thinnet::run::{Merged, merge};

use super::end;
use crate::args::sweep::SweepArguments;
use crate::failure::Failure;
use crate::folder;
use crate::interrupt;
use crate::output::Output;

/// How many missing runs are named.
const NAMED: usize = 5;

/// Brings the runs of the folders together, and reports.
pub(super) fn run(arguments: &SweepArguments, output: &mut Output) -> Result<(), Failure> {
    let SweepArguments { merge: folders, out, quiet, json, .. } = arguments;
    folder::check("--out", out)?;
    let stop = interrupt::flag()?;
    let merged = merge(folders, out, &mut |done, all| {
        if !quiet && !json && !output.has_bar() {
            output.start_bar("merge".to_owned(), all);
        }
        output.advance(done);
        !stop.load(Ordering::Relaxed)
    });
    output.end_bar();
    let Merged { folder, outcomes } =
        merged.map_err(|error| Failure::Refused(format!("--merge: {error}")))?;

    let (done, all) = end::progress(&folder, &outcomes);
    let ends = folder.plan().runs.iter().zip(&outcomes);
    let missing: Vec<&str> =
        ends.filter(|(_, outcome)| outcome.is_none()).map(|(run, _)| run.name.as_str()).collect();
    let left = (done < all).then(|| {
        if stop.load(Ordering::Relaxed) {
            return Failure::Interrupted(format!(
                "stopped with {done} of {all} runs merged; the same command continues"
            ));
        }
        let named = missing[..missing.len().min(NAMED)].join(", ");
        let more = match missing.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        Failure::Refused(format!(
            "{done} of {all} runs are merged, but {named}{more} ended in none of the folders: merge again when they have, or \
             train them with `thinnet sweep --resume {}`",
            out.display()
        ))
    });
    end::end(&folder, &outcomes, left, (*quiet, *json), output)
}
