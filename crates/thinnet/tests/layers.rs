//! Every layer: its output against figures worked elsewhere, its gradients against finite differences.
#![allow(clippy::unwrap_used, clippy::panic, clippy::float_cmp, clippy::excessive_precision)] // a test fails by panic; exact where it says so; NumPy's digits as it prints them

use ndarray::{
    Array, Array0, Array1, Array2, Array3, Array4, ArrayD, ArrayView1, ArrayView2, ArrayView3, Dimension,
    Ix2, IxDyn, arr1, arr2, array,
};
use thinnet::gradient_check::{eval_numerical_gradient, eval_numerical_gradient_array, rel_error};
use thinnet::layers::{
    BatchNorm, Dropout, HiddenLayer, Mode, RunningStatistics, affine_backward,
    affine_batch_norm_relu_backward, affine_batch_norm_relu_forward, affine_forward, affine_relu_backward,
    affine_relu_forward, batch_norm_backward, batch_norm_forward, dropout_backward, dropout_forward,
    hidden_backward, hidden_forward, relu_backward, relu_forward, softmax_loss, svm_loss,
};
use thinnet::random::RandomState;
use thinnet::{Error, Float, Result};

const STEP: f64 = 1e-5;

/// Asserts that the elements agree, relative to the greater of them (and never closer than 1e-8).
#[track_caller]
fn close<F: Float, D: Dimension>(got: &Array<F, D>, expected: &Array<F, D>, tolerance: f64) {
    let error = rel_error(got.view(), expected.view()).unwrap();
    assert!(error <= tolerance, "relative error {error:e}: {got:?}, expected {expected:?}");
}

#[track_caller]
fn shape_error<T>(result: Result<T>, what: &str) {
    match result {
        Err(Error::Shape { what: named, .. }) => assert_eq!(named, what),
        Err(other) => panic!("{what}: {other}"),
        Ok(_) => panic!("{what}: no error"),
    }
}

/// `np.linspace(start, end, len)` in the given shape.
fn linspace<D: Dimension>(start: f64, end: f64, shape: D) -> Array<f64, D> {
    Array::from_shape_vec(shape.clone(), Array1::linspace(start, end, shape.size()).to_vec()).unwrap()
}

fn random() -> RandomState {
    RandomState::new(231)
}

/// Standard normals, none nearer to 0 than a finite difference reaches.
fn away_from_kinks<D: Dimension>(random: &mut RandomState, shape: D) -> Array<f64, D> {
    random.randn(shape).mapv(|value: f64| if value.abs() < 0.01 { value + 0.1 } else { value })
}

// --- affine

/// The course's own figures (`FullyConnectedNets.ipynb`, "Affine layer: forward").
#[test]
fn affine_gives_the_courses_figures() {
    let x = linspace(-0.1, 0.5, ndarray::Dim((2, 4, 5, 6)));
    let w = linspace(-0.2, 0.3, ndarray::Dim((120, 3)));
    let b = linspace(-0.3, 0.1, ndarray::Dim(3));
    let (out, _) = affine_forward(x.view(), w.view(), b.view()).unwrap();
    let expected =
        array![[1.498_349_67, 1.706_601_32, 1.914_852_97], [3.255_531_99, 3.514_132_7, 3.772_733_42]];
    close(&out, &expected, 1e-8);
}

/// The worst relative error of the affine layer's three gradients for inputs of any shape.
fn affine_gradient_error<D: Dimension>(shape: D, outputs: usize) -> f64 {
    let mut random = random();
    let x: Array<f64, D> = random.randn(shape);
    let features = x.shape()[1..].iter().product();
    let w: Array2<f64> = random.randn((features, outputs));
    let b: Array1<f64> = random.randn(outputs);
    let dout: Array2<f64> = random.randn((x.shape()[0], outputs));
    let (_, cache) = affine_forward(x.view(), w.view(), b.view()).unwrap();
    let gradients = affine_backward(dout.view(), &cache).unwrap();
    let (w, b, dout) = (w.view(), b.view(), dout.view());
    let dx = eval_numerical_gradient_array(|x| Ok(affine_forward(x, w, b)?.0), x.view(), dout, STEP).unwrap();
    let dw = eval_numerical_gradient_array(|w| Ok(affine_forward(x.view(), w, b)?.0), w, dout, STEP).unwrap();
    let db = eval_numerical_gradient_array(|b| Ok(affine_forward(x.view(), w, b)?.0), b, dout, STEP).unwrap();
    [
        rel_error(gradients.x.view(), dx.view()).unwrap(),
        rel_error(gradients.w.view(), dw.view()).unwrap(),
        rel_error(gradients.b.view(), db.view()).unwrap(),
    ]
    .into_iter()
    .fold(0.0, f64::max)
}

