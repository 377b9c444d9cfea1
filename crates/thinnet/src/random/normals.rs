//! Standard normal numbers from the counter-based stream, for Gaussian dropout: each is a function of (seed, step,
//! layer, sample, unit), like the masks.
//!
//! Box and Muller's method ("A Note on the Generation of Random Normal Deviates", Annals of Mathematical Statistics
//! 29, 1958) always turns two uniform numbers into two normal ones: with a rejection method, a unit's number would
//! depend on its neighbours'. Logarithm, sine and cosine come from the `libm` crate, in 64 bits, so that every
//! machine gives the same bits, whatever its own mathematical library does.

use rand_core::Rng;
use std::f64::consts::TAU;

use super::counter::{CounterMasks, generator};

/// How many 32-bit words a unit's number takes.
const WORDS: usize = 2;

/// The standard normal numbers of one layer in one step.
#[derive(Debug, Clone, Copy)]
pub struct LayerNormals {
    masks: CounterMasks,
    step: u64,
    layer: u64,
    units: usize,
}

impl CounterMasks {
    /// The standard normal numbers of a layer with this many units in a step.
    pub fn normals(self, step: u64, layer: u32, units: usize) -> LayerNormals {
        LayerNormals { masks: self, step, layer: u64::from(layer), units }
    }
}

impl LayerNormals {
    /// A sample's numbers, one per unit, in order.
    pub fn sample(&self, sample: usize) -> Vec<f64> {
        let pairs = self.units.div_ceil(2);
        let mut random = generator(self.masks, (self.step, self.layer), 2 * WORDS * pairs, sample);
        let mut normals = Vec::with_capacity(2 * pairs);
        for _ in 0..pairs {
            let (radius, angle) = (random.next_u64(), random.next_u64());
            normals.extend(box_muller(radius, angle));
        }
        normals.truncate(self.units);
        normals
    }
}

/// Two independent standard normal numbers from 2 x 64 random bits, of which the upper 53 are used.
fn box_muller(radius: u64, angle: u64) -> [f64; 2] {
    const STEP: f64 = 1.0 / 9_007_199_254_740_992.0; // 2^-53
    let above_zero = ((radius >> 11) + 1) as f64 * STEP; // in (0, 1], so that its logarithm is finite
    let radius = (-2.0 * libm::log(above_zero)).sqrt();
    let (sin, cos) = libm::sincos(TAU * ((angle >> 11) as f64 * STEP));
    [radius * cos, radius * sin]
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNITS: usize = 501;

    fn draw(seed: u64, step: u64, layer: u32, samples: std::ops::Range<usize>) -> Vec<f64> {
        let normals = CounterMasks::new(seed).normals(step, layer, UNITS);
        samples.flat_map(|sample| normals.sample(sample)).collect()
    }

    fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
        let count = values.len() as f64;
        values.sum::<f64>() / count
    }

    /// Pinned: a stored seed gives the same numbers in every version to come. The figures are those of ChaCha8 and of Box
    /// and Muller's formulas written in plain Python, keyed as `SeedableRng::seed_from_u64` says, but for one unit in the
    /// last place of one of them.
    #[test]
    #[allow(clippy::float_cmp)] // the same bits
    fn normals_stay_what_they_are() {
        let drawn =
            |seed, step, layer, sample| CounterMasks::new(seed).normals(step, layer, 5).sample(sample);
        let figures = [
            -0.810_272_498_381_092_3,
            0.176_196_643_354_153_78,
            0.786_301_250_909_937,
            0.312_297_307_092_687,
            -0.483_245_319_221_126_23,
        ];
        assert_eq!(drawn(0, 0, 0, 0), figures);
        let figures = [
            -0.978_127_218_827_043_1,
            0.182_273_033_627_563_4,
            0.735_656_384_932_799_6,
            0.744_349_791_995_861_3,
            0.210_648_338_981_528_74,
        ];
        assert_eq!(drawn(231, 7, 1, 99), figures);
        let figures = [
            -0.525_296_884_980_099_2,
            -0.279_553_130_418_035_8,
            -2.155_332_899_593_060_5,
            -0.849_555_904_087_625_5,
            0.484_504_852_086_741_9,
        ];
        assert_eq!(drawn(u64::MAX, 1 << 40, 3, 4), figures);
    }

    /// The first four moments, each within five standard deviations of its estimate, and the share beyond 1, 2, 3 and 4
    /// standard deviations.
    #[test]
    fn the_numbers_are_standard_normal() {
        let drawn = draw(1, 2, 3, 0..2000);
        let count = drawn.len() as f64;
        // E z^k, and the variance of z^k: E z^2k - (E z^k)^2.
        for (k, moment, variance) in [(1, 0.0, 1.0), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0)] {
            let found = mean(drawn.iter().map(|z| z.powi(k)));
            assert!((found - moment).abs() < 5.0 * f64::sqrt(variance / count), "moment {k}: {found}");
        }
        for (bound, share) in
            [(1.0, 0.317_310_508), (2.0, 0.045_500_264), (3.0, 0.002_699_796), (4.0, 6.334_248e-5)]
        {
            let found = drawn.iter().filter(|z| z.abs() > bound).count() as f64 / count;
            let deviation = f64::sqrt(share * (1.0 - share) / count);
            assert!((found - share).abs() < 5.0 * deviation, "beyond {bound}: {found}");
        }
    }

    /// Each of seed, step, layer, sample and unit changes the numbers, and to others that do not go with the first; nor do
    /// the two of a pair go with each other, in value or in size.
    #[test]
    fn the_numbers_are_independent_of_one_another() {
        let first = draw(1, 2, 3, 0..400);
        let others = [
            ("seed", draw(2, 2, 3, 0..400)),
            ("step", draw(1, 3, 3, 0..400)),
            ("far step", draw(1, 2 | 1 << 32, 3, 0..400)),
            ("layer", draw(1, 2, 4, 0..400)),
            ("sample", draw(1, 2, 3, 1..401)),
            ("unit", [&first[1..], &first[..1]].concat()),
        ];
        let bound = 5.0 / (first.len() as f64).sqrt();
        for (what, other) in others {
            let values = mean(first.iter().zip(&other).map(|(a, b)| a * b));
            assert!(values.abs() < bound, "{what}: {values}");
            let sizes = mean(first.iter().zip(&other).map(|(a, b)| (a * a - 1.0) * (b * b - 1.0) / 2.0));
            assert!(sizes.abs() < bound, "{what}: {sizes}");
        }
    }

    /// A unit's number does not depend on how many units, samples or steps were drawn before it, or come after it.
    #[test]
    fn the_order_of_drawing_does_not_matter() {
        let normals = CounterMasks::new(3).normals(4, 5, 10);
        let forward: Vec<_> = (0..20).map(|sample| normals.sample(sample)).collect();
        let mut backward: Vec<_> = (0..20).rev().map(|sample| normals.sample(sample)).collect();
        backward.reverse();
        assert_eq!(forward, backward);
        let odd = CounterMasks::new(3).normals(4, 5, 9).sample(7);
        assert_eq!(odd, normals.sample(7)[..9]);
    }

    #[test]
    fn the_ends_of_the_range_are_finite() {
        let [zero, _] = box_muller(u64::MAX, 0);
        assert!(zero.abs() <= 0.0);
        let [far, _] = box_muller(0, 0);
        assert!((far - 8.571_674_348_652_905).abs() < 1e-12, "{far}"); // sqrt(106 ln 2)
    }
}
