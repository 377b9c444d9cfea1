//! Gaussian dropout.

use ndarray::{Array2, Array3, ArrayView3, arr1};
use thinnet::gradient_check::eval_numerical_gradient_array;
use thinnet::layers::{
    Draws, Dropout, DropoutKind, Mode, gaussian_dropout_backward, gaussian_dropout_forward,
};
use thinnet::random::{CounterMasks, RandomState};

use crate::{STEP, close, random, shape_error};

fn keep(p: f64) -> Dropout {
    Dropout::new(p, None).unwrap()
}

fn counter(seed: u64) -> Draws<'static> {
    Draws::Counter { masks: CounterMasks::new(seed), step: 3, layer: 1 }
}

#[test]
fn gaussian_dropout_multiplies_by_numpys_normals() {
    // np.random.seed(0); np.random.normal(1, 2, 3): sigma is 2 where p is 0.2.
    let (out, cache) = gaussian_dropout_forward(
        arr1(&[1.0, -2.0, 3.0]).view(),
        keep(0.2),
        Mode::Train,
        Draws::Numpy(&mut RandomState::new(0)),
    );
    let noise = arr1(&[4.528_104_691_935_328, 1.800_314_416_734_446_6, 2.957_475_968_211_478_4]);
    close(cache.mask().unwrap(), &noise, 1e-15);
    close(&out, &(noise * arr1(&[1.0, -2.0, 3.0])), 1e-15);
}

/// Mean 1 and variance (1 - p) / p, those of inverted dropout, each within five standard deviations of its estimate, from
/// either stream; and negative as often as a Gaussian is.
#[test]
fn gaussian_dropout_has_the_mean_and_the_variance_of_dropout() {
    let x = Array2::<f64>::from_elem((400, 250), 3.0);
    let count = x.len() as f64;
    for p in [0.1, 0.25, 0.5, 0.75, 0.95] {
        let variance = (1.0 - p) / p;
        for draws in [Draws::Numpy(&mut random()), counter(5)] {
            let (out, cache) = gaussian_dropout_forward(x.view(), keep(p), Mode::Train, draws);
            let noise = cache.mask().unwrap();
            assert_eq!(out, &x * noise);
            let mean = noise.mean().unwrap();
            assert!((mean - 1.0).abs() < 5.0 * (variance / count).sqrt(), "p {p}: mean {mean}");
            let found = noise.mapv(|r| (r - 1.0) * (r - 1.0)).mean().unwrap();
            assert!((found - variance).abs() < 5.0 * variance * (2.0 / count).sqrt(), "p {p}: {found}");
            if p == 0.5 {
                let negative = noise.iter().filter(|&&r| r < 0.0).count() as f64 / count;
                assert!((negative - 0.158_655).abs() < 0.006, "{negative}"); // Phi(-1)
            }
        }
    }
}

#[test]
fn gaussian_dropout_gradient_fits_finite_differences_at_every_keep_probability() {
    for p in [0.1, 0.25, 0.5, 0.9, 1.0] {
        let mut random = random();
        let x: Array3<f64> = random.randn((3, 4, 5)) + 10.0;
        let dout: Array3<f64> = random.randn(x.raw_dim());
        for seed in [None, Some(123)] {
            let dropout = Dropout::new(p, seed).unwrap();
            let mut stream = RandomState::new(0);
            let draws = if seed.is_some() { Draws::Numpy(&mut stream) } else { counter(2) };
            let (_, cache) = gaussian_dropout_forward(x.view(), dropout, Mode::Train, draws);
            let dx = gaussian_dropout_backward(dout.view(), &cache).unwrap();
            let forward = |x: ArrayView3<'_, f64>| {
                let draws = if seed.is_some() { Draws::Numpy(&mut random) } else { counter(2) };
                Ok(gaussian_dropout_forward(x, dropout, Mode::Train, draws).0)
            };
            let numeric = eval_numerical_gradient_array(forward, x.view(), dout.view(), STEP).unwrap();
            close(&dx, &numeric, 1e-7);
        }
    }
}

#[test]
fn gaussian_dropout_in_test_mode_is_the_identity_and_draws_nothing() {
    let mut random = random();
    let x: Array2<f64> = random.randn((4, 5));
    let before = random.state();
    let (out, cache) = gaussian_dropout_forward(x.view(), keep(0.3), Mode::Test, Draws::Numpy(&mut random));
    assert_eq!((&out, cache.mask()), (&x, None));
    assert_eq!(random.state(), before);
    assert_eq!(gaussian_dropout_backward(x.view(), &cache).unwrap(), x);
    let seeded = Dropout::new(0.3, Some(7)).unwrap();
    gaussian_dropout_forward(x.view(), seeded, Mode::Test, Draws::Numpy(&mut random));
    assert_eq!(random.state(), RandomState::new(7).state());
}

/// A keep probability of 1 changes nothing, and draws all the same: the stream stands where it does at any other.
#[test]
fn gaussian_dropout_that_keeps_everything_is_the_identity_and_draws() {
    let x: Array2<f64> = random().randn((3, 5));
    let (mut all, mut some) = (random(), random());
    let (out, _) = gaussian_dropout_forward(x.view(), keep(1.0), Mode::Train, Draws::Numpy(&mut all));
    assert_eq!(out, x);
    gaussian_dropout_forward(x.view(), keep(0.5), Mode::Train, Draws::Numpy(&mut some));
    assert_eq!(all.state(), some.state());
    assert_ne!(all.state(), random().state());
}

/// A sample's noise is its own, whoever is in the batch with it.
#[test]
fn gaussian_noise_of_a_sample_does_not_depend_on_the_batch() {
    let x = Array2::<f64>::ones((9, 7));
    let (all, _) = gaussian_dropout_forward(x.view(), keep(0.5), Mode::Train, counter(1));
    let some = x.slice(ndarray::s![..4, ..]);
    let (some, _) = gaussian_dropout_forward(some, keep(0.5), Mode::Train, counter(1));
    assert_eq!(some, all.slice(ndarray::s![..4, ..]));
    let expected = CounterMasks::new(1).normals(3, 1, 7).sample(8);
    assert_eq!(all.row(8).to_vec(), expected.iter().map(|z| 1.0 + z).collect::<Vec<_>>());
}

#[test]
fn gaussian_dropout_refuses_what_does_not_fit() {
    let x = Array2::<f64>::ones((2, 3));
    let (_, cache) = gaussian_dropout_forward(x.view(), keep(0.5), Mode::Train, counter(1));
    shape_error(gaussian_dropout_backward(Array2::zeros((3, 2)).view(), &cache), "dout of dropout_backward");
}

#[test]
fn kinds_of_dropout_have_names() {
    for name in DropoutKind::NAMES {
        let kind: DropoutKind = name.parse().unwrap();
        assert_eq!(kind.name(), name);
        assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{name}\""));
        assert_eq!(serde_json::from_str::<DropoutKind>(&format!("\"{name}\"")).unwrap(), kind);
    }
    let message = "gauss".parse::<DropoutKind>().unwrap_err().to_string();
    assert!(
        message.contains("\"gauss\"") && message.contains("bernoulli, gaussian, drop_connect"),
        "{message}"
    );
}
