//! The forward products of one layer, for its inputs as they lie.

use std::ops::Range;

use thinnet_kernels::{Isa, Lists, PanelBuf, Panels, block_size, dense_dot, gather, listed_axpy};

use crate::engine::store::Layer;
use crate::engine::threads::Threads;
use crate::float::Float;

/// `z = b + a W` (N, H) for a layer whose weights have one row an input unit, from the activations by unit.
pub(super) fn forward_listed<F: Float>(
    isa: Isa,
    threads: &Threads,
    layer: &Layer<F>,
    active: &Lists,
    values: &[F],
) -> PanelBuf<F> {
    let mut z = PanelBuf::zeros(active.cols(), layer.outputs());
    let mut rest = z.view_mut();
    let mut part = |rows: Range<usize>| (rest.take_first(rows.len()), rows);
    let tasks: Vec<_> = threads.split(active.cols()).into_iter().map(&mut part).collect();
    let (w, b) = (layer.w.value.view(), layer.b.value.view());
    threads.each(tasks, |(z, rows)| {
        let (mut by_sample, mut from) = (Lists::new(), Vec::new());
        by_sample.rebuild_transposed_part(active, rows, block_size(active.rows()), &mut from);
        let mut a = vec![F::zero(); from.len()];
        gather(values, &from, &mut a);
        listed_axpy(isa, by_sample.view(), &a, w, Some(b), z);
    });
    z
}

/// The same from the activations by sample: of each sample, the input units that are not zero, and their values.
pub(super) fn forward_rows<F: Float>(
    isa: Isa,
    threads: &Threads,
    layer: &Layer<F>,
    by_sample: &Lists,
    a: &[F],
) -> PanelBuf<F> {
    let mut z = PanelBuf::zeros(by_sample.rows(), layer.outputs());
    let mut rest = z.view_mut();
    let mut part = |rows: Range<usize>| (rest.take_first(rows.len()), rows);
    let tasks: Vec<_> = threads.split(by_sample.rows()).into_iter().map(&mut part).collect();
    let (lists, w, b) = (by_sample.view(), layer.w.value.view(), layer.b.value.view());
    threads.each(tasks, |(z, rows)| {
        let a = &a[lists.entries(rows.clone())];
        listed_axpy(isa, lists.slice(rows), a, w, Some(b), z);
    });
    z
}

/// `x W + b` (N, H) for a layer whose weights have one row an output unit.
pub(super) fn dense_scores<F: Float>(isa: Isa, layer: &Layer<F>, x: Panels<'_, F>) -> PanelBuf<F> {
    let (units, samples) = (layer.outputs(), x.rows());
    let mut z = vec![F::zero(); units * samples];
    dense_dot(isa, layer.w.value.view(), x, &mut z);
    let mut out = Vec::with_capacity(z.len());
    for sample in 0..samples {
        out.extend((0..units).map(|unit| z[unit * samples + sample] + layer.bias()[unit]));
    }
    PanelBuf::from_rows(samples, units, &out)
}
