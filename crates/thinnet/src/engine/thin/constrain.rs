//! Bounds the norm of each unit's incoming weights after an update.

use thinnet_kernels::PanelsMut;

use super::Thin;
use crate::engine::store::Stored;
use crate::engine::threads::{Threads, split};
use crate::float::Float;
use crate::optim::max_norm_factor;

/// Squares are summed in this many parts for any number of threads, so that threads change no bit.
const PARTS: usize = 16;

impl<F: Float> Thin<F> {
    /// Limits every unit's incoming weights to the network's bound, if it has one.
    pub(super) fn constrain(&mut self) {
        let Some(bound) = self.config.max_norm else { return };
        for layer in &mut self.layers {
            let w = layer.w.value.view_mut();
            if layer.stored == Stored::Columns {
                bound_rows(w, bound, &self.threads);
            } else {
                bound_columns(w, bound, &self.threads);
            }
        }
    }
}

/// Splits the view into ranges of rows for parallel work.
fn parts<F: Float>(mut w: PanelsMut<'_, F>, count: usize) -> Vec<PanelsMut<'_, F>> {
    split(w.rows(), count).into_iter().map(|rows| w.take_first(rows.len())).collect()
}

/// For weights with one row per unit.
fn bound_rows<F: Float>(w: PanelsMut<'_, F>, bound: f64, threads: &Threads) {
    threads.each(parts(w, threads.used()), |mut w| {
        for row in 0..w.rows() {
            let of_panel = |panel| w.as_view().row(panel, row).iter().map(|w| w.as_f64() * w.as_f64());
            let squares: f64 = (0..w.panels()).flat_map(of_panel).sum();
            if let Some(factor) = max_norm_factor(squares, bound) {
                let factor = F::from_f64(factor);
                for panel in 0..w.panels() {
                    w.row_mut(panel, row).iter_mut().for_each(|w| *w *= factor);
                }
            }
        }
    });
}

/// For weights with one column per unit.
fn bound_columns<F: Float>(mut w: PanelsMut<'_, F>, bound: f64, threads: &Threads) {
    let columns = w.panels() * F::PANEL;
    let sums = threads.each(parts(w.reborrow(), PARTS), |w| {
        let mut squares = vec![0.0; columns];
        for (panel, squares) in squares.chunks_exact_mut(F::PANEL).enumerate() {
            for row in 0..w.rows() {
                for (sum, w) in squares.iter_mut().zip(w.as_view().row(panel, row)) {
                    *sum += w.as_f64() * w.as_f64();
                }
            }
        }
        squares
    });
    let mut any = false;
    let factors: Vec<F> = (0..columns)
        .map(|column| {
            let factor = max_norm_factor(sums.iter().map(|part| part[column]).sum(), bound);
            any |= factor.is_some();
            F::from_f64(factor.unwrap_or(1.0))
        })
        .collect();
    if !any {
        return;
    }
    threads.each(parts(w, threads.used()), |mut w| {
        for (panel, factors) in factors.chunks_exact(F::PANEL).enumerate() {
            for row in 0..w.rows() {
                for (w, &factor) in w.row_mut(panel, row).iter_mut().zip(factors) {
                    *w *= factor;
                }
            }
        }
    });
}
