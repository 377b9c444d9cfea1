//! The names of data sets that can be fetched.

/// The data sets that can be fetched: the keys of `datasets.json`.
pub(crate) const NAMES: [&str; 4] = ["cifar10", "cifar100", "mnist", "fashion-mnist"];
