//! The source of a training step's dropout masks.

use thinnet_kernels::{Isa, Lists, block_size, set_kept};

use super::threads::Threads;
use crate::layers::Dropout;
use crate::random::{CounterMasks, RandomState};

/// The random stream for masks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaskSource {
    /// NumPy's legacy stream, which also draws the batches: sample after sample, layer after layer, as in the course.
    /// One thread draws.
    Numpy,
    /// The counter-based stream with this seed; all threads draw.
    Counter(u64),
}

/// The number of a network's layer in the counter-based stream; `None` is its input.
pub(super) fn layer_number(layer: Option<usize>) -> u32 {
    const INPUT: u32 = 0x7fff_ffff;
    layer.map_or(INPUT, |index| u32::try_from(index).unwrap_or(INPUT))
}

/// The number of a layer's masks in training.
pub(super) fn training(layer: u32) -> u32 {
    layer
}

/// The number of a layer's masks in prediction; it differs from all numbers in training.
pub(super) fn prediction(layer: u32) -> u32 {
    layer | 1 << 31
}

/// Which masks to draw from the counter-based stream.
#[derive(Debug, Clone, Copy)]
pub(super) struct Draw {
    /// The training step, or the number of the prediction.
    pub(super) step: u64,
    /// [`training`] or [`prediction`].
    pub(super) number: fn(u32) -> u32,
    /// The first sample's number.
    pub(super) first: usize,
}

/// A hidden layer's random numbers for a batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct LayerDraw {
    /// Samples of the batch.
    pub(super) samples: usize,
    /// Units of the layer.
    pub(super) units: usize,
    /// Its dropout.
    pub(super) dropout: Dropout,
    /// Its index, from 0.
    pub(super) layer: usize,
    /// The position in the counter-based stream; NumPy's stream just continues.
    pub(super) draw: Draw,
}

impl LayerDraw {
    /// The layer's number in the counter-based stream.
    pub(super) fn number(&self) -> u32 {
        (self.draw.number)(layer_number(Some(self.layer)))
    }
}

/// The masks of one layer for a batch: one bit per unit and sample.
///
/// Its functions are inlined into the crate that trains, which is compiled for speed where this one is compiled for size:
/// in the Python package, otherwise steps with dropout take a third longer.
#[derive(Debug, Default)]
pub(super) struct Mask {
    samples: usize,
    /// [units][ceil(samples / 64)], lowest bit first.
    words: Vec<u64>,
}

impl Mask {
    /// Draws the mask of (samples, units) from NumPy's stream: one number per unit, in row-major order. With a keep
    /// probability of 1 nothing is drawn, but the stream advances.
    #[inline]
    pub(super) fn draw_numpy(&mut self, of: LayerDraw, random: &mut RandomState) {
        let LayerDraw { samples, units, dropout, .. } = of;
        if let Some(seed) = dropout.seed() {
            random.seed(seed);
        }
        let keep = dropout.keep_prob();
        if keep >= 1.0 {
            random.skip_words(2 * samples * units); // all are kept, but the stream advances nevertheless
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
            self.join_column(word, &column);
        }
    }

    /// Draws the same from a counter-based stream; each thread draws an equal share of the samples.
    #[inline]
    pub(super) fn draw_counter(&mut self, of: LayerDraw, seed: u64, isa: Isa, threads: &Threads) {
        let LayerDraw { samples, units, dropout, draw, .. } = of;
        if dropout.keep_prob() >= 1.0 {
            return;
        }
        self.clear(samples, units);
        let masks = CounterMasks::new(seed).layer(draw.step, of.number(), units, dropout.keep_prob());
        let parts = threads.each(threads.split(samples), |samples| {
            let words = samples.start / 64..samples.end.div_ceil(64);
            let mut columns = vec![0; units * words.len()];
            let mut bytes = vec![0; 4 * units];
            for sample in samples {
                masks.fill(draw.first + sample, &mut bytes);
                let column = &mut columns[(sample / 64 - words.start) * units..][..units];
                set_kept(isa, &bytes, masks.threshold(), sample % 64, column);
            }
            (words, columns)
        });
        // Neighbouring threads may have parts of the same word.
        for (words, columns) in parts {
            for (word, column) in words.zip(columns.chunks_exact(units.max(1))) {
                self.join_column(word, column);
            }
        }
    }

    /// Adds the bits of one word of each unit.
    #[inline]
    fn join_column(&mut self, word: usize, column: &[u64]) {
        let per_unit = self.samples.div_ceil(64);
        for (unit, &bits) in self.words.chunks_exact_mut(per_unit).zip(column) {
            unit[word] |= bits;
        }
    }

    /// The kept samples of each unit.
    #[inline]
    pub(super) fn lists(&self, units: usize, threads: &Threads, lists: &mut Lists) {
        let (per_unit, block) = (self.samples.div_ceil(64), block_size(self.samples));
        let parts = threads.each(threads.split(units), |units| {
            let mut part = Lists::new();
            let words = &self.words[units.start * per_unit..units.end * per_unit];
            part.rebuild_from_bits(units.len(), self.samples, block, words);
            part
        });
        lists.rebuild_from_parts(&parts);
    }

    /// Clears all bits; returns the number of words per unit.
    #[inline]
    fn clear(&mut self, samples: usize, units: usize) -> usize {
        let per_unit = samples.div_ceil(64);
        self.samples = samples;
        self.words.clear();
        self.words.resize(units * per_unit, 0);
        per_unit
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test fails by panic
mod tests {
    use super::*;

    /// Masks drawn in parallel are those of [`CounterMasks`], for batches that do or do not fill a word, and for
    /// threads that split a word.
    #[test]
    fn any_number_of_threads_draws_the_same_mask() {
        let (units, seed, step, layer, first) = (37, 9, 1234, 2, 17);
        let dropout = Dropout::new(0.3, None).unwrap();
        for samples in [1, 5, 63, 64, 65, 100, 257] {
            let truth = CounterMasks::new(seed).layer(step, 2, units, 0.3);
            let truth: Vec<Vec<bool>> = (first..first + samples).map(|sample| truth.sample(sample)).collect();
            for threads in [1, 2, 3, 7] {
                for isa in Isa::available() {
                    let threads = Threads::new(threads).unwrap();
                    let mut mask = Mask::default();
                    let draw = Draw { step, number: training, first };
                    let of = LayerDraw { samples, units, dropout, layer, draw };
                    mask.draw_counter(of, seed, isa, &threads);
                    let mut lists = Lists::new();
                    mask.lists(units, &threads, &mut lists);
                    for unit in 0..units {
                        let kept: Vec<u32> =
                            (0..).zip(&truth).filter(|(_, t)| t[unit]).map(|(s, _)| s).collect();
                        assert_eq!(lists.view().row(unit), kept, "{samples} samples, unit {unit}");
                    }
                }
            }
        }
    }
}
