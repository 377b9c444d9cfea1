//! A sweep's folder: its settings, and the outcome of each run.
//!
//! ```text
//! sweep.toml               settings, space and seeds
//! runs/0001-seed231/       a run's own folder: the trainer writes its files
//! runs/0001-seed231.json   how the run ended, written at its end
//! .shards/2-of-8           locked by the process that trains shard 2/8
//! ```

use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::lock::Lock;
use super::outcome::Outcome;
use super::plan::{Plan, Run, SweepConfig};
use super::shard::Shard;
use crate::error::{Error, Result};
use crate::files;
use crate::text::one_line;

/// A folder with this file is a sweep's folder.
pub const MANIFEST: &str = "sweep.toml";
/// The folder of the runs, in a sweep's folder.
pub const RUNS: &str = "runs";
/// The formats that this version writes and reads.
const FORMAT: &str = "thinnet-sweep/1";
const OUTCOME_FORMAT: &str = "thinnet-sweep-run/1";
/// Larger files are not read.
const LARGEST: u64 = 1 << 24;

#[derive(Serialize, Deserialize)]
struct Manifest {
    format: String,
    version: String,
    sweep: SweepConfig,
}

#[derive(Serialize, Deserialize)]
struct OutcomeFile {
    format: String,
    #[serde(flatten)]
    outcome: Outcome,
}

impl Run {
    /// The link from the sweep's folder to the run's own page.
    pub fn report_link(&self) -> String {
        format!("{RUNS}/{}/report.html", self.name)
    }
}

/// The folder of a sweep. As long as this value lives, no other process can train the same runs.
#[derive(Debug)]
pub struct SweepFolder {
    path: PathBuf,
    plan: Plan,
    version: String,
    shard: Option<Shard>,
    _lock: Lock,
}

impl SweepFolder {
    /// The sweep of `config` in `path`: a new one, or an existing one with the same settings.
    ///
    /// # Errors
    /// As [`Plan::new`]; [`Error::Configuration`] if the folder holds another sweep, or something else;
    /// [`Error::Io`].
    pub fn create(path: &Path, config: SweepConfig) -> Result<Self> {
        Self::create_for(path, config, None)
    }

    /// The same as [`SweepFolder::create`] for one shard, or for all runs. Any number of shards may do this at the same time.
    ///
    /// # Errors
    /// As [`SweepFolder::create`].
    pub fn create_for(path: &Path, config: SweepConfig, shard: Option<Shard>) -> Result<Self> {
        let plan = Plan::new(config)?;
        if !Self::is_sweep(path) {
            begin(path, &plan.config)?;
        }
        let folder = Self::open_for(path, shard)?;
        match folder.plan.config.difference(&plan.config) {
            None => Ok(folder),
            Some(what) => Err(Error::configuration(format!(
                "{} holds a sweep with {what}: take another folder, or continue that sweep with its own settings",
                path.display()
            ))),
        }
    }

    /// The existing sweep in `path`.
    ///
    /// # Errors
    /// [`Error::Data`] if the folder holds no sweep, or one of another format; [`Error::Configuration`] if another
    /// process uses it, or for settings that are out of range; [`Error::Io`].
    pub fn open(path: &Path) -> Result<Self> {
        Self::open_for(path, None)
    }

    /// The same as [`SweepFolder::open`] for one shard, or for all runs. Other shards of the same number may use the folder, too.
    ///
    /// # Errors
    /// As [`SweepFolder::open`].
    pub fn open_for(path: &Path, shard: Option<Shard>) -> Result<Self> {
        let manifest = path.join(MANIFEST);
        if !manifest.is_file() {
            return Err(Error::data(format!(
                "{} has no {MANIFEST}: it is not a sweep's folder",
                path.display()
            )));
        }
        let lock = Lock::take(path, &manifest, shard)?;
        let wrong = |reason: String| Error::data(format!("{}: {reason}", manifest.display()));
        let table: toml::Table =
            read(&manifest)?.parse().map_err(|error: toml::de::Error| wrong(one_line(error.message())))?;
        check_format(table.get("format").and_then(toml::Value::as_str), FORMAT).map_err(wrong)?;
        let Manifest { version, sweep, .. } =
            table.try_into().map_err(|error: toml::de::Error| wrong(one_line(error.message())))?;
        Ok(Self { path: path.to_path_buf(), plan: Plan::new(sweep)?, version, shard, _lock: lock })
    }

    /// Whether there is a sweep in `path`.
    pub fn is_sweep(path: &Path) -> bool {
        path.join(MANIFEST).symlink_metadata().is_ok()
    }

    /// The shard that this process trains; `None` for all runs.
    pub fn shard(&self) -> Option<Shard> {
        self.shard
    }

    /// Whether this process trains the run at this place of the plan.
    pub fn has(&self, run: usize) -> bool {
        self.shard.is_none_or(|shard| shard.has(run))
    }

