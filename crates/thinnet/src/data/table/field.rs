//! Interprets one field of a table: a gap, a number, a truth value or a date.

use std::borrow::Cow;

use time::{Date, Month};

/// Words for a missing value.
pub(crate) const GAPS: [&str; 15] =
    ["", "NA", "N/A", "n/a", "na", "NaN", "nan", "NAN", "null", "NULL", "Null", "?", "-", "#N/A", "<NA>"];

/// Pairs of words for no and yes, in lower case.
const TRUTHS: [[&str; 2]; 5] = [["false", "true"], ["no", "yes"], ["n", "y"], ["f", "t"], ["off", "on"]];

/// Names of months begin with these, in lower case.
const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// The day from which days are counted, 1970-01-01, as a Julian day.
const EPOCH: i32 = 2_440_588;

/// A field as it is read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Field<'a> {
    /// A text; its meaning must be found.
    Text(&'a str),
    /// A number or the days of a date, as the file's type says; NaN for a gap.
    #[cfg_attr(not(feature = "columnar"), allow(dead_code, reason = "texts have no types"))]
    Number(f64),
}

impl<'a> Field<'a> {
    /// The finite number in it; with `comma`, the decimal point may be a comma.
    pub(crate) fn number(self, comma: bool) -> Option<f64> {
        match self {
            Self::Text(text) => number(text, comma),
            Self::Number(number) => Some(number).filter(|number| number.is_finite()),
        }
    }

    /// Whether it is a gap.
    pub(crate) fn is_gap(self) -> bool {
        match self {
            Self::Text(text) => is_gap(text),
            Self::Number(number) => number.is_nan(),
        }
    }

    /// The field as text; nothing for a gap.
    pub(crate) fn written(self) -> Cow<'a, str> {
        match self {
            Self::Text(text) => text.into(),
            Self::Number(number) if number.is_nan() => "".into(),
            Self::Number(number) => number.to_string().into(),
        }
    }
}

/// Where a file's fields come from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin {
    /// Whether decimal points may be commas.
    pub(crate) comma: bool,
    /// What a row is called in messages; rows are numbered from 1.
    pub(crate) row: &'static str,
}

impl Origin {
    /// A text.
    pub(crate) fn text(comma: bool) -> Self {
        Self { comma, row: "line" }
    }
}

/// Whether a field is a gap.
pub(crate) fn is_gap(field: &str) -> bool {
    GAPS.contains(&field)
}

/// The number in a field, finite or not; with `comma`, its decimal point may be a comma.
pub(crate) fn any_number(field: &str, comma: bool) -> Option<f64> {
    if let Some(number) = parsed(field) {
        return Some(number);
    }
    if !comma || !field.contains(',') {
        return None;
    }
    // 1.234,5: points separate thousands if a comma is the decimal point.
    parsed(&field.replace('.', "").replacen(',', ".", 1))
}

/// The nearest number, as the standard library parses it.
#[cfg(feature = "files")]
fn parsed(field: &str) -> Option<f64> {
    fast_float2::parse(field).ok()
}

#[cfg(not(feature = "files"))]
fn parsed(field: &str) -> Option<f64> {
    field.parse().ok()
}

/// A finite number.
pub(crate) fn number(field: &str, comma: bool) -> Option<f64> {
    any_number(field, comma).filter(|number| number.is_finite())
}

/// The pair of words, for no and yes, to which all of these belong, ignoring case.
pub(crate) fn truths<'a>(words: impl Iterator<Item = &'a str> + Clone) -> Option<[&'static str; 2]> {
    TRUTHS.into_iter().find(|pair| words.clone().all(|word| truth(word, pair).is_some()))
}

/// 0 for the first word of a pair, 1 for the second.
pub(crate) fn truth<T: AsRef<str>>(word: &str, pair: &[T; 2]) -> Option<f64> {
    let place = pair.iter().position(|own| own.as_ref().eq_ignore_ascii_case(word))?;
    Some(place as f64)
}

