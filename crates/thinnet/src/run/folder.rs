//! A run's folder: its settings, its checkpoints, and the lock against a second process.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::fingerprint::Fingerprint;
use crate::error::{Error, Result};
use crate::files;
use crate::float::Float;
use crate::import::{self, Imported};
use crate::training::{TrainerState, TrainingConfig};

/// The settings' file.
const CONFIG: &str = "config.toml";
/// The samples' fingerprint.
const SAMPLES: &str = "samples.json";
/// The network that the run began with, if it came from a file.
const START: &str = "start.safetensors";
/// The checkpoints' folder.
const CHECKPOINTS: &str = "checkpoints";
/// The folder of an ensemble's networks.
const MEMBERS: &str = "members";
/// Other files that a run writes.
const WRITTEN: [&str; 10] = [
    "members.csv",
    SAMPLES,
    START,
    "model.safetensors",
    "report.html",
    "history.csv",
    "metrics.jsonl",
    "curves.png",
    "weights.png",
    "confusion.csv",
];
/// The lock's file.
pub(super) const LOCK: &str = ".lock";

/// A folder that this process trains in; it is locked as long as this value lives.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    _lock: File,
}

/// The newest complete checkpoint.
#[derive(Debug)]
pub struct Newest<F> {
    /// The state to resume from, and the settings that it was trained with; `None` if there is no complete
    /// checkpoint.
    pub found: Option<(TrainerState<F>, TrainingConfig)>,
    /// Newer checkpoints that are damaged, each with the reason.
    pub damaged: Vec<(PathBuf, String)>,
}

/// The folder of the runs of an ensemble's networks, in the ensemble's folder.
pub(super) fn members_of(path: &Path) -> PathBuf {
    path.join(MEMBERS)
}

impl RunFolder {
    /// Whether there is a run in `path`.
    pub fn is_run(path: &Path) -> bool {
        path.join(CONFIG).is_file()
    }

    /// Whether there is a checkpoint in `path`, even a damaged one; of an ensemble, one of any network.
    pub fn has_checkpoint(path: &Path) -> bool {
        let entries = |folder: PathBuf| fs::read_dir(folder).into_iter().flatten().flatten();
        let is_checkpoint =
            |entry: fs::DirEntry| entry.path().extension().is_some_and(|extension| extension == "ckpt");
        entries(path.join(CHECKPOINTS)).any(is_checkpoint)
            || entries(members_of(path))
                .any(|member| entries(member.path().join(CHECKPOINTS)).any(is_checkpoint))
    }

    /// A new run in `path` with these settings; the folder is created if it does not exist.
    ///
    /// # Errors
    /// [`Error::Configuration`] if there is a run already, or another process trains there; [`Error::Io`] if the
    /// folder cannot be written.
    pub fn create(path: &Path, config: &TrainingConfig) -> Result<Self> {
        Self::create_from(path, config, None)
    }

    /// The same for a run that begins with a network from a file. The folder keeps the network.
    ///
    /// # Errors
    /// As [`RunFolder::create`].
    pub fn create_from(path: &Path, config: &TrainingConfig, start: Option<&Imported>) -> Result<Self> {
        fs::create_dir_all(path).map_err(Error::io("create the folder", path))?;
        let folder = Self::take(path)?;
        if Self::is_run(path) {
            return Err(Error::configuration(format!("there is a run in {} already", path.display())));
        }
        let others = Self::files_of_another(path);
        if !others.is_empty() {
            return Err(Error::configuration(format!(
                "{} has files of another run ({}), which would be overwritten; take another folder, or move them",
                path.display(),
                others.join(", ")
            )));
        }
        folder.make_checkpoints()?;
        // The settings come last: with them it is a run, which can be resumed.
        if let Some(start) = start {
            let bytes = start.to_bytes()?;
            files::write_one(&path.join(START), true, |out| out.write_all(&bytes))?;
        }
        folder.write_config(config)?;
        Ok(folder)
    }

