//! A part of a sweep's runs, for one of several machines.

use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

use crate::error::{Error, Result, ensure};

/// Shard `i/n`: the runs of the `i`th of `n` machines, counted from 1. All `n` together are every run, each once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    number: usize,
    count: usize,
}

impl Shard {
    /// Shard `number` of `count`.
    ///
    /// # Errors
    /// [`Error::Configuration`] for a number that is not from 1 to `count`.
    pub fn new(number: usize, count: usize) -> Result<Self> {
        ensure!(count > 0, Error::configuration("a sweep has at least 1 shard, as in 1/1"));
        ensure!(
            (1..=count).contains(&number),
            Error::configuration(format!(
                "there is no shard {number} of {count}: shards are counted from 1 to {count}"
            ))
        );
        Ok(Self { number, count })
    }

    /// How many shards there are.
    pub fn count(self) -> usize {
        self.count
    }

    /// Whether it trains the run at this place of the plan.
    ///
    /// Each `n` runs in a row are dealt to the `n` shards, and each time the deal begins one shard later. Otherwise a shard could
    /// have all the large networks: in a grid, the last setting repeats in the same steps.
    pub fn has(self, run: usize) -> bool {
        (run % self.count + run / self.count) % self.count == self.number - 1
    }
}

impl FromStr for Shard {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let parts = text.split_once('/').and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
        let Some((number, count)) = parts else {
            return Err(Error::configuration("a shard is i/n with i from 1 to n, as in 2/8"));
        };
        Self::new(number, count)
    }
}

impl Display for Shard {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.number, self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(shard: &str, all: usize) -> Vec<usize> {
        let shard: Shard = shard.parse().unwrap();
        (0..all).filter(|&run| shard.has(run)).collect()
    }

    #[test]
    fn shards_together_are_every_run_once_and_equally_many() {
        for count in 1..=9 {
            for all in 0..40 {
                let shards: Vec<Vec<usize>> =
                    (1..=count).map(|number| runs(&format!("{number}/{count}"), all)).collect();
                let mut together = shards.concat();
                together.sort_unstable();
                assert_eq!(together, (0..all).collect::<Vec<_>>());
                let sizes = shards.iter().map(Vec::len);
                assert!(sizes.clone().max() <= sizes.min().map(|least| least + 1), "{all} runs, {count}");
            }
        }
    }

    #[test]
    fn no_shard_has_one_value_of_the_last_setting_alone() {
        assert_eq!(runs("1/2", 8), [0, 3, 4, 7]);
        assert_eq!(runs("2/3", 9), [1, 3, 8]);
        for (count, values) in [(2, 2), (2, 4), (4, 2), (8, 4), (3, 3), (6, 3)] {
            let mut seen: Vec<usize> =
                runs(&format!("1/{count}"), count * values).iter().map(|run| run % values).collect();
            seen.sort_unstable();
            seen.dedup();
            assert!(seen.len() > 1, "{count} shards, {values} values: {seen:?}");
        }
    }

    #[test]
    fn what_is_no_shard_is_refused_in_a_sentence() {
        for (text, says) in [
            ("0/3", "there is no shard 0 of 3: shards are counted from 1 to 3"),
            ("4/3", "there is no shard 4 of 3"),
            ("1/0", "at least 1 shard, as in 1/1"),
            ("x/3", "as in 2/8"),
            ("2", "as in 2/8"),
            ("-1/3", "as in 2/8"),
            ("1/2/3", "as in 2/8"),
            ("", "as in 2/8"),
            ("/", "as in 2/8"),
        ] {
            let refused = text.parse::<Shard>().unwrap_err().to_string();
            assert!(refused.contains(says) && !refused.contains('\n'), "{text}: {refused}");
        }
        assert_eq!("12/12".parse::<Shard>().unwrap().to_string(), "12/12");
    }
}
