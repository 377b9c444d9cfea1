//! Whether a difference is more than chance: two networks on the same samples, and two settings over the same seeds.

use statrs::distribution::{Binomial, ContinuousCDF, DiscreteCDF, StudentsT};

/// The share of samples, and of tests, that a 95% interval leaves out on each side.
const TAIL: f64 = 0.025;
/// Standard errors from the middle of a normal distribution that leave [`TAIL`] outside.
const NORMAL: f64 = 1.959_963_984_540_054;

/// An estimate with its 95% interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Estimate {
    pub mean: f64,
    pub low: f64,
    pub high: f64,
}

impl Estimate {
    /// The mean of values with Student's interval: that of the true mean if values are drawn independently from one
    /// normal distribution. `None` for fewer than two values, or for values that are not finite.
    pub(crate) fn of_mean(values: &[f64]) -> Option<Self> {
        Self::of_mean_among(values, 1)
    }

    /// The same, one of `count` such intervals that hold all at the same time in 95% of cases: each leaves out that many times less
    /// (Bonferroni's correction).
    pub(crate) fn of_mean_among(values: &[f64], count: usize) -> Option<Self> {
        let Moments { mean, error, freedom } = Moments::of(values)?;
        Self::around(mean, error, freedom, count)
    }

    /// By how much the mean of `first` is above that of `second`, two independent samples whose variances may differ, as one of
    /// `count` intervals.
    ///
    /// Source: Welch, "The generalization of 'Student's' problem when several different population variances are involved" (1947).
    pub(crate) fn of_difference_among(first: &[f64], second: &[f64], count: usize) -> Option<Self> {
        let (first, second) = (Moments::of(first)?, Moments::of(second)?);
        let variance = first.error.powi(2) + second.error.powi(2);
        let parts = first.error.powi(4) / first.freedom + second.error.powi(4) / second.freedom;
        // Without any variance it does not matter how many degrees of freedom there are.
        let freedom = if parts > 0.0 { variance.powi(2) / parts } else { first.freedom + second.freedom };
        Self::around(first.mean - second.mean, variance.sqrt(), freedom, count)
    }

    /// The interval of Student's distribution.
    fn around(mean: f64, error: f64, freedom: f64, count: usize) -> Option<Self> {
        let tail = TAIL / count.max(1) as f64;
        let margin = StudentsT::new(0.0, 1.0, freedom).ok()?.inverse_cdf(1.0 - tail) * error;
        Some(Self { mean, low: mean - margin, high: mean + margin })
    }

    /// Whether zero lies outside the interval.
    pub(crate) fn is_clear(&self) -> bool {
        self.low > 0.0 || self.high < 0.0
    }
}

/// A sample's mean with its standard error, and the degrees of freedom of that.
struct Moments {
    mean: f64,
    error: f64,
    freedom: f64,
}

impl Moments {
    /// `None` for fewer than two values, or for values that are not finite.
    fn of(values: &[f64]) -> Option<Self> {
        if values.len() < 2 || values.iter().any(|value| !value.is_finite()) {
            return None;
        }
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
        Some(Self { mean, error: (variance / count).sqrt(), freedom: count - 1.0 })
    }
}

/// What two networks make of the same samples: how many only one of them recognises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Paired {
    pub only_first: usize,
    pub only_second: usize,
    pub count: usize,
}

impl Paired {
    /// Counts the samples; `None` if there are none, or not as many of both networks.
    pub(crate) fn of(first: &[bool], second: &[bool]) -> Option<Self> {
        let count = first.len();
        (count == second.len() && count > 0).then(|| {
            let only = |a: &[bool], b: &[bool]| a.iter().zip(b).filter(|(a, b)| **a && !**b).count();
            Self { only_first: only(first, second), only_second: only(second, first), count }
        })
    }

    /// How much larger the second network's accuracy is, -1..=1, with its interval.
    ///
    /// Source: Agresti and Min, "Simple improved confidence intervals for comparing matched proportions" (2005): the
    /// interval of Wald after half a sample was added to each of the four cells, which holds for few and for equal counts too.
    pub(crate) fn difference(&self) -> Estimate {
        let (first, second, count) =
            (self.only_first as f64 + 0.5, self.only_second as f64 + 0.5, self.count as f64 + 2.0);
        let middle = (second - first) / count;
        let margin = NORMAL * ((first + second) / count - middle * middle).sqrt() / count.sqrt();
        let mean = (self.only_second as f64 - self.only_first as f64) / self.count as f64;
        Estimate { mean, low: middle - margin, high: middle + margin }
    }

