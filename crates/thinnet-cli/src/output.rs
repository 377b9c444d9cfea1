//! All output of the program: results on standard output, everything else on standard error.

use std::env;
use std::io::{self, IsTerminal, Write as _};
use std::sync::atomic::AtomicBool;

use indicatif::style::TemplateError;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use serde::Serialize;
use terminal_size::{Height, Width};
use thinnet::data::{DataSet, ReadProgress};

use crate::failure::Failure;
use crate::interrupt;

mod bars;
mod block;
mod reading;
mod style;
mod wrap;

use bars::{bar_style, transfer_style};
pub(crate) use block::Canvas;
use reading::Reading;
pub(crate) use style::Paint;
use style::{Stream, dumb};
pub(crate) use wrap::{characters, wrap};

/// Standard output and standard error, and their capabilities.
#[derive(Debug)]
pub(crate) struct Output {
    out: Stream,
    err: Stream,
    bar: Option<ProgressBar>,
}

/// From this width on, a bar need not fill the line.
const WIDE: usize = 90;
/// The width of such a bar.
const BAR: usize = 40;

impl Output {
    /// The process's streams.
    pub(crate) fn new() -> Self {
        Self {
            out: Stream::new(io::stdout().is_terminal()),
            err: Stream::new(io::stderr().is_terminal()),
            bar: None,
        }
    }

    /// Writes a line of results for people, above the progress bar if there is one; wrapped between words on a narrow
    /// terminal.
    pub(crate) fn line(&self, text: &str) -> Result<(), Failure> {
        match self.width() {
            Some(columns) => self.text(&format!("{}\n", wrap(text, columns))),
            None => self.text(&format!("{text}\n")),
        }
    }

    /// Writes results with their own line breaks unchanged: files, and output for programs.
    pub(crate) fn text(&self, text: &str) -> Result<(), Failure> {
        let write = || {
            let mut out = io::stdout().lock();
            out.write_all(text.as_bytes()).and_then(|()| out.flush())
        };
        self.bar
            .as_ref()
            .map_or_else(write, |bar| bar.suspend(write))
            .map_err(|error| Failure::output(&error))
    }

    /// Writes a line of JSON.
    pub(crate) fn json(&self, value: &impl Serialize) -> Result<(), Failure> {
        self.text(&(serde_json::to_string(value).map_err(no_json)? + "\n"))
    }

    /// Writes JSON on several lines, so that people can read it as well.
    pub(crate) fn pretty_json(&self, value: &impl Serialize) -> Result<(), Failure> {
        self.text(&(serde_json::to_string_pretty(value).map_err(no_json)? + "\n"))
    }

    /// Writes a line for the user, wrapped between words on a narrow terminal. If standard error is closed, it is
    /// ignored.
    pub(crate) fn note(&self, text: &str) {
        let text = err_width().map_or_else(|| text.to_owned(), |columns| wrap(text, columns));
        let write = || {
            let _ = writeln!(io::stderr(), "{text}");
        };
        self.bar.as_ref().map_or_else(write, |bar| bar.suspend(write));
    }

    /// Prints what the user should know about how a data set was read.
    pub(crate) fn notes_of(&self, set: &DataSet) {
        set.notes().iter().for_each(|sentence| self.note(sentence));
    }

    /// Writes a line that is only for a user who watches.
    pub(crate) fn aside(&self, text: &str) {
        if self.err.terminal {
            self.note(&self.err.paint(Paint::Faint, text));
        }
    }

    /// Prints why the program stops.
    pub(crate) fn failure(&self, failure: &Failure) {
        match failure {
            Failure::Refused(reason) | Failure::Diverged(reason) => {
                self.note(&format!("{} {reason}", self.err.paint(Paint::Bad, "error:")));
            }
            Failure::Interrupted(reason) => self.note(reason),
            Failure::NobodyReads => {}
        }
    }

    /// Prints clap's messages for standard output: `--help` and `--version`.
    pub(crate) fn help(&self, message: &clap::builder::StyledStr) -> Result<(), Failure> {
        let text = if self.out.colour { message.ansi().to_string() } else { message.to_string() };
        self.text(&format!("{}\n", text.trim_end()))
    }

    /// Text for standard output, in colour if it supports colours.
    pub(crate) fn paint(&self, paint: Paint, text: &str) -> String {
        self.out.paint(paint, text)
    }

    /// Text for [`Output::note`], in colour if standard error supports colours.
    pub(crate) fn paint_note(&self, paint: Paint, text: &str) -> String {
        self.err.paint(paint, text)
    }

    /// The width of standard output's terminal; `None` if it is not a terminal.
    pub(crate) fn width(&self) -> Option<usize> {
        if !self.out.terminal {
            return None;
        }
        columns_of(terminal_size::terminal_size_of(io::stdout()))
    }

    /// The width for text after a bar with this name.
    pub(crate) fn room_beside_bar(name: &str) -> usize {
        let columns = block::size().0;
        let bar = if columns >= WIDE { BAR } else { BAR / 4 };
        columns.saturating_sub(name.len() + 1 + bar + 1 + "  59m left".len())
    }

