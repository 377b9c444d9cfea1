//! Several runs as one curve: means over epochs, with a band from the minimum to the maximum.

use std::collections::BTreeMap;

use super::axis::range;
use super::panels::{Band, Series};

/// The curve of runs and the band behind it, which a single run does not have. Epochs at which a run has no finite figure are
/// left out.
///
/// - `runs`: of each run its figures, each with its epoch
pub(crate) fn banded(style: usize, name: &str, runs: &[Vec<(usize, f64)>]) -> (Series, Option<Band>) {
    let mut epochs: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for &(epoch, value) in runs.iter().flatten().filter(|(_, value)| value.is_finite()) {
        epochs.entry(epoch).or_default().push(value);
    }
    epochs.retain(|_, values| values.len() == runs.len());
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let values = epochs.iter().map(|(&epoch, values)| (epoch, mean(values))).collect();
    let edges = epochs.iter().filter_map(|(&epoch, values)| {
        let (low, high) = range(values.iter().copied())?;
        Some((epoch as f64, low, high))
    });
    let band = (runs.len() > 1).then(|| Band { style, name: name.to_owned(), edges: edges.collect() });
    (Series { style, name: name.to_owned(), values }, band)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_is_the_mean_of_epochs_that_all_runs_have() {
        let runs = [vec![(0, 0.1), (1, 0.25), (2, 0.5)], vec![(0, f64::NAN), (1, 0.75), (2, 1.0), (3, 1.0)]];
        let (series, band) = banded(3, "keep 1", &runs);
        assert_eq!((series.style, series.name.as_str()), (3, "keep 1"));
        assert_eq!(series.values, [(1, 0.5), (2, 0.75)]);
        assert_eq!(band.unwrap().edges, [(1.0, 0.25, 0.75), (2.0, 0.5, 1.0)]);
        let (series, band) = banded(0, "", &runs[..1]);
        assert_eq!(series.values, runs[0]);
        assert_eq!(band, None, "one run has no band");
    }
}
