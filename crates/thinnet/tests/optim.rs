//! The optimisers against the course's figures, and what they refuse.
#![allow(clippy::unwrap_used, clippy::panic, clippy::float_cmp, clippy::unreadable_literal)] // a test fails by panic; exact where it says so; the notebook's arrays as it prints them

use ndarray::{Array2, ArrayD, IxDyn, arr1, array};
use thinnet::Error;
use thinnet::gradient_check::rel_error;
use thinnet::optim::{
    Adam, AdamW, Optimiser, OptimiserKind, OptimiserState, RmsProp, Sgd, SgdMomentum, max_norm,
};

/// `np.linspace(start, end, 20).reshape(4, 5)`.
fn linspace(start: f64, end: f64) -> ArrayD<f64> {
    table(&ndarray::Array1::linspace(start, end, 20).to_vec())
}

fn table(values: &[f64]) -> ArrayD<f64> {
    ArrayD::from_shape_vec(IxDyn(&[4, 5]), values.to_vec()).unwrap()
}

/// The notebook's weights and gradient.
fn start() -> (ArrayD<f64>, ArrayD<f64>) {
    (linspace(-0.4, 0.6), linspace(-0.6, 0.4))
}

/// The state of an optimiser after so many steps.
fn state(optimiser: &Optimiser, slots: &[&ArrayD<f64>], steps: u64) -> OptimiserState<f64> {
    let slots = slots.iter().map(|&slot| slot.clone()).collect();
    OptimiserState { kind: optimiser.kind(), slots, steps }
}

/// As closely as the notebook prints its arrays.
#[track_caller]
fn close(got: &ArrayD<f64>, expected: &[f64]) {
    let error = rel_error(got.view(), table(expected).view()).unwrap();
    assert!(error < 1e-7, "relative error {error:e}: {got:?}");
}

// The expected arrays are those of cs231n's FullyConnectedNets.ipynb, with NumPy's further digits.

#[test]
fn sgd_momentum_gives_the_courses_figures() {
    let (mut w, dw) = start();
    let optimiser = Optimiser::SgdMomentum(SgdMomentum { learning_rate: 1e-3, ..SgdMomentum::default() });
    let mut state = state(&optimiser, &[&linspace(0.6, 0.9)], 0);
    optimiser.update(w.view_mut(), &dw.view(), &mut state).unwrap();
    close(
        &w,
        &[
            0.1406,
            0.207389474,
            0.274178947,
            0.340968421,
            0.407757895,
            0.474547368,
            0.541336842,
            0.608126316,
            0.674915789,
            0.741705263,
            0.808494737,
            0.875284211,
            0.942073684,
            1.008863158,
            1.075652632,
            1.142442105,
            1.209231579,
            1.276021053,
            1.342810526,
            1.4096,
        ],
    );
    close(
        &state.slots[0],
        &[
            0.5406,
            0.554757895,
            0.568915789,
            0.583073684,
            0.597231579,
            0.611389474,
            0.625547368,
            0.639705263,
            0.653863158,
            0.668021053,
            0.682178947,
            0.696336842,
            0.710494737,
            0.724652632,
            0.738810526,
            0.752968421,
            0.767126316,
            0.781284211,
            0.795442105,
            0.8096,
        ],
    );
}

#[test]
fn rmsprop_gives_the_courses_figures() {
    let (mut w, dw) = start();
    let optimiser = Optimiser::RmsProp(RmsProp::default());
    let mut state = state(&optimiser, &[&linspace(0.6, 0.9)], 0);
    optimiser.update(w.view_mut(), &dw.view(), &mut state).unwrap();
    close(
        &w,
        &[
            -0.392238495,
            -0.340375133,
            -0.288492388,
            -0.236591208,
            -0.184672472,
            -0.132736998,
            -0.08078555,
            -0.0288188405,
            0.0231624656,
            0.0751577444,
            0.127166412,
            0.179187919,
            0.23122175,
            0.28326742,
            0.335324473,
            0.387392476,
            0.439471024,
            0.491559731,
            0.543658234,
            0.595766188,
        ],
    );
    close(
        &state.slots[0],
        &[
            0.5976,
            0.612627701,
            0.627710803,
            0.642849307,
            0.658043213,
            0.673292521,
            0.68859723,
            0.70395734,
            0.719372853,
            0.734843767,
            0.750370083,
            0.765951801,
            0.78158892,
            0.79728144,
            0.813029363,
            0.828832687,
            0.844691413,
            0.86060554,
            0.876575069,
            0.8926,
        ],
    );
}

