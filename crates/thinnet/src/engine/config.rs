//! How an engine computes.

use serde::{Deserialize, Serialize};
use thinnet_kernels::Isa;

use super::MaskSource;
use crate::names::names;

/// How a layer's products are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EngineKind {
    /// Each product whichever way was measured to be faster, at its layer's keep probability.
    #[default]
    Auto,
    /// Everything, and then times the mask: what a framework does.
    Dense,
    /// Kept units only.
    Thin,
}

names!(EngineKind, "engine", "engines", Auto = "auto", Dense = "dense", Thin = "thin");

impl EngineKind {
    /// The keep probability from which computing every unit of the first layer is faster than choosing (measured:
    /// docs/kernels.md).
    const CROSSOVER: f64 = 0.8;

    /// Whether every unit of hidden layer `layer` with so many inputs and units above it is computed, in both passes, when a share of
    /// its units is kept. It hangs on the shapes alone, so that every CPU computes the same.
    pub(super) fn is_dense(self, layer: usize, inputs: usize, above: usize, share: f64) -> bool {
        match self {
            Self::Auto => {
                let table = if layer == 0 { &DENSE_FROM[..] } else { &DENSE_FROM[..3] };
                let from = table.iter().find(|&&(most, _)| inputs + above <= most);
                from.is_some_and(|&(_, from)| share >= from)
            }
            Self::Dense => true,
            Self::Thin => false,
        }
    }

    /// Whether the first layer's forward product, whose input has no zeros, is computed for every unit of a layer that is not
    /// dense, at this keep probability.
    pub(super) fn is_first_dense(self, keep: f64) -> bool {
        self == Self::Auto && keep >= Self::CROSSOVER
    }
}

/// The share of a hidden layer's units that must be kept for dense products to be faster than lists, by the most that the layer has
/// of inputs and units above it together; above the last, lists are. Lists cost by unit and sample, products by these two as well.
/// The last line is for the first layer alone, whose input has no zeros to leave out. Measured with the example `small_time`
/// (docs/kernels.md).
const DENSE_FROM: [(usize, f64); 4] = [(128, 0.0), (384, 0.4), (640, 0.6), (1280, 0.75)];

/// How an engine computes: none of it but the masks' source changes what is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EngineConfig {
    /// Dense or thin products.
    pub kind: EngineKind,
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
        Self { kind: EngineKind::Auto, threads, masks: MaskSource::Numpy, isa: None }
    }
}

/// Cores that may be computed on, as far as the system tells: at most 1024, and one where there are no threads.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(1024)
}
