//! Where a training step's dropout masks come from.

use thinnet_kernels::{Lists, block_size};

use super::threads::{Threads, split};
use crate::layers::Dropout;
use crate::random::{CounterMasks, RandomState};

/// Which stream the masks are drawn from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaskSource {
    /// NumPy's legacy stream, the one that also draws the batches: sample after sample, layer after layer, as the course
    /// does. Drawn by one thread.
    Numpy,
    /// The counter-based stream with this seed, drawn by all threads.
    Counter(u64),
}

/// The masks of one layer for a batch: for each unit, a bit a sample.
#[derive(Debug, Default)]
pub(super) struct Mask {
    samples: usize,
    /// [units][ceil(samples / 64)], lowest bit first.
    words: Vec<u64>,
}

impl Mask {
    /// Draws the mask of (samples, units) from NumPy's stream: one number a unit, in row-major order. With a keep
    /// probability of 1 nothing is drawn but the stream moves on.
    pub(super) fn draw_numpy(
        &mut self,
        samples: usize,
        units: usize,
        dropout: Dropout,
        random: &mut RandomState,
    ) {
        if let Some(seed) = dropout.seed() {
            random.seed(seed);
        }
        let keep = dropout.keep_prob();
        if keep >= 1.0 {
            random.skip_words(2 * samples * units); // all are kept, and the stream moves on all the same
            return;
        }
        let per_unit = self.clear(samples, units);
        let mut room = vec![0; 2 * units];
        let mut column = vec![0u64; units];
        for word in 0..per_unit {
            column.fill(0);
            for bit in 0..(samples - word * 64).min(64) {
                for (bits, kept) in column.iter_mut().zip(random.below(keep, &mut room)) {
                    *bits |= u64::from(kept) << bit;
                }
            }
            self.set_column(word, &column);
        }
    }

    /// Draws the same from a counter-based stream, a thread for every 64 samples.
    pub(super) fn draw_counter(
        &mut self,
        samples: usize,
        units: usize,
        dropout: Dropout,
        (seed, step, layer): (u64, u64, u32),
        threads: &Threads,
    ) {
        if dropout.keep_prob() >= 1.0 {
            return;
        }
        let per_unit = self.clear(samples, units);
        let masks = CounterMasks::new(seed).layer(step, layer, units, dropout.keep_prob());
        // A word holds 64 samples, so a thread takes whole words: their columns are joined afterwards.
        let columns = threads.each(split(per_unit, threads.count()), |words| {
            let mut column = vec![0u64; units * words.len()];
            for (at, word) in words.clone().enumerate() {
                let column = &mut column[at * units..(at + 1) * units];
                for sample in word * 64..samples.min((word + 1) * 64) {
                    masks.sample(sample, |unit, kept| column[unit] |= u64::from(kept) << (sample % 64));
                }
            }
            column
        });
        for (word, column) in columns.iter().flat_map(|part| part.chunks_exact(units.max(1))).enumerate() {
            self.set_column(word, column);
        }
    }

    /// Sets one word of each unit.
    fn set_column(&mut self, word: usize, column: &[u64]) {
        let per_unit = self.samples.div_ceil(64);
        for (unit, &bits) in self.words.chunks_exact_mut(per_unit).zip(column) {
            unit[word] = bits;
        }
    }

    /// The kept samples of each unit.
    pub(super) fn lists(&self, units: usize, lists: &mut Lists) {
        lists.rebuild_from_bits(units, self.samples, block_size(self.samples), &self.words);
    }

    /// No unit kept; words a unit.
    fn clear(&mut self, samples: usize, units: usize) -> usize {
        let per_unit = samples.div_ceil(64);
        self.samples = samples;
        self.words.clear();
        self.words.resize(units * per_unit, 0);
        per_unit
    }
}
