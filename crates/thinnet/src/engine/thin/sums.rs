//! Sums over all parameters.

use thinnet_kernels::all_finite;

use super::Thin;
use crate::engine::threads::{Threads, split};
use crate::float::Float;

impl<F: Float> Thin<F> {
    /// The L2 and the L1 terms.
    pub(super) fn penalty(&self) -> f64 {
        let (reg, l1) = (self.config.reg, self.config.l1);
        let squares = if reg == 0.0 { 0.0 } else { 0.5 * reg * self.over_weights(|w| w * w) };
        if l1 == 0.0 { squares } else { squares + l1 * self.over_weights(f64::abs) }
    }

    /// The name of the first array of parameters that is not finite. All threads search all arrays at once.
    pub(super) fn not_finite(&self) -> Option<String> {
        const NAMES: [&str; 4] = ["W", "b", "gamma", "beta"];
        let arrays: Vec<(String, &[F])> = (self.layers.iter().zip(1..))
            .flat_map(|(layer, number)| {
                let name = move |name| format!("{name}{number}");
                NAMES.map(name).into_iter().zip(layer.all().map(|parameter| parameter.value.as_slice()))
            })
            .collect();
        let parts = arrays.iter().enumerate().flat_map(|(number, (_, values))| {
            let ranges = self.threads.split(values.len());
            ranges.into_iter().map(move |range| (number, &values[range]))
        });
        let isa = self.isa;
        let found =
            self.threads.each(
                parts.collect(),
                |(number, values)| {
                    if all_finite(isa, values) { None } else { Some(number) }
                },
            );
        found.into_iter().flatten().min().map(|first| arrays[first].0.clone())
    }

    /// The sum of a function of all weights.
    fn over_weights(&self, of: impl Fn(f64) -> f64 + Sync) -> f64 {
        self.layers.iter().map(|layer| sum(layer.w.value.as_slice(), &self.threads, &of)).sum()
    }
}

/// The sum of a function with value 0 at 0 over all that a matrix in panels stores. The parts do not depend on the
/// number of threads; each part has as many parallel sums as a vector has lanes.
pub(super) fn sum<F: Float>(values: &[F], threads: &Threads, of: impl Fn(f64) -> f64 + Sync) -> f64 {
    const PARTS: usize = 16;
    const LANES: usize = 16;
    let parts = threads.each(split(values.len() / LANES, PARTS), |part| {
        let mut sums = [0.0; LANES];
        for values in values[part.start * LANES..part.end * LANES].chunks_exact(LANES) {
            for (sum, w) in sums.iter_mut().zip(values) {
                *sum += of(w.as_f64());
            }
        }
        sums.iter().sum::<f64>()
    });
    parts.into_iter().sum() // a panel row is a multiple of the lanes, so there is no remainder
}
