//! The activations.

use ndarray::{Array2, array};
use thinnet::gradient_check::eval_numerical_gradient_array;
use thinnet::layers::{Activation, activation_backward, activation_forward};

use crate::{STEP, away_from_kinks, close, random, shape_error};

const ALL: [Activation; 4] = [Activation::Identity, Activation::Logistic, Activation::Tanh, Activation::Relu];

/// SciPy 1.17: `special.expit` and `np.tanh`.
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
    ];
    for (activation, expected) in ALL.into_iter().zip(expected) {
        close(&activation_forward(x.view(), activation).0, &expected, 1e-14);
    }
}

#[test]
fn gradients_fit_finite_differences() {
    let x: Array2<f64> = away_from_kinks(&mut random(), ndarray::Dim((4, 5)));
    let dout = random().randn((4, 5));
    for activation in ALL {
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

#[test]
fn nan_is_not_hidden_and_names_are_parsed() {
    for activation in ALL {
        assert!(activation.value(f64::NAN).is_nan(), "{activation:?}");
        assert_eq!(activation.name().parse::<Activation>().unwrap(), activation);
    }
    let message = "selu".parse::<Activation>().unwrap_err().to_string();
    assert_eq!(
        message,
        "there is no activation \"selu\"; the activations are identity, logistic, tanh, relu"
    );
}
