//! Why the program stops early, in one sentence.

use std::io;

/// A reason to stop.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A request that cannot be done.
    Refused(String),
    /// Training diverged; it would do so again.
    Diverged(String),
    /// The user stopped it.
    Interrupted(String),
    /// Nobody reads standard output any more.
    NobodyReads,
}

impl Failure {
    /// Why standard output cannot be written.
    pub(crate) fn output(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::NobodyReads,
            _ => Self::Refused(format!("cannot write to standard output: {error}")),
        }
    }
}

impl From<thinnet::Error> for Failure {
    fn from(error: thinnet::Error) -> Self {
        match error {
            thinnet::Error::Diverged { .. } => Self::Diverged(error.to_string()),
            thinnet::Error::Interrupted { .. } => Self::Interrupted(error.to_string()),
            error => Self::Refused(error.to_string()),
        }
    }
}