    /// The probability of a split as uneven as this one, or more so, if both networks were equally good: McNemar's test (1947) in
    /// its exact form, which is a sign test on the samples that one network alone recognises.
    pub(crate) fn p_value(&self) -> f64 {
        let different = (self.only_first + self.only_second) as u64;
        let smaller = self.only_first.min(self.only_second) as u64;
        Binomial::new(0.5, different).map_or(1.0, |coin| (2.0 * coin.cdf(smaller)).min(1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-6
    }

    /// Figures of SciPy 1.17: `stats.t.interval(0.95, 4, mean, stats.sem(values))`.
    #[test]
    fn means_have_students_interval() {
        let estimate = Estimate::of_mean(&[0.01, 0.03, 0.02, 0.05, 0.04]).unwrap();
        assert!(close(estimate.mean, 0.03), "{estimate:?}");
        assert!(
            close(estimate.low, 0.010_367_568_6) && close(estimate.high, 0.049_632_431_4),
            "{estimate:?}"
        );
        assert!(estimate.is_clear());
        assert!(!Estimate::of_mean(&[-0.01, 0.02]).unwrap().is_clear());
        assert_eq!(Estimate::of_mean(&[0.3]), None);
        assert_eq!(Estimate::of_mean(&[0.3, f64::NAN]), None);
    }

    /// Figures of SciPy 1.17: `stats.ttest_ind(first, second, equal_var=False).confidence_interval(level)`, and as above.
    #[test]
    fn samples_of_different_variance_have_welchs_interval() {
        let (first, second) = ([0.31, 0.34, 0.32, 0.34, 0.34], [0.30, 0.31, 0.30, 0.29]);
        let estimate = |count| Estimate::of_difference_among(&first, &second, count).unwrap();
        let Estimate { mean, low, high } = estimate(1);
        assert!(
            close(mean, 0.03) && close(low, 0.011_929_892_9) && close(high, 0.048_070_107_1),
            "{low} {high}"
        );
        let Estimate { low, high, .. } = estimate(3);
        assert!(close(low, 0.005_935_421_8) && close(high, 0.054_064_578_2), "one of three: {low} {high}");
        let Estimate { low, high, .. } = Estimate::of_mean_among(&[0.01, 0.03, 0.02, 0.05, 0.04], 3).unwrap();
        assert!(close(low, 0.001_993_010_2) && close(high, 0.058_006_989_8), "one of three: {low} {high}");
        let same = Estimate::of_difference_among(&[0.5; 3], &[0.25; 2], 1).unwrap();
        assert_eq!((same.mean, same.low, same.high), (0.25, 0.25, 0.25), "no variance");
        assert_eq!(Estimate::of_difference_among(&first, &[0.3], 1), None);
    }

    /// Figures of SciPy 1.17: `stats.binomtest(k, n).pvalue`.
    #[test]
    fn mc_nemars_test_is_exact() {
        for (only_first, only_second, p) in
            [(10, 25, 0.016_673_847_8), (25, 10, 0.016_673_847_8), (0, 5, 0.0625), (3, 3, 1.0), (0, 0, 1.0)]
        {
            let paired = Paired { only_first, only_second, count: 1000 };
            assert!(close(paired.p_value(), p), "{paired:?}: {}", paired.p_value());
        }
    }

    #[test]
    fn the_difference_is_that_of_the_accuracies_and_its_interval_holds_at_the_edges() {
        let (first, second) = ([true, false, true, true], [true, true, false, true]);
        let paired = Paired::of(&first, &second).unwrap();
        assert_eq!(paired, Paired { only_first: 1, only_second: 1, count: 4 });
        let estimate = Paired { only_first: 78, only_second: 95, count: 1000 }.difference();
        assert!(close(estimate.mean, 0.017), "{estimate:?}");
        // b* = 78.5, c* = 95.5, n* = 1002
        assert!(close(estimate.low, -0.008_814_635) && close(estimate.high, 0.042_746_771), "{estimate:?}");
        let same = Paired::of(&first, &first).unwrap().difference();
        assert!(same.low < 0.0 && same.high > 0.0 && same.mean == 0.0, "{same:?}");
        assert_eq!(Paired::of(&[], &[]), None);
        assert_eq!(Paired::of(&first, &second[..3]), None);
    }
}
