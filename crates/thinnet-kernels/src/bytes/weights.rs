//! Weight rows, rounded to whole numbers of two bytes.

use super::isa::{ByteIsa, Level};
use super::rows::{Line, PANEL};
use crate::panels::Panels;
use crate::simd::Element;

/// `low` is in `-64..=64` and `high` in `-127..=127`.
const RADIX: f64 = 128.0;
const GREATEST: f64 = 127.0 * RADIX;

/// Max number of columns, so that sums fit in 32 bits: `255 * 127 * 2^16 < 2^31`.
pub(super) const MOST_COLUMNS: usize = 1 << 16;

/// Parts of a sum: two vectors of AVX-512.
const LANES: usize = 16;

/// Weight rows as two planes of bytes.
#[derive(Clone, Debug)]
pub struct ByteWeights {
    pub(super) high: Vec<Line<i8>>,
    pub(super) low: Vec<Line<i8>>,
    pub(super) scales: Vec<f64>,
    /// The product of each rounded row with the mean.
    of_mean: Vec<f64>,
    pub(super) rows: usize,
    pub(super) cols: usize,
}

impl ByteWeights {
    /// Rounds weights, `[R][cols]`, and computes the product of each rounded row with `mean`. `None` if there are too
    /// many columns, or a weight is not finite.
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
            Level::Vnni(_) => unsafe { fill_vnni(&mut rounded, w, &padded) },
        };
        sound.then_some(rounded)
    }

    /// Rounds all weights; false if one is not finite. `mean` is padded to whole panels. Sums and maxima are kept in
    /// [`LANES`] parts, so that the compiler can vectorise them.
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

    /// The value of two sums of whole numbers, from row `r`'s planes.
    pub(super) fn value<T: Element>(&self, r: usize, high: i32, low: i32) -> T {
        T::from_f64(self.scales[r] * (f64::from(high) * RADIX + f64::from(low)))
    }

    /// `dot(rounded w[r], mean)` for each row.
    pub fn of_mean(&self) -> &[f64] {
        &self.of_mean
    }

    /// The rounded weights as a row-major matrix.
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
    /// independent: the max over all rows.
    pub fn deviation(&self) -> f64 {
        self.scales.iter().fold(0.0, |greatest: f64, &scale| greatest.max(scale)) / 12.0_f64.sqrt()
    }
}

/// [`ByteWeights::fill`], compiled for these features.
///
/// # Safety
/// The CPU has the features.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512vnni")]
unsafe fn fill_vnni<T: Element>(rounded: &mut ByteWeights, w: Panels<'_, T>, mean: &[f64]) -> bool {
    rounded.fill(w, mean)
}

/// The nearest whole number, for numbers below 2^51 in absolute value: adding this leaves no bits for a fraction.
#[inline(always)]
fn nearest(x: f64) -> f64 {
    const SHIFT: f64 = 6_755_399_441_055_744.0; // 1.5 * 2^52
    (x + SHIFT) - SHIFT
}

/// A whole number from -128 to 127.
#[inline(always)]
#[expect(
    clippy::cast_possible_truncation,
    reason = "it is in range; 32 bits in between, because there are instructions for that"
)]
fn small(x: f64) -> i8 {
    x as i32 as i8
}
