//! The kinds of dropout.

use serde::{Deserialize, Serialize};

use crate::names::names;

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

names!(
    DropoutKind,
    "kind of dropout",
    "kinds",
    Bernoulli = "bernoulli",
    Gaussian = "gaussian",
    DropConnect = "drop_connect"
);
