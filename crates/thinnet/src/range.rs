//! The valid range of a setting's number, and the error for a number outside it.

use crate::error::{Error, Result};

/// A range of finite numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Range {
    /// 0 and above.
    NotNegative,
    /// Above 0.
    Positive,
    /// 0 and above, below 1.
    Share,
}

impl Range {
    /// Refuses a value outside the range, including NaN; messages call it `what`.
    ///
    /// # Errors
    /// [`Error::Configuration`], which names the setting, its range and the value.
    pub(crate) fn check(self, what: &str, value: f64) -> Result<()> {
        self.fault(value).map_or(Ok(()), |fault| Err(Error::configuration(format!("{what} {fault}"))))
    }

    /// The same for the setting with this key.
    ///
    /// # Errors
    /// [`Error::Configuration`], with the key.
    pub(crate) fn check_setting(self, key: &'static str, value: f64) -> Result<()> {
        self.fault(value).map_or(Ok(()), |fault| Err(Error::setting(key, fault)))
    }

    fn fault(self, value: f64) -> Option<String> {
        let (holds, range) = match self {
            Self::NotNegative => (value >= 0.0 && value.is_finite(), "finite and not negative"),
            Self::Positive => (value > 0.0 && value.is_finite(), "finite and above 0"),
            Self::Share => ((0.0..1.0).contains(&value), "at least 0 and below 1"),
        };
        (!holds).then(|| format!("must be {range}, got {value}"))
    }
}
