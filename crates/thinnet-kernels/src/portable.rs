//! Vectors of 16 bytes as plain arrays: for machines without a known instruction set, and as the reference for tests
//! of all others. They match a register of SSE, NEON and WebAssembly, and compilers recognise them.

use std::marker::PhantomData;

use crate::simd::{Element, Simd, add_first};
use crate::words::Words;

/// Arrays of `T`. With `FUSED` every multiply-add is rounded once, in software if necessary, and arithmetic is not
/// inlined: it is only for comparison and should not double the code to compile. Without `FUSED`, a multiply-add is
/// rounded once only if the build's target has an instruction for it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Portable<T, const FUSED: bool>(PhantomData<T>);

/// Whether the build's target has fused multiply-adds.
pub const TARGET_FUSES: bool = cfg!(any(target_feature = "fma", target_arch = "aarch64"));

macro_rules! lanewise {
    ($inline:meta, $name:ident, $op:tt) => {
        #[$inline]
        fn $name(self, a: Self::V, b: Self::V) -> Self::V {
            let mut out = a;
            for (out, b) in out.iter_mut().zip(b) {
                *out $op b;
            }
            out
        }
    };
}

macro_rules! portable {
    ($t:ty, $lanes:literal, $fused:literal, $inline:meta, $group:expr) => {
        impl Simd for Portable<$t, $fused> {
            type Elem = $t;
            type V = [$t; $lanes];
            type Mask = [bool; $lanes];
            type Words = Portable<u32, $fused>;
            /// For four sums: groups 0 and 2, and groups 1 and 3. A vector is a group.
            type Folded = [[$t; 4]; 2];
            const LANES: usize = $lanes;
            const REGISTERS: usize = 16;

            #[inline(always)]
            fn words(self) -> Self::Words {
                Portable(PhantomData)
            }
            #[inline(always)]
            fn zero(self) -> Self::V {
                [<$t>::ZERO; $lanes]
            }
            #[inline(always)]
            fn splat(self, x: $t) -> Self::V {
                [x; $lanes]
            }
            lanewise!($inline, add, +=);
            lanewise!($inline, sub, -=);
            lanewise!($inline, mul, *=);
            lanewise!($inline, div, /=);
            #[$inline]
            fn sqrt(self, a: Self::V) -> Self::V {
                a.map(<$t>::sqrt)
            }
            /// Without the instruction, `mul_add` would be a call for each lane.
            #[$inline]
            fn fma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
                if !$fused && !TARGET_FUSES {
                    return self.add(self.mul(a, b), c);
                }
                let mut out = c;
                for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
                    *out = a.mul_add(b, *out);
                }
                out
            }
            #[$inline]
            fn mask(self, bits: u64, at: usize) -> Self::Mask {
                std::array::from_fn(|lane| bits >> (at + lane) & 1 != 0)
            }
            #[$inline]
            fn fma_where(self, mask: Self::Mask, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
                let b = std::array::from_fn(|lane| if mask[lane] { b[lane] } else { 0.0 });
                self.fma(a, b, c)
            }
            #[$inline]
            fn signed(self, a: Self::V, b: Self::V) -> Self::V {
                let mut out = a;
                for (out, b) in out.iter_mut().zip(b) {
                    *out = if b == 0.0 { 0.0 } else { out.copysign(b) };
                }
                out
            }
            #[$inline]
            fn clamp(self, a: Self::V, limit: Self::V) -> Self::V {
                let mut out = a;
                for (out, limit) in out.iter_mut().zip(limit) {
                    let (below, least) = (if *out > limit { limit } else { *out }, 0.0 - limit);
                    *out = if below < least { least } else { below };
                }
                out
            }
            #[$inline]
            fn positive(self, a: Self::V, b: Self::V) -> Self::V {
                let mut out = b;
                for (out, a) in out.iter_mut().zip(a) {
                    *out = if a > 0.0 { *out } else { 0.0 };
                }
                out
            }
            #[$inline]
            fn flush(self, a: Self::V) -> Self::V {
                a.map(|a| if a.abs() < <$t>::MIN_POSITIVE { 0.0 } else { a })
            }
            #[inline(always)]
            unsafe fn load(self, p: *const $t) -> Self::V {
                // SAFETY: the caller guarantees LANES elements; an array needs no more alignment than its elements.
                unsafe { p.cast::<Self::V>().read() }
            }
            #[inline(always)]
            unsafe fn store(self, p: *mut $t, a: Self::V) {
                // SAFETY: as for `load`.
                unsafe { p.cast::<Self::V>().write(a) }
            }
            #[$inline]
            fn fold(self, before: Option<Self::Folded>, part: usize, a: [Self::V; 4]) -> Self::Folded {
                let group: fn(Self::V) -> $t = $group;
                let (mut folded, sums) = (before.unwrap_or_default(), a.map(group));
                let half = &mut folded[part % 2];
                if part < 2 {
                    *half = sums;
                } else {
                    for (half, sum) in half.iter_mut().zip(sums) {
                        *half += sum;
                    }
                }
                folded
            }
            #[inline(always)]
            unsafe fn add_sums(self, p: *mut $t, [mut sums, others]: Self::Folded, count: usize) {
                for (sum, other) in sums.iter_mut().zip(others) {
                    *sum += other;
                }
                // SAFETY: guaranteed by the caller.
                unsafe { add_first(p, sums, count) }
            }
        }
    };
}
portable!(f32, 4, false, inline(always), |v| (v[0] + v[2]) + (v[1] + v[3]));
portable!(f64, 2, false, inline(always), |v| v[0] + v[1]);
portable!(f32, 4, true, inline(never), |v| (v[0] + v[2]) + (v[1] + v[3]));
portable!(f64, 2, true, inline(never), |v| v[0] + v[1]);

impl<const FUSED: bool> Words for Portable<u32, FUSED> {
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
