//! The product of all weight rows with all samples, for layers without dropout and for scores.

use crate::isa::once;
use crate::simd::{Element, Op, SPAN, Simd};
use crate::{Isa, Panels};

/// `out[r * N + n] = dot(w[r], x[n])` for all rows and samples; `w` is `[R][cols]`, `x` is `[N][cols]`, `out` is
/// `[R][N]`: the same order as [`listed_dot`](crate::listed_dot) with full lists.
///
/// # Panics
/// If the shapes do not match this.
pub fn dense_dot<T: RunDenseDot>(isa: Isa, w: Panels<'_, T>, x: Panels<'_, T>, out: &mut [T]) {
    assert_eq!(w.cols(), x.cols(), "columns of weights and samples");
    assert_eq!(out.len(), w.rows() * x.rows(), "outputs, rows by samples");
    <T as RunDenseDot>::run(isa, DenseDot { w, x, out });
}

pub struct DenseDot<'a, T> {
    w: Panels<'a, T>,
    x: Panels<'a, T>,
    out: &'a mut [T],
}

once!(RunDenseDot, DenseDot);

/// For this many panels a tile's sums stay in registers before their lanes are added up: 384 columns of `f32`. With
/// more, the rows in use no longer fit in the first-level cache; with fewer, adding up costs too much.
const DEPTH: usize = 6;
/// Samples per block, which all rows use before the next block: with `DEPTH` 144 KiB, which fits in the second-level
/// cache.
const SAMPLES: usize = 96;

impl<T: Element> Op<T> for DenseDot<'_, T> {
    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, s: S) {
        // Sums for these rows times four samples are held, besides four vectors of samples and one of a row.
        if S::REGISTERS >= 32 { self.run_by::<S, 6>(s) } else { self.run_by::<S, 2>(s) }
    }
}

impl<T: Element> DenseDot<'_, T> {
    #[inline(always)]
    fn run_by<S: Simd<Elem = T>, const R: usize>(self, s: S) {
        let Self { w, x, out } = self;
        out.fill(T::ZERO);
        let out = out.as_mut_ptr();
        for first in (0..w.panels()).step_by(DEPTH) {
            let last = (first + DEPTH).min(w.panels());
            for block in (0..x.rows()).step_by(SAMPLES) {
                let end = (block + SAMPLES).min(x.rows());
                let mut r = 0;
                while r < w.rows() {
                    let tall = if r + R <= w.rows() { R } else { 1 };
                    let mut n = block;
                    while n < end {
                        let wide = (end - n).min(4);
                        let tile = Tile { w, x, panels: (first, last), r, n };
                        // SAFETY: panels `first` to `last`, rows `r` to `r + tall` and samples `n` to `n + wide`
                        // exist, and so do the outputs of those rows and samples.
                        unsafe {
                            let out = out.add(r * x.rows() + n);
                            match (tall == R, wide) {
                                (true, 4) => tile.add_to::<S, R, 4>(s, out),
                                (true, 3) => tile.add_to::<S, R, 3>(s, out),
                                (true, 2) => tile.add_to::<S, R, 2>(s, out),
                                (true, _) => tile.add_to::<S, R, 1>(s, out),
                                (false, 4) => tile.add_to::<S, 1, 4>(s, out),
                                (false, 3) => tile.add_to::<S, 1, 3>(s, out),
                                (false, 2) => tile.add_to::<S, 1, 2>(s, out),
                                (false, _) => tile.add_to::<S, 1, 1>(s, out),
                            }
                        }
                        n += wide;
                    }
                    r += tall;
                }
            }
        }
    }
}

/// Some rows and samples from `r` and `n` on, over a range of panels.
#[derive(Clone, Copy)]
struct Tile<'a, T> {
    w: Panels<'a, T>,
    x: Panels<'a, T>,
    panels: (usize, usize),
    r: usize,
    n: usize,
}

impl<T: Element> Tile<'_, T> {
    /// Adds the products of `R` rows and `N` samples, at most 4, to `out`, whose rows have as many elements as `x`
    /// has samples.
    ///
    /// # Safety
    /// The panels, rows, samples and outputs exist.
    #[inline(always)]
    unsafe fn add_to<S: Simd<Elem = T>, const R: usize, const N: usize>(self, s: S, out: *mut T) {
        let mut totals = [s.fold(None, 0, [s.zero(); 4]); R];
        for part in 0..S::PARTS {
            // SAFETY: guaranteed by the caller; there is such a part.
            let sums = unsafe { self.products::<S, R, N>(s, part) };
            for (total, sums) in totals.iter_mut().zip(sums) {
                *total = s.fold((part > 0).then_some(*total), part, sums);
            }
        }
        for (r, total) in totals.into_iter().enumerate() {
            // SAFETY: guaranteed by the caller.
            unsafe { s.add_sums(out.add(r * self.x.rows()), total, N) };
        }
    }

    /// The same in a part of the lanes, not added up; 0 from the `N`th sample on. So a tile's sums fit in the
    /// registers, even if vectors have few lanes.
    ///
    /// # Safety
    /// The panels, rows, samples and the part exist.
    #[inline(always)]
    unsafe fn products<S: Simd<Elem = T>, const R: usize, const N: usize>(
        self,
        s: S,
        part: usize,
    ) -> [[S::V; 4]; R] {
        let mut sums = [[s.zero(); 4]; R];
        for panel in self.panels.0..self.panels.1 {
            // SAFETY: guaranteed by the caller; neighbouring rows lie PANEL elements apart.
            unsafe {
                let (w, x) = (self.w.ptr(panel, self.r), self.x.ptr(panel, self.n));
                for q in 0..SPAN {
                    let at = q * T::SUM_LANES + part * S::LANES;
                    let mut held = [s.zero(); N];
                    for (n, held) in held.iter_mut().enumerate() {
                        *held = s.load(x.add(n * T::PANEL + at));
                    }
                    for (r, sums) in sums.iter_mut().enumerate() {
                        let row = s.load(w.add(r * T::PANEL + at));
                        for (sum, x) in sums.iter_mut().zip(held) {
                            *sum = s.fma(row, x, *sum);
                        }
                    }
                }
            }
        }
        sums
    }
}
