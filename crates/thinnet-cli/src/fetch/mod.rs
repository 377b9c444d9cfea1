//! `thinnet data fetch`: the available data sets ([`names`]), the files of each ([`source`]), the request for a file
//! ([`http`]), its download in several attempts ([`download`]), a file before it is complete ([`part`]), and the
//! progress display ([`watch`]).

mod download;
mod http;
pub(crate) mod names;
mod part;
mod source;
mod watch;

use std::fs;
use std::path::Path;

use download::Downloader;
use http::Client;
use source::{RemoteFile, Source};
use watch::Watcher;

use crate::args::data::FetchArguments;
use crate::failure::Failure;
use crate::output::Output;
use crate::{folder, interrupt};

/// Fetches the missing files of a data set, and prints where they are.
pub(crate) fn run(arguments: &FetchArguments, output: &mut Output) -> Result<(), Failure> {
    let mut source = Source::named(&arguments.dataset, arguments.catalogue.as_deref())?;
    if let Some(url) = &arguments.url {
        source.set_url(url)?;
    }
    let dir = match &arguments.dir {
        Some(dir) => dir.clone(),
        None => source::default_dir()?,
    };
    let mut watcher = Watcher::new(output, interrupt::flag()?, arguments.quiet);
    let missing = missing(&source, &dir, &mut watcher)?;
    if !missing.is_empty() {
        let folder = source.folder(&dir);
        folder::check("--dir", &folder)?;
        fs::create_dir_all(&folder).map_err(|reason| {
            Failure::Refused(format!("cannot make the folder {}: {reason}", folder.display()))
        })?;
        let mut downloader = Downloader {
            client: Client::new(arguments.timeout)?,
            retries: arguments.retries,
            pause: arguments.pause,
            progress: &mut watcher,
        };
        for file in missing {
            downloader.fetch(file, &source.urls(file), &folder.join(&file.name))?;
        }
        watcher.note(&format!("{} is in {}; its checksums match", arguments.dataset, folder.display()));
    }
    output.line(&source.data(&dir).display().to_string())
}

/// The files that do not exist or have the wrong content.
fn missing<'a>(
    source: &'a Source,
    dir: &Path,
    progress: &mut Watcher<'_>,
) -> Result<Vec<&'a RemoteFile>, Failure> {
    let folder = source.folder(dir);
    let mut missing = Vec::new();
    for file in &source.files {
        let path = folder.join(&file.name);
        let whole = part::is_whole(&path, file).map_err(|reason| {
            Failure::Refused(format!("cannot read {}: {}", path.display(), part::text(&reason)))
        })?;
        if whole {
            progress.note(&format!("{} already exists, and its checksum matches", path.display()));
            continue;
        }
        if path.is_dir() {
            return Err(Failure::Refused(format!("{} is a folder, but it must be a file", path.display())));
        }
        if path.exists() {
            progress
                .note(&format!("{} differs from the published file, and will be replaced", path.display()));
        }
        missing.push(file);
    }
    Ok(missing)
}
