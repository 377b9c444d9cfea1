//! The optimisers, applied to a vector of weights while its gradient is still in a register.

use crate::PanelsMut;
use crate::simd::{Element, Simd};

/// What is done with a gradient `g` of weights `w`: an optimiser with its state, or storing the gradient itself.
///
/// State (`velocity`, `cache`, `m`, `v`) has the shape of the weights, is zero before the first step, and must be a
/// view of the same rows. All of them leave zero padding zero. State that becomes denormal is set to 0: if a gradient
/// stays 0 it would stay denormal, and each sum with it is many times slower.
#[derive(Debug)]
pub enum Update<'a, T> {
    /// `gradient = g`; the weights do not change.
    Gradient {
        /// Where to write the gradient.
        gradient: PanelsMut<'a, T>,
    },
    /// `w -= learning_rate * g`.
    Sgd {
        /// The learning rate.
        learning_rate: T,
    },
    /// `velocity = momentum * velocity - learning_rate * g; w += velocity`, or with Nesterov's gradient
    /// `w += momentum * velocity - learning_rate * g`.
    Momentum {
        /// The learning rate.
        learning_rate: T,
        /// The share of the velocity that is kept, 0 to 1.
        momentum: T,
        /// Whether to use Nesterov's gradient.
        nesterov: bool,
        /// The velocity.
        velocity: PanelsMut<'a, T>,
    },
    /// `cache = decay * cache + (1 - decay) * g^2; w -= learning_rate * g / (sqrt(cache) + epsilon)`.
    RmsProp {
        /// The learning rate.
        learning_rate: T,
        /// The decay rate of the cache, 0 to 1.
        decay: T,
        /// Avoids division by zero.
        epsilon: T,
        /// The moving average of squared gradients.
        cache: PanelsMut<'a, T>,
    },
    /// `m = beta1 * m + (1 - beta1) * g; v = beta2 * v + (1 - beta2) * g^2;
    /// w -= learning_rate * (m / (1 - beta1^step)) / (sqrt(v / (1 - beta2^step)) + epsilon)`.
    Adam {
        /// The learning rate.
        learning_rate: T,
        /// The decay rate of the first moment, 0 to 1.
        beta1: T,
        /// The decay rate of the second moment, 0 to 1.
        beta2: T,
        /// Avoids division by zero.
        epsilon: T,
        /// The number of updates, including this one: 1 for the first.
        step: u32,
        /// The moving average of gradients.
        m: PanelsMut<'a, T>,
        /// The moving average of squared gradients.
        v: PanelsMut<'a, T>,
    },
    /// Adam with decoupled weight decay (Loshchilov and Hutter, "Decoupled Weight Decay Regularization", ICLR 2019,
    /// algorithm 2): `w = keep * w`, then Adam's update, whose moments do not include the decay. `keep = 1 -
    /// learning_rate * weight_decay` is computed in 64 bits and rounded once; `g` is the gradient before the decay.
    AdamW {
        /// The learning rate.
        learning_rate: T,
        /// The weight decay for a learning rate of 1, not negative.
        weight_decay: T,
        /// The decay rate of the first moment, 0 to 1.
        beta1: T,
        /// The decay rate of the second moment, 0 to 1.
        beta2: T,
        /// Avoids division by zero.
        epsilon: T,
        /// The number of updates, including this one: 1 for the first.
        step: u32,
        /// The moving average of gradients.
        m: PanelsMut<'a, T>,
        /// The moving average of squared gradients.
        v: PanelsMut<'a, T>,
    },
}

impl<T: Element> Update<'_, T> {
    /// Panics unless the state's views are of the same rows as `w`.
    pub(crate) fn check(&self, w: &PanelsMut<'_, T>) {
        let like = match self {
            Self::Sgd { .. } => true,
            Self::Gradient { gradient: a }
            | Self::Momentum { velocity: a, .. }
            | Self::RmsProp { cache: a, .. } => w.is_like(a),
            Self::Adam { m, v, .. } | Self::AdamW { m, v, .. } => w.is_like(m) && w.is_like(v),
        };
        assert!(like, "weights and the update's state are not of the same rows");
    }
}

/// An optimiser with its constants and pointers to its state.
pub(crate) trait Optimiser<S: Simd>: Copy {
    /// Updates the vector of weights at `w` with its gradient `g`; its position is `at` elements into panel `panel`
    /// of the view.
    ///
    /// # Safety
    /// A vector can be read and written at `w`, and so can the state that belongs to it.
    unsafe fn apply(&self, s: S, panel: usize, w: *mut S::Elem, at: usize, g: S::V);
}

