//! The checker of whole networks: what it finds, and what it does not take for a mistake.
#![allow(clippy::unwrap_used, clippy::panic, clippy::float_cmp)] // a test fails by panic; exact where it says so

use ndarray::{Array1, Array2, array};
use thinnet::Error;
use thinnet::gradient_check::{
    DEFAULT_STEP, NetCheckConfig, ParameterCheck, check_gradients, check_net, eval_numerical_gradient,
    eval_numerical_gradient_array, rel_error,
};
use thinnet::layers::{
    Dropout, Mode, affine_backward, affine_forward, affine_relu_backward, affine_relu_forward,
    dropout_forward, softmax_loss,
};
use thinnet::net::{FullyConnectedNet, NetConfig, Parameters};
use thinnet::random::RandomState;

/// Gives biases values. Where they are 0, a unit whose inputs are all dropped sits exactly at its kink.
fn lift(net: &mut FullyConnectedNet<f64>, random: &mut RandomState) {
    for layer in &mut net.parameters.layers {
        layer.b = random.randn(layer.b.len()) * 0.3;
    }
}

/// A network, inputs and labels from one stream, which is given back where they leave it.
struct Setup {
    net: FullyConnectedNet<f64>,
    x: Array2<f64>,
    y: Vec<usize>,
    random: RandomState,
}

impl Setup {
    fn new(hidden: &[usize], keep: Option<f64>, batch_norm: bool) -> Self {
        let mut random = RandomState::new(231);
        let config = NetConfig {
            input_dim: 6,
            hidden: hidden.to_vec(),
            num_classes: 4,
            dropout: keep.map(|p| Dropout::new(p, None).unwrap()),
            batch_norm,
            reg: 0.3,
            weight_scale: 0.5,
        };
        let x = random.randn((5, 6));
        let y = random.choice(4, 5).unwrap();
        let mut net = FullyConnectedNet::new(config, &mut random).unwrap();
        lift(&mut net, &mut random);
        Self { net, x, y, random }
    }

    fn gradients(&self) -> Parameters<f64> {
        self.net.clone().loss(self.x.view(), &self.y, &mut self.random.clone()).unwrap().1
    }

    fn check(&self, gradients: &Parameters<f64>) -> Vec<ParameterCheck> {
        let config = NetCheckConfig::default();
        check_gradients(&self.net, gradients, self.x.view(), &self.y, &self.random, &config).unwrap()
    }
}

fn names_of_wrong(checks: &[ParameterCheck]) -> Vec<&str> {
    checks.iter().filter(|check| !check.passes()).map(|check| check.name.as_str()).collect()
}

// --- against finite differences of the plain loss

/// Gradients that are off by 1 everywhere make the checker show its own figure for every entry.
#[test]
fn the_figures_are_those_of_the_plain_loss() {
    for (keep, batch_norm) in [(None, false), (Some(0.6), false), (None, true), (Some(0.6), true)] {
        let setup = Setup::new(&[5, 4], keep, batch_norm);
        let mut off = setup.gradients();
        for (_, mut array) in off.named_mut() {
            array += 1.0;
        }
        for (place, check) in setup.check(&off).into_iter().enumerate() {
            let parameters = setup.net.parameters.named();
            let (name, array) = &parameters[place];
            assert_eq!((&check.name, check.checked, check.kinks), (name, array.len(), 0));
            assert_eq!(check.wrong.len(), array.len());
            let plain = eval_numerical_gradient(
                |moved| {
                    let mut net = setup.net.clone();
                    net.parameters.named_mut()[place].1.assign(&moved);
                    Ok(net.loss(setup.x.view(), &setup.y, &mut setup.random.clone())?.0)
                },
                array.view(),
                DEFAULT_STEP,
            )
            .unwrap();
            for (entry, plain) in check.wrong.iter().zip(&plain) {
                let difference = (entry.numeric - plain).abs();
                assert!(difference < 1e-6 * plain.abs() + 1e-9, "{name}: {entry:?}, {plain}");
            }
        }
    }
}

// --- wrong gradients

#[test]
fn right_gradients_pass() {
    for batch_norm in [false, true] {
        for keep in [None, Some(1.0), Some(0.5)] {
            let setup = Setup::new(&[5, 5], keep, batch_norm);
            assert_eq!(names_of_wrong(&setup.check(&setup.gradients())), [""; 0]);
        }
    }
}

