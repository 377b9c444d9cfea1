//! `thinnet completions` and `thinnet man`: made from the definition of the arguments.

use std::fs;
use std::io;
use std::path::Path;

use clap::builder::Resettable;
use clap::{Command, CommandFactory};
use clap_mangen::Man;

use crate::args::Arguments;
use crate::args::manual::{CompletionsArguments, ManArguments};
use crate::failure::Failure;
use crate::figures::plural;
use crate::folder;
use crate::output::Output;

/// Writes the script for a shell to standard output.
pub(crate) fn completions(arguments: &CompletionsArguments, output: &Output) -> Result<(), Failure> {
    let mut command = visible(&Arguments::command());
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, name, &mut script);
    output.text(&String::from_utf8_lossy(&script))
}

/// The command without hidden options, which shells would offer as well.
fn visible(command: &Command) -> Command {
    // An option that is left out must not be referred to by another.
    let arguments = command.get_arguments().filter(|argument| !argument.is_hide_set());
    let arguments = arguments
        .map(|argument| argument.clone().conflicts_with(Resettable::Reset).requires(Resettable::Reset));
    let below = command.get_subcommands().filter(|below| !below.is_hide_set()).map(visible);
    let mut shown = Command::new(command.get_name().to_owned())
        .disable_help_subcommand(true)
        .args(arguments)
        .subcommands(below);
    if let Some(version) = command.get_version() {
        shown = shown.version(version.to_owned());
    }
    if let Some(about) = command.get_about() {
        shown = shown.about(about.clone());
    }
    shown
}

/// Writes the page of the program to standard output, or the pages of all commands into a folder.
pub(crate) fn pages(arguments: &ManArguments, output: &Output) -> Result<(), Failure> {
    let mut command = Arguments::command();
    // Names such as thinnet-data-fetch only exist after building.
    command.build();
    let Some(dir) = &arguments.dir else {
        let page = page(command).map_err(|error| Failure::output(&error))?;
        return output.text(&String::from_utf8_lossy(&page));
    };
    folder::check("DIR", dir)?;
    let refuse = |error| Failure::Refused(format!("cannot write in {}: {error}", dir.display()));
    fs::create_dir_all(dir).map_err(refuse)?;
    let written = write(command, dir).map_err(refuse)?;
    output.note(&format!("{} in {}", plural(written, "page"), dir.display()));
    Ok(())
}

/// Writes the pages of a command and all its subcommands; returns their number.
fn write(command: Command, dir: &Path) -> io::Result<usize> {
    let below: Vec<_> = command.get_subcommands().filter(|below| !below.is_hide_set()).cloned().collect();
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    fs::write(dir.join(format!("{name}.1")), page(command)?)?;
    below.into_iter().try_fold(1, |written, below| Ok(written + write(below, dir)?))
}

/// A command's page.
fn page(command: Command) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    Man::new(command).manual("thinnet").render(&mut page)?;
    Ok(page)
}
