//! Settings as text: TOML files, single assignments, and suggestions for misspelled names.

use std::str::FromStr;

use toml::{Table, Value};

use super::explained::keys;
use super::synonyms::meant;
use super::{Task, TrainingConfig, types};
use crate::error::{Error, Result};
use crate::layers::Loss;
use crate::text::one_line;

/// A single setting: `model.keep=0.5`.
#[derive(Debug, Clone, PartialEq)]
pub struct Assignment {
    /// The key with its section: `model.keep`.
    pub key: String,
    /// The value, as in TOML; a word that is not a TOML value is a string, so quotes can be left out.
    pub value: Value,
}

impl FromStr for Assignment {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let Some((key, value)) = text.split_once('=') else {
            return Err(Error::configuration(format!(
                "{text:?} is not an assignment; write KEY=VALUE, as in model.keep=0.5"
            )));
        };
        let key = key.trim().to_owned();
        known(&key)?;
        Ok(Self { key, value: value_of(value) })
    }
}

/// A value as in TOML, or else the text itself.
fn value_of(text: &str) -> Value {
    let text = text.trim();
    match format!("value = {text}").parse::<Table>() {
        Ok(mut table) if table.len() == 1 => {
            table.remove("value").unwrap_or_else(|| Value::String(text.to_owned()))
        }
        _ => Value::String(text.to_owned()),
    }
}

/// Refuses an unknown key, and suggests the nearest known one.
fn known(key: &str) -> Result<()> {
    let keys = keys();
    if keys.iter().any(|known| known == key) {
        return Ok(());
    }
    let (section, name) = key.rsplit_once('.').unwrap_or(("", key));
    let parted = |known: &'_ String| {
        known.split_once('.').map(|(section, name)| (section.to_owned(), name.to_owned()))
    };
    let likeness = |known: &String| {
        let (own_section, own_name) = parted(known).unwrap_or_default();
        // Of similar names, the one in the section that was given, or one with a similar name.
        strsim::jaro_winkler(&own_name, name) + 0.1 * strsim::jaro_winkler(&own_section, section)
    };
    let nearest = keys.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    let nearest = nearest.filter(|known| likeness(known) > 0.85).map(String::as_str);
    let of_section = |known: &'_ String| known.strip_prefix(section)?.strip_prefix('.').map(str::to_owned);
    let own: Vec<String> = keys.iter().filter_map(of_section).collect();
    let synonym = meant(name, "").map(|meant| meant.trim_end_matches('=').to_owned());
    let hint = match (synonym.as_deref(), nearest) {
        (Some(meant), _) if !own.is_empty() && !meant.starts_with(&format!("{section}.")) => {
            format!("did you mean {meant}? those of [{section}] are {}", own.join(", "))
        }
        (Some(meant), _) | (None, Some(meant)) => format!("did you mean {meant}?"),
        (None, None) if own.is_empty() => "the sections are data, model, optim and train".to_owned(),
        (None, None) => format!("those of [{section}] are {}", own.join(", ")),
    };
    Err(Error::configuration(format!("there is no setting {key}; {hint}")))
}

impl TrainingConfig {
    /// Reads the settings from a TOML file; missing ones have their defaults.
    ///
    /// # Errors
    /// [`Error::Configuration`] for text that is not TOML, an unknown key (with the nearest known one) or a value of
    /// the wrong type; [`TrainingConfig::check`] checks ranges.
    pub fn from_toml(text: &str) -> Result<Self> {
        let table: Table = text.parse().map_err(|error: toml::de::Error| {
            Error::configuration(format!("it is not valid TOML: {}", one_line(&error.to_string())))
        })?;
        let mut config = Self::default();
        for (section, keys) in table {
            match keys {
                Value::Table(keys) => {
                    for (key, value) in keys {
                        config.set(&Assignment { key: format!("{section}.{key}"), value })?;
                    }
                    known_section(&section)?;
                }
                _ => known(&section)?,
            }
        }
        Ok(config)
    }

    /// Changes one setting. A value with only one possible meaning is converted: `500` for a list, `yes` for `true`,
    /// `5` for a column's name. A loss of numbers makes the task a regression.
    ///
    /// # Errors
    /// [`Error::Configuration`] for an unknown key or a value of the wrong type.
    pub fn set(&mut self, assignment: &Assignment) -> Result<()> {
        let Assignment { key, value } = assignment;
        known(key)?;
        let (section, name) = key.split_once('.').unwrap_or_default();
        let Some(section) = self.section_mut(section) else { return Ok(()) };
        types::put(section, name, value)
            .map_err(|message| Error::configuration(format!("{key} = {value}: {message}")))?;
        if key == "model.loss" && self.model.loss.is_some_and(Loss::needs_numbers) {
            self.model.task = Task::Regression;
        }
        Ok(())
    }

