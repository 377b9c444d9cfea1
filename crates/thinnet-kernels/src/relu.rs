//! The steps on a layer's sums, and on the derivatives by its outputs, if all units are computed: ReLU with the
//! mask's factors, and its derivative.

use crate::isa::once;
use crate::simd::{Element, Op, Simd};
use crate::tile::{Samples, width};
use crate::{Isa, Panels, PanelsMut};

/// Turns sums into activations, `z = max(z, 0) * factor`, entry by entry; NaN becomes 0. Factors become the
/// derivatives of that by the sum: `factor` if the sum is positive, otherwise 0. Without `drops` every factor counts
/// as 1.
///
/// `z` and `factors` are `[N][cols]`.
///
/// # Panics
/// If the shapes differ.
pub fn relu_forward<T: RunReluForward>(
    isa: Isa,
    z: PanelsMut<'_, T>,
    factors: PanelsMut<'_, T>,
    drops: bool,
) {
    assert!(z.is_like(&factors), "shapes of the sums and of the factors");
    <T as RunReluForward>::run(isa, ReluForward { z, factors, drops });
}

/// `out = d * by`, entry by entry; all `[N][cols]`. Padding of `out` does not change.
///
/// # Panics
/// If the shapes differ.
pub fn multiply<T: RunMultiply>(isa: Isa, d: Samples<'_, T>, by: Panels<'_, T>, out: PanelsMut<'_, T>) {
    assert_eq!(d.dim(), (out.rows(), out.cols()), "shape of the first matrix");
    assert_eq!((by.rows(), by.cols()), (out.rows(), out.cols()), "shape of the second matrix");
    <T as RunMultiply>::run(isa, Multiply { d, by, out });
}

pub struct ReluForward<'a, T> {
    z: PanelsMut<'a, T>,
    factors: PanelsMut<'a, T>,
    drops: bool,
}

once!(RunReluForward, ReluForward);

impl<T: Element> Op<T> for ReluForward<'_, T> {
    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, s: S) {
        let Self { z, factors, drops } = self;
        for panel in 0..z.panels() {
            for n in 0..z.rows() {
                let mut at = 0;
                while at < width(&z, panel) {
                    // SAFETY: panel and row are in range, in both, which have the same shape; a vector at `at` is
                    // within a panel's row.
                    unsafe {
                        let (to, slope) = (z.ptr(panel, n).add(at), factors.ptr(panel, n).add(at));
                        let sum = s.load(to);
                        let factor = if drops { s.load(slope) } else { s.splat(T::ONE) };
                        s.store(to, s.positive(sum, s.mul(sum, factor)));
                        s.store(slope, s.positive(sum, factor));
                    }
                    at += S::LANES;
                }
            }
        }
    }
}

pub struct Multiply<'a, T> {
    d: Samples<'a, T>,
    by: Panels<'a, T>,
    out: PanelsMut<'a, T>,
}

once!(RunMultiply, Multiply);

impl<T: Element> Op<T> for Multiply<'_, T> {
    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, s: S) {
        let Self { d, by, out } = self;
        let d = d.place();
        for panel in 0..out.panels() {
            let cols = width(&out, panel);
            for n in 0..out.rows() {
                // SAFETY: panel and row are in range, in all, which have the same shape; whole vectors are within the
                // row's columns, and the rest is processed one by one, because rows of `d` may end with their last
                // column.
                unsafe {
                    let from = d.first.add(panel * d.panel + n * d.sample);
                    let (by, to) = (by.ptr(panel, n), out.ptr(panel, n));
                    let mut at = 0;
                    while at + S::LANES <= cols {
                        s.store(to.add(at), s.mul(s.load(from.add(at)), s.load(by.add(at))));
                        at += S::LANES;
                    }
                    for at in at..cols {
                        *to.add(at) = *from.add(at) * *by.add(at);
                    }
                }
            }
        }
    }
}
