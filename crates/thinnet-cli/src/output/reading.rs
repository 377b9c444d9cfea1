//! The display while data are read: a line, or a bar if the progress is known.

use std::io::{self, Write};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressState};

use super::bars::{left, part};
use super::block::{Canvas, display};
use super::style::Paint;

/// If reading takes less than this there is no bar, which would disappear before it is seen.
const SOON: Duration = Duration::from_millis(200);

/// The widest bar.
const WIDEST: usize = 40;

/// Data that are being read.
pub(super) struct Reading {
    name: String,
    canvas: Option<Canvas>,
    begin: Instant,
    bar: OnceLock<ProgressBar>,
}

impl Reading {
    /// Shows the work.
    ///
    /// - `name`: "reading" and the data
    /// - `canvas`: where to show it, if at all
    pub(super) fn begin(name: &str, canvas: Option<Canvas>) -> Self {
        let room = canvas.map_or(0, |canvas| canvas.columns.saturating_sub(1));
        let line = format!("{name} ...");
        let line = if line.chars().count() > room { "reading ..." } else { &line };
        let reading = Self { name: name.to_owned(), canvas, begin: Instant::now(), bar: OnceLock::new() };
        reading.write(line);
        reading
    }

    /// Shows that `done` bytes of a file of `size` are read.
    pub(super) fn advance(&self, done: u64, size: u64) {
        let Some(canvas) = self.canvas else { return };
        if self.bar.get().is_none() && self.begin.elapsed() < SOON {
            return;
        }
        let bar = self.bar.get_or_init(|| {
            self.clear_line();
            let name = self.name.clone();
            display(canvas, 0, size, move |state, canvas| vec![line(&name, state, canvas)])
        });
        if bar.length() != Some(size) {
            bar.set_length(size); // another file
        }
        bar.set_position(done);
    }

    /// Removes the display.
    pub(super) fn end(&self) {
        match self.bar.get() {
            Some(bar) => bar.finish_and_clear(),
            None => self.clear_line(),
        }
    }

    fn clear_line(&self) {
        self.write("\r\x1b[2K");
    }

    /// If standard error is closed, it is ignored.
    fn write(&self, text: &str) {
        if self.canvas.is_some() {
            let mut err = io::stderr().lock();
            let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
        }
    }
}

/// "reading long.csv  ━━━━━━━────────  12.3 of 72.0 MB      3 s left".
fn line(name: &str, state: &ProgressState, canvas: Canvas) -> String {
    let room = canvas.columns.saturating_sub(1);
    // A long path would leave no space for the bar.
    let name = if name.chars().count() > room / 3 { "reading" } else { name };
    let rest = format!("  {}  {:>13}", part(state), left(state.eta()));
    let bar = room.saturating_sub(name.chars().count() + 2 + rest.chars().count()).min(WIDEST);
    let share = state.pos() as f64 / state.len().unwrap_or_default().max(1) as f64;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to `bar`")]
    let full = ((share * bar as f64) as usize).min(bar);
    let [done, todo] = if canvas.unicode { ["━", "─"] } else { ["=", "-"] };
    let (done, todo) = (done.repeat(full), todo.repeat(bar - full));
    format!("{name}  {}{}{rest}", canvas.paint(Paint::Accent, &done), canvas.paint(Paint::Faint, &todo))
}
