//! A counter-based stream for dropout masks: what a unit's mask is depends on (seed, step, layer, sample, unit) and on
//! nothing else, so it is the same on any number of threads, after a resume, and in any order of drawing.
//!
//! The generator is ChaCha with 8 rounds (Bernstein 2008) from the `chacha20` crate: its key is made from the seed, its
//! nonce is the layer, and its position is that of the step, sample and unit.

use chacha20::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// Words of a ChaCha block: a sample's units start on a new block.
const BLOCK: usize = 16;

/// Draws dropout masks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CounterMasks {
    seed: u64,
}

/// The masks of one layer in one step.
#[derive(Debug, Clone, Copy)]
pub struct LayerMasks {
    seed: u64,
    step: u64,
    layer: u64,
    units: usize,
    /// A unit is kept where its word is below this: `keep_prob * 2^32`.
    threshold: u64,
}

impl CounterMasks {
    /// The masks of this seed.
    pub fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// The masks of a layer of so many units in a step. Steps and layers may be counted from any number.
    ///
    /// `keep_prob` is the probability to KEEP a unit, rounded to a multiple of 2^-32; 1 keeps every unit.
    pub fn layer(self, step: u64, layer: u32, units: usize, keep_prob: f64) -> LayerMasks {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 0..=2^32
        let threshold = (keep_prob.clamp(0.0, 1.0) * 4_294_967_296.0).round() as u64;
        LayerMasks { seed: self.seed, step, layer: u64::from(layer), units, threshold }
    }
}

impl LayerMasks {
    /// Calls `kept(unit, true or false)` for every unit of a sample, in order.
    pub fn sample(&self, sample: usize, mut kept: impl FnMut(usize, bool)) {
        let mut words = [0u8; 4 * BLOCK];
        let mut random = self.at(sample);
        for first in (0..self.units).step_by(BLOCK) {
            random.fill_bytes(&mut words);
            let units = first..self.units.min(first + BLOCK);
            for (unit, word) in units.zip(words.as_chunks::<4>().0) {
                kept(unit, u64::from(u32::from_le_bytes(*word)) < self.threshold);
            }
        }
    }

    /// The generator at a sample's first unit.
    fn at(&self, sample: usize) -> ChaCha8Rng {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        // 2^64 blocks to a stream: 2^32 steps of 2^32 blocks; a step has as many for each sample as its units need.
        random.set_stream(self.layer << 32 | self.step >> 32);
        let blocks = self.units.div_ceil(BLOCK) as u64;
        random.set_block_pos((self.step << 32).wrapping_add(blocks.wrapping_mul(sample as u64)));
        random
    }
}
