//! 512-bit vectors: AVX-512 F, DQ, BW and VL.

#[allow(clippy::wildcard_imports, reason = "an instruction set's intrinsics")]
use std::arch::x86_64::*;

use super::{Avx512, Lanes, intrinsics, transfers};
use crate::simd::Simd;
use crate::words::Words;

/// The mask of the first `count` lanes, at most four.
#[inline(always)]
fn first(count: usize) -> __mmask8 {
    debug_assert!(count <= 4);
    0b1111 >> (4 - count)
}

impl Simd for Lanes<Avx512, f32> {
    type Elem = f32;
    type V = __m512;
    /// The sums: there is only one part.
    type Folded = __m128;
    type Mask = __mmask16;
    type Words = Lanes<Avx512, u32>;
    const LANES: usize = 16;
    const REGISTERS: usize = 32;

    intrinsics! {
        zero() = _mm512_setzero_ps;
        add(a, b) = _mm512_add_ps;
        sub(a, b) = _mm512_sub_ps;
        mul(a, b) = _mm512_mul_ps;
        div(a, b) = _mm512_div_ps;
        sqrt(a) = _mm512_sqrt_ps;
        fma(a, b, c) = _mm512_fmadd_ps;
    }
    transfers!(f32, _mm512_set1_ps, _mm512_loadu_ps, _mm512_storeu_ps);

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "as many bits as lanes")]
    fn mask(self, bits: u64, at: usize) -> Self::Mask {
        (bits >> at) as u16
    }
    #[inline(always)]
    fn fma_where(self, mask: Self::Mask, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        // SAFETY: as for `signed`.
        unsafe { _mm512_mask3_fmadd_ps(a, b, c, mask) }
    }
    #[inline(always)]
    fn signed(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: `self` is proof that the CPU has the instructions, which touch registers only.
        unsafe {
            let sign = _mm512_and_ps(b, _mm512_set1_ps(-0.0));
            let some = _mm512_cmp_ps_mask::<_CMP_NEQ_UQ>(b, _mm512_setzero_ps());
            _mm512_maskz_or_ps(some, a, sign)
        }
    }
    #[inline(always)]
    fn clamp(self, a: Self::V, limit: Self::V) -> Self::V {
        // SAFETY: as for `signed`. Both instructions return their second argument if one is NaN.
        unsafe {
            let least = _mm512_sub_ps(_mm512_setzero_ps(), limit);
            _mm512_max_ps(least, _mm512_min_ps(limit, a))
        }
    }

    #[inline(always)]
    fn positive(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: as for `signed`.
        unsafe { _mm512_maskz_mov_ps(_mm512_cmp_ps_mask::<_CMP_GT_OQ>(a, _mm512_setzero_ps()), b) }
    }

    #[inline(always)]
    fn flush(self, a: Self::V) -> Self::V {
        // SAFETY: as for `signed`.
        unsafe {
            let least = _mm512_set1_ps(f32::MIN_POSITIVE);
            let normal = _mm512_cmp_ps_mask::<_CMP_NLT_UQ>(_mm512_abs_ps(a), least);
            _mm512_maskz_mov_ps(normal, a)
        }
    }

    #[inline(always)]
    fn fold(self, _: Option<Self::Folded>, _: usize, [a, b, c, d]: [Self::V; 4]) -> Self::Folded {
        // SAFETY: as for `signed`.
        unsafe {
            // In each 128-bit lane: ab = a0+a2 b0+b2 a1+a3 b1+b3, then all = a b c d.
            let ab = _mm512_add_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
            let cd = _mm512_add_ps(_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
            let all = _mm512_add_ps(
                _mm512_shuffle_ps::<0b01_00_01_00>(ab, cd),
                _mm512_shuffle_ps::<0b11_10_11_10>(ab, cd),
            );
            let half = _mm256_add_ps(_mm512_castps512_ps256(all), _mm512_extractf32x8_ps::<1>(all));
            _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps::<1>(half))
        }
    }
    #[inline(always)]
    unsafe fn add_sums(self, p: *mut f32, sums: Self::Folded, count: usize) {
        // SAFETY: `self` is proof of the instructions, and the caller guarantees the elements at `p`.
        unsafe {
            let first = first(count);
            _mm_mask_storeu_ps(p, first, _mm_add_ps(_mm_maskz_loadu_ps(first, p), sums));
        }
    }
}