/// The order of day and month in dates that are all numbers with the year last.
pub(crate) type DayFirst = bool;

/// If all of these are dates in the same order, whether the day comes first; otherwise `None`. One date can decide
/// the order of all. If all could be read either way, with different results, the order is unknown, which is `None`
/// as well.
pub(crate) fn dates<'a>(words: impl Iterator<Item = &'a str> + Clone) -> Option<DayFirst> {
    let all = |day_first| words.clone().all(|word| days(word, day_first).is_some());
    match (all(true), all(false)) {
        (true, true) => {
            let same = |word: &str| days(word, true) == days(word, false);
            words.clone().all(same).then_some(false)
        }
        (true, false) => Some(true),
        (false, true) => Some(false),
        (false, false) => None,
    }
}

/// The days from 1970-01-01 to a date, with the time of day as a fraction: `2024-02-29`, `2024-02-29T12:30:00Z`,
/// `2/29/2024` (or `29/2/2024` if the day comes first), `29.2.2024`, `29 Feb 2024`, `February 29, 2024`. An offset
/// from UTC is subtracted.
pub(crate) fn days(text: &str, day_first: DayFirst) -> Option<f64> {
    if text.len() > 40 || !text.is_ascii() {
        return None;
    }
    let (date, time) = parted(text);
    Some(f64::from(day(date, day_first)?) + time.map_or(Some(0.0), share_of_day)?)
}

/// The day of the week (Monday is 0) and the month (January is 0) of a day counted from 1970-01-01.
pub(crate) fn weekday_and_month(days: f64) -> Option<(usize, usize)> {
    #[allow(clippy::cast_possible_truncation, reason = "float casts saturate, and such a day is not valid")]
    let date = Date::from_julian_day((days.floor() as i32).checked_add(EPOCH)?).ok()?;
    Some((usize::from(date.weekday().number_days_from_monday()), usize::from(u8::from(date.month())) - 1))
}

/// A date for display: 2024-02-29.
pub(crate) fn shown(days: f64) -> String {
    #[allow(clippy::cast_possible_truncation, reason = "as above")]
    let date = (days.floor() as i32).checked_add(EPOCH).and_then(|day| Date::from_julian_day(day).ok());
    date.map_or_else(|| days.to_string(), |date| date.to_string())
}

/// Splits a text at the separator of date and time: a T, or the space before the hour.
fn parted(text: &str) -> (&str, Option<&str>) {
    let part = |at: usize| (text[..at].trim_end(), Some(text[at + 1..].trim_start()));
    match text.find(':') {
        None => (text, None),
        Some(colon) => match text[..colon].rfind(['T', ' ']) {
            Some(at) => part(at),
            None => (text, None),
        },
    }
}

fn day(date: &str, day_first: DayFirst) -> Option<i32> {
    let parts: Vec<&str> =
        date.split(['-', '/', '.', ' ', ',']).filter(|part| !part.is_empty()).take(4).collect();
    let &[first, second, third] = parts.as_slice() else { return None };
    let (year, month, day) = if let Some(month) = month(first) {
        (year(third)?, month, whole(second, 2)?)
    } else if let Some(month) = month(second) {
        (year(third)?, month, whole(first, 2)?)
    } else if first.len() == 4 {
        (year(first)?, whole(second, 2)?, whole(third, 2)?)
    } else if day_first {
        (year(third)?, whole(second, 2)?, whole(first, 2)?)
    } else {
        (year(third)?, whole(first, 2)?, whole(second, 2)?)
    };
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    let date = Date::from_calendar_date(i32::try_from(year).ok()?, month, u8::try_from(day).ok()?).ok()?;
    Some(date.to_julian_day() - EPOCH)
}

/// A month, from its name or the first three letters of it.
fn month(text: &str) -> Option<u32> {
    let lower = text.to_ascii_lowercase();
    let (_, number) = MONTHS.iter().zip(1..).find(|(month, _)| lower.starts_with(*month))?;
    (lower.len() <= 9).then_some(number)
}

