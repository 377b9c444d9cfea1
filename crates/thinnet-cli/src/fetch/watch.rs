//! The display of a download: a bar on a terminal, otherwise a line now and then.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::source::RemoteFile;
use crate::figures::byte_size;
use crate::output::Output;

/// Min time between two lines, if there is no bar.
const BETWEEN_LINES: Duration = Duration::from_secs(1);

/// Shows downloads.
pub(crate) struct Watcher<'a> {
    output: &'a mut Output,
    stop: Arc<AtomicBool>,
    quiet: bool,
    current: Option<Current>,
}

/// The file that a server is sending.
struct Current {
    name: String,
    size: u64,
    /// When it started, and the bytes that were here then.
    begin: (Instant, u64),
    /// When the last line was written, and its tenths of the file.
    line: (Instant, u64),
}

impl<'a> Watcher<'a> {
    /// Shows downloads until `stop` becomes true; shows nothing if `quiet`.
    pub(crate) fn new(output: &'a mut Output, stop: Arc<AtomicBool>, quiet: bool) -> Self {
        Self { output, stop, quiet, current: None }
    }

    /// A server starts to send a file; `have` bytes of it are here.
    pub(crate) fn begin(&mut self, file: &RemoteFile, url: &str, have: u64) {
        self.pause();
        let size = byte_size(file.size as f64);
        let from = if have > 0 { format!(", from {} on", byte_size(have as f64)) } else { String::new() };
        self.note(&format!("{url}: {size}{from}"));
        let now = Instant::now();
        let tenth = have * 10 / file.size.max(1);
        self.current = Some(Current {
            name: file.name.clone(),
            size: file.size,
            begin: (now, have),
            line: (now, tenth),
        });
        if !self.quiet {
            self.output.start_transfer(file.name.clone(), have, file.size);
        }
    }

    /// `have` bytes are here. Called many times per second, even if nothing arrives.
    pub(crate) fn advance(&mut self, have: u64) {
        self.output.transferred(have);
        let Some(current) = &mut self.current else { return };
        let (now, tenth) = (Instant::now(), have * 10 / current.size.max(1));
        let (last, told) = current.line;
        if self.output.has_bar() || tenth <= told || now - last < BETWEEN_LINES {
            return;
        }
        current.line = (now, tenth);
        let line = current.line(now, have);
        self.note(&line);
    }

    /// A server has finished, or an error occurred.
    pub(crate) fn pause(&mut self) {
        self.current = None;
        self.output.end_bar();
    }

    /// A message for the user.
    pub(crate) fn note(&mut self, text: &str) {
        if !self.quiet {
            self.output.note(text);
        }
    }

    /// Whether the user wants to stop.
    pub(crate) fn interrupted(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

impl Current {
    /// The progress, the speed, and the remaining time at that speed.
    fn line(&self, now: Instant, have: u64) -> String {
        let (begin, had) = self.begin;
        let speed = have.saturating_sub(had) as f64 / (now - begin).as_secs_f64().max(1e-3);
        let left = self.size.saturating_sub(have) as f64 / speed;
        let left = if left.is_finite() { format!(", {left:.0} s left") } else { String::new() };
        format!(
            "{}: {:.0}% of {}, {}/s{left}",
            self.name,
            have as f64 * 100.0 / self.size as f64,
            byte_size(self.size as f64),
            byte_size(speed),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speed_counts_what_came_now_and_not_what_was_there() {
        let begin = Instant::now();
        let current = Current {
            name: "file".to_owned(),
            size: 100_000_000,
            begin: (begin, 40_000_000),
            line: (begin, 4),
        };
        let after = |seconds, have| current.line(begin + Duration::from_secs(seconds), have);
        assert_eq!(after(2, 60_000_000), "file: 60% of 100.0 MB, 10.0 MB/s, 4 s left");
        assert_eq!(after(1, 40_000_000), "file: 40% of 100.0 MB, 0 bytes/s");
    }
}
