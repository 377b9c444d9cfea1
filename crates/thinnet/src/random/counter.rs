//! A counter-based stream for dropout masks: a unit's mask depends only on (seed, step, layer, sample, unit), so it
//! is the same on any number of threads, after a resume, and in any order of drawing.
//!
//! The generator is ChaCha with 8 rounds (Bernstein 2008) from the `chacha20` crate. Its key is derived from the
//! seed, its nonce is the layer, and its position is given by step, sample and unit.

use chacha20::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// Words of a ChaCha block: a sample's units start on a new block.
const BLOCK: usize = 16;

/// Draws dropout masks, and the noise of Gaussian dropout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CounterMasks {
    pub(super) seed: u64,
    /// The number of the first sample.
    pub(super) first: usize,
}

/// The masks of one layer in one step.
#[derive(Debug, Clone, Copy)]
pub struct LayerMasks {
    masks: CounterMasks,
    step: u64,
    layer: u64,
    units: usize,
    /// See [`LayerMasks::threshold`].
    threshold: u64,
}

impl CounterMasks {
    /// The masks of this seed.
    pub fn new(seed: u64) -> Self {
        Self { seed, first: 0 }
    }

    /// The same masks counted from another sample: sample 0 of the result is sample `first` of these.
    #[must_use]
    pub fn from_sample(self, first: usize) -> Self {
        Self { first: self.first + first, ..self }
    }

    /// The masks of a layer with this many units in a step. Steps and layers may be counted from any number.
    ///
    /// `keep_prob` is the probability to KEEP a unit, rounded to a multiple of 2^-32; 1 keeps every unit.
    #[inline]
    pub fn layer(self, step: u64, layer: u32, units: usize, keep_prob: f64) -> LayerMasks {
        LayerMasks { masks: self, step, layer: u64::from(layer), units, threshold: threshold(keep_prob) }
    }
}

impl LayerMasks {
    /// Whether each unit of a sample is kept, in order.
    pub fn sample(&self, sample: usize) -> Vec<bool> {
        let mut bytes = vec![0; 4 * self.units];
        self.fill(sample, &mut bytes);
        let below = |word: &[u8; 4]| u64::from(u32::from_le_bytes(*word)) < self.threshold;
        bytes.as_chunks().0.iter().map(below).collect()
    }

    /// The random words of a sample, one per unit, as little-endian bytes; [`LayerMasks::threshold`] decides which
    /// units are kept. Extra bytes continue with the words of the next sample.
    #[inline]
    pub fn fill(&self, sample: usize, bytes: &mut [u8]) {
        self.at(sample).fill_bytes(bytes);
    }

    /// A unit is kept if its word is below this: the keep probability times 2^32.
    pub fn threshold(&self) -> u64 {
        self.threshold
    }

    /// The generator at a sample's first unit.
    #[inline]
    fn at(&self, sample: usize) -> ChaCha8Rng {
        generator(self.masks, (self.step, self.layer), self.units, sample)
    }
}

/// A probability times 2^32, rounded.
pub(super) fn threshold(probability: f64) -> u64 {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 0..=2^32
    let threshold = (probability.clamp(0.0, 1.0) * 4_294_967_296.0).round() as u64;
    threshold
}

