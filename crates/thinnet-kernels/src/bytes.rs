//! Products of weight rows with bytes: the scores of images, at twice the rate of floats.
//!
//! An image's pixels are bytes, so nothing is lost in taking them as they are. A weight row is rounded to 15 bits and a
//! sign, of its greatest weight: `w = scale * (128 * high + low)` with `high` and `low` in a byte each. The product is then
//! one of whole numbers, exact in any order and on any machine, and CPUs with AVX-512 VNNI take 64 of its terms in an
//! instruction where they take 16 of floats; two planes of weights make that twice the rate.
//!
//! Rounding the weights leaves an error of about `scale * |x| / sqrt(12)` in a sum over `x` ([`ByteWeights::deviation`]):
//! enough for a decision that is not a close one. Who uses it computes close ones again, in floats.

use std::ops::Range;

use crate::panels::Panels;
use crate::simd::Element;
#[cfg(target_arch = "x86_64")]
use crate::x86_64::Vnni;

/// Columns of a panel of bytes: one vector of AVX-512.
const PANEL: usize = 64;

/// `low` is in `-64..=64` and `high` in `-127..=127`.
const RADIX: f64 = 128.0;
const GREATEST: f64 = 127.0 * RADIX;

/// So many columns at most, for sums that fit 32 bits: `255 * 127 * 2^16 < 2^31`.
const MOST_COLUMNS: usize = 1 << 16;

/// One row of a panel.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Line<B>([B; PANEL]);

/// A matrix of bytes in panels, `[ceil(cols / 64)][rows][64]`, padded with zeros.
#[derive(Clone, Debug)]
pub struct ByteRows {
    data: Vec<Line<u8>>,
    rows: usize,
    cols: usize,
}

impl ByteRows {
    /// Packs a row-major matrix, `rows` by `cols`.
    ///
    /// # Panics
    /// If `source` does not have `rows * cols` elements.
    pub fn new(rows: usize, cols: usize, source: &[u8]) -> Self {
        assert_eq!(source.len(), rows * cols, "elements of {rows} rows by {cols}");
        let mut data = vec![Line([0; PANEL]); cols.div_ceil(PANEL) * rows];
        for (r, row) in source.chunks_exact(cols.max(1)).enumerate() {
            for (p, part) in row.chunks(PANEL).enumerate() {
                data[p * rows + r].0[..part.len()].copy_from_slice(part);
            }
        }
        Self { data, rows, cols }
    }

    /// Rows of the matrix.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Columns of the matrix.
    pub fn cols(&self) -> usize {
        self.cols
    }
}

/// Weight rows as two planes of bytes.
#[derive(Clone, Debug)]
pub struct ByteWeights {
    high: Vec<Line<i8>>,
    low: Vec<Line<i8>>,
    scales: Vec<f64>,
    /// The product of each rounded row with the mean.
    of_mean: Vec<f64>,
    rows: usize,
    cols: usize,
}

impl ByteWeights {
    /// Rounds weights, `[R][cols]`, and takes the product of each rounded row with `mean`. `None` if there are too many
    /// columns, or a weight that is not finite.
    ///
    /// # Panics
    /// If `mean` does not have `cols` elements.
    pub fn new<T: Element>(isa: ByteIsa, w: Panels<'_, T>, mean: &[f64]) -> Option<Self> {
        assert_eq!(mean.len(), w.cols(), "columns of the mean");
        if w.cols() > MOST_COLUMNS {
            return None;
        }
        let panels = w.cols().div_ceil(PANEL);
        let lines = vec![Line([0; PANEL]); panels * w.rows()];
        let none = Vec::with_capacity(w.rows());
        let mut rounded = Self {
            high: lines.clone(),
            low: lines,
            scales: none.clone(),
            of_mean: none,
            rows: w.rows(),
            cols: w.cols(),
        };
        let mut padded = mean.to_vec();
        padded.resize(panels * PANEL, 0.0);
        let sound = match isa.0 {
            Level::Portable => rounded.fill(w, &padded),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the token is proof of the features.
            Level::Vnni(_) => unsafe { vnni::fill(&mut rounded, w, &padded) },
        };
        sound.then_some(rounded)
    }

