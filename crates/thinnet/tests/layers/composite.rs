//! Layers in a row, and everything in f32.

use ndarray::{Array, Array1, Array2, ArrayView1, ArrayView2, Dimension, Ix2, arr2};
use thinnet::gradient_check::eval_numerical_gradient_array;
use thinnet::layers::{
    Activation, BatchNorm, Draws, Dropout, DropoutKind, HiddenLayer, LayerNorm, Mode, Normalisation,
    NormalisationLayer, RunningStatistics, affine_backward, affine_forward, affine_relu_backward,
    affine_relu_forward, batch_norm_forward, drop_connect_forward, dropout_forward, gaussian_dropout_forward,
    hidden_backward, hidden_forward, layer_norm_forward, relu_forward, softmax_loss, svm_loss,
};
use thinnet::random::RandomState;
use thinnet::{Float, Result};

use crate::{STEP, close, random, shape_error};

#[test]
fn affine_relu_is_its_parts_and_its_gradients_fit() {
    let mut random = random();
    let (x, w): (Array2<f64>, Array2<f64>) = (random.randn((4, 6)), random.randn((6, 5)));
    let (b, dout): (Array1<f64>, Array2<f64>) = (random.randn(5), random.randn((4, 5)));
    let (out, cache) = affine_relu_forward(x.view(), w.view(), b.view()).unwrap();
    assert_eq!(out, (x.dot(&w) + &b).mapv(|z| z.max(0.0)));
    let gradients = affine_relu_backward(dout.view(), &cache).unwrap();
    let (x, w, b, dout) = (x.view(), w.view(), b.view(), dout.view());
    let dx = eval_numerical_gradient_array(|x| Ok(affine_relu_forward(x, w, b)?.0), x, dout, STEP).unwrap();
    let dw = eval_numerical_gradient_array(|w| Ok(affine_relu_forward(x, w, b)?.0), w, dout, STEP).unwrap();
    let db = eval_numerical_gradient_array(|b| Ok(affine_relu_forward(x, w, b)?.0), b, dout, STEP).unwrap();
    close(&gradients.x, &dx, 1e-8);
    close(&gradients.w, &dw, 1e-8);
    close(&gradients.b, &db, 1e-8);
    shape_error(affine_relu_forward(x, Array2::zeros((5, 5)).view(), b), "x of affine_forward");
    shape_error(affine_relu_backward(Array2::zeros((5, 4)).view(), &cache), "dout of relu_backward");
}

const NORMALISATIONS: [Normalisation; 3] = [Normalisation::None, Normalisation::Batch, Normalisation::Layer];

/// A normalisation of this kind with these arrays.
fn normalisation<'a, F>(
    kind: Normalisation,
    gamma: ArrayView1<'a, F>,
    beta: ArrayView1<'a, F>,
    running: &'a mut RunningStatistics<F>,
) -> Option<NormalisationLayer<'a, F>> {
    match kind {
        Normalisation::None => None,
        Normalisation::Batch => {
            Some(NormalisationLayer::Batch { gamma, beta, running, settings: BatchNorm::default() })
        }
        Normalisation::Layer => {
            Some(NormalisationLayer::Layer { gamma, beta, settings: LayerNorm::default() })
        }
    }
}

/// The arrays of a hidden layer, so that one of them can be moved.
#[derive(Clone)]
struct Arrays {
    x: Array2<f64>,
    w: Array2<f64>,
    b: Array1<f64>,
    gamma: Array1<f64>,
    beta: Array1<f64>,
}

impl Arrays {
    fn new(random: &mut RandomState) -> Self {
        Self {
            x: random.randn((5, 6)),
            w: random.randn((6, 4)),
            b: random.randn(4),
            gamma: random.randn(4) + 2.0,
            beta: random.randn(4),
        }
    }

    fn hidden(
        &self,
        kind: Normalisation,
        dropout: Option<Dropout>,
        dropout_kind: DropoutKind,
    ) -> Result<(Array2<f64>, thinnet::layers::HiddenCache<f64>)> {
        let mut running = RunningStatistics::zeros(4);
        let layer = HiddenLayer {
            w: self.w.view(),
            b: self.b.view(),
            normalisation: normalisation(kind, self.gamma.view(), self.beta.view(), &mut running),
            activation: Activation::Relu,
            dropout,
            dropout_kind,
        };
        hidden_forward(self.x.view(), layer, Mode::Train, &mut RandomState::new(0))
    }

