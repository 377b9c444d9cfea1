//! Guards against other libraries' readers that check most of a file, but panic if some of its sizes are wrong.

use std::cell::Cell;
use std::fmt;
use std::panic::{self, AssertUnwindSafe};

use super::archive::brief;
use crate::error::{Error, Result};

thread_local!(static GUARDED: Cell<bool> = const { Cell::new(false) });

/// Whether a panic on this thread becomes an error, so that it need not be reported: the Parquet, Arrow and HDF5
/// readers check most of a file, but panic if some of its sizes are wrong.
pub fn catches_panic() -> bool {
    GUARDED.get()
}

/// The reader's result; an error if it panics.
pub(super) fn guarded<T>(read: impl FnOnce() -> Result<T>) -> Result<T> {
    GUARDED.set(true);
    // The reader's state is dropped and never used again.
    let read = panic::catch_unwind(AssertUnwindSafe(read));
    GUARDED.set(false);
    read.unwrap_or_else(|_| Err(Error::data("it is damaged: its parts do not fit one another")))
}

/// Another library's reason why a file could not be read.
pub(super) fn broken(reason: impl fmt::Display) -> Error {
    Error::data(format!("it cannot be read: {}", brief(&reason)))
}
