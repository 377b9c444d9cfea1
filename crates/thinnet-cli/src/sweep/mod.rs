//! `thinnet sweep`: arguments become a plan in a folder ([`request`]). The library trains its runs, which are shown
//! ([`show`]) and end as a table ([`mod@end`]). Folders of shards become one ([`mod@merge`]).

mod end;
mod merge;
mod request;
mod show;

use std::sync::atomic::Ordering;

use thinnet::engine::cores;
use thinnet::run::{SweepRuns, write_report};
use thinnet::training::Sampling;

use crate::args::sweep::SweepArguments;
use crate::failure::Failure;
use crate::interrupt;
use crate::memory;
use crate::output::Output;
use show::Show;

/// Trains the unfinished runs of the sweep or of a shard, and reports; or merges folders.
pub(crate) fn run(arguments: SweepArguments, output: &mut Output) -> Result<(), Failure> {
    if !arguments.merge.is_empty() {
        return merge::run(&arguments, output);
    }
    let jobs = match arguments.jobs {
        Some(0) => return Err(Failure::Refused("--jobs must be at least 1, got 0".to_owned())),
        Some(jobs) => jobs,
        None => cores(),
    };
    let (quiet, json, shard) = (arguments.quiet, arguments.json, arguments.shard);
    let mut prepared = request::prepare(arguments)?;
    let stop = interrupt::flag()?;
    let path = prepared.config.base.data.path.clone();
    if prepared.config.base.train.sampling != Sampling::Stream {
        memory::check_file(path.as_ref(), &prepared.config.base.data.columns)?;
    }
    let told = !quiet && !json;
    let runs =
        output.reading(&stop, &path, told, |progress| SweepRuns::open_watched(&prepared.config, progress))?;
    runs.settle(&mut prepared.config);
    if !quiet {
        runs.sets().for_each(|set| output.notes_of(set));
    }
    let folder = prepared.folder(shard)?;
    let mut outcomes = folder.outcomes()?;
    let waiting = folder.waiting(&outcomes);
    for &run in &waiting {
        outcomes[run] = None;
    }

    let mut show = Show::new(output, &folder, outcomes, quiet, json);
    show.begin(&waiting, jobs.min(waiting.len().max(1)));
    let mut failure = None;
    let trained = runs.train(&folder, &waiting, jobs, &stop, &mut |message| {
        if let Err(own) = show.message(message) {
            failure.get_or_insert(own);
        }
        failure.is_none()
    });
    // The existing results are reported however the sweep ended.
    let outcomes = write_report(&folder, show.finish())?;
    trained?;
    failure.map_or(Ok(()), Err)?;
    let (done, all) = end::progress(&folder, &outcomes);
    let left = (stop.load(Ordering::Relaxed) && done < all).then(|| {
        let shard = shard.map_or_else(String::new, |shard| format!(" --shard {shard}"));
        Failure::Interrupted(format!(
            "stopped with {done} of {all} runs done; `thinnet sweep --resume {}{shard}` continues from there",
            folder.path().display()
        ))
    });
    end::end(&folder, &outcomes, left, (quiet, json), output)
}
