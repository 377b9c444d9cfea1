//! Vectors of 32-bit words, for arithmetic on bits.

/// One instruction set's vectors of 32-bit words, and a proof of it like [`Simd`](crate::simd::Simd).
pub trait Words: Copy {
    /// A vector of [`Self::LANES`] words.
    type V: Copy;
    /// Words in a vector.
    const LANES: usize;

    /// All lanes `x`.
    fn splat(self, x: u32) -> Self::V;
    /// `a + b`, modulo 2^32.
    fn add(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a ^ b`, rotated left by `BITS` bits; `BACK = 32 - BITS`.
    fn turn<const BITS: i32, const BACK: i32>(self, a: Self::V, b: Self::V) -> Self::V;
    /// Consecutive numbers from `first` in the first lane, modulo 2^32.
    fn count(self, first: u32) -> Self::V;
    /// Writes a vector to the start of `to`.
    ///
    /// # Panics
    /// If there is no space.
    fn store(self, to: &mut [u32], a: Self::V);
}
