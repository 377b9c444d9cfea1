//! The fully-connected network: its figures at the start, its parameters, its use of the random stream, its gradients.
#![allow(clippy::unwrap_used, clippy::float_cmp, clippy::approx_constant)] // a test fails by panic; exact where it says so; 3.14 is the course's reg

use ndarray::{Array1, Array2, ArrayD};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use thinnet::Error;
use thinnet::data::Targets;
use thinnet::gradient_check::{NetCheckConfig, check_net};
use thinnet::layers::{
    Activation, BatchNorm, Dropout, DropoutKind, HiddenDropout, Loss, Normalisation, RunningStatistics,
};
use thinnet::net::{FullyConnectedNet, LayerParameters, LayerView, NetConfig, NetView, Parameters};
use thinnet::optim::Optimiser;
use thinnet::random::RandomState;

const NORMALISATIONS: [Normalisation; 3] = [Normalisation::None, Normalisation::Batch, Normalisation::Layer];
const KINDS: [DropoutKind; 3] = [DropoutKind::Bernoulli, DropoutKind::Gaussian, DropoutKind::DropConnect];

fn config(hidden: &[usize]) -> NetConfig {
    NetConfig {
        input_dim: 15,
        hidden: hidden.to_vec(),
        num_outputs: 10,
        weight_scale: 5e-2,
        ..NetConfig::default()
    }
}

#[allow(clippy::unnecessary_wraps)] // the form in which a configuration takes it
fn keep(p: f64, seed: Option<u32>) -> Option<Dropout> {
    Some(Dropout::new(p, seed).unwrap())
}

/// A network, inputs and labels from one stream, which is given back where they leave it.
fn setup(
    config: NetConfig,
    samples: usize,
) -> (FullyConnectedNet<f64>, Array2<f64>, Vec<usize>, RandomState) {
    let mut random = RandomState::new(231);
    let x = random.randn((samples, config.input_dim));
    let y = random.choice(config.num_outputs, samples).unwrap();
    let net = FullyConnectedNet::new(config, &mut random).unwrap();
    (net, x, y, random)
}

#[test]
fn the_initial_loss_is_the_logarithm_of_the_classes() {
    for (classes, hidden) in [(2, vec![]), (10, vec![20]), (100, vec![20, 30])] {
        for normalisation in NORMALISATIONS {
            let config = NetConfig {
                num_outputs: classes,
                normalisation,
                weight_scale: 1e-3,
                dropout: keep(0.5, None).into(),
                ..config(&hidden)
            };
            let (mut net, x, y, mut random) = setup(config, 50);
            let (loss, _) = net.loss(x.view(), &y, &mut random).unwrap();
            assert!((loss - (classes as f64).ln()).abs() < 1e-2, "{classes} classes: {loss}");
        }
    }
}

#[test]
fn regularisation_adds_half_the_squares_and_its_gradient() {
    let reg = 3.14;
    let (mut plain, x, y, random) = setup(config(&[20, 30]), 3);
    let (mut net, ..) = setup(NetConfig { reg, ..config(&[20, 30]) }, 3);
    net.parameters.layers[0].b.fill(5.0); // biases are not regularised
    plain.parameters = net.parameters.clone();
    let (loss, gradients) = net.loss(x.view(), &y, &mut random.clone()).unwrap();
    let (data_loss, data_gradients) = plain.loss(x.view(), &y, &mut random.clone()).unwrap();
    let squares: f64 = net.parameters.layers.iter().map(|layer| (&layer.w * &layer.w).sum()).sum();
    assert!((loss - data_loss - 0.5 * reg * squares).abs() < 1e-12);
    assert!((net.parameters.penalty(reg, 0.0) - 0.5 * reg * squares).abs() < 1e-12);
    for ((layer, gradient), data) in
        net.parameters.layers.iter().zip(&gradients.layers).zip(&data_gradients.layers)
    {
        assert!((&gradient.w - &data.w - &layer.w * reg).iter().all(|value| value.abs() < 1e-14));
        assert_eq!(gradient.b, data.b);
    }
}

