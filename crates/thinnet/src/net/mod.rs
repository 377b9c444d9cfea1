//! The fully-connected network: (affine - \[normalisation\] - activation - \[dropout\]) x L, then affine, then a
//! loss; as it stands by default, with ReLU and softmax, the course's. It is computed with the readable layers; [`engine`](crate::engine) computes the same thing fast.

mod config;
mod initialisation;
mod noise;
mod parameters;

pub use config::NetConfig;
pub use initialisation::Initialisation;
pub(crate) use noise::Noise;
pub use parameters::{LayerParameters, Parameters};

use ndarray::{Array1, Array2, ArrayView2, Ix2};

use crate::error::{Error, Result};
use crate::float::Float;
use crate::layers::{
    AffineCache, BatchNorm, Dropout, HiddenCache, HiddenDropout, HiddenLayer, Mode, NormalisationLayer,
    RunningStatistics, Targets, affine_backward, affine_forward, dropout_forward_with, hidden_backward,
    hidden_forward_with,
};
use crate::random::RandomState;

/// A fully-connected network with optional normalisation and optional dropout; ReLU and softmax loss by default.
///
/// ```
/// use ndarray::Array2;
/// use thinnet::{layers::{Dropout, HiddenDropout}, net::{FullyConnectedNet, NetConfig}, random::RandomState};
/// # fn main() -> thinnet::Result<()> {
/// let mut random = RandomState::new(231);
/// let x = random.randn((2, 15));
/// let config = NetConfig {
///     input_dim: 15,
///     hidden: vec![20, 30],
///     dropout: HiddenDropout::Every(Dropout::new(0.75, None)?),
///     ..NetConfig::default()
/// };
/// let mut net = FullyConnectedNet::<f64>::new(config, &mut random)?;
/// let (loss, gradients) = net.loss(x.view(), &[3, 7], &mut random)?;
/// assert!(loss > 2.2 && gradients.get("W3").is_some());
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct FullyConnectedNet<F> {
    config: NetConfig,
    /// The parameters; change them freely, but not their shapes.
    pub parameters: Parameters<F>,
    running: Vec<RunningStatistics<F>>,
}

/// The caches of a forward pass.
pub(crate) struct ForwardCache<F: Float> {
    /// What the first layer took (N, D), its own dropout applied.
    pub(crate) input: Array2<F>,
    pub(crate) hidden: Vec<HiddenCache<F>>,
    pub(crate) last: AffineCache<F, Ix2>,
}

impl<F: Float> FullyConnectedNet<F> {
    /// A new network: weights (D, H) as the configuration's [`Initialisation`] draws them from `random`, layer by layer;
    /// biases and beta zero, gamma one.
    ///
    /// # Errors
    /// [`Error::Configuration`] from [`NetConfig::check`].
    pub fn new(config: NetConfig, random: &mut RandomState) -> Result<Self> {
        let (initialisation, scale) = (config.initialisation, config.weight_scale);
        Self::with_weights(config, |shape| initialisation.weights(shape, scale, random))
    }

    /// A network of given parameters.
    ///
    /// # Errors
    /// [`Error::Configuration`] from [`NetConfig::check`]; [`Error::Shape`] for parameters of other names or shapes than
    /// the architecture has.
    pub fn from_parameters(config: NetConfig, parameters: Parameters<F>) -> Result<Self> {
        config.check()?;
        // Compared before anything is made: sizes may come from a file, and be larger than any memory.
        let (expected, got) = (config.parameter_shapes(), parameters.shapes());
        if expected != got {
            return Err(Error::shape("parameters of the network", expected, got));
        }
        let running = Self::fresh_running(&config);
        Ok(Self { config, parameters, running })
    }

    /// A network whose weights (D, H) are made layer by layer.
    fn with_weights(config: NetConfig, mut weights: impl FnMut((usize, usize)) -> Array2<F>) -> Result<Self> {
        config.check()?;
        let shapes = config.layer_shapes();
        let layers = shapes
            .iter()
            .enumerate()
            .map(|(index, &(inputs, outputs))| LayerParameters {
                w: weights((inputs, outputs)),
                b: Array1::zeros(outputs),
                gamma_beta: (config.is_normalised() && index < config.hidden.len())
                    .then(|| (Array1::ones(outputs), Array1::zeros(outputs))),
            })
            .collect();
        let running = Self::fresh_running(&config);
        Ok(Self { config, parameters: Parameters { layers }, running })
    }

    /// Batch normalisation's running statistics before any step.
    fn fresh_running(config: &NetConfig) -> Vec<RunningStatistics<F>> {
        config.running_sizes().iter().map(|&size| RunningStatistics::zeros(size)).collect()
    }

    /// The architecture.
    pub fn config(&self) -> &NetConfig {
        &self.config
    }

    /// Batch normalisation's running statistics, one for each hidden layer; none without it.
    pub fn running(&self) -> &[RunningStatistics<F>] {
        &self.running
    }

