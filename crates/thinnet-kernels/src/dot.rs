//! Products of weight rows with the samples that keep them: the thin forward pass.

use crate::isa::once;
use crate::simd::{Element, Op, SPAN, Simd, load_part, prefetch};
use crate::{Isa, ListsView, Panels};

/// `out[entry] = dot(w[r], y[n])` for each row `r` and each sample `n` in its list.
///
/// `w` is `[R][cols]`, `y` is `[N][cols]`, `lists` has `R` rows of indices below `N`, and `out` has one element per
/// entry. It is the forward pass of a layer whose weights have one row per output unit, where `lists` has the samples
/// that keep the unit; with the weights' other layout, it is the gradient by a layer's input.
///
/// An entry's value depends only on its two rows: not on other entries, nor on how rows are split among threads.
///
/// # Panics
/// If the shapes do not match this.
pub fn listed_dot<T: RunListedDot>(
    isa: Isa,
    lists: ListsView<'_>,
    w: Panels<'_, T>,
    y: Panels<'_, T>,
    out: &mut [T],
) {
    assert_eq!(w.cols(), y.cols(), "columns of weights and samples");
    assert_eq!(lists.rows(), w.rows(), "rows of lists and weights");
    assert!(lists.cols() <= y.rows(), "lists of {} samples of {}", lists.cols(), y.rows());
    assert_eq!(out.len(), lists.len(), "outputs, one per entry");
    <T as RunListedDot>::run(isa, ListedDot { lists, w, y, out });
}

pub struct ListedDot<'a, T> {
    lists: ListsView<'a>,
    w: Panels<'a, T>,
    y: Panels<'a, T>,
    out: &'a mut [T],
}

once!(RunListedDot, ListedDot);

impl<T: Element> Op<T> for ListedDot<'_, T> {
    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, s: S) {
        match S::PARTS {
            1 => self.run_by::<S, 1>(s),
            2 => self.run_by::<S, 2>(s),
            _ => self.run_by::<S, 4>(s),
        }
    }
}

impl<T: Element> ListedDot<'_, T> {
    /// Holds a panel of a weight row, in its `P` parts. With two, these and four sums of one part fill the registers
    /// of AVX2.
    #[inline(always)]
    fn run_by<S: Simd<Elem = T>, const P: usize>(self, s: S) {
        let Self { lists, w, y, out } = self;
        let visits = Visits::new(lists);
        let mut totals = vec![T::ZERO; visits.index.len()];
        let (index, totals_at) = (visits.index.as_ptr(), totals.as_mut_ptr());
        for panel in 0..w.panels() {
            let mut start = 0;
            for (visit, &(r, fours)) in visits.rows.iter().enumerate() {
                let end = start + 4 * fours;
                // SAFETY: panel and row are in range, for both matrices, which have the same columns; a panel's row
                // has PANEL elements, which the parts' vectors divide; `index` and `totals` have four elements for
                // each of the fours of all visits, and each index is one of `lists`, below its columns and so a row
                // of `y`.
                unsafe {
                    if let Some(&(later, _)) = visits.rows.get(visit + AHEAD) {
                        prefetch(w.ptr(panel, later));
                    }
                    let (row, ys) = (w.ptr(panel, r), y.ptr(panel, 0));
                    let mut held = [[s.zero(); SPAN]; P];
                    for (part, held) in held.iter_mut().enumerate() {
                        *held = load_part(s, row.add(part * S::LANES));
                    }
                    let mut e = start;
                    while e < end {
                        let mut sums = s.fold(None, 0, products(s, held[0], ys, index.add(e)));
                        for (part, &held) in held.iter().enumerate().skip(1) {
                            let own = products(s, held, ys.add(part * S::LANES), index.add(e));
                            sums = s.fold(Some(sums), part, own);
                        }
                        s.add_sums(totals_at.add(e), sums, 4);
                        e += 4;
                    }
                }
                start = end;
            }
        }
        visits.hand_out(lists, &totals, out);
    }
}

/// A weight row is prefetched this many visits before it is used: lists are short, and rows come too slowly for the
/// hardware to prefetch them.
const AHEAD: usize = 3;

/// Lists in the order of the kernel's loops, block by block, so that what it reads and writes besides the samples is
/// contiguous; `lists` themselves are ordered by row.
struct Visits {
    /// A row, and how many groups of four its list has in the block.
    rows: Vec<(usize, usize)>,
    /// The lists' indices. The last group of four in a visit is filled up with an index that it already has. Its
    /// extra results are dropped, which is cheaper than a mispredicted branch.
    index: Vec<u32>,
}

impl Visits {
    fn new(lists: ListsView<'_>) -> Self {
        let visits = lists.blocks() * lists.rows();
        let mut rows = Vec::with_capacity(visits);
        let mut index = Vec::with_capacity(lists.len() + 3 * visits);
        for block in 0..lists.blocks() {
            for r in 0..lists.rows() {
                let part = lists.row_in_block(r, block);
                rows.push((r, part.len().div_ceil(4)));
                index.extend_from_slice(part);
                if let Some(&last) = part.last() {
                    index.resize(index.len().next_multiple_of(4), last);
                }
            }
        }
        Self { rows, index }
    }

    /// Copies `totals`, one for each of `self.index`, to the entries of `lists`.
    fn hand_out<T: Copy>(&self, lists: ListsView<'_>, totals: &[T], out: &mut [T]) {
        let mut rest = totals;
        for (visit, &(r, fours)) in self.rows.iter().enumerate() {
            let entries = lists.entries_in_block(r, visit / lists.rows());
            let (own, others) = rest.split_at(4 * fours);
            let len = entries.len();
            out[entries].copy_from_slice(&own[..len]);
            rest = others;
        }
    }
}

/// The products of `held`, a part of a row, with that part of four listed rows, each still a vector of partial sums.
///
/// # Safety
/// Four indices from `index` on are readable, and the part's vectors from `ys + index * PANEL` on for each.
#[inline(always)]
unsafe fn products<S: Simd>(s: S, held: [S::V; SPAN], ys: *const S::Elem, index: *const u32) -> [S::V; 4] {
    let mut sums = [s.zero(); 4];
    let mut y = [ys; 4];
    for (e, y) in y.iter_mut().enumerate() {
        // SAFETY: guaranteed by the caller.
        *y = unsafe { ys.add(*index.add(e) as usize * S::Elem::PANEL) };
    }
    for (q, held) in held.into_iter().enumerate() {
        for (sum, y) in sums.iter_mut().zip(y) {
            // SAFETY: guaranteed by the caller.
            let y = unsafe { s.load(y.add(q * S::Elem::SUM_LANES)) };
            *sum = if q == 0 { s.mul(held, y) } else { s.fma(held, y, *sum) };
        }
    }
    sums
}
