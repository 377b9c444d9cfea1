//! The instruction sets of `x86_64`, one file for each.

mod avx2;
mod avx512;

use std::marker::PhantomData;

/// Proof that the CPU has AVX2 and FMA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Avx2(());

impl Avx2 {
    /// The proof, if the CPU has the instructions.
    pub fn new() -> Option<Self> {
        (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")).then_some(Self(()))
    }
}

/// Proof that the CPU has AVX-512 F, DQ, BW and VL (and AVX2 and FMA, which every such CPU has).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Avx512(());

impl Avx512 {
    /// The proof, if the CPU has the instructions.
    pub fn new() -> Option<Self> {
        (Avx2::new().is_some()
            && is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vl"))
        .then_some(Self(()))
    }
}

/// Proof that the CPU has AVX-512 with products of bytes (VNNI).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vnni(());

impl Vnni {
    /// The proof, if the CPU has the instructions.
    pub fn new() -> Option<Self> {
        (Avx512::new().is_some() && is_x86_feature_detected!("avx512vnni")).then_some(Self(()))
    }
}

/// Vectors of `T` of the instruction set that the token `K` proves.
#[derive(Clone, Copy, Debug)]
pub struct Lanes<K, T>(K, PhantomData<T>);

impl<K, T> From<K> for Lanes<K, T> {
    #[inline(always)]
    fn from(proof: K) -> Self {
        Self(proof, PhantomData)
    }
}

/// Methods that are one intrinsic each.
macro_rules! intrinsics {
    ($($name:ident($($arg:ident),*) = $intrinsic:ident;)*) => {$(
        #[inline(always)]
        fn $name(self, $($arg: Self::V),*) -> Self::V {
            // SAFETY: `self` is proof that the CPU has the instruction, which touches registers only.
            unsafe { $intrinsic($($arg),*) }
        }
    )*};
}
use intrinsics;

/// The methods with arguments or results other than vectors.
macro_rules! transfers {
    ($t:ty, $set1:ident, $loadu:ident, $storeu:ident) => {
        #[inline(always)]
        fn words(self) -> Self::Words {
            Self::Words::from(self.0)
        }
        #[inline(always)]
        fn splat(self, x: $t) -> Self::V {
            // SAFETY: `self` is proof that the CPU has the instruction, which touches registers only.
            unsafe { $set1(x) }
        }
        #[inline(always)]
        unsafe fn load(self, p: *const $t) -> Self::V {
            // SAFETY: `self` is proof of the instruction, the caller guarantees the memory; alignment is not needed.
            unsafe { $loadu(p) }
        }
        #[inline(always)]
        unsafe fn store(self, p: *mut $t, a: Self::V) {
            // SAFETY: as for `load`.
            unsafe { $storeu(p, a) }
        }
    };
}
use transfers;
