//! Layer normalisation.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, arr1, array};
use thinnet::gradient_check::eval_numerical_gradient_array;
use thinnet::layers::{LayerNorm, layer_norm_backward, layer_norm_forward};

use crate::{STEP, close, linspace, random, shape_error};

/// NumPy 2.4.6:
/// ```python
/// x = np.linspace(-1, 2, 12).reshape(4, 3) ** 2
/// g, b = np.array([1, 2, .5]), np.array([0, -1, 3.])
/// print(g * (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-5) + b)
/// ```
#[test]
fn layer_norm_gives_numpys_figures() {
    let x = linspace(-1.0, 2.0, ndarray::Dim((4, 3))).mapv(|value| value * value);
    let (gamma, beta) = (arr1(&[1.0, 2.0, 0.5]), arr1(&[0.0, -1.0, 3.0]));
    let (out, _) = layer_norm_forward(x.view(), gamma.view(), beta.view(), LayerNorm::default()).unwrap();
    let expected = array![
        [1.293_672_097_873_965_3, -1.304_393_434_793_874, 2.429_262_309_761_486_3],
        [-0.462_105_312_039_223_1, -2.848_421_248_156_895_6, 3.693_157_968_058_835_6],
        [-1.159_133_772_296_746_3, -1.244_028_162_588_789, 3.640_573_926_795_570_3],
        [-1.191_267_863_707_288, -1.128_785_714_995_382, 3.627_830_360_602_49]
    ];
    close(&out, &expected, 1e-12);
}

/// Each sample's mean is 0 and its variance 1, whatever the others are.
#[test]
fn each_sample_is_normalised_by_itself() {
    let x: Array2<f64> = random().randn((4, 50)) * 3.0 + 7.0;
    let (gamma, beta) = (Array1::ones(50), Array1::zeros(50));
    let (out, _) = layer_norm_forward(x.view(), gamma.view(), beta.view(), LayerNorm::default()).unwrap();
    for (row, input) in out.rows().into_iter().zip(x.rows()) {
        assert!(row.mean().unwrap().abs() < 1e-12);
        assert!((row.var(0.0) - 1.0).abs() < 1e-4);
        let alone = input.insert_axis(ndarray::Axis(0));
        let (alone, _) = layer_norm_forward(alone, gamma.view(), beta.view(), LayerNorm::default()).unwrap();
        assert_eq!(alone.row(0), row);
    }
}

#[test]
fn layer_norm_gradients_are_the_numerical_ones() {
    let mut random = random();
    let x: Array2<f64> = random.randn((4, 5)) * 5.0 + 12.0;
    let (gamma, beta): (Array1<f64>, Array1<f64>) = (random.randn(5), random.randn(5));
    let dout: Array2<f64> = random.randn((4, 5));
    let forward = |x: ArrayView2<'_, f64>, gamma: ArrayView1<'_, f64>, beta: ArrayView1<'_, f64>| {
        layer_norm_forward(x, gamma, beta, LayerNorm { epsilon: 1e-2 })
    };
    let (_, cache) = forward(x.view(), gamma.view(), beta.view()).unwrap();
    let gradients = layer_norm_backward(dout.view(), &cache).unwrap();
    let dx = eval_numerical_gradient_array(
        |x| Ok(forward(x, gamma.view(), beta.view())?.0),
        x.view(),
        dout.view(),
        STEP,
    );
    let dgamma = eval_numerical_gradient_array(
        |gamma| Ok(forward(x.view(), gamma, beta.view())?.0),
        gamma.view(),
        dout.view(),
        STEP,
    );
    let dbeta = eval_numerical_gradient_array(
        |beta| Ok(forward(x.view(), gamma.view(), beta)?.0),
        beta.view(),
        dout.view(),
        STEP,
    );
    close(&gradients.x, &dx.unwrap(), 1e-6);
    close(&gradients.gamma, &dgamma.unwrap(), 1e-7);
    close(&gradients.beta, &dbeta.unwrap(), 1e-7);
}

#[test]
fn wrong_shapes_are_refused() {
    let (x, right, wrong) = (Array2::<f64>::zeros((2, 3)), Array1::zeros(3), Array1::zeros(2));
    let settings = LayerNorm::default();
    let bad = layer_norm_forward(x.view(), wrong.view(), right.view(), settings);
    shape_error(bad, "gamma of layer_norm_forward");
    let bad = layer_norm_forward(x.view(), right.view(), wrong.view(), settings);
    shape_error(bad, "beta of layer_norm_forward");
    let bad = layer_norm_forward(x.view(), wrong.view(), wrong.view(), settings);
    shape_error(bad, "x of layer_norm_forward");
    let (empty, none) = (Array2::<f64>::zeros((2, 0)), Array1::zeros(0));
    let bad = layer_norm_forward(empty.view(), none.view(), none.view(), settings);
    shape_error(bad, "x of layer_norm_forward");
    let (_, cache) = layer_norm_forward(x.view(), right.view(), right.view(), settings).unwrap();
    let dout = Array2::<f64>::zeros((3, 2));
    shape_error(layer_norm_backward(dout.view(), &cache), "dout of layer_norm_backward");
}
