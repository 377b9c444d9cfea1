//! DropConnect.

use ndarray::{Array1, Array2, Array3, ArrayView1, ArrayView2, Axis, arr1, arr2};
use thinnet::gradient_check::eval_numerical_gradient_array;
use thinnet::layers::{
    Draws, DropConnectCache, Dropout, Mode, affine_backward, affine_forward, drop_connect_backward,
    drop_connect_forward,
};
use thinnet::random::{CounterMasks, RandomState};

use crate::{STEP, close, random, shape_error};

fn keep(p: f64) -> Dropout {
    Dropout::new(p, None).unwrap()
}

fn counter(seed: u64) -> Draws<'static> {
    Draws::Counter { masks: CounterMasks::new(seed), step: 3, layer: 1 }
}

/// Inputs (N, D), weights (D, H), biases (H).
fn arrays(n: usize, d: usize, h: usize) -> (Array2<f64>, Array2<f64>, Array1<f64>) {
    let mut random = random();
    (random.randn((n, d)), random.randn((d, h)), random.randn(h))
}

#[test]
fn drop_connect_masks_weights_in_the_order_sample_input_unit() {
    // np.random.seed(0); np.random.rand(2, 2, 3) < 0.6, where the twelve numbers are
    // .5488 .7152 .6028 .5449 .4237 .6459 | .4376 .8918 .9637 .3834 .7917 .5289.
    let masks = [arr2(&[[1.0, 0.0, 0.0], [1.0, 1.0, 0.0]]), arr2(&[[1.0, 0.0, 0.0], [1.0, 0.0, 1.0]])];
    let x = arr2(&[[1.0, 2.0], [3.0, 4.0]]);
    let w = arr2(&[[1.0, 10.0, 100.0], [2.0, 20.0, 200.0]]);
    let b = arr1(&[0.5, 0.25, 0.125]);
    let mut random = RandomState::new(0);
    let (out, _) =
        drop_connect_forward(x.view(), w.view(), b.view(), keep(0.6), Mode::Train, Draws::Numpy(&mut random))
            .unwrap();
    for (n, mask) in masks.iter().enumerate() {
        close(&out.row(n).to_owned(), &(x.row(n).dot(&(mask * &w / 0.6)) + &b), 1e-14);
    }
    assert_eq!(out[(0, 2)], 0.125, "no weight is kept");
    // The stream stands behind the twelve.
    let mut by_hand = RandomState::new(0);
    by_hand.rand(12);
    assert_eq!(random.state(), by_hand.state());
}

/// Gradients of x, w and b from either stream, with a mask a sample.
#[test]
fn drop_connect_gradients_fit_finite_differences_at_every_keep_probability() {
    let (x, w, b) = arrays(5, 6, 4);
    let dout: Array2<f64> = random().randn((5, 4));
    for p in [0.1, 0.5, 0.9, 1.0] {
        for seed in [None, Some(123)] {
            let dropout = Dropout::new(p, seed).unwrap();
            let forward = |x: ArrayView2<'_, f64>, w: ArrayView2<'_, f64>, b: ArrayView1<'_, f64>| {
                let mut stream = RandomState::new(0);
                let draws = if seed.is_some() { Draws::Numpy(&mut stream) } else { counter(2) };
                drop_connect_forward(x, w, b, dropout, Mode::Train, draws)
            };
            let (x, w, b, dout) = (x.view(), w.view(), b.view(), dout.view());
            let got = drop_connect_backward(dout, &forward(x, w, b).unwrap().1).unwrap();
            let dx = eval_numerical_gradient_array(|x| Ok(forward(x, w, b)?.0), x, dout, STEP).unwrap();
            let dw = eval_numerical_gradient_array(|w| Ok(forward(x, w, b)?.0), w, dout, STEP).unwrap();
            let db = eval_numerical_gradient_array(|b| Ok(forward(x, w, b)?.0), b, dout, STEP).unwrap();
            close(&got.x, &dx, 1e-7);
            close(&got.w, &dw, 1e-7);
            close(&got.b, &db, 1e-7);
        }
    }
}