#[test]
fn affine_gradients_fit_finite_differences_for_inputs_of_every_rank() {
    assert!(affine_gradient_error(ndarray::Dim(3), 4) < 1e-8);
    assert!(affine_gradient_error(ndarray::Dim((3, 6)), 5) < 1e-8);
    assert!(affine_gradient_error(ndarray::Dim((4, 2, 3)), 5) < 1e-8);
    assert!(affine_gradient_error(ndarray::Dim((2, 2, 3, 2)), 3) < 1e-8);
    assert!(affine_gradient_error(IxDyn(&[2, 1, 2, 3, 2]), 3) < 1e-8);
}

#[test]
fn affine_flattens_a_transposed_input_in_row_major_order() {
    let x: Array3<f64> = random().randn((4, 2, 3));
    let reversed = x.t().as_standard_layout().into_owned();
    let (w, b) = (linspace(-1.0, 1.0, ndarray::Dim((8, 2))), arr1(&[0.5, -0.5]));
    let (expected, _) = affine_forward(reversed.view(), w.view(), b.view()).unwrap();
    assert_eq!(affine_forward(x.t(), w.view(), b.view()).unwrap().0, expected);
}

/// ndarray multiplies two column-major matrices into a third; a column of one output is column-major too.
#[test]
fn affine_takes_one_output_and_gradients_of_any_memory_layout() {
    assert!(affine_gradient_error(ndarray::Dim((3, 2)), 1) < 1e-8);
    assert!(affine_gradient_error(ndarray::Dim((3, 2, 2)), 1) < 1e-8);
    assert!(affine_gradient_error(ndarray::Dim((1, 4)), 3) < 1e-8);
    let mut random = random();
    let (x, w): (Array3<f64>, Array2<f64>) = (random.randn((4, 2, 3)), random.randn((6, 5)));
    let dout: Array2<f64> = random.randn((5, 4));
    let (_, cache) = affine_forward(x.view(), w.view(), Array1::zeros(5).view()).unwrap();
    let expected = affine_backward(dout.t().as_standard_layout().view(), &cache).unwrap();
    let got = affine_backward(dout.t(), &cache).unwrap();
    close(&got.x, &expected.x, 1e-12);
    close(&got.w, &expected.w, 1e-12);
}

#[test]
fn affine_refuses_what_does_not_fit() {
    let (x, w, b) = (Array3::<f64>::zeros((2, 2, 3)), Array2::<f64>::zeros((6, 4)), Array1::<f64>::zeros(4));
    shape_error(affine_forward(ArrayD::zeros(IxDyn(&[])).view(), w.view(), b.view()), "x of affine_forward");
    shape_error(affine_forward(Array0::zeros(()).view(), w.view(), b.view()), "x of affine_forward");
    shape_error(affine_forward(x.view(), Array2::zeros((5, 4)).view(), b.view()), "w of affine_forward");
    shape_error(affine_forward(x.view(), w.view(), Array1::zeros(5).view()), "b of affine_forward");
    let (_, cache) = affine_forward(x.view(), w.view(), b.view()).unwrap();
    for wrong in [(2, 3), (1, 4), (4, 2)] {
        shape_error(affine_backward(Array2::zeros(wrong).view(), &cache), "dout of affine_backward");
    }
}

#[test]
fn affine_of_no_samples_is_empty() {
    let (w, b) = (Array2::<f64>::ones((6, 4)), Array1::<f64>::ones(4));
    let (out, cache) = affine_forward(Array3::zeros((0, 2, 3)).view(), w.view(), b.view()).unwrap();
    assert_eq!(out.dim(), (0, 4));
    let gradients = affine_backward(out.view(), &cache).unwrap();
    assert_eq!(
        (gradients.x.dim(), gradients.w, gradients.b),
        ((0, 2, 3), Array2::zeros((6, 4)), Array1::zeros(4))
    );
}

// --- ReLU

/// The course's own figures (`FullyConnectedNets.ipynb`, "ReLU activation: forward").
#[test]
fn relu_gives_the_courses_figures() {
    let (out, _) = relu_forward(linspace(-0.5, 0.5, ndarray::Dim((3, 4))).view());
    let expected = array![
        [0.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 0.045_454_55, 0.136_363_64],
        [0.227_272_73, 0.318_181_82, 0.409_090_91, 0.5]
    ];
    close(&out, &expected, 1e-7);
}

