//! Parameters in the kernels' layout, with the update rule's state.

use std::ops::Range;

use ndarray::{Array1, Array2, ArrayView2};
use thinnet_kernels::{PanelBuf, PanelsMut, Update};

use crate::error::{Error, Result};
use crate::float::Float;
use crate::net::{LayerParameters, Parameters};
use crate::optim::UpdateRule;

/// A parameter matrix with its update rule's state.
#[derive(Debug, Clone)]
pub(super) struct Parameter<F> {
    pub(super) value: PanelBuf<F>,
    state: State<F>,
}

/// A rule's state: matrices of the parameter's shape.
#[derive(Debug, Clone)]
enum State<F> {
    Sgd,
    SgdMomentum { velocity: PanelBuf<F> },
    RmsProp { cache: PanelBuf<F> },
    Adam { m: PanelBuf<F>, v: PanelBuf<F> },
}

/// Some rows of a parameter, and what updates them.
pub(super) type Part<'a, F> = (PanelsMut<'a, F>, Update<'a, F>);

impl<F: Float> Parameter<F> {
    fn new(values: ArrayView2<'_, F>, rule: &UpdateRule) -> Self {
        let (rows, cols) = values.dim();
        let zeros = || PanelBuf::zeros(rows, cols);
        let state = match rule {
            UpdateRule::Sgd(_) => State::Sgd,
            UpdateRule::SgdMomentum(_) => State::SgdMomentum { velocity: zeros() },
            UpdateRule::RmsProp(_) => State::RmsProp { cache: zeros() },
            UpdateRule::Adam(_) => State::Adam { m: zeros(), v: zeros() },
        };
        let rows_first: Vec<F> = values.iter().copied().collect();
        Self { value: PanelBuf::from_rows(rows, cols, &rows_first), state }
    }

    /// Bytes of the values and the state.
    pub(super) fn bytes(&self) -> usize {
        let matrices = match self.state {
            State::Sgd => 1,
            State::SgdMomentum { .. } | State::RmsProp { .. } => 2,
            State::Adam { .. } => 3,
        };
        matrices * size_of_val(self.value.as_slice())
    }

    /// The values and the update of step `t` (from 1), cut into ranges of rows that follow one another from row 0.
    ///
    /// # Errors
    /// [`Error::Configuration`] if the state is another rule's.
    pub(super) fn parts(
        &mut self,
        rule: &UpdateRule,
        t: u32,
        ranges: &[Range<usize>],
    ) -> Result<Vec<Part<'_, F>>> {
        let f = F::from_f64;
        let mut value = self.value.view_mut();
        let lengths = ranges.iter().map(Range::len);
        Ok(match (*rule, &mut self.state) {
            (UpdateRule::Sgd(rule), State::Sgd) => lengths
                .map(|n| (value.take_first(n), Update::Sgd { learning_rate: f(rule.learning_rate) }))
                .collect(),
            (UpdateRule::SgdMomentum(rule), State::SgdMomentum { velocity }) => {
                let mut velocity = velocity.view_mut();
                lengths
                    .map(|n| {
                        let update = Update::Momentum {
                            learning_rate: f(rule.learning_rate),
                            momentum: f(rule.momentum),
                            velocity: velocity.take_first(n),
                        };
                        (value.take_first(n), update)
                    })
                    .collect()
            }
            (UpdateRule::RmsProp(rule), State::RmsProp { cache }) => {
                let mut cache = cache.view_mut();
                lengths
                    .map(|n| {
                        let update = Update::RmsProp {
                            learning_rate: f(rule.learning_rate),
                            decay: f(rule.decay_rate),
                            epsilon: f(rule.epsilon),
                            cache: cache.take_first(n),
                        };
                        (value.take_first(n), update)
                    })
                    .collect()
            }
            (UpdateRule::Adam(rule), State::Adam { m, v }) => {
                let (mut m, mut v) = (m.view_mut(), v.view_mut());
                lengths
                    .map(|n| {
                        let update = Update::Adam {
                            learning_rate: f(rule.learning_rate),
                            beta1: f(rule.beta1),
                            beta2: f(rule.beta2),
                            epsilon: f(rule.epsilon),
                            step: t,
                            m: m.take_first(n),
                            v: v.take_first(n),
                        };
                        (value.take_first(n), update)
                    })
                    .collect()
            }
            (rule, _) => {
                return Err(Error::configuration(format!(
                    "the state does not belong to the rule {}",
                    rule.name()
                )));
            }
        })
    }
}

/// A layer's parameters.
#[derive(Debug, Clone)]
pub(super) struct Layer<F> {
    /// The weights: one row an output unit in the first layer, whose input is dense (H, D); one row an input unit in the
    /// others, whose inputs are sparse (D, H).
    pub(super) w: Parameter<F>,
    /// The biases (1, H).
    pub(super) b: Parameter<F>,
}

impl<F: Float> Layer<F> {
    /// Packs a network's parameters.
    pub(super) fn pack(parameters: &Parameters<F>, rule: &UpdateRule) -> Vec<Self> {
        let layers = parameters.layers.iter().enumerate();
        layers
            .map(|(index, layer)| {
                let w = if index == 0 { layer.w.t() } else { layer.w.view() };
                let b = layer.b.view().insert_axis(ndarray::Axis(0));
                Self { w: Parameter::new(w, rule), b: Parameter::new(b, rule) }
            })
            .collect()
    }

    /// Weights and biases of all layers as the network has them.
    pub(super) fn unpack<'a>(
        layers: impl Iterator<Item = (&'a PanelBuf<F>, &'a PanelBuf<F>)>,
    ) -> Result<Parameters<F>> {
        let layers = layers
            .enumerate()
            .map(|(index, (w, b))| {
                let w = to_array(w)?;
                let w = if index == 0 { w.reversed_axes().as_standard_layout().into_owned() } else { w };
                Ok(LayerParameters { w, b: Array1::from_vec(b.view().to_rows()), gamma_beta: None })
            })
            .collect::<Result<_>>()?;
        Ok(Parameters { layers })
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
    let shape = (panels.rows(), panels.cols());
    Array2::from_shape_vec(shape, panels.view().to_rows())
        .map_err(|_| Error::shape("panels", shape, panels.rows()))
}
