//! A network's forward and backward passes over borrowed parameters.

use ndarray::{Array2, ArrayView2, Ix2};

use super::parameters::{penalty, shapes};
use super::{LayerParameters, LayerView, NetConfig, Noise, Parameters};
use crate::data::Targets;
use crate::error::{Error, Result};
use crate::float::Float;
use crate::layers::{
    AffineCache, HiddenCache, HiddenLayer, Mode, NormalisationLayer, RunningStatistics, affine_backward,
    affine_forward, dropout_forward_with, hidden_backward, hidden_forward_with,
};
use crate::random::RandomState;

/// A [`FullyConnectedNet`](super::FullyConnectedNet) with borrowed arrays, without a copy.
///
/// ```
/// use ndarray::{Array1, Array2};
/// use thinnet::{layers::BatchNorm, net::{LayerView, NetConfig, NetView}, random::RandomState};
/// # fn main() -> thinnet::Result<()> {
/// let (w, b) = (Array2::<f64>::eye(3), Array1::zeros(3));
/// let config = NetConfig { input_dim: 3, hidden: vec![], num_outputs: 3, ..NetConfig::default() };
/// let layer = LayerView { w: w.view(), b: b.view(), gamma_beta: None, settings: BatchNorm::default() };
/// let mut net = NetView::new(&config, vec![layer], &mut [])?;
/// assert_eq!(net.scores(w.view(), &mut RandomState::new(0))?, w);
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct NetView<'a, F> {
    pub(super) config: &'a NetConfig,
    pub(super) layers: Vec<LayerView<'a, F>>,
    pub(super) running: &'a mut [RunningStatistics<F>],
}

/// The caches of a forward pass.
pub(crate) struct ForwardCache<F: Float> {
    /// The first layer's input (N, D), after its dropout.
    pub(crate) input: Array2<F>,
    pub(crate) hidden: Vec<HiddenCache<F>>,
    last: AffineCache<F, Ix2>,
}

impl<'a, F: Float> NetView<'a, F> {
    /// A network with these parameters; `running` has running statistics for each hidden layer with batch
    /// normalisation, and is empty without it.
    ///
    /// # Errors
    /// [`Error::Configuration`] from [`NetConfig::check`]; [`Error::Shape`] for arrays that do not match the
    /// architecture.
    pub fn new(
        config: &'a NetConfig,
        layers: Vec<LayerView<'a, F>>,
        running: &'a mut [RunningStatistics<F>],
    ) -> Result<Self> {
        config.check()?;
        config.check_parameters(&shapes(layers.iter().copied()))?;
        config.check_running(running)?;
        Ok(Self { config, layers, running })
    }

    /// See [`FullyConnectedNet::scores`](super::FullyConnectedNet::scores).
    pub fn scores(&mut self, x: ArrayView2<'_, F>, random: &mut RandomState) -> Result<Array2<F>> {
        Ok(self.forward(x, Mode::Test, &mut Noise::numpy(Mode::Test, random))?.0)
    }

    /// See [`FullyConnectedNet::loss`](super::FullyConnectedNet::loss).
    pub fn loss<'t>(
        &mut self,
        x: ArrayView2<'_, F>,
        targets: impl Into<Targets<'t, F>>,
        random: &mut RandomState,
    ) -> Result<(F, Parameters<F>)> {
        let noise = &mut Noise::numpy(Mode::Train, random);
        let (data, penalty, gradients) = self.loss_with(x, targets.into(), None, noise)?;
        Ok((data + penalty, gradients))
    }

    /// [`NetView::loss`] with weights for the samples and dropout's random numbers from any stream. Returns the loss
    /// without the L2 and L1 terms, these terms, and the gradients of their sum.
    pub(super) fn loss_with(
        &mut self,
        x: ArrayView2<'_, F>,
        targets: Targets<'_, F>,
        weights: Option<&[f64]>,
        noise: &mut Noise<'_>,
    ) -> Result<(F, F, Parameters<F>)> {
        let (scores, cache) = self.forward(x, Mode::Train, noise)?;
        let (data_loss, dscores) = self.config.objective().evaluate(scores.view(), targets, weights)?;

        let last = affine_backward(dscores.view(), &cache.last)?;
        let mut upstream = last.x;
        let mut layers = vec![LayerParameters { w: last.w, b: last.b, gamma_beta: None }];
        for hidden in cache.hidden.iter().rev() {
            let gradients = hidden_backward(upstream.view(), hidden)?;
            upstream = gradients.affine.x;
            layers.push(LayerParameters {
                w: gradients.affine.w,
                b: gradients.affine.b,
                gamma_beta: gradients.gamma_beta,
            });
        }
        layers.reverse();

        let (reg, l1) = (F::from_f64(self.config.reg), F::from_f64(self.config.l1));
        for (gradient, layer) in layers.iter_mut().zip(&self.layers) {
            if reg > F::zero() {
                gradient.w.scaled_add(reg, &layer.w);
            }
            if l1 > F::zero() {
                gradient.w.zip_mut_with(&layer.w, |gradient, &w| *gradient += l1 * sign(w));
            }
        }
        let penalty = penalty(self.layers.iter().map(|layer| layer.w), reg, l1);
        Ok((data_loss, penalty, Parameters { layers }))
    }

    /// The scores (N, C) and the caches of all layers, with dropout's mode and random numbers from `noise`.
    pub(super) fn forward(
        &mut self,
        x: ArrayView2<'_, F>,
        mode: Mode,
        noise: &mut Noise<'_>,
    ) -> Result<(Array2<F>, ForwardCache<F>)> {
        if x.ncols() != self.config.input_dim {
            return Err(Error::shape("x", ("N", self.config.input_dim), x.shape()));
        }
        let Some((last, hidden)) = self.layers.split_last() else {
            return Err(Error::configuration("the network has no layer"));
        };
        let mut running = self.running.iter_mut();
        let input = match self.config.input_dropout {
            Some(dropout) => dropout_forward_with(x, dropout, noise.mode(), noise.layer(None)).0,
            None => x.to_owned(),
        };
        let mut activation = input.view();
        let mut outputs;
        let mut caches = Vec::with_capacity(hidden.len());
        for (index, layer) in hidden.iter().enumerate() {
            let &LayerView { w, b, gamma_beta, settings } = layer;
            let kind = self.config.normalisation;
            let composite = HiddenLayer {
                w,
                b,
                normalisation: NormalisationLayer::new(kind, gamma_beta, running.next(), settings)?,
                activation: self.config.activation,
                dropout: self.config.dropout.layer(index),
                dropout_kind: self.config.dropout_kind,
            };
            let draws = (noise.mode(), noise.layer(Some(index)));
            let (out, cache) = hidden_forward_with(activation, composite, mode, draws)?;
            outputs = out;
            activation = outputs.view();
            caches.push(cache);
        }
        let (scores, last) = affine_forward(activation, last.w, last.b)?;
        Ok((scores, ForwardCache { input, hidden: caches, last }))
    }
}

/// 1, -1 or 0: the L1 term's slope at a weight.
fn sign<F: Float>(w: F) -> F {
    if w == F::zero() { w } else { w.signum() }
}