    /// Numerical gradients of x, w, b, gamma, beta.
    fn numeric(
        &self,
        forward: impl Fn(&Self) -> Result<Array2<f64>>,
        dout: &Array2<f64>,
    ) -> (Array2<f64>, Array2<f64>, [Array1<f64>; 3]) {
        let two = |pick: fn(&mut Self) -> &mut Array2<f64>| {
            let f = |value: ArrayView2<'_, f64>| {
                let mut moved = self.clone();
                pick(&mut moved).assign(&value);
                forward(&moved)
            };
            let at = pick(&mut self.clone()).clone();
            eval_numerical_gradient_array(f, at.view(), dout.view(), STEP).unwrap()
        };
        let one = |pick: fn(&mut Self) -> &mut Array1<f64>| {
            let f = |value: ArrayView1<'_, f64>| {
                let mut moved = self.clone();
                pick(&mut moved).assign(&value);
                forward(&moved)
            };
            let at = pick(&mut self.clone()).clone();
            eval_numerical_gradient_array(f, at.view(), dout.view(), STEP).unwrap()
        };
        (
            two(|a| &mut a.x),
            two(|a| &mut a.w),
            [one(|a| &mut a.b), one(|a| &mut a.gamma), one(|a| &mut a.beta)],
        )
    }
}

/// Asserts closeness where a gradient is not 0 but for rounding (batch normalisation takes the bias out again).
#[track_caller]
fn close_or_tiny<D: Dimension>(got: &Array<f64, D>, expected: &Array<f64, D>) {
    let difference = (got - expected).mapv(f64::abs);
    let off = difference.iter().zip(got).any(|(&difference, &got)| difference > 1e-9 + 1e-6 * got.abs());
    assert!(!off, "{got:?}, expected {expected:?}");
}

#[test]
fn hidden_layer_gradients_fit_with_every_option() {
    let kinds = [DropoutKind::Bernoulli, DropoutKind::Gaussian, DropoutKind::DropConnect];
    let keeps = [None, Some(1.0), Some(0.6)];
    for (normalisation, (kind, keep)) in NORMALISATIONS
        .into_iter()
        .flat_map(|b| kinds.into_iter().flat_map(move |k| keeps.map(|p| (b, (k, p)))))
    {
        let dropout = keep.map(|keep| Dropout::new(keep, Some(9)).unwrap());
        let mut random = random();
        let arrays = Arrays::new(&mut random);
        let dout: Array2<f64> = random.randn((5, 4));
        let (_, cache) = arrays.hidden(normalisation, dropout, kind).unwrap();
        let gradients = hidden_backward(dout.view(), &cache).unwrap();
        let (dx, dw, [db, dgamma, dbeta]) =
            arrays.numeric(|a| Ok(a.hidden(normalisation, dropout, kind)?.0), &dout);
        close_or_tiny(&gradients.affine.x, &dx);
        close_or_tiny(&gradients.affine.w, &dw);
        close_or_tiny(&gradients.affine.b, &db);
        assert!(dx.iter().any(|value| value.abs() > 0.1));
        assert_eq!(gradients.gamma_beta.is_some(), normalisation != Normalisation::None);
        if let Some((gamma, beta)) = gradients.gamma_beta {
            close_or_tiny(&gamma, &dgamma);
            close_or_tiny(&beta, &dbeta);
        }
        shape_error(
            hidden_backward(Array2::zeros((5, 3)).view(), &cache),
            if dropout.is_some() && kind != DropoutKind::DropConnect {
                "dout of dropout_backward"
            } else {
                "dout of relu_backward"
            },
        );
    }
}

/// A layer's kind is the layer's own function: of its output, or of its weights.
#[test]
fn a_hidden_layer_is_what_its_kind_of_dropout_says() {
    let arrays = Arrays::new(&mut random());
    let dropout = Dropout::new(0.6, Some(9)).unwrap();
    let out = |kind| arrays.hidden(Normalisation::None, Some(dropout), kind).unwrap().0;
    let (x, w, b, random) = (arrays.x.view(), arrays.w.view(), arrays.b.view(), &mut RandomState::new(0));
    let (whole, _) = affine_relu_forward(x, w, b).unwrap();
    let (dropped, _) = dropout_forward(whole.view(), dropout, Mode::Train, random);
    assert_eq!(out(DropoutKind::Bernoulli), dropped);
    let (shaken, _) = gaussian_dropout_forward(whole.view(), dropout, Mode::Train, Draws::Numpy(random));
    assert_eq!(out(DropoutKind::Gaussian), shaken);
    let (z, _) = drop_connect_forward(x, w, b, dropout, Mode::Train, Draws::Numpy(random)).unwrap();
    assert_eq!(out(DropoutKind::DropConnect), relu_forward(z.view()).0);
    assert_eq!(arrays.hidden(Normalisation::None, None, DropoutKind::DropConnect).unwrap().0, whole);
}

