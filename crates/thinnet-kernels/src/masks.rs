//! Converts random words to the bits of a mask.

use crate::Isa;
use crate::isa::once;
use crate::simd::{Element, Op, Simd};

/// Sets bit `bit` of `masks[i]` if the little-endian word `i` of `words` is below `threshold`, for each mask: this
/// puts the mask of one sample, drawn for the units in order, into the masks of all units.
///
/// A threshold of `p * 2^32` keeps a unit with probability `p`.
///
/// # Panics
/// If `words` does not have four bytes for each mask, or `bit` is above 63.
pub fn set_kept(isa: Isa, words: &[u8], threshold: u64, bit: usize, masks: &mut [u64]) {
    assert!(bit < 64, "bit {bit} of 64");
    assert_eq!(words.len(), 4 * masks.len(), "bytes of one word per mask");
    isa.run::<f32, _>(SetKept { words, threshold, bit, masks });
}

struct SetKept<'a> {
    words: &'a [u8],
    threshold: u64,
    bit: usize,
    masks: &'a mut [u64],
}

impl Op<f32> for SetKept<'_> {
    /// A plain loop that the compiler vectorises: the features are enabled where this is inlined.
    #[inline(always)]
    fn run<S: Simd<Elem = f32>>(self, _: S) {
        let Self { words, threshold, bit, masks } = self;
        for (mask, word) in masks.iter_mut().zip(words.as_chunks::<4>().0) {
            *mask |= u64::from(u64::from(u32::from_le_bytes(*word)) < threshold) << bit;
        }
    }
}

/// Sets `out[i]` to `kept` if the little-endian word `i` of `words` is below `threshold`, otherwise to 0:
/// [`set_kept`]'s mask as the factors of inverted dropout.
///
/// # Panics
/// If `words` does not have four bytes for each factor.
pub fn set_factors<T: RunSetFactors>(isa: Isa, words: &[u8], threshold: u64, kept: T, out: &mut [T]) {
    assert_eq!(words.len(), 4 * out.len(), "bytes of one word per factor");
    let Some(last) = threshold.checked_sub(1) else { return out.fill(T::ZERO) };
    let last = u32::try_from(last).unwrap_or(u32::MAX);
    <T as RunSetFactors>::run(isa, SetFactors { words, last, kept, out });
}

pub struct SetFactors<'a, T> {
    words: &'a [u8],
    /// The largest word that keeps a unit.
    last: u32,
    kept: T,
    out: &'a mut [T],
}

once!(RunSetFactors, SetFactors);

impl<T: Element> Op<T> for SetFactors<'_, T> {
    /// A plain loop, as for `SetKept`.
    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, _: S) {
        let Self { words, last, kept, out } = self;
        for (factor, word) in out.iter_mut().zip(words.as_chunks::<4>().0) {
            *factor = if u32::from_le_bytes(*word) <= last { kept } else { T::ZERO };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_below_the_threshold_set_their_bit_and_no_other() {
        for isa in Isa::available() {
            for count in [0_usize, 1, 7, 8, 9, 100] {
                for threshold in [0, 1, 1 << 31, u64::from(u32::MAX), 1 << 32] {
                    let numbers: Vec<u32> = (0..count)
                        .map(|i| [0, 1, u32::MAX, u32::MAX - 1, 1 << 31, (1 << 31) - 1][i % 6])
                        .collect();
                    let words: Vec<u8> = numbers.iter().flat_map(|n| n.to_le_bytes()).collect();
                    for bit in [0, 5, 63] {
                        let before = 0x0f0f_0000_1111_0000_u64;
                        let mut masks = vec![before; numbers.len()];
                        set_kept(isa, &words, threshold, bit, &mut masks);
                        let mut factors = vec![9.0; numbers.len()];
                        set_factors(isa, &words, threshold, 4.0, &mut factors);
                        let expected = |&number: &u32| if u64::from(number) < threshold { 4.0 } else { 0.0 };
                        assert_eq!(factors, numbers.iter().map(expected).collect::<Vec<f64>>(), "{isa}");
                        for (mask, &number) in masks.iter().zip(&numbers) {
                            let set = if u64::from(number) < threshold { 1 << bit } else { 0 };
                            assert_eq!(*mask, before | set, "{isa}, {number} below {threshold}, bit {bit}");
                        }
                    }
                }
            }
        }
    }
}