    /// The runs that this process is to train, by their places in the plan: those of its shard that are not settled.
    ///
    /// - `outcomes`: those of all runs
    pub fn waiting(&self, outcomes: &[Option<Outcome>]) -> Vec<usize> {
        let settled = |run: usize| outcomes[run].as_ref().is_some_and(Outcome::is_settled);
        (0..outcomes.len()).filter(|&run| self.has(run) && !settled(run)).collect()
    }

    /// The sweep's own folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The runs.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The version of thinnet that started the sweep.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The folder of a run.
    pub fn run_folder(&self, run: &Run) -> PathBuf {
        self.path.join(RUNS).join(&run.name)
    }

    /// The file that says how a run ended.
    fn outcome_file(&self, run: &Run) -> PathBuf {
        self.path.join(RUNS).join(format!("{}.json", run.name))
    }

    /// How a run ended; `None` if it has not ended.
    ///
    /// # Errors
    /// [`Error::Io`], and [`Error::Data`] for a file that is damaged or of another format.
    pub fn outcome(&self, run: &Run) -> Result<Option<Outcome>> {
        let path = self.outcome_file(run);
        if path.symlink_metadata().is_err() {
            return Ok(None);
        }
        let wrong = |reason: String| Error::data(format!("{}: {reason}", path.display()));
        let json: serde_json::Value =
            serde_json::from_str(&read(&path)?).map_err(|error| wrong(error.to_string()))?;
        check_format(json.get("format").and_then(serde_json::Value::as_str), OUTCOME_FORMAT)
            .map_err(wrong)?;
        let file: OutcomeFile = serde_json::from_value(json).map_err(|error| wrong(error.to_string()))?;
        Ok(Some(file.outcome))
    }

    /// How each run of the plan ended, in the plan's order.
    ///
    /// # Errors
    /// As [`SweepFolder::outcome`].
    pub fn outcomes(&self) -> Result<Vec<Option<Outcome>>> {
        self.plan.runs.iter().map(|run| self.outcome(run)).collect()
    }

    /// Records how a run ended.
    ///
    /// # Errors
    /// [`Error::Io`]; then an existing file stays unchanged.
    pub fn record(&self, run: &Run, outcome: &Outcome) -> Result<()> {
        let folder = self.path.join(RUNS);
        fs::create_dir_all(&folder).map_err(Error::io("create the folder", &folder))?;
        let content = OutcomeFile { format: OUTCOME_FORMAT.to_owned(), outcome: outcome.clone() };
        files::write_one(&self.outcome_file(run), true, |file| {
            serde_json::to_writer_pretty(&mut *file, &content)?;
            file.write_all(b"\n")
        })
    }
}

/// Writes the settings of a new sweep, unless another shard does so at the same time.
fn begin(path: &Path, config: &SweepConfig) -> Result<()> {
    fs::create_dir_all(path).map_err(Error::io("create the folder", path))?;
    let mut entries = fs::read_dir(path).map_err(Error::io("read the folder", path))?;
    // What another shard has not yet written to the end is no other's file.
    let other = |name: OsString| !name.to_string_lossy().starts_with(files::TEMPORARY);
    if entries.any(|entry| entry.is_ok_and(|entry| other(entry.file_name()))) && !SweepFolder::is_sweep(path)
    {
        return Err(Error::configuration(format!(
            "{} has files but no {MANIFEST}, so it is not a sweep's folder: take a new or an empty one",
            path.display()
        )));
    }
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let content = Manifest { format: FORMAT.to_owned(), version, sweep: config.clone() };
    let text = toml::to_string(&content)
        .map_err(|error| Error::configuration(format!("the sweep's settings as TOML: {error}")))?;
    let written = files::write_one(&path.join(MANIFEST), false, |file| file.write_all(text.as_bytes()));
    if SweepFolder::is_sweep(path) { Ok(()) } else { written }
}

fn read(path: &Path) -> Result<String> {
    let size = fs::metadata(path).map_err(Error::io("read", path))?.len();
    if size > LARGEST {
        return Err(Error::data(format!("{} has {size} bytes: it is not a file of a sweep", path.display())));
    }
    fs::read_to_string(path).map_err(Error::io("read", path))
}

