//! Batch and layer normalisation over the kernels.

use thinnet::data::{Features, Targets};
use thinnet::engine::{Engine, EngineConfig, EngineKind, EngineState, Layers, MaskSource, Thin};
use thinnet::layers::{Activation, Dropout, DropoutKind, Normalisation};
use thinnet::net::{FullyConnectedNet, NetConfig};
use thinnet::optim::Clipping;
use thinnet::random::RandomState;

fn config(normalisation: Normalisation) -> NetConfig {
    NetConfig {
        input_dim: 30,
        hidden: vec![70, 33],
        num_outputs: 4,
        normalisation,
        weight_scale: 0.3,
        reg: 0.01,
        ..NetConfig::default()
    }
}

/// The greatest difference of two states' numbers.
fn difference(one: &EngineState<f64>, other: &EngineState<f64>) -> f64 {
    let mut greatest = 0.0_f64;
    for ((name, a), (same, b)) in one.parameters.named().iter().zip(other.parameters.named()) {
        assert_eq!(*name, same);
        greatest = (a - &b).iter().fold(greatest, |greatest, d| greatest.max(d.abs()));
    }
    for (a, b) in one.running.iter().zip(&other.running) {
        let both = (&a.mean - &b.mean).into_iter().chain(&a.variance - &b.variance);
        greatest = both.fold(greatest, |greatest, d| greatest.max(d.abs()));
    }
    greatest
}

/// Some steps of an engine: its state, its scores and those with masks.
fn run(mut engine: impl Engine<f64>, sparse: bool) -> (EngineState<f64>, Vec<f64>) {
    let mut random = RandomState::new(4);
    let rows = random.randn((40, 30)).mapv(|x: f64| if sparse && x < 0.8 { 0.0 } else { x });
    let y = random.choice(4, 40).unwrap();
    let x = Features::from(rows);
    for _ in 0..5 {
        let batch = random.choice(40, 16).unwrap();
        engine.step(&x, Targets::Classes(&y), batch.as_slice().into(), &mut random).unwrap();
    }
    let inputs = engine.load(&x).unwrap();
    let mut scores = engine.scores(&inputs).unwrap().into_raw_vec_and_offset().0;
    scores.extend(engine.masked_scores(&inputs, 7, &mut random).unwrap());
    (engine.state().unwrap(), scores)
}

/// Every kind with every activation, both kinds of dropout and neither, both streams, clipped and not: as the readable layers
/// have it, and the same bits on any number of threads.
#[test]
fn normalised_layers_are_those_of_the_readable_engine() {
    let every = Activation::NAMES.map(|name| name.parse::<Activation>().unwrap());
    for normalisation in [Normalisation::Batch, Normalisation::Layer] {
        for (number, activation) in every.into_iter().enumerate() {
            for dropout_kind in [DropoutKind::Bernoulli, DropoutKind::Gaussian] {
                for (keep, masks) in [
                    (None, MaskSource::Numpy),
                    (Some(0.6), MaskSource::Numpy),
                    (Some(0.6), MaskSource::Counter(3)),
                ] {
                    let config = NetConfig {
                        activation,
                        dropout: keep.map(|keep| Dropout::new(keep, None).unwrap()).into(),
                        dropout_kind,
                        clipping: (number == 1).then_some(Clipping::Norm(0.3)),
                        ..config(normalisation)
                    };
                    let mut random = RandomState::new(1);
                    let net = FullyConnectedNet::<f64>::new(config, &mut random).unwrap();
                    let what =
                        format!("{normalisation:?}, {activation:?}, {dropout_kind:?}, {keep:?}, {masks:?}");
                    let rule = "adam".parse().unwrap();
                    let truth = run(Layers::new(net.clone(), rule).unwrap().with_masks(masks), false);
                    assert_eq!(truth.0.running.is_empty(), normalisation == Normalisation::Layer);
                    let of = |kind, threads| {
                        run(
                            Thin::new(&net, rule, EngineConfig { kind, threads, masks, isa: None }).unwrap(),
                            false,
                        )
                    };
                    let found = of(EngineKind::Auto, 1);
                    assert!(difference(&truth.0, &found.0) < 1e-9, "{what}");
                    let off =
                        truth.1.iter().zip(&found.1).fold(0.0_f64, |off, (a, b)| off.max((a - b).abs()));
                    assert!(off < 1e-8, "{what}: scores are off by {off}");
                    assert_eq!(of(EngineKind::Thin, 3), found, "{what}");
                }
            }
        }
    }
}

/// A batch of one sample, whose variance is zero, a unit alone in its layer, and sparse inputs.
#[test]
fn corners_of_normalised_layers_agree() {
    for normalisation in [Normalisation::Batch, Normalisation::Layer] {
        for (hidden, sparse) in [(vec![1], false), (vec![65, 1], true)] {
            let config = NetConfig { hidden, ..config(normalisation) };
            let net = FullyConnectedNet::<f64>::new(config, &mut RandomState::new(1)).unwrap();
            let rule = "sgd".parse().unwrap();
            let truth = run(Layers::new(net.clone(), rule).unwrap(), sparse);
            let found = run(Thin::new(&net, rule, EngineConfig::course(2)).unwrap(), sparse);
            assert!(difference(&truth.0, &found.0) < 1e-9, "{normalisation:?}");

            let mut engines: [Box<dyn Engine<f64>>; 2] = [
                Box::new(Layers::new(net.clone(), rule).unwrap()),
                Box::new(Thin::new(&net, rule, EngineConfig::course(2)).unwrap()),
            ];
            let x: Features<f64> = RandomState::new(2).randn((3, 30)).into();
            let states = engines.each_mut().map(|engine| {
                let random = &mut RandomState::new(3);
                engine.step(&x, Targets::Classes(&[0, 1, 2]), [1][..].into(), random).unwrap();
                engine.state().unwrap()
            });
            assert!(difference(&states[0], &states[1]) < 1e-9, "{normalisation:?}");
        }
    }
}