#[test]
fn relu_gradient_fits_finite_differences_away_from_kinks() {
    let mut random = random();
    let x: Array4<f64> = away_from_kinks(&mut random, ndarray::Dim((3, 2, 4, 2)));
    let dout: Array4<f64> = random.randn(x.raw_dim());
    let dx = relu_backward(dout.view(), &relu_forward(x.view()).1).unwrap();
    let numeric =
        eval_numerical_gradient_array(|x| Ok(relu_forward(x).0), x.view(), dout.view(), STEP).unwrap();
    close(&dx, &numeric, 1e-8);
    assert!(dx.iter().any(|&d| d == 0.0) && dx.iter().any(|&d| d != 0.0));
}

#[test]
fn relu_has_gradient_0_at_0_keeps_nan_and_takes_any_shape() {
    let x = arr1(&[-1.0, 0.0, -0.0, 1.0, f64::INFINITY, f64::NEG_INFINITY]);
    let (out, cache) = relu_forward(x.view());
    assert_eq!(out, arr1(&[0.0, 0.0, 0.0, 1.0, f64::INFINITY, 0.0]));
    let dout = Array1::from_elem(6, 2.0);
    assert_eq!(relu_backward(dout.view(), &cache).unwrap(), arr1(&[0.0, 0.0, 0.0, 2.0, 2.0, 0.0]));
    assert!(relu_forward(arr1(&[f64::NAN]).view()).0[0].is_nan());
    let (out, cache) = relu_forward(Array0::from_elem((), 3.0).view());
    assert_eq!(out.into_scalar(), 3.0);
    assert_eq!(relu_backward(Array0::from_elem((), 5.0).view(), &cache).unwrap().into_scalar(), 5.0);
    assert_eq!(relu_forward(Array2::<f32>::zeros((0, 3)).view()).0.dim(), (0, 3));
}

#[test]
fn relu_refuses_what_does_not_fit() {
    let (_, cache) = relu_forward(Array2::<f64>::zeros((2, 3)).view());
    shape_error(relu_backward(Array2::zeros((3, 2)).view(), &cache), "dout of relu_backward");
}

// --- dropout

#[test]
fn dropout_multiplies_by_the_mask_it_draws() {
    // np.random.seed(0); np.random.rand(5): .5488, .7152, .6028, .5449, .4237; 0.6028 is not below 0.6.
    let dropout = Dropout::new(0.6, None).unwrap();
    let (out, cache) = dropout_forward(
        arr1(&[1.0, 2.0, 3.0, 4.0, 5.0]).view(),
        dropout,
        Mode::Train,
        &mut RandomState::new(0),
    );
    let scale = 1.0 / 0.6;
    assert_eq!(cache.mask(), Some(&arr1(&[scale, 0.0, 0.0, scale, scale])));
    assert_eq!(out, arr1(&[scale, 0.0, 0.0, 4.0 * scale, 5.0 * scale]));
}

#[test]
fn dropout_gradient_fits_finite_differences_at_every_keep_probability() {
    for p in [0.1, 0.25, 0.5, 0.9, 1.0] {
        let mut random = random();
        let x: Array3<f64> = random.randn((3, 4, 5)) + 10.0;
        let dout: Array3<f64> = random.randn(x.raw_dim());
        let dropout = Dropout::new(p, Some(123)).unwrap();
        let (_, cache) = dropout_forward(x.view(), dropout, Mode::Train, &mut random);
        let dx = dropout_backward(dout.view(), &cache).unwrap();
        let forward =
            |x: ArrayView3<'_, f64>| Ok(dropout_forward(x, dropout, Mode::Train, &mut RandomState::new(0)).0);
        let numeric = eval_numerical_gradient_array(forward, x.view(), dout.view(), STEP).unwrap();
        close(&dx, &numeric, 1e-8);
        assert_eq!(dx.iter().all(|&d| d != 0.0), p == 1.0);
    }
}

#[test]
fn dropout_keeps_the_mean_and_the_share_it_is_told() {
    let x = Array2::<f64>::from_elem((400, 250), 3.0);
    for p in [0.1, 0.25, 0.5, 0.75, 0.95] {
        let (out, _) = dropout_forward(x.view(), Dropout::new(p, None).unwrap(), Mode::Train, &mut random());
        let kept = out.iter().filter(|&&value| value != 0.0).count() as f64 / out.len() as f64;
        // Five standard deviations of the share of 100,000 draws.
        let deviation = (p * (1.0 - p) / out.len() as f64).sqrt();
        assert!((kept - p).abs() < 5.0 * deviation, "p {p}: kept {kept}");
        assert!((out.mean().unwrap() - 3.0).abs() < 5.0 * 3.0 * deviation / p);
        assert!(out.iter().all(|&value| value == 0.0 || (value * p - 3.0).abs() < 1e-12));
    }
}

