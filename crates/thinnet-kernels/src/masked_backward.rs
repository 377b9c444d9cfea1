//! The backward pass of a layer whose weights are dropped, for each sample others.

use crate::adjust::{Adjust, with_optimiser};
use crate::optimiser::{Optimiser, Update, WithOptimiser};
use crate::simd::{Element, Op, Simd, load};
use crate::{Isa, Panels, PanelsMut, WeightBits};

/// For each row `r` of `w`, which is input `i = first + r` of the layer: the gradient `g = sum of x[n][i] * delta[n]` over all
/// samples, of each `delta[n]` what sample `n` keeps of the row, what `adjust` makes of it, and the update with that. Where
/// `d_x` is asked for, `d_x[r / 4][n][r % 4] = dot(w[r], delta[n])` goes before, over what the sample keeps, with the weights
/// before the update.
///
/// `x` is `[N][D]`, `delta` is `[N][cols]`, `w` is `[R][cols]`, and `masks` are of `N` samples and weights (D, cols). `d_x` is
/// `[ceil(R / 4)][N][4]`.
///
/// A row's result does not depend on other rows, nor on how rows are split among threads.
///
/// # Panics
/// If the shapes do not fit as said, `first` is not a multiple of eight, or the rows are not whole fours without being the last;
/// or if the update's state is not a view of the same rows as `w`.
#[expect(clippy::too_many_arguments, reason = "each is a matrix of the formula")]
pub fn masked_backward<T: Element>(
    isa: Isa,
    x: Panels<'_, T>,
    masks: &WeightBits,
    first: usize,
    delta: Panels<'_, T>,
    w: PanelsMut<'_, T>,
    d_x: Option<&mut [T]>,
    adjust: Adjust<T>,
    update: Update<'_, T>,
) {
    assert_eq!((x.rows(), delta.cols()), (delta.rows(), w.cols()), "samples and columns");
    assert_eq!((masks.samples(), masks.dim()), (x.rows(), (x.cols(), w.cols())), "masks");
    assert!(first % 8 == 0 && first <= x.cols() && w.rows() <= x.cols() - first, "rows from {first} on");
    assert!(w.rows() % FOUR == 0 || first + w.rows() == x.cols(), "whole fours of rows");
    if let Some(d_x) = &d_x {
        assert_eq!(d_x.len(), w.rows().div_ceil(FOUR) * x.rows() * FOUR, "derivatives, four a row of four");
    }
    update.check(&w);
    isa.run(MaskedBackward { rows: Rows { x, masks, first, delta, w }, d_x, adjust, update });
}

/// Rows whose gradients are held together.
const FOUR: usize = 4;

struct MaskedBackward<'a, T> {
    rows: Rows<'a, T>,
    d_x: Option<&'a mut [T]>,
    adjust: Adjust<T>,
    update: Update<'a, T>,
}

impl<T: Element> Op<T> for MaskedBackward<'_, T> {
    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, s: S) {
        let Self { rows, d_x, adjust, update } = self;
        if S::REGISTERS >= 32 {
            with_optimiser(s, adjust, update, Both::<_, 4>(rows, d_x));
        } else {
            with_optimiser(s, adjust, update, Both::<_, 2>(rows, d_x));
        }
    }
}

/// The rows, `Q` vectors at a time, and where the derivatives by the input go, if anywhere.
struct Both<'a, T, const Q: usize>(Rows<'a, T>, Option<&'a mut [T]>);

impl<S: Simd<Elem = T>, T: Element, const Q: usize> WithOptimiser<S> for Both<'_, T, Q> {
    #[inline(always)]
    fn call<R: Optimiser<S>>(self, s: S, optimiser: R) {
        let Self(rows, d_x) = self;
        match d_x {
            Some(d_x) => {
                d_x.fill(T::ZERO);
                rows.run::<S, R, Q, true>(s, optimiser, d_x.as_mut_ptr());
            }
            None => rows.run::<S, R, Q, false>(s, optimiser, std::ptr::null_mut()),
        }
    }
}

struct Rows<'a, T> {
    x: Panels<'a, T>,
    masks: &'a WeightBits,
    first: usize,
    delta: Panels<'a, T>,
    w: PanelsMut<'a, T>,
}

