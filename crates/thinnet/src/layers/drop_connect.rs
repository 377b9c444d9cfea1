//! DropConnect (Wan et al., "Regularization of Neural Networks using DropConnect", ICML 2013): an affine layer in
//! which each sample drops its own WEIGHTS.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, ArrayViewMut1, Axis, Ix2};

use super::{AffineCache, Draws, Dropout, Mode, affine_backward, affine_forward};
use crate::error::{Error, Result, ensure, same_shape};
use crate::float::Float;
use crate::random::{LayerWeightMasks, RandomState};

/// What [`drop_connect_backward`] needs of the forward pass. It does not hold the masks, since there is one per
/// weight and sample, but their source: they are drawn again.
#[derive(Debug, Clone)]
pub struct DropConnectCache<F>(Pass<F>);

#[derive(Debug, Clone)]
enum Pass<F> {
    /// In training: the input (N, D), the weights (D, H) and their masks.
    Train { x: Array2<F>, w: Array2<F>, masks: WeightMasks },
    /// In test mode: the affine layer's cache.
    Test(AffineCache<F, Ix2>),
}

impl<F: Float> DropConnectCache<F> {
    /// The masks of the weights; `None` in test mode.
    pub(crate) fn masks(&self) -> Option<&WeightMasks> {
        match &self.0 {
            Pass::Train { masks, .. } => Some(masks),
            Pass::Test(_) => None,
        }
    }
}

/// The gradients of a DropConnect layer: those of an affine layer.
pub type DropConnectGradients<F> = super::AffineGradients<F, Ix2>;

/// DropConnect: `out_n = x_n (M_n * W) / p + b` in training, where `M_n` has a 1 for each weight that sample n keeps,
/// each independently with probability p; `out = x W + b` in test mode.
///
/// - `x`: (N, D); `w`: (D, H); `b`: (H)
/// - `draws`: one number of NumPy's stream per weight and sample, in the order sample, input, unit; or the masks of
///   the counter-based stream ([`CounterMasks::weights`](crate::random::CounterMasks::weights))
///
/// There are two differences from the paper. The paper scales nothing in training; for evaluation it draws each
/// unit's sum from a Gaussian that matches the first two moments of the masked sum, to average the activations of
/// many draws. Here kept weights are scaled by 1/p (inverted, as in dropout), and evaluation uses the mean of the
/// sum: the mean network, whose activation is computed once. Monte-Carlo scores
/// ([`Engine::masked_scores`](crate::engine::Engine::masked_scores)) average over masks themselves. Second, the paper
/// also masks the biases; here they are kept.
///
/// A step draws N D H masks and does as many multiplications for any p: this costs much more than dropout. Memory is
/// that of one sample's mask. A `seed` of the dropout re-seeds NumPy's stream in either mode, as
/// [`dropout_forward`](super::dropout_forward) does.
///
/// Returns the output (N, H).
///
/// ```
/// use ndarray::{Array1, Array2};
/// use thinnet::{layers::{Draws, Dropout, Mode, drop_connect_forward}, random::RandomState};
/// # fn main() -> thinnet::Result<()> {
/// let (x, w, b) = (Array2::<f64>::ones((4, 1)), Array2::ones((1, 50)), Array1::zeros(50));
/// let (dropout, mut random) = (Dropout::new(0.5, None)?, RandomState::new(231));
/// let draws = Draws::Numpy(&mut random);
/// let (out, _) = drop_connect_forward(x.view(), w.view(), b.view(), dropout, Mode::Train, draws)?;
/// assert!(out.iter().all(|&sum| sum == 0.0 || sum == 2.0));
/// assert_ne!(out.row(0), out.row(1)); // each sample drops its own weights
/// # Ok(()) }
/// ```
///
/// # Errors
/// [`Error::Shape`] for arrays that do not match.
pub fn drop_connect_forward<F: Float>(
    x: ArrayView2<'_, F>,
    w: ArrayView2<'_, F>,
    b: ArrayView1<'_, F>,
    dropout: Dropout,
    mode: Mode,
    mut draws: Draws<'_>,
) -> Result<(Array2<F>, DropConnectCache<F>)> {
    ensure!(x.ncols() == w.nrows(), Error::shape("x of drop_connect_forward", ("N", w.nrows()), x.shape()));
    same_shape("b of drop_connect_forward", &[w.ncols()], b.shape())?;
    draws.reseed(dropout.seed());
    if mode == Mode::Test {
        let (out, cache) = affine_forward(x, w, b)?;
        return Ok((out, DropConnectCache(Pass::Test(cache))));
    }
    let masks = WeightMasks::draw(x.nrows(), w.dim(), dropout, draws);
    let mut out = Array2::from_shape_fn((x.nrows(), w.ncols()), |(_, h)| b[h]);
    masks.each(|n, mask| add_product(x.row(n), w, mask, out.row_mut(n)));
    Ok((out, DropConnectCache(Pass::Train { x: x.to_owned(), w: w.to_owned(), masks })))
}

