//! Masks of weights from the counter-based stream, for DropConnect: one bit per weight and sample, a function of
//! (seed, step, layer, sample, weight), like the masks of units.
//!
//! There are hundreds of times as many as masks of units, so not all 32 bits of a number are drawn: [`draw_bits`]
//! says which bits are drawn, and from which blocks of ChaCha with 8 rounds. Its key is 32 bytes of the stream for
//! units' masks, at that step and layer; its nonce is the sample. No two samples, steps or layers share a block, for
//! any number of weights.

use rand_core::Rng;
use thinnet_kernels::{GROUP, Isa, draw_bits};

use super::counter::{CounterMasks, generator, threshold};

/// Bits of a word.
const WORD: usize = 64;

/// The masks of one layer's weights in one step.
#[derive(Debug, Clone, Copy)]
pub struct LayerWeightMasks {
    key: [u32; 8],
    /// The number of the first sample.
    first: usize,
    inputs: usize,
    outputs: usize,
    threshold: u64,
}

impl CounterMasks {
    /// The masks of a layer's weights (inputs, outputs) in a step.
    ///
    /// `keep_prob` is the probability to KEEP a weight, rounded to a multiple of 2^-32; 1 keeps every weight.
    pub fn weights(self, step: u64, layer: u32, dim: (usize, usize), keep_prob: f64) -> LayerWeightMasks {
        let mut random = generator(self, (step, u64::from(layer)), 0, 0);
        let key = std::array::from_fn(|_| random.next_u32());
        LayerWeightMasks {
            key,
            first: self.first,
            inputs: dim.0,
            outputs: dim.1,
            threshold: threshold(keep_prob),
        }
    }
}

impl LayerWeightMasks {
    /// Whether each weight is kept in a sample, row-major.
    pub fn sample(&self, sample: usize) -> Vec<bool> {
        let per_input = self.words_per_input();
        let mut words = vec![0; self.inputs * per_input];
        self.fill(Isa::detect(), sample, 0, &mut words);
        let mut kept = Vec::with_capacity(self.inputs * self.outputs);
        for row in words.chunks_exact(per_input.max(1)) {
            kept.extend((0..self.outputs).map(|output| row[output / WORD] >> (output % WORD) & 1 == 1));
        }
        kept
    }

    /// How many 64-bit words an input's weights take.
    pub(crate) fn words_per_input(&self) -> usize {
        self.outputs.div_ceil(WORD)
    }

    /// The number of inputs whose weights' words fill whole groups.
    pub(crate) fn inputs_of_groups(&self) -> usize {
        GROUP >> self.words_per_input().trailing_zeros().min(GROUP.ilog2())
    }

    /// The masks of a sample from input `first` on, which is a multiple of [`LayerWeightMasks::inputs_of_groups`]:
    /// `[inputs][words_per_input]`, lowest bit first.
    pub(crate) fn fill(&self, isa: Isa, sample: usize, first: usize, words: &mut [u64]) {
        let group = first * self.words_per_input() / GROUP;
        let sample = (self.first + sample) as u64;
        draw_bits(isa, &self.key, sample, group as u64, self.threshold, words);
    }
}

#[cfg(test)]
mod tests {
    use chacha20::ChaCha8Rng;
    use rand_core::SeedableRng;

    use super::*;

    /// What [`draw_bits`] says, over the generator of the `chacha20` crate: each weight's first byte against the threshold's, and
    /// what follows where they are equal.
    fn by_definition(masks: &LayerWeightMasks, sample: usize) -> Vec<bool> {
        let mut random =
            ChaCha8Rng::from_seed(std::array::from_fn(|at| masks.key[at / 4].to_le_bytes()[at % 4]));
        random.set_stream(sample as u64);
        let mut plane = |plane: usize| -> Vec<u32> {
            random.set_block_pos(16 * plane as u64);
            let blocks: Vec<u32> = (0..256).map(|_| random.next_u32()).collect();
            (0..256).map(|at| blocks[at % 16 * 16 + at / 16]).collect()
        };
        let per_input = masks.outputs.div_ceil(64);
        let mut kept = Vec::new();
        for group in 0..(masks.inputs * per_input).div_ceil(128) {
            let planes: Vec<Vec<u32>> = (0..8).map(|digit| plane(64 * group + digit)).collect();
            let (top, rest) = (masks.threshold >> 24, masks.threshold << 8 & 0xffff_ffff);
            let mut ties = (8..).flat_map(|digit| plane(64 * group + digit));
            for bit in 0..8192 {
                let digit = |plane: &Vec<u32>| u64::from(plane[bit / 32] >> (bit % 32) & 1);
                let byte = planes.iter().fold(0, |byte, plane| byte << 1 | digit(plane));
                kept.push(byte < top || byte == top && u64::from(ties.next().unwrap_or(0)) < rest);
            }
        }
        let of_input = |input: usize| kept[64 * per_input * input..][..masks.outputs].iter().copied();
        (0..masks.inputs).flat_map(of_input).collect()
    }

