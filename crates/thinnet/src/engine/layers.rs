//! The readable engine: a step is the network's loss, then the optimiser on each parameter.

use std::ops::Range;

use ndarray::{ArcArray2, Array2, ArrayViewD};

use super::masks::{MaskSource, layer_number, prediction, training};
use super::store::to_array;
use super::{Batch, Engine, EngineState, Inputs, Isa, StepLoss};
use crate::data::{Features, Targets};
use crate::error::Result;
use crate::float::Float;
use crate::layers::{Dropout, HiddenDropout, Mode, RunningStatistics};
use crate::net::{FullyConnectedNet, Noise, Parameters};
use crate::optim::{Optimiser, OptimiserState, max_norm};
use crate::random::{CounterMasks, RandomState};

/// Steps computed with the functions of [`layers`](crate::layers) and [`optim`](crate::optim).
#[derive(Debug, Clone)]
pub struct Layers<F> {
    net: FullyConnectedNet<F>,
    optimiser: Optimiser,
    masks: MaskSource,
    states: Vec<OptimiserState<F>>,
    step: u64,
}

impl<F: Float> Layers<F> {
    /// An engine that trains `net` with `optimiser`; masks come from NumPy's stream.
    ///
    /// # Errors
    /// [`Error::Configuration`](crate::Error::Configuration) if the optimiser's settings are out of range.
    pub fn new(net: FullyConnectedNet<F>, optimiser: Optimiser) -> Result<Self> {
        optimiser.check()?;
        let states = net.parameters.named().iter().map(|(_, array)| optimiser.state(array.shape())).collect();
        Ok(Self { net, optimiser, masks: MaskSource::Numpy, states, step: 0 })
    }

    /// The same with masks from this source.
    #[must_use]
    pub fn with_masks(self, masks: MaskSource) -> Self {
        Self { masks, ..self }
    }

    /// Loaded samples as rows.
    fn rows(inputs: &Inputs<F>) -> Result<ArcArray2<F>> {
        Ok(match inputs {
            Inputs::Rows(rows) => rows.clone(),
            Inputs::Panels(panels) => to_array(panels)?.into(),
            Inputs::Sparse(rows) => rows.dense(0..rows.dim().0).into(),
            Inputs::Bytes(bytes) => {
                let all: Vec<usize> = (0..bytes.dim().0).collect();
                to_array(&bytes.floats(Isa::detect(), &all))?.into()
            }
        })
    }
}

impl<F: Float> Engine<F> for Layers<F> {
    fn step(
        &mut self,
        x: &Features<F>,
        targets: Targets<'_, F>,
        batch: Batch<'_>,
        random: &mut RandomState,
    ) -> Result<StepLoss> {
        let (loss, gradients) = self.gradients(x, targets, batch, 0, random)?;
        self.update(gradients)?;
        Ok(loss)
    }

    fn gradients(
        &mut self,
        x: &Features<F>,
        targets: Targets<'_, F>,
        batch: Batch<'_>,
        first: usize,
        random: &mut RandomState,
    ) -> Result<(StepLoss, Parameters<F>)> {
        super::check_batch(x, &targets, &batch, self.net.config().input_dim)?;
        let x = x.select(batch.indices)?;
        let targets = targets.select(batch.indices);
        let weights = batch.own_weights();
        let (targets, weights) = (targets.view(), weights.as_deref());
        let mut noise = match self.masks {
            MaskSource::Numpy => Noise::numpy(Mode::Train, random),
            MaskSource::Counter(seed) => {
                let masks = CounterMasks::new(seed).from_sample(first);
                Noise::counter(masks, self.step, |layer| training(layer_number(layer)))
            }
        };
        let (data, penalty, gradients) = self.net.loss_with(x.view(), targets, weights, &mut noise)?;
        Ok((StepLoss { data: data.as_f64(), penalty: penalty.as_f64() }, gradients))
    }

