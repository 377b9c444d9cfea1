//! Parameters in the kernels' layout, with the optimiser's state.

use std::iter;
use std::ops::Range;

use ndarray::{Array1, Array2, ArrayD, ArrayViewD};
use thinnet_kernels::{PanelBuf, PanelsMut, Update};

use crate::error::{Error, Result};
use crate::float::Float;
use crate::net::{LayerParameters, Parameters};
use crate::optim::{Optimiser, OptimiserKind, OptimiserState};

/// A parameter matrix with its optimiser's state.
#[derive(Debug, Clone)]
pub(super) struct Parameter<F> {
    pub(super) value: PanelBuf<F>,
    /// The optimiser's state for it: matrices of its shape.
    slots: Vec<PanelBuf<F>>,
    /// The number of updates so far.
    steps: u64,
    /// Whether weight decay applies to it; not for biases.
    decays: bool,
    /// The gradient of a step, if it is kept until all gradients are known; otherwise empty.
    pub(super) gradient: PanelBuf<F>,
}

/// Some rows of a parameter, and their update.
pub(super) type Part<'a, F> = (PanelsMut<'a, F>, Update<'a, F>);

impl<F: Float> Parameter<F> {
    fn new(value: PanelBuf<F>, optimiser: Optimiser, decays: bool) -> Self {
        let slots = optimiser.kind().slots().iter().map(|_| PanelBuf::zeros(value.rows(), value.cols()));
        Self { slots: slots.collect(), value, steps: 0, decays, gradient: PanelBuf::zeros(0, 0) }
    }

    /// The state in the form of the readable optimisers, in the parameter's own shape and order.
    fn state(&self, stored: Stored, kind: OptimiserKind) -> Result<OptimiserState<F>> {
        let slots = self.slots.iter().map(|slot| stored.read(slot)).collect::<Result<_>>()?;
        Ok(OptimiserState { kind, slots, steps: self.steps })
    }

    /// Sets values and state of such a parameter; they were checked to match.
    fn set(&mut self, stored: Stored, value: ArrayViewD<'_, F>, state: &OptimiserState<F>) {
        self.value = stored.write(value);
        self.slots = state.slots.iter().map(|slot| stored.write(slot.view())).collect();
        self.steps = state.steps;
    }

    /// Bytes of the values and the state.
    pub(super) fn bytes(&self) -> usize {
        (1 + self.slots.len()) * size_of_val(self.value.as_slice())
    }

    /// The values with their next update, cut into consecutive ranges of rows from row 0. Without an optimiser, the
    /// gradient is kept instead.
    ///
    /// # Errors
    /// [`Error::Configuration`] if the state is another optimiser's.
    pub(super) fn parts(
        &mut self,
        optimiser: Option<Optimiser>,
        ranges: &[Range<usize>],
    ) -> Result<Vec<Part<'_, F>>> {
        let (rows, cols) = (self.value.rows(), self.value.cols());
        let mut value = self.value.view_mut();
        let Some(optimiser) = optimiser else {
            if (self.gradient.rows(), self.gradient.cols()) != (rows, cols) {
                self.gradient.reset(rows, cols);
            }
            let mut gradient = self.gradient.view_mut();
            let part = |n| (value.take_first(n), Update::Gradient { gradient: gradient.take_first(n) });
            return Ok(ranges.iter().map(Range::len).map(part).collect());
        };
        let optimiser = if self.decays { optimiser } else { optimiser.without_weight_decay() };
        self.steps += 1;
        let mut slots: Vec<_> = self.slots.iter_mut().map(PanelBuf::view_mut).collect();
        let part = |n| {
            let slots = slots.iter_mut().map(|slot| slot.take_first(n)).collect();
            Ok((value.take_first(n), optimiser.kernel(slots, self.steps)?))
        };
        ranges.iter().map(Range::len).map(part).collect()
    }
}

/// How an array of the network is stored in panels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stored {
    /// Weights (D, H), one row per input unit.
    Rows,
    /// Weights (D, H), one row per output unit.
    Columns,
    /// Biases (H), as one row.
    Vector,
}

impl Stored {
    /// The matrix in the network's layout.
    fn matrix<F: Float>(self, panels: &PanelBuf<F>) -> Result<Array2<F>> {
        let Self::Columns = self else { return to_array(panels) };
        let (rows, cols) = (panels.rows(), panels.cols());
        array((cols, rows), transposed(&panels.view().to_rows(), cols))
    }

