//! The fully-connected network: (affine - \[batch normalisation\] - activation - \[dropout\]) x L, then affine, then a
//! loss; as it stands by default, with ReLU and softmax, the course's. It is computed with the readable layers; [`engine`](crate::engine) computes the same thing fast.

use ndarray::{Array1, Array2, ArrayView2, ArrayViewD, ArrayViewMutD, Ix2};

use crate::error::{Error, Result};
use crate::float::Float;
use crate::layers::{
    Activation, AffineCache, Dropout, DropoutCache, HiddenCache, HiddenDropout, HiddenLayer, Loss, Mode,
    RunningStatistics, Targets, affine_backward, affine_forward, dropout_forward, hidden_backward,
    hidden_forward_with,
};
use crate::random::RandomState;

/// The architecture and initialisation of a [`FullyConnectedNet`], with the course's defaults.
#[derive(Debug, Clone, PartialEq)]
pub struct NetConfig {
    /// Number of inputs D (default 3 * 32 * 32).
    pub input_dim: usize,
    /// Sizes of the hidden layers.
    pub hidden: Vec<usize>,
    /// Number of scores C: of classes, or of outputs where the loss is another than the softmax (default 10).
    pub num_classes: usize,
    /// What each hidden layer does to its sums (default ReLU).
    pub activation: Activation,
    /// What the scores are to become (default softmax).
    pub loss: Loss,
    /// The dropout that ends each hidden layer. `None` leaves the layer out; a keep probability of 1 keeps every unit,
    /// and draws its mask all the same (default `None`).
    pub dropout: HiddenDropout,
    /// Dropout of the inputs themselves, ahead of the first layer (default `None`).
    pub input_dropout: Option<Dropout>,
    /// Bound on the L2 norm of the weights that lead into each unit, held after every update (Srivastava et al. 2014,
    /// section 5.1; default `None`).
    pub max_norm: Option<f64>,
    /// Batch normalisation before each activation (default false).
    pub batch_norm: bool,
    /// Strength of the L2 term `0.5 * reg * sum(W^2)` over all weights (default 0).
    pub reg: f64,
    /// Standard deviation of the initial weights (default 1e-2).
    pub weight_scale: f64,
}

impl Default for NetConfig {
    fn default() -> Self {
        Self {
            input_dim: 3 * 32 * 32,
            hidden: vec![100],
            num_classes: 10,
            activation: Activation::Relu,
            loss: Loss::Softmax,
            dropout: HiddenDropout::None,
            input_dropout: None,
            max_norm: None,
            batch_norm: false,
            reg: 0.0,
            weight_scale: 1e-2,
        }
    }
}

impl NetConfig {
    /// Refuses sizes of 0, a `reg` or `weight_scale` that is negative or not finite, a `max_norm` that is not above 0, and
    /// dropouts that are not one for each hidden layer.
    pub fn check(&self) -> Result<()> {
        for (what, size) in [("input dimension", self.input_dim), ("number of classes", self.num_classes)]
            .into_iter()
            .chain(self.hidden.iter().map(|&size| ("size of a hidden layer", size)))
        {
            if size == 0 {
                return Err(Error::configuration(format!("the {what} must be at least 1, got 0")));
            }
        }
        for (what, value) in [("reg", self.reg), ("weight_scale", self.weight_scale)] {
            if !(value >= 0.0 && value.is_finite()) {
                return Err(Error::configuration(format!(
                    "{what} must be finite and not negative, got {value}"
                )));
            }
        }
        if let Some(bound) = self.max_norm
            && !(bound > 0.0)
        {
            return Err(Error::configuration(format!("max_norm must be above 0, got {bound}")));
        }
        if let HiddenDropout::Each(each) = &self.dropout
            && each.len() != self.hidden.len()
        {
            return Err(Error::configuration(format!(
                "there must be a dropout for each of the {} hidden layers, got {}",
                self.hidden.len(),
                each.len()
            )));
        }
        Ok(())
    }

    /// The dropout layers in the order in which masks are drawn: of the inputs, then of each hidden layer.
    pub(crate) fn dropouts(&self) -> impl Iterator<Item = Dropout> {
        let hidden = (0..self.hidden.len()).filter_map(|index| self.dropout.layer(index));
        self.input_dropout.into_iter().chain(hidden)
    }

    /// The layers' shapes (inputs, outputs), first to last.
    pub fn layer_shapes(&self) -> Vec<(usize, usize)> {
        let inputs = std::iter::once(self.input_dim).chain(self.hidden.iter().copied());
        let outputs = self.hidden.iter().copied().chain(std::iter::once(self.num_classes));
        inputs.zip(outputs).collect()
    }
}

