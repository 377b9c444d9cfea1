//! How a check is run: samples, threads, masks, what does not fit.

use ndarray::Array2;
use thinnet::Error;
use thinnet::gradient_check::{NetCheckConfig, ParameterCheck, check_gradients, check_net};
use thinnet::layers::{Dropout, Normalisation};
use thinnet::net::{FullyConnectedNet, NetConfig, Parameters};
use thinnet::random::RandomState;

use crate::{Setup, lift};

#[test]
fn a_sample_checks_so_many_entries_and_finds_the_same_ones_again() {
    let setup = Setup::new(&[5, 4], Some(0.6), Normalisation::None);
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
    let setup = Setup::new(&[5, 4], Some(0.6), Normalisation::Batch);
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
        let mut setup = Setup::new(&[8, 8], None, Normalisation::None);
        let dropout = Some(Dropout::new(0.5, seed).unwrap());
        let config = NetConfig { dropout: dropout.into(), ..setup.net.config().clone() };
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
    let setup = Setup::new(&[5], None, Normalisation::None);
    let with = |config: NetCheckConfig| {
        check_net(&setup.net, setup.x.view(), &setup.y, &setup.random, &config).unwrap_err()
    };
    for step in [0.0, -1e-5, f64::NAN, f64::INFINITY] {
        let error = with(NetCheckConfig { step, ..NetCheckConfig::default() });
        assert!(
            matches!(&error, Error::Configuration { message, .. } if message.contains("step")),
            "{error}"
        );
    }
    let error = with(NetCheckConfig { sample: Some((0, 1)), ..NetCheckConfig::default() });
    assert!(
        matches!(&error, Error::Configuration { message, .. } if message.contains("at least 1")),
        "{error}"
    );

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
    let config = NetConfig { input_dim: 2, hidden: vec![2], num_outputs: 2, ..NetConfig::default() };
    let net = FullyConnectedNet::<f32>::new(config, &mut random).unwrap();
    let x = Array2::<f32>::ones((1, 2));
    let config = NetCheckConfig { step: 1e-60, ..NetCheckConfig::default() };
    assert!(matches!(check_net(&net, x.view(), &[0], &random, &config), Err(Error::Configuration { .. })));
}
