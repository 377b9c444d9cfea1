//! How a gradient is changed between its sum and the optimiser, while it is in a register.

use crate::optimiser::{Optimiser, Update, WithOptimiser, with_bare_optimiser};
use crate::simd::{Element, Simd};

/// The change of a gradient `g` of weights `w` before the update uses it: `factor * (g + l2 * w + l1 * sign(w))`,
/// with each entry limited to `-limit..=limit`. `sign(0)` is 0, so that zero padding stays zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adjust<T> {
    /// Strength of the L2 term `0.5 * l2 * sum(w^2)`.
    pub l2: T,
    /// Strength of the L1 term `l1 * sum(|w|)`, not negative.
    pub l1: T,
    /// Factor on the whole gradient, including the terms.
    pub factor: T,
    /// The limit of each entry, not negative; `None` means no limit. NaN stays NaN.
    pub limit: Option<T>,
}

impl<T: Element> Adjust<T> {
    /// The unchanged gradient.
    pub const NONE: Self = Self { l2: T::ZERO, l1: T::ZERO, factor: T::ONE, limit: None };

    /// Only an L2 term.
    pub fn l2(l2: T) -> Self {
        Self { l2, ..Self::NONE }
    }

    /// Whether there is more than an L2 term.
    fn is_more(&self) -> bool {
        self.l1 != T::ZERO || self.factor != T::ONE || self.limit.is_some()
    }
}

/// Calls `then` with the update's optimiser, which first adjusts its gradient. The choice is made once, outside all
/// loops.
#[inline(always)]
pub(crate) fn with_optimiser<T: Element, S: Simd<Elem = T>>(
    s: S,
    adjust: Adjust<T>,
    update: Update<'_, T>,
    then: impl WithOptimiser<S>,
) {
    if adjust.is_more() {
        with_bare_optimiser(s, update, Adjusting(adjust, then));
    } else {
        with_bare_optimiser(s, update, Regularising(adjust.l2, then));
    }
}

/// Passes on an optimiser that first adjusts its gradient.
struct Adjusting<T, W>(Adjust<T>, W);

impl<S: Simd, W: WithOptimiser<S>> WithOptimiser<S> for Adjusting<S::Elem, W> {
    #[inline(always)]
    fn call<R: Optimiser<S>>(self, s: S, optimiser: R) {
        let Self(Adjust { l2, l1, factor, limit }, then) = self;
        let limit = limit.unwrap_or(S::Elem::from_f64(f64::INFINITY));
        then.call(s, Adjusted { l2, l1, factor, limit, optimiser });
    }
}

/// The same for only an L2 term.
struct Regularising<T, W>(T, W);

impl<S: Simd, W: WithOptimiser<S>> WithOptimiser<S> for Regularising<S::Elem, W> {
    #[inline(always)]
    fn call<R: Optimiser<S>>(self, s: S, optimiser: R) {
        self.1.call(s, Regularised { reg: self.0, optimiser });
    }
}

/// An optimiser that receives its gradient with the L2 term.
#[derive(Clone, Copy)]
struct Regularised<T, R> {
    reg: T,
    optimiser: R,
}

impl<S: Simd, R: Optimiser<S>> Optimiser<S> for Regularised<S::Elem, R> {
    #[inline(always)]
    unsafe fn apply(&self, s: S, panel: usize, w: *mut S::Elem, at: usize, g: S::V) {
        // SAFETY: guaranteed by the caller.
        unsafe {
            let g = s.fma(s.splat(self.reg), s.load(w), g);
            self.optimiser.apply(s, panel, w, at, g);
        }
    }
}

/// An optimiser that receives its gradient as changed by [`Adjust`].
#[derive(Clone, Copy)]
struct Adjusted<T, R> {
    l2: T,
    l1: T,
    factor: T,
    limit: T,
    optimiser: R,
}

impl<S: Simd, R: Optimiser<S>> Optimiser<S> for Adjusted<S::Elem, R> {
    #[inline(always)]
    unsafe fn apply(&self, s: S, panel: usize, w: *mut S::Elem, at: usize, g: S::V) {
        // SAFETY: guaranteed by the caller.
        unsafe {
            let old = s.load(w);
            let g = s.add(s.fma(s.splat(self.l2), old, g), s.signed(s.splat(self.l1), old));
            let g = s.clamp(s.mul(s.splat(self.factor), g), s.splat(self.limit));
            self.optimiser.apply(s, panel, w, at, g);
        }
    }
}
