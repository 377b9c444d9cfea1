//! Max-norm regularisation (Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting",
//! JMLR 15, 2014, section 5.1): after each update, each unit's incoming weights are scaled down to a norm of at most
//! `c`.

use ndarray::ArrayViewMut2;

use crate::float::Float;

/// Limits each column of `w` (D, H), the incoming weights of one unit, to an L2 norm of at most `bound` (above 0).
pub fn max_norm<F: Float>(mut w: ArrayViewMut2<'_, F>, bound: f64) {
    for mut column in w.columns_mut() {
        let squares = column.iter().map(|w| w.as_f64() * w.as_f64()).sum();
        if let Some(factor) = max_norm_factor(squares, bound) {
            let factor = F::from_f64(factor);
            column.mapv_inplace(|w| w * factor);
        }
    }
}

/// The factor that brings numbers with this sum of squares within the bound; `None` if they are within it already, or
/// if one is NaN.
pub(crate) fn max_norm_factor(squares: f64, bound: f64) -> Option<f64> {
    let norm = squares.sqrt();
    (norm > bound).then(|| bound / norm)
}
