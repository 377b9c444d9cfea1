//! Help that fits the terminal: clap wraps the lines of options. The text below them is wrapped here; continued lines
//! have the same indentation.

use std::env;

use clap::{Command, CommandFactory, FromArgMatches};

use crate::args::Arguments;
use crate::output::wrap;

/// The max and min width of help.
const WIDEST: usize = 100;
const NARROWEST: usize = 30;

/// The arguments that the program was started with.
pub(crate) fn parse() -> Result<Arguments, clap::Error> {
    let matches = command(columns()).try_get_matches()?;
    Arguments::from_arg_matches(&matches)
}

/// The program's definition, with help of this width.
fn command(columns: usize) -> Command {
    fitted(Arguments::command().term_width(columns), columns)
}

fn fitted(command: Command, columns: usize) -> Command {
    let below = command.get_after_help().map(|text| wrap(&text.to_string(), columns));
    let command = match below {
        Some(text) => command.after_help(text),
        None => command,
    };
    command.mut_subcommands(|below| fitted(below, columns))
}

/// The width of help: that of the terminal or of the environment, as clap determines it.
fn columns() -> usize {
    let terminal = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    let told = || env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let columns = terminal.filter(|&columns| columns > 0).or_else(told).unwrap_or(WIDEST);
    columns.clamp(NARROWEST, WIDEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::characters;

    /// Every command by its words: "thinnet data fetch".
    fn all(command: &Command, name: &str, found: &mut Vec<(String, Command)>) {
        found.push((name.to_owned(), command.clone()));
        for below in command.get_subcommands() {
            all(below, &format!("{name} {}", below.get_name()), found);
        }
    }

    fn commands(columns: usize) -> Vec<(String, Command)> {
        let mut command = command(columns);
        command.build();
        let mut found = Vec::new();
        all(&command, "thinnet", &mut found);
        assert!(found.len() > 12, "{found:?}");
        found
    }

    /// Lines that end in the source, as those of examples do, fit 80 columns. All else is paragraphs, whose lines end where the
    /// terminal does.
    #[test]
    fn texts_are_not_broken_by_hand() {
        for (name, command) in commands(usize::MAX) {
            let below = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let mut before = "";
            for line in below.lines() {
                let indented = line.starts_with(' ');
                assert!(!indented || characters(line) <= 80, "{name}: {line:?}");
                let is_paragraph = |line: &str| !line.is_empty() && !line.starts_with(' ');
                let goes_on = is_paragraph(line) && is_paragraph(before);
                assert!(!goes_on, "{name}: {line:?} goes on with {before:?}");
                before = line;
            }
            for argument in command.get_arguments() {
                let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
                assert!(!help.contains('\n'), "{name}: {help}");
            }
        }
    }

    #[test]
    fn no_line_of_help_is_wider_than_the_terminal() {
        for columns in [50, 60, 80, 100] {
            for (name, mut command) in commands(columns) {
                for line in command.render_help().to_string().lines() {
                    let alone = line.trim_start().split(' ').count() == 1;
                    assert!(alone || characters(line) <= columns, "{name} in {columns} columns: {line:?}");
                }
            }
        }
    }

    /// A line that was broken twice leaves a word or two behind, and goes on with a full line.
    #[test]
    fn what_stands_below_the_options_is_broken_once() {
        for columns in [50, 80] {
            let wide = commands(usize::MAX);
            for ((name, mut command), (_, whole)) in commands(columns).into_iter().zip(wide) {
                let Some(whole) = whole.get_after_help() else { continue };
                let expected = wrap(&whole.to_string(), columns);
                let help = command.render_help().to_string();
                assert!(
                    help.trim_end().ends_with(expected.trim_end()),
                    "{name} in {columns} columns: {help}"
                );
            }
        }
    }
}
