//! What other libraries say of a file that they cannot read.

use std::fmt;

use crate::data::files::archive::brief;
use crate::error::Error;

/// Why a file could not be read.
pub(super) fn broken(reason: impl fmt::Display) -> Error {
    Error::data(format!("it cannot be read: {}", brief(&reason)))
}
