//! The forward pass of a layer whose input is sparse.

use crate::isa::once;
use crate::simd::{Element, Op, Simd, load, store};
use crate::sum::{ListedSum, check_lists};
use crate::{Isa, ListsView, Panels, PanelsMut};

/// `z[r] = bias + sum of values[e] * y[index[e]]` over row `r`'s entries `e`.
///
/// `z` is `[R][cols]`, `y` is `[N][cols]`, `lists` has `R` rows of indices below `N`, `values` has one element per
/// entry, and `bias` is `[1][cols]`, or `None` for zero. It is the forward pass of a layer whose weights `y` have one
/// row per input unit, where `lists` has each sample's nonzero inputs: only those cost time.
///
/// # Panics
/// If the shapes do not match this.
pub fn listed_axpy<T: RunListedAxpy>(
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
    <T as RunListedAxpy>::run(isa, ListedAxpy { sum: ListedSum { lists, values, y }, bias, z });
}

pub struct ListedAxpy<'a, T> {
    sum: ListedSum<'a, T>,
    bias: Option<Panels<'a, T>>,
    z: PanelsMut<'a, T>,
}

once!(RunListedAxpy, ListedAxpy);

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
                        // SAFETY: panel, block and row are in range, for all matrices (if there is no block, there
                        // are no samples, and no lists are read); `Q` vectors divide a panel's row; the bias has one
                        // row and as many panels.
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
