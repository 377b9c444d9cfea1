//! Whole training runs give the same bits on all instruction sets that round a multiply-add once.

use thinnet::data::{DataSet, Scaling};
use thinnet::engine::{Engine, EngineConfig, EngineKind, Isa, MaskSource, Thin};
use thinnet::float::Float;
use thinnet::layers::{Activation, DropoutKind, Loss};
use thinnet::net::{FullyConnectedNet, NetConfig, Parameters};
use thinnet::optim::{Clipping, Optimiser};
use thinnet::random::RandomState;
use thinnet::training::{DataConfig, TrainingData};

use crate::{Case, More, corner};

fn bits<F: Float>(parameters: &Parameters<F>, others: impl Iterator<Item = F>) -> Vec<u64> {
    let arrays =
        parameters.named().into_iter().flat_map(|(_, array)| array.iter().copied().collect::<Vec<F>>());
    let bits: Vec<u64> = arrays.chain(others).map(|value| value.as_f64().to_bits()).collect();
    assert!(bits.iter().all(|&bits| f64::from_bits(bits).is_finite()), "a run that blew up says nothing");
    bits
}

/// Losses, parameters and scores of a run.
fn of_case<F: Float>(case: &Case, isa: Isa) -> (Vec<u64>, Vec<u64>) {
    let mut random = RandomState::new(3);
    let net = case.net::<F>(&mut random);
    let config =
        EngineConfig { kind: case.engine, threads: case.threads, masks: case.masks(), isa: Some(isa) };
    let mut engine = Thin::new(&net, case.rule(), config).unwrap();
    let (losses, parameters, scores, _) = case.run(&mut engine, random);
    (losses.into_iter().map(f64::to_bits).collect(), bits(&parameters, scores.iter().copied()))
}

fn assert_same<F: Float>(case: &Case) {
    let truth = of_case::<F>(case, Isa::PORTABLE_FUSED);
    for isa in Isa::fused() {
        assert_eq!(of_case::<F>(case, isa), truth, "{isa}: {case:?}");
    }
}

#[test]
fn runs_have_the_same_bits_on_all_instruction_sets() {
    let nets = [(70, vec![33, 21], 30), (131, vec![90], 101), (9, vec![7, 65, 6], 5), (40, vec![], 30)];
    for (rule, (input_dim, hidden, batch)) in Optimiser::NAMES.into_iter().zip(nets.into_iter().cycle()) {
        for (kind, keep) in [
            (DropoutKind::Bernoulli, Some(0.5)),
            (DropoutKind::Bernoulli, Some(0.9)),
            (DropoutKind::Gaussian, Some(0.7)),
            (DropoutKind::Bernoulli, None),
        ] {
            for counter in [false, true] {
                let more = More { counter, kind, ..More::COURSE };
                let sizes = Case { input_dim, hidden: hidden.clone(), batch, samples: 120, ..corner() };
                let case = Case { keep, steps: 12, rule, engine: EngineKind::Auto, more, ..sizes };
                assert_same::<f32>(&case);
                assert_same::<f64>(&case);
            }
        }
    }
}

/// What the course's networks do not have, and the other ways to compute.
#[test]
fn other_settings_have_the_same_bits_on_all_instruction_sets() {
    let course = || More { counter: true, ..More::COURSE };
    let settings = [
        More { activation: Activation::Tanh, loss: Loss::SquaredError, ..course() },
        More { activation: Activation::Logistic, loss: Loss::Logistic, input_keep: Some(0.8), ..course() },
        More { sparse: true, weighted: true, l1: 0.03, ..course() },
        More { clipping: Some(Clipping::Norm(0.1)), max_norm: Some(0.7), ..course() },
        More { clipping: Some(Clipping::Value(0.01)), smoothing: 0.1, variant: true, ..course() },
        More { annealed: true, falling_keep: true, ..course() },
    ];
    for more in settings {
        for engine in [EngineKind::Auto, EngineKind::Dense, EngineKind::Thin] {
            for rule in ["adam", "sgd_momentum"] {
                let case = Case { steps: 8, rule, engine, more: more.clone(), ..corner() };
                assert_same::<f32>(&case);
                assert_same::<f64>(&case);
            }
        }
    }
}

/// Images that stay bytes, the course's network and its decisions: what a run and its accuracies are.
#[test]
fn images_have_the_same_bits_on_all_instruction_sets() {
    for scaling in [None, Some(Scaling::Standard)] {
        let sample = DataSet::embedded_sample().unwrap();
        let data =
            TrainingData::<f32>::scaled(&sample, DataConfig { scaling, ..DataConfig::default() }).unwrap();
        let run = |isa: Isa| {
            let mut random = RandomState::new(231);
            let net = FullyConnectedNet::<f32>::new(
                NetConfig { hidden: vec![30], ..NetConfig::default() },
                &mut random,
            )
            .unwrap();
            let config = EngineConfig {
                kind: EngineKind::Auto,
                threads: 2,
                masks: MaskSource::Counter(5),
                isa: Some(isa),
            };
            let mut engine = Thin::new(&net, "adam".parse().unwrap(), config).unwrap();
            for _ in 0..4 {
                let batch = random.choice(500, 50).unwrap();
                let (x, targets) = (data.train.x(), data.train.targets());
                engine.step(x, targets, batch.as_slice().into(), &mut random).unwrap();
            }
            let inputs = engine.load(data.val.x()).unwrap();
            let (classes, scores) = (engine.classes(&inputs).unwrap(), engine.scores(&inputs).unwrap());
            (classes, bits(&engine.parameters().unwrap(), scores.iter().copied()))
        };
        let truth = run(Isa::PORTABLE_FUSED);
        for isa in Isa::fused() {
            assert!(run(isa) == truth, "{isa}, {scaling:?}");
        }
    }
}
