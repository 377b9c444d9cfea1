//! Products of bytes with the instructions of AVX-512 VNNI.

use std::arch::x86_64::{
    _mm512_dpbusd_epi32, _mm512_load_si512, _mm512_reduce_add_epi32, _mm512_setzero_si512,
};
use std::ops::Range;

use super::rows::{ByteRows, PANEL};
use super::weights::ByteWeights;
use crate::simd::Element;

/// Samples per block, which all rows use before the next block: their bytes stay in the second-level cache.
const SAMPLES: usize = 96;
/// Rows whose sums are in registers: 2 planes * 3 rows * 4 samples, besides four vectors of samples and two of
/// weights.
const ROWS: usize = 3;
const WIDE: usize = 4;

/// [`byte_dot`](super::byte_dot).
///
/// # Safety
/// The CPU has the features; the shapes match.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub(super) unsafe fn run<T: Element>(w: &ByteWeights, x: &ByteRows, samples: Range<usize>, out: &mut [T]) {
    for block in samples.clone().step_by(SAMPLES) {
        let end = (block + SAMPLES).min(samples.end);
        let mut r = 0;
        while r < w.rows {
            let tall = if r + ROWS <= w.rows { ROWS } else { 1 };
            let mut n = block;
            while n < end {
                let wide = if n + WIDE <= end { WIDE } else { 1 };
                // SAFETY: rows `r` to `r + tall` and samples `n` to `n + wide` exist.
                let sums = unsafe {
                    match (tall, wide) {
                        (ROWS, WIDE) => tile::<ROWS, WIDE>(w, x, r, n),
                        (ROWS, _) => tile::<ROWS, 1>(w, x, r, n),
                        (_, WIDE) => tile::<1, WIDE>(w, x, r, n),
                        _ => tile::<1, 1>(w, x, r, n),
                    }
                };
                for (row, sums) in sums.iter().enumerate().take(tall) {
                    let at = (r + row) * samples.len() + n - samples.start;
                    for (out, &(high, low)) in out[at..at + wide].iter_mut().zip(sums) {
                        *out = w.value(r + row, high, low);
                    }
                }
                n += wide;
            }
            r += tall;
        }
    }
}

/// The sums, of both planes, of `R` rows with `N` samples; 0 elsewhere.
///
/// # Safety
/// The CPU has the features; rows `r` to `r + R` and samples `n` to `n + N` exist.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
unsafe fn tile<const R: usize, const N: usize>(
    w: &ByteWeights,
    x: &ByteRows,
    r: usize,
    n: usize,
) -> [[(i32, i32); WIDE]; ROWS] {
    let mut high = [[_mm512_setzero_si512(); N]; R];
    let mut low = high;
    for p in 0..w.cols.div_ceil(PANEL) {
        // SAFETY: panel `p` of these rows and samples exists: `data` has a line for each row of each panel, and lines
        // are aligned.
        unsafe {
            let mut held = [_mm512_setzero_si512(); N];
            for (i, held) in held.iter_mut().enumerate() {
                *held = _mm512_load_si512(x.data.as_ptr().add(p * x.rows + n + i).cast());
            }
            for i in 0..R {
                let line = p * w.rows + r + i;
                let plane = _mm512_load_si512(w.high.as_ptr().add(line).cast());
                for (sum, &x) in high[i].iter_mut().zip(&held) {
                    *sum = _mm512_dpbusd_epi32(*sum, x, plane);
                }
                let plane = _mm512_load_si512(w.low.as_ptr().add(line).cast());
                for (sum, &x) in low[i].iter_mut().zip(&held) {
                    *sum = _mm512_dpbusd_epi32(*sum, x, plane);
                }
            }
        }
    }
    let mut sums = [[(0, 0); WIDE]; ROWS];
    for i in 0..R {
        for j in 0..N {
            sums[i][j] = (_mm512_reduce_add_epi32(high[i][j]), _mm512_reduce_add_epi32(low[i][j]));
        }
    }
    sums
}
