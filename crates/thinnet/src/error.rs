//! The one error type of the library: each message is a sentence that says what is wrong, where, and what is expected.

use std::path::PathBuf;

/// What can go wrong in the library.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Arrays whose shapes do not fit together.
    #[error("{what}: expected shape {expected}, got {got}")]
    Shape {
        /// The argument and the function that takes it.
        what: String,
        /// The shape that would fit.
        expected: String,
        /// The shape that came.
        got: String,
    },
    /// A setting outside its range, or settings that do not go together.
    #[error("{}{}", setting.map_or_else(String::new, |setting| format!("{setting} ")), message)]
    Configuration {
        /// The setting, by its key in a file of settings (`train.epochs`), where it is one alone.
        setting: Option<&'static str>,
        /// What is wrong, what is expected and what came; the setting is said before it.
        message: String,
    },
    /// Data that cannot be what it claims to be.
    #[error("{0}")]
    Data(String),
    /// A number is NaN or infinite: training has diverged.
    #[error(
        "{what} after step {step}: training has diverged; try a smaller learning rate, or bound the gradients"
    )]
    Diverged {
        /// What it is, and what it has become.
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
    /// A file of the report that cannot be made.
    #[error("cannot make {file} of the report: {source}")]
    Report {
        /// The file's name.
        file: &'static str,
        /// The reason.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// The library's result.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// A shape error; `expected` and `got` are any two things that print. Letters in a shape stand without quotes: (N, 15).
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

    /// Settings that cannot be.
    pub fn configuration(message: impl Into<String>) -> Self {
        Self::Configuration { setting: None, message: message.into() }
    }

    /// A setting out of range, by its key; `message` goes on after it: "must be at least 1, got 0".
    pub fn setting(setting: &'static str, message: impl Into<String>) -> Self {
        Self::Configuration { setting: Some(setting), message: message.into() }
    }

    /// A name that nothing has: "there is no loss \"x\"; the losses are a, b".
    pub(crate) fn no_such(one: &str, name: &str, many: &str, names: &[&str]) -> Self {
        Self::configuration(format!("there is no {one} {name:?}; the {many} are {}", names.join(", ")))
    }

    /// Data that is not what it should be.
    pub(crate) fn data(message: impl Into<String>) -> Self {
        Self::Data(message.into())
    }
}

/// Errors of files.
/// Refuses what has not the expected shape; `what` names it.
pub(crate) fn same_shape<E, G>(what: impl Into<String>, expected: &E, got: &G) -> Result<()>
where
    E: std::fmt::Debug + PartialEq<G> + ?Sized,
    G: std::fmt::Debug + ?Sized,
{
    if expected == got { Ok(()) } else { Err(Error::shape(what, expected, got)) }
}

/// Ends a function with an error unless something holds.
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
    /// The same, with what it is about before its words, if they are about data.
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

    /// A file of the report that cannot be made.
    pub(crate) fn report<E>(file: &'static str) -> impl FnOnce(E) -> Self
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        move |source| Self::Report { file, source: source.into() }
    }
}
