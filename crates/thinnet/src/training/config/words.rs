//! Settings that may be left open. A file uses a word for that, because TOML has no null.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

fn write<T: Serialize, S: Serializer>(
    value: Option<&T>,
    word: &str,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => value.serialize(serializer),
        None => serializer.serialize_str(word),
    }
}

fn read<'de, T, D>(word: &str, deserializer: D) -> Result<Option<T>, D::Error>
where
    T: de::DeserializeOwned,
    D: Deserializer<'de>,
{
    let value = toml::Value::deserialize(deserializer)?;
    if value.as_str() == Some(word) {
        return Ok(None);
    }
    T::deserialize(value).map(Some).map_err(|error| {
        let message = error.to_string();
        de::Error::custom(format!("{}, or \"{word}\"", message.trim_end()))
    })
}

/// A word for `None`, for serde's `with`.
macro_rules! word {
    ($module:ident, $word:literal) => {
        pub(super) mod $module {
            use serde::{Deserializer, Serialize, Serializer, de::DeserializeOwned};

            #[allow(clippy::ref_option)] // the signature that serde calls
            pub(in super::super) fn serialize<T: Serialize, S: Serializer>(
                value: &Option<T>,
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                super::write(value.as_ref(), $word, serializer)
            }

            pub(in super::super) fn deserialize<'de, T: DeserializeOwned, D: Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Option<T>, D::Error> {
                super::read($word, deserializer)
            }
        }
    };
}

word!(auto, "auto");
word!(none, "none");
word!(all, "all");
