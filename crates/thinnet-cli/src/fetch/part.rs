//! An incomplete file: `NAME.part`, which becomes `NAME` when it is complete and its checksum is right.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use md5::{Digest, Md5};
use thinnet::files::{folder_of, sync_names};

use super::source::RemoteFile;
use crate::failure::Failure;

/// Where the bytes of a partial file come from: what a server needs to send the rest of the same file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The address.
    pub(crate) url: String,
    /// The server's mark for that version of the file: its `ETag` or its `Last-Modified`.
    pub(crate) validator: String,
}

/// A partial file, locked against other processes.
#[derive(Debug)]
pub(crate) struct PartialFile {
    file: File,
    path: PathBuf,
    target: PathBuf,
    len: u64,
}

impl PartialFile {
    /// Opens the partial file of `target`, or creates it. Its folder must exist.
    pub(crate) fn open(target: &Path) -> Result<Self, Failure> {
        let path = with_suffix(target, ".part");
        let refuse = |reason: io::Error| {
            Failure::Refused(format!("cannot write {}: {}", path.display(), text(&reason)))
        };
        let file = OpenOptions::new().read(true).append(true).create(true).open(&path).map_err(refuse)?;
        // If a file system has no locks, the checksum still detects the mixed bytes of two writers.
        if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
            return Err(Failure::Refused(format!("another thinnet is fetching {}", target.display())));
        }
        let len = file.metadata().map_err(refuse)?.len();
        Ok(Self { file, path, target: target.to_path_buf(), len })
    }

    /// The number of bytes so far.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// `NAME.part`.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Appends bytes.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let written = self.file.write_all(bytes);
        self.len = match written {
            Ok(()) => self.len + bytes.len() as u64,
            Err(_) => self.file.metadata().map_or(self.len, |metadata| metadata.len()),
        };
        written
    }

    /// Drops all bytes.
    pub(crate) fn clear(&mut self) -> io::Result<()> {
        self.file.set_len(0)?;
        self.len = 0;
        self.set_origin(None)
    }

    /// Where the bytes come from, if known.
    pub(crate) fn origin(&self) -> Option<Origin> {
        let text = fs::read_to_string(self.origin_path()).ok()?;
        let (url, validator) = text.strip_suffix('\n')?.split_once('\n')?;
        Some(Origin { url: url.to_owned(), validator: validator.to_owned() })
    }

    /// Records where the bytes come from.
    pub(crate) fn set_origin(&self, origin: Option<&Origin>) -> io::Result<()> {
        match origin {
            Some(Origin { url, validator }) => fs::write(self.origin_path(), format!("{url}\n{validator}\n")),
            None => match fs::remove_file(self.origin_path()) {
                Err(reason) if reason.kind() != io::ErrorKind::NotFound => Err(reason),
                _ => Ok(()),
            },
        }
    }

    /// The MD5 checksum of the bytes, as read back.
    pub(crate) fn md5(&mut self) -> io::Result<String> {
        self.file.seek(SeekFrom::Start(0))?;
        md5(&mut self.file)
    }

    /// Gives the file its name permanently: it is on the disk when this returns.
    pub(crate) fn finish(self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.path, &self.target)?;
        self.set_origin(None)?;
        sync_names(folder_of(&self.target))
    }

    /// Keeps the received bytes for the next time; deletes an empty file. Returns whether there are any bytes.
    pub(crate) fn leave(self) -> bool {
        if self.len == 0 {
            let _ = fs::remove_file(&self.path);
            let _ = self.set_origin(None);
        }
        self.len > 0
    }

    fn origin_path(&self) -> PathBuf {
        with_suffix(&self.path, ".origin")
    }
}

/// Whether the file exists and has the right content.
pub(crate) fn is_whole(path: &Path, file: &RemoteFile) -> io::Result<bool> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() && metadata.len() == file.size => {
            Ok(md5(&mut File::open(path)?)? == file.md5)
        }
        Ok(_) => Ok(false),
        Err(reason) if matches!(reason.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(false)
        }
        Err(reason) => Err(reason),
    }
}

/// The system's reason in words for the user.
pub(crate) fn text(reason: &io::Error) -> String {
    match reason.kind() {
        io::ErrorKind::StorageFull => "the disk is full".to_owned(),
        io::ErrorKind::QuotaExceeded => "the user's share of the disk is used up".to_owned(),
        _ => reason.to_string(),
    }
}

/// The MD5 of everything that can be read, in hexadecimal digits.
fn md5(file: &mut impl Read) -> io::Result<String> {
    let mut hasher = Md5::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => hasher.update(&buffer[..count]),
            Err(reason) if reason.kind() == io::ErrorKind::Interrupted => {}
            Err(reason) => return Err(reason),
        }
    }
    Ok(format!("{:032x}", u128::from_be_bytes(hasher.finalize().into())))
}

/// The path with a suffix on its name.
fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn md5_is_that_of_rfc_1321() {
        for (text, sum) in
            [("", "d41d8cd98f00b204e9800998ecf8427e"), ("message digest", "f96b697d7cb7938d525a2f31aaf161d0")]
        {
            assert_eq!(md5(&mut text.as_bytes()).unwrap(), sum);
        }
    }

    #[test]
    fn a_part_is_one_writers_and_stays_until_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("file");
        let origin = Origin { url: "http://host/file".to_owned(), validator: "\"1\"".to_owned() };
        let mut part = PartialFile::open(&target).unwrap();
        assert!(
            matches!(PartialFile::open(&target), Err(Failure::Refused(text)) if text.contains("another thinnet"))
        );
        part.append(b"mess").unwrap();
        part.set_origin(Some(&origin)).unwrap();
        assert!(part.leave());

        let mut part = PartialFile::open(&target).unwrap();
        assert_eq!((part.len(), part.origin()), (4, Some(origin)));
        part.append(b"age").unwrap();
        assert_eq!(part.md5().unwrap(), md5(&mut &b"message"[..]).unwrap());
        part.append(b"!").unwrap(); // behind the end, wherever it was read
        part.finish().unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"message!");
        assert_eq!(folder.path().read_dir().unwrap().count(), 1);

        let mut part = PartialFile::open(&target).unwrap();
        part.append(b"x").unwrap();
        part.clear().unwrap();
        assert!(!part.leave());
        assert_eq!(folder.path().read_dir().unwrap().count(), 1, "an empty part leaves nothing");
    }
}