#[test]
fn adam_gives_the_courses_figures() {
    let (mut w, dw) = start();
    let optimiser = Optimiser::Adam(Adam { learning_rate: 1e-2, ..Adam::default() });
    let mut state = state(&optimiser, &[&linspace(0.6, 0.9), &linspace(0.7, 0.5)], 5);
    optimiser.update(w.view_mut(), &dw.view(), &mut state).unwrap();
    close(
        &w,
        &[
            -0.400947472,
            -0.348361869,
            -0.295777032,
            -0.243192988,
            -0.190609766,
            -0.138027396,
            -0.0854459098,
            -0.0328653407,
            0.0197142755,
            0.0722929013,
            0.124870497,
            0.17744702,
            0.230022426,
            0.282596668,
            0.335169694,
            0.387741452,
            0.440311884,
            0.492880928,
            0.54544852,
            0.59801459,
        ],
    );
    close(
        &state.slots[1],
        &[
            0.69966,
            0.689083823,
            0.678513186,
            0.667948089,
            0.657388532,
            0.646834515,
            0.636286039,
            0.625743102,
            0.615205706,
            0.60467385,
            0.594147535,
            0.583626759,
            0.573111524,
            0.562601828,
            0.552097673,
            0.541599058,
            0.531105984,
            0.520618449,
            0.510136454,
            0.49966,
        ],
    );
    let m: Vec<f64> = (0..20).map(|i| 0.48 + (0.85 - 0.48) * f64::from(i) / 19.0).collect();
    close(&state.slots[0], &m);
    assert_eq!(state.steps, 6);
}

/// Three steps on one number, with the formulas written out. The gradient changes sign, so that momentum shows.
#[test]
fn several_steps_follow_the_formulas() {
    let gradients = [0.5_f64, -1.5, 2.0];
    let rules = Optimiser::NAMES.map(|name| name.parse::<Optimiser>().unwrap().with_learning_rate(0.1));
    for rule in rules {
        let mut w = arr1(&[1.0_f64]).into_dyn();
        let mut state = rule.state(&[1]);
        let (mut expected, mut a, mut b) = (1.0_f64, 0.0_f64, 0.0_f64);
        for (t, g) in (1..).zip(gradients) {
            rule.update(w.view_mut(), &arr1(&[g]).into_dyn().view(), &mut state).unwrap();
            match rule.name() {
                "sgd" => expected -= 0.1 * g,
                "sgd_momentum" => {
                    a = 0.9 * a - 0.1 * g;
                    expected += a;
                }
                "rmsprop" => {
                    a = 0.99 * a + 0.01 * g * g;
                    expected -= 0.1 * g / (a.sqrt() + 1e-8);
                }
                name => {
                    if name == "adamw" {
                        expected *= 1.0 - 0.1 * 0.01;
                    }
                    a = 0.9 * a + 0.1 * g;
                    b = 0.999 * b + 0.001 * g * g;
                    let (m, v) = (a / (1.0 - 0.9_f64.powi(t)), b / (1.0 - 0.999_f64.powi(t)));
                    expected -= 0.1 * m / (v.sqrt() + 1e-8);
                }
            }
            assert!((w[0] - expected).abs() < 1e-12, "{} step {t}: {} {expected}", rule.name(), w[0]);
        }
    }
}

