//! The forward pass of a layer with nothing dropped, whose weights have one row an input unit.

use crate::simd::{Element, Op, Simd, load, store};
use crate::{Isa, Panels, PanelsMut};

/// Samples (N, D), as they lie.
#[derive(Clone, Copy, Debug)]
pub enum Samples<'a, T> {
    /// Row-major, with the number of columns.
    Rows(&'a [T], usize),
    /// In panels.
    Panels(Panels<'a, T>),
}

impl<T: Element> Samples<'_, T> {
    /// Samples and columns; of rows, those that are whole.
    pub fn dim(&self) -> (usize, usize) {
        match *self {
            Self::Rows(rows, cols) => (rows.len().checked_div(cols).unwrap_or(0), cols),
            Self::Panels(panels) => (panels.rows(), panels.cols()),
        }
    }

    /// Where they start, and how far apart lie samples and runs of [`Element::PANEL`] columns.
    fn place(self) -> Place<T> {
        match self {
            Self::Rows(rows, cols) => Place { first: rows.as_ptr(), sample: cols, panel: T::PANEL },
            Self::Panels(panels) => {
                let (first, panel) = panels.into_raw();
                Place { first, sample: T::PANEL, panel }
            }
        }
    }
}

/// `z[n] = bias + sum of x[n][i] * w[i]` over all `i`, in their order.
///
/// `x` is `[N][D]`, `w` is `[D][cols]`, `bias` is `[1][cols]` and `z` is `[N][cols]`. A row of `z` depends on its own sample
/// alone, so any split of the samples gives the same bits.
///
/// # Panics
/// If the shapes do not fit as said.
pub fn dense_axpy<T: Element>(
    isa: Isa,
    x: Samples<'_, T>,
    w: Panels<'_, T>,
    bias: Panels<'_, T>,
    z: PanelsMut<'_, T>,
) {
    assert_eq!(x.dim(), (z.rows(), w.rows()), "samples and columns of the input");
    assert_eq!((w.cols(), bias.rows(), bias.cols()), (z.cols(), 1, z.cols()), "columns of weights and bias");
    isa.run(DenseAxpy { x: x.place(), w, bias, z });
}

#[derive(Clone, Copy)]
struct Place<T> {
    first: *const T,
    sample: usize,
    panel: usize,
}

struct DenseAxpy<'a, T> {
    x: Place<T>,
    w: Panels<'a, T>,
    bias: Panels<'a, T>,
    z: PanelsMut<'a, T>,
}

/// Samples whose sums are held together: times four vectors they fill the registers of AVX-512, times two those of AVX2,
/// with the weights' vectors and a sample's number beside them.
const TALL: usize = 6;

impl<T: Element> Op<T> for DenseAxpy<'_, T> {
    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, s: S) {
        if S::REGISTERS >= 32 { self.run_by::<S, 4>(s) } else { self.run_by::<S, 2>(s) }
    }
}

impl<T: Element> DenseAxpy<'_, T> {
    /// Takes `Q` vectors of a weight row at a time. Weights are gone through in runs of [`Element::PANEL`] rows, 16 KiB of
    /// a panel, which stay in the first-level cache for all samples.
    #[inline(always)]
    fn run_by<S: Simd<Elem = T>, const Q: usize>(self, s: S) {
        let Self { x, w, bias, z } = self;
        for panel in 0..z.panels() {
            for run in 0..w.rows().div_ceil(T::PANEL).max(1) {
                let rows = (w.rows() - run * T::PANEL).min(T::PANEL);
                let mut at = 0;
                while at < T::PANEL {
                    let mut n = 0;
                    while n < z.rows() {
                        let tall = (z.rows() - n).min(TALL);
                        // SAFETY: the panel and the run's rows are there, and so are samples `n` to `n + tall` of `x` and
                        // of `z`, as the shapes were compared; `Q` vectors divide a panel's row.
                        unsafe {
                            let to = z.ptr(panel, n).add(at);
                            let from = if run == 0 {
                                (bias.ptr(panel, 0).add(at), 0)
                            } else {
                                (to.cast_const(), T::PANEL)
                            };
                            let tile = Tile {
                                x: x.first.wrapping_add(run * x.panel + n * x.sample), // of no columns, nothing is there
                                sample: x.sample,
                                w: w.ptr(panel, run * T::PANEL).add(at),
                                rows,
                                from,
                                to,
                            };
                            match tall {
                                TALL => tile.run::<S, Q, TALL>(s),
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
    /// The first sample's numbers for the run, and how far the next sample's are.
    x: *const T,
    sample: usize,
    /// The first weights, and how many rows.
    w: *const T,
    rows: usize,
    /// The sums before, and how far the next sample's are.
    from: (*const T, usize),
    /// The sums after, of the first sample.
    to: *mut T,
}

impl<T: Element> Tile<T> {
    /// # Safety
    /// `N` samples, their sums and the weights are there.
    #[inline(always)]
    unsafe fn run<S: Simd<Elem = T>, const Q: usize, const N: usize>(self, s: S) {
        let mut sums = [[s.zero(); Q]; N];
        // SAFETY: the caller's promise; neighbouring rows of weights and of sums lie PANEL elements apart.
        unsafe {
            for (n, sums) in sums.iter_mut().enumerate() {
                *sums = load(s, self.from.0.add(n * self.from.1));
            }
            for i in 0..self.rows {
                let w: [S::V; Q] = load(s, self.w.add(i * T::PANEL));
                for (n, sums) in sums.iter_mut().enumerate() {
                    let x = s.splat(*self.x.add(n * self.sample + i));
                    for (sum, w) in sums.iter_mut().zip(w) {
                        *sum = s.fma(x, w, *sum);
                    }
                }
            }
            for (n, sums) in sums.into_iter().enumerate() {
                store(s, self.to.add(n * T::PANEL), sums);
            }
        }
    }
}
