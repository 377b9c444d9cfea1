//! The whole backward pass of a hidden layer in one pass over the weights.

use crate::adjust::{Adjust, with_optimiser};
use crate::apply::apply_after;
use crate::isa::once;
use crate::optimiser::{Optimiser, Update, WithOptimiser};
use crate::simd::{Element, Op, SPAN, Simd, load_part, store_part};
use crate::sum::check_lists;
use crate::{Isa, ListsView, PanelBuf, Panels, PanelsMut};

/// The backward pass of a layer whose weights `w` have one row per input unit: for each row `r` and each of its
/// entries `e`, `d_values[e] = dot(w[r], delta[index[e]])` with the weights before the update; then the gradient `g =
/// sum of values[e] * delta[index[e]]`, changed by `adjust`, and the update with it. Each row of `delta` is loaded
/// once for both.
///
/// `w` is `[R][cols]`, `delta` is `[N][cols]`, `lists` has `R` rows of indices below `N`; `values` (the input unit's
/// output in the sample) and `d_values` (the loss's derivative by it) have one element per entry.
///
/// # Panics
/// If the shapes do not match this, or the update's state is not a view of the same rows as `w`.
#[expect(clippy::too_many_arguments, reason = "each is a matrix or list of the formula")]
pub fn listed_backward<T: RunListedBackward>(
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
    assert_eq!(d_values.len(), lists.len(), "derivatives, one per entry");
    update.check(&w);
    <T as RunListedBackward>::run(
        isa,
        ListedBackward { rows: Rows { lists, values, delta, w, d_values }, adjust, update },
    );
}

pub struct ListedBackward<'a, T> {
    rows: Rows<'a, T>,
    adjust: Adjust<T>,
    update: Update<'a, T>,
}

once!(RunListedBackward, ListedBackward);

impl<T: Element> Op<T> for ListedBackward<'_, T> {
    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, s: S) {
        let Self { rows, adjust, update } = self;
        match S::PARTS {
            1 => with_optimiser(s, adjust, update, ByParts::<_, 1>(rows)),
            2 => with_optimiser(s, adjust, update, ByParts::<_, 2>(rows)),
            _ => {
                let Rows { lists, values, delta, w, d_values } = rows;
                apply_after(s, w, adjust, update, |w, keep| {
                    let rows = Rows { lists, values, delta, w, d_values };
                    with_optimiser(s, Adjust::NONE, keep, ByParts::<_, 4>(rows));
                });
            }
        }
    }
}

struct Rows<'a, T> {
    lists: ListsView<'a>,
    values: &'a [T],
    delta: Panels<'a, T>,
    w: PanelsMut<'a, T>,
    d_values: &'a mut [T],
}

/// All rows; a panel of weights and its gradient are held in `P` parts.
struct ByParts<'a, T, const P: usize>(Rows<'a, T>);

impl<S: Simd<Elem = T>, T: Element, const P: usize> WithOptimiser<S> for ByParts<'_, T, P> {
    #[inline(always)]
    fn call<R: Optimiser<S>>(self, s: S, optimiser: R) {
        let Rows { lists, values, delta, w, d_values } = self.0;
        d_values.fill(T::ZERO);
        let (values, d_values, index) = (values.as_ptr(), d_values.as_mut_ptr(), lists.index_ptr());
        let blocks = lists.blocks().max(1);
        let mut partial = PanelBuf::<T>::zeros(if blocks > 1 { w.rows() } else { 0 }, T::PANEL);
        let partial = partial.view_mut();
        for panel in 0..w.panels() {
            for block in 0..blocks {
                for r in 0..w.rows() {
                    // SAFETY: panel, block and row are in range, for all matrices (if there are no blocks, no lists
                    // are read); the vectors of all parts are in a panel's row; entries are below `lists.len()`, the
                    // length of `values` and `d_values`; `partial` has as many rows as `w` if there is more than one
                    // block. `optimiser` writes at the position of `w`, in views that were compared with it.
                    unsafe {
                        let row = w.ptr(panel, r);
                        let mut held = [[s.zero(); SPAN]; P];
                        let mut g = held;
                        for (part, (held, g)) in held.iter_mut().zip(&mut g).enumerate() {
                            *held = load_part(s, row.add(part * S::LANES));
                            if block > 0 {
                                *g = load_part(s, partial.ptr(0, r).add(part * S::LANES));
                            }
                        }
                        let list = if lists.blocks() > 0 { lists.part(r, block) } else { 0..0 };
                        let from = delta.ptr(panel, 0);
                        let mut e = list.start;
                        while e + 4 <= list.end {
                            let sums = both::<S, P, 4>(s, &held, &mut g, from, index.add(e), values.add(e));
                            s.add_sums(d_values.add(e), sums, 4);
                            e += 4;
                        }
                        while e < list.end {
                            let sums = both::<S, P, 1>(s, &held, &mut g, from, index.add(e), values.add(e));
                            s.add_sums(d_values.add(e), sums, 1);
                            e += 1;
                        }
                        for (part, g) in g.into_iter().enumerate() {
                            let at = part * S::LANES;
                            if block + 1 < blocks {
                                store_part(s, partial.ptr(0, r).add(at), g);
                            } else {
                                for (q, g) in g.into_iter().enumerate() {
                                    let at = at + q * T::SUM_LANES;
                                    optimiser.apply(s, panel, row.add(at), r * T::PANEL + at, g);
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Products of the row `held` with `E` listed rows, folded, and zero from `E` on; also adds those rows, each times
/// its value, to `g`.
///
/// # Safety
/// `E` indices and values are readable, and a panel's row at `from + index * PANEL` for each; `P` is the number of parts.
#[inline(always)]
unsafe fn both<S: Simd, const P: usize, const E: usize>(
    s: S,
    held: &[[S::V; SPAN]; P],
    g: &mut [[S::V; SPAN]; P],
    from: *const S::Elem,
    index: *const u32,
    values: *const S::Elem,
) -> S::Folded {
    // SAFETY: guaranteed by the caller.
    unsafe {
        let mut sums = s.fold(None, 0, both_of_part::<S, E>(s, held[0], &mut g[0], from, index, values));
        for part in 1..P {
            let from = from.add(part * S::LANES);
            let own = both_of_part::<S, E>(s, held[part], &mut g[part], from, index, values);
            sums = s.fold(Some(sums), part, own);
        }
        sums
    }
}

/// [`both`] for one part of the lanes; products are vectors of partial sums.
///
/// # Safety
/// As above, but only for the part's vectors.
#[inline(always)]
unsafe fn both_of_part<S: Simd, const E: usize>(
    s: S,
    held: [S::V; SPAN],
    g: &mut [S::V; SPAN],
    from: *const S::Elem,
    index: *const u32,
    values: *const S::Elem,
) -> [S::V; 4] {
    let mut sums = [s.zero(); 4];
    for (e, sum) in sums.iter_mut().enumerate().take(E) {
        // SAFETY: guaranteed by the caller.
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
