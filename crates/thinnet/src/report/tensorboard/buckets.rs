//! Histograms with TensorFlow's buckets: limits that grow by a tenth from 1e-12 to 1e20, on both sides of zero.
//!
//! Source: `tensorflow/core/lib/histogram/histogram.cc`, `InitDefaultBucketsInner`, `Add` and `EncodeToProto`.

use std::sync::LazyLock;

use super::messages::Histogram;

/// Upper limits of all buckets, ascending; the last is the greatest float.
static LIMITS: LazyLock<Vec<f64>> = LazyLock::new(|| {
    let mut positive = Vec::new();
    let mut limit = 1e-12;
    while limit < 1e20 {
        positive.push(limit);
        limit *= 1.1;
    }
    positive.push(f64::MAX);
    let negative = positive.iter().rev().map(|limit| -limit);
    negative.chain([0.0]).chain(positive.iter().copied()).collect()
});

/// The histogram of the values that are finite; runs of empty buckets become one.
pub(super) fn histogram(values: impl Iterator<Item = f64>) -> Histogram {
    let limits = LIMITS.as_slice();
    let mut counts = vec![0u64; limits.len()];
    let (mut min, mut max, mut num) = (f64::INFINITY, f64::NEG_INFINITY, 0u64);
    let (mut sum, mut sum_squares) = (0.0, 0.0);
    for value in values.filter(|value| value.is_finite()) {
        let bucket = limits.partition_point(|limit| *limit <= value);
        if let Some(count) = counts.get_mut(bucket.min(limits.len() - 1)) {
            *count += 1;
        }
        (min, max, num) = (min.min(value), max.max(value), num + 1);
        (sum, sum_squares) = (sum + value, sum_squares + value * value);
    }
    if num == 0 {
        return Histogram { bucket_limit: vec![f64::MAX], bucket: vec![0.0], ..Histogram::default() };
    }
    let (mut bucket_limit, mut bucket): (Vec<f64>, Vec<f64>) = (Vec::new(), Vec::new());
    for (&limit, &count) in limits.iter().zip(&counts) {
        match (bucket.last(), bucket_limit.last_mut()) {
            (Some(&before), Some(last)) if before == 0.0 && count == 0 => *last = limit,
            _ => {
                bucket_limit.push(limit);
                bucket.push(count as f64);
            }
        }
    }
    Histogram { min, max, num: num as f64, sum, sum_squares, bucket_limit, bucket }
}

#[cfg(test)]
#[allow(clippy::float_cmp)] // limits and counts are exact
mod tests {
    use super::*;

    #[test]
    fn limits_are_tensorflows() {
        assert!(LIMITS.is_sorted_by(|a, b| a < b));
        assert_eq!(LIMITS.len(), 2 * 775 + 1, "774 powers and the greatest float, on both sides of zero");
        let zero = LIMITS.len() / 2;
        assert_eq!([LIMITS[zero], LIMITS[zero + 1], LIMITS[zero - 1]], [0.0, 1e-12, -1e-12]);
        assert_eq!(LIMITS[zero + 2], 1e-12 * 1.1);
        assert_eq!([LIMITS[0], LIMITS[LIMITS.len() - 1]], [f64::MIN, f64::MAX]);
    }

    #[test]
    fn every_finite_value_is_counted_once_where_it_lies() {
        let values =
            [0.0, -0.0, 1e-12, -1e-13, 0.5, 0.5, -3.0, 1e300, f64::MAX, f64::MIN, f64::NAN, f64::INFINITY];
        let histogram = histogram(values.into_iter());
        assert_eq!(histogram.num, 10.0);
        assert_eq!((histogram.min, histogram.max), (f64::MIN, f64::MAX));
        assert_eq!(histogram.bucket.iter().sum::<f64>(), 10.0);
        let mut below = f64::NEG_INFINITY;
        for (&limit, &count) in histogram.bucket_limit.iter().zip(&histogram.bucket) {
            let last = limit == f64::MAX;
            let here = |v: &&f64| v.is_finite() && **v >= below && (**v < limit || last);
            assert_eq!(values.iter().filter(here).count() as f64, count, "{below} to {limit}");
            below = limit;
        }
        let empty_runs = histogram.bucket.windows(2).filter(|pair| pair == &[0.0, 0.0]).count();
        assert_eq!(empty_runs, 0);
    }

    #[test]
    fn moments_are_those_of_the_values() {
        let histogram = histogram((1..=100).map(f64::from));
        assert_eq!((histogram.sum, histogram.sum_squares), (5050.0, 338_350.0));
        assert_eq!((histogram.min, histogram.max, histogram.num), (1.0, 100.0, 100.0));
    }

    #[test]
    fn nothing_is_one_empty_bucket() {
        let histogram = histogram([f64::NAN].into_iter());
        assert_eq!((histogram.num, histogram.min, histogram.max), (0.0, 0.0, 0.0));
        assert_eq!((histogram.bucket_limit, histogram.bucket), (vec![f64::MAX], vec![0.0]));
    }
}
