//! Whether sizes fit this machine: an allocation that fails would end the program without a word.

use std::fs;

use crate::failure::Failure;
use crate::figures::byte_size;

/// What is assumed where the system does not say.
const ASSUMED: f64 = 16e9;

/// Refuses what needs more bytes than can be had.
///
/// - `what`: what needs them, with its verb: "this needs"
pub(crate) fn check(need: f64, what: impl FnOnce() -> String) -> Result<(), Failure> {
    let have = available();
    if need <= have {
        return Ok(());
    }
    let (what, need, have) = (what(), byte_size(need), byte_size(have));
    Err(Failure::Refused(format!("{what} about {need} of memory, and {have} are available")))
}

/// Bytes that can be had, as the system estimates it.
fn available() -> f64 {
    fs::read_to_string("/proc/meminfo").ok().and_then(|text| parse(&text)).unwrap_or(ASSUMED)
}

/// `MemAvailable` of Linux's `/proc/meminfo`, which is in units of 1024 bytes.
fn parse(meminfo: &str) -> Option<f64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib as f64 * 1024.0)
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
