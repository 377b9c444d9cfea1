//! Access to the keys of a section by name.

use documented::{Documented, DocumentedFields};
use serde::{Serialize, de, de::DeserializeOwned};
use toml::{Table, Value};

use crate::error::{Error, Result};

/// Any section.
pub(super) trait Section {
    /// The keys, in file order.
    fn keys(&self) -> &'static [&'static str];

    /// The meaning of the section, as text.
    fn meaning(&self) -> &'static str;

    /// The meaning of a key; empty for an unknown key.
    fn meaning_of(&self, key: &str) -> &'static str;

    /// The values by key.
    ///
    /// # Errors
    /// [`Error::Configuration`] for values that TOML cannot hold; no setting in range is like that.
    fn table(&self) -> Result<Table>;

    /// Sets the value of a key.
    ///
    /// # Errors
    /// An unknown key, or a value of the wrong type.
    fn set(&mut self, key: &str, value: Value) -> std::result::Result<(), toml::de::Error>;

    /// Whether the key would accept the value; changes nothing.
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

/// The section with another value for a key.
fn with<T: Serialize + DeserializeOwned>(
    section: &T,
    key: &str,
    value: Value,
) -> std::result::Result<T, toml::de::Error> {
    let mut table = Table::try_from(section).map_err(de::Error::custom)?;
    table.insert(key.to_owned(), value);
    table.try_into()
}