#[test]
fn gradients_fit_finite_differences_with_every_option() {
    for reg in [0.0, 3.14] {
        for normalisation in NORMALISATIONS {
            for dropout in [None, keep(1.0, None), keep(0.5, None), keep(0.5, Some(123))] {
                let (net, x, y, random) =
                    setup(NetConfig { reg, normalisation, dropout: dropout.into(), ..config(&[8, 6]) }, 4);
                let checks = check_net(&net, x.view(), &y, &random, &NetCheckConfig::default()).unwrap();
                assert_eq!(checks.len(), if normalisation == Normalisation::None { 6 } else { 10 });
                for check in checks {
                    assert!(check.passes(), "reg {reg}, {normalisation:?}, {dropout:?}: {check:?}");
                    assert_eq!(check.checked, net.parameters.get(&check.name).unwrap().len());
                }
            }
        }
    }
}

#[test]
fn parameters_and_gradients_have_the_courses_names_and_shapes() {
    for normalisation in [Normalisation::Batch, Normalisation::Layer] {
        names_and_shapes_are_the_courses(normalisation);
    }
}

fn names_and_shapes_are_the_courses(normalisation: Normalisation) {
    let (mut net, x, y, mut random) = setup(NetConfig { normalisation, ..config(&[4, 3]) }, 2);
    let (_, gradients) = net.loss(x.view(), &y, &mut random).unwrap();
    let expected: Vec<(String, Vec<usize>)> = [
        ("W1", vec![15, 4]),
        ("b1", vec![4]),
        ("gamma1", vec![4]),
        ("beta1", vec![4]),
        ("W2", vec![4, 3]),
        ("b2", vec![3]),
        ("gamma2", vec![3]),
        ("beta2", vec![3]),
        ("W3", vec![3, 10]),
        ("b3", vec![10]),
    ]
    .map(|(name, shape)| (name.to_owned(), shape))
    .to_vec();
    for parameters in [&net.parameters, &gradients] {
        let named: Vec<_> =
            parameters.named().into_iter().map(|(name, array)| (name, array.shape().to_vec())).collect();
        assert_eq!(named, expected);
    }
    let mutable: Vec<_> =
        net.parameters.named_mut().into_iter().map(|(name, array)| (name, array.shape().to_vec())).collect();
    assert_eq!(mutable, expected);
    assert_eq!(net.parameters.get("gamma2").unwrap(), ArrayD::<f64>::ones(vec![3]));
    assert!(net.parameters.get("gamma3").is_none() && net.parameters.get("W4").is_none());
}

/// Rule 3 of the design: weights are drawn layer by layer, and nothing else is.
#[test]
fn weights_are_scaled_draws_layer_by_layer() {
    let mut random = RandomState::new(5);
    let mut by_hand = random.clone();
    let net = FullyConnectedNet::<f32>::new(
        NetConfig { dropout: keep(0.5, Some(1)).into(), normalisation: Normalisation::Batch, ..config(&[4]) },
        &mut random,
    )
    .unwrap();
    for (layer, shape) in net.parameters.layers.iter().zip([(15, 4), (4, 10)]) {
        let draws: Array2<f64> = by_hand.randn(shape);
        #[allow(clippy::cast_possible_truncation)]
        let weights = draws.mapv(|draw| (5e-2 * draw) as f32);
        assert_eq!(layer.w, weights);
        assert_eq!(layer.b, Array1::<f32>::zeros(shape.1));
    }
    assert_eq!(random.state(), by_hand.state());
}

#[test]
fn the_loss_draws_a_mask_for_each_hidden_layer_where_there_is_dropout() {
    for (dropout, draws) in [(None, 0), (keep(1.0, None), 3 * (20 + 30)), (keep(0.5, None), 3 * (20 + 30))] {
        let (mut net, x, y, mut random) =
            setup(NetConfig { dropout: dropout.into(), ..config(&[20, 30]) }, 3);
        let mut by_hand = random.clone();
        net.loss(x.view(), &y, &mut random).unwrap();
        by_hand.rand(draws);
        assert_eq!(random.state(), by_hand.state(), "{dropout:?}");
    }
    // A keep probability of 1 computes what no dropout computes.
    let (mut without, x, y, mut random) = setup(config(&[20, 30]), 3);
    let (mut with, ..) = setup(NetConfig { dropout: keep(1.0, None).into(), ..config(&[20, 30]) }, 3);
    let expected = without.loss(x.view(), &y, &mut random.clone()).unwrap();
    assert_eq!(with.loss(x.view(), &y, &mut random).unwrap(), expected);
}