/// The generator at the first of a sample's words, for a step and a layer; each sample has `words` words.
#[inline]
pub(super) fn generator(
    masks: CounterMasks,
    (step, layer): (u64, u64),
    words: usize,
    sample: usize,
) -> ChaCha8Rng {
    let mut random = ChaCha8Rng::seed_from_u64(masks.seed);
    // 2^64 blocks per stream: 2^32 steps with 2^32 blocks; each sample of a step has as many as its words need.
    random.set_stream(layer << 32 | step >> 32);
    let (blocks, sample) = (words.div_ceil(BLOCK) as u64, masks.first + sample);
    random.set_block_pos((step << 32).wrapping_add(blocks.wrapping_mul(sample as u64)));
    random
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNITS: usize = 500;

    /// The masks of some samples, one after another.
    fn draw(seed: u64, step: u64, layer: u32, keep: f64, samples: std::ops::Range<usize>) -> Vec<bool> {
        let masks = CounterMasks::new(seed).layer(step, layer, UNITS, keep);
        samples.flat_map(|sample| masks.sample(sample)).collect()
    }

    /// How far the share of `true` is from `expected`, in standard deviations of independent draws.
    fn deviations(drawn: impl ExactSizeIterator<Item = bool>, expected: f64) -> f64 {
        let count = drawn.len() as f64;
        let share = drawn.filter(|&kept| kept).count() as f64 / count;
        ((share - expected) / (expected * (1.0 - expected) / count).sqrt()).abs()
    }

    /// Pinned: a stored seed gives the same masks in every version to come. The figures are those of ChaCha8 written in
    /// plain Python from its definition, keyed as `SeedableRng::seed_from_u64` says.
    #[test]
    fn masks_stay_what_they_are() {
        let drawn = |seed, step, layer, sample| -> String {
            let masks = CounterMasks::new(seed).layer(step, layer, 40, 0.5).sample(sample);
            masks.iter().map(|&kept| if kept { '1' } else { '0' }).collect()
        };
        assert_eq!(drawn(0, 0, 0, 0), "0001000110001000100110001001100011010000");
        assert_eq!(drawn(231, 7, 1, 99), "0101011111001110111010001101110010000001");
        assert_eq!(drawn(u64::MAX, 1 << 40, 3, 4), "0111011000100110110111011000110111111110");
    }

    #[test]
    fn the_share_kept_is_the_keep_probability() {
        for keep in [0.001, 0.05, 0.25, 0.5, 0.75, 0.999] {
            let drawn = draw(1, 2, 3, keep, 0..400);
            assert!(deviations(drawn.into_iter(), keep) < 4.5, "keep {keep}");
        }
        assert!(draw(1, 2, 3, 1.0, 0..10).into_iter().all(|kept| kept));
        assert!(!draw(1, 2, 3, 0.0, 0..10).into_iter().any(|kept| kept));
    }

    /// Each of seed, step, layer, sample and unit changes the mask, and to an independent one: it agrees with the first
    /// as often as chance has it.
    #[test]
    fn masks_are_independent_of_one_another() {
        let keep = 0.25;
        let chance = keep * keep + (1.0 - keep) * (1.0 - keep);
        let first = draw(1, 2, 3, keep, 0..100);
        let others = [
            ("seed", draw(2, 2, 3, keep, 0..100)),
            ("far seed", draw(1 | 1 << 63, 2, 3, keep, 0..100)),
            ("step", draw(1, 3, 3, keep, 0..100)),
            ("far step", draw(1, 2 | 1 << 32, 3, keep, 0..100)),
            ("layer", draw(1, 2, 4, keep, 0..100)),
            ("step and layer swapped", draw(1, 3, 2, keep, 0..100)),
            ("sample", draw(1, 2, 3, keep, 1..101)),
            ("far sample", draw(1, 2, 3, keep, 100..200)),
            ("unit", [&first[1..], &first[..1]].concat()),
        ];
        for (what, other) in others {
            let agree: Vec<bool> = first.iter().zip(&other).map(|(a, b)| a == b).collect();
            assert!(deviations(agree.into_iter(), chance) < 4.5, "{what}");
        }
    }

    #[test]
    fn each_unit_and_each_sample_is_kept_as_often_as_any() {
        let (keep, samples) = (0.25, 1000);
        let drawn = draw(5, 0, 0, keep, 0..samples);
        for unit in 0..UNITS {
            let of_unit: Vec<bool> = drawn.iter().skip(unit).step_by(UNITS).copied().collect();
            assert!(deviations(of_unit.into_iter(), keep) < 5.0, "unit {unit}");
        }
        for (sample, units) in drawn.chunks_exact(UNITS).enumerate() {
            assert!(deviations(units.iter().copied(), keep) < 5.0, "sample {sample}");
        }
    }

    #[test]
    fn samples_can_be_counted_from_any() {
        let masks = CounterMasks::new(3);
        let later = masks.from_sample(3).from_sample(4);
        assert_eq!(later.layer(4, 5, 40, 0.5).sample(2), masks.layer(4, 5, 40, 0.5).sample(9));
        assert_eq!(later.normals(4, 5, 40).sample(2), masks.normals(4, 5, 40).sample(9));
        let of = |masks: CounterMasks| masks.weights(4, 5, (3, 40), 0.5);
        assert_eq!(of(later).sample(2), of(masks).sample(9));
        assert_ne!(of(later).sample(2), of(masks).sample(2));
    }

    /// A sample's mask does not depend on what was drawn before it.
    #[test]
    fn the_order_of_drawing_does_not_matter() {
        let masks = CounterMasks::new(3).layer(4, 5, UNITS, 0.5);
        let forward: Vec<_> = (0..20).map(|sample| masks.sample(sample)).collect();
        let mut backward: Vec<_> = (0..20).rev().map(|sample| masks.sample(sample)).collect();
        backward.reverse();
        assert_eq!(forward, backward);
    }
}
