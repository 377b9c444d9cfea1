//! L1, smoothed labels, clipped gradients, momentum that changes, and parameters that are not finite any more.

use ndarray::{Array2, ArrayViewD};
use thinnet::data::Targets;
use thinnet::engine::{Engine, EngineConfig, EngineKind, EngineState, Isa, Layers, MaskSource, Thin};
use thinnet::layers::{HiddenDropout, Normalisation};
use thinnet::net::{FullyConnectedNet, NetConfig, Parameters};
use thinnet::optim::{Adam, AdamW, Clipping, Optimiser};
use thinnet::random::RandomState;

use crate::{Case, More, bits, corner};

/// Every combination, in both orders of the weights, on every instruction set.
#[test]
fn every_combination_agrees() {
    let clippings =
        [None, Some(Clipping::Norm(0.05)), Some(Clipping::Norm(1e6)), Some(Clipping::Value(1e-3))];
    for clipping in clippings {
        for l1 in [0.0, 0.03] {
            for smoothing in [0.0, 0.2] {
                for sparse in [false, true] {
                    for hidden in [vec![], vec![33, 21]] {
                        let more = More { l1, smoothing, clipping, sparse, ..More::COURSE };
                        let case = Case { hidden, more, ..corner() };
                        for isa in Isa::available() {
                            case.compare::<f64>(isa, 1e-12);
                            case.compare::<f32>(isa, 2e-5);
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits_with_every_setting() {
    let clippings = [Some(Clipping::Norm(0.05)), Some(Clipping::Value(1e-3))];
    for (clipping, sparse) in clippings.into_iter().flat_map(|clipping| [(clipping, false), (clipping, true)])
    {
        let more = More { clipping, sparse, l1: 0.01, smoothing: 0.1, ..More::COURSE };
        let bits = |threads| bits::<f32>(threads, MaskSource::Counter(5), more.clone());
        let one = bits(1);
        assert_eq!(one, bits(2));
        assert_eq!(one, bits(3));
    }
}

/// A bound that nothing reaches changes no bit where each entry is held for itself, and none where gradients are kept to be
/// updated with later.
#[test]
fn bounds_that_nothing_reaches_change_no_bit() {
    let free = bits::<f32>(2, MaskSource::Numpy, More::COURSE);
    for clipping in [Clipping::Norm(1e30), Clipping::Value(1e30)] {
        let more = More { clipping: Some(clipping), ..More::COURSE };
        assert_eq!(bits::<f32>(2, MaskSource::Numpy, more), free, "{clipping:?}");
    }
    let held = More { clipping: Some(Clipping::Norm(1e-3)), ..More::COURSE };
    assert_ne!(bits::<f32>(2, MaskSource::Numpy, held), free);
}

/// Both engines for a small network.
fn engines(config: NetConfig, rule: Optimiser) -> [Box<dyn Engine<f64>>; 2] {
    let net = FullyConnectedNet::new(config, &mut RandomState::new(1)).unwrap();
    let config = EngineConfig { kind: EngineKind::Auto, threads: 2, masks: MaskSource::Numpy, isa: None };
    [Box::new(Thin::new(&net, rule, config).unwrap()), Box::new(Layers::new(net, rule).unwrap())]
}

fn config() -> NetConfig {
    NetConfig { input_dim: 70, hidden: vec![65], num_outputs: 5, weight_scale: 0.3, ..NetConfig::default() }
}

fn step(engine: &mut dyn Engine<f64>) -> f64 {
    let x: Array2<f64> = RandomState::new(2).randn((6, 70));
    let y = [0, 1, 2, 3, 4, 0];
    let all = [0, 1, 2, 3, 4, 5];
    let random = &mut RandomState::new(3);
    engine.step(&x.into(), Targets::Classes(&y), all[..].into(), random).unwrap().total()
}

/// Of plain SGD with a learning rate of 1 a step is the gradient: its norm is the bound, its direction the free step's.
#[test]
fn a_step_is_as_long_as_the_norm_allows() {
    let rule = "sgd".parse::<Optimiser>().unwrap().with_learning_rate(1.0);
    let moved = |clipping| {
        engines(NetConfig { clipping, reg: 0.1, l1: 0.05, ..config() }, rule).map(|mut engine| {
            let before = engine.parameters().unwrap();
            step(&mut *engine);
            let after = engine.parameters().unwrap();
            let pairs = before.named().into_iter().zip(after.named());
            let by_array = |((_, b), (_, a)): ((_, ArrayViewD<'_, f64>), (_, ArrayViewD<'_, f64>))| {
                (&a - &b).into_iter().collect::<Vec<f64>>()
            };
            pairs.flat_map(by_array).collect::<Vec<_>>()
        })
    };
    let norm = |step: &[f64]| step.iter().map(|d| d * d).sum::<f64>().sqrt();
    for (free, clipped) in moved(None).into_iter().zip(moved(Some(Clipping::Norm(0.5)))) {
        assert!(
            norm(&free) > 1.0 && (norm(&clipped) - 0.5).abs() < 1e-12,
            "{} {}",
            norm(&free),
            norm(&clipped)
        );
        let factor = 0.5 / norm(&free);
        assert!(free.iter().zip(&clipped).all(|(free, clipped)| (factor * free - clipped).abs() < 1e-12));
    }
    for (free, clipped) in moved(None).into_iter().zip(moved(Some(Clipping::Value(0.02)))) {
        let held = free.iter().filter(|d| d.abs() > 0.02).count();
        assert!(held > 0 && held < free.len());
        assert!(free.iter().zip(&clipped).all(|(f, c)| (f.clamp(-0.02, 0.02) - c).abs() < 1e-12));
    }
}

#[test]
fn momentum_can_change_between_steps_where_there_is_one() {
    for mut engine in engines(config(), "sgd_momentum".parse().unwrap()) {
        step(&mut *engine);
        let state = engine.state().unwrap();
        let next = |engine: &mut dyn Engine<f64>| {
            engine.restore(&state).unwrap();
            step(engine);
            engine.parameters().unwrap()
        };
        let usual = next(&mut *engine);
        for bad in [1.0, -0.1, f64::NAN] {
            assert!(engine.set_momentum(bad).unwrap_err().to_string().contains("momentum"));
        }
        assert_eq!(next(&mut *engine), usual);
        engine.set_momentum(0.0).unwrap();
        let without = next(&mut *engine);
        // w += 0 velocity - rate dw is a step of plain SGD.
        let [mut plain, _] = engines(config(), "sgd".parse().unwrap());
        plain.restore(&EngineState { optimiser: plain.state().unwrap().optimiser, ..state.clone() }).unwrap();
        step(&mut *plain);
        let expected = plain.parameters().unwrap();
        for ((name, got), (_, expected)) in without.named().into_iter().zip(expected.named()) {
            assert!((&got - &expected).iter().all(|d| d.abs() < 1e-15), "{name}");
        }
        assert_ne!(without, usual);
    }
    for name in ["sgd", "rmsprop", "adam", "adamw"] {
        for mut engine in engines(config(), name.parse().unwrap()) {
            let message = engine.set_momentum(0.5).unwrap_err().to_string();
            assert_eq!(
                message,
                format!("only the optimiser sgd_momentum has a momentum to set, but the optimiser is {name}")
            );
        }
    }
}

/// Beside Adam's step from the same place, AdamW's has moved each weight by the decay alone, and nothing else.
#[test]
fn weight_decay_acts_on_weights_alone() {
    let adam = Adam { learning_rate: 1e-2, ..Adam::default() };
    let adamw = AdamW { learning_rate: 1e-2, weight_decay: 0.5, ..AdamW::default() };
    let stepped = |config: &NetConfig, optimiser| {
        let mut net = FullyConnectedNet::<f64>::new(config.clone(), &mut RandomState::new(1)).unwrap();
        net.parameters.layers.iter_mut().for_each(|layer| layer.b.fill(0.75));
        let layers = Layers::new(net.clone(), optimiser).unwrap();
        let built = thinnet::engine::build(net.clone(), optimiser, EngineConfig::course(2)).unwrap();
        let engines: [Box<dyn Engine<f64>>; 2] = [built, Box::new(layers)];
        let stepped = engines.map(|mut engine| {
            step(&mut *engine);
            engine.parameters().unwrap()
        });
        (net.parameters, stepped)
    };
    let clipped = NetConfig { clipping: Some(Clipping::Norm(0.05)), ..config() };
    for config in [config(), clipped, NetConfig { normalisation: Normalisation::Batch, ..config() }] {
        let (start, plain) = stepped(&config, Optimiser::Adam(adam));
        let (_, decayed) = stepped(&config, Optimiser::AdamW(adamw));
        for (plain, decayed) in plain.iter().zip(&decayed) {
            let arrays = start.named().into_iter().zip(plain.named()).zip(decayed.named());
            for (((name, start), (_, plain)), (_, decayed)) in arrays {
                if name.starts_with('W') {
                    let off = &decayed - &plain + 5e-3 * &start;
                    assert!(off.iter().all(|off| off.abs() < 1e-14), "{name}");
                } else {
                    assert_eq!(plain, decayed, "{name}");
                }
            }
        }
    }
}

/// Wherever one number is not finite, its array is named, and of several the first. The loss does not tell of it.
#[test]
fn the_first_array_that_is_not_finite_is_named() {
    for mut engine in engines(config(), "adam".parse().unwrap()) {
        assert_eq!(engine.first_not_finite(), None);
        let state = engine.state().unwrap();
        let spoilt = |engine: &mut dyn Engine<f64>, spoil: &dyn Fn(&mut Parameters<f64>)| {
            let mut parameters = state.parameters.clone();
            spoil(&mut parameters);
            engine.restore(&EngineState { parameters, ..state.clone() }).unwrap();
            engine.first_not_finite()
        };
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            for (array, name) in ["W1", "b1", "W2", "b2"].into_iter().enumerate() {
                let length = state.parameters.named()[array].1.len();
                for at in [0, 1, length / 2, length - 1] {
                    let found = spoilt(&mut *engine, &|parameters| {
                        *parameters.named_mut()[array].1.iter_mut().nth(at).unwrap() = value;
                    });
                    assert_eq!(found.as_deref(), Some(name), "{value} at {at}");
                }
            }
        }
        let found = spoilt(&mut *engine, &|parameters| {
            parameters.layers[1].w.fill(f64::NAN);
            parameters.layers[0].b[3] = f64::INFINITY;
        });
        assert_eq!(found.as_deref(), Some("b1"));
        // Numbers as large as they can be are finite, many of them too.
        assert_eq!(spoilt(&mut *engine, &|parameters| parameters.layers[0].w.fill(f64::MAX)), None);
        let found = spoilt(&mut *engine, &|parameters| parameters.layers[0].w[(3, 64)] = f64::NAN);
        assert_eq!(found.as_deref(), Some("W1"));
    }
    // A ReLU hides it: the unit's sum is NaN in every sample, which is not above 0.
    let [mut thin, _] =
        engines(NetConfig { dropout: HiddenDropout::None, ..config() }, "sgd".parse().unwrap());
    let mut state = thin.state().unwrap();
    state.parameters.layers[0].w.column_mut(7).fill(f64::NAN);
    thin.restore(&state).unwrap();
    assert!(step(&mut *thin).is_finite());
    assert_eq!(thin.first_not_finite().as_deref(), Some("W1"));
}

/// Training that diverges is seen at the step that throws the parameters off, also where gradients are clipped.
#[test]
fn training_that_diverges_is_seen() {
    for clipping in [None, Some(Clipping::Norm(1e300))] {
        let rule = "sgd".parse::<Optimiser>().unwrap().with_learning_rate(1e200);
        for mut engine in engines(NetConfig { clipping, ..config() }, rule) {
            let seen = (0..5).find(|_| {
                step(&mut *engine);
                engine.first_not_finite().is_some()
            });
            assert!(seen.is_some(), "{clipping:?}");
        }
    }
}