#[test]
fn dropout_in_test_mode_is_the_identity_and_draws_nothing() {
    let mut random = random();
    let x: Array2<f64> = random.randn((4, 5));
    let before = random.state();
    let (out, cache) = dropout_forward(x.view(), Dropout::new(0.3, None).unwrap(), Mode::Test, &mut random);
    assert_eq!((&out, cache.mask()), (&x, None));
    assert_eq!(random.state(), before);
    assert_eq!(dropout_backward(x.view(), &cache).unwrap(), x);
}

#[test]
fn dropout_that_keeps_everything_draws_its_mask_all_the_same() {
    let (mut random, mut by_hand) = (random(), random());
    let x = Array2::<f64>::from_elem((4, 5), 7.0);
    let (out, cache) = dropout_forward(x.view(), Dropout::new(1.0, None).unwrap(), Mode::Train, &mut random);
    assert_eq!((out, cache.mask()), (x, Some(&Array2::ones((4, 5)))));
    by_hand.rand(20);
    assert_eq!(random.state(), by_hand.state());
}

/// Rule 2 of the design: with a seed, either mode re-seeds the one stream and leaves it there.
#[test]
fn dropout_with_a_seed_reseeds_the_stream_in_both_modes() {
    let x = Array2::<f64>::ones((2, 3));
    let dropout = Dropout::new(0.5, Some(123)).unwrap();
    let mut random = random();
    random.randn(1); // leaves a cached normal, which re-seeding forgets
    let (first, _) = dropout_forward(x.view(), dropout, Mode::Train, &mut random);
    let mut by_hand = RandomState::new(123);
    by_hand.rand(6);
    assert_eq!(random.state(), by_hand.state());
    let (second, _) = dropout_forward(x.view(), dropout, Mode::Train, &mut random);
    assert_eq!(first, second);
    dropout_forward(x.view(), dropout, Mode::Test, &mut random);
    assert_eq!(random.state(), RandomState::new(123).state());
}

#[test]
fn dropout_refuses_probabilities_out_of_range_and_says_which_convention_is_meant() {
    for p in [0.0, -0.1, 1.000_001, f64::NAN, f64::INFINITY] {
        let message = Dropout::new(p, None).unwrap_err().to_string();
        assert!(message.contains("KEEP") && message.contains(&p.to_string()), "{message}");
    }
    assert_eq!(Dropout::new(1e-300, Some(5)).unwrap().seed(), Some(5));
}

#[test]
fn dropout_refuses_what_does_not_fit_and_takes_any_shape() {
    let dropout = Dropout::new(0.5, None).unwrap();
    let (_, cache) = dropout_forward(Array2::<f64>::ones((2, 3)).view(), dropout, Mode::Train, &mut random());
    shape_error(dropout_backward(Array2::zeros((3, 2)).view(), &cache), "dout of dropout_backward");
    let (out, _) = dropout_forward(Array2::<f32>::ones((0, 3)).view(), dropout, Mode::Train, &mut random());
    assert_eq!(out.dim(), (0, 3));
    let (out, _) =
        dropout_forward(Array0::<f64>::ones(()).view(), dropout, Mode::Train, &mut RandomState::new(0));
    assert_eq!(out.into_scalar(), 0.0); // 0.5488 is not below 0.5
}

#[test]
fn dropout_of_a_transposed_input_draws_in_its_row_major_order() {
    let x: Array2<f64> = random().randn((3, 4));
    let dropout = Dropout::new(0.5, Some(1)).unwrap();
    let (expected, _) = dropout_forward(x.t().to_owned().view(), dropout, Mode::Train, &mut random());
    let standard = x.t().as_standard_layout().into_owned();
    let (got, _) = dropout_forward(standard.view(), dropout, Mode::Train, &mut random());
    assert_eq!(got, expected);
}

// --- batch normalisation

/// The three batches of the NumPy script.
fn batches() -> [Array2<f64>; 3] {
    let x = linspace(-1.0, 2.0, ndarray::Dim((4, 3))).mapv(|value| value * value);
    [x.clone(), &x * 2.0 + 1.0, &x * 3.0 + 2.0]
}

