//! The keys of a section by their names in a file.

use documented::{Documented, DocumentedFields};
use serde::{Serialize, de, de::DeserializeOwned};
use toml::{Table, Value};

use crate::error::{Error, Result};

/// A section, whichever it is.
pub(super) trait Section {
    /// The keys, in the order of the file.
    fn keys(&self) -> &'static [&'static str];

    /// What the section is, in words.
    fn meaning(&self) -> &'static str;

    /// What a key means; empty for one that there is not.
    fn meaning_of(&self, key: &str) -> &'static str;

    /// The values by their keys.
    ///
    /// # Errors
    /// [`Error::Configuration`] for what TOML cannot hold, which no setting in range is.
    fn table(&self) -> Result<Table>;

    /// Puts a value in place of a key's.
    ///
    /// # Errors
    /// An unknown key, or a value of the wrong type.
    fn set(&mut self, key: &str, value: Value) -> std::result::Result<(), toml::de::Error>;

    /// Whether the key would take the value; changes nothing.
    ///
    /// # Errors
    /// As [`Section::set`].
    fn probe(&self, key: &str, value: Value) -> std::result::Result<(), toml::de::Error>;
}

impl<T: Serialize + DeserializeOwned + Documented + DocumentedFields> Section for T {
    fn keys(&self) -> &'static [&'static str] {
        T::FIELD_NAMES
    }

    fn meaning(&self) -> &'static str {
        T::DOCS
    }

    fn meaning_of(&self, key: &str) -> &'static str {
        T::get_field_docs(key).unwrap_or_default()
    }

    fn table(&self) -> Result<Table> {
        Table::try_from(self).map_err(|error| Error::configuration(format!("settings as TOML: {error}")))
    }

    fn set(&mut self, key: &str, value: Value) -> std::result::Result<(), toml::de::Error> {
        *self = with(self, key, value)?;
        Ok(())
    }

    fn probe(&self, key: &str, value: Value) -> std::result::Result<(), toml::de::Error> {
        with(self, key, value).map(|_| ())
    }
}

/// The section with another value of a key.
fn with<T: Serialize + DeserializeOwned>(
    section: &T,
    key: &str,
    value: Value,
) -> std::result::Result<T, toml::de::Error> {
    let mut table = Table::try_from(section).map_err(de::Error::custom)?;
    table.insert(key.to_owned(), value);
    table.try_into()
}
