//! Vectors of 32-bit words, for arithmetic on bits.

/// One instruction set's vectors of 32-bit words, with a proof of it as [`Simd`](crate::simd::Simd) is.
pub trait Words: Copy {
    /// A vector of [`Self::LANES`] words.
    type V: Copy;
    /// Words in a vector.
    const LANES: usize;

    /// All lanes `x`.
    fn splat(self, x: u32) -> Self::V;
    /// `a + b`, modulo 2^32.
    fn add(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a ^ b`, turned `BITS` bits to the left and `BACK = 32 - BITS` to the right.
    fn turn<const BITS: i32, const BACK: i32>(self, a: Self::V, b: Self::V) -> Self::V;
    /// The first lane's number, counted on from lane to lane, modulo 2^32.
    fn count(self, first: u32) -> Self::V;
    /// Writes a vector to the start of `to`.
    ///
    /// # Panics
    /// If it has no room.
    fn store(self, to: &mut [u32], a: Self::V);
}
