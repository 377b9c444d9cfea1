//! The SIMD kernels of thinnet: products over what dropout keeps.
//!
//! Dropout multiplies most of a layer's output by zero. Instead of a mask, these kernels take [`Lists`] of the
//! samples that keep each unit, and compute only those entries; others cost nothing. They read and write slices and
//! views. Each runs on one thread, over the rows in its views, and callers split rows among threads
//! ([`PanelsMut::split_at`], [`Panels::slice`], [`ListsView::slice`]). Every number is summed in an order that does
//! not depend on the split, so any number of threads gives the same bits.
//!
//! # The layout
//!
//! A matrix is stored in panels ([`PanelBuf`]): `[ceil(cols / PANEL)][rows][PANEL]`, 256 bytes per row of a panel,
//! padded with zeros and aligned to cache lines. A kernel's loops are, from outermost to innermost: panels; blocks of
//! samples; weight rows; the samples listed for the row. So weights and their state are read once, in order, while a
//! block of samples' panel (about 24 KiB) stays in the first-level cache for random access; a row's panel is four
//! vectors of AVX-512, and stays in registers for all its samples.
//!
//! # The kernels
//!
//! | | computes | is |
//! |---|---|---|
//! | [`listed_dot`] | `dot(w[r], y[n])` for listed `(r, n)` | forward, one weight row per output; gradient by the
//! input |
//! | [`listed_update`] | `w[r]` updated with `sum of a * y[n]` over listed `n` | weight gradient and update |
//! | [`listed_axpy`] | `z[n] = b + sum of a * w[i]` over listed `i` | forward, one weight row per input, sparse input
//! |
//! | [`listed_backward`] | both of the first two | backward, one weight row per input |
//! | [`dense_dot`] | `dot(w[r], x[n])` for all | forward without dropout, one weight row per output |
//! | [`dense_axpy()`] | `z[n] = b + sum of x[n][i] * w[i]` over all `i` | forward without dropout, one weight row per
//! input |
//! | [`dense_gradient()`] | `g[i] = sum of x[n][i] * delta[n]` over all `n` | its weight gradient |
//! | [`relu_forward`], [`multiply()`] | ReLU with dropout's factors, and the gradient through it | between dense
//! layers |
//! | [`masked_axpy()`] | `z[n] = b + sum of x[n][i] * w[i]`, only with the weights that sample `n` keeps | forward
//! with dropped weights |
//! | [`masked_gradient()`] | gradients by such weights and by the input | backward with dropped weights |
//! | [`draw_bits()`] | random bits, each 1 with a probability | masks of weights ([`WeightBits`]) |
//! | [`apply_update`] | `w` updated with a gradient | if it is not fused into a product |
//! | [`all_finite`] | whether no weight is NaN or infinite | a check after an update |
//! | [`relu_listed`], [`Lists::transpose`] | the lists of positive entries, and by sample | between layers |
//!
//! # Safety
//!
//! Only this crate has `unsafe` code. Wrong shapes panic, as each function says, before anything is read. What a loop
//! relies on without checks is guaranteed by types: an [`Isa`] proves that the CPU has it, [`Lists`] that every index
//! is in range, and two [`PanelsMut`] never share a row.
#![allow(unsafe_code, reason = "SIMD, and loops over checked lists; each block says why it is sound")]
#![allow(
    clippy::inline_always,
    reason = "kernels must be compiled inside the function that enables their features"
)]

mod adjust;
mod allocator;
mod apply;
mod axpy;
mod backward;
mod bytes;
mod dense;
mod dense_axpy;
mod dense_gradient;
mod dot;
mod draw_bits;
mod epilogue;
mod finite;
mod isa;
mod lists;
mod masked_axpy;
mod masked_gradient;
mod masks;
mod optimiser;
mod panels;
mod peak;
mod pixels;
mod portable;
mod relu;
mod simd;
mod sum;
mod team;
mod tile;
mod update;
mod weight_bits;
mod words;
#[cfg(target_arch = "x86_64")]
mod x86_64;

pub use adjust::Adjust;
pub use allocator::Allocator;
pub use apply::apply_update;
pub use axpy::listed_axpy;
pub use backward::listed_backward;
pub use bytes::{ByteIsa, ByteRows, ByteWeights, byte_dot, squared_distances};
pub use dense::dense_dot;
pub use dense_axpy::dense_axpy;
pub use dense_gradient::dense_gradient;
pub use dot::listed_dot;
pub use draw_bits::{GROUP, draw_bits};
pub use epilogue::{add_row_sums, relu_listed};
pub use finite::all_finite;
pub use isa::Isa;
pub use lists::{Lists, ListsView, block_size, gather};
pub use masked_axpy::masked_axpy;
pub use masked_gradient::masked_gradient;
pub use masks::{set_factors, set_kept};
pub use optimiser::Update;
pub use panels::{PanelBuf, Panels, PanelsMut};
pub use peak::multiply_adds;
pub use pixels::pack_pixels;
pub use relu::{multiply, relu_forward};
pub use simd::Element;
pub use team::Team;
pub use tile::Samples;
pub use update::listed_update;
pub use weight_bits::{WeightBits, WeightBitsPart};

/// Element types that have every kernel: `f32` and `f64`.
pub trait Kernels:
    apply::RunApply
    + axpy::RunListedAxpy
    + backward::RunListedBackward
    + dense::RunDenseDot
    + dense_axpy::RunDenseAxpy
    + dense_gradient::RunDenseGradient
    + dot::RunListedDot
    + finite::RunFinite
    + masked_axpy::RunMaskedAxpy
    + masked_gradient::RunMaskedGradient
    + masks::RunSetFactors
    + peak::RunMultiplyAdds
    + pixels::RunPackPixels
    + relu::RunMultiply
    + relu::RunReluForward
    + update::RunListedUpdate
{
}
impl Kernels for f32 {}
impl Kernels for f64 {}