fn check_format(format: Option<&str>, expected: &str) -> std::result::Result<(), String> {
    match format {
        Some(format) if format == expected => Ok(()),
        Some(format) => Err(format!("its format is {format:?}, expected {expected:?}")),
        None => Err(format!("it has no format, expected {expected:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::{Draws, RunFigures};

    fn config() -> SweepConfig {
        SweepConfig {
            space: vec!["model.keep=0.5,1".to_owned(), "model.hidden=[10],[20, 20]".to_owned()],
            seeds: 2,
            ..SweepConfig::default()
        }
    }

    #[test]
    fn a_sweep_goes_on_from_its_folder_alone() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("a/sweep");
        let mut random = config();
        random.space[0] = "optim.learning_rate=log:1e-5:1".to_owned();
        random.random = Some(Draws { points: 4, seed: 5 });
        random.base.set(&"optim.max_norm=3".parse().unwrap()).unwrap();
        for config in [config(), random] {
            let begun = SweepFolder::create(&path, config).unwrap();
            let plan = begun.plan().clone();
            drop(begun);
            let resumed = SweepFolder::open(&path).unwrap();
            assert_eq!((resumed.plan(), resumed.version()), (&plan, env!("CARGO_PKG_VERSION")));
            drop(resumed);
            assert_eq!(SweepFolder::create(&path, plan.config.clone()).unwrap().plan(), &plan);
            fs::remove_dir_all(&path).unwrap();
        }
    }

    #[test]
    fn another_sweep_in_its_place_is_refused_and_told_how_it_differs() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("sweep");
        drop(SweepFolder::create(&path, config()).unwrap());
        let written = fs::read(path.join(MANIFEST)).unwrap();
        let changed = |change: &dyn Fn(&mut SweepConfig)| {
            let mut other = config();
            change(&mut other);
            SweepFolder::create(&path, other).unwrap_err().to_string()
        };
        for (text, says) in [
            (
                changed(&|c| c.space.truncate(1)),
                "another space (model.keep=0.5,1 model.hidden=[10],[20, 20], not model.keep",
            ),
            (changed(&|c| c.seeds = 3), "2 seeds per point, not 3"),
            (
                changed(&|c| c.random = Some(Draws { points: 2, seed: 0 })),
                "a grid, not 2 points drawn with seed 0",
            ),
            (changed(&|c| c.base.optim.l2 = 0.5), "optim.l2 = 0.0, not 0.5"),
        ] {
            assert!(text.contains(says) && !text.contains('\n'), "{text}");
        }
        assert_eq!(fs::read(path.join(MANIFEST)).unwrap(), written);
    }

    #[test]
    fn one_process_at_a_time() {
        let parent = tempfile::tempdir().unwrap();
        let first = SweepFolder::create(parent.path(), config()).unwrap();
        let text = SweepFolder::open(parent.path()).unwrap_err().to_string();
        assert!(text.contains("another process runs this sweep"), "{text}");
        drop(first);
        assert!(SweepFolder::open(parent.path()).is_ok());
    }

    #[test]
    fn a_link_leads_into_the_folder_of_the_run() {
        let parent = tempfile::tempdir().unwrap();
        let folder = SweepFolder::create(parent.path(), config()).unwrap();
        let run = &folder.plan().runs[1];
        assert_eq!(run.report_link(), format!("runs/{}/report.html", run.name));
        assert_eq!(parent.path().join(run.report_link()), folder.run_folder(run).join("report.html"));
    }

    #[test]
    fn what_is_no_sweep_is_refused_and_stays() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path();
        assert!(matches!(SweepFolder::open(path), Err(Error::Data(_))));
        fs::write(path.join("mine"), "kept").unwrap();
        let text = SweepFolder::create(path, config()).unwrap_err().to_string();
        assert!(text.contains("not a sweep's folder"), "{text}");
        assert_eq!(fs::read_dir(path).unwrap().count(), 1);
        for (content, says) in [
            ("", "it has no format"),
            ("format = \"thinnet-sweep/9\"", "thinnet-sweep/9"),
            ("format = \"thinnet-sweep/1\"", "version"),
            (
                "format = \"thinnet-sweep/1\"\nversion = \"1\"\n[sweep]\nspace = []\nseeds = 1\nbase = 5",
                "invalid type: integer",
            ),
            ("[", "sweep.toml: "),
        ] {
            fs::write(path.join(MANIFEST), content).unwrap();
            let text = SweepFolder::open(path).unwrap_err().to_string();
            assert!(text.contains(says) && !text.contains('\n'), "{content}: {text}");
        }
    }

    #[test]
    fn outcomes_read_back() {
        let parent = tempfile::tempdir().unwrap();
        let folder = SweepFolder::create(parent.path(), config()).unwrap();
        let runs = &folder.plan().runs;
        let third = 1.0 / 3.0;
        let figures =
            RunFigures { best_val_score: Some(third), seconds: 0.1, epochs: 3, ..RunFigures::default() };
        let failed = Outcome::Failed { reason: "the loss is NaN".to_owned(), diverged: true };
        folder.record(&runs[0], &failed).unwrap();
        folder.record(&runs[0], &Outcome::Finished(figures)).unwrap();
        folder.record(&runs[3], &failed).unwrap();
        let outcomes = folder.outcomes().unwrap();
        assert_eq!(outcomes.len(), 8);
        assert_eq!(outcomes[0], Some(Outcome::Finished(figures)));
        assert_eq!(outcomes[3], Some(failed));
        assert_eq!(outcomes.iter().flatten().count(), 2);
        let file = folder.outcome_file(&runs[0]);
        for (content, says) in
            [("{", "EOF"), ("{}", "no format"), (r#"{"format":"thinnet-sweep-run/1"}"#, "outcome")]
        {
            fs::write(&file, content).unwrap();
            let text = folder.outcomes().unwrap_err().to_string();
            assert!(text.contains(says) && text.contains("0001-seed231.json"), "{text}");
        }
    }
}
