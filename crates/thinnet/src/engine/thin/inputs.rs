//! Converts samples to the first layer's input, and applies dropout to the inputs.

use std::ops::Range;

use thinnet_kernels::{PanelBuf, PanelsMut};

use super::Thin;
use super::batch::{BatchInput, SparseInput, pack};
use crate::data::{Features, SparseRows};
use crate::engine::masks::{Draw, MaskSource, layer_number};
use crate::engine::store::Stored;
use crate::error::Result;
use crate::float::Float;
use crate::layers::Dropout;
use crate::random::{CounterMasks, LayerMasks, RandomState};

/// Decides which inputs are kept: the layer's dropout, and the counter-based stream's masks, if used.
struct Keeper {
    dropout: Dropout,
    masks: Option<(LayerMasks, usize)>,
}

impl<F: Float> Thin<F> {
    /// Loads a batch as the first layer's input, after its dropout.
    pub(super) fn gather(
        &mut self,
        x: &Features<F>,
        batch: &[usize],
        draw: Draw,
        random: &mut RandomState,
    ) -> Result<()> {
        if let Features::Sparse(rows) = x
            && !self.drops_weights(0)
        {
            return self.gather_sparse(rows, batch, draw, random);
        }
        let keeper = self.keeper(draw, random);
        let mut panels = self.take_panels(batch.len())?;
        let (isa, threads) = (self.isa, &self.threads);
        let mut rest = panels.view_mut();
        let mut part = |rows: Range<usize>| (rest.take_first(rows.len()), &batch[rows]);
        let tasks: Vec<_> = threads.split(batch.len()).into_iter().map(&mut part).collect();
        threads.each(tasks, |(rows, chosen)| pack(isa, x, chosen, rows));
        self.drop_inputs(panels, keeper, random);
        Ok(())
    }

    /// The same for sparse rows.
    pub(super) fn gather_sparse(
        &mut self,
        rows: &SparseRows<F>,
        chosen: &[usize],
        draw: Draw,
        random: &mut RandomState,
    ) -> Result<()> {
        self.layers[0].store(Stored::Rows)?;
        let (keeper, inputs) = (self.keeper(draw, random), self.config.input_dim);
        let in_order = keeper.as_ref().is_some_and(|keeper| keeper.masks.is_none());
        self.x = BatchInput::Sparse(if in_order {
            let keep = |row| keeper.as_ref().map(|keeper| keeper.row(row, inputs, random));
            SparseInput::new(rows, chosen, keep)
        } else {
            SparseInput::join(self.threads.each(self.threads.split(chosen.len()), |part| {
                let (first, mut unused) = (part.start, RandomState::new(0));
                let keep = |row| keeper.as_ref().map(|keeper| keeper.row(first + row, inputs, &mut unused));
                SparseInput::new(rows, &chosen[part], keep)
            }))
        });
        Ok(())
    }

    /// Loads some of the loaded samples as the first layer's input, after its dropout.
    pub(super) fn gather_rows(
        &mut self,
        rows: &[F],
        samples: usize,
        draw: Draw,
        random: &mut RandomState,
    ) -> Result<()> {
        let keeper = self.keeper(draw, random);
        let mut own = self.take_panels(samples)?;
        own.view_mut().pack(rows);
        self.drop_inputs(own, keeper, random);
        Ok(())
    }

    /// Memory for a dense batch, with the weights in the matching layout.
    fn take_panels(&mut self, samples: usize) -> Result<PanelBuf<F>> {
        let stored = if self.lists_first() { Stored::Columns } else { Stored::Rows };
        self.layers[0].store(stored)?;
        let mut panels = match &mut self.x {
            BatchInput::Dense(panels) => std::mem::take(panels),
            BatchInput::Sparse(_) => PanelBuf::zeros(0, 0),
        };
        panels.fit(samples, self.config.input_dim);
        Ok(panels)
    }

    /// The dropout of the inputs, if the network has one. If it has its own seed, NumPy's stream is re-seeded.
    fn keeper(&self, draw: Draw, random: &mut RandomState) -> Option<Keeper> {
        let dropout = self.config.input_dropout?;
        let masks = match self.engine.masks {
            MaskSource::Counter(seed) => {
                let (layer, inputs) = ((draw.number)(layer_number(None)), self.config.input_dim);
                let masks = CounterMasks::new(seed).layer(draw.step, layer, inputs, dropout.keep_prob());
                Some((masks, draw.first))
            }
            MaskSource::Numpy => {
                if let Some(seed) = dropout.seed() {
                    random.seed(seed);
                }
                None
            }
        };
        Some(Keeper { dropout, masks })
    }

    /// Drops inputs of a dense batch, and stores it.
    fn drop_inputs(&mut self, mut panels: PanelBuf<F>, keeper: Option<Keeper>, random: &mut RandomState) {
        if let Some(keeper) = keeper {
            let (samples, inputs) = (panels.rows(), panels.cols());
            let mut rest = panels.view_mut();
            if keeper.masks.is_none() {
                for row in 0..samples {
                    keep_row(&mut rest, row, &keeper.row(row, inputs, random));
                }
            } else {
                let mut part = |rows: Range<usize>| (rest.take_first(rows.len()), rows);
                let tasks: Vec<_> = self.threads.split(samples).into_iter().map(&mut part).collect();
                self.threads.each(tasks, |(mut x, rows)| {
                    let mut unused = RandomState::new(0);
                    for (row, sample) in rows.enumerate() {
                        keep_row(&mut x, row, &keeper.row(sample, inputs, &mut unused));
                    }
                });
            }
        }
        self.x = BatchInput::Dense(panels);
    }
}

impl Keeper {
    /// Which inputs of a sample are kept, and the factor on them. Must be called once for each row, in order.
    fn row<F: Float>(&self, row: usize, inputs: usize, random: &mut RandomState) -> (Vec<bool>, F) {
        let keep = self.dropout.keep_prob();
        let kept = match &self.masks {
            Some((masks, first)) => masks.sample(first + row),
            None => random.rand(inputs).iter().map(|&u| u < keep).collect(),
        };
        (kept, F::from_f64(1.0 / keep))
    }
}

/// Scales the kept inputs of a row, and sets the rest to zero.
fn keep_row<F: Float>(x: &mut PanelsMut<'_, F>, row: usize, (kept, scale): &(Vec<bool>, F)) {
    for (panel, kept) in kept.chunks(F::PANEL).enumerate() {
        for (value, &kept) in x.row_mut(panel, row).iter_mut().zip(kept) {
            *value = if kept { *value * *scale } else { F::zero() };
        }
    }
}
