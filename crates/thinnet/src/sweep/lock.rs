//! Who trains in a sweep's folder: one process for all runs, or at most one for each shard.
//!
//! A lock ends with its process, however that ends. Some network file systems have no locks. There shards still share no run,
//! but the user must not start one twice.

use std::fs::{self, File};
use std::path::Path;

use super::shard::Shard;
use crate::error::{Error, Result};
use crate::files;

/// The folder of the shards' locks, in a sweep's folder: an empty file for each.
const SHARDS: &str = ".shards";

/// The lock on a sweep's folder.
#[derive(Debug)]
pub(super) struct Lock {
    /// Locked for this process alone, or shared with other shards.
    _manifest: File,
    _shard: Option<File>,
}

impl Lock {
    /// Takes the folder for the whole sweep, or for one shard of it.
    ///
    /// # Errors
    /// [`Error::Configuration`] if another process uses it for the same runs; [`Error::Io`].
    pub(super) fn take(folder: &Path, manifest: &Path, shard: Option<Shard>) -> Result<Self> {
        // Over NFS only a file that may be written can be locked for one process alone.
        let file = File::options().read(true).write(true).open(manifest).or_else(|_| File::open(manifest));
        let file = file.map_err(Error::io("read", manifest))?;
        let how = if shard.is_some() { File::try_lock_shared } else { File::try_lock };
        let taken = || format!("{} is in use: another process runs this sweep", manifest.display());
        let manifest = files::lock(file, how, taken)?;
        let shard = shard.map(|shard| take_shard(folder, shard)).transpose()?;
        Ok(Self { _manifest: manifest, _shard: shard })
    }
}

fn take_shard(folder: &Path, shard: Shard) -> Result<File> {
    let shards = folder.join(SHARDS);
    fs::create_dir_all(&shards).map_err(Error::io("create the folder", &shards))?;
    let path = shards.join(shard.to_string().replace('/', "-of-"));
    let file = File::options().create(true).truncate(false).read(true).write(true).open(&path);
    let taken = || {
        format!("{}: another process trains shard {shard} there; wait for it, or stop it", folder.display())
    };
    let lock = files::lock(file.map_err(Error::io("write", &path))?, File::try_lock, taken)?;
    // Shards of another number have some of the same runs. Of two that start at once, each sees the other's lock.
    for entry in fs::read_dir(&shards).map_err(Error::io("read the folder", &shards))? {
        let entry = entry.map_err(Error::io("read the folder", &shards))?;
        let other =
            entry.file_name().to_str().and_then(|name| name.replace("-of-", "/").parse::<Shard>().ok());
        let Some(other) = other.filter(|other| other.count() != shard.count()) else { continue };
        let taken = || {
            format!(
                "{}: another process trains shard {other} there, which has runs of shard {shard}; wait for it, or start shards \
                 of {}",
                folder.display(),
                other.count()
            )
        };
        let file = File::open(entry.path()).map_err(Error::io("read", &entry.path()))?;
        files::lock(file, File::try_lock_shared, taken)?;
    }
    Ok(lock)
}
