//! Large batches in parts, so that the caller can stop between them.

use super::{Batch, Engine, StepLoss};
use crate::data::{Features, Targets};
use crate::error::{Error, Result};
use crate::float::Float;
use crate::net::{NetConfig, Parameters};
use crate::random::RandomState;

/// Multiply-adds of a part, forward and backward: a few tenths of a second on two cores.
const WORK: u64 = 30_000_000_000;

/// Fewer samples than this are not worth the memory traffic of their gradients.
const FEWEST: usize = 128;

/// The samples of a part of a large batch for a network: a part takes less than a second. It depends only on the
/// network's sizes and the number type.
pub fn part_size<F: Float>(config: &NetConfig) -> usize {
    let weights: u64 = config.layer_shapes().iter().map(|&(inputs, outputs)| (inputs * outputs) as u64).sum();
    let words = (size_of::<F>() / size_of::<f32>()) as u64;
    usize::try_from(WORK / (3 * words * weights.max(1))).unwrap_or(usize::MAX).max(FEWEST)
}

/// [`Engine::gradients`] of a whole batch, computed in parts of `part` samples: the same up to rounding, except that
/// with batch normalisation each part is normalised by its own statistics.
///
/// `goes_on` is called before each part; when it returns `false`, the result is `None`.
///
/// # Errors
/// As [`Engine::gradients`]; [`Error::Configuration`] for parts of 0 samples.
pub fn gradients_in_parts<F: Float>(
    engine: &mut dyn Engine<F>,
    x: &Features<F>,
    targets: Targets<'_, F>,
    batch: Batch<'_>,
    part: usize,
    random: &mut RandomState,
    goes_on: &mut dyn FnMut() -> bool,
) -> Result<Option<(StepLoss, Parameters<F>)>> {
    if part == 0 {
        return Err(Error::configuration("a part of a batch must have at least 1 sample, got 0"));
    }
    let weight = |indices: &[usize]| match batch.weights {
        None => indices.len() as f64,
        Some(weights) => indices.iter().filter_map(|&index| weights.get(index)).sum(),
    };
    let total = weight(batch.indices);
    let mut sum: Option<(StepLoss, Parameters<F>)> = None;
    let mut first = 0;
    for indices in batch.indices.chunks(part) {
        if !goes_on() {
            return Ok(None);
        }
        let own = Batch { indices, ..batch };
        let share = weight(indices) / total;
        // A part without any weight has no loss, unless that is true of the whole batch, which is an error.
        if share != 0.0 {
            let (loss, mut gradients) = engine.gradients(x, targets, own, first, random)?;
            let factor = F::from_f64(share);
            gradients.named_mut().into_iter().for_each(|(_, mut own)| own.mapv_inplace(|g| factor * g));
            let loss = StepLoss { data: share * loss.data, ..loss };
            sum = Some(match sum {
                None => (loss, gradients),
                Some((before, mut mean)) => {
                    for ((_, mut mean), (_, own)) in mean.named_mut().into_iter().zip(gradients.named()) {
                        mean += &own;
                    }
                    (StepLoss { data: before.data + loss.data, ..loss }, mean)
                }
            });
        }
        first += indices.len();
    }
    sum.map_or_else(|| Err(Error::shape("batch of step", "at least one index", [0])), |sum| Ok(Some(sum)))
}
