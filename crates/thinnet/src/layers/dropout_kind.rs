//! The kinds of dropout.

use serde::{Deserialize, Serialize};

use crate::names::names;

/// The kind of dropout in a network's hidden layers. All three keep the mean and are specified by the keep
/// probability p; in test mode none of them changes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DropoutKind {
    /// Each unit is kept with probability p and scaled by 1/p: [`dropout_forward`](super::dropout_forward).
    #[default]
    Bernoulli,
    /// Each unit is multiplied by a number drawn from N(1, (1 - p) / p):
    /// [`gaussian_dropout_forward`](super::gaussian_dropout_forward).
    Gaussian,
    /// Each weight is kept with probability p, independently for each sample, and scaled by 1/p:
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