impl<T: Element> Rows<'_, T> {
    /// With `DX`, `d_x` has the elements that [`masked_backward`] says; without, it is not used.
    #[inline(always)]
    fn run<S: Simd<Elem = T>, R: Optimiser<S>, const Q: usize, const DX: bool>(
        self,
        s: S,
        optimiser: R,
        d_x: *mut T,
    ) {
        let Self { x, masks, first, delta, w } = self;
        let samples = x.rows();
        for panel in 0..w.panels() {
            let (word, bit) = (panel * T::PANEL / 64, panel * T::PANEL % 64);
            let mut r = 0;
            while r < w.rows() {
                let (input, count) = (first + r, (w.rows() - r).min(FOUR));
                let mut at = 0;
                while at < T::PANEL {
                    // SAFETY: panel, input and rows are in range, for all matrices; `Q` vectors divide a panel's row. Four
                    // inputs from a multiple of four on lie in one row of a panel of `x` and in one line of the masks, those
                    // past the last as zeros; rows past the last stand in for themselves by the last. `d_x` has four
                    // elements for each sample and four rows. `optimiser` writes where `w` is, in views that were compared
                    // with it.
                    unsafe {
                        let row = |e: usize| w.ptr(panel, r + e.min(count - 1)).add(at);
                        let tile = Tile {
                            x: x.ptr(input / T::PANEL, 0).wrapping_add(input % T::PANEL), // of no samples, nothing is there
                            bits: masks.ptr(word, input, 0),
                            at: bit + at,
                            delta: delta.ptr(panel, 0).wrapping_add(at),
                            samples,
                            w: [row(0), row(1), row(2), row(3)],
                            d_x: if DX { d_x.add(r * samples) } else { d_x },
                        };
                        let gradients = tile.run::<S, Q, DX>(s);
                        for (e, g) in gradients.into_iter().enumerate().take(count) {
                            for (q, g) in g.into_iter().enumerate() {
                                let lane = q * S::LANES;
                                optimiser.apply(s, panel, row(e).add(lane), (r + e) * T::PANEL + at + lane, g);
                            }
                        }
                    }
                    at += Q * S::LANES;
                }
                r += FOUR;
            }
        }
    }
}

/// Four rows, `Q` vectors of each, and all samples.
#[derive(Clone, Copy)]
struct Tile<T> {
    /// The first sample's inputs; the next sample's are a panel's row away.
    x: *const T,
    /// The first sample's masks, the next sample's are eight words away, and the first bit.
    bits: *const u64,
    at: usize,
    /// The first sample's.
    delta: *const T,
    samples: usize,
    w: [*mut T; FOUR],
    /// Four of each sample.
    d_x: *mut T,
}

impl<T: Element> Tile<T> {
    /// The gradients; with `DX`, adds the derivatives by the inputs.
    ///
    /// # Safety
    /// All that is said to be there is, and the bits of `Q` vectors from bit `at` of a word on.
    #[inline(always)]
    unsafe fn run<S: Simd<Elem = T>, const Q: usize, const DX: bool>(self, s: S) -> [[S::V; Q]; FOUR] {
        let mut gradients = [[s.zero(); Q]; FOUR];
        for n in 0..self.samples {
            // SAFETY: the caller's promise.
            unsafe {
                let delta: [S::V; Q] = load(s, self.delta.add(n * T::PANEL));
                let mut sums = [s.zero(); FOUR];
                for (e, g) in gradients.iter_mut().enumerate() {
                    let word = *self.bits.add(8 * n + e);
                    let x = s.splat(*self.x.add(n * T::PANEL + e));
                    for (q, (g, delta)) in g.iter_mut().zip(delta).enumerate() {
                        let mask = s.mask(word, self.at + q * S::LANES);
                        *g = s.fma_where(mask, x, delta, *g);
                        if DX {
                            sums[e] = s.fma_where(mask, s.load(self.w[e].add(q * S::LANES)), delta, sums[e]);
                        }
                    }
                }
                if DX {
                    s.add_sums4(self.d_x.add(FOUR * n), sums);
                }
            }
        }
        gradients
    }
}
