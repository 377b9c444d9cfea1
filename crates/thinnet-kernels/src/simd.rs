//! The vector operations for kernels, which are written once for every instruction set and element type.
//!
//! A value of a type that implements [`Simd`] is proof that the CPU has the instructions: on `x86_64` it can only be
//! made from a token that [`Isa`](crate::Isa) returns after checking the CPU. So the arithmetic is safe to call, and
//! only loads and stores, which take raw pointers, are `unsafe`.
//!
//! Everything here is `#[inline(always)]`: a kernel must be compiled inside the one function that carries
//! `#[target_feature]` (see `isa.rs`), or each operation would become a call.

use std::fmt::Debug;
use std::ops::{Add, AddAssign, Div, Mul, Sub};

use crate::words::Words;

/// One instruction set's vectors of one element type.
pub trait Simd: Copy {
    /// The type of a lane.
    type Elem: Element;
    /// A vector of [`Self::LANES`] elements.
    type V: Copy;
    /// Selects lanes.
    type Mask: Copy;
    /// The instruction set's vectors of 32-bit words.
    type Words: Words;
    /// Elements in a vector.
    const LANES: usize;
    /// The number of vector registers, which limits what a kernel can hold without spilling.
    const REGISTERS: usize;
    /// The number of vectors that make up the lanes of a sum ([`Element::SUM_LANES`]); each is a part of them.
    const PARTS: usize = Self::Elem::SUM_LANES / Self::LANES;
    /// Partly added lanes of four sums.
    type Folded: Copy;

