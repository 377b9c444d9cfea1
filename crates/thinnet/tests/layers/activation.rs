//! The activations.

use std::f64::consts::LN_2;

use ndarray::{Array2, array};
use thinnet::gradient_check::eval_numerical_gradient_array;
use thinnet::layers::{Activation, activation_backward, activation_forward};

use crate::{STEP, away_from_kinks, close, random, shape_error};

/// All, in the order of their names.
fn all() -> Vec<Activation> {
    Activation::NAMES.iter().map(|name| name.parse().unwrap()).collect()
}

/// SciPy 1.17: `special.expit`, `np.tanh`, and the formulas with `np.expm1`, `special.ndtr` and `np.logaddexp`.
#[test]
fn values_are_scipys() {
    let x = array![[-800.0, -2.0, -1e-3], [0.0, 0.5, 800.0]];
    let expected = [
        x.clone(),
        array![[0.0, 0.119_202_922_022_117_56, 0.499_750_000_020_833_3], [0.5, 0.622_459_331_201_854_6, 1.0]],
        array![
            [-1.0, -0.964_027_580_075_816_9, -0.000_999_999_666_666_8],
            [0.0, 0.462_117_157_260_009_8, 1.0]
        ],
        array![[0.0, 0.0, 0.0], [0.0, 0.5, 800.0]],
        array![[-8.0, -0.02, -1e-5], [0.0, 0.5, 800.0]],
        array![[-1.0, -0.864_664_716_763_387_3, -0.000_999_500_166_625_008_5], [0.0, 0.5, 800.0]],
        array![
            [-1.758_099_340_847_376_6, -1.520_166_468_595_695, -0.001_757_220_584_120_270_5],
            [0.0, 0.525_350_493_677_740_2, 840.560_789_884_384_3]
        ],
        array![
            [0.0, -0.045_500_263_896_358_39, -0.000_499_601_057_786_089],
            [0.0, 0.345_731_230_637_006_56, 800.0]
        ],
        array![
            [0.0, -0.238_405_844_044_235_1, -0.000_499_750_000_020_833_4],
            [0.0, 0.311_229_665_600_927_3, 800.0]
        ],
        array![
            [0.0, -0.252_501_482_695_708_9, -0.000_599_679_984_045_866_4],
            [0.0, 0.375_245_211_304_895_1, 800.0]
        ],
        array![
            [0.0, 0.126_928_011_042_972_5, 0.692_647_305_559_940_1],
            [LN_2, 0.974_076_984_180_106_7, 800.0]
        ],
    ];
    assert_eq!(all().len(), expected.len());
    for (activation, expected) in all().into_iter().zip(expected) {
        close(&activation_forward(x.view(), activation).0, &expected, 1e-14);
    }
}

#[test]
fn gradients_fit_finite_differences() {
    let x: Array2<f64> = away_from_kinks(&mut random(), ndarray::Dim((4, 5)));
    let dout = random().randn((4, 5));
    for activation in all() {
        let (_, cache) = activation_forward(x.view(), activation);
        let gradient = activation_backward(dout.view(), &cache).unwrap();
        let numeric = eval_numerical_gradient_array(
            |x| Ok(activation_forward(x, activation).0),
            x.view(),
            dout.view(),
            STEP,
        );
        close(&gradient, &numeric.unwrap(), 1e-8);
        shape_error(
            activation_backward(dout.t(), &cache),
            match activation {
                Activation::Relu => "dout of relu_backward",
                _ => "dout of activation_backward",
            },
        );
    }
}

/// Where a value tells the derivative, it is the derivative at the point, on both sides of 0 and at 0 itself.
#[test]
fn derivatives_follow_from_values() {
    for activation in all() {
        for z in [-30.0, -2.0, -1e-9, 0.0, 1e-9, 0.75, 30.0_f64] {
            let (at, from) =
                (activation.derivative(z), activation.derivative_from_value(activation.value(z)));
            match activation {
                Activation::Gelu | Activation::Silu | Activation::Mish => assert_eq!(from, None),
                _ => assert!((from.unwrap() - at).abs() < 1e-13, "{activation:?} at {z}: {from:?}, {at}"),
            }
        }
    }
}

#[test]
fn nan_is_not_hidden_and_names_are_parsed() {
    for activation in all() {
        assert!(activation.value(f64::NAN).is_nan(), "{activation:?}");
        assert!(activation.value(f64::INFINITY) >= 1.0, "{activation:?}");
        assert_eq!(activation.name().parse::<Activation>().unwrap(), activation);
    }
    let message = "swish".parse::<Activation>().unwrap_err().to_string();
    assert_eq!(
        message,
        "there is no activation \"swish\"; the activations are identity, logistic, tanh, relu, leaky_relu, elu, selu, \
         gelu, silu, mish, softplus"
    );
}
