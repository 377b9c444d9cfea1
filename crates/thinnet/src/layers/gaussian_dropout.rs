//! Multiplicative Gaussian noise (Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from
//! Overfitting", JMLR 15, 2014, section 10): in training each unit is multiplied by a random number with mean 1 and
//! the variance of inverted dropout's mask.

use ndarray::{Array, ArrayView, Dimension};

use super::{Draws, Dropout, DropoutCache, Mode, dropout_backward};
use crate::error::Result;
use crate::float::Float;

/// Converts a standard normal number to the factor on a unit: `1 + sigma z`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GaussianFactor {
    sigma: f64,
}

impl GaussianFactor {
    /// `sigma^2 = (1 - p) / p`, the variance of a mask that is 1/p with probability p and 0 otherwise.
    pub(crate) fn new(dropout: Dropout) -> Self {
        let p = dropout.keep_prob();
        Self { sigma: ((1.0 - p) / p).sqrt() }
    }

    /// The deviation of the factor.
    #[cfg(feature = "export")]
    pub(crate) fn sigma(self) -> f64 {
        self.sigma
    }

    pub(crate) fn of<F: Float>(self, z: f64) -> F {
        F::from_f64(1.0 + self.sigma * z)
    }
}

/// Gaussian dropout: `out = x * r` in training, with r drawn from N(1, sigma^2) for each element and `sigma^2 = (1 -
/// p) / p`; `out = x` in test mode. p is the keep probability of the Bernoulli dropout with the same mean and
/// variance.
///
/// - `x`: any shape, samples first; one standard normal number of `draws` for each of its elements, in row-major
///   order
///
/// The noise can be negative: nothing is dropped, and the smaller p is, the stronger is the noise. A `seed` of the
/// dropout re-seeds NumPy's stream in either mode, as [`dropout_forward`](super::dropout_forward) does.
///
/// ```
/// use ndarray::Array2;
/// use thinnet::{layers::{Draws, Dropout, Mode, gaussian_dropout_forward}, random::RandomState};
/// # fn main() -> thinnet::Result<()> {
/// let (x, dropout) = (Array2::<f64>::ones((100, 100)), Dropout::new(0.8, None)?);
/// let mut random = RandomState::new(231);
/// let draws = Draws::Numpy(&mut random);
/// let (out, _) = gaussian_dropout_forward(x.view(), dropout, Mode::Train, draws);
/// assert!((out.sum() / 1e4 - 1.0).abs() < 0.02 && (out.var(0.0) - 0.25).abs() < 0.02);
/// # Ok(()) }
/// ```
pub fn gaussian_dropout_forward<F: Float, D: Dimension>(
    x: ArrayView<'_, F, D>,
    dropout: Dropout,
    mode: Mode,
    mut draws: Draws<'_>,
) -> (Array<F, D>, DropoutCache<F, D>) {
    draws.reseed(dropout.seed());
    if mode == Mode::Test {
        return (x.to_owned(), DropoutCache::test());
    }
    let factor = GaussianFactor::new(dropout);
    let noise = draws.normals(x.raw_dim()).mapv(|z| factor.of(z));
    (&x * &noise, DropoutCache::from_mask(noise))
}

/// Gradient of [`gaussian_dropout_forward`] with respect to `x`: `dout * r`, and `dout` in test mode.
///
/// - `dout`: the shape of `x`
pub fn gaussian_dropout_backward<F: Float, D: Dimension>(
    dout: ArrayView<'_, F, D>,
    cache: &DropoutCache<F, D>,
) -> Result<Array<F, D>> {
    dropout_backward(dout, cache)
}