    /// Rounds all weights; false if one is not finite. `mean` is padded to whole panels. Sums and maxima are kept in
    /// [`LANES`] parts, so that the compiler can make vectors of them.
    #[inline(always)]
    fn fill<T: Element>(&mut self, w: Panels<'_, T>, mean: &[f64]) -> bool {
        for r in 0..self.rows {
            let (mut greatest, mut wrong) = ([T::ZERO; LANES], [T::ZERO; LANES]);
            for p in 0..w.panels() {
                for chunk in w.row(p, r).as_chunks::<LANES>().0 {
                    for i in 0..LANES {
                        let v = chunk[i];
                        let size = if v < T::ZERO { T::ZERO - v } else { v };
                        greatest[i] = if size > greatest[i] { size } else { greatest[i] };
                        wrong[i] += v * T::ZERO; // stays 0 unless a weight is not finite
                    }
                }
            }
            if wrong.iter().any(|&wrong| wrong != T::ZERO) {
                return false;
            }
            let greatest = greatest.iter().fold(0.0, |greatest: f64, v| greatest.max(v.to_f64()));
            let scale = if greatest > 0.0 { greatest / GREATEST } else { 1.0 };
            let inverse = 1.0 / scale;
            let mut sums = [0.0; LANES];
            for p in 0..w.panels() {
                let first = p * T::PANEL;
                let line = (first / PANEL) * self.rows + r;
                let high = self.high[line].0[first % PANEL..][..T::PANEL].as_chunks_mut::<LANES>().0;
                let low = self.low[line].0[first % PANEL..][..T::PANEL].as_chunks_mut::<LANES>().0;
                let means = mean[first..first + T::PANEL].as_chunks::<LANES>().0;
                let parts =
                    w.row(p, r).as_chunks::<LANES>().0.iter().zip(means).zip(high.iter_mut().zip(low));
                for ((w, mean), (high, low)) in parts {
                    for i in 0..LANES {
                        let whole = nearest(w[i].to_f64() * inverse);
                        let upper = nearest(whole * (1.0 / RADIX));
                        sums[i] += whole * mean[i];
                        high[i] = small(upper);
                        low[i] = small(whole - upper * RADIX);
                    }
                }
            }
            self.scales.push(scale);
            self.of_mean.push(scale * sums.iter().sum::<f64>());
        }
        true
    }

    /// `dot(rounded w[r], mean)` for each row.
    pub fn of_mean(&self) -> &[f64] {
        &self.of_mean
    }

    /// The weights that are computed with, as a row-major matrix.
    pub fn rounded(&self) -> Vec<f64> {
        let mut out = Vec::with_capacity(self.rows * self.cols);
        for r in 0..self.rows {
            for c in 0..self.cols {
                let (line, at) = ((c / PANEL) * self.rows + r, c % PANEL);
                let whole = f64::from(self.high[line].0[at]) * RADIX + f64::from(self.low[line].0[at]);
                out.push(self.scales[r] * whole);
            }
        }
        out
    }

    /// The standard deviation of the error of a row's product with a vector of length 1, if rounding errors are
    /// independent: the greatest of all rows.
    pub fn deviation(&self) -> f64 {
        self.scales.iter().fold(0.0, |greatest: f64, &scale| greatest.max(scale)) / 12.0_f64.sqrt()
    }
}

/// Instructions for products of bytes. As with [`Isa`](crate::Isa), there is no way to make one that the CPU lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteIsa(Level);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Vnni(Vnni),
}

impl ByteIsa {
    /// Plain Rust: exact, and slower than floats are.
    pub const PORTABLE: Self = Self(Level::Portable);

    /// Instructions with which bytes are faster than floats, if this CPU has them.
    pub fn fast() -> Option<Self> {
        #[cfg(target_arch = "x86_64")]
        return Vnni::new().map(|proof| Self(Level::Vnni(proof)));
        #[cfg(not(target_arch = "x86_64"))]
        None
    }
}

/// `out[r * N + n] = dot(rounded w[r], x[samples.start + n])` for all rows and the `N` samples in the range; `w` is
/// `[R][cols]`, `x` is `[..][cols]`, `out` is `[R][N]`.
///
/// # Panics
/// If the shapes do not fit as said.
pub fn byte_dot<T: Element>(
    isa: ByteIsa,
    w: &ByteWeights,
    x: &ByteRows,
    samples: Range<usize>,
    out: &mut [T],
) {
    assert_eq!(w.cols, x.cols, "columns of weights and samples");
    assert!(samples.start <= samples.end && samples.end <= x.rows, "samples {samples:?} of {}", x.rows);
    assert_eq!(out.len(), w.rows * samples.len(), "outputs, rows by samples");
    match isa.0 {
        Level::Portable => portable(w, x, samples, out),
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the token is proof of the features; the shapes were checked above.
        Level::Vnni(_) => unsafe { vnni::run(w, x, samples, out) },
    }
}