    /// The value of a setting, as in TOML; `None` if there is no such key.
    pub fn get(&self, key: &str) -> Option<Value> {
        let (section, name) = key.split_once('.')?;
        let (_, section) = self.sections().into_iter().find(|(own, _)| *own == section)?;
        section.table().ok()?.remove(name)
    }

    /// All settings, including the defaults, as a TOML file.
    ///
    /// # Errors
    /// [`Error::Configuration`] for values that TOML cannot hold; no setting in range is like that.
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string(self).map_err(|error| Error::configuration(format!("settings as TOML: {error}")))
    }
}

/// Refuses an unknown section; one with keys was already refused.
fn known_section(section: &str) -> Result<()> {
    let prefix = format!("{section}.");
    if keys().iter().any(|key| key.starts_with(&prefix)) { Ok(()) } else { known(section) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        TrainingConfig::from_toml(text).unwrap_err().to_string()
    }

    #[test]
    fn what_is_written_is_read_back() {
        let mut config = TrainingConfig::default();
        for text in [
            "model.keep=[0.5, 0.25]",
            "model.hidden=[20, 30]",
            "model.normalisation=layer",
            "optim.max_norm=3",
            "optim.rule=sgd_momentum",
            "train.class_weights=balanced",
            "train.patience=4",
            "data.label_column=species",
            "optim.learning_rate=1e-5",
        ] {
            config.set(&text.parse().unwrap()).unwrap();
        }
        let text = config.to_toml().unwrap();
        assert_eq!(TrainingConfig::from_toml(&text).unwrap(), config, "{text}");
        assert_eq!(config.optim.max_norm, Some(3.0));
        assert_eq!(config.get("model.keep").unwrap().to_string(), "[0.5, 0.25]");
        // Every key is written, open ones with their word.
        for key in keys() {
            let name = key.split_once('.').unwrap().1;
            assert!(text.contains(&format!("\n{name} = ")), "{key} in {text}");
        }
        config.set(&"optim.max_norm=none".parse().unwrap()).unwrap();
        assert_eq!(config.optim.max_norm, None);
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_nearest_one() {
        for (text, nearest) in [
            ("[model]\nkeeep = 0.5", "model.keep"),
            ("[optim]\nlearningrate = 0.5", "optim.learning_rate"),
            ("[optim]\nkeep = 0.5", "model.keep"),
            ("[model]\nbatch_norm = true", "did you mean model.normalisation=batch?"),
            ("[model]\nlayer_norm = true", "did you mean model.normalisation=layer?"),
            ("[model]\nnormalization = \"batch\"", "did you mean model.normalisation?"),
            ("[modell]\nkeep = 0.5", "model.keep"),
            ("epochs = 5", "train.epochs"),
            ("[train]\nlr = 5\n", "those of [train] are batch_size"),
            ("[zoo]\nlion = 5\n", "the sections are"),
        ] {
            let message = refused(text);
            assert!(
                message.contains("there is no setting") && message.contains(nearest),
                "{text}: {message}"
            );
        }
        let message = "keep=0.5".parse::<Assignment>().unwrap_err().to_string();
        assert!(message.contains("did you mean model.keep?"), "{message}");
        assert!("model.keep".parse::<Assignment>().is_err());
    }

    #[test]
    fn a_value_of_the_wrong_type_is_refused_with_its_key() {
        for (text, key) in [
            ("[train]\nepochs = \"many\"", "train.epochs"),
            ("[train]\nepochs = -1", "train.epochs"),
            ("[model]\nhidden = \"five\"", "model.hidden"),
            ("[model]\nhidden = [5, 0.5]", "model.hidden"),
            ("[model]\nkeep = true", "model.keep"),
            ("[model]\nnormalisation = true", "model.normalisation"),
            ("[model]\nnormalisation = \"group\"", "model.normalisation"),
            ("[optim]\nmax_norm = \"big\"", "optim.max_norm"),
            ("[optim]\nschedule = \"cosin\"", "optim.schedule"),
            ("[train]\nclass_weights = \"heavy\"", "train.class_weights"),
        ] {
            let message = refused(text);
            assert!(message.starts_with(key) && !message.contains('\n'), "{text}: {message}");
        }
        let names = refused("[model]\nnormalisation = true");
        assert_eq!(names, "model.normalisation = true: it takes none, batch or layer");
        assert!(refused("[model\n").starts_with("it is not valid TOML"));
    }
}
