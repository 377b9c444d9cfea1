//! The backward pass of a layer in which each sample drops its own weights.

use crate::isa::once;
use crate::simd::{Element, Op, SPAN, Simd, load, load_part, store};
use crate::{Isa, Panels, PanelsMut, WeightBits};

/// For each row `r` of `w`, which is input `i = first + r` of the layer: adds the sum of `x[n][i] * delta[n]` over
/// all samples to `gradient[r]`, only with the weights of the row that sample `n` keeps. If `d_x` is requested,
/// `d_x[r / 4][n][r % 4] = dot(w[r], delta[n])`, over the weights that the sample keeps.
///
/// `x` is `[N][D]`, `delta` is `[N][cols]`, `w` and `gradient` are `[R][cols]`, and `masks` are for `N` samples and
/// weights (D, cols). `d_x` is `[ceil(R / 4)][N][4]`.
///
/// A row's result does not depend on other rows, nor on how rows are split among threads; consecutive samples may be
/// added in any number of calls, with the same bits.
///
/// # Panics
/// If the shapes do not match this, or `first` is not a multiple of eight.
#[expect(clippy::too_many_arguments, reason = "each is a matrix of the formula")]
pub fn masked_gradient<T: RunMaskedGradient>(
    isa: Isa,
    x: Panels<'_, T>,
    masks: &WeightBits,
    first: usize,
    delta: Panels<'_, T>,
    w: Panels<'_, T>,
    gradient: PanelsMut<'_, T>,
    d_x: Option<&mut [T]>,
) {
    assert_eq!((x.rows(), delta.cols()), (delta.rows(), w.cols()), "samples and columns");
    assert_eq!((masks.samples(), masks.dim()), (x.rows(), (x.cols(), w.cols())), "masks");
    assert!(
        first.is_multiple_of(8) && first <= x.cols() && w.rows() <= x.cols() - first,
        "rows from {first} on"
    );
    assert_eq!((gradient.rows(), gradient.cols()), (w.rows(), w.cols()), "gradient of the weights");
    if let Some(d_x) = &d_x {
        assert_eq!(d_x.len(), w.rows().next_multiple_of(FOUR) * x.rows(), "derivatives, four of four rows");
    }
    <T as RunMaskedGradient>::run(isa, MaskedGradient { x, masks, first, delta, w, gradient, d_x });
}

/// Rows whose gradients are held together.
const FOUR: usize = 4;

pub struct MaskedGradient<'a, T> {
    x: Panels<'a, T>,
    masks: &'a WeightBits,
    first: usize,
    delta: Panels<'a, T>,
    w: Panels<'a, T>,
    gradient: PanelsMut<'a, T>,
    d_x: Option<&'a mut [T]>,
}

once!(RunMaskedGradient, MaskedGradient);

impl<T: Element> Op<T> for MaskedGradient<'_, T> {
    /// As many vectors of four rows as leave registers for a sample's vectors, a number and a mask.
    #[inline(always)]
    fn run<S: Simd<Elem = T>>(mut self, s: S) {
        let d_x = self.d_x.take();
        match (d_x, S::REGISTERS >= 32 && S::PARTS == 1) {
            (Some(d_x), true) => self.run_by::<S, 4, true>(s, d_x),
            (Some(d_x), false) => self.run_by::<S, 2, true>(s, d_x),
            (None, true) => self.run_by::<S, 4, false>(s, &mut []),
            (None, false) => self.run_by::<S, 2, false>(s, &mut []),
        }
    }
}

