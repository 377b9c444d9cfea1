//! Steps in parts: gradients without an update, and an update with them.

use ndarray::Array2;
use thinnet::Error;
use thinnet::data::{Features, Targets};
use thinnet::engine::{
    Batch, Engine, EngineConfig, EngineState, Isa, Layers, MaskSource, Thin, gradients_in_parts, part_size,
};
use thinnet::layers::{DropoutKind, Loss};
use thinnet::net::{FullyConnectedNet, NetConfig};
use thinnet::optim::Clipping;
use thinnet::random::RandomState;

use crate::{Case, More, corner};

const SAMPLES: usize = 40;

/// The state after three steps, whole or in parts, and the losses.
fn run(case: &Case, engine: &mut dyn Engine<f64>, part: Option<usize>) -> (EngineState<f64>, Vec<f64>) {
    let mut random = RandomState::new(5);
    let x: Array2<f64> = random.randn((SAMPLES, case.input_dim));
    let x = Features::from(x);
    let values: Array2<f64> = random.rand((SAMPLES, case.num_outputs));
    let y = random.choice(case.num_outputs, SAMPLES).unwrap();
    let targets = match case.more.loss {
        Loss::Softmax => Targets::Classes(&y),
        _ => Targets::Values(values.view()),
    };
    let mut weights = random.rand(SAMPLES).to_vec();
    weights[..9].fill(0.0); // a whole part of no weight
    let weights = case.more.weighted.then_some(weights.as_slice());
    let indices: Vec<usize> = (0..SAMPLES - 3).collect();
    let batch = Batch { indices: &indices, weights };
    let losses = (0..3).map(|_| {
        let Some(part) = part else { return engine.step(&x, targets, batch, &mut random).unwrap().total() };
        let goes_on = &mut || true;
        let parts = gradients_in_parts(engine, &x, targets, batch, part, &mut random, goes_on).unwrap();
        let (loss, gradients) = parts.unwrap();
        engine.update(gradients).unwrap();
        loss.total()
    });
    let losses = losses.collect();
    (engine.state().unwrap(), losses)
}

/// Both engines, whole and in parts, with every kind of dropout and of clipping: the same losses and parameters.
#[test]
fn parts_make_the_same_step() {
    for kind in [DropoutKind::Bernoulli, DropoutKind::Gaussian, DropoutKind::DropConnect] {
        for clipping in [None, Some(Clipping::Norm(0.05)), Some(Clipping::Value(1e-3))] {
            for (weighted, loss) in [(false, Loss::Softmax), (true, Loss::Huber), (true, Loss::GaussianNll)] {
                let more = More { counter: true, input_keep: Some(0.8), max_norm: Some(0.9), ..More::COURSE };
                let more = More { kind, clipping, weighted, loss, l1: 0.01, ..more };
                let case = Case { more, ..corner() };
                let net = case.net::<f64>(&mut RandomState::new(7));
                let masks = MaskSource::Counter(77);
                let config = EngineConfig { kind: case.engine, threads: 2, masks, isa: Some(Isa::detect()) };
                let thin = || Thin::new(&net, case.rule(), config).unwrap();
                let layers = || Layers::new(net.clone(), case.rule()).unwrap().with_masks(masks);
                let (truth, losses) = run(&case, &mut layers(), None);
                for part in [None, Some(1000), Some(9), Some(1)] {
                    for (of, (state, own)) in
                        [("layers", run(&case, &mut layers(), part)), ("thin", run(&case, &mut thin(), part))]
                    {
                        let what = format!("{of}, {kind:?}, {clipping:?}, {loss:?}, {part:?}");
                        assert_eq!(state.step, truth.step, "{what}");
                        for (own, truth) in own.iter().zip(&losses) {
                            assert!(
                                (own - truth).abs() < 1e-11 * truth.abs().max(1.0),
                                "{what}: {own}, {truth}"
                            );
                        }
                        let named = state.parameters.named().into_iter().zip(truth.parameters.named());
                        for ((name, own), (_, truth)) in named {
                            let largest = truth.iter().fold(1.0, |most: f64, value| most.max(value.abs()));
                            let is_far = |(own, truth): (&f64, &f64)| (own - truth).abs() > 1e-11 * largest;
                            let far = own.iter().zip(truth).any(is_far);
                            assert!(!far, "{what}: {name}");
                        }
                    }
                }
            }
        }
    }
}

/// Gradients alone change nothing, a stop between parts neither, and gradients of other shapes are refused.
#[test]
fn only_an_update_changes_parameters() {
    let case = Case { more: More { counter: true, ..More::COURSE }, ..corner() };
    let net = case.net::<f64>(&mut RandomState::new(7));
    let other = NetConfig { hidden: vec![3], ..net.config().clone() };
    let other = FullyConnectedNet::<f64>::new(other, &mut RandomState::new(1)).unwrap().parameters;
    let masks = MaskSource::Counter(77);
    let config = EngineConfig { masks, ..EngineConfig::course(2) };
    let thin: Box<dyn Engine<f64>> = Box::new(Thin::new(&net, case.rule(), config).unwrap());
    let layers = Box::new(Layers::new(net.clone(), case.rule()).unwrap().with_masks(masks));
    for mut engine in [thin, layers] {
        let before = engine.state().unwrap();
        let mut random = RandomState::new(5);
        let x: Array2<f64> = random.randn((SAMPLES, case.input_dim));
        let (x, y) = (Features::from(x), random.choice(5, SAMPLES).unwrap());
        let all: Vec<usize> = (0..SAMPLES).collect();
        let mut asked = 0;
        let mut goes_on = || {
            asked += 1;
            asked < 3
        };
        let (y, batch) = (Targets::Classes(&y), Batch::from(&all[..]));
        let stopped = gradients_in_parts(&mut *engine, &x, y, batch, 10, &mut random, &mut goes_on).unwrap();
        assert!(stopped.is_none() && asked == 3);
        assert_eq!(engine.state().unwrap(), before);
        assert!(matches!(engine.update(other.clone()), Err(Error::Shape { .. })));
        assert_eq!(engine.state().unwrap(), before);
        let none = gradients_in_parts(&mut *engine, &x, y, batch, 0, &mut random, &mut || true);
        assert!(matches!(none, Err(Error::Configuration { .. })));
        let weights = vec![0.0; SAMPLES];
        let batch = Batch { weights: Some(&weights), ..batch };
        let none = gradients_in_parts(&mut *engine, &x, y, batch, 10, &mut random, &mut || true);
        assert!(matches!(none, Err(Error::Data(_))));
    }
}

/// Small networks take whole batches; a part of a wide network's batch is at most a second's work on a slow CPU.
#[test]
fn only_wide_networks_have_small_parts() {
    let size = |hidden: Vec<usize>| {
        let config = NetConfig { input_dim: 2000, hidden, ..NetConfig::default() };
        (part_size::<f32>(&config), part_size::<f64>(&config))
    };
    let (small, _) = size(vec![100]);
    assert!(small > 40_000, "{small}");
    let (single, double) = size(vec![2000, 2000]);
    assert!((1000..2000).contains(&single) && double == single / 2, "{single}, {double}");
    assert_eq!(size(vec![100_000, 100_000]), (128, 128));
}