/// A year of four digits.
fn year(text: &str) -> Option<u32> {
    (text.len() == 4).then(|| whole(text, 4))?
}

/// A whole number with at most this many digits.
fn whole(text: &str, digits: usize) -> Option<u32> {
    let plain = (1..=digits).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok())?
}

/// `12:30`, `12:30:15.5`, `1:30 PM`, optionally followed by `Z` or `+02:00`, as a fraction of a day.
fn share_of_day(text: &str) -> Option<f64> {
    let upper = text.to_ascii_uppercase();
    let (clock, half) = match (upper.strip_suffix("AM"), upper.strip_suffix("PM")) {
        (Some(clock), _) => (clock.trim_end(), Some(0)),
        (_, Some(clock)) => (clock.trim_end(), Some(12)),
        _ => (upper.strip_suffix('Z').unwrap_or(&upper).trim_end(), None),
    };
    let (clock, offset) = match clock.rfind(['+', '-']) {
        Some(at) => {
            let sign = if clock[at..].starts_with('-') { -1.0 } else { 1.0 };
            let digits = clock[at + 1..].replace(':', "");
            let minutes = match digits.len() {
                2 => 60 * whole(&digits, 2)?,
                4 => 60 * whole(&digits[..2], 2)? + whole(&digits[2..], 2)?,
                _ => return None,
            };
            (clock[..at].trim_end(), sign * f64::from(minutes))
        }
        None => (clock, 0.0),
    };
    let mut parts = clock.split(':');
    let (hour, minute) = (whole(parts.next()?, 2)?, whole(parts.next()?, 2)?);
    let hour = match half {
        None => hour,
        Some(half) if (1..=12).contains(&hour) => hour % 12 + half,
        Some(_) => return None,
    };
    let seconds = match parts.next() {
        None => 0.0,
        Some(text) if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') => text.parse().ok()?,
        Some(_) => return None,
    };
    let fits = hour < 24 && minute < 60 && (0.0..61.0).contains(&seconds) && parts.next().is_none();
    fits.then(|| (f64::from(60 * hour + minute) - offset + seconds / 60.0) / 1440.0)
}