impl<T: Element> MaskedGradient<'_, T> {
    /// Processes `Q` vectors at a time. With `DX`, `d_x` is as in [`masked_gradient`]; without, it is not used.
    #[inline(always)]
    fn run_by<S: Simd<Elem = T>, const Q: usize, const DX: bool>(self, s: S, d_x: &mut [T]) {
        let Self { x, masks, first, delta, w, gradient, .. } = self;
        d_x.fill(T::ZERO);
        let (samples, d_x) = (x.rows(), d_x.as_mut_ptr());
        for panel in 0..w.panels() {
            let (word, bit) = (panel * T::PANEL / 64, panel * T::PANEL % 64);
            let mut r = 0;
            while r < w.rows() {
                let (input, count) = (first + r, (w.rows() - r).min(FOUR));
                let mut at = 0;
                while at < T::PANEL {
                    // SAFETY: panel, input and rows are in range, for all matrices; `Q` vectors divide a panel's row.
                    // Four inputs from a multiple of four on are in one row of a panel of `x` and in one line of the
                    // masks, with zeros past the last; for rows past the last of `w` the last is read, and only `d_x`
                    // is written, which has four elements for each sample and four rows.
                    unsafe {
                        let row = |e: usize| w.ptr(panel, r + e.min(count - 1)).add(at);
                        let mut sums = [[s.zero(); Q]; FOUR];
                        for (e, sums) in sums.iter_mut().enumerate().take(count) {
                            *sums = load(s, gradient.ptr(panel, r + e).add(at));
                        }
                        let tile = Tile {
                            x: x.ptr(input / T::PANEL, 0).wrapping_add(input % T::PANEL), // without samples there is no memory
                            bits: masks.ptr(word, input, 0),
                            at: bit + at,
                            delta: delta.ptr(panel, 0).wrapping_add(at),
                            samples,
                            w: [row(0), row(1), row(2), row(3)],
                            d_x: d_x.wrapping_add(r * samples),
                        };
                        if Q == SPAN {
                            tile.add::<S, Q, DX>(s, &mut sums);
                        } else {
                            tile.add::<S, Q, false>(s, &mut sums);
                            if DX && at == 0 {
                                tile.derive(s);
                            }
                        }
                        for (e, sums) in sums.into_iter().enumerate().take(count) {
                            store(s, gradient.ptr(panel, r + e).add(at), sums);
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
    /// The first sample's inputs; the next sample's are one panel row further.
    x: *const T,
    /// The first sample's masks (the next sample's are eight words further), and the first bit.
    bits: *const u64,
    at: usize,
    /// The first sample's derivatives.
    delta: *const T,
    samples: usize,
    w: [*const T; FOUR],
    /// Four for each sample.
    d_x: *mut T,
}

impl<T: Element> Tile<T> {
    /// Adds to the gradients and, with `DX`, to the derivatives by the inputs.
    ///
    /// # Safety
    /// Everything described exists, and so do the bits of `Q` vectors from bit `at` of a word on.
    #[inline(always)]
    unsafe fn add<S: Simd<Elem = T>, const Q: usize, const DX: bool>(
        self,
        s: S,
        gradients: &mut [[S::V; Q]; FOUR],
    ) {
        for n in 0..self.samples {
            // SAFETY: guaranteed by the caller.
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
                    s.add_sums(self.d_x.add(FOUR * n), s.fold(None, 0, sums), FOUR);
                }
            }
        }
    }

    /// Adds only to the derivatives by the inputs, for a tile at the start of a panel's row, in the order of
    /// [`Tile::add`]. This is needed if a sum's lanes are several vectors: then gradients leave too few registers.
    ///
    /// # Safety
    /// Everything described exists, and so do the bits of a panel's row from bit `at` of a word on.
    #[inline(always)]
    unsafe fn derive<S: Simd<Elem = T>>(self, s: S) {
        for n in 0..self.samples {
            let mut folded = None;
            for part in 0..S::PARTS {
                let mut sums = [s.zero(); FOUR];
                // SAFETY: guaranteed by the caller; the vectors of all parts are in a panel's row.
                unsafe {
                    let delta = load_part(s, self.delta.add(n * T::PANEL + part * S::LANES));
                    for (e, sum) in sums.iter_mut().enumerate() {
                        let word = *self.bits.add(8 * n + e);
                        let row = load_part(s, self.w[e].add(part * S::LANES));
                        for (q, (row, delta)) in row.into_iter().zip(delta).enumerate() {
                            let mask = s.mask(word, self.at + part * S::LANES + q * T::SUM_LANES);
                            *sum = s.fma_where(mask, row, delta, *sum);
                        }
                    }
                }
                folded = Some(s.fold(folded, part, sums));
            }
            if let Some(folded) = folded {
                // SAFETY: guaranteed by the caller.
                unsafe { s.add_sums(self.d_x.add(FOUR * n), folded, FOUR) }
            }
        }
    }
}
