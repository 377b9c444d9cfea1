//! Inverted dropout (Hinton et al. 2012; Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from
//! Overfitting", JMLR 15, 2014): in training each unit is kept with probability p and scaled by 1/p, so that evaluation
//! needs no scaling.

use ndarray::{Array, ArrayView, Dimension};

use super::{Draws, Mode};
use crate::error::{Error, Result};
use crate::float::Float;
use crate::random::RandomState;

/// The settings of a dropout layer.
///
/// ```
/// use thinnet::layers::Dropout;
/// # fn main() -> thinnet::Result<()> {
/// let dropout = Dropout::new(0.8, None)?; // KEEPS 8 of 10 units
/// assert_eq!(dropout.keep_prob(), 0.8);
/// assert!(Dropout::new(0.0, None).is_err());
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dropout {
    keep_prob: f64,
    seed: Option<u32>,
}

impl Dropout {
    /// A dropout layer that KEEPS each unit with probability `keep_prob` (the course's `p`).
    ///
    /// With a `seed`, every forward pass, in either mode, re-seeds the stream before it draws and does not restore
    /// it, as in the course, so that a numerical gradient always sees the same mask.
    ///
    /// # Errors
    /// [`Error::Configuration`] unless 0 < `keep_prob` <= 1.
    pub fn new(keep_prob: f64, seed: Option<u32>) -> Result<Self> {
        if keep_prob > 0.0 && keep_prob <= 1.0 {
            Ok(Self { keep_prob, seed })
        } else {
            Err(Error::configuration(format!(
                "the keep probability must be above 0 and at most 1, got {keep_prob}; it is the probability to KEEP a \
                 unit (a drop rate r is a keep probability of 1 - r)"
            )))
        }
    }

    /// The probability to keep a unit.
    pub fn keep_prob(&self) -> f64 {
        self.keep_prob
    }

    /// The seed of every forward pass, if it is fixed.
    pub fn seed(&self) -> Option<u32> {
        self.seed
    }
}

/// The dropout of a network's hidden layers.
///
/// ```
/// use thinnet::layers::{Dropout, HiddenDropout};
/// # fn main() -> thinnet::Result<()> {
/// let (first, second) = (Dropout::new(0.8, None)?, Dropout::new(0.5, None)?);
/// let each = HiddenDropout::Each(vec![first, second]);
/// assert_eq!(each.layer(1), Some(second));
/// assert_eq!(HiddenDropout::Every(first).layer(7), Some(first));
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub enum HiddenDropout {
    /// No dropout.
    #[default]
    None,
    /// The same for every layer.
    Every(Dropout),
    /// One for each layer, first to last.
    Each(Vec<Dropout>),
}

impl HiddenDropout {
    /// The dropout of hidden layer `index`, counted from 0.
    pub fn layer(&self, index: usize) -> Option<Dropout> {
        match self {
            Self::None => None,
            Self::Every(dropout) => Some(*dropout),
            Self::Each(each) => each.get(index).copied(),
        }
    }
}

impl From<Option<Dropout>> for HiddenDropout {
    fn from(dropout: Option<Dropout>) -> Self {
        dropout.map_or(Self::None, Self::Every)
    }
}

/// What [`dropout_backward`] needs of the forward pass: the mask, the factor on each input; `None` in test mode.
#[derive(Debug, Clone)]
pub struct DropoutCache<F, D: Dimension>(Option<Array<F, D>>);

impl<F, D: Dimension> DropoutCache<F, D> {
    /// The cache of a training pass with this mask: 0 or 1/p, or Gaussian dropout's noise.
    pub fn from_mask(mask: Array<F, D>) -> Self {
        Self(Some(mask))
    }

    /// The cache of a forward pass in test mode.
    pub(super) fn test() -> Self {
        Self(None)
    }

    /// The mask (the input's shape): 1/p if a unit is kept and 0 if it is dropped; for Gaussian dropout, its noise.
    /// `None` in test mode.
    pub fn mask(&self) -> Option<&Array<F, D>> {
        self.0.as_ref()
    }
}

/// Inverted dropout: `out = x * mask` with `mask = (rand(shape) < p) / p` in training, `out = x` in test mode.
///
/// - `x`: any shape; one number of `random` is drawn for each of its elements, in row-major order
///
/// ```
/// use ndarray::Array2;
/// use thinnet::{layers::{Dropout, Mode, dropout_forward}, random::RandomState};
/// # fn main() -> thinnet::Result<()> {
/// let (x, dropout) = (Array2::<f64>::ones((100, 50)), Dropout::new(0.5, None)?);
/// let mut random = RandomState::new(231);
/// let (out, _) = dropout_forward(x.view(), dropout, Mode::Train, &mut random);
/// assert!(out.iter().all(|&unit| unit == 0.0 || unit == 2.0)); // dropped, or scaled by 1 / p
/// let (out, _) = dropout_forward(x.view(), dropout, Mode::Test, &mut random);
/// assert_eq!(out, x);
/// # Ok(()) }
/// ```
pub fn dropout_forward<F: Float, D: Dimension>(
    x: ArrayView<'_, F, D>,
    dropout: Dropout,
    mode: Mode,
    random: &mut RandomState,
) -> (Array<F, D>, DropoutCache<F, D>) {
    dropout_forward_with(x, dropout, mode, Draws::Numpy(random))
}

/// [`dropout_forward`] with a mask from any stream.
pub(crate) fn dropout_forward_with<F: Float, D: Dimension>(
    x: ArrayView<'_, F, D>,
    dropout: Dropout,
    mode: Mode,
    mut draws: Draws<'_>,
) -> (Array<F, D>, DropoutCache<F, D>) {
    draws.reseed(dropout.seed());
    if mode == Mode::Test {
        return (x.to_owned(), DropoutCache::test());
    }
    let scale = F::from_f64(1.0 / dropout.keep_prob);
    let kept = draws.kept(x.raw_dim(), dropout.keep_prob);
    let mask = kept.mapv(|kept| if kept { scale } else { F::zero() });
    (&x * &mask, DropoutCache::from_mask(mask))
}

/// Gradient of [`dropout_forward`] with respect to `x`: `dout * mask`; `dout` in test mode.
///
/// - `dout`: the shape of `x`
pub fn dropout_backward<F: Float, D: Dimension>(
    dout: ArrayView<'_, F, D>,
    cache: &DropoutCache<F, D>,
) -> Result<Array<F, D>> {
    match cache.mask() {
        None => Ok(dout.to_owned()),
        Some(mask) if mask.shape() == dout.shape() => Ok(&dout * mask),
        Some(mask) => Err(Error::shape("dout of dropout_backward", mask.shape(), dout.shape())),
    }
}
