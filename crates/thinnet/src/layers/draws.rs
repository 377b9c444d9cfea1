//! The source of a dropout layer's random numbers.

use ndarray::{Array, Dimension};

use crate::random::{CounterMasks, RandomState};

/// The source of one dropout layer's random numbers in one pass.
#[derive(Debug)]
pub enum Draws<'a> {
    /// NumPy's stream, drawn in row-major order. A dropout's seed re-seeds it.
    Numpy(&'a mut RandomState),
    /// The counter-based stream: functions of its seed, the step, the layer's number, the sample and the unit. A
    /// dropout's seed has no effect.
    Counter {
        /// The stream.
        masks: CounterMasks,
        /// The training step.
        step: u64,
        /// The layer's number.
        layer: u32,
    },
}

impl Draws<'_> {
    /// Re-seeds NumPy's stream, if there is a seed.
    pub(super) fn reseed(&mut self, seed: Option<u32>) {
        if let (Self::Numpy(random), Some(seed)) = (self, seed) {
            random.seed(seed);
        }
    }

    /// Which elements of an array are kept, each with this probability.
    pub(super) fn kept<D: Dimension>(&mut self, shape: D, keep_prob: f64) -> Array<bool, D> {
        match self {
            Self::Numpy(random) => random.rand(shape).mapv(|u| u < keep_prob),
            Self::Counter { masks, step, layer } => {
                let (samples, units) = samples_and_units(&shape);
                let masks = masks.layer(*step, *layer, units, keep_prob);
                filled(shape, (0..samples).flat_map(|sample| masks.sample(sample)))
            }
        }
    }

    /// Standard normal numbers.
    pub(super) fn normals<D: Dimension>(&mut self, shape: D) -> Array<f64, D> {
        match self {
            Self::Numpy(random) => random.randn(shape),
            Self::Counter { masks, step, layer } => {
                let (samples, units) = samples_and_units(&shape);
                let normals = masks.normals(*step, *layer, units);
                filled(shape, (0..samples).flat_map(|sample| normals.sample(sample)))
            }
        }
    }
}

/// The number of samples (first axis), and of units in each; an array without axes is one unit of one sample.
fn samples_and_units<D: Dimension>(shape: &D) -> (usize, usize) {
    match shape.slice().split_first() {
        None => (1, 1),
        Some((&samples, units)) => (samples, units.iter().product()),
    }
}

/// An array of these values, row-major.
fn filled<T: Default, D: Dimension>(shape: D, mut values: impl Iterator<Item = T>) -> Array<T, D> {
    Array::from_shape_simple_fn(shape, || values.next().unwrap_or_default())
}
