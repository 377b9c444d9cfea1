//! Gradients of weights as dense products.

use std::ops::Range;

use crate::isa::once;
use crate::simd::{Element, Op, Simd, store};
use crate::tile::{Ends, Place, Samples, TALL, Tile, by_width, width};
use crate::{Isa, Panels, PanelsMut};

/// `g[i] = sum of x[n][i] * delta[n]` over all samples `n`, in order, for a range of input units `i`.
///
/// `x` is `[N][D]`, `inputs` is within D, `delta` is `[N][cols]` and `g` is `[inputs][cols]`. It is the gradient of
/// the weights in a layer without dropout, with one row per input unit. A row does not depend on other rows. Padding
/// of `g` does not change.
///
/// # Panics
/// If the shapes do not match this.
pub fn dense_gradient<T: RunDenseGradient>(
    isa: Isa,
    x: Samples<'_, T>,
    inputs: Range<usize>,
    delta: Panels<'_, T>,
    g: PanelsMut<'_, T>,
) {
    let (samples, columns) = x.dim();
    assert!(inputs.start <= inputs.end && inputs.end <= columns, "inputs {inputs:?} of {columns}");
    assert_eq!((inputs.len(), delta.cols()), (g.rows(), g.cols()), "shape of the gradient");
    assert_eq!(samples, delta.rows(), "samples of the inputs and of the derivatives");
    <T as RunDenseGradient>::run(isa, DenseGradient { x: x.place(), inputs, delta, g });
}

pub struct DenseGradient<'a, T> {
    x: Place<T>,
    inputs: Range<usize>,
    delta: Panels<'a, T>,
    g: PanelsMut<'a, T>,
}

once!(RunDenseGradient, DenseGradient);

impl<T: Element> Op<T> for DenseGradient<'_, T> {
    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, s: S) {
        let Self { x, inputs, delta, g } = self;
        for panel in 0..g.panels() {
            by_width!(S, width(&g, panel), |WIDE, at| {
                let mut input = inputs.start;
                while input < inputs.end {
                    // The inputs of a tile are adjacent, in one panel of `x`.
                    let (run, lane) = (input / T::PANEL, input % T::PANEL);
                    let tall = (inputs.end - input).min(T::PANEL - lane).min(TALL);
                    // SAFETY: inputs `input` to `input + tall` are columns of `x`, and from `input - start` on rows
                    // of `g`; `delta` has as many samples as `x` and as many panels as `g`; `WIDE` vectors from `at`
                    // on are in a panel's row.
                    unsafe {
                        let tile = Tile {
                            numbers: x.first.wrapping_add(run * x.panel + lane), // without samples there is no memory
                            across: 1,
                            along: x.sample,
                            w: delta.ptr(panel, 0).add(at),
                            count: delta.rows(),
                        };
                        tile.run::<S, WIDE>(s, tall, &Gradient(g.ptr(panel, input - inputs.start).add(at)));
                    }
                    input += tall;
                }
            });
        }
    }
}

/// The destination of the gradient of a tile's first row.
struct Gradient<T>(*mut T);

impl<S: Simd<Elem = T>, T: Element> Ends<S> for Gradient<T> {
    #[inline(always)]
    unsafe fn before<const Q: usize>(&self, s: S, _: usize) -> [S::V; Q] {
        [s.zero(); Q]
    }

    #[inline(always)]
    unsafe fn after<const Q: usize>(&self, s: S, n: usize, sums: [S::V; Q]) {
        // SAFETY: guaranteed by the caller.
        unsafe { store(s, self.0.add(n * T::PANEL), sums) }
    }
}