/// An action with any optimiser: a generic closure.
pub(crate) trait WithOptimiser<S: Simd> {
    fn call<R: Optimiser<S>>(self, s: S, optimiser: R);
}

/// Calls `then` with the update's optimiser, which uses gradients unchanged.
#[inline(always)]
pub(crate) fn with_bare_optimiser<T: Element, S: Simd<Elem = T>>(
    s: S,
    update: Update<'_, T>,
    then: impl WithOptimiser<S>,
) {
    match update {
        Update::Gradient { gradient } => then.call(s, Gradient { to: Place::of(gradient) }),
        Update::Sgd { learning_rate } => then.call(s, Sgd { lr: learning_rate }),
        Update::Momentum { learning_rate: lr, momentum: mu, nesterov: false, velocity } => {
            then.call(s, Momentum::<T, false> { lr, mu, velocity: Place::of(velocity) });
        }
        Update::Momentum { learning_rate: lr, momentum: mu, nesterov: true, velocity } => {
            then.call(s, Momentum::<T, true> { lr, mu, velocity: Place::of(velocity) });
        }
        Update::RmsProp { learning_rate, decay, epsilon, cache } => {
            let keep = [decay, T::ONE - decay];
            then.call(s, RmsProp { lr: learning_rate, keep, epsilon, cache: Place::of(cache) });
        }
        Update::Adam { learning_rate, beta1, beta2, epsilon, step, m, v } => {
            then.call(s, Adam::new(learning_rate, [beta1, beta2], epsilon, step, [m, v]));
        }
        Update::AdamW { learning_rate, weight_decay, beta1, beta2, epsilon, step, m, v } => {
            let keep = T::from_f64(1.0 - learning_rate.to_f64() * weight_decay.to_f64());
            let adam = Adam::new(learning_rate, [beta1, beta2], epsilon, step, [m, v]);
            then.call(s, AdamW { keep, adam });
        }
    }
}

/// The start of the panels of a view's rows.
#[derive(Clone, Copy)]
struct Place<T> {
    first: *mut T,
    panel: usize,
}

impl<T: Element> Place<T> {
    #[inline(always)]
    fn of(view: PanelsMut<'_, T>) -> Self {
        let (first, panel) = view.into_raw();
        Self { first, panel }
    }

    /// # Safety
    /// The place is within the view.
    #[inline(always)]
    unsafe fn at(&self, panel: usize, at: usize) -> *mut T {
        // SAFETY: guaranteed by the caller.
        unsafe { self.first.add(panel * self.panel + at) }
    }
}

#[derive(Clone, Copy)]
struct Gradient<T> {
    to: Place<T>,
}

impl<S: Simd> Optimiser<S> for Gradient<S::Elem> {
    #[inline(always)]
    unsafe fn apply(&self, s: S, panel: usize, _: *mut S::Elem, at: usize, g: S::V) {
        // SAFETY: guaranteed by the caller.
        unsafe { s.store(self.to.at(panel, at), g) }
    }
}

#[derive(Clone, Copy)]
struct Sgd<T> {
    lr: T,
}

impl<S: Simd> Optimiser<S> for Sgd<S::Elem> {
    #[inline(always)]
    unsafe fn apply(&self, s: S, _: usize, w: *mut S::Elem, _: usize, g: S::V) {
        // SAFETY: guaranteed by the caller.
        unsafe {
            s.store(w, s.sub(s.load(w), s.mul(s.splat(self.lr), g)));
        }
    }
}

#[derive(Clone, Copy)]
struct Momentum<T, const NESTEROV: bool> {
    lr: T,
    mu: T,
    velocity: Place<T>,
}

impl<S: Simd, const NESTEROV: bool> Optimiser<S> for Momentum<S::Elem, NESTEROV> {
    #[inline(always)]
    unsafe fn apply(&self, s: S, panel: usize, w: *mut S::Elem, at: usize, g: S::V) {
        // SAFETY: guaranteed by the caller.
        unsafe {
            let (old, velocity) = (s.load(w), self.velocity.at(panel, at));
            let (mu, step) = (s.splat(self.mu), s.mul(s.splat(self.lr), g));
            let v = s.flush(s.sub(s.mul(mu, s.load(velocity)), step));
            s.store(velocity, v);
            s.store(w, s.add(old, if NESTEROV { s.sub(s.mul(mu, v), step) } else { v }));
        }
    }
}