#[test]
fn scores_take_no_random_numbers() {
    let (net, x, ..) = setup(NetConfig { dropout: keep(0.5, None).into(), ..config(&[20]) }, 3);
    let scores = net.scores(x.view()).unwrap();
    let layers = &net.parameters.layers;
    let hidden = (x.dot(&layers[0].w) + &layers[0].b).mapv(|value| value.max(0.0));
    assert_eq!(scores, hidden.dot(&layers[1].w) + &layers[1].b);

    let (seeded, x, ..) = setup(NetConfig { dropout: keep(0.5, Some(123)).into(), ..config(&[20]) }, 3);
    assert_eq!(seeded.scores(x.view()).unwrap(), scores);
}

#[test]
fn a_seed_repeats_the_loss_and_without_one_masks_change() {
    let losses = |seed| {
        let (mut net, x, y, mut random) =
            setup(NetConfig { dropout: keep(0.5, seed).into(), ..config(&[20, 30]) }, 3);
        [0, 1].map(|_| net.loss(x.view(), &y, &mut random).unwrap().0)
    };
    let [first, second] = losses(Some(123));
    assert_eq!(first, second);
    let [first, second] = losses(None);
    assert_ne!(first, second);
}

#[test]
fn batch_norm_nets_use_running_statistics_in_test_mode_only() {
    let (mut net, x, y, mut random) =
        setup(NetConfig { normalisation: Normalisation::Batch, ..config(&[20]) }, 30);
    let fresh = net.scores(x.view()).unwrap();
    assert_eq!(net.scores(x.view()).unwrap(), fresh);
    let (loss, _) = net.loss(x.view(), &y, &mut random).unwrap();
    assert_ne!(net.scores(x.view()).unwrap(), fresh);
    assert_eq!(net.loss(x.view(), &y, &mut random).unwrap().0, loss);
    // After many batches the running statistics are the batch's: test mode gives what training gives.
    for _ in 0..200 {
        net.loss(x.view(), &y, &mut random).unwrap();
    }
    let scores = net.scores(x.view()).unwrap();
    let (tested, _) = thinnet::layers::softmax_loss(scores.view(), &y).unwrap();
    assert!((tested - loss).abs() < 1e-6, "{tested} {loss}");
}

#[test]
fn fifty_samples_can_be_over_fitted() {
    for normalisation in NORMALISATIONS {
        let config = NetConfig { weight_scale: 0.1, normalisation, ..config(&[50, 50]) };
        let (mut net, x, y, mut random) = setup(config, 50);
        let rule = "adam".parse::<Optimiser>().unwrap().with_learning_rate(1e-2);
        let mut states: Vec<_> =
            net.parameters.named().iter().map(|(_, array)| rule.state(array.shape())).collect();
        let mut loss = f64::INFINITY;
        for _ in 0..60 {
            let (current, gradients) = net.loss(x.view(), &y, &mut random).unwrap();
            loss = current;
            for (((_, w), (_, dw)), state) in
                net.parameters.named_mut().into_iter().zip(gradients.named()).zip(&mut states)
            {
                rule.update(w, &dw, state).unwrap();
            }
        }
        assert!(loss < 0.02, "{normalisation:?}: {loss}");
    }
}

#[test]
fn settings_out_of_range_are_refused() {
    let mut random = RandomState::new(0);
    let before = random.state();
    let bad = [
        (NetConfig { input_dim: 0, ..config(&[3]) }, "input dimension"),
        (NetConfig { num_outputs: 0, ..config(&[3]) }, "number of outputs"),
        (config(&[3, 0]), "hidden layer"),
        (NetConfig { reg: -1.0, ..config(&[3]) }, "reg"),
        (NetConfig { reg: f64::NAN, ..config(&[3]) }, "reg"),
        (NetConfig { weight_scale: f64::INFINITY, ..config(&[3]) }, "weight_scale"),
        (NetConfig { weight_scale: -0.1, ..config(&[3]) }, "weight_scale"),
    ];
    for (config, what) in bad {
        let message = FullyConnectedNet::<f32>::new(config, &mut random).unwrap_err().to_string();
        assert!(message.contains(what), "{message}");
    }
    assert_eq!(random.state(), before);
}

