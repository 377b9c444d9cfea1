//! The L1 term and smoothed labels: their figures, their gradients against finite differences, what is refused.
#![allow(clippy::unwrap_used, clippy::float_cmp)] // a test fails by panic; exact where it says so

use ndarray::{Array2, Axis, array};
use thinnet::Error;
use thinnet::data::Targets;
use thinnet::gradient_check::{
    NetCheckConfig, ParameterCheck, check_gradients, check_net, eval_numerical_gradient, rel_error,
};
use thinnet::layers::{Activation, Dropout, Loss, Normalisation, softmax_loss};
use thinnet::net::{FullyConnectedNet, NetConfig};
use thinnet::optim::Clipping;
use thinnet::random::RandomState;

fn config() -> NetConfig {
    NetConfig { input_dim: 15, hidden: vec![8, 6], num_outputs: 5, weight_scale: 0.3, ..NetConfig::default() }
}

/// A network, inputs and labels.
fn setup(config: NetConfig) -> (FullyConnectedNet<f64>, Array2<f64>, Vec<usize>, RandomState) {
    let mut random = RandomState::new(231);
    let x = random.randn((4, config.input_dim));
    let y = random.choice(config.num_outputs, 4).unwrap();
    let net = FullyConnectedNet::new(config, &mut random).unwrap();
    (net, x, y, random)
}

#[test]
fn the_l1_term_adds_the_weights_sizes_and_their_signs() {
    let (l1, reg) = (0.07, 0.3);
    let (mut plain, x, y, random) = setup(NetConfig { reg, ..config() });
    plain.parameters.layers[0].w[(2, 3)] = 0.0;
    plain.parameters.layers[1].w[(0, 0)] = -0.0;
    plain.parameters.layers[0].b.fill(-5.0); // biases are not regularised
    let with = NetConfig { l1, ..plain.config().clone() };
    let mut net = FullyConnectedNet::from_parameters(with, plain.parameters.clone()).unwrap();
    let (loss, gradients) = net.loss(x.view(), &y, &mut random.clone()).unwrap();
    let (plain_loss, plain_gradients) = plain.loss(x.view(), &y, &mut random.clone()).unwrap();
    let layers = &net.parameters.layers;
    let sizes: f64 = layers.iter().map(|layer| layer.w.mapv(f64::abs).sum()).sum();
    let squares: f64 = layers.iter().map(|layer| (&layer.w * &layer.w).sum()).sum();
    assert!((loss - plain_loss - l1 * sizes).abs() < 1e-13);
    assert!((net.parameters.penalty(reg, l1) - 0.5 * reg * squares - l1 * sizes).abs() < 1e-13);
    assert_eq!(net.parameters.penalty(reg, 0.0), plain.parameters.penalty(reg, 0.0));
    for ((layer, gradient), plain) in layers.iter().zip(&gradients.layers).zip(&plain_gradients.layers) {
        let signs = layer.w.mapv(|w| {
            if w > 0.0 {
                1.0
            } else if w < 0.0 {
                -1.0
            } else {
                0.0
            }
        });
        assert!((&gradient.w - &plain.w - &signs * l1).iter().all(|d| d.abs() < 1e-15));
        assert_eq!(gradient.b, plain.b);
    }
    assert_eq!(gradients.layers[0].w[(2, 3)], plain_gradients.layers[0].w[(2, 3)]);
}

#[test]
fn gradients_fit_finite_differences() {
    for (l1, label_smoothing) in [(0.05, 0.0), (0.0, 0.1), (0.2, 0.8)] {
        for normalisation in [Normalisation::None, Normalisation::Batch, Normalisation::Layer] {
            for activation in [Activation::Relu, Activation::Tanh] {
                let dropout = Some(Dropout::new(0.6, None).unwrap()).into();
                let config = NetConfig {
                    l1,
                    label_smoothing,
                    normalisation,
                    activation,
                    reg: 0.1,
                    dropout,
                    ..config()
                };
                let (net, x, y, random) = setup(config);
                for check in check_net(&net, x.view(), &y, &random, &NetCheckConfig::default()).unwrap() {
                    assert!(check.passes(), "{l1}, {label_smoothing}, {normalisation:?}: {check:?}");
                }
            }
        }
    }
}