/// NumPy 2.4.6:
/// ```python
/// x = np.linspace(-1, 2, 12).reshape(4, 3) ** 2
/// g, b = np.array([1, 2, .5]), np.array([0, -1, 3.])
/// rm = rv = np.zeros(3)
/// for k in range(3):
///     xk = x * (k + 1) + k
///     m, v = xk.mean(0), xk.var(0)
///     rm, rv = .9 * rm + .1 * m, .9 * rv + .1 * v
///     print(g * (xk - m) / np.sqrt(v + 1e-5) + b)  # the first is below
/// print(rm, rv, g * (x - rm) / np.sqrt(rv + 1e-5) + b)
/// ```
#[test]
fn batch_norm_gives_numpys_figures() {
    let (gamma, beta) = (arr1(&[1.0, 2.0, 0.5]), arr1(&[0.0, -1.0, 3.0]));
    let mut running = RunningStatistics::zeros(3);
    let mut forward = |x: &Array2<f64>, mode| {
        batch_norm_forward(x.view(), gamma.view(), beta.view(), &mut running, BatchNorm::default(), mode)
            .unwrap()
            .0
    };
    let outs = batches().map(|x| forward(&x, Mode::Train));
    let first = array![
        [0.141_577_613_566_813_95, -1.984_264_242_280_538, 2.607_699_248_338_695_6],
        [-1.085_428_370_678_903_6, -2.902_910_868_409_041, 2.583_923_445_207_707_6],
        [-0.613_502_992_122_858_5, -1.459_323_313_064_251_3, 2.988_112_098_434_506],
        [1.557_353_749_234_947_8, 2.346_498_423_753_831_6, 3.820_265_208_019_091_3]
    ];
    close(&outs[0], &first, 1e-12);
    let tested = forward(&batches()[0], Mode::Test);
    close(
        &running.mean,
        &arr1(&[0.788_409_090_909_090_9, 0.899_681_818_181_818_1, 1.094_409_090_909_091]),
        1e-14,
    );
    close(
        &running.variance,
        &arr1(&[0.832_778_310_907_723_9, 1.723_053_565_330_236_1, 3.281_035_260_569_633_6]),
        1e-14,
    );
    let expected = array![
        [0.231_862_062_159_812_03, -1.564_895_046_388_196_3, 2.754_936_957_237_38],
        [-0.827_716_544_331_663_4, -2.358_189_695_975_400_3, 2.734_405_440_531_411_5],
        [-0.420_186_311_065_711_4, -1.111_583_818_052_651_4, 3.083_441_224_532_872],
        [1.454_452_761_957_666_8, 2.174_922_587_380_051_3, 3.802_044_309_241_761]
    ];
    close(&tested, &expected, 1e-12);
}

#[test]
fn batch_norm_gives_each_feature_the_mean_beta_and_the_deviation_gamma() {
    let x: Array2<f64> = random().randn((200, 3)) * 12.0 + arr1(&[5.0, -3.0, 100.0]);
    let (gamma, beta) = (arr1(&[1.0, 2.0, 3.0]), arr1(&[11.0, 12.0, 13.0]));
    let settings = BatchNorm::default();
    let (out, _) = batch_norm_forward(
        x.view(),
        gamma.view(),
        beta.view(),
        &mut RunningStatistics::zeros(3),
        settings,
        Mode::Train,
    )
    .unwrap();
    close(&out.mean_axis(ndarray::Axis(0)).unwrap(), &beta, 1e-12);
    close(&out.std_axis(ndarray::Axis(0), 0.0), &gamma, 1e-6);
}

#[test]
fn batch_norm_gradients_fit_finite_differences_in_both_modes() {
    for mode in [Mode::Train, Mode::Test] {
        let mut random = random();
        let x: Array2<f64> = random.randn((5, 4)) * 5.0 + 12.0;
        let (gamma, beta): (Array1<f64>, Array1<f64>) = (random.randn(4), random.randn(4));
        let dout: Array2<f64> = random.randn((5, 4));
        let running = RunningStatistics { mean: random.randn(4), variance: random.rand(4) + 0.5 };
        let forward = |x: &Array2<f64>, gamma: &Array1<f64>, beta: &Array1<f64>| {
            let mut running = running.clone();
            batch_norm_forward(x.view(), gamma.view(), beta.view(), &mut running, BatchNorm::default(), mode)
        };
        let (_, cache) = forward(&x, &gamma, &beta).unwrap();
        let gradients = batch_norm_backward(dout.view(), &cache).unwrap();
        let dout = dout.view();
        let dx = |x: ArrayView2<'_, f64>| Ok(forward(&x.to_owned(), &gamma, &beta)?.0);
        let dgamma = |gamma: ArrayView1<'_, f64>| Ok(forward(&x, &gamma.to_owned(), &beta)?.0);
        let dbeta = |beta: ArrayView1<'_, f64>| Ok(forward(&x, &gamma, &beta.to_owned())?.0);
        close(&gradients.x, &eval_numerical_gradient_array(dx, x.view(), dout, STEP).unwrap(), 1e-6);
        close(
            &gradients.gamma,
            &eval_numerical_gradient_array(dgamma, gamma.view(), dout, STEP).unwrap(),
            1e-8,
        );
        close(&gradients.beta, &eval_numerical_gradient_array(dbeta, beta.view(), dout, STEP).unwrap(), 1e-8);
    }
}

