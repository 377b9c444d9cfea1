//! Vectors of four lanes as plain arrays: what runs where no instruction set is known, and what every other instruction
//! set is tested against. Four lanes of `f32` are a register of SSE, NEON and WebAssembly, and compilers find them.

use std::marker::PhantomData;

use crate::simd::{Element, Simd};
use crate::words::Words;

/// Arrays of four `T`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Portable<T>(PhantomData<T>);

macro_rules! lanewise {
    ($name:ident, $op:tt) => {
        #[inline(always)]
        fn $name(self, a: Self::V, b: Self::V) -> Self::V {
            [a[0] $op b[0], a[1] $op b[1], a[2] $op b[2], a[3] $op b[3]]
        }
    };
}

macro_rules! portable {
    ($t:ty) => {
        impl Simd for Portable<$t> {
            type Elem = $t;
            type V = [$t; 4];
            type Mask = [bool; 4];
            type Words = Portable<u32>;
            const LANES: usize = 4;
            const REGISTERS: usize = 16;

            #[inline(always)]
            fn words(self) -> Self::Words {
                Portable(PhantomData)
            }
            #[inline(always)]
            fn zero(self) -> Self::V {
                [<$t>::ZERO; 4]
            }
            #[inline(always)]
            fn splat(self, x: $t) -> Self::V {
                [x; 4]
            }
            lanewise!(add, +);
            lanewise!(sub, -);
            lanewise!(mul, *);
            lanewise!(div, /);
            #[inline(always)]
            fn sqrt(self, a: Self::V) -> Self::V {
                [a[0].sqrt(), a[1].sqrt(), a[2].sqrt(), a[3].sqrt()]
            }
            /// Rounded twice: without the instruction, `mul_add` would be a call for each lane.
            #[inline(always)]
            fn fma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
                self.add(self.mul(a, b), c)
            }
            #[inline(always)]
            fn mask(self, bits: u64, at: usize) -> Self::Mask {
                let bits = bits >> at;
                [bits & 1 != 0, bits & 2 != 0, bits & 4 != 0, bits & 8 != 0]
            }
            #[inline(always)]
            fn fma_where(self, mask: Self::Mask, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
                let b = [0, 1, 2, 3].map(|lane| if mask[lane] { b[lane] } else { 0.0 });
                self.fma(a, b, c)
            }
            #[inline(always)]
            fn signed(self, a: Self::V, b: Self::V) -> Self::V {
                let signed = |a: $t, b: $t| if b == 0.0 { 0.0 } else { a.copysign(b) };
                [signed(a[0], b[0]), signed(a[1], b[1]), signed(a[2], b[2]), signed(a[3], b[3])]
            }
            #[inline(always)]
            fn clamp(self, a: Self::V, limit: Self::V) -> Self::V {
                let clamp = |a: $t, limit: $t| {
                    let below = if a > limit { limit } else { a };
                    if below < -limit { -limit } else { below }
                };
                [clamp(a[0], limit[0]), clamp(a[1], limit[1]), clamp(a[2], limit[2]), clamp(a[3], limit[3])]
            }
            #[inline(always)]
            fn flush(self, a: Self::V) -> Self::V {
                a.map(|a| if a.abs() < <$t>::MIN_POSITIVE { 0.0 } else { a })
            }
            #[inline(always)]
            unsafe fn load(self, p: *const $t) -> Self::V {
                // SAFETY: the caller's promise is for LANES = 4 elements; `[T; 4]` needs no more alignment than `T`.
                unsafe { p.cast::<[$t; 4]>().read() }
            }
            #[inline(always)]
            unsafe fn store(self, p: *mut $t, a: Self::V) {
                // SAFETY: as for `load`.
                unsafe { p.cast::<[$t; 4]>().write(a) }
            }
            #[inline(always)]
            unsafe fn add_sums4(self, p: *mut $t, a: [Self::V; 4]) {
                // SAFETY: the caller's promise is for four elements.
                let out = unsafe { &mut *p.cast::<[$t; 4]>() };
                for (o, v) in out.iter_mut().zip(a) {
                    *o += (v[0] + v[2]) + (v[1] + v[3]);
                }
            }
        }
    };
}
portable!(f32);
portable!(f64);

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
