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
        let (holds, range) = match self {
            Self::NotNegative => (value >= 0.0 && value.is_finite(), "finite and not negative"),
            Self::Positive => (value > 0.0 && value.is_finite(), "finite and above 0"),
            Self::Share => ((0.0..1.0).contains(&value), "at least 0 and below 1"),
        };
        if holds {
            return Ok(());
        }
        Err(Error::configuration(format!("{what} must be {range}, got {value}")))
    }
}