/// The checker sees what it is there for: gradients without the L1 term or of labels that are not smoothed are wrong.
#[test]
fn gradients_of_another_loss_are_found_wrong() {
    let (mut plain, x, y, random) = setup(config());
    let (_, gradients) = plain.loss(x.view(), &y, &mut random.clone()).unwrap();
    for other in [NetConfig { l1: 0.01, ..config() }, NetConfig { label_smoothing: 0.01, ..config() }] {
        let net = FullyConnectedNet::from_parameters(other, plain.parameters.clone()).unwrap();
        let settings = NetCheckConfig::default();
        let checks = check_gradients(&net, &gradients, x.view(), &y, &random, &settings).unwrap();
        let wrong: Vec<bool> = checks.iter().map(|check| !check.passes()).collect();
        let biases_too = net.config().label_smoothing > 0.0;
        assert_eq!(wrong, [true, biases_too, true, biases_too, true, biases_too]);
    }
}

/// A weight within the step of 0 has the L1 term's corner in its finite difference, unless it is 0 itself.
#[test]
fn the_l1_terms_corner_is_a_kink() {
    let (mut net, x, y, random) = setup(NetConfig { l1: 0.5, activation: Activation::Tanh, ..config() });
    net.parameters.layers[1].w[(1, 2)] = 4e-6;
    net.parameters.layers[1].w[(2, 2)] = -9e-6;
    net.parameters.layers[1].w[(3, 3)] = 0.0;
    net.parameters.layers[1].w[(4, 4)] = 2e-5;
    let checks = check_net(&net, x.view(), &y, &random, &NetCheckConfig::default()).unwrap();
    let kinks: Vec<usize> = checks.iter().map(|check| check.kinks).collect();
    assert_eq!(kinks, [0, 0, 2, 0, 0, 0]);
    assert!(checks.iter().all(ParameterCheck::passes) && checks[2].worst.unwrap().kink);
}

/// By hand for two classes with scores 0 and ln 3, of which the softmax makes 1/4 and 3/4; label 1, smoothing 0.2: the target
/// is (0.1, 0.9).
#[test]
fn smoothed_labels_give_the_formulas_figures() {
    let scores: Array2<f64> = array![[0.0, 3f64.ln()]];
    let smoothed =
        |loss: Loss, smoothing| loss.evaluate_smoothed(scores.view(), (&[1]).into(), None, smoothing);
    let (loss, gradient) = smoothed(Loss::Softmax, 0.2).unwrap();
    assert!((loss - (0.1 * 4f64.ln() + 0.9 * (4.0 / 3.0f64).ln())).abs() < 1e-15, "{loss}");
    assert!(rel_error(gradient.view().into_dyn(), array![[0.15, -0.15]].view().into_dyn()).unwrap() < 1e-14);
    assert_eq!(smoothed(Loss::Softmax, 0.0).unwrap(), softmax_loss(scores.view(), &[1]).unwrap());
    for bad in [-0.1, 1.0, 2.0, f64::NAN] {
        let message = smoothed(Loss::Softmax, bad).unwrap_err().to_string();
        assert_eq!(message, format!("label_smoothing must be at least 0 and below 1, got {bad}"));
    }
}

