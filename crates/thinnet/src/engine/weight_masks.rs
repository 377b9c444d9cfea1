//! DropConnect's masks of one layer for a batch: drawn once per step, as bits, and kept for the backward pass.

use std::ops::Range;

use thinnet_kernels::{Isa, PanelBuf, WeightBits};

use super::masks::{LayerDraw, MaskSource};
use super::threads::Threads;
use crate::random::{CounterMasks, LayerWeightMasks, RandomState};

/// The max number of words kept for a layer, 256 MiB: masks of further samples are drawn when they are needed, so
/// twice per step.
const MOST_WORDS: usize = 1 << 25;

/// The source of a batch's masks, and those that are in memory.
#[derive(Debug)]
pub(super) struct WeightMasks {
    samples: usize,
    /// The weights' shape: inputs, outputs.
    dim: (usize, usize),
    keep_prob: f64,
    source: Source,
    bits: WeightBits,
    /// The samples whose masks are in `bits`.
    drawn: Range<usize>,
    /// [`MOST_WORDS`].
    pub(super) most: usize,
}

/// What a step stores for a hidden layer whose weights are dropped.
#[derive(Debug, Default)]
pub(super) struct Connect<F> {
    pub(super) masks: WeightMasks,
    /// The input of a layer after the first (N, D).
    pub(super) x: PanelBuf<F>,
    /// The gradient by the weights.
    pub(super) gradient: PanelBuf<F>,
}

#[derive(Debug)]
enum Source {
    /// NumPy's stream before the first sample's masks, if they are not all drawn.
    Numpy(Option<Box<RandomState>>),
    /// The counter-based stream's masks, and the first sample's number.
    Counter(LayerWeightMasks, usize),
}

impl Default for WeightMasks {
    fn default() -> Self {
        let (dim, bits, drawn) = ((0, 0), WeightBits::default(), 0..0);
        Self { samples: 0, dim, keep_prob: 1.0, source: Source::Numpy(None), bits, drawn, most: MOST_WORDS }
    }
}

impl WeightMasks {
    /// The masks of a batch for a layer with this many inputs. NumPy's stream gives one number per weight, in the
    /// order sample, input, output, and advances past them for any keep probability. If that is 1, no masks are
    /// drawn.
    pub(super) fn draw(
        &mut self,
        of: LayerDraw,
        inputs: usize,
        source: MaskSource,
        random: &mut RandomState,
        (isa, threads): (Isa, &Threads),
    ) {
        let LayerDraw { samples, units, dropout, draw, .. } = of;
        (self.samples, self.dim, self.keep_prob) = (samples, (inputs, units), dropout.keep_prob());
        self.drawn = 0..0;
        let all_kept = self.keep_prob >= 1.0;
        match source {
            MaskSource::Numpy => {
                if let Some(seed) = dropout.seed() {
                    random.seed(seed);
                }
                if all_kept || self.chunk() < samples {
                    let start = (!all_kept).then(|| Box::new(random.clone()));
                    (0..samples).for_each(|_| random.skip_words(2 * inputs * units));
                    self.source = Source::Numpy(start);
                } else {
                    self.source = Source::Numpy(None);
                    self.drawn = 0..samples;
                    self.bits.reset(samples, inputs, units);
                    draw_numpy(&mut self.bits, self.keep_prob, random);
                }
            }
            MaskSource::Counter(seed) => {
                let masks = CounterMasks::new(seed).weights(draw.step, of.number(), self.dim, self.keep_prob);
                self.source = Source::Counter(masks, draw.first);
                if !all_kept && self.chunk() >= samples {
                    self.of(0..samples, isa, threads);
                }
            }
        }
    }

    /// The number of samples whose masks are kept at once.
    fn chunk(&self) -> usize {
        (self.most / (self.dim.0.next_multiple_of(8) * self.dim.1.div_ceil(64)).max(1)).max(1)
    }

    /// The batch cut into ranges of samples whose masks are in memory at once; it does not depend on the number of
    /// threads.
    pub(super) fn chunks(&self) -> Vec<Range<usize>> {
        let chunk = self.chunk();
        (0..self.samples).step_by(chunk).map(|first| first..self.samples.min(first + chunk)).collect()
    }

    /// The masks of one of the [`WeightMasks::chunks`], drawn if necessary.
    pub(super) fn of(&mut self, chunk: Range<usize>, isa: Isa, threads: &Threads) -> &WeightBits {
        if self.drawn != chunk {
            self.bits.reset(chunk.len(), self.dim.0, self.dim.1);
            match &self.source {
                Source::Counter(masks, first) => {
                    draw_counter(&mut self.bits, masks, first + chunk.start, isa, threads);
                }
                Source::Numpy(start) => {
                    if let Some(mut random) = start.clone() {
                        (0..chunk.start).for_each(|_| random.skip_words(2 * self.dim.0 * self.dim.1));
                        draw_numpy(&mut self.bits, self.keep_prob, &mut random);
                    }
                }
            }
            self.drawn = chunk;
        }
        &self.bits
    }
}