    /// The array in the network's layout.
    fn read<F: Float>(self, panels: &PanelBuf<F>) -> Result<ArrayD<F>> {
        let matrix = self.matrix(panels)?;
        Ok(if let Self::Vector = self { Array1::from_iter(matrix).into_dyn() } else { matrix.into_dyn() })
    }

    /// The array in the layout of panels.
    fn write<F: Float>(self, array: ArrayViewD<'_, F>) -> PanelBuf<F> {
        let (rows, cols) = match (self, array.shape()) {
            (Self::Rows, &[rows, cols]) | (Self::Columns, &[cols, rows]) => (rows, cols),
            (_, shape) => (1, shape.iter().product()),
        };
        let array = array.as_standard_layout();
        let numbers = array.as_slice().unwrap_or_default(); // a standard layout is a single slice
        match self {
            Self::Columns => PanelBuf::from_rows(rows, cols, &transposed(numbers, rows)),
            Self::Rows | Self::Vector => PanelBuf::from_rows(rows, cols, numbers),
        }
    }
}

/// A layer's parameters.
#[derive(Debug, Clone)]
pub(super) struct Layer<F> {
    /// The weights: one row per output unit if the input is dense (H, D), as is usual for the first layer; one row
    /// per input unit if it is sparse (D, H), as for the other layers.
    pub(super) w: Parameter<F>,
    /// Which of the two layouts.
    pub(super) stored: Stored,
    /// The biases (1, H).
    pub(super) b: Parameter<F>,
    /// Scale and shift of the normalisation (1, H each), if the hidden layer has one.
    pub(super) gamma_beta: Option<[Parameter<F>; 2]>,
}

impl<F: Float> Layer<F> {
    /// Packs a network's parameters.
    pub(super) fn pack(parameters: &Parameters<F>, optimiser: Optimiser) -> Vec<Self> {
        let layers = parameters.layers.iter().enumerate();
        layers
            .map(|(index, layer)| {
                let stored = if index == 0 { Stored::Columns } else { Stored::Rows };
                let w = stored.write(layer.w.view().into_dyn());
                let vector = |array: &Array1<F>| {
                    Parameter::new(Stored::Vector.write(array.view().into_dyn()), optimiser, false)
                };
                let gamma_beta = layer.gamma_beta.as_ref().map(|(gamma, beta)| [vector(gamma), vector(beta)]);
                Self { w: Parameter::new(w, optimiser, true), b: vector(&layer.b), gamma_beta, stored }
            })
            .collect()
    }

    /// The parameters, in the order of [`Parameters::named`]: weights, biases, scale and shift.
    pub(super) fn all(&self) -> impl Iterator<Item = &Parameter<F>> {
        [&self.w, &self.b].into_iter().chain(self.gamma_beta.iter().flatten())
    }

    /// The same, mutable.
    pub(super) fn all_mut(&mut self) -> impl Iterator<Item = &mut Parameter<F>> {
        [&mut self.w, &mut self.b].into_iter().chain(self.gamma_beta.iter_mut().flatten())
    }

    /// Their layouts, in the same order.
    fn all_stored(&self) -> impl Iterator<Item = Stored> {
        iter::once(self.stored).chain(iter::repeat(Stored::Vector))
    }

    /// The optimiser's states of all layers' parameters, in the order of [`Parameters::named`].
    pub(super) fn states(layers: &[Self], optimiser: Optimiser) -> Result<Vec<OptimiserState<F>>> {
        let each = layers.iter().flat_map(|layer| layer.all().zip(layer.all_stored()));
        each.map(|(parameter, stored)| parameter.state(stored, optimiser.kind())).collect()
    }

    /// Sets parameters and states; they were checked to match.
    pub(super) fn set(layers: &mut [Self], parameters: &Parameters<F>, states: &[OptimiserState<F>]) {
        let mut from = parameters.named().into_iter().zip(states);
        for layer in layers {
            let stored: Vec<Stored> = layer.all_stored().take(layer.all().count()).collect();
            for ((parameter, stored), ((_, array), state)) in layer.all_mut().zip(stored).zip(&mut from) {
                parameter.set(stored, array, state);
            }
        }
    }

