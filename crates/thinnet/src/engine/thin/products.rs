//! The forward products of one layer, for each layout of its inputs.

use std::ops::Range;

use thinnet_kernels::{Isa, Lists, PanelBuf, Panels, Samples, block_size, dense_axpy, gather, listed_axpy};

use crate::engine::store::Layer;
use crate::engine::threads::Threads;
use crate::float::Float;

/// `z = b + a W` (N, H) for a layer whose weights have one row per input unit, from the activations by unit.
pub(super) fn forward_listed<F: Float>(
    isa: Isa,
    threads: &Threads,
    layer: &Layer<F>,
    active: &Lists,
    values: &[F],
    z: &mut PanelBuf<F>,
) {
    z.fit(active.cols(), layer.outputs());
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
}

/// The same from the activations by sample: for each sample, the nonzero input units, and their values.
pub(super) fn forward_rows<F: Float>(
    isa: Isa,
    threads: &Threads,
    layer: &Layer<F>,
    by_sample: &Lists,
    a: &[F],
    z: &mut PanelBuf<F>,
) {
    z.fit(by_sample.rows(), layer.outputs());
    let mut rest = z.view_mut();
    let mut part = |rows: Range<usize>| (rest.take_first(rows.len()), rows);
    let tasks: Vec<_> = threads.split(by_sample.rows()).into_iter().map(&mut part).collect();
    let (lists, w, b) = (by_sample.view(), layer.w.value.view(), layer.b.value.view());
    threads.each(tasks, |(z, rows)| {
        let a = &a[lists.entries(rows.clone())];
        listed_axpy(isa, lists.slice(rows), a, w, Some(b), z);
    });
}

/// The same from dense inputs.
pub(super) fn forward_dense<F: Float>(
    isa: Isa,
    threads: &Threads,
    layer: &Layer<F>,
    x: Panels<'_, F>,
    z: &mut PanelBuf<F>,
) {
    z.fit(x.rows(), layer.outputs());
    let mut rest = z.view_mut();
    let tasks = threads.split(x.rows()).into_iter().map(|rows| (rest.take_first(rows.len()), x.slice(rows)));
    let (w, b) = (layer.w.value.view(), layer.b.value.view());
    threads.each(tasks.collect(), |(z, x)| dense_axpy(isa, Samples::Panels(x), w, b, z));
}
