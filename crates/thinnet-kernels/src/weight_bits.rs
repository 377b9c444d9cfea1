//! Masks of weights, one bit per weight and sample.

use std::ops::Range;

/// Inputs whose bits are stored together, so that they fill a cache line.
const LINE: usize = 8;

/// Bits per word.
const WORD: usize = 64;

/// For each sample, a bit for each weight of a layer: 1 if the sample keeps it.
///
/// Word `(u, i, n)` has the bits of the weights from input `i` to outputs `64 u` to `64 u + 63`, lowest bit first,
/// for sample `n`. The words are stored as `[ceil(outputs / 64)][ceil(inputs / 8)][samples][8]`: a forward product
/// reads eight inputs of a sample in one cache line, and a backward product the samples of eight inputs one after
/// another.
#[derive(Clone, Debug, Default)]
pub struct WeightBits {
    words: Vec<u64>,
    samples: usize,
    inputs: usize,
    outputs: usize,
}

impl WeightBits {
    /// Becomes the masks of this many samples for weights (inputs, outputs), reusing its memory. The bits are
    /// undefined until they are [set](WeightBitsPart::set).
    pub fn reset(&mut self, samples: usize, inputs: usize, outputs: usize) {
        (self.samples, self.inputs, self.outputs) = (samples, inputs, outputs);
        self.words.resize(outputs.div_ceil(WORD) * self.plane(), 0);
    }

    /// Samples.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// The weights' shape: inputs, outputs.
    pub fn dim(&self) -> (usize, usize) {
        (self.inputs, self.outputs)
    }

    /// The number of words for one word of outputs.
    fn plane(&self) -> usize {
        self.inputs.div_ceil(LINE) * self.samples * LINE
    }

    /// All bits, cut into consecutive ranges of inputs from input 0 on; all but the last have a multiple of eight
    /// inputs.
    ///
    /// # Panics
    /// If the ranges are not like this, or do not end with the inputs.
    pub fn parts(&mut self, ranges: &[Range<usize>]) -> Vec<WeightBitsPart<'_>> {
        let (plane, samples) = (self.plane(), self.samples);
        let mut rest: Vec<&mut [u64]> = self.words.chunks_mut(plane.max(1)).collect();
        let mut at = 0;
        let part = |range: &Range<usize>| {
            assert_eq!(range.start, at, "inputs follow one another");
            assert!(range.len().is_multiple_of(LINE) || range.end == self.inputs, "whole eights of inputs");
            at = range.end;
            let count = range.len().div_ceil(LINE) * samples * LINE;
            let own = rest.iter_mut().map(|rest| rest.split_off_mut(..count).unwrap_or_default());
            WeightBitsPart { words: own.collect(), samples, inputs: range.len() }
        };
        let parts = ranges.iter().map(part).collect();
        assert_eq!(at, self.inputs, "all inputs");
        parts
    }

    /// Whether a sample keeps a weight.
    ///
    /// # Panics
    /// If the sample or weight does not exist.
    pub fn get(&self, sample: usize, (input, output): (usize, usize)) -> bool {
        assert!(sample < self.samples && input < self.inputs && output < self.outputs, "no such bit");
        self.words[self.index(output / WORD, input, sample)] >> (output % WORD) & 1 == 1
    }

    fn index(&self, word: usize, input: usize, sample: usize) -> usize {
        word * self.plane() + ((input / LINE) * self.samples + sample) * LINE + input % LINE
    }

    /// The position of the word of outputs `word`, for input `input` and sample `sample`. Those of the inputs up to
    /// the next multiple of eight follow it; those of the next sample are eight words further, and those of the next
    /// eight inputs `8 * samples` words further. It may be read if these outputs, input and sample exist.
    #[inline(always)]
    pub(crate) fn ptr(&self, word: usize, input: usize, sample: usize) -> *const u64 {
        self.words.as_ptr().wrapping_add(self.index(word, input, sample))
    }
}

/// The bits of some neighbouring inputs' weights, for all samples.
#[derive(Debug)]
pub struct WeightBitsPart<'a> {
    /// For each word of outputs: `[ceil(inputs / 8)][samples][8]`.
    words: Vec<&'a mut [u64]>,
    samples: usize,
    inputs: usize,
}

impl WeightBitsPart<'_> {
    /// Inputs of the part.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Sets the bits of a sample, from input `first` of the part on: `rows` is `[inputs][words of outputs]`, for a
    /// multiple of eight inputs or up to the last.
    ///
    /// # Panics
    /// If `first` is not a multiple of eight, the sample does not exist, or the rows go past the part.
    pub fn set(&mut self, sample: usize, first: usize, rows: &[u64]) {
        assert!(first.is_multiple_of(LINE) && sample < self.samples, "sample {sample} from input {first}");
        let of_input = self.words.len();
        for (block, rows) in (first / LINE..).zip(rows.chunks(LINE * of_input.max(1))) {
            let at = (block * self.samples + sample) * LINE;
            for (word, lines) in self.words.iter_mut().enumerate() {
                let line = &mut lines[at..at + LINE];
                if rows.len() == LINE * of_input {
                    for (input, place) in line.iter_mut().enumerate() {
                        *place = rows[input * of_input + word];
                    }
                } else {
                    line.fill(0);
                    for (place, row) in line.iter_mut().zip(rows.chunks(of_input)) {
                        *place = row[word];
                    }
                }
            }
        }
    }
}
