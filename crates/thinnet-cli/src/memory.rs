//! Checks whether sizes fit in this machine's memory, and reports if they did not.

use std::cell::Cell;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::failure::Failure;
use crate::figures::byte_size;

/// Assumed if the system does not report it.
const ASSUMED: f64 = 16e9;

/// Refuses work that needs more bytes than are available.
///
/// - `what`: the work, with a verb: "this needs"
pub(crate) fn check(need: f64, what: impl FnOnce() -> String) -> Result<(), Failure> {
    let have = available();
    if need <= have {
        return Ok(());
    }
    let (what, need, have) = (what(), byte_size(need), byte_size(have));
    Err(Failure::Refused(format!("{what} about {need} of memory, but only {have} are available")))
}

/// Refuses a file of samples that is larger than the available memory: its numbers take at least as much. If only
/// some columns are read it may need less.
pub(crate) fn check_file(path: &Path, columns: &[String]) -> Result<(), Failure> {
    match fs::metadata(path) {
        Ok(file) if file.is_file() && columns.is_empty() => {
            check(file.len() as f64, || format!("reading {} needs", path.display()))
        }
        _ => Ok(()), // the reader reports the error later
    }
}

/// Available bytes, as the system estimates them.
fn available() -> f64 {
    fs::read_to_string("/proc/meminfo").ok().and_then(|text| parse(&text)).unwrap_or(ASSUMED)
}

/// `MemAvailable` in Linux's `/proc/meminfo`, in units of 1024 bytes.
fn parse(meminfo: &str) -> Option<f64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib as f64 * 1024.0)
}

/// Ends the program with a message that this many bytes are not available.
///
/// It allocates no memory itself.
#[allow(clippy::print_stderr, reason = "other ways of printing may need memory")]
pub(crate) fn ran_out(bytes: usize) {
    static TOLD: AtomicBool = AtomicBool::new(false);
    thread_local!(static INSIDE: Cell<bool> = const { Cell::new(false) });
    if INSIDE.replace(true) {
        return; // printing the message itself needed memory: nothing can be done
    }
    if TOLD.swap(true, Ordering::Relaxed) {
        // Another thread is printing the message, and ends the program.
        thread::sleep(Duration::from_secs(60));
        return;
    }
    let mut text = [0; 200];
    let mut rest = text.as_mut_slice();
    let megabytes = bytes as f64 / 1e6;
    let written = write!(
        rest,
        "\nerror: there is not enough memory: {megabytes:.1} MB more are not available; close other programs, or use fewer samples \
         or a smaller network\n"
    );
    let left = rest.len();
    let end = if written.is_ok() { text.len() - left } else { text.len() };
    let _ = io::stderr().write_all(&text[..end]);
    process::exit(2);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meminfo_is_read_in_kibibytes() {
        let text = "MemTotal:       24603148 kB\nMemAvailable:       2000 kB\n";
        assert_eq!(parse(text), Some(2_048_000.0));
        assert_eq!(parse("nothing of the kind"), None);
    }
}
