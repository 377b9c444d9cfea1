//! The capabilities of a stream, and colours if it supports them.

use std::env;

use clap::builder::styling::{AnsiColor, Style};

/// The capabilities of a stream.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stream {
    pub(super) terminal: bool,
    pub(super) colour: bool,
}

/// The style of a text, if there are colours.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Paint {
    Good,
    Bad,
    Faint,
    Strong,
    Accent,
}

impl Stream {
    /// Colours are used if a terminal supports them, unless `NO_COLOR` (<https://no-color.org>) is set.
    pub(super) fn new(terminal: bool) -> Self {
        let refused = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) || dumb();
        Self { terminal, colour: terminal && !refused }
    }

    /// The text, in colour if colours are used.
    pub(super) fn paint(self, paint: Paint, text: &str) -> String {
        let style = match paint {
            Paint::Good => AnsiColor::Green.on_default(),
            Paint::Bad => AnsiColor::Red.on_default().bold(),
            Paint::Faint => Style::new().dimmed(),
            Paint::Strong => Style::new().bold(),
            Paint::Accent => AnsiColor::Cyan.on_default(),
        };
        if self.colour { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

/// Whether the terminal can only write one line after another.
pub(super) fn dumb() -> bool {
    env::var_os("TERM").is_none_or(|value| value == "dumb" || value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_colours_away_from_a_terminal() {
        assert_eq!(Stream::new(false).paint(Paint::Bad, "error:"), "error:");
    }
}
