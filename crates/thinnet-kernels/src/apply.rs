//! An update with a gradient that was computed elsewhere.

use crate::adjust::{Adjust, with_optimiser};
use crate::isa::once;
use crate::optimiser::{Optimiser, Update, WithOptimiser};
use crate::simd::{Element, Op, Simd};
use crate::tile::width;
use crate::{Isa, PanelBuf, Panels, PanelsMut};

/// Applies an update to weights `w` whose gradient `g` was computed elsewhere; both `[R][cols]`.
///
/// # Panics
/// If the shapes differ, or those of the update's state.
pub fn apply_update<T: RunApply>(
    isa: Isa,
    w: PanelsMut<'_, T>,
    g: Panels<'_, T>,
    adjust: Adjust<T>,
    update: Update<'_, T>,
) {
    assert_eq!((w.rows(), w.cols()), (g.rows(), g.cols()), "shapes of weights and gradient");
    update.check(&w);
    <T as RunApply>::run(isa, Apply { w, g, adjust, update });
}

pub struct Apply<'a, T> {
    w: PanelsMut<'a, T>,
    g: Panels<'a, T>,
    adjust: Adjust<T>,
    update: Update<'a, T>,
}

once!(RunApply, Apply);

impl<T: Element> Op<T> for Apply<'_, T> {
    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, s: S) {
        let Self { w, g, adjust, update } = self;
        with_optimiser(s, adjust, update, All(w, g));
    }
}

/// Lets `product` store the gradient of `w`, and applies the update after it. If updates were fused into the product,
/// each optimiser would need its own copy of it: a third of a megabyte in total for plain arrays, which few CPUs use.
#[inline(always)]
pub(crate) fn apply_after<S: Simd<Elem = T>, T: Element>(
    s: S,
    mut w: PanelsMut<'_, T>,
    adjust: Adjust<T>,
    update: Update<'_, T>,
    product: impl FnOnce(PanelsMut<'_, T>, Update<'_, T>),
) {
    let mut gradient = PanelBuf::zeros(w.rows(), w.cols());
    product(w.reborrow(), Update::Gradient { gradient: gradient.view_mut() });
    with_optimiser(s, adjust, update, All(w, gradient.view()));
}

/// All rows of `w` with their gradient.
struct All<'a, T>(PanelsMut<'a, T>, Panels<'a, T>);
impl<S: Simd<Elem = T>, T: Element> WithOptimiser<S> for All<'_, T> {
    #[inline(always)]
    fn call<R: Optimiser<S>>(self, s: S, optimiser: R) {
        let Self(w, g) = self;
        for p in 0..w.panels() {
            for r in 0..w.rows() {
                let mut at = r * T::PANEL;
                let end = at + width(&w, p);
                // SAFETY: rows and panels are in range, in both, which have the same shape, and so are whole vectors
                // up to the last column; `check` has compared the views that `optimiser` writes.
                unsafe {
                    let (first, from) = (w.ptr(p, 0), g.ptr(p, 0));
                    while at < end {
                        optimiser.apply(s, p, first.add(at), at, s.load(from.add(at)));
                        at += S::LANES;
                    }
                }
            }
        }
    }
}