#[test]
fn batch_norm_moves_the_running_statistics_in_training_only() {
    let x: Array2<f64> = random().randn((5, 4));
    let (gamma, beta) = (Array1::ones(4), Array1::zeros(4));
    let mut running = RunningStatistics::zeros(4);
    let mut forward = |mode| {
        batch_norm_forward(x.view(), gamma.view(), beta.view(), &mut running, BatchNorm::default(), mode)
            .unwrap();
        running.clone()
    };
    assert_eq!(forward(Mode::Test), RunningStatistics::zeros(4));
    let once = forward(Mode::Train);
    assert_ne!(once, RunningStatistics::zeros(4));
    assert_eq!(forward(Mode::Test), once);
}

#[test]
fn batch_norm_refuses_what_does_not_fit() {
    let (three, four) = (Array1::<f64>::ones(3), Array1::<f64>::ones(4));
    let x = Array2::<f64>::ones((2, 3));
    let forward = |x: &Array2<f64>, gamma: &Array1<f64>, beta: &Array1<f64>, mean: usize, variance: usize| {
        let mut running = RunningStatistics { mean: Array1::zeros(mean), variance: Array1::zeros(variance) };
        let settings = BatchNorm::default();
        let result =
            batch_norm_forward(x.view(), gamma.view(), beta.view(), &mut running, settings, Mode::Train);
        assert!(result.is_ok() || running.mean.iter().all(|&mean| mean == 0.0));
        result
    };
    shape_error(forward(&x, &four, &three, 3, 3), "gamma of batch_norm_forward");
    shape_error(forward(&x, &three, &four, 3, 3), "beta of batch_norm_forward");
    shape_error(forward(&x, &three, &three, 4, 3), "running mean of batch_norm_forward");
    shape_error(forward(&x, &three, &three, 3, 4), "running variance of batch_norm_forward");
    shape_error(forward(&Array2::zeros((0, 3)), &three, &three, 3, 3), "x of batch_norm_forward");
    let (_, cache) = forward(&x, &three, &three, 3, 3).unwrap();
    shape_error(batch_norm_backward(Array2::zeros((3, 3)).view(), &cache), "dout of batch_norm_backward");
}

// --- losses

/// The scores of cs231n's notes on linear classification: a cat, a car and a frog.
fn scores() -> Array2<f64> {
    array![[3.2, 5.1, -1.7], [1.3, 4.9, 2.0], [2.2, 2.5, -3.1]]
}

/// By hand: `max(0, 5.1 - 3.2 + 1) + 0 = 2.9`, `0`, and `6.3 + 6.6 = 12.9`.
#[test]
fn svm_loss_gives_the_figures_of_the_courses_lecture() {
    let (loss, gradient) = svm_loss(scores().view(), &[0, 1, 2]).unwrap();
    assert!((loss - (2.9 + 0.0 + 12.9) / 3.0).abs() < 1e-14);
    close(&gradient, &(array![[-1.0, 1.0, 0.0], [0.0, 0.0, 0.0], [1.0, 1.0, -2.0]] / 3.0), 1e-14);
}

/// NumPy 2.4.6: `e = np.exp(s - s.max(1, keepdims=True)); p = e / e.sum(1, keepdims=True)`,
/// `-np.log(p[range(3), y]).mean()`, `p[range(3), y] -= 1; p / 3`.
#[test]
fn softmax_loss_gives_numpys_figures() {
    let (loss, gradient) = softmax_loss(scores().view(), &[0, 1, 2]).unwrap();
    assert!((loss - 2.758_654_710_918_577).abs() < 1e-14);
    let expected = array![
        [-0.290_005_820_327_608_97, 0.289_683_178_402_755_3, 0.000_322_641_924_853_681_3],
        [0.008_414_961_159_646_565, -0.025_360_611_978_143_766, 0.016_945_650_818_497_176],
        [0.141_551_808_608_913_9, 0.191_074_955_579_055_07, -0.332_626_764_187_968_94]
    ];
    close(&gradient, &expected, 1e-12);
}

