//! Gradients of weights as sums of listed rows, fused with the update.

use crate::adjust::{Adjust, with_optimiser};
use crate::apply::apply_after;
use crate::isa::once;
use crate::optimiser::{Optimiser, Update, WithOptimiser};
use crate::simd::{Element, Op, Simd, load, store};
use crate::sum::{ListedSum, check_lists};
use crate::{Isa, ListsView, PanelBuf, Panels, PanelsMut};

/// For each row `r`: the gradient `g = sum of values[e] * y[index[e]]` over the row's entries `e`, changed by
/// `adjust`, and the update of `w[r]` and its state with it, while it is in registers.
///
/// `w` is `[R][cols]`, `y` is `[N][cols]`, `lists` has `R` rows of indices below `N`, and `values` has one element
/// per entry. Rows without entries are updated too: Adam's moments decay whether or not a unit was kept.
///
/// A row's result does not depend on other rows, nor on how rows are split among threads.
///
/// # Panics
/// If the shapes do not match this, or the update's state is not a view of the same rows as `w`.
pub fn listed_update<T: RunListedUpdate>(
    isa: Isa,
    lists: ListsView<'_>,
    values: &[T],
    y: Panels<'_, T>,
    w: PanelsMut<'_, T>,
    adjust: Adjust<T>,
    update: Update<'_, T>,
) {
    check_lists(lists, values, y, &w);
    update.check(&w);
    <T as RunListedUpdate>::run(isa, ListedUpdate { sum: ListedSum { lists, values, y }, w, adjust, update });
}

pub struct ListedUpdate<'a, T> {
    sum: ListedSum<'a, T>,
    w: PanelsMut<'a, T>,
    adjust: Adjust<T>,
    update: Update<'a, T>,
}

once!(RunListedUpdate, ListedUpdate);

impl<T: Element> Op<T> for ListedUpdate<'_, T> {
    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, s: S) {
        let Self { sum, w, adjust, update } = self;
        match S::PARTS {
            1 => with_optimiser(s, adjust, update, Rows::<_, 4> { sum, w }),
            2 => with_optimiser(s, adjust, update, Rows::<_, 8> { sum, w }),
            _ => apply_after(s, w, adjust, update, |w, keep| {
                with_optimiser(s, Adjust::NONE, keep, Rows::<_, 4> { sum, w });
            }),
        }
    }
}

/// All rows of an update, `Q` vectors at a time.
struct Rows<'a, T, const Q: usize> {
    sum: ListedSum<'a, T>,
    w: PanelsMut<'a, T>,
}

impl<S: Simd<Elem = T>, T: Element, const Q: usize> WithOptimiser<S> for Rows<'_, T, Q> {
    #[inline(always)]
    fn call<R: Optimiser<S>>(self, s: S, optimiser: R) {
        let Self { sum, w } = self;
        let blocks = sum.lists.blocks().max(1);
        // Gradients of one panel, kept between one block of samples and the next.
        let mut partial = PanelBuf::<T>::zeros(if blocks > 1 { w.rows() } else { 0 }, T::PANEL);
        let partial = partial.view_mut();
        for panel in 0..w.panels() {
            for block in 0..blocks {
                for r in 0..w.rows() {
                    let mut at = 0;
                    while at < T::PANEL {
                        // SAFETY: panel, block and row are in range, for all matrices (if there are no blocks, there
                        // are no samples, and no lists are read); `Q` vectors divide a panel's row; `partial` has as
                        // many rows as `w` if there is more than one block. `optimiser` writes at the position of
                        // `w`, in views that were compared with it.
                        unsafe {
                            let mut g = [s.zero(); Q];
                            if block > 0 {
                                g = load(s, partial.ptr(0, r).add(at));
                            }
                            if sum.lists.blocks() > 0 {
                                g = sum.add(s, g, (panel, block, r, at));
                            }
                            if block + 1 < blocks {
                                store(s, partial.ptr(0, r).add(at), g);
                            } else {
                                let row = w.ptr(panel, r).add(at);
                                for (q, g) in g.into_iter().enumerate() {
                                    let lane = q * S::LANES;
                                    optimiser.apply(s, panel, row.add(lane), r * T::PANEL + at + lane, g);
                                }
                            }
                        }
                        at += Q * S::LANES;
                    }
                }
            }
        }
    }
}
