//! Brings the runs of one sweep together that were trained in several folders.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::fingerprint::Fingerprint;
use super::folder::{LOCK, RunFolder};
use super::shared::write_report;
use super::sweep::{Reading, reading};
use crate::error::{Error, Result};
use crate::files;
use crate::sweep::{Outcome, Run, SweepFolder};

/// A run's folder while it is copied, in the sweep's folder.
const COPY: &str = ".merging";

/// A sweep whose runs were brought together.
#[derive(Debug)]
pub struct Merged {
    /// Its folder.
    pub folder: SweepFolder,
    /// How each run ended; `None` if it has ended in no folder.
    pub outcomes: Vec<Option<Outcome>>,
}

/// A run that has ended, and its own folder.
struct Ended {
    outcome: Outcome,
    folder: PathBuf,
}

/// Copies the runs that have ended in these folders into `out`, and writes the report of all. `out` is a new folder, or one of the
/// same sweep, whose own runs stay. A run is copied whole or not at all, and none twice: a merge that was stopped is finished by
/// another.
///
/// - `follow`: receives how many runs are done, and how many the plan has; if it returns false, the rest is not copied
///
/// # Errors
/// Before anything is written: as [`SweepFolder::open`]; [`Error::Configuration`] for folders of different sweeps, runs on
/// different samples, and a run that ended differently in two folders. Then [`Error::Io`].
pub fn merge(
    folders: &[PathBuf],
    out: &Path,
    follow: &mut dyn FnMut(usize, usize) -> bool,
) -> Result<Merged> {
    let mut parts = open(folders, out)?;
    let Some(first) = parts.first() else {
        return Err(Error::configuration("there are no folders to merge"));
    };
    let config = first.plan().config.clone();
    let ended = chosen(&parts)?;
    check_samples(&first.plan().runs, &ended)?;
    let whole = if first.path() == out { parts.remove(0) } else { SweepFolder::create(out, config)? };

    let copy = whole.path().join(COPY);
    remove(&copy)?; // of a merge that was killed
    let runs = &whole.plan().runs;
    let mut done = 0;
    for (run, ended) in runs.iter().zip(&ended) {
        let Some(Ended { outcome, folder }) = ended else { continue };
        if *folder != whole.run_folder(run) {
            let taken = take(&whole, run, folder, &copy).and_then(|()| whole.record(run, outcome));
            taken.inspect_err(|_| drop(remove(&copy)))?;
        }
        done += 1;
        if !follow(done, runs.len()) {
            break;
        }
    }
    let outcomes = write_report(&whole, whole.outcomes()?)?;
    Ok(Merged { folder: whole, outcomes })
}

/// The folders, each once, and `out` before them if it holds a sweep; all are of the same sweep.
fn open(folders: &[PathBuf], out: &Path) -> Result<Vec<SweepFolder>> {
    let mut parts: Vec<SweepFolder> = Vec::new();
    let mut places = Vec::new();
    let whole = SweepFolder::is_sweep(out).then_some(out);
    for path in whole.into_iter().chain(folders.iter().map(PathBuf::as_path)) {
        let place = path.canonicalize().map_err(Error::io("read the folder", path))?;
        if places.contains(&place) {
            continue;
        }
        places.push(place);
        let part = SweepFolder::open(path)?;
        if let Some(first) = parts.first() {
            let mut config = part.plan().config.clone();
            // Each machine may have the samples in another place.
            config.base.data.path.clone_from(&first.plan().config.base.data.path);
            if let Some(what) = config.difference(&first.plan().config) {
                return Err(Error::configuration(format!(
                    "{} is not of the same sweep as {}: it has {what}; merge only folders of the same sweep",
                    path.display(),
                    first.path().display()
                )));
            }
        }
        parts.push(part);
    }
    Ok(parts)
}

/// How each run ended, and where: the first folder in which it need not be trained again, or else in which it failed.
fn chosen(parts: &[SweepFolder]) -> Result<Vec<Option<Ended>>> {
    let Some(first) = parts.first() else { return Ok(Vec::new()) };
    let choose = |run: &Run| {
        let mut chosen: Option<Ended> = None;
        for part in parts {
            let Some(outcome) = part.outcome(run)? else { continue };
            let ended = Ended { outcome, folder: part.run_folder(run) };
            match &chosen {
                Some(before) if before.outcome.is_settled() => {
                    if ended.outcome.is_settled() && !ended.outcome.agrees(&before.outcome) {
                        return Err(Error::configuration(format!(
                            "{} and {} are the same run with different results: delete one of them, with its .json file, \
                             and merge again",
                            before.folder.display(),
                            ended.folder.display()
                        )));
                    }
                }
                Some(_) if !ended.outcome.is_settled() => {}
                _ => chosen = Some(ended),
            }
        }
        Ok(chosen)
    };
    first.plan().runs.iter().map(choose).collect()
}

/// Refuses runs on different samples, although their settings read the same.
fn check_samples(runs: &[Run], ended: &[Option<Ended>]) -> Result<()> {
    let mut known: Vec<(Reading, Fingerprint, &Path)> = Vec::new();
    for (run, Ended { folder, .. }) in
        runs.iter().zip(ended).filter_map(|(run, ended)| Some((run, ended.as_ref()?)))
    {
        let Some(samples) = RunFolder::fingerprint_in(folder)? else { continue };
        let reading = reading(&run.config);
        match known.iter().find(|(same, ..)| *same == reading) {
            None => known.push((reading, samples, folder)),
            Some((_, before, other)) => {
                if let Some(what) = before.difference(&samples) {
                    return Err(Error::configuration(format!(
                        "the samples changed from {} to {}: {what}; merge only runs on the same samples",
                        other.display(),
                        folder.display()
                    )));
                }
            }
        }
    }
    Ok(())
}

/// Copies a run's folder into the sweep, in the place of what may be there of an unfinished run. A run that failed early has none.
fn take(whole: &SweepFolder, run: &Run, from: &Path, copy: &Path) -> Result<()> {
    if !from.is_dir() {
        return Ok(());
    }
    copy_folder(from, copy)?;
    let place = whole.run_folder(run);
    let runs = files::folder_of(&place);
    fs::create_dir_all(runs).map_err(Error::io("create the folder", runs))?;
    remove(&place)?;
    fs::rename(copy, &place).map_err(Error::io("create the folder", &place))?;
    files::sync_names(runs).map_err(Error::io("write to the folder", runs))
}

/// Copies a folder without its lock and without files that are not complete.
fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir(to).map_err(Error::io("create the folder", to))?;
    for entry in fs::read_dir(from).map_err(Error::io("read the folder", from))? {
        let entry = entry.map_err(Error::io("read the folder", from))?;
        let (name, path) = (entry.file_name(), entry.path());
        if name == LOCK || name.to_string_lossy().starts_with(files::TEMPORARY) {
            continue;
        }
        if entry.file_type().map_err(Error::io("read", &path))?.is_dir() {
            copy_folder(&path, &to.join(name))?;
        } else {
            let mut file = File::open(&path).map_err(Error::io("read", &path))?;
            files::write_one(&to.join(name), false, |out| io::copy(&mut file, out).map(drop))?;
        }
    }
    Ok(())
}

/// Deletes a folder, if it is there.
fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("delete", folder)(error)),
        _ => Ok(()),
    }
}
