//! What each setting means, in words: the documentation of the sections' fields, for files and tables.

use documented::{Documented, DocumentedFields};
use toml::Value;

use super::{DataConfig, ModelConfig, OptimConfig, TrainConfig, TrainingConfig};
use crate::error::Result;

/// Columns that a comment fills.
const COLUMNS: usize = 100;

/// A setting, as a person is told of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// The key with its section: `model.keep`.
    pub key: String,
    /// Its default, as TOML has it.
    pub default: Value,
    /// What it means, in a sentence or two; words of the file stand in backticks.
    pub meaning: String,
}

/// Every setting, in the order of the file.
///
/// # Errors
/// None: defaults can be written.
pub fn settings() -> Result<Vec<Setting>> {
    let defaults = TrainingConfig::default();
    let text = defaults.to_toml()?;
    let setting = |line| match line {
        Line::Key { section, key, .. } => {
            let key = format!("{section}.{key}");
            let default = defaults.get(&key)?;
            Some(Setting { meaning: meaning(&key), default, key })
        }
        Line::Section(_) | Line::Other => None,
    };
    Ok(lines(&text).filter_map(setting).collect())
}

impl TrainingConfig {
    /// All settings as a TOML file that explains itself: above each key stands what it means.
    ///
    /// # Errors
    /// Those of [`TrainingConfig::to_toml`].
    pub fn to_commented_toml(&self) -> Result<String> {
        let mut text = String::new();
        for line in lines(&self.to_toml()?) {
            match line {
                Line::Section(section) => {
                    if !text.is_empty() {
                        text.push('\n');
                    }
                    text.push_str(&comment(section_meaning(section)));
                    text.push('[');
                    text.push_str(section);
                    text.push_str("]\n");
                }
                Line::Key { section, key, line } => {
                    text.push('\n');
                    text.push_str(&comment(&meaning(&format!("{section}.{key}"))));
                    text.push_str(line);
                    text.push('\n');
                }
                Line::Other => {}
            }
        }
        Ok(text)
    }
}

/// A line of a file as [`TrainingConfig::to_toml`] writes it, where a value takes one line.
enum Line<'a> {
    Section(&'a str),
    Key { section: &'a str, key: &'a str, line: &'a str },
    Other,
}

fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let mut section = "";
    text.lines().map(move |line| {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            section = name;
            Line::Section(name)
        } else if let Some((key, _)) = line.split_once(" = ") {
            Line::Key { section, key, line }
        } else {
            Line::Other
        }
    })
}

/// The documentation of a key's field, on one line; empty for a key that there is not.
fn meaning(key: &str) -> String {
    let (section, name) = key.split_once('.').unwrap_or_default();
    let text = match section {
        "data" => DataConfig::get_field_docs(name),
        "model" => ModelConfig::get_field_docs(name),
        "optim" => OptimConfig::get_field_docs(name),
        _ => TrainConfig::get_field_docs(name),
    };
    text.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn section_meaning(section: &str) -> &'static str {
    match section {
        "data" => DataConfig::DOCS,
        "model" => ModelConfig::DOCS,
        "optim" => OptimConfig::DOCS,
        _ => TrainConfig::DOCS,
    }
}

/// A text as comment lines of at most [`COLUMNS`] columns.
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
