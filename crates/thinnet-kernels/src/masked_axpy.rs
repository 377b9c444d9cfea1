//! The forward pass of a layer in which each sample drops its own weights.

use crate::isa::once;
use crate::simd::{Element, Op, Simd, load, store};
use crate::{Isa, Panels, PanelsMut, WeightBits};

/// `z[n] = bias + scale * (sum of x[n][i] * w[i] over all i, in order)`, only with the weights that sample `first +
/// n` keeps.
///
/// `x` is `[N][D]`, `w` is `[D][cols]`, `bias` is `[1][cols]` and `z` is `[N][cols]`; `masks` are for weights (D,
/// cols) and for at least `first + N` samples. A row of `z` depends only on its own sample, so any split of the
/// samples gives the same bits.
///
/// # Panics
/// If the shapes do not match this.
#[expect(clippy::too_many_arguments, reason = "each is a matrix or number of the formula")]
pub fn masked_axpy<T: RunMaskedAxpy>(
    isa: Isa,
    x: Panels<'_, T>,
    masks: &WeightBits,
    first: usize,
    w: Panels<'_, T>,
    scale: T,
    bias: Panels<'_, T>,
    z: PanelsMut<'_, T>,
) {
    assert_eq!((x.rows(), x.cols()), (z.rows(), w.rows()), "samples and columns of the input");
    assert_eq!((w.cols(), bias.rows(), bias.cols()), (z.cols(), 1, z.cols()), "columns of weights and bias");
    assert_eq!(masks.dim(), (w.rows(), w.cols()), "weights of the masks");
    assert!(first <= masks.samples() && z.rows() <= masks.samples() - first, "samples of the masks");
    <T as RunMaskedAxpy>::run(isa, MaskedAxpy { x, masks, first, w, scale, bias, z });
}

pub struct MaskedAxpy<'a, T> {
    x: Panels<'a, T>,
    masks: &'a WeightBits,
    first: usize,
    w: Panels<'a, T>,
    scale: T,
    bias: Panels<'a, T>,
    z: PanelsMut<'a, T>,
}

once!(RunMaskedAxpy, MaskedAxpy);

impl<T: Element> Op<T> for MaskedAxpy<'_, T> {
    /// As many samples' sums as leave registers for a weight row's vectors, a number and a mask.
    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, s: S) {
        if S::REGISTERS >= 32 { self.run_by::<S, 4, 6>(s) } else { self.run_by::<S, 2, 4>(s) }
    }
}

impl<T: Element> MaskedAxpy<'_, T> {
    /// Processes `Q` vectors of a weight row and `TALL` samples at a time. Weights are processed in runs of
    /// [`Element::PANEL`] rows, 16 KiB of a panel, which stay in the first-level cache for all samples.
    #[inline(always)]
    fn run_by<S: Simd<Elem = T>, const Q: usize, const TALL: usize>(self, s: S) {
        let Self { x, masks, first, w, scale, bias, mut z } = self;
        if w.rows() == 0 {
            for panel in 0..z.panels() {
                (0..z.rows()).for_each(|n| z.row_mut(panel, n).copy_from_slice(bias.row(panel, 0)));
            }
            return;
        }
        let runs = w.rows().div_ceil(T::PANEL);
        for panel in 0..z.panels() {
            let (word, bit) = (panel * T::PANEL / 64, panel * T::PANEL % 64);
            for run in 0..runs {
                let rows = (w.rows() - run * T::PANEL).min(T::PANEL);
                let mut at = 0;
                while at < T::PANEL {
                    let mut n = 0;
                    while n < z.rows() {
                        let tall = (z.rows() - n).min(TALL);
                        // SAFETY: the panel and the run's rows exist, and so do samples `n` to `n + tall` of `x`, of
                        // `z` and, from `first` on, of the masks, since the shapes were compared; `Q` vectors divide
                        // a panel's row, which has no more bits than a word.
                        unsafe {
                            let tile = Tile {
                                x: x.ptr(run, n),
                                bits: masks.ptr(word, run * T::PANEL, first + n),
                                line: 8 * masks.samples(),
                                at: bit + at,
                                w: w.ptr(panel, run * T::PANEL).add(at),
                                rows,
                                start: run == 0,
                                end: (run + 1 == runs).then(|| (scale, bias.ptr(panel, 0).add(at))),
                                z: z.ptr(panel, n).add(at),
                            };
                            match tall {
                                6 => tile.run::<S, Q, 6>(s),
                                5 => tile.run::<S, Q, 5>(s),
                                4 => tile.run::<S, Q, 4>(s),
                                3 => tile.run::<S, Q, 3>(s),
                                2 => tile.run::<S, Q, 2>(s),
                                _ => tile.run::<S, Q, 1>(s),
                            }
                        }
                        n += tall;
                    }
                    at += Q * S::LANES;
                }
            }
        }
    }
}

/// Some samples times a run of weight rows.
#[derive(Clone, Copy)]
struct Tile<T> {
    /// The first sample's numbers for the run; the next sample's are one panel row further.
    x: *const T,
    /// The first sample's masks for the run, the distance to those of the next eight inputs, and the first bit.
    bits: *const u64,
    line: usize,
    at: usize,
    /// The first weights, and the number of rows.
    w: *const T,
    rows: usize,
    /// Whether these are the first inputs.
    start: bool,
    /// With the last inputs: the factor and the bias.
    end: Option<(T, *const T)>,
    /// The sums of the first sample.
    z: *mut T,
}

impl<T: Element> Tile<T> {
    /// # Safety
    /// `N` samples, their masks, their sums and the weights exist, and so do the bits of `Q` vectors from bit `at` of
    /// a word on.
    #[inline(always)]
    unsafe fn run<S: Simd<Elem = T>, const Q: usize, const N: usize>(self, s: S) {
        let mut sums = [[s.zero(); Q]; N];
        // SAFETY: guaranteed by the caller; neighbouring rows of weights and of sums lie PANEL elements apart.
        unsafe {
            if !self.start {
                for (n, sums) in sums.iter_mut().enumerate() {
                    *sums = load(s, self.z.add(n * T::PANEL));
                }
            }
            let mut i = 0;
            while i < self.rows {
                let bits = self.bits.add(i / 8 * self.line);
                for input in 0..(self.rows - i).min(8) {
                    let w: [S::V; Q] = load(s, self.w.add((i + input) * T::PANEL));
                    for (n, sums) in sums.iter_mut().enumerate() {
                        let word = *bits.add(8 * n + input);
                        let x = s.splat(*self.x.add(n * T::PANEL + i + input));
                        for (q, (sum, w)) in sums.iter_mut().zip(w).enumerate() {
                            *sum = s.fma_where(s.mask(word, self.at + q * S::LANES), x, w, *sum);
                        }
                    }
                }
                i += 8;
            }
            for (n, mut sums) in sums.into_iter().enumerate() {
                if let Some((scale, bias)) = self.end {
                    let bias: [S::V; Q] = load(s, bias);
                    for (sum, bias) in sums.iter_mut().zip(bias) {
                        *sum = s.fma(s.splat(scale), *sum, bias);
                    }
                }
                store(s, self.z.add(n * T::PANEL), sums);
            }
        }
    }
}
