//! Products of weight rows with bytes: the scores of images, at twice the rate of floats.
//!
//! An image's pixels are bytes, so they can be used without loss. A weight row is rounded to 15 bits and a sign,
//! relative to its largest weight: `w = scale * (128 * high + low)` with `high` and `low` in one byte each. The
//! product then has only whole numbers, and is exact in any order and on any machine. CPUs with AVX-512 VNNI compute
//! 64 of its terms in an instruction, compared with 16 of floats; two planes of weights make that twice the rate.
//!
//! Rounding the weights causes an error of about `scale * |x| / sqrt(12)` in a sum over `x`
//! ([`ByteWeights::deviation`]): small enough for a decision that is not close. Callers compute close ones again, in
//! floats.

mod dot;
mod isa;
mod rows;
#[cfg(target_arch = "x86_64")]
mod vnni;
mod weights;

pub use dot::byte_dot;
pub use isa::ByteIsa;
pub use rows::{ByteRows, squared_distances};
pub use weights::ByteWeights;