/// `out += x (mask * W)` for one sample.
///
/// - `x`: (D); `w`, `mask`: (D, H); `out`: (H)
pub(crate) fn add_product<F: Float>(
    x: ArrayView1<'_, F>,
    w: ArrayView2<'_, F>,
    mask: ArrayView2<'_, F>,
    mut out: ArrayViewMut1<'_, F>,
) {
    let mut masked = Array1::zeros(w.ncols());
    for ((&x, w), mask) in x.iter().zip(w.rows()).zip(mask.rows()) {
        masked.assign(&w);
        masked *= &mask;
        out.scaled_add(x, &masked);
    }
}

/// Gradients of [`drop_connect_forward`]: with the sample's masked weights `V_n = (M_n * W) / p`, `dx_n = dout_n
/// V_n^T`, `dW = sum over samples of M_n * (x_n^T dout_n) / p`, `db = sum over samples of dout_n`. In test mode those
/// of the affine layer.
///
/// - `dout`: (N, H)
///
/// # Errors
/// [`Error::Shape`] if `dout` does not have the output's shape.
pub fn drop_connect_backward<F: Float>(
    dout: ArrayView2<'_, F>,
    cache: &DropConnectCache<F>,
) -> Result<DropConnectGradients<F>> {
    let (x, w, masks) = match &cache.0 {
        Pass::Train { x, w, masks } => (x, w, masks),
        Pass::Test(cache) => return affine_backward(dout, cache),
    };
    let expected = [x.nrows(), w.ncols()];
    same_shape("dout of drop_connect_backward", &expected, dout.shape())?;
    let (mut dx, mut dw) = (Array2::zeros(x.raw_dim()), Array2::zeros(w.raw_dim()));
    let mut masked = Array1::zeros(w.ncols());
    masks.each(|n, mask| {
        let dout = dout.row(n);
        for (d, mask) in mask.rows().into_iter().enumerate() {
            masked.assign(&w.row(d));
            masked *= &mask;
            dx[(n, d)] = masked.dot(&dout);
            masked.assign(&dout);
            masked *= &mask;
            dw.row_mut(d).scaled_add(x[(n, d)], &masked);
        }
    });
    let b: Array1<F> = dout.sum_axis(Axis(0));
    Ok(DropConnectGradients { x: dx, w: dw, b })
}

/// The masks of a layer's weights (D, H) for some samples: drawn one after another, each time they are needed.
#[derive(Debug, Clone)]
pub(crate) struct WeightMasks {
    samples: usize,
    shape: (usize, usize),
    keep_prob: f64,
    source: Source,
}

#[derive(Debug, Clone)]
enum Source {
    /// NumPy's stream before the first mask.
    Numpy(Box<RandomState>),
    Counter(LayerWeightMasks),
}

impl WeightMasks {
    /// The next masks of a stream; it advances past them.
    fn draw(samples: usize, shape: (usize, usize), dropout: Dropout, draws: Draws<'_>) -> Self {
        let (weights, keep_prob) = (shape.0 * shape.1, dropout.keep_prob());
        let source = match draws {
            Draws::Numpy(random) => {
                let start = Box::new(random.clone());
                (0..samples).for_each(|_| random.skip_words(2 * weights));
                Source::Numpy(start)
            }
            Draws::Counter { masks, step, layer } => {
                Source::Counter(masks.weights(step, layer, shape, keep_prob))
            }
        };
        Self { samples, shape, keep_prob, source }
    }

    /// Passes each sample's number and mask (D, H) to `take`, in order: 1/p if a weight is kept and 0 if it is
    /// dropped.
    pub(crate) fn each<F: Float>(&self, mut take: impl FnMut(usize, ArrayView2<'_, F>)) {
        // A table lookup and not a branch: no processor predicts random branches.
        let factors = [F::zero(), F::from_f64(1.0 / self.keep_prob)];
        let set = |(place, kept): (&mut F, bool)| *place = factors[usize::from(kept)];
        let mut mask = Array2::zeros(self.shape);
        match &self.source {
            Source::Numpy(start) => {
                let mut random = start.clone();
                let mut room = vec![0; 2 * self.shape.1];
                for sample in 0..self.samples {
                    for mut row in mask.rows_mut() {
                        row.iter_mut().zip(random.below(self.keep_prob, &mut room)).for_each(set);
                    }
                    take(sample, mask.view());
                }
            }
            Source::Counter(masks) => {
                for sample in 0..self.samples {
                    mask.iter_mut().zip(masks.sample(sample)).for_each(set);
                    take(sample, mask.view());
                }
            }
        }
    }
}