/// Over many samples of one and the same input: each weight is kept by its share of them, independently of every other, so
/// that the output's mean is the affine layer's, and its variance the sum of `(1 - p) / p (x w)^2` (the paper, section 3).
#[test]
fn drop_connect_keeps_the_mean_and_the_share_it_is_told() {
    let (n, d, h) = (20_000, 6, 3);
    let (row, w, b) = arrays(1, d, h);
    let x = row.broadcast((n, d)).unwrap();
    let (expected, _) = affine_forward(row.view(), w.view(), b.view()).unwrap();
    for p in [0.1, 0.5, 0.9] {
        for draws in [Draws::Numpy(&mut random()), counter(8)] {
            let (out, cache) =
                drop_connect_forward(x, w.view(), b.view(), keep(p), Mode::Train, draws).unwrap();
            let mean = out.mean_axis(Axis(0)).unwrap();
            for unit in 0..h {
                let variance: f64 =
                    (0..d).map(|input| (1.0 - p) / p * (row[(0, input)] * w[(input, unit)]).powi(2)).sum();
                let off = (mean[unit] - expected[(0, unit)]).abs();
                assert!(off < 5.0 * (variance / n as f64).sqrt(), "p {p}, unit {unit}: off by {off}");
                let found = out.column(unit).mapv(|z| (z - expected[(0, unit)]).powi(2)).mean().unwrap();
                // The fourth moment of a few masked terms is some times the Gaussian's, hence a tenth.
                assert!((found / variance - 1.0).abs() < 0.1, "p {p}, unit {unit}: {found}, {variance}");
            }
            for kept in share_kept(&cache, (n, d, h), p) {
                let deviation = (p * (1.0 - p) / n as f64).sqrt();
                assert!((kept - p).abs() < 5.0 * deviation, "p {p}: kept {kept}");
            }
        }
    }
}

/// Of each weight, the share of samples that keep it: the gradient of the weight, for inputs of 1.
fn share_kept(cache: &DropConnectCache<f64>, (n, d, h): (usize, usize, usize), p: f64) -> Vec<f64> {
    let (x, _, _) = arrays(1, d, h);
    let gradients = drop_connect_backward(Array2::ones((n, h)).view(), cache).unwrap();
    gradients.w.indexed_iter().map(|((input, _), dw)| dw / x[(0, input)] * p / n as f64).collect()
}

/// A sample's mask is its own, whoever is in the batch with it, and the counter-based stream's.
#[test]
fn drop_connect_masks_of_a_sample_do_not_depend_on_the_batch() {
    let (x, w, b) = arrays(9, 7, 5);
    let out = |x| {
        let (w, b) = (w.view(), b.view());
        drop_connect_forward(x, w, b, keep(0.5), Mode::Train, counter(1)).unwrap().0
    };
    let all = out(x.view());
    assert_eq!(out(x.slice(ndarray::s![..4, ..])), all.slice(ndarray::s![..4, ..]));
    let masks = CounterMasks::new(1).weights(3, 1, (7, 5), 0.5);
    let kept: Vec<f64> =
        (0..9).flat_map(|sample| masks.sample(sample)).map(|kept| f64::from(u8::from(kept))).collect();
    let kept = Array3::from_shape_vec((9, 7, 5), kept).unwrap();
    for (n, kept) in kept.outer_iter().enumerate() {
        close(&all.row(n).to_owned(), &(x.row(n).dot(&(2.0 * &kept * &w)) + &b), 1e-12);
    }
}