/// The parameters of one layer, or their gradients.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerParameters<F> {
    /// Weights (D, H).
    pub w: Array2<F>,
    /// Biases (H).
    pub b: Array1<F>,
    /// Scale and shift of the batch normalisation (H each), in a hidden layer that has one.
    pub gamma_beta: Option<(Array1<F>, Array1<F>)>,
}

/// The parameters of a network, or their gradients, layer by layer. By name they are the course's: `W1`, `b1`,
/// (`gamma1`, `beta1`,) `W2`, ...
#[derive(Debug, Clone, PartialEq)]
pub struct Parameters<F> {
    /// First layer to last.
    pub layers: Vec<LayerParameters<F>>,
}

impl<F: Float> Parameters<F> {
    /// Every array with its name, in the course's order.
    pub fn named(&self) -> Vec<(String, ArrayViewD<'_, F>)> {
        let mut all = Vec::new();
        for (layer, number) in self.layers.iter().zip(1..) {
            all.push((format!("W{number}"), layer.w.view().into_dyn()));
            all.push((format!("b{number}"), layer.b.view().into_dyn()));
            if let Some((gamma, beta)) = &layer.gamma_beta {
                all.push((format!("gamma{number}"), gamma.view().into_dyn()));
                all.push((format!("beta{number}"), beta.view().into_dyn()));
            }
        }
        all
    }

    /// Every array with its name, to be changed in place, in the order of [`Parameters::named`].
    pub fn named_mut(&mut self) -> Vec<(String, ArrayViewMutD<'_, F>)> {
        let mut all = Vec::new();
        for (layer, number) in self.layers.iter_mut().zip(1..) {
            all.push((format!("W{number}"), layer.w.view_mut().into_dyn()));
            all.push((format!("b{number}"), layer.b.view_mut().into_dyn()));
            if let Some((gamma, beta)) = &mut layer.gamma_beta {
                all.push((format!("gamma{number}"), gamma.view_mut().into_dyn()));
                all.push((format!("beta{number}"), beta.view_mut().into_dyn()));
            }
        }
        all
    }

    /// The array of that name.
    pub fn get(&self, name: &str) -> Option<ArrayViewD<'_, F>> {
        self.named().into_iter().find_map(|(own, array)| (own == name).then_some(array))
    }

    /// Refuses `other`, by the name `what`, unless it has the same names and shapes.
    pub(crate) fn check_like(&self, what: &str, other: &Self) -> Result<()> {
        let shapes = |parameters: &Self| -> Vec<(String, Vec<usize>)> {
            parameters.named().into_iter().map(|(name, array)| (name, array.shape().to_vec())).collect()
        };
        let (expected, got) = (shapes(self), shapes(other));
        if expected == got { Ok(()) } else { Err(Error::shape(what, expected, got)) }
    }

    /// The L2 term `0.5 * reg * sum(W^2)` over the weights of all layers.
    pub fn penalty(&self, reg: F) -> F {
        let squares: F = self.layers.iter().map(|layer| layer.w.iter().map(|&w| w * w).sum::<F>()).sum();
        F::from_f64(0.5) * reg * squares
    }
}

