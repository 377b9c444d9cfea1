//! The forward pass of a layer without dropout, whose weights have one row per input unit.

use crate::isa::once;
use crate::simd::{Element, Op, Simd, load, store};
use crate::tile::{Ends, Place, Samples, TALL, Tile, by_width, width};
use crate::{Isa, Panels, PanelsMut};

/// `z[n] = bias + sum of x[n][i] * w[i]` over all `i`, in order.
///
/// `x` is `[N][D]`, `w` is `[D][cols]`, `bias` is `[1][cols]` and `z` is `[N][cols]`. A row of `z` depends only on
/// its own sample, so any split of the samples gives the same bits. Padding of `z` does not change.
///
/// # Panics
/// If the shapes do not match this.
pub fn dense_axpy<T: RunDenseAxpy>(
    isa: Isa,
    x: Samples<'_, T>,
    w: Panels<'_, T>,
    bias: Panels<'_, T>,
    z: PanelsMut<'_, T>,
) {
    assert_eq!(x.dim(), (z.rows(), w.rows()), "samples and columns of the input");
    assert_eq!((w.cols(), bias.rows(), bias.cols()), (z.cols(), 1, z.cols()), "columns of weights and bias");
    <T as RunDenseAxpy>::run(isa, DenseAxpy { x: x.place(), w, bias, z });
}

pub struct DenseAxpy<'a, T> {
    x: Place<T>,
    w: Panels<'a, T>,
    bias: Panels<'a, T>,
    z: PanelsMut<'a, T>,
}

once!(RunDenseAxpy, DenseAxpy);

impl<T: Element> Op<T> for DenseAxpy<'_, T> {
    /// Weights are processed in runs of [`Element::PANEL`] rows, 16 KiB of a panel, which stay in the first-level
    /// cache for all samples.
    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, s: S) {
        let Self { x, w, bias, z } = self;
        for panel in 0..z.panels() {
            for run in 0..w.rows().div_ceil(T::PANEL).max(1) {
                let count = (w.rows() - run * T::PANEL).min(T::PANEL);
                by_width!(S, width(&z, panel), |WIDE, at| {
                    let mut n = 0;
                    while n < z.rows() {
                        let tall = (z.rows() - n).min(TALL);
                        // SAFETY: the panel and the run's rows exist, and so do samples `n` to `n + tall` of `x` and
                        // of `z`, since the shapes were compared; `WIDE` vectors from `at` on are in a panel's row.
                        unsafe {
                            let to = z.ptr(panel, n).add(at);
                            let tile = Tile {
                                numbers: x.first.wrapping_add(run * x.panel + n * x.sample), // without columns there is no memory
                                across: x.sample,
                                along: 1,
                                w: w.ptr(panel, run * T::PANEL).add(at),
                                count,
                            };
                            let from = if run == 0 {
                                (bias.ptr(panel, 0).add(at), 0)
                            } else {
                                (to.cast_const(), T::PANEL)
                            };
                            tile.run::<S, WIDE>(s, tall, &Sums { from, to });
                        }
                        n += tall;
                    }
                });
            }
        }
    }
}

/// The sums so far, with the distance to the next sample's, and the destination of the new sums.
struct Sums<T> {
    from: (*const T, usize),
    to: *mut T,
}

impl<S: Simd<Elem = T>, T: Element> Ends<S> for Sums<T> {
    #[inline(always)]
    unsafe fn before<const Q: usize>(&self, s: S, n: usize) -> [S::V; Q] {
        // SAFETY: guaranteed by the caller.
        unsafe { load(s, self.from.0.add(n * self.from.1)) }
    }

    #[inline(always)]
    unsafe fn after<const Q: usize>(&self, s: S, n: usize, sums: [S::V; Q]) {
        // SAFETY: guaranteed by the caller.
        unsafe { store(s, self.to.add(n * T::PANEL), sums) }
    }
}
