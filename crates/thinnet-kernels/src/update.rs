//! Sums of listed rows: gradients of weights with the update fused on, and the forward pass of a layer whose input is
//! sparse.

use crate::adjust::Adjust;
use crate::dot::load;
use crate::rule::{Rule, Update, WithRule, with_rule};
use crate::simd::{Element, Op, Simd};
use crate::{Isa, ListsView, PanelBuf, Panels, PanelsMut};

/// For each row `r`: the gradient `g = sum of values[e] * y[index[e]]` over the row's entries `e`, what `adjust` makes of it,
/// and the update of `w[r]` and its state with that, while it is in registers.
///
/// `w` is `[R][cols]`, `y` is `[N][cols]`, `lists` has `R` rows of indices below `N`, and `values` one element an entry.
/// Rows without an entry are updated too: Adam's moments decay whether or not a unit was kept.
///
/// A row's result does not depend on other rows, nor on how rows are split among threads.
///
/// # Panics
/// If the shapes do not fit as said, or the update's state is not a view of the same rows as `w`.
pub fn listed_update<T: Element>(
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
    isa.run(ListedUpdate { sum: ListedSum { lists, values, y }, w, adjust, update });
}

/// `z[r] = bias + sum of values[e] * y[index[e]]` over row `r`'s entries `e`.
///
/// `z` is `[R][cols]`, `y` is `[N][cols]`, `lists` has `R` rows of indices below `N`, `values` is one element an entry,
/// and `bias` is `[1][cols]`, or `None` for zero. It is the forward pass of a layer whose weights `y` have one row an
/// input unit, where `lists` are the inputs that are not zero in a sample: its cost counts only those.
///
/// # Panics
/// If the shapes do not fit as said.
pub fn listed_axpy<T: Element>(
    isa: Isa,
    lists: ListsView<'_>,
    values: &[T],
    y: Panels<'_, T>,
    bias: Option<Panels<'_, T>>,
    z: PanelsMut<'_, T>,
) {
    check_lists(lists, values, y, &z);
    if let Some(bias) = bias {
        assert_eq!((bias.rows(), bias.cols()), (1, z.cols()), "shape of the bias");
    }
    isa.run(ListedAxpy { sum: ListedSum { lists, values, y }, bias, z });
}

pub(crate) fn check_lists<T: Element>(
    lists: ListsView<'_>,
    values: &[T],
    y: Panels<'_, T>,
    w: &PanelsMut<'_, T>,
) {
    assert_eq!(w.cols(), y.cols(), "columns of weights and samples");
    assert_eq!(lists.rows(), w.rows(), "rows of lists and weights");
    assert!(lists.cols() <= y.rows(), "lists of {} samples of {}", lists.cols(), y.rows());
    assert_eq!(values.len(), lists.len(), "values, one an entry");
}

/// Sums of listed rows, with the shapes checked.
#[derive(Clone, Copy)]
struct ListedSum<'a, T> {
    lists: ListsView<'a>,
    values: &'a [T],
    y: Panels<'a, T>,
}

impl<T: Element> ListedSum<'_, T> {
    /// Adds to `sums`, which is `Q` vectors of row `r` that lie `at` elements into panel `panel`, the row's entries in
    /// block `block`.
    ///
    /// # Safety
    /// There are such a row, block and panel, and `Q` vectors at `at` in a panel's row.
    #[inline(always)]
    unsafe fn add<S: Simd<Elem = T>, const Q: usize>(
        &self,
        s: S,
        mut sums: [S::V; Q],
        (panel, block, r, at): (usize, usize, usize, usize),
    ) -> [S::V; Q] {
        // SAFETY: the caller's promise; entries are below `lists.len()`, the length of `values`, and indices below
        // `lists.cols()`, which are rows of `y`.
        unsafe {
            let ys = self.y.ptr(panel, 0).add(at);
            let (index, values) = (self.lists.index_ptr(), self.values.as_ptr());
            let part = self.lists.part(r, block);
            // Two entries at a time, each into its own sums: one chain of additions would wait for itself.
            let mut others = [s.zero(); Q];
            let mut e = part.start;
            while e + 2 <= part.end {
                let y = ys.add(*index.add(e) as usize * T::PANEL);
                let next = ys.add(*index.add(e + 1) as usize * T::PANEL);
                let (value, next_value) = (s.splat(*values.add(e)), s.splat(*values.add(e + 1)));
                for q in 0..Q {
                    sums[q] = s.fma(value, s.load(y.add(q * S::LANES)), sums[q]);
                    others[q] = s.fma(next_value, s.load(next.add(q * S::LANES)), others[q]);
                }
                e += 2;
            }
            if e < part.end {
                let y = ys.add(*index.add(e) as usize * T::PANEL);
                let value = s.splat(*values.add(e));
                for (q, sum) in sums.iter_mut().enumerate() {
                    *sum = s.fma(value, s.load(y.add(q * S::LANES)), *sum);
                }
            }
            for (sum, other) in sums.iter_mut().zip(others) {
                *sum = s.add(*sum, other);
            }
        }
        sums
    }
}