/// A fully-connected network with optional batch normalisation and optional dropout; ReLU and softmax loss by default.
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
    /// A new network: weights `weight_scale * randn(D, H)`, drawn from `random` layer by layer and rounded to `F`; biases
    /// and beta zero, gamma one.
    ///
    /// # Errors
    /// [`Error::Configuration`] from [`NetConfig::check`].
    pub fn new(config: NetConfig, random: &mut RandomState) -> Result<Self> {
        let scale = config.weight_scale;
        Self::with_weights(config, |shape| random.randn(shape).mapv(|r| F::from_f64(scale * r)))
    }

    /// A network of given parameters.
    ///
    /// # Errors
    /// [`Error::Configuration`] from [`NetConfig::check`]; [`Error::Shape`] for parameters of other names or shapes than
    /// the architecture has.
    pub fn from_parameters(config: NetConfig, parameters: Parameters<F>) -> Result<Self> {
        let mut net = Self::with_weights(config, Array2::zeros)?;
        net.parameters.check_like("parameters of the network", &parameters)?;
        net.parameters = parameters;
        Ok(net)
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
                gamma_beta: (config.batch_norm && index < config.hidden.len())
                    .then(|| (Array1::ones(outputs), Array1::zeros(outputs))),
            })
            .collect();
        let normalised = if config.batch_norm { config.hidden.as_slice() } else { &[] };
        let running = normalised.iter().map(|&size| RunningStatistics::zeros(size)).collect();
        Ok(Self { config, parameters: Parameters { layers }, running })
    }

    /// The architecture.
    pub fn config(&self) -> &NetConfig {
        &self.config
    }

    /// Batch normalisation's running statistics, one a hidden layer; none without it.
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

    /// The training loss, L2 term included, and its gradients by parameter. Dropout masks are drawn from `random`, layer
    /// by layer; batch normalisation's running statistics move.
    ///
    /// - `x`: (N, D), N > 0; `targets`: N labels in 0..C, or (N, C) numbers, as the loss wants them
    pub fn loss<'a>(
        &mut self,
        x: ArrayView2<'_, F>,
        targets: impl Into<Targets<'a, F>>,
        random: &mut RandomState,
    ) -> Result<(F, Parameters<F>)> {
        let drop = &mut stream_drop(Mode::Train, random);
        let (data, penalty, gradients) = self.loss_with(x, targets.into(), None, drop)?;
        Ok((data + penalty, gradients))
    }

    /// [`FullyConnectedNet::loss`] with weights for the samples and dropout as the caller does it: the loss without the L2
    /// term, that term, and the gradients of their sum.
    pub(crate) fn loss_with(
        &mut self,
        x: ArrayView2<'_, F>,
        targets: Targets<'_, F>,
        weights: Option<&[f64]>,
        drop: &mut DropFn<'_, F>,
    ) -> Result<(F, F, Parameters<F>)> {
        let (scores, cache) = self.forward_with(x, Mode::Train, drop)?;
        let (data_loss, dscores) = self.config.loss.evaluate(scores.view(), targets, weights)?;

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

        let reg = F::from_f64(self.config.reg);
        if reg > F::zero() {
            for (gradient, layer) in layers.iter_mut().zip(&self.parameters.layers) {
                gradient.w.scaled_add(reg, &layer.w);
            }
        }
        Ok((data_loss, self.parameters.penalty(reg), Parameters { layers }))
    }

    /// The scores (N, C) and the caches of all layers.
    pub(crate) fn forward(
        &mut self,
        x: ArrayView2<'_, F>,
        mode: Mode,
        random: &mut RandomState,
    ) -> Result<(Array2<F>, ForwardCache<F>)> {
        self.forward_with(x, mode, &mut stream_drop(mode, random))
    }

    /// [`FullyConnectedNet::forward`] with dropout as the caller does it.
    pub(crate) fn forward_with(
        &mut self,
        x: ArrayView2<'_, F>,
        mode: Mode,
        drop: &mut DropFn<'_, F>,
    ) -> Result<(Array2<F>, ForwardCache<F>)> {
        let Some((last, hidden)) = self.parameters.layers.split_last() else {
            return Err(Error::configuration("the network has no layer"));
        };
        let mut running = self.running.iter_mut();
        let input = match self.config.input_dropout {
            Some(dropout) => drop(None, x, dropout).0,
            None => x.to_owned(),
        };
        let mut activation = input.view();
        let mut outputs;
        let mut caches = Vec::with_capacity(hidden.len());
        for (index, layer) in hidden.iter().enumerate() {
            let composite = HiddenLayer {
                w: layer.w.view(),
                b: layer.b.view(),
                gamma_beta: layer.gamma_beta.as_ref().map(|(gamma, beta)| (gamma.view(), beta.view())),
                running: running.next(),
                activation: self.config.activation,
                dropout: self.config.dropout.layer(index),
            };
            let (out, cache) = hidden_forward_with(activation, composite, mode, |out, dropout| {
                drop(Some(index), out, dropout)
            })?;
            outputs = out;
            activation = outputs.view();
            caches.push(cache);
        }
        let (scores, last) = affine_forward(activation, last.w.view(), last.b.view())?;
        Ok((scores, ForwardCache { input, hidden: caches, last }))
    }
}

/// Applies a layer's dropout to its output (N, H), or the network's to its input (N, D) if the layer is `None`.
pub(crate) type DropFn<'a, F> =
    dyn FnMut(Option<usize>, ArrayView2<'_, F>, Dropout) -> (Array2<F>, DropoutCache<F, Ix2>) + 'a;

/// Dropout with masks from NumPy's stream.
pub(crate) fn stream_drop<F: Float>(
    mode: Mode,
    random: &mut RandomState,
) -> impl FnMut(Option<usize>, ArrayView2<'_, F>, Dropout) -> (Array2<F>, DropoutCache<F, Ix2>) {
    move |_, x, dropout| dropout_forward(x, dropout, mode, random)
}