    /// Puts running statistics back.
    ///
    /// # Errors
    /// [`Error::Shape`] if they are not those of this architecture.
    pub fn set_running(&mut self, running: &[RunningStatistics<F>]) -> Result<()> {
        let sizes = |running: &[RunningStatistics<F>]| -> Vec<(usize, usize)> {
            running.iter().map(|running| (running.mean.len(), running.variance.len())).collect()
        };
        if sizes(running) != sizes(&self.running) {
            return Err(Error::shape("running statistics", sizes(&self.running), sizes(running)));
        }
        self.running = running.to_vec();
        Ok(())
    }

    /// Changes the dropout of the hidden layers and of the inputs.
    pub(crate) fn set_dropout(&mut self, hidden: HiddenDropout, input: Option<Dropout>) -> Result<()> {
        self.config.set_dropout(hidden, input)
    }

    /// Changes the strength of the L2 term.
    pub(crate) fn set_reg(&mut self, reg: f64) {
        self.config.reg = reg;
    }

    /// The scores in test mode.
    ///
    /// - `x`: (N, D)
    ///
    /// Returns (N, C). `random` is touched only where the dropout has a seed, which re-seeds it in this mode too.
    pub fn scores(&mut self, x: ArrayView2<'_, F>, random: &mut RandomState) -> Result<Array2<F>> {
        Ok(self.forward(x, Mode::Test, random)?.0)
    }

    /// The training loss, L2 and L1 term included, and its gradients by parameter. Dropout masks are drawn from `random`, layer
    /// by layer; batch normalisation's running statistics move.
    ///
    /// - `x`: (N, D), N > 0; `targets`: N labels in 0..C, or (N, C) numbers, as the loss wants them
    pub fn loss<'a>(
        &mut self,
        x: ArrayView2<'_, F>,
        targets: impl Into<Targets<'a, F>>,
        random: &mut RandomState,
    ) -> Result<(F, Parameters<F>)> {
        let noise = &mut Noise::numpy(Mode::Train, random);
        let (data, penalty, gradients) = self.loss_with(x, targets.into(), None, noise)?;
        Ok((data + penalty, gradients))
    }

    /// [`FullyConnectedNet::loss`] with weights for the samples and dropout's random numbers from any stream: the loss without
    /// the L2 and L1 term, these, and the gradients of their sum.
    pub(crate) fn loss_with(
        &mut self,
        x: ArrayView2<'_, F>,
        targets: Targets<'_, F>,
        weights: Option<&[f64]>,
        noise: &mut Noise<'_>,
    ) -> Result<(F, F, Parameters<F>)> {
        let (scores, cache) = self.forward_with(x, Mode::Train, noise)?;
        let smoothing = self.config.label_smoothing;
        let (data_loss, dscores) =
            self.config.loss.evaluate_smoothed(scores.view(), targets, weights, smoothing)?;

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
        for (gradient, layer) in layers.iter_mut().zip(&self.parameters.layers) {
            if reg > F::zero() {
                gradient.w.scaled_add(reg, &layer.w);
            }
            if l1 > F::zero() {
                gradient.w.zip_mut_with(&layer.w, |gradient, &w| *gradient += l1 * sign(w));
            }
        }
        Ok((data_loss, self.parameters.penalty(reg, l1), Parameters { layers }))
    }

    /// The scores (N, C) and the caches of all layers.
    pub(crate) fn forward(
        &mut self,
        x: ArrayView2<'_, F>,
        mode: Mode,
        random: &mut RandomState,
    ) -> Result<(Array2<F>, ForwardCache<F>)> {
        self.forward_with(x, mode, &mut Noise::numpy(mode, random))
    }

    /// [`FullyConnectedNet::forward`] with dropout's mode and random numbers as `noise` has them.
    pub(crate) fn forward_with(
        &mut self,
        x: ArrayView2<'_, F>,
        mode: Mode,
        noise: &mut Noise<'_>,
    ) -> Result<(Array2<F>, ForwardCache<F>)> {
        if x.ncols() != self.config.input_dim {
            return Err(Error::shape("x", ("N", self.config.input_dim), x.shape()));
        }
        let Some((last, hidden)) = self.parameters.layers.split_last() else {
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
            let gamma_beta = layer.gamma_beta.as_ref().map(|(gamma, beta)| (gamma.view(), beta.view()));
            let (kind, settings) = (self.config.normalisation, BatchNorm::default());
            let composite = HiddenLayer {
                w: layer.w.view(),
                b: layer.b.view(),
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
        let (scores, last) = affine_forward(activation, last.w.view(), last.b.view())?;
        Ok((scores, ForwardCache { input, hidden: caches, last }))
    }
}

/// 1, -1 or 0, the L1 term's slope at a weight.
fn sign<F: Float>(w: F) -> F {
    if w == F::zero() { w } else { w.signum() }
}
