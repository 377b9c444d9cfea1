//! Kinds of dropout, and keep probabilities that change: each the same on both engines, on any number of threads, after a
//! stop, and for a sample in any company.

use ndarray::Array2;
use thinnet::Error;
use thinnet::data::Targets;
use thinnet::engine::{Engine, EngineConfig, EngineKind, Isa, Layers, MaskSource, Thin};
use thinnet::layers::{
    Activation, Draws, Dropout, DropoutKind, HiddenDropout, Loss, Mode, affine_backward, affine_forward,
    drop_connect_backward, drop_connect_forward, relu_backward, relu_forward, softmax_loss,
};
use thinnet::net::{FullyConnectedNet, NetConfig};
use thinnet::random::{CounterMasks, RandomState};

use crate::{Case, More, bits, corner};

const KINDS: [DropoutKind; 3] = [DropoutKind::Bernoulli, DropoutKind::Gaussian, DropoutKind::DropConnect];

fn with(kind: DropoutKind, counter: bool) -> Case {
    Case { more: More { counter, kind, ..More::COURSE }, ..corner() }
}

/// Gaussian factors below 0 and near it, of the widest noise too, in every way to compute; a later layer's derivative goes
/// through them.
#[test]
fn gaussian_dropout_is_the_same_over_the_kernels() {
    for counter in [false, true] {
        for activation in Activation::NAMES.map(|name| name.parse::<Activation>().unwrap()) {
            for engine in [EngineKind::Auto, EngineKind::Dense, EngineKind::Thin] {
                for (keep, sparse) in [(0.02, false), (0.5, true), (0.9, false), (1.0, false)] {
                    let case = with(DropoutKind::Gaussian, counter);
                    let more = More { activation, sparse, ..case.more.clone() };
                    for isa in Isa::available() {
                        let case =
                            Case { keep: Some(keep), engine, steps: 1, more: more.clone(), ..case.clone() };
                        Case { rule: "sgd", ..case.clone() }.compare::<f64>(isa, 1e-11);
                        Case { rule: "sgd", ..case }.compare::<f32>(isa, 1e-4);
                    }
                }
            }
        }
    }
}

/// Masks of weights, in every layer and with none in some, over inputs that are sparse and on sizes that fill no word.
#[test]
fn drop_connect_is_the_same_over_the_kernels() {
    for counter in [false, true] {
        for activation in Activation::NAMES.map(|name| name.parse::<Activation>().unwrap()) {
            for engine in [EngineKind::Auto, EngineKind::Dense, EngineKind::Thin] {
                for (keep, sparse) in [(0.02, false), (0.5, true), (0.8, false), (1.0, false)] {
                    let case = with(DropoutKind::DropConnect, counter);
                    let more = More { activation, sparse, input_keep: Some(0.7), ..case.more.clone() };
                    for isa in Isa::available() {
                        let case =
                            Case { keep: Some(keep), engine, steps: 1, more: more.clone(), ..case.clone() };
                        Case { rule: "sgd", ..case.clone() }.compare::<f64>(isa, 1e-11);
                        Case { rule: "sgd", ..case }.compare::<f32>(isa, 1e-4);
                    }
                }
            }
        }
        for hidden in [vec![], vec![1], vec![64, 65, 130]] {
            let case = Case { hidden, batch: 1, ..with(DropoutKind::DropConnect, counter) };
            Isa::available().for_each(|isa| case.compare::<f64>(isa, 1e-11));
        }
    }
}