/// The paper's layer in evaluation is the mean network here: the affine layer, which draws nothing.
#[test]
fn drop_connect_in_test_mode_is_the_affine_layer() {
    let (x, w, b) = arrays(5, 6, 4);
    let (x, w, b) = (x.view(), w.view(), b.view());
    let mut random = random();
    let before = random.state();
    let (out, cache) =
        drop_connect_forward(x, w, b, keep(0.3), Mode::Test, Draws::Numpy(&mut random)).unwrap();
    let (expected, affine) = affine_forward(x, w, b).unwrap();
    assert_eq!((&out, random.state()), (&expected, before));
    let (got, expected) =
        (drop_connect_backward(out.view(), &cache).unwrap(), affine_backward(out.view(), &affine).unwrap());
    assert_eq!((got.x, got.w, got.b), (expected.x, expected.w, expected.b));
    let seeded = Dropout::new(0.3, Some(7)).unwrap();
    drop_connect_forward(x, w, b, seeded, Mode::Test, Draws::Numpy(&mut random)).unwrap();
    assert_eq!(random.state(), RandomState::new(7).state());
}

#[test]
fn drop_connect_that_keeps_everything_is_the_affine_layer_and_draws_all_the_same() {
    let (x, w, b) = arrays(5, 6, 4);
    let mut random = random();
    let draws = Draws::Numpy(&mut random);
    let (out, cache) =
        drop_connect_forward(x.view(), w.view(), b.view(), keep(1.0), Mode::Train, draws).unwrap();
    let (expected, affine) = affine_forward(x.view(), w.view(), b.view()).unwrap();
    close(&out, &expected, 1e-13);
    let (got, expected) =
        (drop_connect_backward(out.view(), &cache).unwrap(), affine_backward(out.view(), &affine).unwrap());
    close(&got.x, &expected.x, 1e-12);
    close(&got.w, &expected.w, 1e-12);
    let mut by_hand = crate::random();
    by_hand.rand(5 * 6 * 4);
    assert_eq!(random.state(), by_hand.state());
}

#[test]
fn drop_connect_takes_no_samples_and_any_memory_layout() {
    let (x, w, b) = arrays(4, 6, 3);
    let out = |x, w| drop_connect_forward(x, w, b.view(), keep(0.5), Mode::Train, counter(1)).unwrap();
    let (xt, wt) = (x.t().as_standard_layout().into_owned(), w.t().as_standard_layout().into_owned());
    let (got, cache) = out(xt.t(), wt.t());
    let (expected, true_cache) = out(x.view(), w.view());
    assert_eq!(got, expected);
    let gradients = |cache| drop_connect_backward(expected.view(), cache).unwrap();
    assert_eq!(gradients(&cache).w, gradients(&true_cache).w);
    let (none, cache) = out(Array2::zeros((0, 6)).view(), w.view());
    assert_eq!(none.dim(), (0, 3));
    let gradients = drop_connect_backward(none.view(), &cache).unwrap();
    assert_eq!(
        (gradients.x.dim(), gradients.w, gradients.b),
        ((0, 6), Array2::zeros((6, 3)), Array1::zeros(3))
    );
}

#[test]
fn drop_connect_refuses_what_does_not_fit() {
    let (x, w, b) = (Array2::<f64>::ones((2, 6)), Array2::<f64>::ones((6, 4)), Array1::<f64>::ones(4));
    for mode in [Mode::Train, Mode::Test] {
        let forward = |w: &Array2<f64>, b: &Array1<f64>| {
            drop_connect_forward(x.view(), w.view(), b.view(), keep(0.5), mode, counter(1))
        };
        shape_error(forward(&Array2::ones((5, 4)), &b), "x of drop_connect_forward");
        shape_error(forward(&w, &Array1::ones(5)), "b of drop_connect_forward");
        let (_, cache) = forward(&w, &b).unwrap();
        let what =
            if mode == Mode::Train { "dout of drop_connect_backward" } else { "dout of affine_backward" };
        for wrong in [(2, 3), (1, 4), (4, 2)] {
            shape_error(drop_connect_backward(Array2::zeros(wrong).view(), &cache), what);
        }
    }
}