#[test]
fn one_entry_off_by_a_hundredth_is_found() {
    let setup = Setup::new(&[5, 4], Some(0.6), false);
    for (place, (name, _)) in setup.net.parameters.named().into_iter().enumerate() {
        let mut gradients = setup.gradients();
        let index = {
            let (_, mut array) = gradients.named_mut().swap_remove(place);
            let (index, value) =
                array.iter_mut().enumerate().max_by(|a, b| a.1.abs().total_cmp(&b.1.abs())).unwrap();
            *value *= 1.01;
            index
        };
        let checks = setup.check(&gradients);
        assert_eq!(names_of_wrong(&checks), [name.as_str()]);
        let check = &checks[place];
        assert_eq!((check.wrong.len(), check.wrong[0].index), (1, index));
        assert_eq!(check.worst.map(|worst| worst.index), Some(index));
        assert!((check.rel_error - 0.01 / 2.01).abs() < 1e-5);
    }
}

#[test]
fn a_transposed_gradient_is_found() {
    let setup = Setup::new(&[5, 5], None, false);
    let mut gradients = setup.gradients();
    gradients.layers[1].w = gradients.layers[1].w.t().to_owned();
    assert_eq!(names_of_wrong(&setup.check(&gradients)), ["W2"]);
}

#[test]
fn a_forgotten_mean_over_the_samples_is_found() {
    let setup = Setup::new(&[5, 4], Some(0.6), true);
    let mut gradients = setup.gradients();
    for (_, mut array) in gradients.named_mut() {
        array *= 5.0;
    }
    let checks = setup.check(&gradients);
    // Biases before a batch normalisation have no effect: their gradient is 0, however often it is counted.
    assert_eq!(names_of_wrong(&checks), ["W1", "gamma1", "beta1", "W2", "gamma2", "beta2", "W3", "b3"]);
}

#[test]
fn a_forgotten_regularisation_is_found_in_the_weights() {
    let setup = Setup::new(&[5], None, false);
    let mut gradients = setup.gradients();
    for (gradient, layer) in gradients.layers.iter_mut().zip(&setup.net.parameters.layers) {
        gradient.w.scaled_add(-0.3, &layer.w);
    }
    assert_eq!(names_of_wrong(&setup.check(&gradients)), ["W1", "W2"]);
}

/// What a student writes who applies dropout on the way forward and forgets it on the way back.
#[test]
fn a_mask_forgotten_on_the_way_back_is_found() {
    let setup = Setup::new(&[5], Some(0.5), false);
    let [first, second] = &setup.net.parameters.layers[..] else { panic!("two layers") };
    let mut random = setup.random.clone();
    let (hidden, cache) = affine_relu_forward(setup.x.view(), first.w.view(), first.b.view()).unwrap();
    let dropout = Dropout::new(0.5, None).unwrap();
    let (dropped, _) = dropout_forward(hidden.view(), dropout, Mode::Train, &mut random);
    let (scores, last) = affine_forward(dropped.view(), second.w.view(), second.b.view()).unwrap();
    let (_, dscores) = softmax_loss(scores.view(), &setup.y).unwrap();
    let after = affine_backward(dscores.view(), &last).unwrap();
    let before = affine_relu_backward(after.x.view(), &cache).unwrap();
    let mut gradients = setup.gradients();
    assert_eq!(gradients.layers[1].b, after.b); // the same pass
    gradients.layers[0].w = before.w + &first.w * 0.3;
    gradients.layers[0].b = before.b;
    assert_eq!(names_of_wrong(&setup.check(&gradients)), ["W1", "b1"]);
}

#[test]
fn a_gradient_that_is_not_a_number_is_found() {
    let setup = Setup::new(&[5], None, false);
    let mut gradients = setup.gradients();
    gradients.layers[0].w[(1, 2)] = f64::NAN;
    let checks = setup.check(&gradients);
    assert_eq!(names_of_wrong(&checks), ["W1"]);
    assert!(checks[0].rel_error.is_nan());
    assert_eq!(checks[0].worst.map(|worst| worst.index), Some(7));
}

// --- kinks

