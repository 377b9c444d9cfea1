//! Dropout.

use ndarray::{Array0, Array2, Array3, ArrayView3, arr1};
use thinnet::gradient_check::eval_numerical_gradient_array;
use thinnet::layers::{Dropout, Mode, dropout_backward, dropout_forward};
use thinnet::random::RandomState;

use crate::{STEP, close, random, shape_error};

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