    #[test]
    fn what_is_drawn_is_what_is_defined() {
        for dim in [(1, 1), (3, 64), (40, 65), (130, 1), (70, 500), (2, 9000)] {
            for keep in [0.001, 0.25, 0.5, 0.75, 0.8, 0.999, 1.0 - 2f64.powi(-32), 1.0] {
                let masks = CounterMasks::new(9).weights(1 << 40, 3, dim, keep);
                for sample in [0, 7, 1 << 33] {
                    let truth = by_definition(&masks, sample);
                    assert_eq!(masks.sample(sample), truth, "{dim:?}, keep {keep}, sample {sample}");
                    for isa in Isa::available() {
                        let per_input = masks.words_per_input();
                        let step = masks.inputs_of_groups();
                        for first in (0..dim.0).step_by(step) {
                            let inputs = step.min(dim.0 - first);
                            let mut words = vec![0; inputs * per_input];
                            masks.fill(isa, sample, first, &mut words);
                            for (at, row) in words.chunks_exact(per_input).enumerate() {
                                for output in 0..dim.1 {
                                    let got = row[output / 64] >> (output % 64) & 1 == 1;
                                    assert_eq!(got, truth[(first + at) * dim.1 + output], "{isa}, {dim:?}");
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /// Pinned: a stored seed gives the same masks in every version to come. The figures are those of ChaCha8 and of the words'
    /// order written in plain Python from their definitions.
    #[test]
    fn masks_stay_what_they_are() {
        let drawn = |seed, step, layer, keep, sample| -> String {
            let masks = CounterMasks::new(seed).weights(step, layer, (2, 20), keep).sample(sample);
            masks.iter().map(|&kept| if kept { '1' } else { '0' }).collect()
        };
        assert_eq!(drawn(0, 0, 0, 0.5, 0), "0110010110100111100100100100111111001001");
        assert_eq!(drawn(231, 7, 1, 0.5, 99), "0000000111110101011111100011100011000110");
        assert_eq!(drawn(u64::MAX, 1 << 40, 3, 0.3, 4), "0111100101100000000100010100110000000100");
    }

    /// How far the share of `true` is from `expected`, in standard deviations of independent draws.
    fn deviations(drawn: &[bool], expected: f64) -> f64 {
        let share = drawn.iter().filter(|&&kept| kept).count() as f64 / drawn.len() as f64;
        ((share - expected) / (expected * (1.0 - expected) / drawn.len() as f64).sqrt()).abs()
    }

    /// Of many numbers, for the ties too, which decide the last digits.
    #[test]
    fn the_share_kept_is_the_keep_probability() {
        for keep in [0.001, 0.25, 0.498, 0.5, 0.5019, 0.8, 0.999] {
            let masks = CounterMasks::new(1).weights(2, 3, (500, 640), keep);
            let drawn: Vec<bool> = (0..20).flat_map(|sample| masks.sample(sample)).collect();
            assert!(deviations(&drawn, keep) < 4.5, "keep {keep}: {}", deviations(&drawn, keep));
        }
        let all = |keep| CounterMasks::new(1).weights(2, 3, (5, 7), keep).sample(0);
        assert_eq!((all(1.0), all(0.0)), (vec![true; 35], vec![false; 35]));
    }

    /// Each of seed, step, layer, sample and weight changes the mask, and to an independent one. Steps that are 2^36 words apart
    /// in the stream of units are none of each other's here.
    #[test]
    fn masks_are_independent_of_one_another() {
        let keep = 0.3;
        let draw = |seed, step, layer, sample| {
            CounterMasks::new(seed).weights(step, layer, (150, 130), keep).sample(sample)
        };
        let first = draw(1, 2, 3, 0);
        let others = [
            ("seed", draw(2, 2, 3, 0)),
            ("step", draw(1, 3, 3, 0)),
            ("far step", draw(1, 2 | 1 << 32, 3, 0)),
            ("layer", draw(1, 2, 4, 0)),
            ("step and layer swapped", draw(1, 3, 2, 0)),
            ("sample", draw(1, 2, 3, 1)),
            ("far sample", draw(1, 2, 3, 1 << 32)),
            ("step of a far sample", draw(1, 1, 3, 1 << 36)),
            ("weight", [&first[1..], &first[..1]].concat()),
            ("input", [&first[130..], &first[..130]].concat()),
            ("word", [&first[64..], &first[..64]].concat()),
        ];
        for (what, other) in others {
            let agree: Vec<bool> = first.iter().zip(&other).map(|(a, b)| a == b).collect();
            assert!(deviations(&agree, keep * keep + (1.0 - keep) * (1.0 - keep)) < 4.5, "{what}");
        }
    }
}
