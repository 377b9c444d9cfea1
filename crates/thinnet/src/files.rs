//! Files that are written completely or not at all, files locked by one process, and tables as text.

use std::fs::{self, File, TryLockError};
#[cfg_attr(not(feature = "report"), allow(unused_imports, reason = "reports write more"))]
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
#[cfg(feature = "report")]
use std::thread;

use tempfile::{NamedTempFile, TempPath};

use crate::error::{Error, Result};

/// How the names of files begin that are not complete.
pub(crate) const TEMPORARY: &str = ".thinnet-";

/// Writes files into `folder`, which is created if it does not exist; returns their paths.
///
/// Each file is first written in full under a temporary name in the same folder and synced. It gets its own name only
/// when all of them are complete: a full disk leaves the folder unchanged, and nobody ever reads half a file.
#[cfg(feature = "report")]
pub(crate) fn write_all(folder: &Path, files: &[(impl AsRef<Path>, Vec<u8>)]) -> Result<Vec<PathBuf>> {
    fs::create_dir_all(folder).map_err(Error::io("create the folder", folder))?;
    let mut waiting = Vec::with_capacity(files.len());
    for (name, bytes) in files {
        let path = folder.join(name);
        if path.is_dir() {
            return Err(Error::io("write", &path)(io::ErrorKind::IsADirectory.into()));
        }
        let mut file = temporary(folder).map_err(Error::io("write to the folder", folder))?;
        file.write_all(bytes).map_err(Error::io("write", &path))?;
        waiting.push((file, path));
    }
    sync(&waiting)?;
    let mut paths = Vec::with_capacity(files.len());
    for (file, path) in waiting {
        file.persist(&path).map_err(|e| Error::io("write", &path)(e.error))?;
        paths.push(path);
    }
    sync_names(folder).map_err(Error::io("write to the folder", folder))?;
    Ok(paths)
}

/// Writes one file, whose folder must exist, like [`write_all`]; `fill` writes the content.
///
/// - `replace`: whether an existing file may be replaced
pub(crate) fn write_one(
    path: &Path,
    replace: bool,
    fill: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> Result<()> {
    if path.is_dir() {
        return Err(Error::io("write", path)(io::ErrorKind::IsADirectory.into()));
    }
    let mut file = NewFile::create(path).map_err(Error::io("write to the folder", folder_of(path)))?;
    fill(&mut file.content).and_then(|()| file.finish(replace)).map_err(Error::io("write", path))
}

/// A file that is being written: it gets its name when it is complete, and leaves nothing behind if it never is.
#[derive(Debug)]
pub struct NewFile {
    /// Its content.
    pub content: BufWriter<File>,
    nameless: TempPath,
    path: PathBuf,
}

impl NewFile {
    /// Creates a file in the folder of `path`, which must exist.
    ///
    /// # Errors
    /// If no file can be created there.
    pub fn create(path: &Path) -> io::Result<Self> {
        let (file, nameless) = temporary(folder_of(path))?.into_parts();
        Ok(Self { content: BufWriter::with_capacity(1 << 18, file), nameless, path: path.to_path_buf() })
    }

    /// Gives the file its name permanently: its content is on the disk when this returns.
    ///
    /// - `replace`: whether an existing file may be replaced
    ///
    /// # Errors
    /// If it cannot be written or renamed.
    pub fn finish(self, replace: bool) -> io::Result<()> {
        self.content.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        let path = &self.path;
        let named = if replace { self.nameless.persist(path) } else { self.nameless.persist_noclobber(path) };
        named.map_err(|error| error.error)?;
        sync_names(folder_of(path))
    }
}

/// The folder that a file is in.
pub fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Syncs files at the same time: for a file system this costs little more than syncing one.
#[cfg(feature = "report")]
fn sync(files: &[(NamedTempFile, PathBuf)]) -> Result<()> {
    thread::scope(|scope| {
        let mut threads = Vec::with_capacity(files.len());
        for (file, path) in files {
            let thread = thread::Builder::new().spawn_scoped(scope, || file.as_file().sync_all());
            threads.push((thread.map_err(Error::io("start writing", path))?, path));
        }
        for (thread, path) in threads {
            let synced =
                thread.join().unwrap_or_else(|_| Err(io::Error::other("the writing thread panicked")));
            synced.map_err(Error::io("write", path))?;
        }
        Ok(())
    })
}

/// A new file with the permissions of any new file: by default only the owner can read a temporary file.
fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMPORARY);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666)); // minus the umask
    }
    builder.tempfile_in(folder)
}

/// Makes the new names in a folder permanent, like the files' contents, even if the power fails. Only Unix needs
/// this.
///
/// # Errors
/// If the folder cannot be synced.
pub fn sync_names(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// Locks a file for this process, until it is closed or the process ends.
///
/// Some network file systems have no locks; there the user must be careful.
///
/// - `how`: [`File::try_lock`], or [`File::try_lock_shared`] to share it with others that do the same
///
/// # Errors
/// [`Error::Configuration`] with the reason `taken` if another process has locked it.
pub(crate) fn lock(
    file: File,
    how: fn(&File) -> std::result::Result<(), TryLockError>,
    taken: impl FnOnce() -> String,
) -> Result<File> {
    match how(&file) {
        Err(TryLockError::WouldBlock) => Err(Error::configuration(taken())),
        Ok(()) | Err(TryLockError::Error(_)) => Ok(file),
    }
}

/// A table as CSV; `fill` writes its lines, including the column names.
///
/// - `name`: the file's name
///
/// # Errors
/// [`Error::Report`] if it cannot be created.
pub(crate) fn csv(
    name: &'static str,
    fill: impl FnOnce(&mut csv::Writer<Vec<u8>>) -> csv::Result<()>,
) -> Result<Vec<u8>> {
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    fill(&mut writer).map_err(Error::report(name))?;
    writer.into_inner().map_err(|error| Error::report(name)(error.into_error()))
}