/// Three steps of PyTorch's formula for `AdamW(lr=0.1, weight_decay=0.5)`, which multiplies the moment's root by the
/// correction's, computed with 40 digits.
#[test]
fn adamw_gives_pytorchs_figures() {
    let optimiser = Optimiser::AdamW(AdamW { learning_rate: 0.1, weight_decay: 0.5, ..AdamW::default() });
    let mut w = arr1(&[1.0_f64]).into_dyn();
    let mut state = optimiser.state(&[1]);
    for (gradient, expected) in
        [(0.5, 0.850_000_001_999_999_9), (-0.25, 0.780_866_298_607_846_2), (2.0, 0.674_758_219_498_760_6)]
    {
        optimiser.update(w.view_mut(), &arr1(&[gradient]).into_dyn().view(), &mut state).unwrap();
        assert!((w[0] - expected).abs() < 1e-15, "{}, expected {expected}", w[0]);
    }
    // In 32 bits the decay is rounded once: 1 - 0.1 * 0.5 is the nearest number to 0.95.
    let mut w = arr1(&[1.0_f32]).into_dyn();
    let zero = arr1(&[0.0_f32]).into_dyn();
    optimiser.update(w.view_mut(), &zero.view(), &mut optimiser.state(&[1])).unwrap();
    assert_eq!(w[0], 0.95);
    optimiser.without_weight_decay().update(w.view_mut(), &zero.view(), &mut optimiser.state(&[1])).unwrap();
    assert_eq!(w[0], 0.95);
}

/// Bias correction: Adam's first step is the learning rate, whatever the gradient's size.
#[test]
fn adams_first_step_is_the_learning_rate() {
    for g in [1e-3, 5.0, -700.0] {
        let rule = Optimiser::Adam(Adam::default());
        let mut w = arr1(&[0.0_f64]).into_dyn();
        rule.update(w.view_mut(), &arr1(&[g]).into_dyn().view(), &mut rule.state(&[1])).unwrap();
        assert!((w[0] + 1e-3 * g.signum()).abs() < 1e-7, "{}", w[0]);
    }
}

#[test]
fn a_zero_gradient_moves_nothing_that_has_no_momentum() {
    for name in Optimiser::NAMES {
        let rule = name.parse::<Optimiser>().unwrap().without_weight_decay();
        let before = arr1(&[1.0_f32, -2.0]).into_dyn();
        let mut w = before.clone();
        rule.update(w.view_mut(), &ArrayD::zeros(before.raw_dim()).view(), &mut rule.state(&[2])).unwrap();
        assert_eq!(w, before, "{name}");
    }
    // What has momentum rolls on.
    let mut w = arr1(&[1.0]).into_dyn();
    let optimiser = Optimiser::SgdMomentum(SgdMomentum::default());
    let mut state = state(&optimiser, &[&arr1(&[0.5]).into_dyn()], 0);
    optimiser.update(w.view_mut(), &arr1(&[0.0]).into_dyn().view(), &mut state).unwrap();
    assert_eq!((w[0], state.slots[0][0]), (1.45, 0.45));
}

#[test]
fn a_learning_rate_of_0_moves_nothing() {
    for name in Optimiser::NAMES {
        let rule = name.parse::<Optimiser>().unwrap().with_learning_rate(0.0);
        assert_eq!((rule.learning_rate(), rule.name()), (0.0, name));
        rule.check().unwrap();
        let (mut w, dw) = start();
        rule.update(w.view_mut(), &dw.view(), &mut rule.state(&[4, 5])).unwrap();
        assert_eq!(w, start().0);
    }
}

