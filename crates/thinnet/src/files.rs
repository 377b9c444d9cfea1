//! Files that are written whole or not at all, files that one process has at a time, and tables as text.

use std::fs::{self, File, TryLockError};
#[cfg_attr(not(feature = "report"), allow(unused_imports, reason = "reports write more"))]
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
#[cfg(feature = "report")]
use std::thread;

use tempfile::{NamedTempFile, TempPath};

use crate::error::{Error, Result};

/// Writes files into `folder`, which is made if it is not there; gives their paths.
///
/// Each file is first written in full under a temporary name in the same folder and synced, and takes its own name only
/// when all of them are there: a full disk leaves the folder as it was, and nobody ever reads half a file.
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

/// Writes one file, whose folder must be there, as [`write_all`] does; `fill` writes what it holds.
///
/// - `replace`: whether a file that is there may be replaced
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

/// A file that is being written: it takes its name when it is whole, and leaves nothing behind if it never is.
#[derive(Debug)]
pub struct NewFile {
    /// What it holds.
    pub content: BufWriter<File>,
    nameless: TempPath,
    path: PathBuf,
}

impl NewFile {
    /// Begins a file in the folder of `path`, which must be there.
    ///
    /// # Errors
    /// Where no file can be made there.
    pub fn create(path: &Path) -> io::Result<Self> {
        let (file, nameless) = temporary(folder_of(path))?.into_parts();
        Ok(Self { content: BufWriter::with_capacity(1 << 18, file), nameless, path: path.to_path_buf() })
    }

    /// Gives the file its name, for good: its content is on the disk when this returns.
    ///
    /// - `replace`: whether a file that is there may be replaced
    ///
    /// # Errors
    /// Where it cannot be written or named.
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

/// Syncs files at the same time: a file system settles them all for little more than the price of one.
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

/// A new file with the permissions of any other new file: a temporary one is the owner's alone by default.
fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".thinnet-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666)); // less the umask
    }
    builder.tempfile_in(folder)
}

/// Makes the new names in a folder last as the files' contents do: through a power cut, too. Elsewhere than on Unix they do so
/// by themselves.
///
/// # Errors
/// Where the folder cannot be synced.
pub fn sync_names(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// Takes a file for this process alone, until it is closed: at the process's end, however it ends.
///
/// Some network file systems have no locks; what is there is as safe as its owner is careful.
///
/// # Errors
/// [`Error::Configuration`] with the reason `taken` if another process has it.
pub(crate) fn lock(file: File, taken: impl FnOnce() -> String) -> Result<File> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(Error::configuration(taken())),
        Ok(()) | Err(TryLockError::Error(_)) => Ok(file),
    }
}

/// A table as CSV, whose lines `fill` writes, the names of the columns among them.
///
/// - `name`: what the file is called
///
/// # Errors
/// [`Error::Report`] if it cannot be made.
pub(crate) fn csv(
    name: &'static str,
    fill: impl FnOnce(&mut csv::Writer<Vec<u8>>) -> csv::Result<()>,
) -> Result<Vec<u8>> {
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    fill(&mut writer).map_err(Error::report(name))?;
    writer.into_inner().map_err(|error| Error::report(name)(error.into_error()))
}
