//! Parameters in the kernels' layout, with the update rule's state.

use std::borrow::Cow;
use std::ops::Range;

use ndarray::{Array1, Array2, ArrayD, ArrayViewD};
use thinnet_kernels::{PanelBuf, PanelsMut, Update};

use crate::error::{Error, Result};
use crate::float::Float;
use crate::net::{LayerParameters, Parameters};
use crate::optim::{AdamState, RmsPropState, RuleState, SgdMomentumState, UpdateRule};

/// A parameter matrix with its update rule's state.
#[derive(Debug, Clone)]
pub(super) struct Parameter<F> {
    pub(super) value: PanelBuf<F>,
    state: State<F>,
    /// The gradient of a step, where it is kept until all are known; else empty.
    pub(super) gradient: PanelBuf<F>,
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
    fn new(value: PanelBuf<F>, rule: &UpdateRule) -> Self {
        let zeros = || PanelBuf::zeros(value.rows(), value.cols());
        let state = match rule {
            UpdateRule::Sgd(_) => State::Sgd,
            UpdateRule::SgdMomentum(_) => State::SgdMomentum { velocity: zeros() },
            UpdateRule::RmsProp(_) => State::RmsProp { cache: zeros() },
            UpdateRule::Adam(_) => State::Adam { m: zeros(), v: zeros() },
        };
        Self { value, state, gradient: PanelBuf::zeros(0, 0) }
    }

    /// The rule's state after `t` updates, as the readable rules keep it, in the parameter's own shape and order.
    fn rule_state(&self, stored: Stored, t: u64) -> Result<RuleState<F>> {
        let array = |panels: &PanelBuf<F>| stored.read(panels);
        Ok(match &self.state {
            State::Sgd => RuleState::Sgd,
            State::SgdMomentum { velocity } => {
                RuleState::SgdMomentum(SgdMomentumState { velocity: array(velocity)? })
            }
            State::RmsProp { cache } => RuleState::RmsProp(RmsPropState { cache: array(cache)? }),
            State::Adam { m, v } => RuleState::Adam(AdamState { m: array(m)?, v: array(v)?, t }),
        })
    }

    /// Takes values and state of such a parameter, which were checked to fit.
    fn set(&mut self, stored: Stored, value: ArrayViewD<'_, F>, state: &RuleState<F>) {
        self.value = stored.write(value);
        let pack = |array: &ArrayD<F>| stored.write(array.view());
        match (&mut self.state, state) {
            (State::SgdMomentum { velocity }, RuleState::SgdMomentum(state)) => {
                *velocity = pack(&state.velocity);
            }
            (State::RmsProp { cache }, RuleState::RmsProp(state)) => *cache = pack(&state.cache),
            (State::Adam { m, v }, RuleState::Adam(state)) => (*m, *v) = (pack(&state.m), pack(&state.v)),
            _ => {}
        }
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

    /// The values with a place for their gradient, cut into ranges of rows that follow one another from row 0.
    fn gradient_parts(&mut self, ranges: &[Range<usize>]) -> Vec<Part<'_, F>> {
        let shape = (self.value.rows(), self.value.cols());
        if (self.gradient.rows(), self.gradient.cols()) != shape {
            self.gradient.reset(shape.0, shape.1);
        }
        let (mut value, mut gradient) = (self.value.view_mut(), self.gradient.view_mut());
        let part = |range: &Range<usize>| {
            let gradient = gradient.take_first(range.len());
            (value.take_first(range.len()), Update::Gradient { gradient })
        };
        ranges.iter().map(part).collect()
    }

