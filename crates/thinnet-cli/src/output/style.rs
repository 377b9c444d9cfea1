//! What a stream can show, and colours where it shows them.

use std::env;

use clap::builder::styling::{AnsiColor, Style};

/// What a stream can show.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stream {
    pub(super) terminal: bool,
    pub(super) colour: bool,
}

/// How a piece of text is shown where colours are.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Paint {
    Good,
    Bad,
    Faint,
    Strong,
    Accent,
}

impl Stream {
    /// Colours are for a terminal that can show them, unless `NO_COLOR` (<https://no-color.org>) is set.
    pub(super) fn new(terminal: bool) -> Self {
        let refused = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) || dumb();
        Self { terminal, colour: terminal && !refused }
    }

    /// The text, coloured where colours are.
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

/// Whether the terminal can do no more than write one line after the other.
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
