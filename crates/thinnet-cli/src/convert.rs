//! `thinnet data convert`: any data set as a NumPy archive.

use std::fs;

use crate::args::data::ConvertArguments;
use crate::failure::Failure;
use crate::figures::byte_size;
use crate::folder;
use crate::output::Output;

/// Reads the data set and writes it.
pub(crate) fn run(arguments: &ConvertArguments, output: &Output) -> Result<(), Failure> {
    let out = &arguments.out;
    folder::check_file("", out, "npz", arguments.force)?;
    let set = arguments.read.open(&arguments.path)?;
    output.notes_of(&set);
    set.save_npz(out, arguments.force)?;
    let size = fs::metadata(out).map_or(0, |found| found.len());
    let parts: Vec<String> =
        set.parts().map(|(part, split)| format!("{part} {:?}", split.x().dim())).collect();
    output.aside(&format!("{}: {}, {}", out.display(), parts.join(", "), byte_size(size as f64)));
    output.line(&out.display().to_string())
}