#[test]
fn wrong_shapes_are_refused_and_change_nothing() {
    let array = |shape: &[usize]| ArrayD::<f64>::ones(IxDyn(shape));
    let shape_error = |result: thinnet::Result<()>, what: &str| match result {
        Err(Error::Shape { what: named, .. }) => assert_eq!(named, what),
        other => panic!("{what}: {other:?}"),
    };
    let mut w = array(&[2, 3]);
    let (good, bad) = (array(&[2, 3]), array(&[3, 2]));
    for name in Optimiser::NAMES {
        let optimiser: Optimiser = name.parse().unwrap();
        let slots = optimiser.kind().slots();
        let fitting = state(&optimiser, &vec![&good; slots.len()], 3);
        let mut after = fitting.clone();
        for gradient in [&bad, &array(&[6])] {
            shape_error(
                optimiser.update(w.view_mut(), &gradient.view(), &mut after),
                &format!("dw of {name}"),
            );
        }
        assert_eq!((&w, &after), (&good, &fitting));
        for (index, slot) in slots.iter().enumerate() {
            let mut wrong = fitting.clone();
            wrong.slots[index] = bad.clone();
            let mut after = wrong.clone();
            let result = optimiser.update(w.view_mut(), &good.view(), &mut after);
            shape_error(result, &format!("{slot} of {name}"));
            assert_eq!((&w, &after), (&good, &wrong));
        }
    }
    let names = Optimiser::NAMES.map(|name| name.parse::<OptimiserKind>().unwrap().slots());
    assert_eq!(names, [&[][..], &["velocity"], &["cache"], &["m", "v"], &["m", "v"]]);
}

#[test]
fn another_optimisers_state_is_refused() {
    let rules = Optimiser::NAMES.map(|name| name.parse::<Optimiser>().unwrap());
    for rule in rules {
        for other in rules {
            let mut state: OptimiserState<f32> = other.state(&[2]);
            let mut w = ArrayD::ones(IxDyn(&[2]));
            let result = rule.update(w.view_mut(), &ArrayD::ones(IxDyn(&[2])).view(), &mut state);
            if rule == other {
                result.unwrap();
            } else {
                let message = result.unwrap_err().to_string();
                assert_eq!(message, format!("the state does not belong to the optimiser {}", rule.name()));
                assert_eq!((w, state), (ArrayD::ones(IxDyn(&[2])), other.state(&[2])));
            }
        }
    }
}

#[test]
fn settings_out_of_range_are_refused() {
    let refused = |rule: Optimiser, name: &str| {
        let message = rule.check().unwrap_err().to_string();
        assert!(message.contains(name), "{message}");
    };
    for name in Optimiser::NAMES {
        let rule: Optimiser = name.parse().unwrap();
        rule.check().unwrap();
        for rate in [-1e-9, f64::NAN, f64::INFINITY] {
            refused(rule.with_learning_rate(rate), "learning rate");
        }
    }
    for decay in [-0.1, 1.0, f64::NAN, f64::INFINITY] {
        refused(
            Optimiser::SgdMomentum(SgdMomentum { momentum: decay, ..SgdMomentum::default() }),
            "momentum",
        );
        refused(Optimiser::RmsProp(RmsProp { decay_rate: decay, ..RmsProp::default() }), "decay_rate");
        refused(Optimiser::Adam(Adam { beta1: decay, ..Adam::default() }), "beta1");
        refused(Optimiser::Adam(Adam { beta2: decay, ..Adam::default() }), "beta2");
    }
    for epsilon in [0.0, -1e-8, f64::NAN, f64::INFINITY] {
        refused(Optimiser::RmsProp(RmsProp { epsilon, ..RmsProp::default() }), "epsilon");
        refused(Optimiser::Adam(Adam { epsilon, ..Adam::default() }), "epsilon");
        refused(Optimiser::AdamW(AdamW { epsilon, ..AdamW::default() }), "epsilon");
    }
    for weight_decay in [-1e-8, f64::NAN, f64::INFINITY] {
        refused(Optimiser::AdamW(AdamW { weight_decay, ..AdamW::default() }), "weight_decay");
    }
    Optimiser::SgdMomentum(SgdMomentum { momentum: 0.0, ..SgdMomentum::default() }).check().unwrap();
}

