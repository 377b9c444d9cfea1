//! The meaning of each setting: the documentation of the sections' fields, for files and tables.

use toml::Value;

use super::TrainingConfig;
use crate::error::Result;
use crate::text::one_line;

/// The width of a comment.
const COLUMNS: usize = 100;

/// A setting with its explanation.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// The key with its section: `model.keep`.
    pub key: String,
    /// Its default, as in TOML.
    pub default: Value,
    /// Its meaning, in a sentence or two; words of the file are in backticks.
    pub meaning: String,
}

/// Every setting, in file order.
///
/// # Errors
/// None: defaults can be written.
pub fn settings() -> Result<Vec<Setting>> {
    let config = TrainingConfig::default();
    let mut settings = Vec::new();
    for (name, section) in config.sections() {
        let mut values = section.table()?;
        settings.extend(section.keys().iter().filter_map(|key| {
            let meaning = one_line(section.meaning_of(key));
            Some(Setting { key: format!("{name}.{key}"), default: values.remove(*key)?, meaning })
        }));
    }
    Ok(settings)
}

/// Every key with its section, sorted.
pub fn keys() -> Vec<String> {
    let config = TrainingConfig::default();
    let sections = config.sections().into_iter();
    let mut keys: Vec<String> = sections
        .flat_map(|(section, own)| own.keys().iter().map(move |key| format!("{section}.{key}")))
        .collect();
    keys.sort_unstable();
    keys
}

impl TrainingConfig {
    /// All settings as a TOML file that explains itself: the meaning of each key is above it.
    ///
    /// # Errors
    /// As [`TrainingConfig::to_toml`].
    pub fn to_commented_toml(&self) -> Result<String> {
        let mut parts = Vec::new();
        for (name, section) in self.sections() {
            parts.push(format!("{}[{name}]\n", comment(section.meaning())));
            let values = section.table()?;
            let keys = section.keys().iter().filter_map(|key| Some((key, values.get(*key)?)));
            parts.extend(
                keys.map(|(key, value)| format!("{}{key} = {value}\n", comment(section.meaning_of(key)))),
            );
        }
        Ok(parts.join("\n"))
    }
}

/// A text as comment lines with at most [`COLUMNS`] columns.
fn comment(text: &str) -> String {
    let mut lines = vec!["#".to_owned()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= COLUMNS => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(format!("# {word}")),
        }
    }
    lines.join("\n") + "\n"
}
