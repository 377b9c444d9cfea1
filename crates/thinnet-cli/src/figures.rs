//! Formats numbers and parts of data for people.

use std::time::Duration;

use thinnet::data::Part;

/// The name of a part before the word samples.
pub(crate) fn part_name(part: Part) -> &'static str {
    match part {
        Part::Train => "training",
        Part::Val => "validation",
        Part::Test => "test",
    }
}

/// A loss or a score in at most 8 characters: "0.4312", "12345.7", "-1.3e12".
pub(crate) fn figure(value: f64) -> String {
    match value.abs() {
        size if size == 0.0 || !size.is_finite() => format!("{value:.4}"),
        ..1e-3 => format!("{value:.1e}"),
        // Values that would be rounded up to another digit belong to the next line.
        ..99.99995 => format!("{value:.4}"),
        ..999.9995 => format!("{value:.3}"),
        ..9999.995 => format!("{value:.2}"),
        ..99_999.95 => format!("{value:.1}"),
        ..1e6 => format!("{value:.0}"),
        _ => format!("{value:.1e}"),
    }
}

/// A share in per cent: "88.10%".
pub(crate) fn percent(share: f64) -> String {
    format!("{:.2}%", 100.0 * share)
}

/// Three digits and a unit: "950", "1.23k", "12.3k", "1.23M".
pub(crate) fn rate(value: f64) -> String {
    let units = [(1e9, "G"), (1e6, "M"), (1e3, "k")];
    // Values that would be rounded up to the next unit belong to that unit.
    let (size, unit) = units.into_iter().find(|(size, _)| value >= size * 0.9995).unwrap_or((1.0, ""));
    match value / size {
        value if unit.is_empty() && value >= 10.0 => format!("{value:.0}"),
        value @ ..9.995 => format!("{value:.2}{unit}"),
        value @ ..99.95 => format!("{value:.1}{unit}"),
        value => format!("{value:.0}{unit}"),
    }
}

/// Digits in groups of three: "1,541,510".
pub(crate) fn thousands(count: usize) -> String {
    let digits = count.to_string();
    let group = |(at, digit): (usize, char)| {
        let comma = at > 0 && (digits.len() - at).is_multiple_of(3);
        comma.then_some(',').into_iter().chain([digit])
    };
    digits.chars().enumerate().flat_map(group).collect()
}

/// "12 s", "3:20 min", "1:05 h", "4.2 days".
pub(crate) fn duration(time: Duration) -> String {
    const DAY: u64 = 86_400;
    match time.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds @ 60..3600 => format!("{}:{:02} min", seconds / 60, seconds % 60),
        seconds if seconds < 2 * DAY => format!("{}:{:02} h", seconds / 3600, seconds / 60 % 60),
        seconds if seconds < 1000 * DAY => format!("{:.1} days", seconds as f64 / DAY as f64),
        _ => "years".to_owned(),
    }
}

/// A number of bytes as text.
pub(crate) fn byte_size(bytes: f64) -> String {
    let units = [(1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")];
    match units.into_iter().find(|(size, _)| bytes >= *size) {
        _ if bytes >= 1e15 => format!("{bytes:.0e} bytes"),
        Some((size, unit)) => format!("{:.1} {unit}", bytes / size),
        None => format!("{bytes:.0} bytes"),
    }
}

/// "1 network", "2 networks".
pub(crate) fn plural(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_fit_their_column() {
        let shown = [0.0, 0.43124, -0.5, 99.99, 123.456, 12_345.678, 123_456.7, 1.3e9, -4e-5].map(figure);
        assert_eq!(
            shown,
            ["0.0000", "0.4312", "-0.5000", "99.9900", "123.456", "12345.7", "123457", "1.3e9", "-4.0e-5"]
        );
        for value in [f64::NAN, f64::INFINITY, f64::MIN, -9999.999, f64::MIN_POSITIVE, 99.99999, -99_999.96] {
            assert!(figure(value).len() <= 8, "{}", figure(value));
        }
    }

    #[test]
    fn shares_are_per_cent() {
        assert_eq!([0.0, 0.348, 1.0, 0.123_456].map(percent), ["0.00%", "34.80%", "100.00%", "12.35%"]);
    }

    #[test]
    fn rates_have_three_digits() {
        let shown =
            [0.25, 9.0, 95.0, 950.0, 999.4, 999.6, 1234.0, 12_340.0, 123_400.0, 999_600.0, 2.5e9].map(rate);
        assert_eq!(
            shown,
            ["0.25", "9.00", "95", "950", "999", "1.00k", "1.23k", "12.3k", "123k", "1.00M", "2.50G"]
        );
    }

    #[test]
    fn digits_stand_by_threes() {
        assert_eq!([0, 1, 999, 1000, 1_541_510].map(thousands), ["0", "1", "999", "1,000", "1,541,510"]);
    }

    #[test]
    fn durations_have_the_unit_that_suits_them() {
        let shown = [0, 59, 200, 3900, 100_000, 363_000, u64::MAX].map(|s| duration(Duration::from_secs(s)));
        assert_eq!(shown, ["0 s", "59 s", "3:20 min", "1:05 h", "27:46 h", "4.2 days", "years"]);
    }

    #[test]
    fn bytes_have_the_unit_that_suits_them() {
        assert_eq!(byte_size(512.0), "512 bytes");
        assert_eq!(byte_size(2_048_000.0), "2.0 MB");
        assert_eq!(byte_size(24e9), "24.0 GB");
        assert_eq!(byte_size(7e30), "7e30 bytes");
    }
}