    fn update(&mut self, mut gradients: Parameters<F>) -> Result<()> {
        self.net.parameters.check_like("gradients", &gradients)?;
        self.step += 1;
        if let Some(clipping) = self.net.config().clipping {
            let mut all: Vec<_> = gradients.named_mut().into_iter().map(|(_, array)| array).collect();
            clipping.clip(&mut all);
        }
        let parameters = self.net.parameters.named_mut().into_iter();
        let undecayed = self.optimiser.without_weight_decay();
        for (((name, w), (_, dw)), state) in parameters.zip(gradients.named()).zip(&mut self.states) {
            let optimiser = if name.starts_with('W') { &self.optimiser } else { &undecayed };
            optimiser.update(w, &dw, state)?;
        }
        if let Some(bound) = self.net.config().max_norm {
            self.net.parameters.layers.iter_mut().for_each(|layer| max_norm(layer.w.view_mut(), bound));
        }
        Ok(())
    }

    fn load(&self, x: &Features<F>) -> Result<Inputs<F>> {
        super::check_width(x.dim(), self.net.config().input_dim)?;
        Ok(Inputs::Rows(x.to_floats()?))
    }

    fn scores(&self, inputs: &Inputs<F>) -> Result<Array2<F>> {
        self.net.scores(Self::rows(inputs)?.view())
    }

    fn each_masked(
        &mut self,
        inputs: &Inputs<F>,
        draws: Range<u64>,
        first: usize,
        random: &mut RandomState,
        each: &mut dyn FnMut(Range<usize>, Array2<F>) -> Result<()>,
    ) -> Result<()> {
        let rows = Self::rows(inputs)?;
        for draw in draws {
            let mut noise = match self.masks {
                MaskSource::Numpy => Noise::numpy(Mode::Train, random),
                MaskSource::Counter(seed) => {
                    let masks = CounterMasks::new(seed).from_sample(first);
                    Noise::counter(masks, draw, |layer| prediction(layer_number(layer)))
                }
            };
            each(0..rows.nrows(), self.net.forward_with(rows.view(), Mode::Test, &mut noise)?.0)?;
        }
        Ok(())
    }

    fn parameters(&self) -> Result<Parameters<F>> {
        Ok(self.net.parameters.clone())
    }

    fn running(&self) -> &[RunningStatistics<F>] {
        self.net.running()
    }

    fn set_learning_rate(&mut self, learning_rate: f64) {
        self.optimiser = self.optimiser.with_learning_rate(learning_rate);
    }

    fn set_momentum(&mut self, momentum: f64) -> Result<()> {
        self.optimiser = self.optimiser.with_momentum(momentum)?;
        Ok(())
    }

    fn set_reg(&mut self, reg: f64) {
        self.net.set_reg(reg);
    }

    fn set_dropout(&mut self, hidden: HiddenDropout, input: Option<Dropout>) -> Result<()> {
        self.net.set_dropout(hidden, input)
    }

    fn first_not_finite(&self) -> Option<String> {
        let finite = |array: &ArrayViewD<'_, F>| array.iter().all(|value| value.is_finite());
        self.net.parameters.named().into_iter().find_map(|(name, array)| (!finite(&array)).then_some(name))
    }

    fn state(&self) -> Result<EngineState<F>> {
        Ok(EngineState {
            parameters: self.net.parameters.clone(),
            optimiser: self.states.clone(),
            step: self.step,
            running: self.net.running().to_vec(),
        })
    }

    fn restore(&mut self, state: &EngineState<F>) -> Result<()> {
        self.net.parameters.check_like("parameters to restore", &state.parameters)?;
        super::state::check_optimiser(&self.optimiser, &self.net.parameters, &state.optimiser)?;
        self.net.set_running(&state.running)?;
        self.net.parameters = state.parameters.clone();
        self.states.clone_from(&state.optimiser);
        self.step = state.step;
        Ok(())
    }
}
