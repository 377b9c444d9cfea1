//! The library's one error type. Each message is a sentence that says what is wrong, where, and what is expected.

use std::path::PathBuf;

/// An error of the library.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Arrays whose shapes do not match.
    #[error("{what}: expected shape {expected}, got {got}")]
    Shape {
        /// The argument, and the function that takes it.
        what: String,
        /// The expected shape.
        expected: String,
        /// The actual shape.
        got: String,
    },
    /// A setting outside its range, or settings that cannot be combined.
    #[error("{}{}", setting.map_or_else(String::new, |setting| format!("{setting} ")), message)]
    Configuration {
        /// The setting, as a key in a file of settings (`train.epochs`), if it is only one.
        setting: Option<&'static str>,
        /// What is wrong, what is expected and what was given; the setting is printed before it.
        message: String,
    },
    /// Data that are not valid.
    #[error("{0}")]
    Data(String),
    /// A number is NaN or infinite: training has diverged.
    #[error(
        "{what} after step {step}: training has diverged; try a smaller learning rate, or bound the gradients"
    )]
    Diverged {
        /// What is not finite, and its value.
        what: String,
        /// Step, counted from 1.
        step: u64,
    },
    /// The caller asked to stop.
    #[error("stopped after step {step}")]
    Interrupted {
        /// Steps that were completed.
        step: u64,
    },
    /// A file or folder that cannot be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried: "read", "create", ...
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A file of the report that cannot be created.
    #[error("cannot make {file} of the report: {source}")]
    Report {
        /// The file's name.
        file: &'static str,
        /// The reason.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// The library's result type.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// A shape error; `expected` and `got` are any two printable values. Letters in a shape are printed without
    /// quotes: (N, 15).
    pub(crate) fn shape(
        what: impl Into<String>,
        expected: impl std::fmt::Debug,
        got: impl std::fmt::Debug,
    ) -> Self {
        Self::Shape {
            what: what.into(),
            expected: format!("{expected:?}").replace('"', ""),
            got: format!("{got:?}").replace('"', ""),
        }
    }

    /// Invalid settings.
    pub fn configuration(message: impl Into<String>) -> Self {
        Self::Configuration { setting: None, message: message.into() }
    }

    /// A setting out of range, given by its key; `message` follows the key: "must be at least 1, got 0".
    pub fn setting(setting: &'static str, message: impl Into<String>) -> Self {
        Self::Configuration { setting: Some(setting), message: message.into() }
    }

    /// An unknown name: "there is no loss \"x\"; the losses are a, b".
    pub(crate) fn no_such(one: &str, name: &str, many: &str, names: &[&str]) -> Self {
        Self::configuration(format!("there is no {one} {name:?}; the {many} are {}", names.join(", ")))
    }

    /// Invalid data.
    pub(crate) fn data(message: impl Into<String>) -> Self {
        Self::Data(message.into())
    }
}

/// Errors of files.
/// Refuses a shape that is not the expected one; `what` names it.
pub(crate) fn same_shape<E, G>(what: impl Into<String>, expected: &E, got: &G) -> Result<()>
where
    E: std::fmt::Debug + PartialEq<G> + ?Sized,
    G: std::fmt::Debug + ?Sized,
{
    if expected == got { Ok(()) } else { Err(Error::shape(what, expected, got)) }
}

/// Returns an error unless a condition holds.
macro_rules! ensure {
    ($holds:expr, $error:expr) => {
        let holds: bool = $holds;
        if !holds {
            return Err($error);
        }
    };
}
pub(crate) use ensure;

impl Error {
    /// The same error with its subject in front, if it is about data.
    pub(crate) fn within(self, what: impl std::fmt::Display) -> Self {
        match self {
            Self::Data(message) => Self::Data(format!("{what}: {message}")),
            other => other,
        }
    }
}

#[cfg(feature = "files")]
impl Error {
    /// An input/output error on `path`.
    pub(crate) fn io(action: &'static str, path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { action, path, source }
    }

    /// A file of the report that cannot be created.
    pub(crate) fn report<E>(file: &'static str) -> impl FnOnce(E) -> Self
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        move |source| Self::Report { file, source: source.into() }
    }
}
