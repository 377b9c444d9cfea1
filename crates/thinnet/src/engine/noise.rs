//! The factors of Gaussian dropout for a batch.

use super::masks::LayerDraw;
use super::threads::Threads;
use crate::float::Float;
use crate::layers::GaussianFactor;
use crate::random::{CounterMasks, RandomState};

/// The factor on each unit of a layer in each sample of a batch.
#[derive(Debug, Default)]
pub(super) struct Noise<F> {
    /// `[units][samples]`, in the order of lists that keep every sample of every unit.
    factors: Vec<F>,
}

impl<F: Float> Noise<F> {
    /// Draws the factors of (samples, units) from NumPy's stream: one standard normal number per unit, in row-major
    /// order.
    pub(super) fn draw_numpy(&mut self, of: LayerDraw, random: &mut RandomState) {
        let LayerDraw { samples, units, dropout, .. } = of;
        if let Some(seed) = dropout.seed() {
            random.seed(seed);
        }
        let factor = GaussianFactor::new(dropout);
        self.resize(samples, units);
        for sample in 0..samples {
            for unit in 0..units {
                self.factors[unit * samples + sample] = factor.of(random.standard_normal());
            }
        }
    }

    /// Draws the same from a counter-based stream; each thread draws an equal share of the samples.
    pub(super) fn draw_counter(&mut self, of: LayerDraw, seed: u64, threads: &Threads) {
        let LayerDraw { samples, units, dropout, draw, .. } = of;
        let factor = GaussianFactor::new(dropout);
        let normals = CounterMasks::new(seed).normals(draw.step, of.number(), units);
        let parts = threads.each(threads.split(samples), |samples| {
            let drawn: Vec<Vec<f64>> =
                samples.clone().map(|sample| normals.sample(draw.first + sample)).collect();
            let of_unit = |unit| drawn.iter().map(move |of_sample: &Vec<f64>| factor.of(of_sample[unit]));
            let factors: Vec<F> = (0..units).flat_map(of_unit).collect();
            (samples, factors)
        });
        self.resize(samples, units);
        for (part, factors) in parts {
            let rows = self.factors.chunks_exact_mut(samples.max(1));
            for (row, own) in rows.zip(factors.chunks_exact(part.len().max(1))) {
                row[part.clone()].copy_from_slice(own);
            }
        }
    }

    /// The factors of some neighbouring units, `[units][samples]`.
    pub(super) fn units(&self, units: std::ops::Range<usize>, samples: usize) -> &[F] {
        &self.factors[units.start * samples..units.end * samples]
    }

    fn resize(&mut self, samples: usize, units: usize) {
        self.factors.clear();
        self.factors.resize(samples * units, F::zero());
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test fails by panic
mod tests {
    use super::super::masks::{Draw, training};
    use super::*;
    use crate::layers::Dropout;

    /// Noise drawn in parallel is [`CounterMasks::normals`], times sigma, plus 1.
    #[test]
    #[allow(clippy::float_cmp)] // the same bits
    fn any_number_of_threads_draws_the_same_noise() {
        let (units, seed, step, first) = (37, 9, 1234, 17);
        let dropout = Dropout::new(0.2, None).unwrap(); // sigma is 2
        for samples in [1, 5, 64, 100] {
            let truth = CounterMasks::new(seed).normals(step, 2, units);
            for threads in [1, 2, 3, 7] {
                let mut noise = Noise::<f64>::default();
                let draw = Draw { step, number: training, first };
                let threads = Threads::new(threads).unwrap();
                noise.draw_counter(LayerDraw { samples, units, dropout, layer: 2, draw }, seed, &threads);
                for sample in 0..samples {
                    for (unit, z) in truth.sample(first + sample).into_iter().enumerate() {
                        assert_eq!(noise.units(unit..unit + 1, samples)[sample], 1.0 + 2.0 * z);
                    }
                }
            }
        }
    }
}
