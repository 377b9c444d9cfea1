//! The whole backward pass of a hidden layer in one traversal.

use crate::adjust::{Adjust, with_optimiser};
use crate::optimiser::{Optimiser, Update, WithOptimiser};
use crate::simd::{Element, Op, SPAN, Simd, load_part, store_part};
use crate::sum::check_lists;
use crate::{Isa, ListsView, PanelBuf, Panels, PanelsMut};

/// The backward pass of a layer whose weights `w` have one row an input unit: for each row `r` and each of its entries
/// `e`, `d_values[e] = dot(w[r], delta[index[e]])` with the weights before the update; then the gradient
/// `g = sum of values[e] * delta[index[e]]`, what `adjust` makes of it, and the update with that. Each row of `delta` is
/// loaded once for both.
///
/// `w` is `[R][cols]`, `delta` is `[N][cols]`, `lists` has `R` rows of indices below `N`; `values` (what the input unit
/// gave in the sample) and `d_values` (the loss's derivative by it) are one element an entry.
///
/// # Panics
/// If the shapes do not fit as said, or the update's state is not a view of the same rows as `w`.
#[expect(clippy::too_many_arguments, reason = "each is a matrix or list of the formula")]
pub fn listed_backward<T: Element>(
    isa: Isa,
    lists: ListsView<'_>,
    values: &[T],
    delta: Panels<'_, T>,
    w: PanelsMut<'_, T>,
    d_values: &mut [T],
    adjust: Adjust<T>,
    update: Update<'_, T>,
) {
    check_lists(lists, values, delta, &w);
    assert_eq!(d_values.len(), lists.len(), "derivatives, one an entry");
    update.check(&w);
    isa.run(ListedBackward { rows: Rows { lists, values, delta, w, d_values }, adjust, update });
}

struct ListedBackward<'a, T> {
    rows: Rows<'a, T>,
    adjust: Adjust<T>,
    update: Update<'a, T>,
}

impl<T: Element> Op<T> for ListedBackward<'_, T> {
    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, s: S) {
        with_optimiser(s, self.adjust, self.update, self.rows);
    }
}

struct Rows<'a, T> {
    lists: ListsView<'a>,
    values: &'a [T],
    delta: Panels<'a, T>,
    w: PanelsMut<'a, T>,
    d_values: &'a mut [T],
}

impl<S: Simd<Elem = T>, T: Element> WithOptimiser<S> for Rows<'_, T> {
    #[inline(always)]
    fn call<R: Optimiser<S>>(self, s: S, optimiser: R) {
        let Self { lists, values, delta, w, d_values } = self;
        d_values.fill(T::ZERO);
        let (values, d_values, index) = (values.as_ptr(), d_values.as_mut_ptr(), lists.index_ptr());
        let blocks = lists.blocks().max(1);
        let mut partial = PanelBuf::<T>::zeros(if blocks > 1 { w.rows() } else { 0 }, T::PANEL);
        let partial = partial.view_mut();
        // What the sums of a list have come to, between one part of their lanes and the next.
        let lens = (0..lists.blocks())
            .flat_map(|b| (0..lists.rows()).map(move |r| lists.entries_in_block(r, b).len()));
        let room = if S::PARTS > 1 { lens.max().unwrap_or(0) } else { 0 };
        let mut folded = vec![s.fold(None, 0, [s.zero(); 4]); room];
        let folded = folded.as_mut_ptr();
        for panel in 0..w.panels() {
            for block in 0..blocks {
                for r in 0..w.rows() {
                    for part in 0..S::PARTS {
                        // SAFETY: panel, block and row are in range, for all matrices (if there is no block, no lists
                        // are read); the vectors of a part lie in a panel's row; entries are below `lists.len()`, the
                        // length of `values` and `d_values`; `folded` has an element for each entry of a list, if there
                        // is more than one part; `partial` has as many rows as `w` wherever there is more than one
                        // block. `optimiser` writes where `w` is, in views that were compared with it.
                        unsafe {
                            let at = part * S::LANES;
                            let row = w.ptr(panel, r).add(at);
                            let held = load_part(s, row);
                            let mut g = [s.zero(); SPAN];
                            if block > 0 {
                                g = load_part(s, partial.ptr(0, r).add(at));
                            }
                            let list = if lists.blocks() > 0 { lists.part(r, block) } else { 0..0 };
                            let from = delta.ptr(panel, 0).add(at);
                            let (mut e, mut kept) = (list.start, folded);
                            while e + 4 <= list.end {
                                let sums = both::<S, 4>(s, held, &mut g, from, index.add(e), values.add(e));
                                hand_on(s, part, sums, kept, d_values.add(e), 4);
                                (e, kept) = (e + 4, kept.wrapping_add(1));
                            }
                            while e < list.end {
                                let sums = both::<S, 1>(s, held, &mut g, from, index.add(e), values.add(e));
                                hand_on(s, part, sums, kept, d_values.add(e), 1);
                                (e, kept) = (e + 1, kept.wrapping_add(1));
                            }
                            if block + 1 < blocks {
                                store_part(s, partial.ptr(0, r).add(at), g);
                            } else {
                                for (q, g) in g.into_iter().enumerate() {
                                    let lane = q * T::SUM_LANES;
                                    optimiser.apply(s, panel, row.add(lane), r * T::PANEL + at + lane, g);
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Folds part `part` of four sums' lanes onto what the parts before it came to, which is at `kept` and, after the last of
/// them, goes to `to[..count]`.
///
/// # Safety
/// `kept` is what the part before left there, and can be written if there are more parts; `count` elements from `to` on are
/// readable and writable.
#[inline(always)]
unsafe fn hand_on<S: Simd>(
    s: S,
    part: usize,
    sums: [S::V; 4],
    kept: *mut S::Folded,
    to: *mut S::Elem,
    count: usize,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let total = s.fold(if part > 0 { Some(kept.read()) } else { None }, part, sums);
        if part + 1 < S::PARTS {
            kept.write(total);
        } else {
            s.add_sums(to, total, count);
        }
    }
}

/// Products of `held`, a part of a row, with that of `E` listed rows, as vectors of partial sums, zero from `E` on; and those
/// rows, each times its value, added to `g`.
///
/// # Safety
/// `E` indices and values are readable, and the part's vectors from `from + index * PANEL` on for each.
#[inline(always)]
unsafe fn both<S: Simd, const E: usize>(
    s: S,
    held: [S::V; SPAN],
    g: &mut [S::V; SPAN],
    from: *const S::Elem,
    index: *const u32,
    values: *const S::Elem,
) -> [S::V; 4] {
    let mut sums = [s.zero(); 4];
    for (e, sum) in sums.iter_mut().enumerate().take(E) {
        // SAFETY: the caller's promise.
        unsafe {
            let delta = from.add(*index.add(e) as usize * S::Elem::PANEL);
            let value = s.splat(*values.add(e));
            for q in 0..SPAN {
                let d = s.load(delta.add(q * S::Elem::SUM_LANES));
                *sum = if q == 0 { s.mul(held[q], d) } else { s.fma(held[q], d, *sum) };
                g[q] = s.fma(value, d, g[q]);
            }
        }
    }
    sums
}
