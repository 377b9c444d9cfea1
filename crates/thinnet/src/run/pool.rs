//! A few threads train the runs of a sweep: each takes the next waiting run, and records how it ended.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread;

use crate::error::{Error, Result};
use crate::sweep::{Outcome, Run, SweepFolder};

/// Receives how many epochs of a run are done while it is trained.
pub type Follow<'a> = dyn FnMut(usize) + 'a;

/// Trains a run in a folder, which may hold an unfinished run; `None` if it was stopped.
pub type Train<'a> = dyn Fn(&Run, &Path, &mut Follow<'_>) -> Option<Outcome> + Sync + 'a;

/// What happens to a run; runs are identified by their place in the plan.
#[derive(Debug)]
pub enum Message {
    /// This many of its epochs are done.
    Epochs {
        /// Which run.
        run: usize,
        /// How many epochs.
        done: usize,
    },
    /// It ended.
    Ended {
        /// Which run.
        run: usize,
        /// How it ended.
        outcome: Outcome,
    },
}

/// Trains the runs at these places of the plan, `jobs` at a time, until all are done or `stop` is set; unfinished
/// runs can be resumed later. Messages go to the calling thread; if it returns false, the runs are stopped.
///
/// # Errors
/// The first failure to record how a run ended; then the runs are stopped.
pub fn train_all(
    folder: &SweepFolder,
    waiting: &[usize],
    jobs: usize,
    stop: &AtomicBool,
    train: &Train<'_>,
    follow: &mut dyn FnMut(Message) -> bool,
) -> Result<()> {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        let (sender, receiver) = channel();
        let mut threads = Vec::new();
        let mut result = Ok(());
        for _ in 0..jobs.min(waiting.len()) {
            let (sender, next) = (sender.clone(), &next);
            let work = move || work(folder, waiting, next, stop, train, &sender);
            match thread::Builder::new().name("run".to_owned()).spawn_scoped(scope, work) {
                Ok(thread) => threads.push(thread),
                // Fewer threads also work.
                Err(_) if !threads.is_empty() => break,
                Err(reason) => {
                    result = Err(Error::configuration(format!("cannot start a thread: {reason}")));
                }
            }
        }
        drop(sender);
        for message in receiver {
            let goes_on = match message {
                Ok(message) => follow(message),
                Err(failure) => {
                    result = result.and(Err(failure));
                    false
                }
            };
            if !goes_on {
                stop.store(true, Ordering::Relaxed);
            }
        }
        for thread in threads {
            if thread.join().is_err() {
                result = result
                    .and(Err(Error::configuration("a run's thread ended because of a bug in this program")));
            }
        }
        result
    })
}

