//! Whether the first layer's weights, drawn as images, are noise to the eye.
//!
//! The measure is how far neighbouring pixels of a unit's image agree: the correlation of a weight with the one to its right
//! and the one below, in the same channel, averaged over the units that are drawn. Independent random weights, as training
//! starts from, have 0 but for chance. With less than [`SEEN`] a grain is all that one sees, however sure it is that it is not 0.
//!
//! Measured on the embedded sample: 0.03 and 0.10 in the networks of `thinnet experiment`; with `thinnet train`, 20 hidden units and
//! `model.keep=1`, 0.2 after 200 epochs and 0.9, plain shapes, with `optim.l2=3` besides.

use ndarray::{ArrayView1, ArrayView2};

/// Below this correlation a picture looks like noise.
const SEEN: f64 = 0.2;
/// So many standard deviations above 0 a correlation of random weights does not come, in the few pairs of a small picture.
const DEVIATIONS: f64 = 3.0;

/// How the pixels of images agree with their neighbours.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Neighbours {
    /// The mean correlation over units.
    pub correlation: f64,
    /// Its standard deviation if the weights were independent.
    pub deviation: f64,
}

impl Neighbours {
    /// Of the given units; `None` where no unit has neighbours that differ.
    ///
    /// - `w1`: the first layer's weights (D, H)
    /// - `shape`: `[channels, height, width]`, of product D
    pub(super) fn of(w1: ArrayView2<'_, f64>, shape: &[usize], units: &[usize]) -> Option<Self> {
        let &[channels, height, width] = shape else { return None };
        let size = channels.checked_mul(height)?.checked_mul(width)?;
        if size != w1.nrows() {
            return None;
        }
        let of_units: Vec<f64> = units
            .iter()
            .filter(|&&unit| unit < w1.ncols())
            .filter_map(|&unit| correlation(w1.column(unit), channels, height, width))
            .collect();
        let pairs = channels * (height * width.saturating_sub(1) + height.saturating_sub(1) * width);
        if of_units.is_empty() {
            return None;
        }
        let count = of_units.len() as f64;
        // Of n independent pairs a correlation has the variance 1 / n.
        let deviation = 1.0 / (count * pairs as f64).sqrt();
        Some(Self { correlation: of_units.iter().sum::<f64>() / count, deviation })
    }

    /// Whether the picture looks like that of random weights.
    pub(super) fn are_noise(self) -> bool {
        self.correlation < SEEN.max(DEVIATIONS * self.deviation)
    }
}

/// The correlation of a unit's weights with their neighbours'.
fn correlation(weights: ArrayView1<'_, f64>, channels: usize, height: usize, width: usize) -> Option<f64> {
    let mean = weights.mean()?;
    let at = |channel: usize, y: usize, x: usize| weights[(channel * height + y) * width + x] - mean;
    let (mut product, mut pairs) = (0.0, 0.0);
    for channel in 0..channels {
        for y in 0..height {
            for x in 0..width {
                let own = at(channel, y, x);
                if x + 1 < width {
                    product += own * at(channel, y, x + 1);
                    pairs += 1.0;
                }
                if y + 1 < height {
                    product += own * at(channel, y + 1, x);
                    pairs += 1.0;
                }
            }
        }
    }
    let variance = weights.iter().map(|weight| (weight - mean).powi(2)).sum::<f64>() / weights.len() as f64;
    let correlation = product / pairs / variance;
    correlation.is_finite().then_some(correlation)
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;
    use crate::random::RandomState;

    fn random(pixels: usize, units: usize) -> Array2<f64> {
        let mut state = RandomState::new(231);
        Array2::from_shape_simple_fn((pixels, units), || state.normal(0.0, 1e-2))
    }

    #[test]
    fn random_weights_are_noise() {
        for (shape, units) in [([3, 32, 32], 100), ([1, 28, 28], 10), ([1, 4, 4], 3)] {
            let w1 = random(shape.iter().product(), units);
            let found = Neighbours::of(w1.view(), &shape, &(0..units).collect::<Vec<_>>()).unwrap();
            assert!(found.are_noise(), "{shape:?}: {found:?}");
            // The mean of few weights is taken from them, which costs a little.
            assert!(found.correlation.abs() < 5.0 * found.deviation, "{shape:?}: {found:?}");
        }
    }

    #[test]
    fn edges_and_blobs_are_seen_through_some_noise() {
        let (height, width) = (28, 28);
        let noise = random(height * width, 2);
        let w1 = Array2::from_shape_fn((height * width, 2), |(pixel, unit)| {
            let (y, x) = ((pixel / width) as f64 - 14.0, (pixel % width) as f64 - 14.0);
            let shape = if unit == 0 { x.signum() } else { (-(x * x + y * y) / 50.0).exp() };
            shape + 30.0 * noise[[pixel, unit]]
        });
        for unit in 0..2 {
            let found = Neighbours::of(w1.view(), &[1, height, width], &[unit]).unwrap();
            assert!(!found.are_noise() && found.correlation < 1.0, "unit {unit}: {found:?}");
        }
    }

    #[test]
    fn the_correlation_is_that_of_neighbours_within_a_channel() {
        // Two channels of 1 x 3: the pairs are (1, 2), (2, 3) and (6, 5), (5, 4); less the mean of 3.5 their products are
        // 3.75, 0.75, 3.75 and 0.75, 2.25 on average; the variance is 35 / 12.
        let w1 = array![[1.0], [2.0], [3.0], [6.0], [5.0], [4.0]];
        let found = Neighbours::of(w1.view(), &[2, 1, 3], &[0]).unwrap();
        assert!((found.correlation - 2.25 / (35.0 / 12.0)).abs() < 1e-12, "{found:?}");
        assert!((found.deviation - 0.5).abs() < 1e-12, "{found:?}");
    }

    #[test]
    fn what_has_no_neighbours_has_none() {
        let w1 = array![[1.0, f64::NAN], [1.0, 2.0]];
        assert_eq!(Neighbours::of(w1.view(), &[1, 1, 2], &[0, 1, 7]), None, "equal or not finite");
        assert_eq!(Neighbours::of(w1.view(), &[1, 2, 2], &[0]), None);
        assert_eq!(Neighbours::of(w1.view(), &[2], &[0]), None);
        assert_eq!(Neighbours::of(w1.view(), &[2, 1, 1], &[0]), None);
    }
}
