//! Kinks are seen, and not called wrong.

use ndarray::{Array1, array};
use thinnet::gradient_check::{NetCheckConfig, ParameterCheck, check_gradients, check_net};
use thinnet::layers::Dropout;
use thinnet::net::{FullyConnectedNet, NetConfig};
use thinnet::random::RandomState;

use crate::names_of_wrong;

/// One input, hidden units with the given pre-activations for `x = 1`, two classes: docs/gradient-check.md's example.
fn kinked(pre: &[f64], dropout: Option<Dropout>) -> FullyConnectedNet<f64> {
    let config = NetConfig {
        input_dim: 1,
        hidden: vec![pre.len()],
        num_outputs: 2,
        dropout: dropout.into(),
        ..NetConfig::default()
    };
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
    let config = NetConfig { input_dim: 1, hidden: vec![1, 1], num_outputs: 2, ..NetConfig::default() };
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