/// A layer whose dropout is turned off after it was on keeps everything, and the other way round: lists and noise of the
/// step before are none of this one's.
#[test]
fn changing_keep_probabilities_are_the_same_over_the_kernels() {
    for kind in KINDS {
        for counter in [false, true] {
            for engine in [EngineKind::Auto, EngineKind::Dense, EngineKind::Thin] {
                for isa in Isa::available() {
                    let case = with(kind, counter);
                    let more = More { annealed: true, loss: Loss::SquaredError, ..case.more.clone() };
                    Case { engine, steps: 9, rule: "sgd", more, ..case }.compare::<f64>(isa, 1e-10);
                }
            }
        }
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    for (kind, annealed) in [
        (DropoutKind::Bernoulli, false),
        (DropoutKind::Bernoulli, true),
        (DropoutKind::Gaussian, true),
        (DropoutKind::DropConnect, false),
        (DropoutKind::DropConnect, true),
    ] {
        let more = More { kind, annealed, ..More::COURSE };
        for masks in [MaskSource::Numpy, MaskSource::Counter(5)] {
            let one = bits::<f32>(1, masks, more.clone());
            assert_eq!(one, bits::<f32>(2, masks, more.clone()));
            assert_eq!(one, bits::<f32>(4, masks, more.clone()));
            let one = bits::<f64>(1, masks, more.clone());
            assert_eq!(one, bits::<f64>(2, masks, more.clone()));
            assert_eq!(one, bits::<f64>(4, masks, more.clone()));
        }
        let seeded = |seed| bits::<f32>(1, MaskSource::Counter(seed), more.clone());
        assert_ne!(seeded(5), seeded(6));
    }
}

/// A network with one hidden layer by hand: DropConnect in it, none in the output layer, Bernoulli on the input.
#[test]
fn drop_connect_is_of_the_hidden_layers_weights_alone() {
    let (keep, input_keep) = (Dropout::new(0.5, None).unwrap(), Dropout::new(0.7, None).unwrap());
    let config = NetConfig {
        input_dim: 12,
        hidden: vec![9],
        num_outputs: 4,
        dropout: HiddenDropout::Every(keep),
        dropout_kind: DropoutKind::DropConnect,
        input_dropout: Some(input_keep),
        weight_scale: 0.5,
        ..NetConfig::default()
    };
    for masks in [MaskSource::Numpy, MaskSource::Counter(6)] {
        let mut random = RandomState::new(4);
        let x: Array2<f64> = random.randn((8, 12));
        let y = random.choice(4, 8).unwrap();
        let net = FullyConnectedNet::<f64>::new(config.clone(), &mut random).unwrap();
        let rate = 0.1;
        let rule = "sgd".parse::<thinnet::optim::Optimiser>().unwrap().with_learning_rate(rate);
        let threads = EngineConfig { masks, ..EngineConfig::course(2) };
        let mut engine = thinnet::engine::build(net.clone(), rule, threads).unwrap();
        let mut by_hand = random.clone();
        let all: Vec<usize> = (0..8).collect();
        let loss =
            engine.step(&x.clone().into(), Targets::Classes(&y), all.as_slice().into(), &mut random).unwrap();

        let stream = CounterMasks::new(6);
        let input_mask: Array2<f64> = match masks {
            MaskSource::Numpy => by_hand.rand((8, 12)).mapv(|u: f64| f64::from(u8::from(u < 0.7)) / 0.7),
            MaskSource::Counter(_) => {
                let masks = stream.layer(0, 0x7fff_ffff, 12, 0.7);
                let rows: Vec<Vec<bool>> = (0..8).map(|sample| masks.sample(sample)).collect();
                Array2::from_shape_fn((8, 12), |(n, d)| f64::from(u8::from(rows[n][d])) / 0.7)
            }
        };
        let draws = match masks {
            MaskSource::Numpy => Draws::Numpy(&mut by_hand),
            MaskSource::Counter(_) => Draws::Counter { masks: stream, step: 0, layer: 0 },
        };
        let [first, last] = &net.parameters.layers[..] else { panic!("two layers") };
        let x = &x * &input_mask;
        let (z, cache) =
            drop_connect_forward(x.view(), first.w.view(), first.b.view(), keep, Mode::Train, draws).unwrap();
        let (a, relu) = relu_forward(z.view());
        let (scores, affine) = affine_forward(a.view(), last.w.view(), last.b.view()).unwrap();
        let (expected, dscores) = softmax_loss(scores.view(), &y).unwrap();
        assert!((loss.total() - expected).abs() < 1e-12, "{masks:?}");
        let after = affine_backward(dscores.view(), &affine).unwrap();
        let dz = relu_backward(after.x.view(), &relu).unwrap();
        let before = drop_connect_backward(dz.view(), &cache).unwrap();
        let moved = engine.parameters().unwrap();
        for (name, gradient) in [("W1", before.w), ("W2", after.w)] {
            let start = net.parameters.get(name).unwrap().to_owned();
            let expected = &start - &(gradient * rate).into_dyn();
            let off = (&moved.get(name).unwrap() - &expected).iter().fold(0.0, |m: f64, d| m.max(d.abs()));
            assert!(off < 1e-13, "{masks:?}, {name}: {off}");
        }
        assert_eq!(random.state(), by_hand.state(), "{masks:?}");
    }
}

/// One draw of Monte-Carlo dropout of each kind, with 1000 draws' mean against the scores of the mean network: exact in a
/// network without a nonlinearity, whose scores are linear in every mask.
#[test]
fn monte_carlo_scores_have_the_mean_networks_scores_as_their_mean() {
    for kind in KINDS {
        for masks in [MaskSource::Numpy, MaskSource::Counter(2)] {
            let case = with(kind, false);
            let more = More { activation: Activation::Identity, input_keep: Some(0.8), ..case.more };
            let case = Case { input_dim: 10, hidden: vec![20, 15], keep: Some(0.7), more, ..corner() };
            let mut random = RandomState::new(8);
            let net = case.net::<f64>(&mut random);
            let config = EngineConfig { masks, ..EngineConfig::course(2) };
            let mut engine = thinnet::engine::build(net, case.rule(), config).unwrap();
            let x: Array2<f64> = random.randn((3, 10));
            let inputs = engine.load(&x.into()).unwrap();
            let scores = engine.scores(&inputs).unwrap();
            let draws = 1000;
            let (mut sum, mut squares) =
                (Array2::<f64>::zeros(scores.raw_dim()), Array2::<f64>::zeros(scores.raw_dim()));
            for draw in 0..draws {
                let drawn = engine.masked_scores(&inputs, draw, &mut random).unwrap();
                sum += &drawn;
                squares += &(&drawn * &drawn);
            }
            let count = draws as f64;
            let mean = sum / count;
            let error = ((squares / count - &mean * &mean) / count).mapv(f64::sqrt);
            assert!(error.iter().all(|&error| error > 0.0), "{kind:?}: the draws do not differ");
            for ((mean, score), error) in mean.iter().zip(&scores).zip(&error) {
                assert!(
                    (mean - score).abs() < 5.0 * error,
                    "{kind:?}, {masks:?}: {mean}, {score} +- {error}"
                );
            }
        }
    }
}

/// With the counter-based stream a sample's noise and weights' masks are its own, in both engines.
#[test]
fn masked_scores_of_a_sample_do_not_depend_on_the_others() {
    for kind in KINDS {
        let case = with(kind, true);
        let mut random = RandomState::new(2);
        let net = case.net::<f64>(&mut random);
        let x: Array2<f64> = random.randn((600, 70));
        let layers = Layers::new(net.clone(), case.rule()).unwrap().with_masks(case.masks());
        let config = EngineConfig { masks: case.masks(), ..EngineConfig::course(3) };
        let thin = Thin::new(&net, case.rule(), config).unwrap();
        let engines: [Box<dyn Engine<f64>>; 2] = [Box::new(layers), Box::new(thin)];
        for mut engine in engines {
            let first = ndarray::s![..5, ..];
            let (all, some) = (x.clone().into(), x.slice(first).to_owned().into());
            let (all, some) = (engine.load(&all).unwrap(), engine.load(&some).unwrap());
            let masked = engine.masked_scores(&all, 4, &mut random).unwrap();
            assert_eq!(engine.masked_scores(&some, 4, &mut random).unwrap(), masked.slice(first), "{kind:?}");
            assert_ne!(engine.masked_scores(&all, 5, &mut random).unwrap(), masked, "{kind:?}");
            engine.set_dropout(HiddenDropout::None, None).unwrap();
            let (plain, scores) =
                (engine.masked_scores(&all, 4, &mut random).unwrap(), engine.scores(&all).unwrap());
            assert!((&plain - &scores).iter().all(|d| d.abs() < 1e-12), "{kind:?}");
            assert_ne!(plain, masked, "{kind:?}");
        }
    }
}

/// A run that is cut in two, with keep probabilities that change all along, is bit for bit the run in one go: from NumPy's
/// stream, whose second normal number may be waiting when the run is cut, and from the counter-based one.
#[test]
fn a_restored_engine_goes_on_as_if_it_had_not_stopped() {
    for kind in KINDS {
        for masks in [MaskSource::Numpy, MaskSource::Counter(3)] {
            let case = with(kind, false);
            let mut random = RandomState::new(5);
            let net = case.net::<f64>(&mut random);
            let x: Array2<f64> = random.randn((40, 70));
            let y = random.choice(5, 40).unwrap();
            let x = x.into();
            let new = || {
                let config = EngineConfig { kind: EngineKind::Auto, threads: 2, masks, isa: None };
                thinnet::engine::build(net.clone(), case.rule(), config).unwrap()
            };
            let steps =
                |engine: &mut dyn Engine<f64>, steps: std::ops::Range<usize>, random: &mut RandomState| {
                    for step in steps {
                        let (hidden, input) = case.dropout_at(step);
                        engine.set_dropout(hidden, input).unwrap();
                        let batch = random.choice(40, 15).unwrap(); // 15 times 33 and 21 normals are odd numbers
                        engine.step(&x, Targets::Classes(&y), batch.as_slice().into(), random).unwrap();
                    }
                };
            let mut whole = new();
            steps(&mut *whole, 0..7, &mut random.clone());
            let (mut first, mut second) = (new(), new());
            steps(&mut *first, 0..4, &mut random);
            let mut random = RandomState::from_state(&random.state()).unwrap();
            second.restore(&first.state().unwrap()).unwrap();
            steps(&mut *second, 4..7, &mut random);
            assert_eq!(second.state().unwrap(), whole.state().unwrap(), "{kind:?}, {masks:?}");
        }
    }
}

#[test]
fn dropout_that_does_not_fit_is_refused_and_changes_nothing() {
    let case = corner();
    let mut random = RandomState::new(1);
    let net = case.net::<f64>(&mut random);
    let thin = Thin::new(&net, case.rule(), EngineConfig::course(1)).unwrap();
    let engines: [Box<dyn Engine<f64>>; 2] =
        [Box::new(thin), Box::new(Layers::new(net.clone(), case.rule()).unwrap())];
    let keep = Dropout::new(0.5, None).unwrap();
    for mut engine in engines {
        let inputs = engine.load(&Array2::ones((3, 70)).into()).unwrap();
        let before = engine.masked_scores(&inputs, 0, &mut random.clone()).unwrap();
        for count in [0, 1, 3] {
            let refused = engine.set_dropout(HiddenDropout::Each(vec![keep; count]), Some(keep));
            match refused {
                Err(Error::Configuration { message, .. }) => {
                    assert!(
                        message.contains("each of the 2 hidden layers")
                            && message.contains(&count.to_string())
                    );
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(engine.masked_scores(&inputs, 0, &mut random.clone()).unwrap(), before);
        engine.set_dropout(HiddenDropout::Each(vec![keep; 2]), Some(keep)).unwrap();
        assert_ne!(engine.masked_scores(&inputs, 0, &mut random.clone()).unwrap(), before);
    }
}

/// Sparse rows pay by what dropout leaves of the first layer's output: all of it, where it is noise; and nowhere, where
/// all samples are taken as floats.
#[test]
fn sparse_rows_are_weighed_against_what_the_kind_leaves() {
    let below = |dropout_kind| {
        let dropout = HiddenDropout::Every(Dropout::new(0.25, None).unwrap());
        thinnet::engine::sparse_below(&NetConfig { dropout, dropout_kind, ..NetConfig::default() })
    };
    assert_eq!(KINDS.map(below), [0.1, 0.4, 0.0]);
}
