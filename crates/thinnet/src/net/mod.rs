//! The fully-connected network: (affine - \[normalisation\] - activation - \[dropout\]) x L, then affine, then a
//! loss. The defaults, ReLU and softmax, are the course's. It is computed with the readable layers;
//! [`engine`](crate::engine) computes the same fast.

mod config;
mod initialisation;
mod noise;
mod parameters;
mod view;

pub use config::NetConfig;
pub use initialisation::Initialisation;
pub(crate) use noise::Noise;
pub use parameters::{LayerParameters, LayerView, Parameters};
pub(crate) use view::ForwardCache;
pub use view::NetView;

use ndarray::{Array1, Array2, ArrayView2};

use self::parameters::shapes;
use crate::data::Targets;
use crate::error::Result;
use crate::float::Float;
use crate::layers::{Dropout, HiddenDropout, Mode, RunningStatistics};
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

impl<F: Float> FullyConnectedNet<F> {
    /// A new network. The weights (D, H) are drawn from `random`, layer by layer, as [`Initialisation`] in the
    /// configuration says; biases and beta are zero, gamma is one.
    ///
    /// # Errors
    /// [`Error::Configuration`](crate::Error::Configuration) from [`NetConfig::check`].
    pub fn new(config: NetConfig, random: &mut RandomState) -> Result<Self> {
        config.check()?;
        let shapes = config.layer_shapes();
        let layers = shapes
            .iter()
            .enumerate()
            .map(|(index, &(inputs, outputs))| LayerParameters {
                w: config.initialisation.weights((inputs, outputs), config.weight_scale, random),
                b: Array1::zeros(outputs),
                gamma_beta: (config.is_normalised() && index < config.hidden.len())
                    .then(|| (Array1::ones(outputs), Array1::zeros(outputs))),
            })
            .collect();
        let running = Self::fresh_running(&config);
        Ok(Self { config, parameters: Parameters { layers }, running })
    }

    /// A network with given parameters.
    ///
    /// # Errors
    /// [`Error::Configuration`](crate::Error::Configuration) from [`NetConfig::check`];
    /// [`Error::Shape`](crate::Error::Shape) for parameters whose names or shapes do not match the architecture.
    pub fn from_parameters(config: NetConfig, parameters: Parameters<F>) -> Result<Self> {
        config.check()?;
        // Checked before memory is reserved: sizes may come from a file, and be larger than any memory.
        config.check_parameters(&shapes(parameters.views()))?;
        let running = Self::fresh_running(&config);
        Ok(Self { config, parameters, running })
    }

    /// Batch normalisation's running statistics before the first step.
    fn fresh_running(config: &NetConfig) -> Vec<RunningStatistics<F>> {
        config.running_sizes().iter().map(|&size| RunningStatistics::zeros(size)).collect()
    }

    /// The architecture.
    pub fn config(&self) -> &NetConfig {
        &self.config
    }

    /// Batch normalisation's running statistics, one for each hidden layer; empty without it.
    pub fn running(&self) -> &[RunningStatistics<F>] {
        &self.running
    }

    /// Restores running statistics.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) if they do not match this architecture.
    pub fn set_running(&mut self, running: &[RunningStatistics<F>]) -> Result<()> {
        self.config.check_running(running)?;
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
    /// Returns (N, C).
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) for an `x` of another width.
    pub fn scores(&self, x: ArrayView2<'_, F>) -> Result<Array2<F>> {
        let mut running = self.running.clone(); // not updated in test mode
        let layers = self.parameters.views().collect();
        let mut view = NetView { config: &self.config, layers, running: &mut running };
        view.scores(x, &mut RandomState::new(0)) // and nothing is drawn
    }

    /// The training loss, with L2 and L1 terms, and its gradients by parameter. Dropout masks are drawn from
    /// `random`, layer by layer; batch normalisation's running statistics are updated.
    ///
    /// - `x`: (N, D), N > 0; `targets`: N labels in 0..C, or (N, C) numbers, as the loss requires
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) for an `x` of another width; errors of
    /// [`Loss::evaluate`](crate::layers::Loss::evaluate).
    pub fn loss<'a>(
        &mut self,
        x: ArrayView2<'_, F>,
        targets: impl Into<Targets<'a, F>>,
        random: &mut RandomState,
    ) -> Result<(F, Parameters<F>)> {
        self.view().loss(x, targets, random)
    }

    /// [`FullyConnectedNet::loss`] with weights for the samples and dropout's random numbers from any stream. Returns
    /// the loss without the L2 and L1 terms, these terms, and the gradients of their sum.
    pub(crate) fn loss_with(
        &mut self,
        x: ArrayView2<'_, F>,
        targets: Targets<'_, F>,
        weights: Option<&[f64]>,
        noise: &mut Noise<'_>,
    ) -> Result<(F, F, Parameters<F>)> {
        self.view().loss_with(x, targets, weights, noise)
    }

    /// The scores (N, C) and the caches of all layers, with dropout's mode and random numbers from `noise`.
    pub(crate) fn forward_with(
        &mut self,
        x: ArrayView2<'_, F>,
        mode: Mode,
        noise: &mut Noise<'_>,
    ) -> Result<(Array2<F>, ForwardCache<F>)> {
        self.view().forward(x, mode, noise)
    }

    /// The network as a view of its own parameters, which were checked when it was created.
    fn view(&mut self) -> NetView<'_, F> {
        let layers = self.parameters.views().collect();
        NetView { config: &self.config, layers, running: &mut self.running }
    }
}