    /// Reads data, shows that on a terminal meanwhile, and ends the program at once if `stop` is set.
    ///
    /// - `what`: the data
    /// - `shown`: whether to show it
    /// - `work`: reads the data; if it reports its progress, that is shown as well
    pub(crate) fn reading<T>(
        &self,
        stop: &AtomicBool,
        what: &str,
        shown: bool,
        work: impl FnOnce(ReadProgress<'_>) -> T,
    ) -> T {
        let leave = || "stopped while reading the data; nothing was written".to_owned();
        self.during(stop, &format!("reading {what}"), shown, leave, work)
    }

    /// Runs the work between reading and training, and ends the program like [`Output::reading`].
    ///
    /// - `leave`: cleans up before the program ends, and returns the last message
    pub(crate) fn preparing<T>(
        &self,
        stop: &AtomicBool,
        shown: bool,
        leave: impl Fn() -> String + Sync,
        work: impl FnOnce() -> T,
    ) -> T {
        self.during(stop, "preparing the data", shown, leave, |_| work())
    }

    fn during<T>(
        &self,
        stop: &AtomicBool,
        doing: &str,
        shown: bool,
        leave: impl Fn() -> String + Sync,
        work: impl FnOnce(ReadProgress<'_>) -> T,
    ) -> T {
        let shown = shown && self.err.terminal && !dumb();
        let reading = Reading::begin(doing, shown.then(|| self.canvas()));
        let leave = || {
            reading.end();
            self.note(&leave());
        };
        let done = interrupt::at_once(stop, leave, || work(&|done, size| reading.advance(done, size)));
        reading.end();
        done
    }

    /// Shows a progress bar below the lines, on standard error, if both streams are terminals.
    pub(crate) fn start_bar(&mut self, name: String, steps: usize) {
        self.end_bar();
        if self.out.terminal {
            self.start_progress(name, steps);
        }
    }

    /// The same if results go elsewhere, even if standard output is a file: shows it if standard error is a terminal.
    pub(crate) fn start_progress(&mut self, name: String, steps: usize) {
        let wide = err_width().is_some_and(|width| width >= WIDE);
        self.start(name, steps as u64, bar_style(wide));
    }

    fn start(&mut self, name: String, length: u64, style: Result<ProgressStyle, TemplateError>) {
        self.end_bar();
        if self.err.terminal {
            let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr());
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.set_prefix(name);
            self.bar = Some(bar);
        }
    }

    /// Whether both streams are on a terminal that can redraw lines.
    pub(crate) fn draws(&self) -> bool {
        self.out.terminal && self.err.terminal && !dumb()
    }

    /// The capabilities for drawing.
    pub(crate) fn canvas(&self) -> Canvas {
        Canvas { columns: block::size().0, unicode: unicode(), stream: self.err }
    }

    /// Shows lines below the others, on standard error, and redraws them several times per second on a separate
    /// thread.
    ///
    /// - `done`, `steps`: steps done before, and all steps
    /// - `lines`: returns the lines, given the current steps and time
    pub(crate) fn start_display<F>(&mut self, done: u64, steps: u64, lines: F)
    where
        F: Fn(&ProgressState, Canvas) -> Vec<String> + Clone + Send + Sync + 'static,
    {
        self.end_bar();
        self.bar = Some(block::display(self.canvas(), done, steps, lines));
    }

    /// Shows the progress of a file, on standard error if that is a terminal; standard output may be a file or a
    /// variable.
    ///
    /// - `have`, `size`: bytes so far, and of the whole file
    pub(crate) fn start_transfer(&mut self, name: String, have: u64, size: u64) {
        self.start(name, size, transfer_style(err_width().unwrap_or(80)));
        self.transferred(have);
        if let Some(bar) = &self.bar {
            bar.reset_eta(); // earlier bytes must not count for the speed
        }
    }

    /// Moves the bar of a file to `have` bytes, and updates its time even if nothing arrives.
    pub(crate) fn transferred(&self, have: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(have);
            bar.tick();
        }
    }

    /// Whether there is a bar.
    pub(crate) fn has_bar(&self) -> bool {
        self.bar.is_some()
    }

    /// Moves the bar.
    pub(crate) fn advance(&self, done: usize) {
        if let Some(bar) = &self.bar {
            bar.set_position(done as u64);
        }
    }

    /// Sets the text after the bar.
    pub(crate) fn message(&self, text: String) {
        if let Some(bar) = &self.bar {
            bar.set_message(text);
        }
    }

    /// Removes the bar.
    pub(crate) fn end_bar(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

fn no_json(error: serde_json::Error) -> Failure {
    Failure::Refused(format!("cannot write JSON: {error}"))
}

/// The width of standard error's terminal, if it is one.
fn err_width() -> Option<usize> {
    columns_of(terminal_size::terminal_size_of(io::stderr()))
}

/// The width of a terminal that reports its size.
fn columns_of(size: Option<(Width, Height)>) -> Option<usize> {
    size.map(|(width, _)| usize::from(width.0)).filter(|&columns| columns > 0)
}

/// Whether bars and curves can be shown: not if the locale does not support them, nor on Linux's console, whose font
/// lacks them.
fn unicode() -> bool {
    let locale =
        ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(env::var_os).find(|value| !value.is_empty());
    let utf8 = locale.is_none_or(|locale| {
        let locale = locale.to_string_lossy().to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    });
    utf8 && env::var_os("TERM").is_none_or(|value| value != "linux")
}
