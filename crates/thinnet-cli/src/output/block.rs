//! Lines that are drawn in place on standard error, whatever becomes of the terminal's width.

use std::fmt;
use std::io::{self, Write};
use std::mem;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle, TermLike};

use super::style::{Paint, Stream};
use super::wrap::{characters, seen};

/// Where lines are drawn, and what can be shown there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Canvas {
    /// Columns of the terminal.
    pub(crate) columns: usize,
    /// Whether it has the characters that bars and curves are made of.
    pub(crate) unicode: bool,
    pub(super) stream: Stream,
}

impl Canvas {
    /// The text, coloured where colours are.
    pub(crate) fn paint(self, paint: Paint, text: &str) -> String {
        self.stream.paint(paint, text)
    }

    /// One without colours, for tests.
    #[cfg(test)]
    pub(crate) fn plain(columns: usize, unicode: bool) -> Self {
        Self { columns, unicode, stream: Stream { terminal: false, colour: false } }
    }
}

/// How often a display is drawn anew.
const REDRAW: Duration = Duration::from_millis(125);

/// Shows lines below the others, on standard error, and draws them anew several times a second, on a thread of its own.
///
/// - `done`, `steps`: steps done before, and of all
/// - `lines`: what to show, given what is known of steps and time
pub(super) fn display<F>(canvas: Canvas, done: u64, steps: u64, lines: F) -> ProgressBar
where
    F: Fn(&ProgressState, Canvas) -> Vec<String> + Clone + Send + Sync + 'static,
{
    let write = move |state: &ProgressState, text: &mut dyn fmt::Write| {
        let canvas = Canvas { columns: size().0, ..canvas };
        let _ = text.write_str(&lines(state, canvas).join("\n"));
    };
    let style = ProgressStyle::with_template("{lines}").unwrap_or_else(|_| ProgressStyle::default_bar());
    let hertz = 10;
    let target = ProgressDrawTarget::term_like_with_hz(Box::new(Block::default()), hertz);
    let bar = ProgressBar::with_draw_target(Some(steps), target);
    bar.set_style(style.with_key("lines", write));
    bar.set_position(done);
    // What was done before says nothing about the speed.
    bar.reset_eta();
    bar.enable_steady_tick(REDRAW);
    bar
}

/// What indicatif draws on.
///
/// On a terminal itself, indicatif fills each line with blanks until it wraps. A terminal that changes its width flows such
/// lines together; the next drawing then starts in the wrong place, and eats what stands above or leaves half of itself behind.
/// Here each line is ended, the cursor stays on an empty line below them (where `^C` and a shell's prompt do no harm), and the
/// way back up is counted for the width that the terminal has by then.
///
/// A terminal has another width for a while before that is known here (over ssh, as long as a message takes). Were a line to wrap
/// that is drawn meanwhile, the lines would take more rows than are known of, and what is too much would stay for good. So nothing
/// wraps while it is drawn: the new lines take the last rows of the old ones, a row each, and the way back is right again once the
/// width is known.
#[derive(Debug, Default)]
struct Block(Mutex<Drawing>);

/// From here on what is beyond the last column is cut off, and from here on it is on the next row again.
const NO_WRAP: &str = "\x1b[?7l";
const WRAP: &str = "\x1b[?7h";

/// What is drawn, and what was.
#[derive(Debug, Default)]
struct Drawing {
    lines: Vec<String>,
    /// Characters of each line on the screen.
    shown: Vec<usize>,
}

/// Columns and rows of the terminal; those of old where it does not say.
pub(super) fn size() -> (usize, usize) {
    match terminal_size::terminal_size_of(io::stderr()) {
        Some((width, height)) if width.0 > 0 && height.0 > 0 => (width.0.into(), height.0.into()),
        _ => (80, 24),
    }
}

impl Drawing {
    /// What goes to a terminal of this size to put the new lines in the place of the old ones.
    fn replace(&mut self, columns: usize, rows: usize) -> String {
        let up: usize = self.shown.iter().map(|shown| shown.div_ceil(columns.max(1)).max(1)).sum();
        let mut text = if up == 0 { String::new() } else { format!("\r\x1b[{up}A") };
        let mut lines = mem::take(&mut self.lines);
        lines.truncate(rows.saturating_sub(1));
        let room = columns.saturating_sub(1).max(1);
        lines.iter_mut().filter(|line| characters(line) > room).for_each(|line| *line = cut(line, room));
        for line in &lines {
            text.push_str("\x1b[2K");
            text.push_str(line);
            text.push_str("\r\n");
        }
        if up > 0 {
            text.push_str("\x1b[J");
        }
        self.shown = lines.iter().map(|line| characters(line)).collect();
        text
    }
}

/// A line without what is beyond so many characters that are seen, its colours ended where they end.
fn cut(line: &str, room: usize) -> String {
    let mut count = 0;
    let mut fits = |seen: bool| {
        count += usize::from(seen);
        !seen || count <= room
    };
    seen(line).filter(|&(_, seen)| fits(seen)).map(|(character, _)| character).collect()
}

impl TermLike for Block {
    fn width(&self) -> u16 {
        // Nothing is to be wrapped: the lines come as they fit.
        u16::MAX
    }

    fn height(&self) -> u16 {
        u16::MAX
    }

    // Where lines go is settled in `flush`; until then indicatif moves about in vain.
    fn move_cursor_up(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_down(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        Ok(())
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.write_str(text)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        // Blanks are what a line is filled with.
        if !text.trim().is_empty() {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).lines.push(text.to_owned());
        }
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        let (columns, rows) = size();
        let text = self.0.lock().unwrap_or_else(PoisonError::into_inner).replace(columns, rows);
        let mut err = io::stderr().lock();
        err.write_all(format!("{NO_WRAP}{text}{WRAP}").as_bytes())?;
        err.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawing(shown: &[usize], lines: &[&str]) -> Drawing {
        Drawing { shown: shown.to_vec(), lines: lines.iter().map(|&line| line.to_owned()).collect() }
    }

    #[test]
    fn the_way_back_is_counted_for_the_width_that_the_terminal_has() {
        // Three lines of 70, 50 and 0 characters are 3 rows of 80 columns, 5 of 40.
        assert!(drawing(&[70, 50, 0], &["a"]).replace(80, 24).starts_with("\r\x1b[3A\x1b[2Ka\r\n"));
        assert!(drawing(&[70, 50, 0], &["a"]).replace(40, 24).starts_with("\r\x1b[5A\x1b[2Ka\r\n"));
        assert!(drawing(&[80], &[]).replace(80, 24).starts_with("\r\x1b[1A"));
    }

    #[test]
    fn what_does_not_fit_the_height_is_left_out() {
        let mut drawing = drawing(&[], &["a", "b", "c"]);
        assert_eq!(drawing.replace(80, 3), "\x1b[2Ka\r\n\x1b[2Kb\r\n");
        assert_eq!(drawing.shown, [1, 1]);
        assert_eq!(drawing.replace(80, 3), "\r\x1b[2A\x1b[J", "taken away");
        assert_eq!(drawing.replace(80, 3), "", "nothing is there");
    }

    #[test]
    fn what_does_not_fit_the_width_is_cut_off() {
        let mut drawing = drawing(&[], &["\x1b[1mab\x1b[0mcd", "\x1b[1mabcd\x1b[0m"]);
        assert_eq!(drawing.replace(4, 24), "\x1b[2K\x1b[1mab\x1b[0mc\r\n\x1b[2K\x1b[1mabc\x1b[0m\r\n");
        assert_eq!(drawing.shown, [3, 3]);
    }
}
