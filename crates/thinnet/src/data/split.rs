//! Splits the content of a file into training, validation and test samples.

use serde::{Deserialize, Serialize};

use super::{DataSet, Features};
use crate::error::{Error, Result};
use crate::names::names;
use crate::random::RandomState;

/// The order in which samples are assigned to the parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// As stored: training samples first, then validation, then test samples, as in the course.
    Stored,
    /// In random order.
    Shuffled,
    /// In random order, with each class in proportion.
    Stratified,
}

names!(Order, "order", "orders", Stored = "stored", Shuffled = "shuffled", Stratified = "stratified");

/// How a data set is split. `None` means that the data set decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SplitOptions {
    /// Training samples; by default all that remain.
    pub num_train: Option<usize>,
    /// Validation samples. By default the data set's own, or a fifth of its training samples, at most 1000.
    pub num_val: Option<usize>,
    /// Test samples. By default the data set's own, if any.
    pub num_test: Option<usize>,
    /// The order. By default: stored for image collections, which are shuffled already; shuffled for samples with
    /// numbers as targets, which have no classes; stratified for the rest.
    pub order: Option<Order>,
    /// Seed of NumPy's stream, for a random order: `RandomState(seed).permutation(N)`.
    pub seed: u32,
}

impl SplitOptions {
    /// The course's `get_CIFAR10_data(num_training, num_validation, num_test)`: the first images for training, the
    /// next ones for validation, the first test images for testing. The course's defaults are 49,000, 1,000 and
    /// 1,000.
    pub fn course(num_training: usize, num_validation: usize, num_test: usize) -> Self {
        Self {
            num_train: Some(num_training),
            num_val: Some(num_validation),
            num_test: Some(num_test),
            order: Some(Order::Stored),
            seed: 0,
        }
    }

    /// The order in which a data set is split.
    pub(crate) fn order_of(&self, set: &DataSet) -> Order {
        self.order.unwrap_or(match (set.format.is_shuffled(), set.is_regression()) {
            (true, _) => Order::Stored,
            (false, true) => Order::Shuffled,
            (false, false) => Order::Stratified,
        })
    }

    /// The split in words: "split as stored", "split stratified with seed 0".
    pub fn describe(&self, set: &DataSet) -> String {
        match self.order_of(set) {
            Order::Stored => "split as stored".to_owned(),
            order => format!("split {} with seed {}", order.name(), self.seed),
        }
    }
}

impl DataSet {
    /// The default maximum number of validation samples for a data set that has none.
    const DEFAULT_VAL: usize = 1000;

    /// The data set with training and validation samples, and test samples if it has any or they are requested.
    /// Existing parts stay separate, and are cut to the first samples up to the requested numbers. Missing parts are
    /// taken from the training samples.
    ///
    /// # Errors
    /// [`Error::Configuration`] if there are not enough samples, if no training sample would be left, and if a
    /// stratified split is requested for samples with numbers as targets.
    pub fn split(mut self, options: &SplitOptions) -> Result<Self> {
        let order = options.order_of(&self);
        if order == Order::Stratified && self.is_regression() {
            return Err(Error::configuration(
                "samples with numbers as targets have no classes to be split stratified by; their order is stored or shuffled",
            ));
        }
        let total = self.train.len();
        let default_val = (total / 5).clamp(1, Self::DEFAULT_VAL);
        let val_from_train = if self.val.is_some() { 0 } else { options.num_val.unwrap_or(default_val) };
        let test_from_train = if self.test.is_some() { 0 } else { options.num_test.unwrap_or(0) };
        let taken = val_from_train.saturating_add(test_from_train);
        let num_train = options.num_train.unwrap_or(total.saturating_sub(taken));
        for (what, count) in [("training", Some(num_train)), ("validation", options.num_val)] {
            if count == Some(0) {
                return Err(Error::configuration(format!(
                    "the number of {what} samples must be at least 1, got 0 of {total}"
                )));
            }
        }
        if num_train.saturating_add(taken) > total {
            return Err(Error::configuration(format!(
                "{num_train} training, {val_from_train} validation and {test_from_train} test samples are more than \
                 the {total} samples to split"
            )));
        }
        for (what, split, count) in
            [("validation", &mut self.val, options.num_val), ("test", &mut self.test, options.num_test)]
        {
            if let (Some(split), Some(count)) = (split, count) {
                if count > split.len() {
                    return Err(Error::configuration(format!(
                        "there are {} {what} samples, but {count} are requested",
                        split.len()
                    )));
                }
                *split = split.slice(0, count);
            }
        }
        if num_train == total {
            return self.refitted();
        }
        let ends = [num_train, num_train + val_from_train, num_train + taken];
        if order != Order::Stored {
            let mut drawn = RandomState::new(options.seed).permutation(total);
            if order == Order::Stratified {
                drawn = stratified(&drawn, self.train.labels(), self.names.len(), ends);
            }
            if let Features::Stored(_) = self.train.x() {
                drawn[..num_train].sort_unstable(); // so that a file is read in order
            }
            self.train = self.train.reordered(&drawn);
        }
        if val_from_train > 0 {
            self.val = Some(self.train.slice(ends[0], ends[1]).apart());
        }
        if test_from_train > 0 {
            self.test = Some(self.train.slice(ends[1], ends[2]).apart());
        }
        self.train = self.train.slice(0, num_train);
        self.refitted()
    }
}