#[test]
fn loss_gradients_fit_finite_differences() {
    let scores: Array2<f64> = random().randn((6, 5));
    let y = [0, 4, 2, 2, 1, 3];
    for loss in [softmax_loss::<f64>, svm_loss::<f64>] {
        let (_, gradient) = loss(scores.view(), &y).unwrap();
        let numeric = eval_numerical_gradient(|scores| Ok(loss(scores, &y)?.0), scores.view(), STEP).unwrap();
        close(&gradient, &numeric, 1e-7);
        assert!(gradient.sum_axis(ndarray::Axis(1)).iter().all(|sum| sum.abs() < 1e-15));
    }
}

#[test]
fn softmax_loss_is_stable_for_great_scores() {
    for scale in [1e4, 1e300] {
        let scores = array![[scale, 0.0, -scale], [-scale, 0.0, scale]];
        let (loss, gradient) = softmax_loss(scores.view(), &[0, 2]).unwrap();
        assert_eq!(loss, 0.0);
        assert_eq!(gradient, Array2::<f64>::zeros((2, 3)));
    }
    let (loss, gradient) = softmax_loss(array![[1e4_f32, 0.0]].view(), &[1]).unwrap();
    assert_eq!((loss, gradient), (1e4, array![[1.0, -1.0]]));
    // A common shift changes nothing.
    let base = softmax_loss(scores().view(), &[0, 1, 2]).unwrap().0;
    assert!((softmax_loss((scores() + 1e4).view(), &[0, 1, 2]).unwrap().0 - base).abs() < 1e-10);
}

#[test]
fn losses_of_equal_scores_are_known() {
    let scores = Array2::<f64>::from_elem((3, 10), 0.7);
    assert!((softmax_loss(scores.view(), &[1, 2, 3]).unwrap().0 - 10f64.ln()).abs() < 1e-15);
    assert_eq!(svm_loss(scores.view(), &[1, 2, 3]).unwrap().0, 9.0);
    assert_eq!(softmax_loss(Array2::<f64>::ones((2, 1)).view(), &[0, 0]).unwrap().0, 0.0);
}

