//! Stopping and going on.

use thinnet::data::{Features, Targets};
use thinnet::engine::{Engine, EngineConfig, EngineKind, EngineState, Layers, MaskSource, Thin};
use thinnet::layers::{Dropout, Normalisation};
use thinnet::net::{FullyConnectedNet, NetConfig};
use thinnet::optim::Optimiser;
use thinnet::random::RandomState;

/// A run that is cut in two, its state carried from one engine to another, is bit for bit the run in one go.
#[test]
fn a_restored_engine_goes_on_as_if_it_had_not_stopped() {
    for rule in Optimiser::NAMES {
        for normalisation in [Normalisation::None, Normalisation::Batch, Normalisation::Layer] {
            let mut random = RandomState::new(5);
            let x: Features<f64> = random.randn((40, 30)).into();
            let y = random.choice(4, 40).unwrap();
            let config = NetConfig {
                input_dim: 30,
                hidden: vec![20, 10],
                num_outputs: 4,
                dropout: Some(Dropout::new(0.5, None).unwrap()).into(),
                normalisation,
                ..NetConfig::default()
            };
            let net = FullyConnectedNet::<f64>::new(config, &mut random).unwrap();
            let new = || {
                let masks = MaskSource::Counter(3);
                let config = EngineConfig { kind: EngineKind::Auto, threads: 2, masks, isa: None };
                thinnet::engine::build(net.clone(), rule.parse().unwrap(), config).unwrap()
            };
            let steps = |engine: &mut dyn Engine<f64>, count: usize, random: &mut RandomState| {
                for _ in 0..count {
                    let batch = random.choice(40, 16).unwrap();
                    engine.step(&x, Targets::Classes(&y), batch.as_slice().into(), random).unwrap();
                }
            };
            let mut whole = new();
            steps(&mut *whole, 7, &mut random.clone());
            let (mut first, mut second) = (new(), new());
            steps(&mut *first, 4, &mut random);
            second.restore(&first.state().unwrap()).unwrap();
            steps(&mut *second, 3, &mut random);
            assert_eq!(second.state().unwrap(), whole.state().unwrap(), "{rule}, {normalisation:?}");
            let other = if rule == "sgd" { "adam" } else { "sgd" };
            let mut foreign = Layers::new(net.clone(), other.parse().unwrap()).unwrap();
            assert!(foreign.restore(&whole.state().unwrap()).is_err(), "{rule}");
        }
    }
}

/// A warm start: the parameters and the masks go on, and the optimiser begins anew, its count of updates too.
#[test]
fn an_optimiser_that_begins_anew_counts_from_1() {
    let mut random = RandomState::new(5);
    let x: Features<f64> = random.randn((40, 30)).into();
    let y = random.choice(4, 40).unwrap();
    let config = NetConfig { input_dim: 30, hidden: vec![20], num_outputs: 4, ..NetConfig::default() };
    let net = FullyConnectedNet::<f64>::new(config, &mut random).unwrap();
    let optimiser: Optimiser = "adam".parse().unwrap();
    let masks = MaskSource::Counter(3);
    let config = EngineConfig { kind: EngineKind::Auto, threads: 2, masks, isa: None };
    let thin = Thin::new(&net, optimiser, config).unwrap();
    let layers = Layers::new(net, optimiser).unwrap().with_masks(masks);
    let engines: [Box<dyn Engine<f64>>; 2] = [Box::new(thin), Box::new(layers)];
    let batch: Vec<usize> = (0..16).collect();
    let parameters = engines.map(|mut engine| {
        let fresh = engine.state().unwrap().optimiser;
        let mut step = |engine: &mut dyn Engine<f64>| {
            engine.step(&x, Targets::Classes(&y), batch.as_slice().into(), &mut random).unwrap();
        };
        (0..20).for_each(|_| step(&mut *engine));
        let before = engine.state().unwrap();
        engine.restore(&EngineState { optimiser: fresh, ..before.clone() }).unwrap();
        step(&mut *engine);
        let after = engine.state().unwrap();
        assert_eq!((after.step, after.optimiser[0].steps), (21, 1));
        // Adam's first step is the learning rate, whatever the gradient.
        let moved = (&after.parameters.layers[1].b - &before.parameters.layers[1].b).mapv(f64::abs);
        assert!(moved.iter().all(|moved| (moved - 1e-3).abs() < 1e-6), "{moved}");
        after.parameters
    });
    for ((name, thin), (_, layers)) in parameters[0].named().into_iter().zip(parameters[1].named()) {
        assert!((&thin - &layers).iter().all(|difference| difference.abs() < 1e-9), "{name}");
    }
}