/// `drawn`, rearranged into parts that end at `ends`, each with every class in proportion. Within a part, the order
/// is that of `drawn`.
fn stratified(drawn: &[usize], labels: &[usize], classes: usize, ends: [usize; 3]) -> Vec<usize> {
    let mut left = vec![0; classes];
    for &label in labels {
        left[label] += 1;
    }
    let mut unused = drawn.to_vec();
    let mut parts: Vec<Vec<usize>> = Vec::new();
    // The small parts first, so that they get the proportions of the whole.
    for size in [ends[1] - ends[0], ends[2] - ends[1], ends[0]] {
        let mut quota = shares(&left, size);
        left.iter_mut().zip(&quota).for_each(|(left, quota)| *left -= quota);
        let (part, rest): (Vec<_>, Vec<_>) = unused.into_iter().partition(|&sample| {
            let quota = &mut quota[labels[sample]];
            let takes = *quota > 0;
            *quota -= usize::from(takes);
            takes
        });
        parts.push(part);
        unused = rest;
    }
    parts.rotate_right(1); // training samples, validation, test
    parts.push(unused);
    parts.concat()
}

/// Divides `size` in proportion to `counts`, by the largest remainders (the first of equals).
fn shares(counts: &[usize], size: usize) -> Vec<usize> {
    let total = counts.iter().sum::<usize>().max(1) as u128;
    let exact = |count: usize| count as u128 * size as u128;
    let mut shares: Vec<usize> =
        counts.iter().map(|&count| usize::try_from(exact(count) / total).unwrap_or(0)).collect();
    let mut by_remainder: Vec<usize> = (0..counts.len()).collect();
    by_remainder.sort_unstable_by_key(|&class| (std::cmp::Reverse(exact(counts[class]) % total), class));
    let missing = size - shares.iter().sum::<usize>();
    by_remainder.into_iter().take(missing).for_each(|class| shares[class] += 1);
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_and_follow_the_counts() {
        assert_eq!(shares(&[50, 50, 50], 30), [10, 10, 10]);
        assert_eq!(shares(&[50, 50, 50], 31), [11, 10, 10]);
        assert_eq!(shares(&[97, 2, 1], 10), [10, 0, 0]);
        assert_eq!(shares(&[0, 3], 3), [0, 3]);
        assert_eq!(shares(&[], 0), [0; 0]);
    }

    #[test]
    fn every_part_has_every_class_by_its_share() {
        let labels: Vec<usize> = (0..100).map(|i| usize::from(i >= 60) + usize::from(i >= 90)).collect();
        let drawn = RandomState::new(3).permutation(100);
        let order = stratified(&drawn, &labels, 3, [70, 90, 100]);
        let count = |part: &[usize]| {
            let mut counts = [0; 3];
            for &sample in part {
                counts[labels[sample]] += 1;
            }
            counts
        };
        assert_eq!(count(&order[..70]), [42, 21, 7]);
        assert_eq!(count(&order[70..90]), [12, 6, 2]);
        assert_eq!(count(&order[90..]), [6, 3, 1]);
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..100).collect::<Vec<_>>());
    }
}
