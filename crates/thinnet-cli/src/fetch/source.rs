//! The files of each data set, their checksums, and their addresses.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use serde::Deserialize;
use ureq::http::Uri;

use crate::failure::Failure;

/// Addresses and MD5 checksums are those of torchvision's `datasets/cifar.py` and `datasets/mnist.py`, in the same
/// order, with Fashion-MNIST's own repository as a second mirror. Sizes in bytes come from the servers.
const BUILT_IN: &str = include_str!("datasets.json");

/// A data set on the servers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Source {
    /// The folder for the files, inside the folder of all data sets; empty for a single archive.
    #[serde(default)]
    folder: PathBuf,
    /// Addresses of folders with the files, in the order to try.
    mirrors: Vec<String>,
    /// The files.
    pub(crate) files: Vec<RemoteFile>,
}

/// A file on a server.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RemoteFile {
    /// Its name, here and on the server.
    pub(crate) name: String,
    /// Its size in bytes.
    pub(crate) size: u64,
    /// Its MD5 checksum, in lower-case hexadecimal digits.
    pub(crate) md5: String,
}

impl Source {
    /// The data set with that name, built in or from the given catalogue file.
    pub(crate) fn named(name: &str, catalogue: Option<&Path>) -> Result<Self, Failure> {
        let (read, origin) = match catalogue {
            None => (Ok(BUILT_IN.to_owned()), "the built-in catalogue".to_owned()),
            Some(file) => (fs::read_to_string(file), format!("--catalogue {}", file.display())),
        };
        let text = read.map_err(|reason| Failure::Refused(format!("cannot read {origin}: {reason}")))?;
        let mut all: BTreeMap<String, Self> = serde_json::from_str(&text)
            .map_err(|reason| Failure::Refused(format!("{origin} is not a catalogue: {reason}")))?;
        all.remove(name).ok_or_else(|| Failure::Refused(format!("{origin} has no data set '{name}'")))
    }

    /// Fetches only from this address: that of the file, or of the folder if there are several files.
    pub(crate) fn set_url(&mut self, url: &str) -> Result<(), Failure> {
        let refuse = |reason: String| Failure::Refused(format!("--url {url}: {reason}"));
        let uri: Uri = url.parse().map_err(|reason| refuse(format!("this is not an address ({reason})")))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.host().is_none_or(str::is_empty) {
            return Err(refuse("an address starts with http:// or https:// and a host's name".to_owned()));
        }
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(refuse("a name or password in an address is not supported".to_owned()));
        }
        if let [file] = self.files.as_slice() {
            let whole = if url.ends_with('/') { format!("{url}{}", file.name) } else { url.to_owned() };
            self.mirrors = vec![whole];
            return Ok(());
        }
        let count = self.files.len();
        let last = uri.path().rsplit('/').next().unwrap_or_default();
        if self.files.iter().any(|file| file.name == last) {
            return Err(refuse(format!(
                "this is the address of one file, but the data set has {count}; give the address of their folder"
            )));
        }
        if uri.query().is_some() {
            return Err(refuse(format!(
                "the data set has {count} files, whose names cannot follow a '?'; give a folder's address"
            )));
        }
        self.mirrors = vec![if url.ends_with('/') { url.to_owned() } else { format!("{url}/") }];
        Ok(())
    }

    /// The addresses of a file, in the order to try.
    pub(crate) fn urls(&self, file: &RemoteFile) -> Vec<String> {
        let join = |mirror: &String| {
            if mirror.ends_with('/') { format!("{mirror}{}", file.name) } else { mirror.clone() }
        };
        self.mirrors.iter().map(join).collect()
    }

    /// The folder for the files, inside the folder of all data sets.
    pub(crate) fn folder(&self, dir: &Path) -> PathBuf {
        // `join("")` would add a slash.
        if self.folder.as_os_str().is_empty() { dir.to_path_buf() } else { dir.join(&self.folder) }
    }

    /// The path for `--data`: the folder of the files, or the single archive.
    pub(crate) fn data(&self, dir: &Path) -> PathBuf {
        match self.files.as_slice() {
            [file] => self.folder(dir).join(&file.name),
            _ => self.folder(dir),
        }
    }
}

/// The default folder of data sets: `thinnet/datasets` in the user's cache folder, which is `$XDG_CACHE_HOME` or
/// `~/.cache` on Linux, `~/Library/Caches` on macOS and `%LOCALAPPDATA%` on Windows.
pub(crate) fn default_dir() -> Result<PathBuf, Failure> {
    let strategy = etcetera::base_strategy::choose_native_strategy().map_err(|_| {
        Failure::Refused("the user's home folder is not known; give a folder with --dir".to_owned())
    })?;
    Ok(strategy.cache_dir().join("thinnet").join("datasets"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_is_whole() {
        let all: BTreeMap<String, Source> = serde_json::from_str(BUILT_IN).unwrap();
        let mut names = super::super::names::NAMES;
        names.sort_unstable();
        assert!(all.keys().eq(names.iter()), "{:?}", all.keys());
        for (name, source) in all {
            assert!(!source.mirrors.is_empty() && !source.files.is_empty(), "{name}");
            assert!(source.mirrors.iter().all(|mirror| mirror.ends_with('/')), "{name}");
            for file in &source.files {
                assert!(file.md5.len() == 32 && file.size > 0, "{}", file.name);
                assert!(
                    file.md5.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')),
                    "{}",
                    file.md5
                );
                for url in source.urls(file) {
                    assert!(
                        Source::named(&name, None).unwrap().set_url(&url).is_ok()
                            == (source.files.len() == 1)
                    );
                }
            }
        }
    }

    #[test]
    fn an_address_is_that_of_a_file_or_of_a_folder() {
        let mut one = Source::named("cifar10", None).unwrap();
        let archive = one.files[0].clone();
        for (url, whole) in [
            ("http://host/any/name?key=1", "http://host/any/name?key=1"),
            ("http://host:8000/data/", "http://host:8000/data/cifar-10-python.tar.gz"),
        ] {
            one.set_url(url).unwrap();
            assert_eq!(one.urls(&archive), [whole]);
        }
        let mut four = Source::named("mnist", None).unwrap();
        let labels = four.files[3].clone();
        for url in ["https://host/digits", "https://host/digits/"] {
            four.set_url(url).unwrap();
            assert_eq!(four.urls(&labels), ["https://host/digits/t10k-labels-idx1-ubyte.gz"]);
        }
    }
}
