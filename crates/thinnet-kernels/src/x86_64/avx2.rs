//! 256-bit vectors: AVX2 and FMA.

#[allow(clippy::wildcard_imports, reason = "an instruction set's intrinsics")]
use std::arch::x86_64::*;

use super::{Avx2, Lanes, intrinsics, transfers};
use crate::simd::{Simd, add_first};
use crate::words::Words;

impl Simd for Lanes<Avx2, f32> {
    type Elem = f32;
    type V = __m256;
    /// Sums by group: of lanes 0 to 3 in the lower half, of 4 to 7 in the upper; then also of 8 to 11 and of 12 to
    /// 15.
    type Folded = __m256;
    /// All bits of a lane, or none.
    type Mask = __m256;
    type Words = Lanes<Avx2, u32>;
    const LANES: usize = 8;
    const REGISTERS: usize = 16;

    intrinsics! {
        zero() = _mm256_setzero_ps;
        add(a, b) = _mm256_add_ps;
        sub(a, b) = _mm256_sub_ps;
        mul(a, b) = _mm256_mul_ps;
        div(a, b) = _mm256_div_ps;
        sqrt(a) = _mm256_sqrt_ps;
        fma(a, b, c) = _mm256_fmadd_ps;
    }
    transfers!(f32, _mm256_set1_ps, _mm256_loadu_ps, _mm256_storeu_ps);

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "bits")]
    fn mask(self, bits: u64, at: usize) -> Self::Mask {
        // SAFETY: as for `signed`.
        unsafe {
            let each = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
            let own = _mm256_and_si256(_mm256_set1_epi32((bits >> at) as i32), each);
            _mm256_castsi256_ps(_mm256_cmpeq_epi32(own, each))
        }
    }
    #[inline(always)]
    fn fma_where(self, mask: Self::Mask, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        // SAFETY: as for `signed`.
        unsafe { _mm256_fmadd_ps(a, _mm256_and_ps(mask, b), c) }
    }
    #[inline(always)]
    fn signed(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: `self` is proof that the CPU has the instructions, which touch registers only.
        unsafe {
            let sign = _mm256_and_ps(b, _mm256_set1_ps(-0.0));
            let some = _mm256_cmp_ps::<_CMP_NEQ_UQ>(b, _mm256_setzero_ps());
            _mm256_and_ps(some, _mm256_or_ps(a, sign))
        }
    }
    #[inline(always)]
    fn clamp(self, a: Self::V, limit: Self::V) -> Self::V {
        // SAFETY: as for `signed`. Both instructions return their second argument if one is NaN.
        unsafe {
            let least = _mm256_sub_ps(_mm256_setzero_ps(), limit);
            _mm256_max_ps(least, _mm256_min_ps(limit, a))
        }
    }

    #[inline(always)]
    fn positive(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: as for `signed`.
        unsafe { _mm256_and_ps(_mm256_cmp_ps::<_CMP_GT_OQ>(a, _mm256_setzero_ps()), b) }
    }

    #[inline(always)]
    fn flush(self, a: Self::V) -> Self::V {
        // SAFETY: as for `signed`.
        unsafe {
            let size = _mm256_andnot_ps(_mm256_set1_ps(-0.0), a);
            let normal = _mm256_cmp_ps::<_CMP_NLT_UQ>(size, _mm256_set1_ps(f32::MIN_POSITIVE));
            _mm256_and_ps(normal, a)
        }
    }

    #[inline(always)]
    fn fold(self, before: Option<Self::Folded>, _: usize, [a, b, c, d]: [Self::V; 4]) -> Self::Folded {
        // SAFETY: as for `signed`.
        unsafe {
            // In each 128-bit lane: ab = a0+a2 b0+b2 a1+a3 b1+b3, then all = a b c d.
            let ab = _mm256_add_ps(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
            let cd = _mm256_add_ps(_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
            let all = _mm256_add_ps(
                _mm256_shuffle_ps::<0b01_00_01_00>(ab, cd),
                _mm256_shuffle_ps::<0b11_10_11_10>(ab, cd),
            );
            match before {
                Some(before) => _mm256_add_ps(before, all),
                None => all,
            }
        }
    }
    #[inline(always)]
    unsafe fn add_sums(self, p: *mut f32, sums: Self::Folded, count: usize) {
        // SAFETY: `self` is proof of the instructions, and the caller guarantees the elements at `p`.
        unsafe {
            let sums = _mm_add_ps(_mm256_castps256_ps128(sums), _mm256_extractf128_ps::<1>(sums));
            if count == 4 {
                return _mm_storeu_ps(p, _mm_add_ps(_mm_loadu_ps(p), sums));
            }
            let mut four = [0.0; 4];
            _mm_storeu_ps(four.as_mut_ptr(), sums);
            add_first(p, four, count);
        }
    }
}

impl Simd for Lanes<Avx2, f64> {
    type Elem = f64;
    type V = __m256d;
    /// By group, as for `f32`, for two sums each.
    type Folded = [__m256d; 2];
    /// All bits of a lane, or none.
    type Mask = __m256d;
    type Words = Lanes<Avx2, u32>;
    const LANES: usize = 4;
    const REGISTERS: usize = 16;

    intrinsics! {
        zero() = _mm256_setzero_pd;
        add(a, b) = _mm256_add_pd;
        sub(a, b) = _mm256_sub_pd;
        mul(a, b) = _mm256_mul_pd;
        div(a, b) = _mm256_div_pd;
        sqrt(a) = _mm256_sqrt_pd;
        fma(a, b, c) = _mm256_fmadd_pd;
    }
    transfers!(f64, _mm256_set1_pd, _mm256_loadu_pd, _mm256_storeu_pd);

    #[inline(always)]
    #[expect(clippy::cast_possible_wrap, reason = "bits")]
    fn mask(self, bits: u64, at: usize) -> Self::Mask {
        // SAFETY: as for `signed`.
        unsafe {
            let each = _mm256_setr_epi64x(1, 2, 4, 8);
            let own = _mm256_and_si256(_mm256_set1_epi64x((bits >> at) as i64), each);
            _mm256_castsi256_pd(_mm256_cmpeq_epi64(own, each))
        }
    }
    #[inline(always)]
    fn fma_where(self, mask: Self::Mask, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        // SAFETY: as for `signed`.
        unsafe { _mm256_fmadd_pd(a, _mm256_and_pd(mask, b), c) }
    }
    #[inline(always)]
    fn signed(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: `self` is proof that the CPU has the instructions, which touch registers only.
        unsafe {
            let sign = _mm256_and_pd(b, _mm256_set1_pd(-0.0));
            let some = _mm256_cmp_pd::<_CMP_NEQ_UQ>(b, _mm256_setzero_pd());
            _mm256_and_pd(some, _mm256_or_pd(a, sign))
        }
    }
    #[inline(always)]
    fn clamp(self, a: Self::V, limit: Self::V) -> Self::V {
        // SAFETY: as for `signed`. Both instructions return their second argument if one is NaN.
        unsafe {
            let least = _mm256_sub_pd(_mm256_setzero_pd(), limit);
            _mm256_max_pd(least, _mm256_min_pd(limit, a))
        }
    }

    #[inline(always)]
    fn positive(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: as for `signed`.
        unsafe { _mm256_and_pd(_mm256_cmp_pd::<_CMP_GT_OQ>(a, _mm256_setzero_pd()), b) }
    }

    #[inline(always)]
    fn flush(self, a: Self::V) -> Self::V {
        // SAFETY: as for `signed`.
        unsafe {
            let size = _mm256_andnot_pd(_mm256_set1_pd(-0.0), a);
            let normal = _mm256_cmp_pd::<_CMP_NLT_UQ>(size, _mm256_set1_pd(f64::MIN_POSITIVE));
            _mm256_and_pd(normal, a)
        }
    }

    #[inline(always)]
    fn fold(self, before: Option<Self::Folded>, _: usize, [a, b, c, d]: [Self::V; 4]) -> Self::Folded {
        // SAFETY: as for `signed`.
        unsafe {
            // ab = a0+a1 b0+b1 a2+a3 b2+b3.
            let ab = _mm256_add_pd(_mm256_unpacklo_pd(a, b), _mm256_unpackhi_pd(a, b));
            let cd = _mm256_add_pd(_mm256_unpacklo_pd(c, d), _mm256_unpackhi_pd(c, d));
            match before {
                Some(before) => [_mm256_add_pd(before[0], ab), _mm256_add_pd(before[1], cd)],
                None => [ab, cd],
            }
        }
    }
    #[inline(always)]
    unsafe fn add_sums(self, p: *mut f64, [ab, cd]: Self::Folded, count: usize) {
        // SAFETY: `self` is proof of the instructions, and the caller guarantees the elements at `p`.
        unsafe {
            let sums =
                _mm256_add_pd(_mm256_permute2f128_pd::<0x20>(ab, cd), _mm256_permute2f128_pd::<0x31>(ab, cd));
            if count == 4 {
                return _mm256_storeu_pd(p, _mm256_add_pd(_mm256_loadu_pd(p), sums));
            }
            let mut four = [0.0; 4];
            _mm256_storeu_pd(four.as_mut_ptr(), sums);
            add_first(p, four, count);
        }
    }
}

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
        // SAFETY: as for `splat`.
        unsafe {
            let a = _mm256_xor_si256(a, b);
            match BITS {
                // One instruction moves whole bytes.
                16 => _mm256_shuffle_epi8(
                    a,
                    _mm256_broadcastsi128_si256(_mm_setr_epi8(
                        2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13,
                    )),
                ),
                8 => _mm256_shuffle_epi8(
                    a,
                    _mm256_broadcastsi128_si256(_mm_setr_epi8(
                        3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14,
                    )),
                ),
                _ => _mm256_or_si256(_mm256_slli_epi32::<BITS>(a), _mm256_srli_epi32::<BACK>(a)),
            }
        }
    }
    #[inline(always)]
    fn count(self, first: u32) -> Self::V {
        // SAFETY: as for `splat`.
        unsafe { _mm256_add_epi32(self.splat(first), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)) }
    }
    #[inline(always)]
    fn store(self, to: &mut [u32], a: Self::V) {
        // SAFETY: `self` is proof of the instruction, the slice of the memory; alignment is not needed.
        unsafe { _mm256_storeu_si256(to[..8].as_mut_ptr().cast(), a) }
    }
}