#[test]
fn settings_are_set_by_name_and_those_of_another_optimiser_are_refused() {
    let mut optimiser: Optimiser = "sgd_momentum".parse().unwrap();
    optimiser.set("momentum", 0.5).unwrap();
    optimiser.set("nesterov", 1.0).unwrap();
    let expected = SgdMomentum { learning_rate: 1e-2, momentum: 0.5, nesterov: true };
    assert_eq!(optimiser, Optimiser::SgdMomentum(expected));
    for name in ["beta1", "learning_rate", "velocity", ""] {
        let message = optimiser.set(name, 0.5).unwrap_err().to_string();
        assert_eq!(message, format!("the optimiser sgd_momentum has no setting {name}"));
    }
    assert_eq!(optimiser, Optimiser::SgdMomentum(expected));
}

#[test]
fn optimisers_are_known_by_the_courses_names_and_come_with_its_defaults() {
    assert_eq!("sgd".parse::<Optimiser>().unwrap(), Optimiser::Sgd(Sgd { learning_rate: 1e-2 }));
    assert_eq!(
        "sgd_momentum".parse::<Optimiser>().unwrap(),
        Optimiser::SgdMomentum(SgdMomentum { learning_rate: 1e-2, momentum: 0.9, nesterov: false })
    );
    assert_eq!(
        "rmsprop".parse::<Optimiser>().unwrap(),
        Optimiser::RmsProp(RmsProp { learning_rate: 1e-2, decay_rate: 0.99, epsilon: 1e-8 })
    );
    assert_eq!(
        "adam".parse::<Optimiser>().unwrap(),
        Optimiser::Adam(Adam {
            learning_rate: 1e-3,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            epsilon_hat: false
        })
    );
    assert_eq!(
        "adamw".parse::<Optimiser>().unwrap(),
        Optimiser::AdamW(AdamW {
            learning_rate: 1e-3,
            weight_decay: 1e-2,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8
        })
    );
    let message = "Adam".parse::<Optimiser>().unwrap_err().to_string();
    assert_eq!(
        message,
        "there is no optimiser \"Adam\"; the optimisers are sgd, sgd_momentum, rmsprop, adam, adamw"
    );
}

/// scikit-learn 1.9.1: two steps of `SGDOptimizer(params, learning_rate_init=0.1, momentum=0.9, nesterov=True)` and of
/// `AdamOptimizer(params, learning_rate_init=0.1, epsilon=1e-2)`, from the parameter 1.0 with gradients 0.5 and -0.25.
#[test]
fn nesterov_and_epsilon_hat_give_scikit_learns_figures() {
    let nesterov = Optimiser::SgdMomentum(SgdMomentum { learning_rate: 0.1, momentum: 0.9, nesterov: true });
    let hat = Adam { learning_rate: 0.1, epsilon: 1e-2, epsilon_hat: true, ..Adam::default() };
    for (rule, expected) in [
        (nesterov, [0.905, 0.912]),
        (Optimiser::Adam(hat), [0.938_742_588_672_279_3, 0.921_734_157_309_042_7]),
    ] {
        let mut state = rule.state::<f64>(&[1]);
        let mut w = arr1(&[1.0]).into_dyn();
        for (gradient, expected) in [0.5, -0.25].into_iter().zip(expected) {
            rule.update(w.view_mut(), &arr1(&[gradient]).into_dyn().view(), &mut state).unwrap();
            assert!((w[0] - expected).abs() < 1e-15, "{}: {}, expected {expected}", rule.name(), w[0]);
        }
    }
}

#[test]
fn max_norm_scales_only_units_that_are_too_long() {
    let mut w = array![[3.0, 0.3, 0.0], [4.0, -0.4, 0.0]];
    max_norm(w.view_mut(), 2.0);
    let expected: Array2<f64> = array![[1.2, 0.3, 0.0], [1.6, -0.4, 0.0]];
    assert!((&w - &expected).iter().all(|d| d.abs() < 1e-15), "{w}");
    let kept = w.clone();
    max_norm(w.view_mut(), f64::INFINITY);
    assert_eq!(w, kept);
}