    /// Files in `path` that a new run would overwrite: files of another run whose settings are missing.
    pub fn files_of_another(path: &Path) -> Vec<String> {
        let mut found: Vec<String> = fs::read_dir(path)
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| {
                let events = name.starts_with("events.out.tfevents.") && name.ends_with(".thinnet");
                events || WRITTEN.contains(&name.as_str())
            })
            .collect();
        let checkpoints = fs::read_dir(path.join(CHECKPOINTS)).into_iter().flatten().flatten();
        if checkpoints.count() > 0 {
            found.push(format!("{CHECKPOINTS}/"));
        }
        if members_of(path).exists() {
            found.push(format!("{MEMBERS}/"));
        }
        found.sort();
        found
    }

    /// The run in `path`, with its settings.
    ///
    /// # Errors
    /// [`Error::Configuration`] if there is none, another process trains there, or the settings are not valid;
    /// [`Error::Io`] if files cannot be read.
    pub fn open(path: &Path) -> Result<(Self, TrainingConfig)> {
        if !Self::is_run(path) {
            return Err(Error::configuration(format!(
                "there is no run in {}: it has no {CONFIG}",
                path.display()
            )));
        }
        let folder = Self::take(path)?;
        let config = Self::config_in(path)?;
        folder.make_checkpoints()?;
        Ok((folder, config))
    }

    /// The settings of the run in `path`, which another process may be training.
    ///
    /// # Errors
    /// [`Error::Io`] if they cannot be read; [`Error::Configuration`] for what is no settings.
    pub fn config_in(path: &Path) -> Result<TrainingConfig> {
        let file = path.join(CONFIG);
        let text = fs::read_to_string(&file).map_err(Error::io("read", &file))?;
        TrainingConfig::from_toml(&text)
            .map_err(|error| Error::configuration(format!("{}: {error}", file.display())))
    }

    /// Takes the folder's lock.
    fn take(path: &Path) -> Result<Self> {
        let file = path.join(LOCK);
        let lock = File::options().create(true).truncate(false).read(true).write(true).open(&file);
        let lock = files::lock(lock.map_err(Error::io("write", &file))?, File::try_lock, || {
            format!("another process is training in {}; wait for it, or stop it", path.display())
        })?;
        Ok(Self { path: path.to_path_buf(), _lock: lock })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the settings, and replaces earlier ones.
    ///
    /// # Errors
    /// [`Error::Io`] if they cannot be written.
    pub fn write_config(&self, config: &TrainingConfig) -> Result<()> {
        let text = config.to_toml()?;
        files::write_one(&self.path.join(CONFIG), true, |out| out.write_all(text.as_bytes()))
    }

    /// The network that the run in `path` began with, if its settings say that it came from a file.
    ///
    /// # Errors
    /// [`Error::Configuration`] if the folder has no such network; [`Error::Io`] and [`Error::Data`] for a file that
    /// cannot be read.
    pub fn start_in(path: &Path, config: &TrainingConfig) -> Result<Option<Imported>> {
        let Some(from) = &config.model.from else { return Ok(None) };
        let file = path.join(START);
        if !file.is_file() {
            return Err(Error::configuration(format!(
                "{} is not there, the network from {from} that the run began with; start another run",
                file.display()
            )));
        }
        import::read(&file).map(Some)
    }

    /// The fingerprint of the run's samples; `None` if it has none, as in runs of older versions.
    ///
    /// # Errors
    /// [`Error::Configuration`] for a file that is not one; [`Error::Io`] if it cannot be read.
    pub fn fingerprint(&self) -> Result<Option<Fingerprint>> {
        Self::fingerprint_in(&self.path)
    }

    /// The same of the run in `path`, which another process may be training.
    ///
    /// # Errors
    /// Those of [`RunFolder::fingerprint`].
    pub fn fingerprint_in(path: &Path) -> Result<Option<Fingerprint>> {
        let file = path.join(SAMPLES);
        if !file.exists() {
            return Ok(None);
        }
        let text = fs::read_to_string(&file).map_err(Error::io("read", &file))?;
        let read = serde_json::from_str(&text);
        read.map(Some).map_err(|error| Error::configuration(format!("{}: {error}", file.display())))
    }

    /// Writes the fingerprint of the run's samples.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be written.
    pub fn write_fingerprint(&self, fingerprint: &Fingerprint) -> Result<()> {
        let text = serde_json::to_vec_pretty(fingerprint)
            .map_err(|error| Error::configuration(format!("{SAMPLES}: {error}")))?;
        files::write_one(&self.path.join(SAMPLES), true, |out| out.write_all(&text))
    }

    fn make_checkpoints(&self) -> Result<()> {
        let folder = self.path.join(CHECKPOINTS);
        fs::create_dir_all(&folder).map_err(Error::io("create the folder", &folder))
    }

    /// Writes a checkpoint, completely or not at all. Then deletes all but the last `keep` (at least 1) and the best
    /// epoch's.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be written; then no older one is deleted.
    pub fn save<F: Float>(
        &self,
        state: &TrainerState<F>,
        config: &TrainingConfig,
        keep: usize,
    ) -> Result<PathBuf> {
        let bytes = state.to_bytes(config)?;
        let path = self.checkpoint(state.step());
        files::write_one(&path, true, |out| out.write_all(&bytes))?;
        let best = state.history().best_epoch().map(|epoch| epoch.step);
        let steps = self.steps()?;
        for &step in steps.iter().rev().skip(keep.max(1)).filter(|step| Some(**step) != best) {
            let old = self.checkpoint(step);
            fs::remove_file(&old).map_err(Error::io("remove", &old))?;
        }
        Ok(path)
    }

    /// The newest complete checkpoint.
    ///
    /// # Errors
    /// [`Error::Io`] if the folder cannot be read; a file that cannot be read counts as damaged.
    pub fn newest<F: Float>(&self) -> Result<Newest<F>> {
        let mut damaged = Vec::new();
        for step in self.steps()?.into_iter().rev() {
            let path = self.checkpoint(step);
            let read = fs::read(&path)
                .map_err(Error::io("read", &path))
                .and_then(|bytes| TrainerState::from_bytes(&bytes));
            match read {
                Ok(found) => return Ok(Newest { found: Some(found), damaged }),
                Err(error) => damaged.push((path, error.to_string())),
            }
        }
        Ok(Newest { found: None, damaged })
    }

    /// The steps after which there are checkpoints, in order.
    fn steps(&self) -> Result<Vec<u64>> {
        let folder = self.path.join(CHECKPOINTS);
        let entries = fs::read_dir(&folder).map_err(Error::io("read", &folder))?;
        let mut steps = Vec::new();
        for entry in entries {
            let name = entry.map_err(Error::io("read", &folder))?.file_name();
            let step = name.to_str().and_then(|name| name.strip_prefix("step-")?.strip_suffix(".ckpt"));
            steps.extend(step.and_then(|step| step.parse::<u64>().ok()));
        }
        steps.sort_unstable();
        Ok(steps)
    }

    fn checkpoint(&self, step: u64) -> PathBuf {
        self.path.join(CHECKPOINTS).join(format!("step-{step:010}.ckpt"))
    }
}
