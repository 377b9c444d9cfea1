//! Whether sizes fit this machine: an allocation that fails would end the program without a word.

use std::fs;

/// What is assumed where the system does not say.
const ASSUMED: f64 = 16e9;

/// Bytes that can be had, as the system estimates it.
pub(crate) fn available() -> f64 {
    fs::read_to_string("/proc/meminfo").ok().and_then(|text| parse(&text)).unwrap_or(ASSUMED)
}

/// `MemAvailable` of Linux's `/proc/meminfo`, which is in units of 1024 bytes.
fn parse(meminfo: &str) -> Option<f64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib as f64 * 1024.0)
}

/// A number of bytes for people.
pub(crate) fn show(bytes: f64) -> String {
    let units = [(1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")];
    match units.into_iter().find(|(size, _)| bytes >= *size) {
        _ if bytes >= 1e15 => format!("{bytes:.0e} bytes"),
        Some((size, unit)) => format!("{:.1} {unit}", bytes / size),
        None => format!("{bytes:.0} bytes"),
    }
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

    #[test]
    fn bytes_have_the_unit_that_suits_them() {
        assert_eq!(show(512.0), "512 bytes");
        assert_eq!(show(2_048_000.0), "2.0 MB");
        assert_eq!(show(24e9), "24.0 GB");
        assert_eq!(show(7e30), "7e30 bytes");
    }
}
