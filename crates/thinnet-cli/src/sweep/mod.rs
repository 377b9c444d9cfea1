//! `thinnet sweep`: arguments become a plan in a folder ([`request`]). The library trains its runs, which are shown
//! ([`show`]) and end as a table ([`results`]).

mod request;
mod show;

use std::sync::atomic::Ordering;

use thinnet::engine::cores;
use thinnet::report::sweep::SweepReport;
use thinnet::run::SweepRuns;
use thinnet::sweep::{Outcome, SweepFolder, Table};
use thinnet::training::Sampling;

use crate::args::sweep::SweepArguments;
use crate::failure::Failure;
use crate::interrupt;
use crate::memory;
use crate::output::Output;
use crate::results;
use show::Show;

/// Trains the unfinished runs of the sweep, and reports.
pub(crate) fn run(arguments: SweepArguments, output: &mut Output) -> Result<(), Failure> {
    let jobs = match arguments.jobs {
        Some(0) => return Err(Failure::Refused("--jobs must be at least 1, got 0".to_owned())),
        Some(jobs) => jobs,
        None => cores(),
    };
    let (quiet, json) = (arguments.quiet, arguments.json);
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
    let folder = prepared.folder()?;
    let mut outcomes = folder.outcomes()?;
    let waiting: Vec<usize> =
        (0..outcomes.len()).filter(|&run| !outcomes[run].as_ref().is_some_and(Outcome::is_settled)).collect();
    for &run in &waiting {
        outcomes[run] = None;
    }

    let mut show = Show::new(output, folder.plan(), outcomes, quiet, json);
    show.begin(&waiting, jobs.min(waiting.len().max(1)), folder.path());
    let mut failure = None;
    let trained = runs.train(&folder, &waiting, jobs, &stop, &mut |message| {
        if let Err(own) = show.message(message) {
            failure.get_or_insert(own);
        }
        failure.is_none()
    });
    let outcomes = show.finish();
    // The existing results are reported however the sweep ended.
    SweepReport { plan: folder.plan(), outcomes: &outcomes }.write(folder.path())?;
    trained?;
    failure.map_or(Ok(()), Err)?;
    end(&folder, &outcomes, stop.load(Ordering::Relaxed), (quiet, json), output)
}

/// Shows the results, and says why if there are none or not all.
fn end(
    folder: &SweepFolder,
    outcomes: &[Option<Outcome>],
    stopped: bool,
    (quiet, json): (bool, bool),
    output: &Output,
) -> Result<(), Failure> {
    let plan = folder.plan();
    let table = Table::new(plan, outcomes);
    let (finished, failed, unfinished) = table.counts();
    if json {
        output.json(&show::end(folder, &table))?;
    } else if finished > 0 {
        results::lines(&table, "sweep.csv", output.width()).iter().try_for_each(|line| output.line(line))?;
    }
    let path = folder.path().display();
    if stopped && unfinished > 0 {
        return Err(Failure::Interrupted(format!(
            "stopped with {} of {} runs done; `thinnet sweep --resume {path}` continues from there",
            finished + failed,
            plan.runs.len()
        )));
    }
    if finished == 0 {
        let reason = outcomes.iter().flatten().find_map(|outcome| match outcome {
            Outcome::Failed { reason, .. } => Some(reason.as_str()),
            Outcome::Finished(_) => None,
        });
        return Err(Failure::Refused(format!(
            "all {failed} runs failed, the first because {}",
            reason.unwrap_or_default()
        )));
    }
    if !quiet && !json {
        output.note(&format!("report in {path}: open {}", folder.path().join("report.html").display()));
    }
    Ok(())
}
