//! The kinds of dropout.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// What the dropout of a network's hidden layers is. All three leave the mean as it is and are told by the probability p to
/// keep; in test mode none changes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DropoutKind {
    /// Each unit is kept with probability p and scaled by 1/p: [`dropout_forward`](super::dropout_forward).
    #[default]
    Bernoulli,
    /// Each unit is multiplied by a number drawn from N(1, (1 - p) / p):
    /// [`gaussian_dropout_forward`](super::gaussian_dropout_forward).
    Gaussian,
    /// Each weight is kept with probability p, for each sample for itself, and scaled by 1/p:
    /// [`drop_connect_forward`](super::drop_connect_forward).
    DropConnect,
}

impl DropoutKind {
    /// The names of all.
    pub const NAMES: [&'static str; 3] = ["bernoulli", "gaussian", "drop_connect"];

    /// `bernoulli`, `gaussian` or `drop_connect`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bernoulli => "bernoulli",
            Self::Gaussian => "gaussian",
            Self::DropConnect => "drop_connect",
        }
    }
}

impl FromStr for DropoutKind {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        [Self::Bernoulli, Self::Gaussian, Self::DropConnect]
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or_else(|| {
                Error::configuration(format!(
                    "there is no kind of dropout {name:?}; the kinds are {}",
                    Self::NAMES.join(", ")
                ))
            })
    }
}
