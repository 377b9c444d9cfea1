//! From samples to the first layer's input: the kernels' layout, and the dropout of the inputs themselves.

use std::ops::Range;

use thinnet_kernels::{Isa, PanelsMut, pack_pixels};

use super::Thin;
use crate::data::Features;
use crate::engine::masks::{Draw, MaskSource, layer_number};
use crate::float::Float;
use crate::random::{CounterMasks, RandomState};

impl<F: Float> Thin<F> {
    /// Brings a batch into the kernels' layout.
    pub(super) fn gather(&mut self, x: &Features<F>, batch: &[usize]) {
        if (self.x.rows(), self.x.cols()) != (batch.len(), self.config.input_dim) {
            self.x.reset(batch.len(), self.config.input_dim);
        }
        let (isa, threads) = (self.isa, &self.threads);
        let mut rest = self.x.view_mut();
        let mut part = |rows: Range<usize>| (rest.take_first(rows.len()), &batch[rows]);
        let tasks: Vec<_> = threads.split(batch.len()).into_iter().map(&mut part).collect();
        threads.each(tasks, |(rows, chosen)| pack(isa, x, chosen, rows));
    }

    /// Drops inputs of the batch, if the network does.
    pub(super) fn drop_inputs(&mut self, draw: Draw, random: &mut RandomState) {
        let Some(dropout) = self.config.input_dropout else { return };
        let (samples, inputs) = (self.x.rows(), self.x.cols());
        let (keep, scale) = (dropout.keep_prob(), F::from_f64(1.0 / dropout.keep_prob()));
        let mut rest = self.x.view_mut();
        match self.engine.masks {
            MaskSource::Numpy => {
                if let Some(seed) = dropout.seed() {
                    random.seed(seed);
                }
                for sample in 0..samples {
                    let kept: Vec<bool> = random.rand(inputs).iter().map(|&u| u < keep).collect();
                    keep_row(&mut rest, sample, &kept, scale);
                }
            }
            MaskSource::Counter(_) if keep >= 1.0 => {}
            MaskSource::Counter(seed) => {
                let layer = (draw.number)(layer_number(None));
                let masks = CounterMasks::new(seed).layer(draw.step, layer, inputs, keep);
                let mut part = |rows: Range<usize>| (rest.take_first(rows.len()), rows);
                let tasks: Vec<_> = self.threads.split(samples).into_iter().map(&mut part).collect();
                self.threads.each(tasks, |(mut x, rows)| {
                    for (row, sample) in rows.enumerate() {
                        keep_row(&mut x, row, &masks.sample(draw.first + sample), scale);
                    }
                });
            }
        }
    }
}

/// Scales what is kept of a row, and sets the rest to zero.
fn keep_row<F: Float>(x: &mut PanelsMut<'_, F>, row: usize, kept: &[bool], scale: F) {
    for (panel, kept) in kept.chunks(F::PANEL).enumerate() {
        for (value, &kept) in x.row_mut(panel, row).iter_mut().zip(kept) {
            *value = if kept { *value * scale } else { F::zero() };
        }
    }
}

/// Brings chosen samples into the kernels' layout.
pub(super) fn pack<F: Float>(isa: Isa, x: &Features<F>, chosen: &[usize], mut rows: PanelsMut<'_, F>) {
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
            rows.clear();
            for (row, &choice) in chosen.iter().enumerate() {
                for (column, value) in sparse.row(choice) {
                    rows.row_mut(column / F::PANEL, row)[column % F::PANEL] += value;
                }
            }
        }
        Features::Floats(x) => {
            let standard = x.as_standard_layout();
            if let Some(source) = standard.as_slice() {
                rows.pack_chosen(source, chosen);
            }
        }
    }
}