#[test]
fn inputs_that_do_not_fit_are_refused() {
    for normalisation in NORMALISATIONS {
        let config = NetConfig { normalisation, ..config(&[4]) };
        let (mut net, x, y, mut random) = setup(config, 2);
        let wide = Array2::zeros((2, 16));
        let is_shape = |error: Error| matches!(error, Error::Shape { .. });
        let of_x = "x: expected shape (N, 15), got [2, 16]";
        assert_eq!(net.scores(wide.view()).unwrap_err().to_string(), of_x);
        assert_eq!(net.loss(wide.view(), &y, &mut random).unwrap_err().to_string(), of_x);
        assert!(is_shape(net.loss(x.view(), &y[..1], &mut random).unwrap_err()));
        assert!(is_shape(net.loss(Array2::zeros((0, 15)).view(), &[], &mut random).unwrap_err()));
        assert!(matches!(net.loss(x.view(), &[0, 10], &mut random).unwrap_err(), Error::Data(_)));
        assert_eq!(net.scores(Array2::zeros((1, 15)).view()).unwrap().dim(), (1, 10));
        // Parameters are open to all: a wrong shape among them, or an array too few or too many, is an error as well.
        let mut other = net.clone();
        let gamma_beta = &mut other.parameters.layers[0].gamma_beta;
        *gamma_beta = if gamma_beta.is_some() { None } else { Some((Array1::ones(4), Array1::zeros(4))) };
        assert!(matches!(other.loss(x.view(), &y, &mut random).unwrap_err(), Error::Configuration { .. }));
        net.parameters.layers[1].w = Array2::zeros((5, 10));
        assert!(is_shape(net.loss(x.view(), &y, &mut random).unwrap_err()));
        net.parameters.layers.clear();
        assert!(net.loss(x.view(), &y, &mut random).is_err());
    }
}

