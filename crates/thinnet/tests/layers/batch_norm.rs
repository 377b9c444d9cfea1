//! Batch normalisation.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, arr1, array};
use thinnet::gradient_check::eval_numerical_gradient_array;
use thinnet::layers::{BatchNorm, Mode, RunningStatistics, batch_norm_backward, batch_norm_forward};

use crate::{STEP, close, linspace, random, shape_error};

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
    shape_error(forward(&Array2::zeros((2, 4)), &three, &three, 3, 3), "x of batch_norm_forward");
    let (_, cache) = forward(&x, &three, &three, 3, 3).unwrap();
    shape_error(batch_norm_backward(Array2::zeros((3, 3)).view(), &cache), "dout of batch_norm_backward");
}
