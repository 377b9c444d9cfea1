//! Parses values on the command line.

use std::time::Duration;

use thinnet::data::parse_size;
use thinnet::sweep::Shard;

/// A number, in range or not.
pub(crate) fn number(text: &str) -> Result<f64, String> {
    text.parse().map_err(|_| "it takes a number".to_owned())
}

/// A whole number that is not negative.
pub(crate) fn count(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| {
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            format!("it takes a whole number up to {}", usize::MAX)
        } else {
            "it takes a whole number that is not negative".to_owned()
        }
    })
}

/// A probability above 0 and below 1.
pub(crate) fn probability(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number| 0.0 < *number && *number < 1.0);
    number.ok_or_else(|| "it takes a number above 0 and below 1, as in 0.9".to_owned())
}

/// A number from 0 to 1.
pub(crate) fn share(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number| (0.0..=1.0).contains(number));
    number.ok_or_else(|| "it takes a number from 0 to 1, as in 0.01".to_owned())
}

/// "yes" or "no".
pub(crate) fn yes_no(text: &str) -> Result<bool, String> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("it takes yes or no".to_owned()),
    }
}

/// A width and a height.
pub(crate) fn size(text: &str) -> Result<(u32, u32), String> {
    parse_size(text).ok_or_else(|| "it takes a width and a height, as in 32x32".to_owned())
}

/// A positive number of seconds, up to a day.
pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    text.parse()
        .ok()
        .filter(|seconds| *seconds > 0.0 && *seconds <= 86_400.0)
        .map(Duration::from_secs_f64)
        .ok_or_else(|| "it takes a number of seconds above 0 and up to 86400".to_owned())
}

/// A seed for NumPy's stream.
pub(crate) fn seed(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| format!("it takes a whole number from 0 to {}", u32::MAX))
}

/// A part of a sweep: 2/8.
pub(crate) fn shard(text: &str) -> Result<Shard, String> {
    text.parse().map_err(|error: thinnet::Error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_positive_and_not_endless() {
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        for bad in ["0", "-1", "nan", "inf", "1e9", "soon", ""] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
    }
}
