//! Batch normalisation in test mode as a part of the layer before it.

use ndarray::{Array1, Array2};

use crate::float::Float;
use crate::layers::{BatchNorm, RunningStatistics};

/// Makes `gamma (x W + b - mean) / sqrt(variance + epsilon) + beta` of `x W + b`.
pub(super) fn fold<F: Float>(
    w: &mut Array2<f64>,
    b: &mut Array1<f64>,
    running: &RunningStatistics<F>,
    gamma: &Array1<F>,
    beta: &Array1<F>,
) {
    let epsilon = BatchNorm::default().epsilon;
    for (unit, mut column) in w.columns_mut().into_iter().enumerate() {
        let factor = gamma[unit].as_f64() / (running.variance[unit].as_f64() + epsilon).sqrt();
        column.mapv_inplace(|w| w * factor);
        b[unit] = (b[unit] - running.mean[unit].as_f64()) * factor + beta[unit].as_f64();
    }
}