/// One input, hidden units with the given pre-activations for `x = 1`, two classes: docs/gradient-check.md's example.
fn kinked(pre: &[f64], dropout: Option<Dropout>) -> FullyConnectedNet<f64> {
    let config =
        NetConfig { input_dim: 1, hidden: vec![pre.len()], num_classes: 2, dropout, ..NetConfig::default() };
    let mut net = FullyConnectedNet::new(config, &mut RandomState::new(0)).unwrap();
    let [first, second] = &mut net.parameters.layers[..] else { panic!("two layers") };
    first.w.fill(1.0);
    first.b = Array1::from(pre.to_vec()) - 1.0;
    second.w.column_mut(0).fill(1.0);
    second.w.column_mut(1).fill(-1.0);
    net
}

fn check_kinked(net: &FullyConnectedNet<f64>, random: &RandomState, step: f64) -> Vec<ParameterCheck> {
    let config = NetCheckConfig { step, ..NetCheckConfig::default() };
    check_net(net, array![[1.0]].view(), &[0], random, &config).unwrap()
}

fn kinks(checks: &[ParameterCheck]) -> Vec<(&str, usize)> {
    checks.iter().map(|check| (check.name.as_str(), check.kinks)).collect()
}

#[test]
fn a_kink_is_seen_and_not_called_wrong() {
    let net = kinked(&[4e-6], None);
    let random = RandomState::new(0);
    let checks = check_kinked(&net, &random, 1e-5);
    assert_eq!(kinks(&checks), [("W1", 1), ("b1", 1), ("W2", 0), ("b2", 0)]);
    assert_eq!(names_of_wrong(&checks), [""; 0]);
    // (f(x + h) - f(x - h)) / 2h sees (h + 4e-6) / 2h = 0.7 of the slope of -1.
    let worst = checks[0].worst.unwrap();
    assert!(worst.kink && !worst.within_rounding);
    assert!((worst.analytic + 1.0).abs() < 1e-4 && (worst.numeric + 0.7).abs() < 1e-4, "{worst:?}");
    assert!((checks[0].rel_error - 0.3 / 1.7).abs() < 1e-4);
    // The page for students says so in these words.
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/gradient-check.md");
    let page = std::fs::read_to_string(page).unwrap();
    for figure in [format!("b1 = {}", net.parameters.layers[0].b[0]), format!("**{:.1}**", worst.numeric)] {
        assert!(page.contains(&figure), "{figure}");
    }
    assert!(page.contains(&format!("**{:.3}**", worst.rel_error)));
    // A smaller step does not reach the kink.
    let checks = check_kinked(&net, &random, 1e-6);
    assert_eq!(kinks(&checks), [("W1", 0), ("b1", 0), ("W2", 0), ("b2", 0)]);
    assert!(checks.iter().all(ParameterCheck::passes) && checks[0].rel_error < 1e-9, "{checks:?}");
    // A wrong gradient at an entry without a kink is found beside one with a kink.
    let (x, y, config) = (array![[1.0]], [0], NetCheckConfig::default());
    let (_, mut gradients) = net.clone().loss(x.view(), &y, &mut random.clone()).unwrap();
    gradients.layers[1].b[0] *= 1.01;
    let checks = check_gradients(&net, &gradients, x.view(), &y, &random, &config).unwrap();
    assert_eq!(names_of_wrong(&checks), ["b2"]);
}

#[test]
fn a_kink_in_a_later_layer_is_seen() {
    let config = NetConfig { input_dim: 1, hidden: vec![1, 1], num_classes: 2, ..NetConfig::default() };
    let mut net = FullyConnectedNet::<f64>::new(config, &mut RandomState::new(0)).unwrap();
    for layer in &mut net.parameters.layers {
        layer.w.fill(1.0);
    }
    net.parameters.layers[1].b.fill(-1.0 + 4e-6);
    net.parameters.layers[2].w[(0, 1)] = -1.0;
    let checks = check_kinked(&net, &RandomState::new(0), 1e-5);
    assert_eq!(
        kinks(&checks),
        [("W1", 1), ("b1", 1), ("W2", 1), ("b2", 1), ("W3", 0), ("b3", 0)],
        "the first layer's unit is far from 0; the second layer's is not"
    );
    assert!(checks.iter().all(ParameterCheck::passes));
}

