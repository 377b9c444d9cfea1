//! The parameters of a network, by layer and by name.

use ndarray::{Array1, Array2, ArrayViewD, ArrayViewMutD};

use crate::error::{Error, Result};
use crate::float::Float;

/// The parameters of one layer, or their gradients.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerParameters<F> {
    /// Weights (D, H).
    pub w: Array2<F>,
    /// Biases (H).
    pub b: Array1<F>,
    /// Scale and shift of the normalisation (H each), in a hidden layer that has one.
    pub gamma_beta: Option<(Array1<F>, Array1<F>)>,
}

/// The parameters of a network, or their gradients, layer by layer. By name they are the course's: `W1`, `b1`,
/// (`gamma1`, `beta1`,) `W2`, ...
#[derive(Debug, Clone, PartialEq)]
pub struct Parameters<F> {
    /// First layer to last.
    pub layers: Vec<LayerParameters<F>>,
}

impl<F: Float> Parameters<F> {
    /// Every array with its name, in the course's order.
    pub fn named(&self) -> Vec<(String, ArrayViewD<'_, F>)> {
        let mut all = Vec::new();
        for (layer, number) in self.layers.iter().zip(1..) {
            all.push((format!("W{number}"), layer.w.view().into_dyn()));
            all.push((format!("b{number}"), layer.b.view().into_dyn()));
            if let Some((gamma, beta)) = &layer.gamma_beta {
                all.push((format!("gamma{number}"), gamma.view().into_dyn()));
                all.push((format!("beta{number}"), beta.view().into_dyn()));
            }
        }
        all
    }

    /// Every array with its name, to be changed in place, in the order of [`Parameters::named`].
    pub fn named_mut(&mut self) -> Vec<(String, ArrayViewMutD<'_, F>)> {
        let mut all = Vec::new();
        for (layer, number) in self.layers.iter_mut().zip(1..) {
            all.push((format!("W{number}"), layer.w.view_mut().into_dyn()));
            all.push((format!("b{number}"), layer.b.view_mut().into_dyn()));
            if let Some((gamma, beta)) = &mut layer.gamma_beta {
                all.push((format!("gamma{number}"), gamma.view_mut().into_dyn()));
                all.push((format!("beta{number}"), beta.view_mut().into_dyn()));
            }
        }
        all
    }

    /// The array of that name.
    pub fn get(&self, name: &str) -> Option<ArrayViewD<'_, F>> {
        self.named().into_iter().find_map(|(own, array)| (own == name).then_some(array))
    }

    /// Every array's name and shape, in the order of [`Parameters::named`].
    pub(super) fn shapes(&self) -> Vec<(String, Vec<usize>)> {
        self.named().into_iter().map(|(name, array)| (name, array.shape().to_vec())).collect()
    }

    /// Refuses `other`, by the name `what`, unless it has the same names and shapes.
    pub(crate) fn check_like(&self, what: &str, other: &Self) -> Result<()> {
        let (expected, got) = (self.shapes(), other.shapes());
        if expected == got { Ok(()) } else { Err(Error::shape(what, expected, got)) }
    }

    /// The L2 and the L1 term, `0.5 * reg * sum(W^2) + l1 * sum(|W|)`, over the weights of all layers.
    pub fn penalty(&self, reg: F, l1: F) -> F {
        let squares: F = self.layers.iter().map(|layer| layer.w.iter().map(|&w| w * w).sum::<F>()).sum();
        let penalty = F::from_f64(0.5) * reg * squares;
        if l1 == F::zero() {
            return penalty;
        }
        let sizes: F = self.layers.iter().map(|layer| layer.w.iter().map(|w| w.abs()).sum::<F>()).sum();
        penalty + l1 * sizes
    }
}
