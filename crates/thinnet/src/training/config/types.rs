//! Describes what a setting takes, and converts values with only one possible meaning.
//!
//! No key is named here: what a key takes is found by trying values.

use toml::Value;

use super::by_name::Section;
use crate::text::{joined, one_line};

/// Beginnings of messages that describe types in the words of a programming language.
const JARGON: [&str; 7] = [
    "invalid type",
    "invalid value",
    "invalid length",
    "unknown variant",
    "unknown field",
    "missing field",
    "data did not match",
];

/// Words for a setting that is left open.
const OPEN: [&str; 3] = ["auto", "none", "all"];

/// A text that is not a name in any setting.
const NO_NAME: &str = "\u{1}";

/// Sets a key to a value or to the value's only possible meaning: one number for a list, a number for a column's
/// name, `yes` for `true`, `1e3` for 1000.
///
/// # Errors
/// A sentence that says what the key takes.
pub(super) fn put(section: &mut dyn Section, key: &str, value: &Value) -> Result<(), String> {
    let Err(error) = section.set(key, value.clone()) else { return Ok(()) };
    if meanings(value).into_iter().any(|meaning| section.set(key, meaning).is_ok()) {
        return Ok(());
    }
    let own = one_line(error.message());
    let is_jargon = JARGON.iter().any(|words| own.starts_with(words));
    Err(if is_jargon { format!("it takes {}", taken(section, key)) } else { own })
}

/// Other possible meanings of a value.
fn meanings(value: &Value) -> Vec<Value> {
    const LARGEST: f64 = 1e15; // whole numbers are exact up to here
    let mut meanings = Vec::new();
    match value {
        Value::String(text) => match text.to_lowercase().as_str() {
            "yes" | "true" | "on" => meanings.push(Value::Boolean(true)),
            "no" | "false" | "off" => meanings.push(Value::Boolean(false)),
            _ => {}
        },
        Value::Float(number) if number.fract() == 0.0 && number.abs() <= LARGEST => {
            #[allow(clippy::cast_possible_truncation)] // it is whole, and small enough
            meanings.push(Value::Integer(*number as i64));
        }
        _ => {}
    }
    if matches!(value, Value::Integer(_) | Value::Float(_) | Value::Datetime(_)) {
        meanings.push(Value::String(value.to_string()));
    }
    if !matches!(value, Value::Array(_) | Value::Table(_)) {
        let one: Vec<Value> = std::iter::once(value.clone()).chain(meanings.clone()).collect();
        meanings.extend(one.into_iter().map(|value| Value::Array(vec![value])));
    }
    meanings
}

/// What a key takes: "a whole number, 0 or more, or \"auto\"".
fn taken(section: &dyn Section, key: &str) -> String {
    let takes = |value: Value| section.probe(key, value).is_ok();
    let word = |word: &str| Value::String(word.to_owned());
    let list = |value: Value| Value::Array(vec![value]);
    let mut kinds: Vec<String> = Vec::new();
    if takes(Value::Boolean(true)) {
        kinds.push("true or false".to_owned());
    }
    if takes(Value::Float(0.5)) {
        kinds.push("a number".to_owned());
    } else if takes(Value::Integer(1)) {
        kinds.push(whole(&takes));
    }
    if takes(list(Value::Float(0.5))) {
        kinds.push("a list of numbers, as in [0.5, 1]".to_owned());
    } else if takes(list(Value::Integer(1))) {
        kinds.push("a list of whole numbers, as in [200, 100]".to_owned());
    } else if takes(list(word("a"))) {
        kinds.push("a list of texts, as in [\"a\", \"b\"]".to_owned());
    }
    if takes(word(NO_NAME)) {
        kinds.push("text".to_owned());
    } else {
        let names = section.probe(key, word(NO_NAME)).err();
        let names = names.map(|error| names_in(error.message())).unwrap_or_default();
        let open = OPEN.iter().filter(|open| takes(word(open)));
        let open = open.map(|open| (*open).to_owned()).filter(|open| !names.contains(open));
        kinds.extend(names.iter().cloned().chain(open.map(|open| format!("\"{open}\""))));
    }
    match kinds.as_slice() {
        [] => "another type of value".to_owned(),
        [others @ .., last] if !others.is_empty() => format!("{} or {last}", joined(others, ", ")),
        [one, ..] => one.clone(),
    }
}

/// Which whole numbers a key takes.
fn whole(takes: &dyn Fn(Value) -> bool) -> String {
    let above = |bits: u32| takes(Value::Integer(1 << bits));
    match (takes(Value::Integer(-1)), above(16), above(32)) {
        (true, ..) => "a whole number".to_owned(),
        (_, true, false) => format!("a whole number from 0 to {}", u32::MAX),
        _ => "a whole number that is not negative".to_owned(),
    }
}

/// The names that a message lists: in backticks after "expected", or after "... are".
fn names_in(message: &str) -> Vec<String> {
    if let Some((_, names)) = message.split_once("expected") {
        return names.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    }
    let names = message.rsplit_once(" are ").map_or("", |(_, names)| names);
    names.trim().split(", ").filter(|name| !name.is_empty()).map(str::to_owned).collect()
}