fn portable<T: Element>(w: &ByteWeights, x: &ByteRows, samples: Range<usize>, out: &mut [T]) {
    let panels = w.cols.div_ceil(PANEL);
    for r in 0..w.rows {
        for (n, sample) in samples.clone().enumerate() {
            let sum = |plane: &[Line<i8>]| {
                let mut sum = 0;
                for p in 0..panels {
                    let (w, x) = (&plane[p * w.rows + r].0, &x.data[p * x.rows + sample].0);
                    sum += w.iter().zip(x).map(|(&w, &x)| i32::from(w) * i32::from(x)).sum::<i32>();
                }
                sum
            };
            out[r * samples.len() + n] = value(w.scales[r], sum(&w.high), sum(&w.low));
        }
    }
}

/// Parts in which a sum is kept: two vectors of AVX-512.
const LANES: usize = 16;

/// The nearest whole number to one below 2^51 in size: adding this leaves no bits for a fraction.
#[inline(always)]
fn nearest(x: f64) -> f64 {
    const SHIFT: f64 = 6_755_399_441_055_744.0; // 1.5 * 2^52
    (x + SHIFT) - SHIFT
}

/// A whole number of -128 to 127.
#[inline(always)]
#[expect(
    clippy::cast_possible_truncation,
    reason = "it is in range; by way of 32 bits, for which there are instructions"
)]
fn small(x: f64) -> i8 {
    x as i32 as i8
}

/// What two sums of whole numbers stand for.
fn value<T: Element>(scale: f64, high: i32, low: i32) -> T {
    T::from_f64(scale * (f64::from(high) * RADIX + f64::from(low)))
}

#[cfg(target_arch = "x86_64")]
mod vnni {
    use std::arch::x86_64::{
        _mm512_dpbusd_epi32, _mm512_load_si512, _mm512_reduce_add_epi32, _mm512_setzero_si512,
    };

    use super::{ByteRows, ByteWeights, Element, PANEL, Panels, Range, value};

    /// Samples taken past all rows before the next: their bytes stay in the second-level cache.
    const SAMPLES: usize = 96;
    /// Rows and samples whose sums are held: twice 3 times 4, with four samples' vectors and two of weights beside.
    const ROWS: usize = 3;
    const WIDE: usize = 4;

    /// [`ByteWeights::fill`], compiled for these features.
    ///
    /// # Safety
    /// The CPU has the features.
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512vnni")]
    pub(super) unsafe fn fill<T: Element>(rounded: &mut ByteWeights, w: Panels<'_, T>, mean: &[f64]) -> bool {
        rounded.fill(w, mean)
    }