#[test]
fn a_dropped_units_crossing_is_no_kink() {
    let dropout = Dropout::new(0.5, None).unwrap();
    let net = kinked(&[4e-6, 1.0], Some(dropout));
    for (first_kept, expected) in [(false, 0), (true, 1)] {
        // The first seed whose mask keeps the second unit, and the first unit or not.
        let keeps = |seed: &u32| {
            let draws: Array1<f64> = RandomState::new(*seed).rand(2);
            (draws[0] < 0.5) == first_kept && draws[1] < 0.5
        };
        let random = RandomState::new((0..1000).find(keeps).unwrap());
        let checks = check_kinked(&net, &random, 1e-5);
        assert_eq!(kinks(&checks), [("W1", expected), ("b1", expected), ("W2", 0), ("b2", 0)]);
        assert!(checks.iter().all(ParameterCheck::passes));
        assert_eq!(checks[0].rel_error > 0.1, first_kept);
    }
}

// --- rounding

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
        dropout: Some(Dropout::new(1.0, Some(123)).unwrap()),
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
    let setup = Setup::new(&[], None, false);
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
    let setup = Setup::new(&[5, 4], Some(0.6), false);
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

// --- how it is run

#[test]
fn a_sample_checks_so_many_entries_and_finds_the_same_ones_again() {
    let setup = Setup::new(&[5, 4], Some(0.6), false);
    let check = |sample| {
        let config = NetCheckConfig { sample, ..NetCheckConfig::default() };
        check_net(&setup.net, setup.x.view(), &setup.y, &setup.random, &config).unwrap()
    };
    let checked = |checks: &[ParameterCheck]| checks.iter().map(|check| check.checked).collect::<Vec<_>>();
    assert_eq!(checked(&check(None)), [30, 5, 20, 4, 16, 4]);
    let some = check(Some((7, 1)));
    assert_eq!(checked(&some), [7, 5, 7, 4, 7, 4]);
    assert_eq!(some, check(Some((7, 1))));
    assert_ne!(some, check(Some((7, 2))));
    assert_eq!(check(Some((1000, 1))), check(None));
}

#[test]
fn threads_change_nothing() {
    let setup = Setup::new(&[5, 4], Some(0.6), true);
    let check = |threads| {
        let config = NetCheckConfig { threads, ..NetCheckConfig::default() };
        check_net(&setup.net, setup.x.view(), &setup.y, &setup.random, &config).unwrap()
    };
    let one = check(Some(1));
    assert_eq!(check(Some(3)), one);
    assert_eq!(check(None), one);
}