/// The work of each thread.
fn work(
    folder: &SweepFolder,
    waiting: &[usize],
    next: &AtomicUsize,
    stop: &AtomicBool,
    train: &Train<'_>,
    sender: &Sender<Result<Message>>,
) {
    while !stop.load(Ordering::Relaxed) {
        let Some(&index) = waiting.get(next.fetch_add(1, Ordering::Relaxed)) else { return };
        let Some(run) = folder.plan().runs.get(index) else { return };
        // If nobody receives messages any more, that is not an error here.
        let tell = |message| drop(sender.send(message));
        let outcome =
            train(run, &folder.run_folder(run), &mut |done| tell(Ok(Message::Epochs { run: index, done })));
        let Some(outcome) = outcome else { return };
        tell(folder.record(run, &outcome).map(|()| Message::Ended { run: index, outcome }));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::sweep::{RunFigures, SweepConfig};
    use crate::training::TrainingConfig;

    fn folder(path: &Path) -> SweepFolder {
        let texts = ["model.keep=0.25,0.5,1".to_owned()];
        let config = SweepConfig::new(TrainingConfig::default(), &texts, 2, None).unwrap();
        SweepFolder::create(path, config).unwrap()
    }

    fn finished(epochs: usize) -> Outcome {
        Outcome::Finished(RunFigures { epochs, ..RunFigures::default() })
    }

    fn failed(reason: &str, diverged: bool) -> Outcome {
        Outcome::Failed { reason: reason.to_owned(), diverged }
    }

    /// The runs that are not settled.
    fn left(folder: &SweepFolder) -> Vec<usize> {
        let settled = |outcome: &Option<Outcome>| outcome.as_ref().is_some_and(Outcome::is_settled);
        let outcomes = folder.outcomes().unwrap();
        (0..outcomes.len()).filter(|&run| !settled(&outcomes[run])).collect()
    }

    #[test]
    fn a_run_that_fails_stops_no_other_and_is_written_down() {
        let place = tempfile::tempdir().unwrap();
        let folder = folder(place.path());
        let by = Mutex::new(std::collections::HashSet::new());
        let both = std::sync::Barrier::new(2);
        let mut ended = Vec::new();
        let stop = AtomicBool::new(false);
        let result = train_all(
            &folder,
            &[0, 1, 2, 3, 4, 5],
            2,
            &stop,
            &|run, path, follow| {
                both.wait(); // six runs: two at a time, or this never ends
                by.lock().unwrap().insert(thread::current().id());
                assert!(path.ends_with(format!("runs/{}", run.name)));
                follow(1);
                Some(if run.point == 1 { failed("the loss is NaN", true) } else { finished(run.point) })
            },
            &mut |message| {
                if let Message::Ended { run, outcome } = message {
                    ended.push((run, outcome));
                }
                true
            },
        );
        result.unwrap();
        assert_eq!(by.into_inner().unwrap().len(), 2);
        ended.sort_by_key(|(run, _)| *run);
        let expected: Vec<(usize, Outcome)> = [finished(0), failed("the loss is NaN", true), finished(2)]
            .into_iter()
            .cycle()
            .take(6)
            .enumerate()
            .collect();
        assert_eq!(ended, expected);
        assert_eq!(
            folder.outcomes().unwrap(),
            expected.into_iter().map(|(_, outcome)| Some(outcome)).collect::<Vec<_>>()
        );
    }

    #[test]
    fn a_sweep_that_was_stopped_trains_only_what_is_left() {
        let place = tempfile::tempdir().unwrap();
        let stop = AtomicBool::new(false);
        let trained = Mutex::new(Vec::new());
        let sweep = folder(place.path());
        // The third run is stopped in its middle, and the second fails for a reason that may pass.
        let first = |run: &Run, _: &Path, _: &mut Follow<'_>| {
            trained.lock().unwrap().push(run.name.clone());
            match run.point {
                1 => Some(failed("no space left", false)),
                2 => {
                    stop.store(true, Ordering::Relaxed);
                    None
                }
                _ => Some(finished(1)),
            }
        };
        train_all(&sweep, &left(&sweep), 1, &stop, &first, &mut |_| true).unwrap();
        assert_eq!(*trained.lock().unwrap(), ["0001-seed231", "0002-seed231", "0003-seed231"]);
        drop(sweep);

        let resumed = SweepFolder::open(place.path()).unwrap();
        assert_eq!(left(&resumed), [1, 2, 3, 4, 5]);
        let stop = AtomicBool::new(false);
        trained.lock().unwrap().clear();
        let second = |run: &Run, _: &Path, _: &mut Follow<'_>| {
            trained.lock().unwrap().push(run.name.clone());
            Some(finished(2))
        };
        train_all(&resumed, &left(&resumed), 1, &stop, &second, &mut |_| true).unwrap();
        let expected = ["0002-seed231", "0003-seed231", "0001-seed232", "0002-seed232", "0003-seed232"];
        assert_eq!(*trained.lock().unwrap(), expected);
        assert!(left(&resumed).is_empty());
        assert_eq!(resumed.outcomes().unwrap()[0], Some(finished(1)));
    }

    #[test]
    fn who_follows_can_end_it() {
        let place = tempfile::tempdir().unwrap();
        let sweep = folder(place.path());
        let stop = AtomicBool::new(false);
        let count = AtomicUsize::new(0);
        let run = |_: &Run, _: &Path, _: &mut Follow<'_>| {
            count.fetch_add(1, Ordering::Relaxed);
            // As training does: it goes on until it sees that it is to stop.
            while count.load(Ordering::Relaxed) > 1 && !stop.load(Ordering::Relaxed) {
                thread::yield_now();
            }
            if stop.load(Ordering::Relaxed) { None } else { Some(finished(1)) }
        };
        let result = train_all(&sweep, &left(&sweep), 1, &stop, &run, &mut |_| false);
        result.unwrap();
        assert!(count.load(Ordering::Relaxed) <= 2 && left(&sweep).len() == 5);
    }

    #[test]
    fn an_outcome_that_cannot_be_written_is_said() {
        let place = tempfile::tempdir().unwrap();
        let sweep = folder(place.path());
        std::fs::write(place.path().join("runs"), "in the way").unwrap();
        let stop = AtomicBool::new(false);
        let result = train_all(&sweep, &[0, 1], 2, &stop, &|_, _, _| Some(finished(1)), &mut |_| true);
        let text = result.unwrap_err().to_string();
        assert!(text.contains("runs"), "{text}");
    }
}
