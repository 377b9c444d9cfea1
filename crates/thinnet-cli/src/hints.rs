//! Suggestions for an option that a command does not have: its own option for it, or `--set`.
//!
//! Other names of settings are in the library's table, [`thinnet::training::meant`]; names of options are here.

use std::str::FromStr;

use thinnet::text::shell_word;
use thinnet::training::{Assignment, TrainingConfig, meant};

/// Settings for which commands have their own options.
const OPTIONS: [(&str, &str); 22] = [
    ("data.path", "--data"),
    ("data.label_column", "--label-column"),
    ("data.header", "--header"),
    ("data.resize", "--resize"),
    ("data.train", "--train"),
    ("data.val", "--val"),
    ("data.split", "--split"),
    ("data.split_seed", "--split-seed"),
    ("data.scaling", "--scaling"),
    ("model.task", "--regression"),
    ("model.hidden", "--hidden"),
    ("model.keep", "--keep"),
    ("model.dtype", "--dtype"),
    ("optim.rule", "--update-rule"),
    ("optim.learning_rate", "--learning-rate"),
    ("optim.l2", "--reg"),
    ("train.epochs", "--epochs"),
    ("train.batch_size", "--batch-size"),
    ("train.seed", "--seed"),
    ("train.threads", "--threads"),
    ("train.engine", "--engine"),
    ("seeds", "--seeds"),
];

/// The option for a setting, in commands that have one.
pub(crate) fn option_of(setting: &str) -> Option<&'static str> {
    OPTIONS.iter().find(|(key, _)| *key == setting).map(|&(_, option)| option)
}

/// What to use instead of an option that this command does not have: "--keep 0.5", "--set model.keep=0.5"; `None` for
/// a name that means no setting, or a setting that the command cannot have.
///
/// - `words`: the command line without the program's name, for the value
pub(crate) fn instead(command: &clap::Command, option: &str, words: &[String]) -> Option<String> {
    let has = |option: &str| {
        let long = option.trim_start_matches('-');
        command.get_arguments().any(|argument| argument.get_long() == Some(long))
    };
    let given = value_of(option, words).unwrap_or_default();
    let meaning = meant(option, &given)?;
    let (key, value) = meaning.split_once('=')?;
    if let Some(own) = option_of(key).filter(|own| has(own)) {
        let word = if value.is_empty() { default_of(key) } else { value.to_owned() };
        return Some(match (key, value) {
            ("model.task", "regression") => own.to_owned(),
            ("model.task", _) => return None,
            _ => format!("{own} {}", shell_word(word.trim_matches(['[', ']', '"']))),
        });
    }
    if !has("--set") {
        return None;
    }
    let is_sweep = has("--random"); // there, commas separate values
    let mut values = vec![value.to_owned(), format!("[{value}]"), default_of(key)];
    values.retain(|value| !value.is_empty() && value != "[]");
    let takes = |value: &&String| {
        let is_list = is_sweep && value.contains(',') && !value.starts_with('[');
        let one = if is_list { value.split(',').next().unwrap_or_default() } else { value };
        Assignment::from_str(&format!("{key}={one}"))
            .and_then(|assignment| {
                let mut config = TrainingConfig::default();
                config.set(&assignment)?;
                config.check()
            })
            .is_ok()
    };
    let value = values.iter().find(takes)?;
    Some(format!("--set {}", shell_word(&format!("{key}={value}"))))
}

/// The value given with an option: `--epochs=5`, `--epochs 5`.
fn value_of(option: &str, words: &[String]) -> Option<String> {
    let at = words.iter().position(|word| word.split('=').next() == Some(option))?;
    if let Some((_, value)) = words.get(at)?.split_once('=') {
        return Some(value.to_owned());
    }
    words.get(at + 1).filter(|word| !word.starts_with("--")).cloned()
}

/// A setting's default, as the user would write it.
fn default_of(key: &str) -> String {
    match TrainingConfig::default().get(key) {
        Some(toml::Value::String(word)) => word,
        Some(value) => value.to_string(),
        None => String::new(),
    }
}