/// Its normalisation is the layer's of that name, between the affine part and the activation.
#[test]
fn a_hidden_layer_is_normalised_as_its_kind_says() {
    let arrays = Arrays::new(&mut random());
    let Arrays { x, w, b, gamma, beta } = &arrays;
    let out = |kind| arrays.hidden(kind, None, DropoutKind::Bernoulli).unwrap().0;
    let (z, _) = affine_forward(x.view(), w.view(), b.view()).unwrap();
    let (gamma, beta, mut running) = (gamma.view(), beta.view(), RunningStatistics::zeros(4));
    let (normal, _) =
        batch_norm_forward(z.view(), gamma, beta, &mut running, BatchNorm::default(), Mode::Train).unwrap();
    assert_eq!(out(Normalisation::Batch), relu_forward(normal.view()).0);
    let (normal, _) = layer_norm_forward(z.view(), gamma, beta, LayerNorm::default()).unwrap();
    assert_eq!(out(Normalisation::Layer), relu_forward(normal.view()).0);
    assert_eq!(out(Normalisation::None), relu_forward(z.view()).0);
    let wrong = Arrays { gamma: Array1::zeros(3), ..arrays.clone() };
    for (kind, what) in [
        (Normalisation::Batch, "gamma of batch_norm_forward"),
        (Normalisation::Layer, "gamma of layer_norm_forward"),
    ] {
        shape_error(wrong.hidden(kind, None, DropoutKind::Bernoulli), what);
    }
}

// --- f32

/// Runs a hidden layer, the last affine layer and the loss, forward and back.
fn everything<F: Float>(kind: Normalisation) -> (f64, Vec<Array2<f64>>) {
    let mut random = random();
    let mut draw = |shape| random.randn::<Ix2>(shape).mapv(F::from_f64);
    let (x, w1, w2) = (draw([8, 6]), draw([6, 5]), draw([5, 3]));
    let (b1, b2) = (Array1::from_elem(5, F::from_f64(0.1)), Array1::from_elem(3, F::from_f64(-0.2)));
    let (gamma, beta) = (Array1::from_elem(5, F::from_f64(1.5)), Array1::from_elem(5, F::from_f64(0.3)));
    let mut running = RunningStatistics::zeros(5);
    let layer = HiddenLayer {
        w: w1.view(),
        b: b1.view(),
        normalisation: normalisation(kind, gamma.view(), beta.view(), &mut running),
        activation: Activation::Relu,
        dropout: Some(Dropout::new(0.7, Some(4)).unwrap()),
        dropout_kind: DropoutKind::Bernoulli,
    };
    let (hidden, cache) = hidden_forward(x.view(), layer, Mode::Train, &mut random).unwrap();
    let (scores, last) = affine_forward(hidden.view(), w2.view(), b2.view()).unwrap();
    let (loss, dscores) = softmax_loss(scores.view(), &[0, 1, 2, 0, 1, 2, 0, 1]).unwrap();
    let (svm, dsvm) = svm_loss(scores.view(), &[0, 1, 2, 0, 1, 2, 0, 1]).unwrap();
    let after = affine_backward((dscores + dsvm).view(), &last).unwrap();
    let before = hidden_backward(after.x.view(), &cache).unwrap();
    let arrays = vec![scores, after.w, before.affine.x, before.affine.w];
    ((loss + svm).as_f64(), arrays.into_iter().map(|array| array.mapv(F::as_f64)).collect())
}

#[test]
fn f32_agrees_with_f64_to_its_own_accuracy() {
    for normalisation in NORMALISATIONS {
        let (loss32, arrays32) = everything::<f32>(normalisation);
        let (loss64, arrays64) = everything::<f64>(normalisation);
        assert!((loss32 - loss64).abs() < 1e-5 * loss64);
        assert!(loss32 != loss64);
        for (a, b) in arrays32.iter().zip(&arrays64) {
            let greatest = b.iter().fold(0.0, |greatest: f64, value| greatest.max(value.abs()));
            let error = (a - b).iter().fold(0.0, |worst: f64, value| worst.max(value.abs()));
            assert!(greatest > 1e-2 && error < 2e-6 * greatest.max(1.0), "{error:e} of {greatest}");
        }
    }
    assert_eq!(arr2(&[[1.0_f32]]).mapv(f32::as_f64)[(0, 0)], 1.0);
}
