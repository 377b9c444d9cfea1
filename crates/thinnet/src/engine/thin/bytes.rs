//! Classifies images with products of bytes, unless the decision is close.
//!
//! Rounding a layer's weights to 16 bits changes a score a little. The difference of two scores changes by about
//! `deviation * |x| * |w_a - w_b|`, where `deviation` is [`ByteWeights::deviation`], `x` is the image minus the mean,
//! and `w_a`, `w_b` are the two classes' output weights (a ReLU changes no more than its input). If a sample's best
//! score leads by less than [`CLOSE`] times that, it is computed again in floats. So classes are the same as with
//! floats, unless rounding errors add up to eight standard deviations.
//! conspire to eight standard deviations.

use std::sync::Arc;

use thinnet_kernels::{
    ByteIsa, ByteRows, ByteWeights, Isa, Lists, PanelBuf, block_size, byte_dot, pack_pixels, relu_listed,
    squared_distances,
};

use super::products::forward_listed;
use crate::data::Pixels;
use crate::engine::store::Layer;
use crate::engine::threads::{Threads, split};
use crate::float::Float;
use crate::layers::argmax;

/// A decision within this many standard deviations of its error is close.
const CLOSE: f64 = 8.0;

/// Samples whose products are computed together.
const BLOCK: usize = 96;

/// Images in the form for products of bytes.
#[derive(Debug, Clone)]
pub struct ByteInputs {
    rows: ByteRows,
    /// `|x|` of each image minus the mean.
    norms: Vec<f64>,
    pixels: Arc<Pixels>,
}

impl ByteInputs {
    /// The images in that form, if this CPU is faster with bytes than with floats and the scaling is only a mean.
    pub(super) fn new(pixels: &Pixels, samples: usize) -> Option<Self> {
        ByteIsa::fast()?;
        if pixels.deviation().is_some() {
            return None;
        }
        let rows = ByteRows::new(samples, pixels.mean().len(), pixels.bytes());
        let norms = squared_distances(&rows, pixels.mean()).into_iter().map(f64::sqrt).collect();
        Some(Self { rows, norms, pixels: Arc::new(pixels.clone()) })
    }

    /// The number of images, and of pixels in each.
    pub(in crate::engine) fn dim(&self) -> (usize, usize) {
        (self.rows.rows(), self.rows.cols())
    }

    /// The chosen images as floats, in the kernels' layout.
    pub(in crate::engine) fn floats<F: Float>(&self, isa: Isa, chosen: &[usize]) -> PanelBuf<F> {
        let mut panels = PanelBuf::zeros(chosen.len(), self.rows.cols());
        pack_pixels(isa, self.pixels.bytes(), self.pixels.mean(), chosen, panels.view_mut());
        panels
    }

    /// The class of each image from a network of two layers; `None` if the decision is close, and `None` for all if a
    /// weight is not finite.
    pub(super) fn classes<F: Float>(
        &self,
        isa: Isa,
        threads: &Threads,
        first: &Layer<F>,
        last: &Layer<F>,
    ) -> Option<Vec<Option<usize>>> {
        let bytes = ByteIsa::fast()?;
        let samples = self.rows.rows();
        let w = first.w.value.view();
        let parts = threads.each(threads.split(first.outputs()), |units| {
            let weights = ByteWeights::new(bytes, w.slice(units.clone()), self.pixels.mean())?;
            // Subtracts what the mean image adds to a unit's product, and adds the bias.
            let shift: Vec<F> = weights
                .of_mean()
                .iter()
                .zip(&first.bias()[units])
                .map(|(mean, bias)| F::from_f64(bias.as_f64() - mean))
                .collect();
            Some((weights, shift))
        });
        let parts: Vec<(ByteWeights, Vec<F>)> = parts.into_iter().collect::<Option<_>>()?;
        let deviation = parts.iter().map(|(weights, _)| weights.deviation()).fold(0.0, f64::max);
        let distances = distances(last);

        let blocks = threads.each(split(samples, samples.div_ceil(BLOCK)), |block| {
            let (mut z, mut shift) = (vec![F::zero(); first.outputs() * block.len()], Vec::new());
            let mut rest = z.as_mut_slice();
            for (weights, part) in &parts {
                let (own, others) = rest.split_at_mut(part.len() * block.len());
                byte_dot(bytes, weights, &self.rows, block.clone(), own);
                shift.extend_from_slice(part);
                rest = others;
            }
            let all = Lists::full(first.outputs(), block.len(), block_size(block.len()));
            let (mut active, mut values) = (Lists::new(), Vec::new());
            relu_listed(all.view(), &z, &shift, F::one(), &mut active, &mut values);
            let mut scores = PanelBuf::zeros(block.len(), last.outputs());
            forward_listed(isa, &Threads::one(), last, &active, &values, &mut scores);
            let scores = scores.view().to_rows();
            let rows = scores.chunks_exact(last.outputs()).zip(&self.norms[block]);
            rows.map(|(scores, norm)| decide(scores, CLOSE * deviation * norm, &distances))
                .collect::<Vec<_>>()
        });
        Some(blocks.concat())
    }
}

/// The class whose score leads every other class's score by more than `unit` times the distance of the two.
fn decide<F: Float>(scores: &[F], unit: f64, distances: &[Vec<f64>]) -> Option<usize> {
    let best = argmax(scores);
    let clear = scores.iter().zip(&distances[best]).enumerate().all(|(class, (&score, distance))| {
        class == best || (scores[best] - score).as_f64() > unit * distance
    });
    clear.then_some(best)
}

/// `|w_a - w_b|` for each pair of classes, from weights with one row per input unit.
fn distances<F: Float>(last: &Layer<F>) -> Vec<Vec<f64>> {
    let classes = last.outputs();
    let rows: Vec<f64> = last.w.value.view().to_rows().into_iter().map(F::as_f64).collect();
    (0..classes)
        .map(|a| {
            let squares = |b: usize| -> f64 {
                rows.chunks_exact(classes).map(|row| (row[a] - row[b]) * (row[a] - row[b])).sum()
            };
            (0..classes).map(|b| squares(b).sqrt()).collect()
        })
        .collect()
}