    /// [`byte_dot`](super::byte_dot).
    ///
    /// # Safety
    /// The CPU has the features; the shapes fit.
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    pub(super) unsafe fn run<T: Element>(
        w: &ByteWeights,
        x: &ByteRows,
        samples: Range<usize>,
        out: &mut [T],
    ) {
        for block in samples.clone().step_by(SAMPLES) {
            let end = (block + SAMPLES).min(samples.end);
            let mut r = 0;
            while r < w.rows {
                let tall = if r + ROWS <= w.rows { ROWS } else { 1 };
                let mut n = block;
                while n < end {
                    let wide = if n + WIDE <= end { WIDE } else { 1 };
                    // SAFETY: rows `r` to `r + tall` and samples `n` to `n + wide` are there.
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
                            *out = value(w.scales[r + row], high, low);
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
    /// The CPU has the features; rows `r` to `r + R` and samples `n` to `n + N` are there.
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
            // SAFETY: panel `p` of these rows and samples is there: `data` has a line for each row of each panel, and
            // lines are aligned.
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
}

/// The sum of squares of each row less `mean`: `|x[n] - mean|^2`.
///
/// # Panics
/// If `mean` does not have `x.cols()` elements.
pub fn squared_distances(x: &ByteRows, mean: &[f64]) -> Vec<f64> {
    assert_eq!(mean.len(), x.cols, "columns");
    (0..x.rows)
        .map(|row| {
            let parts = mean.chunks(PANEL).enumerate();
            parts
                .map(|(p, mean)| {
                    let line = &x.data[p * x.rows + row].0;
                    mean.iter().zip(line).map(|(mean, &x)| (f64::from(x) - mean).powi(2)).sum::<f64>()
                })
                .sum()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PanelBuf;

    fn bytes(count: usize, seed: u32) -> Vec<u8> {
        let mut state = seed;
        (0..count)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            })
            .collect()
    }

    fn check<T: Element>(isa: ByteIsa, rows: usize, cols: usize, samples: usize) {
        let weights: Vec<T> = bytes(rows * cols, 1)
            .iter()
            .zip(bytes(rows * cols, 2))
            .map(|(&a, b)| T::from_f64((f64::from(a) - 127.5) / 1000.0 + f64::from(b) / 1e5))
            .collect();
        let pixels = bytes(samples * cols, 3);
        let packed = PanelBuf::from_rows(rows, cols, &weights);
        let mean: Vec<f64> = pixels[..cols].iter().map(|&p| f64::from(p) / 3.0).collect();
        let w = ByteWeights::new(isa, packed.view(), &mean).unwrap();
        let rounded = w.rounded();
        for ((rounded, w), scale) in
            rounded.iter().zip(&weights).zip(w.scales.iter().flat_map(|s| vec![*s; cols]))
        {
            assert!((rounded - w.to_f64()).abs() <= 0.500_001 * scale);
        }
        let x = ByteRows::new(samples, cols, &pixels);
        let range = samples / 3..samples;
        let mut out = vec![T::ZERO; rows * range.len()];
        byte_dot(isa, &w, &x, range.clone(), &mut out);
        for r in 0..rows {
            for (n, sample) in range.clone().enumerate() {
                let truth: f64 =
                    (0..cols).map(|c| rounded[r * cols + c] * f64::from(pixels[sample * cols + c])).sum();
                let error = (out[r * range.len() + n].to_f64() - truth).abs();
                assert!(error <= 1e-6 * truth.abs().max(1.0), "{rows} {cols} {samples}: {truth}");
            }
        }
        for (r, dot) in w.of_mean().iter().enumerate() {
            let truth: f64 = (0..cols).map(|c| rounded[r * cols + c] * mean[c]).sum();
            assert!((dot - truth).abs() <= 1e-9 * truth.abs().max(1.0));
        }
    }

    #[test]
    fn products_are_those_of_the_rounded_weights() {
        let isas = [Some(ByteIsa::PORTABLE), ByteIsa::fast()];
        if isas[1].is_none() {
            println!("skipped: this CPU has no AVX-512 VNNI");
        }
        for isa in isas.into_iter().flatten() {
            for (rows, cols, samples) in
                [(1, 1, 1), (3, 64, 4), (7, 65, 9), (10, 200, 101), (4, 3072, 3), (2, 63, 250)]
            {
                check::<f32>(isa, rows, cols, samples);
                check::<f64>(isa, rows, cols, samples);
            }
        }
    }

    #[test]
    fn the_greatest_sums_fit() {
        let cols = MOST_COLUMNS;
        let packed = PanelBuf::from_rows(1, cols, &vec![-1.0_f32; cols]);
        let x = ByteRows::new(1, cols, &vec![255; cols]);
        for isa in [Some(ByteIsa::PORTABLE), ByteIsa::fast()].into_iter().flatten() {
            let w = ByteWeights::new(isa, packed.view(), &vec![0.0; cols]).unwrap();
            let mut out = [0.0_f64];
            byte_dot(isa, &w, &x, 0..1, &mut out);
            assert!((out[0] + 255.0 * cols as f64).abs() < 1e-3 * cols as f64, "{}", out[0]);
        }
        let portable = ByteIsa::PORTABLE;
        assert!(
            ByteWeights::new(portable, PanelBuf::<f32>::zeros(1, cols + 1).view(), &vec![0.0; cols + 1])
                .is_none()
        );
        for bad in [f32::NAN, f32::INFINITY] {
            assert!(
                ByteWeights::new(portable, PanelBuf::from_rows(1, 2, &[1.0, bad]).view(), &[0.0; 2])
                    .is_none()
            );
        }
    }
}
