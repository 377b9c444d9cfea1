//! Checks a folder for output before there is anything to write.

use std::path::{Path, PathBuf};

use thinnet::files::folder_of;
use thinnet::report::FILES;

use crate::failure::Failure;

/// Refuses a folder that could not be written later; the test leaves no trace.
///
/// - `option`: the argument that names the folder
pub(crate) fn check(option: &str, folder: &Path) -> Result<(), Failure> {
    let refuse = |reason: String| Failure::Refused(format!("{option} {}: {reason}", folder.display()));
    // To create folders, the nearest existing one must be writable.
    let existing = nearest_existing(folder);
    if !existing.is_dir() {
        return Err(refuse(format!("{} is not a folder", existing.display())));
    }
    takes_files(&existing).map_err(refuse)
}

/// Refuses a folder in which files cannot be created. Permissions are not enough (a read-only file system, a quota),
/// so this creates a nameless file.
fn takes_files(folder: &Path) -> Result<(), String> {
    let reason = |error| format!("cannot write in {}: {}", folder.display(), cause(&error));
    tempfile::tempfile_in(folder).map(drop).map_err(reason)
}

/// [`check`] of `--out`, which also must not contain a folder with the name of one of the report's files.
pub(crate) fn check_for_report(folder: &Path) -> Result<(), Failure> {
    check("--out", folder)?;
    match FILES.into_iter().find(|name| folder.join(name).is_dir()) {
        None => Ok(()),
        Some(name) => Err(Failure::Refused(format!(
            "--out {}: it holds a folder {name}, but the report needs a file with that name",
            folder.display()
        ))),
    }
}

/// Refuses a folder of results within a folder of data, because the data would change.
pub(crate) fn check_outside(out: &Path, data: &Path) -> Result<(), Failure> {
    let (Ok(data), Ok(above)) = (data.canonicalize(), nearest_existing(out).canonicalize()) else {
        return Ok(());
    };
    if data.is_dir() && above.starts_with(&data) {
        return Err(Failure::Refused(format!(
            "--out {}: it is inside the data folder {}; choose a folder outside it",
            out.display(),
            data.display()
        )));
    }
    Ok(())
}

/// Refuses a file that could not be written later, because of its name or its folder, which must exist.
///
/// - `extension`: the required end of its name; empty for any name
/// - `replace`: whether an existing file may be replaced
pub(crate) fn check_file(argument: &str, file: &Path, extension: &str, replace: bool) -> Result<(), Failure> {
    let refuse = |reason: String| Failure::Refused(format!("{argument}{}: {reason}", file.display()));
    if !extension.is_empty() && !file.extension().is_some_and(|found| found.eq_ignore_ascii_case(extension)) {
        return Err(refuse(format!("the file name must end in .{extension}")));
    }
    let folder = folder_of(file);
    if !folder.is_dir() {
        return Err(refuse(format!("there is no folder {}", folder.display())));
    }
    if file.is_dir() {
        return Err(refuse("it is a folder".to_owned()));
    }
    if !replace && file.symlink_metadata().is_ok() {
        return Err(refuse("it already exists; --force replaces it".to_owned()));
    }
    takes_files(folder).map_err(refuse)
}

/// The path itself, or the nearest existing folder or file above it.
fn nearest_existing(path: &Path) -> PathBuf {
    let exists = |path: &&Path| path.symlink_metadata().is_ok();
    match path.ancestors().filter(|path| !path.as_os_str().is_empty()).find(exists) {
        Some(path) => path.to_path_buf(),
        None => PathBuf::from("."),
    }
}

/// The system's reason, without the path of the nameless file.
fn cause(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" at path ").next().unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_found_above_what_is_not_there_and_nothing_is_made() {
        let folder = tempfile::tempdir().unwrap();
        check("--out", &folder.path().join("a/b/c")).unwrap();
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
        assert_eq!(nearest_existing(Path::new("surely/not/here")), Path::new("."));
    }

    #[test]
    fn a_folder_in_a_files_place_is_seen_before_training() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("loss.csv")).unwrap();
        assert!(
            matches!(check_for_report(folder.path()), Err(Failure::Refused(text)) if text.contains("loss.csv"))
        );
    }

    #[test]
    fn a_file_is_not_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "kept").unwrap();
        for out in [file.clone(), file.join("below")] {
            assert!(
                matches!(check("--out", &out), Err(Failure::Refused(text)) if text.contains("is not a folder"))
            );
        }
    }
}