#[test]
fn losses_refuse_what_does_not_fit() {
    type Loss = fn(ArrayView2<'_, f64>, &[usize]) -> Result<(f64, Array2<f64>)>;
    let losses: [(Loss, &str); 2] = [(softmax_loss, "softmax_loss"), (svm_loss, "svm_loss")];
    for (loss, name) in losses {
        let loss = |shape: (usize, usize), y: &[usize]| loss(Array2::zeros(shape).view(), y);
        shape_error(loss((0, 3), &[]), &format!("scores of {name}"));
        shape_error(loss((2, 3), &[0]), &format!("y of {name}"));
        shape_error(loss((2, 3), &[0, 1, 2]), &format!("y of {name}"));
        let message = loss((2, 3), &[0, 3]).unwrap_err().to_string();
        assert_eq!(message, "label 3 does not fit 3 classes: labels count from 0 to 2");
        assert!(matches!(loss((1, 0), &[0]), Err(Error::Data(_))));
    }
}

// --- composites

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
    shape_error(affine_relu_forward(x, Array2::zeros((5, 5)).view(), b), "w of affine_forward");
    shape_error(affine_relu_backward(Array2::zeros((5, 4)).view(), &cache), "dout of relu_backward");
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

    fn normalised(&self) -> Result<(Array2<f64>, thinnet::layers::AffineBatchNormReluCache<f64>)> {
        let Self { x, w, b, gamma, beta } = self;
        affine_batch_norm_relu_forward(
            x.view(),
            w.view(),
            b.view(),
            gamma.view(),
            beta.view(),
            &mut RunningStatistics::zeros(4),
            BatchNorm::default(),
            Mode::Train,
        )
    }

    fn hidden(
        &self,
        batch_norm: bool,
        dropout: Option<Dropout>,
    ) -> Result<(Array2<f64>, thinnet::layers::HiddenCache<f64>)> {
        let mut running = RunningStatistics::zeros(4);
        let layer = HiddenLayer {
            w: self.w.view(),
            b: self.b.view(),
            gamma_beta: batch_norm.then(|| (self.gamma.view(), self.beta.view())),
            running: batch_norm.then_some(&mut running),
            dropout,
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
fn affine_batch_norm_relu_gradients_fit() {
    let mut random = random();
    let arrays = Arrays::new(&mut random);
    let dout: Array2<f64> = random.randn((5, 4));
    let (_, cache) = arrays.normalised().unwrap();
    let (affine, normal) = affine_batch_norm_relu_backward(dout.view(), &cache).unwrap();
    let (dx, dw, [db, dgamma, dbeta]) = arrays.numeric(|a| Ok(a.normalised()?.0), &dout);
    close_or_tiny(&affine.x, &dx);
    close_or_tiny(&affine.w, &dw);
    close_or_tiny(&affine.b, &db);
    close_or_tiny(&normal.gamma, &dgamma);
    close_or_tiny(&normal.beta, &dbeta);
    assert!(dx.iter().chain(&dgamma).any(|value| value.abs() > 0.1));
    shape_error(
        affine_batch_norm_relu_backward(Array2::zeros((4, 5)).view(), &cache),
        "dout of relu_backward",
    );
    let wrong = Arrays { gamma: Array1::zeros(3), ..arrays };
    shape_error(wrong.normalised(), "gamma of batch_norm_forward");
}

#[test]
fn hidden_layer_gradients_fit_with_every_option() {
    for batch_norm in [false, true] {
        for dropout in
            [None, Some(Dropout::new(1.0, Some(9)).unwrap()), Some(Dropout::new(0.6, Some(9)).unwrap())]
        {
            let mut random = random();
            let arrays = Arrays::new(&mut random);
            let dout: Array2<f64> = random.randn((5, 4));
            let (_, cache) = arrays.hidden(batch_norm, dropout).unwrap();
            let gradients = hidden_backward(dout.view(), &cache).unwrap();
            let (dx, dw, [db, dgamma, dbeta]) =
                arrays.numeric(|a| Ok(a.hidden(batch_norm, dropout)?.0), &dout);
            close_or_tiny(&gradients.affine.x, &dx);
            close_or_tiny(&gradients.affine.w, &dw);
            close_or_tiny(&gradients.affine.b, &db);
            assert_eq!(gradients.gamma_beta.is_some(), batch_norm);
            if let Some((gamma, beta)) = gradients.gamma_beta {
                close_or_tiny(&gamma, &dgamma);
                close_or_tiny(&beta, &dbeta);
            }
            shape_error(
                hidden_backward(Array2::zeros((5, 3)).view(), &cache),
                if dropout.is_some() { "dout of dropout_backward" } else { "dout of relu_backward" },
            );
        }
    }
}

/// Scale and shift without running statistics, or these without those, would otherwise be passed over in silence.
#[test]
fn a_hidden_layer_with_half_a_batch_normalisation_is_refused() {
    let arrays = Arrays::new(&mut random());
    let mut running = RunningStatistics::zeros(4);
    for (gamma_beta, running) in
        [(Some((arrays.gamma.view(), arrays.beta.view())), None), (None, Some(&mut running))]
    {
        let layer =
            HiddenLayer { w: arrays.w.view(), b: arrays.b.view(), gamma_beta, running, dropout: None };
        let result = hidden_forward(arrays.x.view(), layer, Mode::Train, &mut random());
        assert!(matches!(result, Err(Error::Configuration(_))));
    }
}

// --- f32

/// Runs a hidden layer, the last affine layer and the loss, forward and back.
fn everything<F: Float>(batch_norm: bool) -> (f64, Vec<Array2<f64>>) {
    let mut random = random();
    let mut draw = |shape| random.randn::<Ix2>(shape).mapv(F::from_f64);
    let (x, w1, w2) = (draw([8, 6]), draw([6, 5]), draw([5, 3]));
    let (b1, b2) = (Array1::from_elem(5, F::from_f64(0.1)), Array1::from_elem(3, F::from_f64(-0.2)));
    let (gamma, beta) = (Array1::from_elem(5, F::from_f64(1.5)), Array1::from_elem(5, F::from_f64(0.3)));
    let mut running = RunningStatistics::zeros(5);
    let layer = HiddenLayer {
        w: w1.view(),
        b: b1.view(),
        gamma_beta: batch_norm.then(|| (gamma.view(), beta.view())),
        running: batch_norm.then_some(&mut running),
        dropout: Some(Dropout::new(0.7, Some(4)).unwrap()),
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
    for batch_norm in [false, true] {
        let (loss32, arrays32) = everything::<f32>(batch_norm);
        let (loss64, arrays64) = everything::<f64>(batch_norm);
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