    /// The parameters of all layers in the network's layout.
    pub(super) fn unpack(layers: &[Self]) -> Result<Parameters<F>> {
        Self::unpack_with(layers, |parameter| &parameter.value)
    }

    /// The gradients that the parameters of all layers keep, in the network's layout.
    pub(super) fn unpack_gradients(layers: &[Self]) -> Result<Parameters<F>> {
        Self::unpack_with(layers, |parameter| &parameter.gradient)
    }

    /// Makes the parameters of all layers keep gradients; they were checked to match.
    pub(super) fn set_gradients(layers: &mut [Self], gradients: &Parameters<F>) {
        let mut from = gradients.named().into_iter();
        for layer in layers {
            let stored: Vec<Stored> = layer.all_stored().take(layer.all().count()).collect();
            for ((parameter, stored), (_, array)) in layer.all_mut().zip(stored).zip(&mut from) {
                parameter.gradient = stored.write(array);
            }
        }
    }

    fn unpack_with(layers: &[Self], of: fn(&Parameter<F>) -> &PanelBuf<F>) -> Result<Parameters<F>> {
        let vector = |parameter: &Parameter<F>| Array1::from_vec(of(parameter).view().to_rows());
        let layer = |layer: &Self| {
            let gamma_beta = layer.gamma_beta.as_ref().map(|[gamma, beta]| (vector(gamma), vector(beta)));
            Ok(LayerParameters { w: layer.stored.matrix(of(&layer.w))?, b: vector(&layer.b), gamma_beta })
        };
        Ok(Parameters { layers: layers.iter().map(layer).collect::<Result<_>>()? })
    }

    /// Converts the weights and their state to this layout, if necessary.
    pub(super) fn store(&mut self, stored: Stored) -> Result<()> {
        if self.stored != stored {
            for panels in iter::once(&mut self.w.value).chain(&mut self.w.slots) {
                *panels = stored.write(self.stored.read(panels)?.view());
            }
            self.stored = stored;
        }
        Ok(())
    }

    /// The weights with one row per input unit.
    pub(super) fn rows(&self) -> Result<PanelBuf<F>> {
        Ok(Stored::Rows.write(self.stored.read(&self.w.value)?.view()))
    }

    /// Inputs of the layer.
    pub(super) fn inputs(&self) -> usize {
        if self.stored == Stored::Columns { self.w.value.cols() } else { self.w.value.rows() }
    }

    /// Units of the layer.
    pub(super) fn outputs(&self) -> usize {
        self.b.value.cols()
    }

    /// The biases (H).
    pub(super) fn bias(&self) -> &[F] {
        &self.b.value.as_slice()[..self.outputs()]
    }
}

/// A matrix in panels as an array.
pub(super) fn to_array<F: Float>(panels: &PanelBuf<F>) -> Result<Array2<F>> {
    array((panels.rows(), panels.cols()), panels.view().to_rows())
}

fn array<F: Float>(shape: (usize, usize), numbers: Vec<F>) -> Result<Array2<F>> {
    let found = numbers.len();
    Array2::from_shape_vec(shape, numbers).map_err(|_| Error::shape("panels", shape, found))
}

/// The transpose of a row-major matrix with this many columns. Square blocks are transposed one after another: their
/// lines stay in the cache, while whole columns would not.
fn transposed<F: Float>(numbers: &[F], columns: usize) -> Vec<F> {
    const SIDE: usize = 16;
    let rows = numbers.len() / columns.max(1);
    let mut turned = vec![F::zero(); numbers.len()];
    for first in (0..rows).step_by(SIDE) {
        for column in (0..columns).step_by(SIDE) {
            for row in first..rows.min(first + SIDE) {
                let from = &numbers[row * columns..][column..columns.min(column + SIDE)];
                for (at, &number) in from.iter().enumerate() {
                    turned[(column + at) * rows + row] = number;
                }
            }
        }
    }
    turned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_columns() {
        for (rows, columns) in [(0, 3), (1, 1), (1, 40), (17, 33), (48, 16)] {
            let matrix = Array2::from_shape_fn((rows, columns), |(r, c)| (r * columns + c) as f64);
            let turned: Vec<f64> = matrix.t().iter().copied().collect();
            assert_eq!(transposed(matrix.as_slice().unwrap_or_default(), columns), turned);
        }
    }
}