    /// The word vectors of this instruction set.
    fn words(self) -> Self::Words;
    /// All lanes zero.
    fn zero(self) -> Self::V;
    /// All lanes `x`.
    fn splat(self, x: Self::Elem) -> Self::V;
    /// `a + b`.
    fn add(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a - b`.
    fn sub(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a * b`.
    fn mul(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a / b`.
    fn div(self, a: Self::V, b: Self::V) -> Self::V;
    /// The square root, correctly rounded.
    fn sqrt(self, a: Self::V) -> Self::V;
    /// `a * b + c`, rounded once if the instruction set can: only then are the bits the same as for other instruction
    /// sets.
    fn fma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// The lanes whose bits are set: lane `l` has bit `at + l` of `bits`. `at + LANES` is at most 64.
    fn mask(self, bits: u64, at: usize) -> Self::Mask;
    /// `a * b + c`, like [`Self::fma`], in the lanes of the mask, and `c` in the others, where `a` must not be NaN or
    /// infinite.
    fn fma_where(self, mask: Self::Mask, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// `a` (not negative) with the sign of `b`, and 0 if `b` is 0.
    fn signed(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a` limited to `-limit..=limit` (`limit` not negative). NaN stays NaN.
    fn clamp(self, a: Self::V, limit: Self::V) -> Self::V;
    /// `b` if `a` is positive, otherwise 0, also if `a` is NaN.
    fn positive(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a`, with 0 instead of denormal numbers: those smaller than the smallest normal one. NaN stays NaN.
    fn flush(self, a: Self::V) -> Self::V;

    /// Reads a vector.
    ///
    /// # Safety
    /// `LANES` elements from `p` on are readable.
    unsafe fn load(self, p: *const Self::Elem) -> Self::V;
    /// Writes a vector.
    ///
    /// # Safety
    /// `LANES` elements from `p` on are writable.
    unsafe fn store(self, p: *mut Self::Elem, a: Self::V);

    /// Folds the lanes of four sums: `a` are those of part `part`, `before` is the result of the parts before it.
    ///
    /// The order is the same for all instruction sets. Lanes are in four groups of 16 bytes: a group's lanes are
    /// added as `(0 + 2) + (1 + 3)` or `0 + 1`, and groups as `(0 + 2) + (1 + 3)`. A sum does not depend on its
    /// position among the four.
    fn fold(self, before: Option<Self::Folded>, part: usize, a: [Self::V; 4]) -> Self::Folded;

    /// Adds the first `count` of four sums, all of whose parts are folded, to `p[..count]`.
    ///
    /// # Safety
    /// `count` elements from `p` on, at most four, are readable and writable.
    unsafe fn add_sums(self, p: *mut Self::Elem, sums: Self::Folded, count: usize);
}

/// An element type: `f32` or `f64`.
///
/// The trait is sealed: no other type can implement it.
pub trait Element:
    Backend
    + Copy
    + Debug
    + Default
    + PartialOrd
    + Send
    + Sync
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + AddAssign
    + 'static
{
    /// Columns of a panel: 256 bytes, for any instruction set, so that stored data do not depend on the CPU.
    const PANEL: usize = PANEL_BYTES / size_of::<Self>();
    /// Lanes in which a sum along a row is kept: 64 bytes, for any instruction set, so that none of its bits depends
    /// on the CPU.
    const SUM_LANES: usize = SUM_BYTES / size_of::<Self>();
    /// Zero.
    const ZERO: Self;
    /// One.
    const ONE: Self;
    /// The nearest value to `x`.
    fn from_f64(x: f64) -> Self;
    /// The value as `f64`.
    fn to_f64(self) -> f64;
}

/// Bytes of one row of a panel.
pub const PANEL_BYTES: usize = 256;
/// Bytes of the lanes of a sum.
const SUM_BYTES: usize = 64;
/// Vectors of one part of the lanes in a row of a panel.
pub(crate) const SPAN: usize = PANEL_BYTES / SUM_BYTES;

impl Element for f32 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
    #[expect(clippy::cast_possible_truncation, reason = "rounding to f32 is intended")]
    fn from_f64(x: f64) -> Self {
        x as f32
    }
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
}

impl Element for f64 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
    fn from_f64(x: f64) -> Self {
        x
    }
    fn to_f64(self) -> f64 {
        self
    }
}

/// `Q` neighbouring vectors.
///
/// # Safety
/// `Q * LANES` elements from `p` on are readable.
#[inline(always)]
pub(crate) unsafe fn load<S: Simd, const Q: usize>(s: S, p: *const S::Elem) -> [S::V; Q] {
    let mut held = [s.zero(); Q];
    for (q, v) in held.iter_mut().enumerate() {
        // SAFETY: guaranteed by the caller.
        *v = unsafe { s.load(p.add(q * S::LANES)) };
    }
    held
}

/// Writes `Q` neighbouring vectors.
///
/// # Safety
/// `Q * LANES` elements from `p` on are writable.
#[inline(always)]
pub(crate) unsafe fn store<S: Simd, const Q: usize>(s: S, p: *mut S::Elem, held: [S::V; Q]) {
    for (q, v) in held.into_iter().enumerate() {
        // SAFETY: guaranteed by the caller.
        unsafe { s.store(p.add(q * S::LANES), v) };
    }
}

/// `p[..count] += four[..count]`.
///
/// # Safety
/// `count` elements from `p` on are readable and writable.
#[inline(always)]
pub(crate) unsafe fn add_first<T: Element>(p: *mut T, four: [T; 4], count: usize) {
    for (e, sum) in four.into_iter().enumerate().take(count) {
        // SAFETY: guaranteed by the caller.
        unsafe { *p.add(e) += sum };
    }
}

/// The vectors of a part of a sum's lanes in a panel's row; `p` is where the part begins.
///
/// # Safety
/// `p` is in the first lanes of a panel's row, and so is a vector from there on; the row is readable.
#[inline(always)]
pub(crate) unsafe fn load_part<S: Simd>(s: S, p: *const S::Elem) -> [S::V; SPAN] {
    let mut held = [s.zero(); SPAN];
    for (q, v) in held.iter_mut().enumerate() {
        // SAFETY: guaranteed by the caller.
        *v = unsafe { s.load(p.add(q * S::Elem::SUM_LANES)) };
    }
    held
}

/// Writes the elements that [`load_part`] reads.
///
/// # Safety
/// As for [`load_part`]; the row is writable.
#[inline(always)]
pub(crate) unsafe fn store_part<S: Simd>(s: S, p: *mut S::Elem, held: [S::V; SPAN]) {
    for (q, v) in held.into_iter().enumerate() {
        // SAFETY: guaranteed by the caller.
        unsafe { s.store(p.add(q * S::Elem::SUM_LANES), v) };
    }
}

/// Prefetches a panel's row at `row`, any address. It changes no result.
#[inline(always)]
pub(crate) fn prefetch<T>(row: *const T) {
    #[cfg(target_arch = "x86_64")]
    for line in 0..PANEL_BYTES / 64 {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: the address may be any, and every `x86_64` has the instruction.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(row.cast::<i8>().wrapping_add(64 * line)) }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = row;
}

/// The vector types of an element type, one for each instruction set. It is in a private module and so seals
/// [`Element`].
pub trait Backend: Sized {
    /// Plain arrays, which the compiler may or may not vectorise.
    type Portable: Simd<Elem = Self> + Default;
    /// The same, with every multiply-add rounded once.
    #[cfg(feature = "portable-fused")]
    type PortableFused: Simd<Elem = Self> + Default;
    /// 256-bit vectors.
    #[cfg(target_arch = "x86_64")]
    type Avx2: Simd<Elem = Self> + From<crate::x86_64::Avx2>;
    /// 512-bit vectors.
    #[cfg(target_arch = "x86_64")]
    type Avx512: Simd<Elem = Self> + From<crate::x86_64::Avx512>;
}

/// A kernel with its arguments, ready to be compiled for an instruction set.
pub trait Op<T: Element> {
    /// Runs it. Implementations are `#[inline(always)]`.
    fn run<S: Simd<Elem = T>>(self, s: S);
}
