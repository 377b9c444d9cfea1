//! The instructions for products of bytes.

#[cfg(target_arch = "x86_64")]
use crate::x86_64::Vnni;

/// Instructions for products of bytes. As with [`Isa`](crate::Isa), a value exists only if the CPU has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteIsa(pub(super) Level);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Vnni(Vnni),
}

impl ByteIsa {
    /// Plain Rust: exact, and slower than floats.
    pub const PORTABLE: Self = Self(Level::Portable);

    /// Instructions with which bytes are faster than floats, if this CPU has them.
    pub fn fast() -> Option<Self> {
        #[cfg(target_arch = "x86_64")]
        return Vnni::new().map(|proof| Self(Level::Vnni(proof)));
        #[cfg(not(target_arch = "x86_64"))]
        None
    }
}