#[derive(Clone, Copy)]
struct RmsProp<T> {
    lr: T,
    /// The decay rate, and 1 minus it.
    keep: [T; 2],
    epsilon: T,
    cache: Place<T>,
}

impl<S: Simd> Optimiser<S> for RmsProp<S::Elem> {
    #[inline(always)]
    unsafe fn apply(&self, s: S, panel: usize, w: *mut S::Elem, at: usize, g: S::V) {
        // SAFETY: guaranteed by the caller.
        unsafe {
            let (old, cache) = (s.load(w), self.cache.at(panel, at));
            let fresh = s.mul(s.mul(s.splat(self.keep[1]), g), g);
            let c = s.flush(s.fma(s.splat(self.keep[0]), s.load(cache), fresh));
            s.store(cache, c);
            let step = s.div(s.mul(s.splat(self.lr), g), s.add(s.sqrt(c), s.splat(self.epsilon)));
            s.store(w, s.sub(old, step));
        }
    }
}

#[derive(Clone, Copy)]
struct Adam<T> {
    /// The learning rate and epsilon, including the corrections for the moments' start at zero.
    lr: T,
    epsilon: T,
    /// The first decay rate, and 1 minus it.
    b1: [T; 2],
    /// The second decay rate, and the root of 1 minus it.
    b2: [T; 2],
    m: Place<T>,
    v: Place<T>,
}

impl<T: Element> Adam<T> {
    /// `lr (m / c1) / (sqrt(v / c2) + epsilon)`, with everything that is the same for all weights computed
    /// beforehand: `(lr sqrt(c2) / c1) m / (sqrt(v) + epsilon sqrt(c2))`.
    #[inline(always)]
    fn new(lr: T, [beta1, beta2]: [T; 2], epsilon: T, step: u32, [m, v]: [PanelsMut<'_, T>; 2]) -> Self {
        let left = |beta: T| 1.0 - beta.to_f64().powf(f64::from(step.max(1)));
        let root = left(beta2).sqrt();
        Self {
            lr: T::from_f64(lr.to_f64() * root / left(beta1)),
            epsilon: T::from_f64(epsilon.to_f64() * root),
            b1: [beta1, T::from_f64(1.0 - beta1.to_f64())],
            b2: [beta2, T::from_f64((1.0 - beta2.to_f64()).sqrt())],
            m: Place::of(m),
            v: Place::of(v),
        }
    }

    /// Updates the moments, and returns what to subtract from the weights.
    ///
    /// # Safety
    /// The moments can be read and written at that place.
    #[inline(always)]
    unsafe fn step<S: Simd<Elem = T>>(&self, s: S, panel: usize, at: usize, g: S::V) -> S::V {
        // SAFETY: guaranteed by the caller.
        unsafe {
            let (m_at, v_at) = (self.m.at(panel, at), self.v.at(panel, at));
            let m = s.flush(s.fma(s.splat(self.b1[0]), s.load(m_at), s.mul(s.splat(self.b1[1]), g)));
            let scaled = s.mul(s.splat(self.b2[1]), g);
            let v = s.flush(s.fma(scaled, scaled, s.mul(s.splat(self.b2[0]), s.load(v_at))));
            s.store(m_at, m);
            s.store(v_at, v);
            s.div(s.mul(s.splat(self.lr), m), s.add(s.sqrt(v), s.splat(self.epsilon)))
        }
    }
}

impl<S: Simd> Optimiser<S> for Adam<S::Elem> {
    #[inline(always)]
    unsafe fn apply(&self, s: S, panel: usize, w: *mut S::Elem, at: usize, g: S::V) {
        // SAFETY: guaranteed by the caller.
        unsafe {
            let old = s.load(w);
            s.store(w, s.sub(old, self.step(s, panel, at, g)));
        }
    }
}

#[derive(Clone, Copy)]
struct AdamW<T> {
    /// The factor on a weight from the decay.
    keep: T,
    adam: Adam<T>,
}

impl<S: Simd> Optimiser<S> for AdamW<S::Elem> {
    #[inline(always)]
    unsafe fn apply(&self, s: S, panel: usize, w: *mut S::Elem, at: usize, g: S::V) {
        // SAFETY: guaranteed by the caller.
        unsafe {
            let kept = s.mul(s.splat(self.keep), s.load(w));
            s.store(w, s.sub(kept, self.adam.step(s, panel, at, g)));
        }
    }
}
