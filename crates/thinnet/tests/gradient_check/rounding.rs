//! Rounding and truncation are told from a wrong gradient.

use ndarray::Array2;
use thinnet::gradient_check::{NetCheckConfig, check_gradients, check_net};
use thinnet::layers::{Dropout, Normalisation};
use thinnet::net::{FullyConnectedNet, NetConfig, Parameters};
use thinnet::random::RandomState;

use crate::{Setup, names_of_wrong};

/// The course's first network (keep 1): its worst entry, W2's 381st, owes its relative error to rounding alone. The finding
/// stands in docs/gradient-check.md.
#[test]
fn the_courses_worst_figure_is_rounding() {
    let mut random = RandomState::new(231);
    let x: Array2<f64> = random.randn((2, 15));
    let y = random.choice(10, 2).unwrap();
    let config = NetConfig {
        input_dim: 15,
        hidden: vec![20, 30],
        dropout: Some(Dropout::new(1.0, Some(123)).unwrap()).into(),
        weight_scale: 5e-2,
        ..NetConfig::default()
    };
    let mut net = FullyConnectedNet::<f64>::new(config, &mut random).unwrap();
    let (loss, gradients) = net.loss(x.view(), &y, &mut random).unwrap();
    let analytic = gradients.layers[1].w[(12, 21)];
    assert!((analytic - 5.663_219_141_4e-7).abs() < 1e-16);
    let mut error = |h: f64| {
        let mut at = |change: f64| {
            net.parameters.layers[1].w[(12, 21)] += change;
            let loss = net.loss(x.view(), &y, &mut random).unwrap().0;
            net.parameters.layers[1].w[(12, 21)] -= change;
            loss
        };
        ((at(h) - at(-h)) / (2.0 * h) - analytic).abs()
    };
    // A unit in the last place of the loss, seen through a step of 1e-5, is 2.2e-11: a relative error of 2e-5.
    let unit = loss * f64::EPSILON;
    assert!(error(1e-5) < 4.0 * unit / 2e-5);
    // A step a hundred times greater makes the error that much smaller: no kink and no truncation, which would grow.
    assert!(error(1e-3) < 4.0 * unit / 2e-3);
    assert!(error(1e-2) < 1e-13 && 1e-13 < 1e-6 * analytic);

    let checks = check_net(&net, x.view(), &y, &random, &NetCheckConfig::default()).unwrap();
    let w2 = &checks[2];
    assert_eq!((w2.name.as_str(), w2.kinks, w2.wrong.len()), ("W2", 0, 0));
    // A gradient that is wrong there shows every step's entry: none has a kink (an entry with one is not called wrong).
    let mut off = gradients;
    off.layers[1].w[(12, 21)] += 1.0;
    for step in [1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6] {
        let config = NetCheckConfig { step, ..NetCheckConfig::default() };
        let checks = check_gradients(&net, &off, x.view(), &y, &random, &config).unwrap();
        assert!(checks[2].wrong.iter().any(|entry| entry.index == 381 && !entry.kink), "step {step}");
    }
    let worst = w2.worst.unwrap();
    assert!(worst.within_rounding && worst.rel_error > 1e-6 && worst.analytic.abs() < 1e-6);
}

// --- truncation

/// A great step: the differences are off by some h^2, which is neither the gradient's mistake nor hides one.
#[test]
fn truncation_is_told_from_a_wrong_gradient() {
    let setup = Setup::new(&[], None, Normalisation::None);
    let config = NetCheckConfig { step: 0.1, ..NetCheckConfig::default() };
    let check = |gradients: &Parameters<f64>, step| {
        let config = NetCheckConfig { step, tolerance: 1e-5, ..config.clone() };
        check_gradients(&setup.net, gradients, setup.x.view(), &setup.y, &setup.random, &config).unwrap()
    };
    let mut gradients = setup.gradients();
    for check in check(&gradients, 2e-2) {
        let worst = check.worst.unwrap();
        assert!(check.passes() && worst.truncation && check.rel_error > 1e-5, "{check:?}");
    }
    let error = |step| check(&gradients, step)[1].rel_error;
    assert!((error(2e-2) / error(1e-2) - 4.0).abs() < 0.1, "an error of order h^2");
    gradients.layers[0].b[2] *= 1.001;
    let checks = check(&gradients, 2e-2);
    assert_eq!(names_of_wrong(&checks), ["b1"]);
    assert_eq!(checks[1].wrong.iter().map(|entry| entry.index).collect::<Vec<_>>(), [2]);
}

#[test]
fn f32_passes_with_a_step_that_suits_it() {
    let setup = Setup::new(&[5, 4], Some(0.6), Normalisation::None);
    #[allow(clippy::cast_possible_truncation)]
    let round = |value: f64| value as f32;
    let mut net =
        FullyConnectedNet::<f32>::new(setup.net.config().clone(), &mut RandomState::new(0)).unwrap();
    for (to, from) in net.parameters.layers.iter_mut().zip(&setup.net.parameters.layers) {
        to.w = from.w.mapv(round);
    }
    let config = NetCheckConfig { step: 1e-2, tolerance: 1e-3, ..NetCheckConfig::default() };
    let checks = check_net(&net, setup.x.mapv(round).view(), &setup.y, &setup.random, &config).unwrap();
    assert_eq!(names_of_wrong(&checks), [""; 0], "{checks:#?}");
}
