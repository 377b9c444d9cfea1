//! Products of weight rows with bytes: the scores of images, at twice the rate of floats.
//!
//! An image's pixels are bytes, so nothing is lost in taking them as they are. A weight row is rounded to 15 bits and a
//! sign, of its greatest weight: `w = scale * (128 * high + low)` with `high` and `low` in a byte each. The product is then
//! one of whole numbers, exact in any order and on any machine, and CPUs with AVX-512 VNNI take 64 of its terms in an
//! instruction where they take 16 of floats; two planes of weights make that twice the rate.
//!
//! Rounding the weights leaves an error of about `scale * |x| / sqrt(12)` in a sum over `x` ([`ByteWeights::deviation`]):
//! enough for a decision that is not a close one. Who uses it computes close ones again, in floats.

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
