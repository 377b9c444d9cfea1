//! Vectors of 32-bit words, for arithmetic on bits.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{
    __m256i, __m512i, _mm256_add_epi32, _mm256_or_si256, _mm256_set1_epi32, _mm256_shuffle_epi8,
    _mm256_slli_epi32, _mm256_srli_epi32, _mm256_storeu_si256, _mm256_xor_si256, _mm512_add_epi32,
    _mm512_rol_epi32, _mm512_set1_epi32, _mm512_storeu_si512, _mm512_xor_si512,
};

use crate::portable::Portable;
#[cfg(target_arch = "x86_64")]
use crate::x86_64::{Avx2, Avx512, Lanes};

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

impl Words for Portable<u32> {
    type V = [u32; 4];
    const LANES: usize = 4;

    #[inline(always)]
    fn splat(self, x: u32) -> Self::V {
        [x; 4]
    }
    #[inline(always)]
    fn add(self, a: Self::V, b: Self::V) -> Self::V {
        [0, 1, 2, 3].map(|lane| a[lane].wrapping_add(b[lane]))
    }
    #[inline(always)]
    fn turn<const BITS: i32, const BACK: i32>(self, a: Self::V, b: Self::V) -> Self::V {
        [0, 1, 2, 3].map(|lane| (a[lane] ^ b[lane]).rotate_left(BITS.unsigned_abs()))
    }
    #[inline(always)]
    fn count(self, first: u32) -> Self::V {
        [0, 1, 2, 3].map(|lane| first.wrapping_add(lane))
    }
    #[inline(always)]
    fn store(self, to: &mut [u32], a: Self::V) {
        to[..4].copy_from_slice(&a);
    }
}

#[cfg(target_arch = "x86_64")]
impl Words for Lanes<Avx2, u32> {
    type V = __m256i;
    const LANES: usize = 8;

    #[inline(always)]
    fn splat(self, x: u32) -> Self::V {
        // SAFETY: `self` is proof that the CPU has the instruction, which touches registers only.
        unsafe { _mm256_set1_epi32(x.cast_signed()) }
    }
    #[inline(always)]
    fn add(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: as for `splat`.
        unsafe { _mm256_add_epi32(a, b) }
    }
    #[inline(always)]
    fn turn<const BITS: i32, const BACK: i32>(self, a: Self::V, b: Self::V) -> Self::V {
        use std::arch::x86_64::_mm_setr_epi8 as bytes;
        use std::arch::x86_64::_mm256_broadcastsi128_si256 as both;
        // SAFETY: as for `splat`.
        unsafe {
            let a = _mm256_xor_si256(a, b);
            match BITS {
                // Whole bytes are moved by one instruction.
                16 => {
                    _mm256_shuffle_epi8(a, both(bytes(2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13)))
                }
                8 => {
                    _mm256_shuffle_epi8(a, both(bytes(3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14)))
                }
                _ => _mm256_or_si256(_mm256_slli_epi32::<BITS>(a), _mm256_srli_epi32::<BACK>(a)),
            }
        }
    }
    #[inline(always)]
    fn count(self, first: u32) -> Self::V {
        use std::arch::x86_64::_mm256_setr_epi32;
        // SAFETY: as for `splat`.
        unsafe { _mm256_add_epi32(self.splat(first), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)) }
    }
    #[inline(always)]
    fn store(self, to: &mut [u32], a: Self::V) {
        // SAFETY: `self` is proof of the instruction, the slice of the memory; alignment is not needed.
        unsafe { _mm256_storeu_si256(to[..8].as_mut_ptr().cast(), a) }
    }
}

#[cfg(target_arch = "x86_64")]
impl Words for Lanes<Avx512, u32> {
    type V = __m512i;
    const LANES: usize = 16;

    #[inline(always)]
    fn splat(self, x: u32) -> Self::V {
        // SAFETY: `self` is proof that the CPU has the instruction, which touches registers only.
        unsafe { _mm512_set1_epi32(x.cast_signed()) }
    }
    #[inline(always)]
    fn add(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: as for `splat`.
        unsafe { _mm512_add_epi32(a, b) }
    }
    #[inline(always)]
    fn turn<const BITS: i32, const BACK: i32>(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: as for `splat`.
        unsafe { _mm512_rol_epi32::<BITS>(_mm512_xor_si512(a, b)) }
    }
    #[inline(always)]
    fn count(self, first: u32) -> Self::V {
        use std::arch::x86_64::_mm512_setr_epi32;
        // SAFETY: as for `splat`.
        unsafe {
            let lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
            _mm512_add_epi32(self.splat(first), lanes)
        }
    }
    #[inline(always)]
    fn store(self, to: &mut [u32], a: Self::V) {
        // SAFETY: `self` is proof of the instruction, the slice of the memory; alignment is not needed.
        unsafe { _mm512_storeu_si512(to[..16].as_mut_ptr().cast(), a) }
    }
}
