//! The parameters of a network, by layer and by name.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, ArrayViewD, ArrayViewMutD};

use crate::error::{Result, same_shape};
use crate::float::Float;
use crate::layers::BatchNorm;

/// The parameters of one layer, or their gradients.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerParameters<F> {
    /// Weights (D, H).
    pub w: Array2<F>,
    /// Biases (H).
    pub b: Array1<F>,
    /// Scale and shift of the normalisation (H each), if the hidden layer has one.
    pub gamma_beta: Option<(Array1<F>, Array1<F>)>,
}

impl<F> LayerParameters<F> {
    /// A view of the arrays; the normalisation has its default settings.
    pub fn view(&self) -> LayerView<'_, F> {
        LayerView {
            w: self.w.view(),
            b: self.b.view(),
            gamma_beta: self.gamma_beta.as_ref().map(|(gamma, beta)| (gamma.view(), beta.view())),
            settings: BatchNorm::default(),
        }
    }
}

/// Borrowed parameters of one layer.
#[derive(Debug, Clone, Copy)]
pub struct LayerView<'a, F> {
    /// Weights (D, H).
    pub w: ArrayView2<'a, F>,
    /// Biases (H).
    pub b: ArrayView1<'a, F>,
    /// Scale and shift of the normalisation (H each), if the hidden layer has one.
    pub gamma_beta: Option<(ArrayView1<'a, F>, ArrayView1<'a, F>)>,
    /// The normalisation's settings; layer normalisation has no momentum.
    pub settings: BatchNorm,
}

impl<F: Float> LayerView<'_, F> {
    /// A copy of the arrays.
    pub fn to_parameters(&self) -> LayerParameters<F> {
        LayerParameters {
            w: self.w.to_owned(),
            b: self.b.to_owned(),
            gamma_beta: self.gamma_beta.map(|(gamma, beta)| (gamma.to_owned(), beta.to_owned())),
        }
    }
}

/// Every array of these layers with its name, in the course's order.
fn named<'a, F: 'a>(layers: impl Iterator<Item = LayerView<'a, F>>) -> Vec<(String, ArrayViewD<'a, F>)> {
    let mut all = Vec::new();
    for (layer, number) in layers.zip(1..) {
        all.push((format!("W{number}"), layer.w.into_dyn()));
        all.push((format!("b{number}"), layer.b.into_dyn()));
        if let Some((gamma, beta)) = layer.gamma_beta {
            all.push((format!("gamma{number}"), gamma.into_dyn()));
            all.push((format!("beta{number}"), beta.into_dyn()));
        }
    }
    all
}

/// Every array's name and shape, in the order of [`Parameters::named`].
pub(super) fn shapes<'a, F: 'a>(layers: impl Iterator<Item = LayerView<'a, F>>) -> Vec<(String, Vec<usize>)> {
    named(layers).into_iter().map(|(name, array)| (name, array.shape().to_vec())).collect()
}

/// The L2 and the L1 term, `0.5 * reg * sum(W^2) + l1 * sum(|W|)`, over the weights of all layers.
pub(super) fn penalty<'a, F: Float>(
    weights: impl Iterator<Item = ArrayView2<'a, F>> + Clone,
    reg: F,
    l1: F,
) -> F {
    let squares: F = weights.clone().map(|w| w.iter().map(|&w| w * w).sum::<F>()).sum();
    let penalty = F::from_f64(0.5) * reg * squares;
    if l1 == F::zero() {
        return penalty;
    }
    let sizes: F = weights.map(|w| w.iter().map(|w| w.abs()).sum::<F>()).sum();
    penalty + l1 * sizes
}

/// The parameters of a network, or their gradients, layer by layer. They have the course's names: `W1`, `b1`,
/// (`gamma1`, `beta1`,) `W2`, ...
#[derive(Debug, Clone, PartialEq)]
pub struct Parameters<F> {
    /// First layer to last.
    pub layers: Vec<LayerParameters<F>>,
}

impl<F: Float> Parameters<F> {
    /// Views of the layers' arrays.
    pub(super) fn views(&self) -> impl Iterator<Item = LayerView<'_, F>> {
        self.layers.iter().map(LayerParameters::view)
    }

    /// Every array with its name, in the course's order.
    pub fn named(&self) -> Vec<(String, ArrayViewD<'_, F>)> {
        named(self.views())
    }

    /// Every array with its name, mutable, in the order of [`Parameters::named`].
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

    /// Refuses `other`, which messages call `what`, if its names and shapes differ.
    pub(crate) fn check_like(&self, what: &str, other: &Self) -> Result<()> {
        same_shape(what, &shapes(self.views()), &shapes(other.views()))
    }

    /// The L2 and the L1 term, `0.5 * reg * sum(W^2) + l1 * sum(|W|)`, over the weights of all layers.
    pub fn penalty(&self, reg: F, l1: F) -> F {
        penalty(self.layers.iter().map(|layer| layer.w.view()), reg, l1)
    }
}
