//! Readers of other libraries that check most of a file, and panic where some of its sizes are wrong.

use std::cell::Cell;
use std::fmt;
use std::panic::{self, AssertUnwindSafe};

use super::archive::brief;
use crate::error::{Error, Result};

thread_local!(static GUARDED: Cell<bool> = const { Cell::new(false) });

/// Whether a panic on this thread becomes an error, so that nobody need be told of it: what reads Parquet, Arrow and HDF5 checks
/// most of a file, and panics where some of its sizes are wrong.
pub fn catches_panic() -> bool {
    GUARDED.get()
}

/// What a reader gives; an error where it panics.
pub(super) fn guarded<T>(read: impl FnOnce() -> Result<T>) -> Result<T> {
    GUARDED.set(true);
    // Whatever it was about is dropped unread.
    let read = panic::catch_unwind(AssertUnwindSafe(read));
    GUARDED.set(false);
    read.unwrap_or_else(|_| Err(Error::data("it is damaged: its parts do not fit one another")))
}

/// Why a file could not be read, as another library says it.
pub(super) fn broken(reason: impl fmt::Display) -> Error {
    Error::data(format!("it cannot be read: {}", brief(&reason)))
}
