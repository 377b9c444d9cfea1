//! The style of bars.

use std::fmt::Write;
use std::time::Duration;

use indicatif::style::TemplateError;
use indicatif::{ProgressState, ProgressStyle};

use crate::figures::{byte_size, duration};

/// A bar with its name in front, then the progress and the remaining time.
pub(super) fn bar_style(wide: bool) -> Result<ProgressStyle, TemplateError> {
    let bar = if wide { "{bar:40.cyan/dim}" } else { "{wide_bar:.cyan/dim}" };
    Ok(ProgressStyle::with_template(&format!("{{prefix}} {bar} {{msg}}  {{eta}} left"))?
        .progress_chars("━━─"))
}

/// A bar for a file: its name if there is space, the bytes so far, the speed, and the remaining time.
pub(super) fn transfer_style(width: usize) -> Result<ProgressStyle, TemplateError> {
    let template = if width >= 76 {
        "{prefix} {wide_bar:.cyan/dim} {have}  {speed:>10}  {left:>13}"
    } else {
        "{wide_bar:.cyan/dim} {percent:>3}% {speed:>10} {left:>9}"
    };
    Ok(ProgressStyle::with_template(template)?
        .progress_chars("━━─")
        .with_key("have", |state: &ProgressState, text: &mut dyn Write| {
            let _ = text.write_str(&part(state));
        })
        .with_key("speed", |state: &ProgressState, text: &mut dyn Write| {
            let _ = write!(text, "{}/s", byte_size(state.per_sec()));
        })
        .with_key("left", |state: &ProgressState, text: &mut dyn Write| {
            let _ = write!(text, "{}", left(state.eta()));
        }))
}

/// How much of a file has arrived: "45.3 of 170.5 MB", with the unit once.
pub(super) fn part(state: &ProgressState) -> String {
    let size = byte_size(state.len().unwrap_or_default() as f64);
    let have = byte_size(state.pos() as f64);
    let unit = size.rsplit(' ').next().unwrap_or_default();
    format!("{} of {size}", have.strip_suffix(unit).unwrap_or(&have).trim_end())
}

/// The remaining time: "12 s left", "3:20 min left", "1:05 h left".
pub(super) fn left(time: Duration) -> String {
    match time.as_secs() {
        0 => String::new(), // almost complete, or nothing has arrived yet
        1..360_000 => format!("{} left", duration(time)),
        _ => "stalled".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bars_can_be_drawn() {
        for wide in [false, true] {
            bar_style(wide).unwrap();
        }
        for width in [20, 80] {
            transfer_style(width).unwrap();
        }
    }

    #[test]
    fn what_is_left_is_told_in_the_unit_that_suits_it() {
        let left = |seconds| left(Duration::from_secs(seconds));
        assert_eq!([left(59), left(200), left(3900)], ["59 s left", "3:20 min left", "1:05 h left"]);
        assert_eq!([left(0), left(u64::MAX)], ["", "stalled"]);
    }
}
