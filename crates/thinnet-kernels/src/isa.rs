//! The instruction set of a kernel, chosen at run time.

use std::fmt;

use crate::portable::{Portable, TARGET_FUSES};
#[cfg(target_arch = "x86_64")]
use crate::simd::Simd;
use crate::simd::{Backend, Element, Op};
#[cfg(target_arch = "x86_64")]
use crate::x86_64::{Avx2, Avx512, Lanes};

/// An instruction set that this CPU has.
///
/// A value exists only if the CPU has the instruction set. Every kernel takes one, so none can run on a CPU without
/// it.
///
/// ```
/// use thinnet_kernels::Isa;
///
/// let best = Isa::detect();
/// assert_eq!(Isa::available().next(), Some(best));
/// assert_eq!(Isa::by_name("portable"), Some(Isa::PORTABLE));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Isa(Level);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Portable,
    #[cfg(feature = "portable-fused")]
    PortableFused,
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
}

impl Isa {
    /// Plain Rust, for every CPU.
    pub const PORTABLE: Self = Self(Level::Portable);

    /// Plain Rust with every multiply-add rounded once, as in AVX2 and AVX-512: it gives their bits on any machine,
    /// but is slow if the build's target has no such instruction. It is never chosen automatically; only tests
    /// request it.
    #[cfg(feature = "portable-fused")]
    pub const PORTABLE_FUSED: Self = Self(Level::PortableFused);

    /// The names of all instruction sets to choose from, the widest first, whether or not this CPU has them.
    pub const NAMES: [&'static str; 3] = ["avx512", "avx2", "portable"];

    /// The widest one that this CPU has.
    pub fn detect() -> Self {
        Self::available().next().unwrap_or(Self::PORTABLE)
    }

    /// All instruction sets of this CPU, the widest first; [`Isa::PORTABLE`] is always the last.
    pub fn available() -> impl Iterator<Item = Self> {
        Self::NAMES.into_iter().filter_map(Self::by_name)
    }

    /// All instruction sets of this CPU that round each multiply-add once: they give the same bits.
    pub fn fused() -> impl Iterator<Item = Self> {
        let fuses = |isa: &Self| *isa != Self::PORTABLE || TARGET_FUSES;
        #[cfg(feature = "portable-fused")]
        let more = [Self::PORTABLE_FUSED];
        #[cfg(not(feature = "portable-fused"))]
        let more = [];
        Self::available().chain(more).filter(fuses)
    }

    /// The instruction set with this name (see [`Isa::NAMES`]; with the feature `portable-fused`, that name works
    /// too), or `None` if there is none or this CPU lacks it.
    pub fn by_name(name: &str) -> Option<Self> {
        match name {
            #[cfg(target_arch = "x86_64")]
            "avx512" => Avx512::new().map(|proof| Self(Level::Avx512(proof))),
            #[cfg(target_arch = "x86_64")]
            "avx2" => Avx2::new().map(|proof| Self(Level::Avx2(proof))),
            "portable" => Some(Self::PORTABLE),
            #[cfg(feature = "portable-fused")]
            "portable-fused" => Some(Self::PORTABLE_FUSED),
            _ => None,
        }
    }

    /// Its name, for [`Isa::by_name`].
    pub fn name(self) -> &'static str {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512(_) => "avx512",
            #[cfg(target_arch = "x86_64")]
            Level::Avx2(_) => "avx2",
            Level::Portable => "portable",
            #[cfg(feature = "portable-fused")]
            Level::PortableFused => "portable-fused",
        }
    }

    /// Runs a kernel, compiled for this instruction set.
    pub(crate) fn run<T: Element, O: Op<T>>(self, op: O) {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the token is proof of the features that `avx512` enables.
            Level::Avx512(proof) => unsafe { avx512(T::Avx512::from(proof), op) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the token is proof of the features that `avx2` enables.
            Level::Avx2(proof) => unsafe { avx2(T::Avx2::from(proof), op) },
            Level::Portable => op.run(T::Portable::default()),
            #[cfg(feature = "portable-fused")]
            Level::PortableFused => op.run(T::PortableFused::default()),
        }
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Here a kernel is combined with its instructions: everything below is inlined into this function.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")]
fn avx512<S: Simd, O: Op<S::Elem>>(s: S, op: O) {
    op.run(s);
}

/// As [`avx512`], for AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn avx2<S: Simd, O: Op<S::Elem>>(s: S, op: O) {
    op.run(s);
}

/// Defines the trait of element types for which the kernel `$op` is compiled: in this crate, once per type, and not
/// again in each crate that calls it.
macro_rules! once {
    ($run:ident, $op:ident) => {
        #[doc = concat!("Element types that have the kernel `", stringify!($op), "`.")]
        pub trait $run: crate::Element {
            /// Runs it.
            fn run(isa: crate::Isa, op: $op<'_, Self>);
        }
        crate::isa::once!($run, $op, f32);
        crate::isa::once!($run, $op, f64);
    };
    ($run:ident, $op:ident, $t:ty) => {
        impl $run for $t {
            fn run(isa: crate::Isa, op: $op<'_, Self>) {
                isa.run(op);
            }
        }
    };
}
pub(crate) use once;

macro_rules! backend {
    ($t:ty) => {
        impl Backend for $t {
            type Portable = Portable<$t, false>;
            #[cfg(feature = "portable-fused")]
            type PortableFused = Portable<$t, true>;
            #[cfg(target_arch = "x86_64")]
            type Avx2 = Lanes<Avx2, $t>;
            #[cfg(target_arch = "x86_64")]
            type Avx512 = Lanes<Avx512, $t>;
        }
    };
}
backend!(f32);
backend!(f64);