/// Writes `Q` neighbouring vectors.
///
/// # Safety
/// `Q * LANES` elements from `p` on are writable.
#[inline(always)]
pub(crate) unsafe fn store<S: Simd, const Q: usize>(s: S, p: *mut S::Elem, held: [S::V; Q]) {
    for (q, v) in held.into_iter().enumerate() {
        // SAFETY: the caller's promise.
        unsafe { s.store(p.add(q * S::LANES), v) };
    }
}

struct ListedUpdate<'a, T> {
    sum: ListedSum<'a, T>,
    w: PanelsMut<'a, T>,
    adjust: Adjust<T>,
    update: Update<'a, T>,
}

impl<T: Element> Op<T> for ListedUpdate<'_, T> {
    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, s: S) {
        let Self { sum, w, adjust, update } = self;
        if T::PANEL / S::LANES == 8 {
            with_rule(s, adjust, update, Rows::<_, 8> { sum, w });
        } else {
            with_rule(s, adjust, update, Rows::<_, 4> { sum, w });
        }
    }
}

/// All rows of an update, `Q` vectors at a time.
struct Rows<'a, T, const Q: usize> {
    sum: ListedSum<'a, T>,
    w: PanelsMut<'a, T>,
}

impl<S: Simd<Elem = T>, T: Element, const Q: usize> WithRule<S> for Rows<'_, T, Q> {
    #[inline(always)]
    fn call<R: Rule<S>>(self, s: S, rule: R) {
        let Self { sum, w } = self;
        let blocks = sum.lists.blocks().max(1);
        // Gradients of one panel, between one block of samples and the next.
        let mut partial = PanelBuf::<T>::zeros(if blocks > 1 { w.rows() } else { 0 }, T::PANEL);
        let partial = partial.view_mut();
        for panel in 0..w.panels() {
            for block in 0..blocks {
                for r in 0..w.rows() {
                    let mut at = 0;
                    while at < T::PANEL {
                        // SAFETY: panel, block and row are in range, for all matrices (if there is no block, there
                        // are no samples, and no lists are read); `Q` vectors divide a panel's row; `partial` has as
                        // many rows as `w` wherever there is more than one block. `rule` writes where `w` is, in
                        // views that were compared with it.
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
                                    rule.apply(s, panel, row.add(lane), r * T::PANEL + at + lane, g);
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

struct ListedAxpy<'a, T> {
    sum: ListedSum<'a, T>,
    bias: Option<Panels<'a, T>>,
    z: PanelsMut<'a, T>,
}

impl<T: Element> Op<T> for ListedAxpy<'_, T> {
    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, s: S) {
        if T::PANEL / S::LANES == 8 {
            self.run_by::<S, 8>(s);
        } else {
            self.run_by::<S, 4>(s);
        }
    }
}

impl<T: Element> ListedAxpy<'_, T> {
    #[inline(always)]
    fn run_by<S: Simd<Elem = T>, const Q: usize>(self, s: S) {
        let Self { sum, bias, z } = self;
        for panel in 0..z.panels() {
            for block in 0..sum.lists.blocks().max(1) {
                for r in 0..z.rows() {
                    let mut at = 0;
                    while at < T::PANEL {
                        // SAFETY: as in `Rows`; the bias has one row and as many panels.
                        unsafe {
                            let row = z.ptr(panel, r).add(at);
                            let mut sums = [s.zero(); Q];
                            if block > 0 {
                                sums = load(s, row);
                            } else if let Some(bias) = bias {
                                sums = load(s, bias.ptr(panel, 0).add(at));
                            }
                            if sum.lists.blocks() > 0 {
                                sums = sum.add(s, sums, (panel, block, r, at));
                            }
                            store(s, row, sums);
                        }
                        at += Q * S::LANES;
                    }
                }
            }
        }
    }
}