/// Sorts numbers by size, words alphabetically.
pub(crate) fn sort_words(words: &mut [String]) {
    let numbers: Option<Vec<f64>> = words.iter().map(|word| number(word, false)).collect();
    match numbers {
        Some(_) => words.sort_unstable_by(|a, b| {
            let size = |word: &str| number(word, false).unwrap_or(f64::NAN);
            size(a).total_cmp(&size(b)).then_with(|| a.cmp(b))
        }),
        None => words.sort_unstable(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_in_their_usual_forms() {
        let leap = 19_782.0; // 2024-02-29
        for same in [
            "2024-02-29",
            "2024/02/29",
            "2024-2-29",
            "29 Feb 2024",
            "29-Feb-2024",
            "Feb 29 2024",
            "February 29, 2024",
            "2024-02-29T00:00",
            "2024-02-29 00:00:00",
            "2024-02-29T02:00:00+02:00",
            "2024-02-28T19:00-0500",
            "2/29/2024",
            "2/29/2024 12:00 AM",
        ] {
            assert_eq!(days(same, false), Some(leap), "{same}");
        }
        for same in ["29/2/2024", "29.2.2024", "29.02.2024 00:00", "29-02-2024"] {
            assert_eq!(days(same, true), Some(leap), "{same}");
        }
        assert_eq!(days("2024-02-29T12:00:00Z", false), Some(leap + 0.5));
        assert_eq!(days("2024-02-29 06:30 PM", false), Some(leap + 18.5 / 24.0));
        assert_eq!(days("1969-12-31", false), Some(-1.0));
        for none in [
            "2024-02-30",
            "2023-02-29",
            "29/2/2024",
            "2024",
            "12:30",
            "1.2.3",
            "24-02-29",
            "2024-02-29T25:00",
            "2024-02-29T12:60",
            "2024-02-29 1:2:3:4",
            "Marchioness 1, 2024",
            "",
            "-",
            "2024-02-29T12:00+1",
            "2024-02-29 0:30 PM 5",
            "١/٢/2024",
            "3-1-4-1",
        ] {
            assert_eq!(days(none, false), None, "{none}");
        }
        assert_eq!(weekday_and_month(leap), Some((3, 1)), "a Thursday in February");
        assert_eq!(weekday_and_month(-0.5), Some((2, 11)), "Wednesday, 1969-12-31");
        assert_eq!(weekday_and_month(f64::MAX), None);
        assert_eq!((shown(leap + 0.7), shown(1e300)), ("2024-02-29".to_owned(), 1e300.to_string()));
    }

    #[test]
    fn a_column_of_dates_says_itself_whether_days_come_first() {
        let order = |words: &[&str]| dates(words.iter().copied());
        assert_eq!(order(&["1/2/2024", "13/2/2024"]), Some(true));
        assert_eq!(order(&["1/2/2024", "2/13/2024"]), Some(false));
        assert_eq!(order(&["1/2/2024", "3/4/2024"]), None, "it could be either");
        assert_eq!(order(&["1/1/2024", "2/2/2024"]), Some(false), "either is the same");
        assert_eq!(order(&["13/2/2024", "2/13/2024"]), None, "it is neither");
        assert_eq!(order(&["2024-02-29", "2024-03-01"]), Some(false));
    }

    #[test]
    fn numbers_are_those_of_the_standard_library() {
        let same = |text: &str| {
            let bits = |number: Option<f64>| number.map(f64::to_bits);
            assert_eq!(bits(any_number(text, false)), bits(text.parse().ok()), "{text:?}");
        };
        for text in [
            "",
            " 1",
            "1 ",
            "+1",
            "-",
            "+",
            ".",
            ".5",
            "5.",
            "-.5e3",
            "1e",
            "e1",
            "1e+",
            "1E5",
            "1e-400",
            "1e400",
            "inf",
            "-Infinity",
            "infinit",
            "nan",
            "-NaN",
            "1_000",
            "0x10",
            "1d",
            "1f",
            "--1",
            "00012",
            "1.2.3",
            "٣",
            "9007199254740993",
            "4.9e-324",
            "2.4703282292062327e-324",
            "179769313486231580793728971405301e277",
        ] {
            same(text);
        }
        let mut random = crate::random::RandomState::new(3);
        for _ in 0..2000 {
            let mut bits = || {
                random.choice(1 << 16, 4).unwrap().into_iter().fold(0, |bits, part| bits << 16 | part as u64)
            };
            let number = f64::from_bits(bits());
            for text in
                [number.to_string(), format!("{number:e}"), format!("{number:.6}"), format!("{number:.17e}")]
            {
                same(&text);
            }
        }
    }

    #[test]
    fn numbers_gaps_and_truths() {
        assert_eq!((number("1,5", false), number("1,5", true)), (None, Some(1.5)));
        assert_eq!(number("1.234,5", true), Some(1234.5));
        assert_eq!((number("1,2,3", true), number(",", true)), (None, None));
        assert_eq!((number("1e999", false), number("NaN", false)), (None, None));
        assert!(is_gap("") && is_gap("?") && is_gap("NA") && !is_gap("0") && !is_gap("Na"));
        let pair = |words: &[&str]| truths(words.iter().copied());
        assert_eq!(pair(&["Yes", "NO"]), Some(["no", "yes"]));
        assert_eq!((pair(&["yes", "true"]), pair(&["f", "m"])), (None, None));
        assert_eq!((truth("TRUE", &["false", "true"]), truth("F", &["f", "t"])), (Some(1.0), Some(0.0)));
    }
}