#[test]
fn f32_and_f64_agree() {
    let config = NetConfig { dropout: keep(0.5, Some(7)).into(), reg: 0.1, ..config(&[20, 30]) };
    let (mut net, x, y, mut random) = setup(config.clone(), 5);
    let mut single = FullyConnectedNet::<f32>::new(config, &mut random.clone()).unwrap();
    #[allow(clippy::cast_possible_truncation)]
    let round = |value: f64| value as f32;
    for (a, b) in single.parameters.layers.iter_mut().zip(&net.parameters.layers) {
        a.w = b.w.mapv(round);
    }
    let (loss, gradients) = net.loss(x.view(), &y, &mut random).unwrap();
    let (loss32, gradients32) = single.loss(x.mapv(round).view(), &y, &mut random).unwrap();
    assert!((f64::from(loss32) - loss).abs() < 1e-6 * loss);
    for ((name, a), (_, b)) in gradients32.named().into_iter().zip(gradients.named()) {
        let error = (&a.mapv(f64::from) - &b).iter().fold(0.0, |worst: f64, value| worst.max(value.abs()));
        assert!(error < 1e-6, "{name}: {error:e}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 96,
        rng_seed: RngSeed::Fixed(231),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Whatever the architecture, no entry of any gradient is wrong.
    #[test]
    fn no_gradient_of_a_random_network_is_wrong(
        input_dim in 1..6usize,
        hidden in proptest::collection::vec(1..6usize, 0..4),
        num_outputs in 1..6usize,
        samples in 3..7usize,
        keep_prob in prop_oneof![Just(None), Just(Some(1.0)), (0.2..1.0).prop_map(Some)],
        dropout_kind in proptest::sample::select(&KINDS[..]),
        normalisation in proptest::sample::select(&NORMALISATIONS[..]),
        reg in prop_oneof![Just(0.0), 0.0..4.0],
        seed: u32,
    ) {
        let config = NetConfig {
            input_dim, hidden, num_outputs, normalisation, reg, dropout_kind,
            dropout: keep_prob.map(|p| Dropout::new(p, None).unwrap()).into(),
            weight_scale: 0.7,
            ..NetConfig::default()
        };
        let mut random = RandomState::new(seed);
        let x: Array2<f64> = random.randn((samples, input_dim));
        let y = random.choice(num_outputs, samples).unwrap();
        let net = FullyConnectedNet::<f64>::new(config, &mut random).unwrap();
        for check in check_net(&net, x.view(), &y, &random, &NetCheckConfig::default()).unwrap() {
            prop_assert!(check.passes(), "{:?}", check);
        }
    }
}

/// Every activation with every loss, input dropout and a dropout for each layer.
#[test]
fn gradients_fit_finite_differences_beyond_the_courses_networks() {
    let dropout = |p| Dropout::new(p, None).unwrap();
    for activation in Activation::NAMES.map(|name| name.parse::<Activation>().unwrap()) {
        for loss in Loss::NAMES.map(|name| name.parse::<Loss>().unwrap()) {
            for (normalisation, dropout_kind) in
                KINDS.into_iter().flat_map(|kind| NORMALISATIONS.map(|normalisation| (normalisation, kind)))
            {
                let config = NetConfig {
                    activation,
                    dropout_kind,
                    loss,
                    normalisation,
                    dropout: HiddenDropout::Each(vec![dropout(0.8), dropout(0.5)]),
                    input_dropout: Some(dropout(0.7)),
                    reg: 0.1,
                    weight_scale: 0.3,
                    quantiles: vec![0.2, 0.7],
                    ..config(&[7, 5])
                };
                let num_outputs = 3 * config.objective().scores_per_target();
                let config = NetConfig { num_outputs, ..config };
                let mut random = RandomState::new(6);
                let net = FullyConnectedNet::<f64>::new(config, &mut random).unwrap();
                let x: Array2<f64> = random.randn((5, 15));
                let y = random.choice(3, 5).unwrap();
                let values: Array2<f64> = random.rand((5, 3));
                let targets = match loss {
                    Loss::Softmax => Targets::Classes(&y),
                    _ => Targets::Values(values.view()),
                };
                for check in check_net(&net, x.view(), targets, &random, &NetCheckConfig::default()).unwrap()
                {
                    assert!(
                        check.passes(),
                        "{activation:?}, {loss:?}, {normalisation:?}, {dropout_kind:?}: {check:?}"
                    );
                }
            }
        }
    }
}

/// A kind draws its own numbers, in the order of the layers, after the input's: as many as it says.
#[test]
fn each_kind_of_dropout_draws_what_it_says() {
    let drawn = [
        // Of 3 samples: 3 x 15 inputs, then 3 x 20 and 3 x 30 units, or weights.
        (DropoutKind::Bernoulli, 3 * (15 + 20 + 30), 0),
        (DropoutKind::Gaussian, 3 * 15, 3 * (20 + 30)),
        (DropoutKind::DropConnect, 3 * (15 + 15 * 20 + 20 * 30), 0),
    ];
    for (dropout_kind, uniform, normal) in drawn {
        let config = NetConfig {
            dropout: keep(0.5, None).into(),
            input_dropout: keep(0.8, None),
            dropout_kind,
            ..config(&[20, 30])
        };
        let (mut net, x, y, mut random) = setup(config, 3);
        let mut by_hand = random.clone();
        net.loss(x.view(), &y, &mut random).unwrap();
        by_hand.rand(uniform);
        by_hand.randn(normal);
        assert_eq!(random.state(), by_hand.state(), "{dropout_kind:?}");
        let scores = net.scores(x.view()).unwrap();
        assert_eq!(random.state(), by_hand.state(), "{dropout_kind:?} in test mode");
        let bare = NetConfig { dropout: HiddenDropout::None, input_dropout: None, ..net.config().clone() };
        let bare = FullyConnectedNet::from_parameters(bare, net.parameters.clone()).unwrap();
        assert_eq!(bare.scores(x.view()).unwrap(), scores, "{dropout_kind:?}: the mean network");
    }
}

#[test]
fn parameters_that_do_not_fit_are_refused() {
    let (net, ..) = setup(config(&[4]), 2);
    let given = FullyConnectedNet::from_parameters(net.config().clone(), net.parameters.clone()).unwrap();
    assert_eq!(given.parameters, net.parameters);
    for other in
        [config(&[5]), config(&[4, 4]), NetConfig { normalisation: Normalisation::Batch, ..config(&[4]) }]
    {
        assert!(FullyConnectedNet::from_parameters(other, net.parameters.clone()).is_err());
    }
    let each = HiddenDropout::Each(vec![Dropout::new(0.5, None).unwrap(); 2]);
    for bad in [
        NetConfig { dropout: each, ..config(&[4]) },
        NetConfig { max_norm: Some(0.0), ..config(&[4]) },
        NetConfig { max_norm: Some(f64::NAN), ..config(&[4]) },
    ] {
        assert!(matches!(bad.check(), Err(Error::Configuration { .. })), "{bad:?}");
    }
}

fn views(parameters: &Parameters<f64>) -> Vec<LayerView<'_, f64>> {
    parameters.layers.iter().map(LayerParameters::view).collect()
}

/// What a network computes over its own arrays it computes over another's, read where they are.
#[test]
fn a_view_computes_what_the_network_does() {
    for normalisation in NORMALISATIONS {
        let dropout = keep(0.6, None).into();
        let config = NetConfig { normalisation, dropout, reg: 0.3, l1: 0.1, ..config(&[8, 6]) };
        let (mut net, x, y, mut random) = setup(config.clone(), 4);
        let mut running = net.running().to_vec();
        let (own, mut its) = (net.parameters.clone(), random.clone());
        let mut view = NetView::new(&config, views(&own), &mut running).unwrap();
        assert_eq!(view.loss(x.view(), &y, &mut its).unwrap(), net.loss(x.view(), &y, &mut random).unwrap());
        assert_eq!(view.scores(x.view(), &mut its).unwrap(), net.scores(x.view()).unwrap());
        assert_eq!(its.state(), random.state());
        assert_eq!(running, net.running());
        assert_eq!(running.len(), if normalisation == Normalisation::Batch { 2 } else { 0 });
        for (layer, own) in views(&own).iter().zip(&own.layers) {
            assert_eq!(layer.to_parameters(), *own);
        }
        // Of other arrays than the architecture has, there is none.
        let mut more = [running.clone(), vec![RunningStatistics::zeros(8)]].concat();
        assert!(matches!(NetView::new(&config, views(&own), &mut more), Err(Error::Shape { .. })));
        let last = views(&own).split_off(1);
        assert!(matches!(NetView::new(&config, last, &mut running), Err(Error::Shape { .. })));
        let wrong = NetConfig { reg: -1.0, ..config };
        assert!(matches!(NetView::new(&wrong, views(&own), &mut running), Err(Error::Configuration { .. })));
    }
}

/// Epsilon, and the momentum of running averages, are each layer's own.
#[test]
fn each_layer_is_normalised_by_its_own_settings() {
    for normalisation in [Normalisation::Batch, Normalisation::Layer] {
        let config = NetConfig { normalisation, ..config(&[8, 6]) };
        let (net, x, y, random) = setup(config.clone(), 4);
        let pass = |number: usize, settings: BatchNorm| {
            let mut layers = views(&net.parameters);
            layers[number].settings = settings;
            let mut running = net.running().to_vec();
            let mut view = NetView::new(&config, layers, &mut running).unwrap();
            let (loss, _) = view.loss(x.view(), &y, &mut random.clone()).unwrap();
            (loss, running)
        };
        let usual = pass(0, BatchNorm::default());
        for number in [0, 1] {
            let (loss, _) = pass(number, BatchNorm { epsilon: 0.5, ..BatchNorm::default() });
            assert_ne!(loss, usual.0, "{normalisation:?}, layer {number}");
            let (loss, running) = pass(number, BatchNorm { momentum: 0.5, ..BatchNorm::default() });
            assert_eq!(loss, usual.0, "{normalisation:?}, layer {number}");
            for (index, (own, usual)) in running.iter().zip(&usual.1).enumerate() {
                assert_eq!(own.mean != usual.mean, index == number);
                assert_eq!(own.variance != usual.variance, index == number);
            }
        }
    }
}
