//! Where a setting's number has to lie, and what is said of one that lies elsewhere.

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
    /// Refuses a value outside the range, NaN among them, by the name `what`.
    ///
    /// # Errors
    /// [`Error::Configuration`] that names the setting, its range and the value.
    pub(crate) fn check(self, what: &str, value: f64) -> Result<()> {
        self.fault(value).map_or(Ok(()), |fault| Err(Error::configuration(format!("{what} {fault}"))))
    }

    /// The same for the setting of this key.
    ///
    /// # Errors
    /// [`Error::Configuration`] with the key.
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
