//! Sums of listed rows, each times its value: for gradients of weights, and for the output of a layer with a sparse
//! input.

use crate::simd::{Element, Simd};
use crate::{ListsView, Panels, PanelsMut};

/// Panics if `lists`, their `values` and the rows of `y` do not match, or `w` does not have one row for each list.
pub(crate) fn check_lists<T: Element>(
    lists: ListsView<'_>,
    values: &[T],
    y: Panels<'_, T>,
    w: &PanelsMut<'_, T>,
) {
    assert_eq!(w.cols(), y.cols(), "columns of weights and samples");
    assert_eq!(lists.rows(), w.rows(), "rows of lists and weights");
    assert!(lists.cols() <= y.rows(), "lists of {} samples of {}", lists.cols(), y.rows());
    assert_eq!(values.len(), lists.len(), "values, one per entry");
}

/// Sums of listed rows, with the shapes checked.
#[derive(Clone, Copy)]
pub(crate) struct ListedSum<'a, T> {
    pub(crate) lists: ListsView<'a>,
    pub(crate) values: &'a [T],
    pub(crate) y: Panels<'a, T>,
}

impl<T: Element> ListedSum<'_, T> {
    /// Adds the row's entries in block `block` to `sums`, which is `Q` vectors of row `r`, `at` elements into panel
    /// `panel`.
    ///
    /// # Safety
    /// The row, block and panel exist, and so do `Q` vectors at `at` in a panel's row.
    #[inline(always)]
    pub(crate) unsafe fn add<S: Simd<Elem = T>, const Q: usize>(
        &self,
        s: S,
        mut sums: [S::V; Q],
        (panel, block, r, at): (usize, usize, usize, usize),
    ) -> [S::V; Q] {
        // SAFETY: guaranteed by the caller; entries are below `lists.len()`, the length of `values`, and indices
        // below `lists.cols()`, which are rows of `y`.
        unsafe {
            let ys = self.y.ptr(panel, 0).add(at);
            let (index, values) = (self.lists.index_ptr(), self.values.as_ptr());
            let part = self.lists.part(r, block);
            // Two entries at a time, each into its own sums: a single chain of additions would have to wait for each
            // result.
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