impl Simd for Lanes<Avx512, f64> {
    type Elem = f64;
    type V = __m512d;
    /// The sums: there is only one part.
    type Folded = __m256d;
    type Mask = __mmask8;
    type Words = Lanes<Avx512, u32>;
    const LANES: usize = 8;
    const REGISTERS: usize = 32;

    intrinsics! {
        zero() = _mm512_setzero_pd;
        add(a, b) = _mm512_add_pd;
        sub(a, b) = _mm512_sub_pd;
        mul(a, b) = _mm512_mul_pd;
        div(a, b) = _mm512_div_pd;
        sqrt(a) = _mm512_sqrt_pd;
        fma(a, b, c) = _mm512_fmadd_pd;
    }
    transfers!(f64, _mm512_set1_pd, _mm512_loadu_pd, _mm512_storeu_pd);

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "as many bits as lanes")]
    fn mask(self, bits: u64, at: usize) -> Self::Mask {
        (bits >> at) as u8
    }
    #[inline(always)]
    fn fma_where(self, mask: Self::Mask, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        // SAFETY: as for `signed`.
        unsafe { _mm512_mask3_fmadd_pd(a, b, c, mask) }
    }
    #[inline(always)]
    fn signed(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: `self` is proof that the CPU has the instructions, which touch registers only.
        unsafe {
            let sign = _mm512_and_pd(b, _mm512_set1_pd(-0.0));
            let some = _mm512_cmp_pd_mask::<_CMP_NEQ_UQ>(b, _mm512_setzero_pd());
            _mm512_maskz_or_pd(some, a, sign)
        }
    }
    #[inline(always)]
    fn clamp(self, a: Self::V, limit: Self::V) -> Self::V {
        // SAFETY: as for `signed`. Both instructions return their second argument if one is NaN.
        unsafe {
            let least = _mm512_sub_pd(_mm512_setzero_pd(), limit);
            _mm512_max_pd(least, _mm512_min_pd(limit, a))
        }
    }

    #[inline(always)]
    fn positive(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: as for `signed`.
        unsafe { _mm512_maskz_mov_pd(_mm512_cmp_pd_mask::<_CMP_GT_OQ>(a, _mm512_setzero_pd()), b) }
    }

    #[inline(always)]
    fn flush(self, a: Self::V) -> Self::V {
        // SAFETY: as for `signed`.
        unsafe {
            let least = _mm512_set1_pd(f64::MIN_POSITIVE);
            let normal = _mm512_cmp_pd_mask::<_CMP_NLT_UQ>(_mm512_abs_pd(a), least);
            _mm512_maskz_mov_pd(normal, a)
        }
    }

    #[inline(always)]
    fn fold(self, _: Option<Self::Folded>, _: usize, [a, b, c, d]: [Self::V; 4]) -> Self::Folded {
        // SAFETY: as for `signed`.
        unsafe {
            // In each 128-bit lane: ab = a0+a1 b0+b1; then the upper half is folded onto the lower.
            let ab = _mm512_add_pd(_mm512_unpacklo_pd(a, b), _mm512_unpackhi_pd(a, b));
            let cd = _mm512_add_pd(_mm512_unpacklo_pd(c, d), _mm512_unpackhi_pd(c, d));
            let ab = _mm256_add_pd(_mm512_castpd512_pd256(ab), _mm512_extractf64x4_pd::<1>(ab));
            let cd = _mm256_add_pd(_mm512_castpd512_pd256(cd), _mm512_extractf64x4_pd::<1>(cd));
            _mm256_add_pd(_mm256_permute2f128_pd::<0x20>(ab, cd), _mm256_permute2f128_pd::<0x31>(ab, cd))
        }
    }
    #[inline(always)]
    unsafe fn add_sums(self, p: *mut f64, sums: Self::Folded, count: usize) {
        // SAFETY: `self` is proof of the instructions, and the caller guarantees the elements at `p`.
        unsafe {
            let first = first(count);
            _mm256_mask_storeu_pd(p, first, _mm256_add_pd(_mm256_maskz_loadu_pd(first, p), sums));
        }
    }
}

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
