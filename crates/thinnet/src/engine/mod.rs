//! How a training step is computed. The solver knows only [`Engine`]; [`Layers`] computes with the readable layers, the
//! truth that [`Thin`] is tested against.

mod layers;
mod masks;
mod scores;
mod store;
mod thin;
mod threads;

pub use layers::Layers;
pub use masks::MaskSource;
pub use scores::ByteInputs;
pub use thin::{StepTimes, Thin};
pub use thinnet_kernels::Isa;

use std::str::FromStr;

use ndarray::Array2;
use serde::{Deserialize, Serialize};
use thinnet_kernels::PanelBuf;

use self::scores::highest;
use crate::data::Features;
use crate::error::{Error, Result};
use crate::float::Float;
use crate::net::{FullyConnectedNet, Parameters};
use crate::optim::UpdateRule;
use crate::random::RandomState;

/// Computes training steps and scores for one network.
pub trait Engine<F: Float> {
    /// One training step: the loss over the samples `batch` (indices into `x` and `y`), its gradients, and the update of
    /// every parameter.
    ///
    /// - `x`: N samples of D numbers; `y`: N labels
    ///
    /// Masks are drawn from `random`, layer by layer, as the course does, unless the engine has a stream of its own for
    /// them. Returns the loss before the update, with the L2 term.
    fn step(
        &mut self,
        x: &Features<F>,
        y: &[usize],
        batch: &[usize],
        random: &mut RandomState,
    ) -> Result<f64>;

    /// Brings samples (N, D) into the form that the engine computes scores from, to be used any number of times.
    fn load(&self, x: &Features<F>) -> Result<Inputs<F>>;

    /// The class scores (N, C) of loaded samples in test mode.
    fn scores(&mut self, inputs: &Inputs<F>, random: &mut RandomState) -> Result<Array2<F>>;

    /// The class with the highest score (the first of equals) for each loaded sample, in test mode.
    fn classes(&mut self, inputs: &Inputs<F>, random: &mut RandomState) -> Result<Vec<usize>> {
        let scores = self.scores(inputs, random)?;
        Ok(scores.rows().into_iter().map(|row| highest(&row.to_vec())).collect())
    }

    /// The current parameters.
    fn parameters(&self) -> Result<Parameters<F>>;

    /// Keeps a copy of the current parameters, in place of an earlier one: cheaper than [`Engine::parameters`].
    fn remember(&mut self);

    /// The parameters that were remembered last, or the current ones.
    fn remembered(&self) -> Result<Parameters<F>>;

    /// Sets the learning rate of the steps to come.
    fn set_learning_rate(&mut self, learning_rate: f64);
}

/// Samples (N, D) in the form that an engine takes.
#[derive(Debug, Clone)]
pub enum Inputs<F> {
    /// Row-major.
    Rows(Array2<F>),
    /// In the kernels' layout.
    Panels(PanelBuf<F>),
    /// Images, for classes alone; scores are computed from their floats.
    Bytes(ByteInputs),
}

/// How a layer's products are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Product {
    /// Each product whichever way was measured to be faster, at its layer's keep probability.
    #[default]
    Auto,
    /// Everything, and then times the mask: what a framework does.
    Dense,
    /// Kept units only.
    Thin,
}

impl Product {
    /// The keep probability from which computing every unit of the first layer is faster than choosing (measured:
    /// docs/performance.md).
    const CROSSOVER: f64 = 0.8;

    /// Whether the first layer's forward product, whose input has no zeros, is computed for every unit at this keep
    /// probability.
    fn is_first_dense(self, keep: f64) -> bool {
        match self {
            Self::Auto => keep >= Self::CROSSOVER,
            Self::Dense => true,
            Self::Thin => false,
        }
    }

    /// Whether the other products take what was dropped, or was not positive, as zeros instead of leaving it out. At no
    /// keep probability that was measured is that faster: ReLU makes half of it zero (docs/performance.md).
    fn lists_all(self) -> bool {
        self == Self::Dense
    }

    /// The names of all.
    pub const NAMES: [&'static str; 3] = ["auto", "dense", "thin"];

    /// `auto`, `dense` or `thin`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Dense => "dense",
            Self::Thin => "thin",
        }
    }
}

impl FromStr for Product {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        [Self::Auto, Self::Dense, Self::Thin].into_iter().find(|product| product.name() == name).ok_or_else(
            || {
                Error::configuration(format!(
                    "there is no engine {name:?}; the engines are auto, dense, thin"
                ))
            },
        )
    }
}

/// How an engine computes: none of it but the masks' source changes what is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EngineConfig {
    /// Dense or thin products.
    pub product: Product,
    /// Threads, 1 to 1024. The figures are bitwise the same for any number.
    pub threads: usize,
    /// Where masks come from.
    pub masks: MaskSource,
    /// The instruction set; `None` takes the best that this CPU has.
    pub isa: Option<Isa>,
}

impl EngineConfig {
    /// The course's: masks from NumPy's stream, `threads` threads.
    pub fn course(threads: usize) -> Self {
        Self { product: Product::Auto, threads, masks: MaskSource::Numpy, isa: None }
    }
}

/// The engine for a network: [`Thin`] where it can compute it, [`Layers`] where it cannot (batch normalisation).
///
/// # Errors
/// [`Error::Configuration`] for settings out of range.
pub fn build<F: Float>(
    net: FullyConnectedNet<F>,
    rule: UpdateRule,
    config: EngineConfig,
) -> Result<Box<dyn Engine<F>>> {
    if net.config().batch_norm {
        return Ok(Box::new(Layers::new(net, rule)?));
    }
    Ok(Box::new(Thin::new(&net, rule, config)?))
}

/// Checks that samples (N, D) have the network's width.
fn check_width(dim: (usize, usize), input_dim: usize) -> Result<()> {
    if dim.1 == input_dim { Ok(()) } else { Err(Error::shape("x", ("N", input_dim), dim)) }
}

/// Checks that `x` fits the network, `y` fits `x`, and the batch is not empty and names samples that are there.
fn check_batch<F: Float>(x: &Features<F>, y: &[usize], batch: &[usize], input_dim: usize) -> Result<()> {
    let (samples, _) = x.dim();
    check_width(x.dim(), input_dim)?;
    if y.len() != samples {
        return Err(Error::shape("y of step", [samples], [y.len()]));
    }
    if batch.is_empty() {
        return Err(Error::shape("batch of step", "at least one index", [0]));
    }
    match batch.iter().find(|&&index| index >= samples) {
        Some(index) => Err(Error::shape("batch of step", format!("indices below {samples}"), index)),
        None => Ok(()),
    }
}