#[test]
fn masks_are_held_fixed_with_and_without_a_seed() {
    for seed in [None, Some(123)] {
        let mut setup = Setup::new(&[8, 8], None, false);
        let dropout = Some(Dropout::new(0.5, seed).unwrap());
        let config = NetConfig { dropout, ..setup.net.config().clone() };
        setup.net = FullyConnectedNet::new(config, &mut setup.random).unwrap();
        lift(&mut setup.net, &mut setup.random);
        let before = setup.random.state();
        let checks = setup.check(&setup.gradients());
        assert_eq!(setup.random.state(), before);
        assert!(checks.iter().all(|check| check.passes() && check.rel_error < 1e-4), "{checks:#?}");
        // Another mask's gradients are found out, so it is this mask that was held.
        let mut other = setup.random.clone();
        other.rand(1);
        let gradients = setup.net.clone().loss(setup.x.view(), &setup.y, &mut other).unwrap().1;
        assert_eq!(setup.check(&gradients).iter().all(ParameterCheck::passes), seed.is_some());
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let setup = Setup::new(&[5], None, false);
    let with = |config: NetCheckConfig| {
        check_net(&setup.net, setup.x.view(), &setup.y, &setup.random, &config).unwrap_err()
    };
    for step in [0.0, -1e-5, f64::NAN, f64::INFINITY] {
        let error = with(NetCheckConfig { step, ..NetCheckConfig::default() });
        assert!(matches!(&error, Error::Configuration(text) if text.contains("step")), "{error}");
    }
    let error = with(NetCheckConfig { sample: Some((0, 1)), ..NetCheckConfig::default() });
    assert!(matches!(&error, Error::Configuration(text) if text.contains("at least 1")), "{error}");

    let config = NetCheckConfig::default();
    let check = |x: &Array2<f64>, y: &[usize]| check_net(&setup.net, x.view(), y, &setup.random, &config);
    assert!(matches!(check(&Array2::zeros((5, 7)), &setup.y), Err(Error::Shape { .. })));
    assert!(matches!(check(&setup.x, &setup.y[1..]), Err(Error::Shape { .. })));
    assert!(matches!(check(&Array2::zeros((0, 6)), &[]), Err(Error::Shape { .. })));
    assert!(matches!(check(&setup.x, &[4; 5]), Err(Error::Data(_))));

    let check = |gradients: &Parameters<f64>| {
        check_gradients(&setup.net, gradients, setup.x.view(), &setup.y, &setup.random, &config)
    };
    let mut gradients = setup.gradients();
    gradients.layers[0].w = gradients.layers[0].w.t().to_owned();
    assert!(matches!(check(&gradients), Err(Error::Shape { .. })));
    gradients = setup.gradients();
    gradients.layers.pop();
    assert!(matches!(check(&gradients), Err(Error::Shape { .. })));
}

/// A step below the number type's smallest is a step of 0, whatever it was as 64 bits.
#[test]
fn a_step_that_is_0_in_the_networks_number_type_is_refused() {
    let mut random = RandomState::new(0);
    let config = NetConfig { input_dim: 2, hidden: vec![2], num_classes: 2, ..NetConfig::default() };
    let net = FullyConnectedNet::<f32>::new(config, &mut random).unwrap();
    let x = Array2::<f32>::ones((1, 2));
    let config = NetCheckConfig { step: 1e-60, ..NetCheckConfig::default() };
    assert!(matches!(check_net(&net, x.view(), &[0], &random, &config), Err(Error::Configuration(_))));
}

// --- the plain functions

#[test]
fn numerical_gradients_are_those_of_known_functions() {
    let x = array![[1.0, -2.0], [0.5, 3.0]];
    let cubes = eval_numerical_gradient(|x| Ok(x.mapv(|v: f64| v.powi(3)).sum()), x.view(), 1e-5).unwrap();
    assert!(rel_error(cubes.view(), x.mapv(|v| 3.0 * v * v).view()).unwrap() < 1e-9);
    // A transposed view comes back in its own order.
    let weights = array![[1.0, 2.0], [3.0, 4.0]];
    let linear = eval_numerical_gradient(|x| Ok((&x * &weights).sum()), x.t(), 1e-5).unwrap();
    assert!(rel_error(linear.view(), weights.view()).unwrap() < 1e-9);
    let df = array![1.0, 10.0];
    let rows = eval_numerical_gradient_array(|x| Ok(x.sum_axis(ndarray::Axis(1))), x.view(), df.view(), 1e-5)
        .unwrap();
    assert!(rel_error(rows.view(), array![[1.0, 1.0], [10.0, 10.0]].view()).unwrap() < 1e-9);
    let empty = eval_numerical_gradient(|_| Ok(1.0), Array2::<f64>::zeros((0, 3)).view(), 1e-5).unwrap();
    assert_eq!(empty.dim(), (0, 3));
}

#[test]
fn numerical_gradients_pass_errors_on() {
    let x = array![1.0, 2.0];
    let fail = |_: ndarray::ArrayView1<'_, f64>| Err(Error::Configuration("no".into()));
    assert!(matches!(eval_numerical_gradient(fail, x.view(), 1e-5), Err(Error::Configuration(_))));
    let df = array![1.0, 1.0, 1.0];
    let result = eval_numerical_gradient_array(|x| Ok(x.to_owned()), x.view(), df.view(), 1e-5);
    assert!(matches!(result, Err(Error::Shape { .. })));
}

#[test]
fn relative_errors_are_the_courses() {
    let error = |a: f64, b: f64| rel_error(array![0.0, a].view(), array![0.0, b].view()).unwrap();
    assert_eq!(error(1.0, 3.0), 0.5);
    assert_eq!(error(0.0, 0.0), 0.0);
    assert_eq!(error(0.0, 1e-9), 0.1); // the denominator is never below 1e-8
    assert_eq!(error(1.0, -1.0), 1.0);
    assert!(error(f64::NAN, 1.0).is_nan());
    assert!(rel_error(array![f64::NAN, 0.0].view(), array![0.0, 5.0].view()).unwrap().is_nan());
    assert!(matches!(rel_error(array![1.0].view(), array![1.0, 2.0].view()), Err(Error::Shape { .. })));
}
