//! What becomes of a gradient between its sum and its update rule, while it is in a register.

use crate::rule::{Rule, Update, WithRule, with_bare_rule};
use crate::simd::{Element, Simd};

/// What a gradient `g` of weights `w` becomes before the update takes it: `factor * (g + l2 * w + l1 * sign(w))`, each entry
/// held to `-limit..=limit`. `sign(0)` is 0, so that zero padding stays zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adjust<T> {
    /// Strength of the L2 term `0.5 * l2 * sum(w^2)`.
    pub l2: T,
    /// Strength of the L1 term `l1 * sum(|w|)`, not negative.
    pub l1: T,
    /// Of the whole gradient, the terms included.
    pub factor: T,
    /// What each entry is held to, not negative; `None` is no bound. NaN stays NaN.
    pub limit: Option<T>,
}

impl<T: Element> Adjust<T> {
    /// The gradient as it is.
    pub const NONE: Self = Self { l2: T::ZERO, l1: T::ZERO, factor: T::ONE, limit: None };

    /// An L2 term alone.
    pub fn l2(l2: T) -> Self {
        Self { l2, ..Self::NONE }
    }

    /// Whether there is anything but an L2 term.
    fn is_more(&self) -> bool {
        self.l1 != T::ZERO || self.factor != T::ONE || self.limit.is_some()
    }
}

/// Calls `then` with the update's rule, which adjusts its gradient first. The choice is made once and outside all loops.
#[inline(always)]
pub(crate) fn with_rule<T: Element, S: Simd<Elem = T>>(
    s: S,
    adjust: Adjust<T>,
    update: Update<'_, T>,
    then: impl WithRule<S>,
) {
    if adjust.is_more() {
        with_bare_rule(s, update, Adjusting(adjust, then));
    } else {
        with_bare_rule(s, update, Regularising(adjust.l2, then));
    }
}

/// Hands on a rule that adjusts its gradient first.
struct Adjusting<T, W>(Adjust<T>, W);

impl<S: Simd, W: WithRule<S>> WithRule<S> for Adjusting<S::Elem, W> {
    #[inline(always)]
    fn call<R: Rule<S>>(self, s: S, rule: R) {
        let Self(Adjust { l2, l1, factor, limit }, then) = self;
        let limit = limit.unwrap_or(S::Elem::from_f64(f64::INFINITY));
        then.call(s, Adjusted { l2, l1, factor, limit, rule });
    }
}

/// The same for an L2 term alone.
struct Regularising<T, W>(T, W);

impl<S: Simd, W: WithRule<S>> WithRule<S> for Regularising<S::Elem, W> {
    #[inline(always)]
    fn call<R: Rule<S>>(self, s: S, rule: R) {
        self.1.call(s, Regularised { reg: self.0, rule });
    }
}

/// A rule that is given its gradient with the L2 term.
#[derive(Clone, Copy)]
struct Regularised<T, R> {
    reg: T,
    rule: R,
}

impl<S: Simd, R: Rule<S>> Rule<S> for Regularised<S::Elem, R> {
    #[inline(always)]
    unsafe fn apply(&self, s: S, panel: usize, w: *mut S::Elem, at: usize, g: S::V) {
        // SAFETY: the caller's promise.
        unsafe {
            let g = s.fma(s.splat(self.reg), s.load(w), g);
            self.rule.apply(s, panel, w, at, g);
        }
    }
}

/// A rule that is given its gradient as [`Adjust`] says.
#[derive(Clone, Copy)]
struct Adjusted<T, R> {
    l2: T,
    l1: T,
    factor: T,
    limit: T,
    rule: R,
}

impl<S: Simd, R: Rule<S>> Rule<S> for Adjusted<S::Elem, R> {
    #[inline(always)]
    unsafe fn apply(&self, s: S, panel: usize, w: *mut S::Elem, at: usize, g: S::V) {
        // SAFETY: the caller's promise.
        unsafe {
            let old = s.load(w);
            let g = s.add(s.fma(s.splat(self.l2), old, g), s.signed(s.splat(self.l1), old));
            let g = s.clamp(s.mul(s.splat(self.factor), g), s.splat(self.limit));
            self.rule.apply(s, panel, w, at, g);
        }
    }
}