    /// The values and the update of step `t` (from 1), cut into ranges of rows that follow one another from row 0; without a
    /// rule, the gradient is kept instead.
    ///
    /// # Errors
    /// [`Error::Configuration`] if the state is another rule's.
    pub(super) fn parts(
        &mut self,
        rule: Option<&UpdateRule>,
        t: u32,
        ranges: &[Range<usize>],
    ) -> Result<Vec<Part<'_, F>>> {
        let Some(rule) = rule else { return Ok(self.gradient_parts(ranges)) };
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
                            nesterov: rule.nesterov,
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
                let epsilon = f(rule.epsilon_at(u64::from(t)));
                lengths
                    .map(|n| {
                        let update = Update::Adam {
                            learning_rate: f(rule.learning_rate),
                            beta1: f(rule.beta1),
                            beta2: f(rule.beta2),
                            epsilon,
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

/// How an array of the network lies in panels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stored {
    /// Weights (D, H), one row an input unit.
    Rows,
    /// Weights (D, H), one row an output unit.
    Columns,
    /// Biases (H), as one row.
    Vector,
}

impl Stored {
    /// The array as the network has it.
    fn read<F: Float>(self, panels: &PanelBuf<F>) -> Result<ArrayD<F>> {
        let array = to_array(panels)?;
        Ok(match self {
            Self::Rows => array.into_dyn(),
            Self::Columns => array.reversed_axes().as_standard_layout().into_owned().into_dyn(),
            Self::Vector => Array1::from_iter(array).into_dyn(),
        })
    }

    /// The array as it lies in panels.
    fn write<F: Float>(self, array: ArrayViewD<'_, F>) -> PanelBuf<F> {
        let (rows, cols) = match (self, array.shape()) {
            (Self::Rows, &[rows, cols]) | (Self::Columns, &[cols, rows]) => (rows, cols),
            (_, shape) => (1, shape.iter().product()),
        };
        let array = if let Self::Columns = self { array.reversed_axes() } else { array };
        let rows_first: Vec<F> = array.iter().copied().collect();
        PanelBuf::from_rows(rows, cols, &rows_first)
    }
}

/// A layer's values: how its weights lie, the weights, the biases.
pub(super) type Values<'a, F> = (Stored, &'a PanelBuf<F>, &'a PanelBuf<F>);

/// A layer's parameters.
#[derive(Debug, Clone)]
pub(super) struct Layer<F> {
    /// The weights: one row an output unit where the input is dense (H, D), as the first layer's mostly is; one row an
    /// input unit where it is sparse (D, H), as the others' are.
    pub(super) w: Parameter<F>,
    /// Which of the two.
    pub(super) stored: Stored,
    /// The biases (1, H).
    pub(super) b: Parameter<F>,
}

impl<F: Float> Layer<F> {
    /// Packs a network's parameters.
    pub(super) fn pack(parameters: &Parameters<F>, rule: &UpdateRule) -> Vec<Self> {
        let layers = parameters.layers.iter().enumerate();
        layers
            .map(|(index, layer)| {
                let stored = if index == 0 { Stored::Columns } else { Stored::Rows };
                let w = stored.write(layer.w.view().into_dyn());
                let b = Stored::Vector.write(layer.b.view().into_dyn());
                Self { w: Parameter::new(w, rule), b: Parameter::new(b, rule), stored }
            })
            .collect()
    }

    /// The rule's states of all layers' weights and biases, in the order of [`Parameters::named`].
    pub(super) fn rule_states(layers: &[Self], t: u64) -> Result<Vec<RuleState<F>>> {
        let mut all = Vec::with_capacity(2 * layers.len());
        for layer in layers {
            all.push(layer.w.rule_state(layer.stored, t)?);
            all.push(layer.b.rule_state(Stored::Vector, t)?);
        }
        Ok(all)
    }

    /// Takes parameters and states, which were checked to fit.
    pub(super) fn set(layers: &mut [Self], parameters: &Parameters<F>, states: &[RuleState<F>]) {
        let states = states.as_chunks::<2>().0;
        for ((layer, from), [w, b]) in layers.iter_mut().zip(&parameters.layers).zip(states) {
            layer.w.set(layer.stored, from.w.view().into_dyn(), w);
            layer.b.set(Stored::Vector, from.b.view().into_dyn(), b);
        }
    }

    /// Weights and biases of all layers as the network has them.
    pub(super) fn unpack<'a>(layers: impl Iterator<Item = Values<'a, F>>) -> Result<Parameters<F>> {
        let layers = layers
            .map(|(stored, w, b)| {
                let w = to_array(w)?;
                let w = match stored {
                    Stored::Columns => w.reversed_axes().as_standard_layout().into_owned(),
                    _ => w,
                };
                Ok(LayerParameters { w, b: Array1::from_vec(b.view().to_rows()), gamma_beta: None })
            })
            .collect::<Result<_>>()?;
        Ok(Parameters { layers })
    }

    /// How the weights lie, the weights and the biases, for [`Layer::unpack`].
    pub(super) fn values(&self) -> Values<'_, F> {
        (self.stored, &self.w.value, &self.b.value)
    }

    /// Brings the weights and their state into the other order, if they are not in it.
    pub(super) fn store(&mut self, stored: Stored) -> Result<()> {
        if self.stored != stored {
            let state = self.w.rule_state(self.stored, 0)?;
            let value = self.stored.read(&self.w.value)?;
            self.w.set(stored, value.view(), &state);
            self.stored = stored;
        }
        Ok(())
    }

    /// The layer with its weights in this order, copied if they are in the other.
    pub(super) fn stored_as(&self, stored: Stored) -> Result<Cow<'_, Self>> {
        if self.stored == stored {
            return Ok(Cow::Borrowed(self));
        }
        let mut copy = self.clone();
        copy.store(stored)?;
        Ok(Cow::Owned(copy))
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