/// The next masks of NumPy's stream.
fn draw_numpy(bits: &mut WeightBits, keep_prob: f64, random: &mut RandomState) {
    let (samples, (inputs, outputs)) = (bits.samples(), bits.dim());
    let mut room = vec![0; 2 * outputs];
    let mut words = vec![0u64; inputs * outputs.div_ceil(64)];
    let whole = 0..inputs;
    for mut part in bits.parts(std::slice::from_ref(&whole)) {
        for sample in 0..samples {
            for row in words.chunks_exact_mut(outputs.div_ceil(64).max(1)) {
                random.below_bits(keep_prob, &mut room, row);
            }
            part.set(sample, 0, &words);
        }
    }
}

/// The counter-based stream's masks from sample `first` on; each thread draws an equal share of the inputs.
fn draw_counter(bits: &mut WeightBits, masks: &LayerWeightMasks, first: usize, isa: Isa, threads: &Threads) {
    let (samples, (inputs, _)) = (bits.samples(), bits.dim());
    // Multiples of eight, as bits are set, and of groups, as they are drawn.
    let step = masks.inputs_of_groups().max(8);
    let range = |steps: Range<usize>| steps.start * step..inputs.min(steps.end * step);
    let ranges: Vec<Range<usize>> = threads.split(inputs.div_ceil(step)).into_iter().map(range).collect();
    let parts = bits.parts(&ranges).into_iter().zip(ranges).collect();
    threads.each(parts, |(mut part, range)| {
        let mut words = vec![0; step * masks.words_per_input()];
        for at in range.clone().step_by(step) {
            let words = &mut words[..step.min(range.end - at) * masks.words_per_input()];
            for sample in 0..samples {
                masks.fill(isa, first + sample, at, words);
                part.set(sample, at - range.start, words);
            }
        }
    });
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test fails by panic
mod tests {
    use super::super::masks::{Draw, training};
    use super::*;
    use crate::layers::Dropout;

    /// All masks, drawn with this many words at once and this many threads.
    fn drawn(of: LayerDraw, source: MaskSource, most: usize, isa: Isa, threads: usize) -> Vec<Vec<bool>> {
        let (inputs, units) = (37, of.units);
        let threads = Threads::new(threads).unwrap();
        let mut random = RandomState::new(3);
        let mut masks = WeightMasks { most, ..WeightMasks::default() };
        masks.draw(of, inputs, source, &mut random, (isa, &threads));
        if source == MaskSource::Numpy {
            let mut behind = RandomState::new(3);
            behind.skip_words(2 * inputs * units * of.samples);
            assert_eq!(random.state(), behind.state());
        }
        let chunks = masks.chunks();
        let mut all = Vec::new();
        for chunk in [&chunks[..], &chunks[..]].concat() {
            let bits = masks.of(chunk.clone(), isa, &threads);
            for sample in 0..chunk.len() {
                let weights = (0..inputs).flat_map(|input| (0..units).map(move |unit| (input, unit)));
                all.push(weights.map(|at| bits.get(sample, at)).collect());
            }
        }
        assert_eq!(all[..of.samples], all[of.samples..], "the second time as the first");
        all.truncate(of.samples);
        all
    }

    /// Masks drawn in parallel, all at once or a few samples at a time, are those of the stream.
    #[test]
    fn any_threads_and_any_memory_draw_the_same_masks() {
        let dropout = Dropout::new(0.3, None).unwrap();
        for (samples, units) in [(1, 1), (9, 64), (5, 65), (20, 130)] {
            let draw = Draw { step: 1234, number: training, first: 17 };
            let of = LayerDraw { samples, units, dropout, layer: 2, draw };
            let stream = CounterMasks::new(9).weights(1234, 2, (37, units), 0.3);
            let counter: Vec<_> = (17..17 + samples).map(|sample| stream.sample(sample)).collect();
            let mut random = RandomState::new(3);
            let numpy: Vec<Vec<bool>> =
                (0..samples).map(|_| random.rand(37 * units).iter().map(|&u| u < 0.3).collect()).collect();
            for (threads, most) in [(1, MOST_WORDS), (2, MOST_WORDS), (4, 0), (3, 400)] {
                for isa in Isa::available() {
                    assert_eq!(drawn(of, MaskSource::Counter(9), most, isa, threads), counter);
                }
                assert_eq!(drawn(of, MaskSource::Numpy, most, Isa::PORTABLE, threads), numpy);
            }
        }
    }
}
