//! The first layer's input: dense in the kernels' layout, or lists of what is not zero.

use std::borrow::Cow;
use std::ops::Range;

use ndarray::ArrayView2;
use thinnet_kernels::{Isa, Lists, PanelBuf, PanelsMut, block_size, gather, pack_pixels};

use crate::data::{Features, SparseRows};
use crate::float::Float;

/// A batch's inputs (N, D).
#[derive(Debug)]
pub(super) enum BatchInput<F> {
    Dense(PanelBuf<F>),
    Sparse(SparseInput<F>),
}

/// The nonzero inputs.
#[derive(Debug)]
pub(super) struct SparseInput<F> {
    /// For each sample, its inputs.
    pub(super) by_sample: Lists,
    /// Their values, one per entry of `by_sample`.
    pub(super) a: Vec<F>,
}

impl<F: Float> SparseInput<F> {
    /// The chosen rows; `keep(row, column)` returns the factor on an input, and `None` drops it.
    pub(super) fn new(
        rows: &SparseRows<F>,
        chosen: &[usize],
        mut keep: impl FnMut(usize) -> Option<(Vec<bool>, F)>,
    ) -> Self {
        let columns = rows.dim().1;
        let (mut kept, mut a) = (Vec::with_capacity(chosen.len()), Vec::new());
        for (row, &choice) in chosen.iter().enumerate() {
            let (indices, values) = rows.row(choice);
            match keep(row) {
                None => {
                    kept.push(indices.to_vec());
                    a.extend_from_slice(values);
                }
                Some((mask, scale)) => {
                    let stays = |index: &u32| mask[*index as usize];
                    kept.push(indices.iter().copied().filter(stays).collect());
                    let both = indices.iter().zip(values).filter(|(index, _)| stays(index));
                    a.extend(both.map(|(_, &value)| value * scale));
                }
            }
        }
        let mut by_sample = Lists::new();
        by_sample.rebuild_from_rows(columns, block_size(columns), kept.iter().map(Vec::as_slice));
        Self { by_sample, a }
    }

    /// Joins the parts of a batch.
    pub(super) fn join(parts: Vec<Self>) -> Self {
        let (lists, a): (Vec<Lists>, Vec<Vec<F>>) =
            parts.into_iter().map(|part| (part.by_sample, part.a)).unzip();
        let mut by_sample = Lists::new();
        by_sample.rebuild_from_parts(&lists);
        Self { by_sample, a: a.concat() }
    }

    /// For each input in a range, its samples and their values.
    pub(super) fn by_input(&self, inputs: Range<usize>) -> (Lists, Vec<F>) {
        let (mut lists, mut from) = (Lists::new(), Vec::new());
        lists.rebuild_transposed_part(&self.by_sample, inputs, block_size(self.by_sample.rows()), &mut from);
        let mut values = vec![F::zero(); from.len()];
        gather(&self.a, &from, &mut values);
        (lists, values)
    }
}

/// Loaded samples in a form from which scores are computed.
pub(super) enum Loaded<'a, F: Float> {
    /// Row-major, with the number of columns.
    Rows(Cow<'a, [F]>, usize),
    Panels(Cow<'a, PanelBuf<F>>),
    Sparse(&'a SparseRows<F>),
}

impl<F: Float> Loaded<'_, F> {
    /// (N, D).
    pub(super) fn dim(&self) -> (usize, usize) {
        match self {
            Self::Rows(rows, columns) => (rows.len() / columns.max(&1), *columns),
            Self::Panels(panels) => (panels.rows(), panels.cols()),
            Self::Sparse(rows) => rows.dim(),
        }
    }
}

/// Packs the chosen samples in the kernels' layout.
pub(super) fn pack<F: Float>(isa: Isa, x: &Features<F>, chosen: &[usize], mut rows: PanelsMut<'_, F>) {
    let mut pack_floats = |x: ArrayView2<'_, F>, chosen: &[usize]| {
        let standard = x.as_standard_layout();
        if let Some(source) = standard.as_slice() {
            rows.pack_chosen(source, chosen);
        }
    };
    match x {
        Features::Pixels(pixels) if pixels.deviation().is_none() => {
            pack_pixels(isa, pixels.bytes(), pixels.mean(), chosen, rows);
        }
        Features::Pixels(pixels) => {
            let mut floats = vec![F::zero(); pixels.mean().len()];
            for (row, &choice) in chosen.iter().enumerate() {
                pixels.write_row(choice, &mut floats);
                rows.pack_row(row, &floats);
            }
        }
        Features::Sparse(sparse) => {
            let dense = sparse.dense(chosen.iter().copied());
            pack_floats(dense.view(), &(0..chosen.len()).collect::<Vec<_>>());
        }
        Features::Floats(x) => pack_floats(x.view(), chosen),
        Features::Singles(singles) => {
            let mut floats = vec![F::zero(); singles.ncols()];
            for (row, &choice) in chosen.iter().enumerate() {
                let numbers = singles.row(choice);
                floats.iter_mut().zip(numbers).for_each(|(float, &value)| *float = F::from_f64(value.into()));
                rows.pack_row(row, &floats);
            }
        }
        Features::Table(table) => {
            let mut floats = vec![F::zero(); table.dim().1];
            for (row, &choice) in chosen.iter().enumerate() {
                table.write_row(choice, &mut floats);
                rows.pack_row(row, &floats);
            }
        }
        Features::Stored(_) => {} // it was loaded before
    }
}
