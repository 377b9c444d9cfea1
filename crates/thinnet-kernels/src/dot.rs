//! Products of weight rows with the samples that keep them: the thin forward pass.

use crate::simd::{Element, Op, Simd};
use crate::{Isa, ListsView, Panels};

/// `out[entry] = dot(w[r], y[n])` for each row `r` and each sample `n` that `lists` names for it.
///
/// `w` is `[R][cols]`, `y` is `[N][cols]`, `lists` has `R` rows of indices below `N`, and `out` one element an entry.
/// It is the forward pass of a layer whose weights have one row an output unit, where `lists` are the samples that keep
/// the unit; and, with the weights' other orientation, the gradient that a layer hands back to its input.
///
/// An entry's value depends on its two rows alone: not on what else is listed, nor on how rows are split among threads.
///
/// # Panics
/// If the shapes do not fit as said.
pub fn listed_dot<T: Element>(
    isa: Isa,
    lists: ListsView<'_>,
    w: Panels<'_, T>,
    y: Panels<'_, T>,
    out: &mut [T],
) {
    assert_eq!(w.cols(), y.cols(), "columns of weights and samples");
    assert_eq!(lists.rows(), w.rows(), "rows of lists and weights");
    assert!(lists.cols() <= y.rows(), "lists of {} samples of {}", lists.cols(), y.rows());
    assert_eq!(out.len(), lists.len(), "outputs, one an entry");
    isa.run(ListedDot { lists, w, y, out });
}

struct ListedDot<'a, T> {
    lists: ListsView<'a>,
    w: Panels<'a, T>,
    y: Panels<'a, T>,
    out: &'a mut [T],
}

impl<T: Element> Op<T> for ListedDot<'_, T> {
    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, s: S) {
        // As many vectors of a weight row as leave registers for four sums and what is loaded.
        if T::PANEL / S::LANES == 8 {
            self.run_by::<S, 8>(s);
        } else {
            self.run_by::<S, 4>(s);
        }
    }
}

impl<T: Element> ListedDot<'_, T> {
    /// Takes `Q` vectors of a weight row at a time.
    #[inline(always)]
    fn run_by<S: Simd<Elem = T>, const Q: usize>(self, s: S) {
        let Self { lists, w, y, out } = self;
        out.fill(T::ZERO);
        let out = out.as_mut_ptr();
        let index = lists.index_ptr();
        for panel in 0..w.panels() {
            for block in 0..lists.blocks() {
                for r in 0..w.rows() {
                    // SAFETY: panel, block and row are in range, for both matrices, which have the same columns; a
                    // panel's row has PANEL elements, which `step` divides; entries are below `lists.len()`, the
                    // length of `out`.
                    unsafe {
                        let part = lists.part(r, block);
                        let (row, ys) = (w.ptr(panel, r), y.ptr(panel, 0));
                        let step = Q * S::LANES;
                        let mut at = 0;
                        while at < T::PANEL {
                            let held = load::<S, Q>(s, row.add(at));
                            let mut e = part.start;
                            while e + 4 <= part.end {
                                let sums = products::<S, Q, 4>(s, held, ys.add(at), index.add(e));
                                s.add_sums4(out.add(e), sums);
                                e += 4;
                            }
                            let sums = match part.end - e {
                                0 => [s.zero(); 4],
                                1 => products::<S, Q, 1>(s, held, ys.add(at), index.add(e)),
                                2 => products::<S, Q, 2>(s, held, ys.add(at), index.add(e)),
                                _ => products::<S, Q, 3>(s, held, ys.add(at), index.add(e)),
                            };
                            if e < part.end {
                                add_sums(s, out.add(e), sums, part.end - e);
                            }
                            at += step;
                        }
                    }
                }
            }
        }
    }
}

/// `Q` neighbouring vectors.
///
/// # Safety
/// `Q * LANES` elements from `p` on are readable.
#[inline(always)]
pub(crate) unsafe fn load<S: Simd, const Q: usize>(s: S, p: *const S::Elem) -> [S::V; Q] {
    let mut held = [s.zero(); Q];
    for (q, v) in held.iter_mut().enumerate() {
        // SAFETY: the caller's promise.
        *v = unsafe { s.load(p.add(q * S::LANES)) };
    }
    held
}

/// The products of `held` with `E` listed rows, each still a vector of partial sums; zero from `E` on.
///
/// # Safety
/// `E` indices from `index` on are readable, and `Q` vectors from `ys + index * PANEL` on for each.
#[inline(always)]
unsafe fn products<S: Simd, const Q: usize, const E: usize>(
    s: S,
    held: [S::V; Q],
    ys: *const S::Elem,
    index: *const u32,
) -> [S::V; 4] {
    let mut sums = [s.zero(); 4];
    let mut y = [ys; E];
    for (e, y) in y.iter_mut().enumerate() {
        // SAFETY: the caller's promise.
        *y = unsafe { ys.add(*index.add(e) as usize * S::Elem::PANEL) };
    }
    for e in 0..E {
        // SAFETY: the caller's promise.
        sums[e] = s.mul(held[0], unsafe { s.load(y[e]) });
    }
    for (q, held) in held.into_iter().enumerate().skip(1) {
        for e in 0..E {
            // SAFETY: the caller's promise.
            sums[e] = s.fma(held, unsafe { s.load(y[e].add(q * S::LANES)) }, sums[e]);
        }
    }
    sums
}

/// Adds the sums of the first `count` vectors to `count` elements at `out`, in the order of `add_sums4`.
///
/// # Safety
/// `count <= 4` elements from `out` on are readable and writable.
#[inline(always)]
pub(crate) unsafe fn add_sums<S: Simd>(s: S, out: *mut S::Elem, sums: [S::V; 4], count: usize) {
    let mut four = [S::Elem::ZERO; 4];
    // SAFETY: `four` has four elements; the caller answers for `out`.
    unsafe {
        for (e, f) in four.iter_mut().enumerate().take(count) {
            *f = *out.add(e);
        }
        s.add_sums4(four.as_mut_ptr(), sums);
        for (e, f) in four.iter().enumerate().take(count) {
            *out.add(e) = *f;
        }
    }
}