/// Of a perfect guess the loss is the entropy of the smoothed label, which is its least; the gradient fits finite differences
/// with weights for the samples, and sums to 0.
#[test]
fn smoothed_losses_fit_finite_differences() {
    let scores: Array2<f64> = RandomState::new(3).randn((6, 5));
    let (y, weights) = ([0, 4, 2, 2, 1, 3], [1.0, 0.5, 0.0, 2.0, 3.0, 0.25]);
    for smoothing in [0.05, 0.5, 0.95] {
        for weights in [None, Some(&weights[..])] {
            let loss = |scores: ndarray::ArrayView2<'_, f64>| {
                Loss::Softmax.evaluate_smoothed(scores, (&y).into(), weights, smoothing)
            };
            let (_, gradient) = loss(scores.view()).unwrap();
            let numeric = eval_numerical_gradient(|scores| Ok(loss(scores)?.0), scores.view(), 1e-5).unwrap();
            assert!((&gradient - &numeric).iter().all(|d| d.abs() < 1e-9), "{smoothing}");
            assert!(gradient.sum_axis(Axis(1)).iter().all(|sum| sum.abs() < 1e-15));
        }
        let target = |class| smoothing / 5.0 + if class == 2 { 1.0 - smoothing } else { 0.0 };
        let perfect = Array2::from_shape_fn((1, 5), |(_, class)| f64::ln(target(class)));
        let entropy: f64 = -(0..5).map(|class| target(class) * target(class).ln()).sum::<f64>();
        let (loss, gradient) =
            Loss::Softmax.evaluate_smoothed(perfect.view(), (&[2]).into(), None, smoothing).unwrap();
        assert!((loss - entropy).abs() < 1e-15 && gradient.iter().all(|g| g.abs() < 1e-15), "{smoothing}");
    }
}

/// The loss of labels as they are, without an L1 term, is that of the scores and the L2 term, to the bit.
#[test]
fn settings_of_0_change_no_bit() {
    let (mut net, x, y, random) = setup(NetConfig { reg: 0.1, ..config() });
    let (loss, gradients) = net.loss(x.view(), &y, &mut random.clone()).unwrap();
    let scores = net.scores(x.view()).unwrap();
    let (data, dscores) = softmax_loss(scores.view(), &y).unwrap();
    assert_eq!(loss, data + net.parameters.penalty(0.1, 0.0));
    assert_eq!(gradients.layers[2].b, dscores.sum_axis(Axis(0)));
}

#[test]
fn settings_out_of_range_are_refused() {
    let clipped = |clipping| NetConfig { clipping: Some(clipping), ..config() };
    let bad = [
        (NetConfig { l1: -1.0, ..config() }, "l1 must be finite and not negative, got -1"),
        (NetConfig { l1: f64::NAN, ..config() }, "l1 must be finite and not negative, got NaN"),
        (NetConfig { l1: f64::INFINITY, ..config() }, "l1 must be finite and not negative, got inf"),
        (
            NetConfig { label_smoothing: 1.0, ..config() },
            "label_smoothing must be at least 0 and below 1, got 1",
        ),
        (
            NetConfig { label_smoothing: f64::NAN, ..config() },
            "label_smoothing must be at least 0 and below 1, got NaN",
        ),
        (
            NetConfig { label_smoothing: 0.1, loss: Loss::Logistic, ..config() },
            "label_smoothing smooths the labels of the softmax loss; it must be 0 with the logistic loss, got 0.1",
        ),
        (
            clipped(Clipping::Norm(0.0)),
            "the norm that gradients are clipped to must be finite and above 0, got 0",
        ),
        (
            clipped(Clipping::Value(f64::NAN)),
            "the value that gradients are clipped to must be finite and above 0, got NaN",
        ),
        (
            clipped(Clipping::Norm(f64::INFINITY)),
            "the norm that gradients are clipped to must be finite and above 0, got inf",
        ),
    ];
    for (config, expected) in bad {
        let error = FullyConnectedNet::<f32>::new(config, &mut RandomState::new(0)).unwrap_err();
        assert!(matches!(error, Error::Configuration { .. }));
        assert_eq!(error.to_string(), expected);
    }
    for loss in [Loss::Logistic, Loss::SquaredError, Loss::Poisson] {
        let scores = Array2::<f64>::zeros((1, 2));
        let values = scores.clone();
        let result = loss.evaluate_smoothed(scores.view(), Targets::Values(values.view()), None, 0.1);
        assert!(result.unwrap_err().to_string().contains(loss.name()));
    }
    clipped(Clipping::Value(1e-3)).check().unwrap();
    NetConfig { l1: 0.1, label_smoothing: 0.999, ..config() }.check().unwrap();
}
