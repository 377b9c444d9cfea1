//! How an engine computes.

use serde::{Deserialize, Serialize};
use thinnet_kernels::Isa;

use super::MaskSource;
use crate::names::names;

/// How a layer's products are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EngineKind {
    /// Each product in the way that was measured to be faster at its layer's keep probability.
    #[default]
    Auto,
    /// Computes all units and then multiplies by the mask, as frameworks do.
    Dense,
    /// Computes only kept units.
    Thin,
}

names!(EngineKind, "engine", "engines", Auto = "auto", Dense = "dense", Thin = "thin");

impl EngineKind {
    /// The keep probability from which computing every unit of the first layer is faster than computing only the kept
    /// ones (measured: docs/kernels.md).
    const CROSSOVER: f64 = 0.8;

    /// Whether every unit of hidden layer `layer`, with this many inputs and units above it, is computed in both
    /// passes, if a share of its units is kept. It only depends on the shapes, so that every CPU computes the same.
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

    /// Whether the first layer's forward product, whose input has no zeros, is computed for every unit at this keep
    /// probability, in a layer that is not dense.
    pub(super) fn is_first_dense(self, keep: f64) -> bool {
        self == Self::Auto && keep >= Self::CROSSOVER
    }
}

/// Pairs (n, share): dense products are faster than lists in a hidden layer if its inputs and the units above it are
/// together at most n, and at least this share of its units is kept. Above the last n, lists are always faster. The
/// cost of lists grows with units and samples, that of products also with n. The last pair is only for the first
/// layer, whose input has no zeros to leave out. Measured with the example `small_time` (docs/kernels.md).
const DENSE_FROM: [(usize, f64); 4] = [(128, 0.0), (384, 0.4), (640, 0.6), (1280, 0.75)];

/// How an engine computes: only the source of the masks changes the results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EngineConfig {
    /// Dense or thin products.
    pub kind: EngineKind,
    /// Threads, 1 to 1024. The results are bitwise the same for any number.
    pub threads: usize,
    /// Where masks come from.
    pub masks: MaskSource,
    /// The instruction set; `None` means the best that this CPU has.
    pub isa: Option<Isa>,
}

impl EngineConfig {
    /// The course's settings: masks from NumPy's stream, `threads` threads.
    pub fn course(threads: usize) -> Self {
        Self { kind: EngineKind::Auto, threads, masks: MaskSource::Numpy, isa: None }
    }
}

/// The number of available cores, as far as the system reports it: at most 1024, and 1 without threads.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(1024)
}
