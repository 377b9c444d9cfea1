//! Converts the library's errors to Python's exceptions.

use pyo3::PyErr;
use pyo3::exceptions::{PyKeyboardInterrupt, PyOSError, PyRuntimeError, PyValueError};
use thinnet::Error;

/// `ValueError` for shapes, settings and data, `OSError` for files, `KeyboardInterrupt` for a requested stop.
pub fn to_python(error: Error) -> PyErr {
    let message = error.to_string();
    match error {
        Error::Shape { .. } | Error::Configuration { .. } | Error::Data(_) => PyValueError::new_err(message),
        Error::Io { .. } => PyOSError::new_err(message),
        Error::Interrupted { .. } => PyKeyboardInterrupt::new_err(message),
        _ => PyRuntimeError::new_err(message),
    }
}
