//! The forms that inputs come in: bytes, sparse rows, floats; alone and in company.

use ndarray::Array2;
use thinnet::data::{DataSet, Features, Scaling, SparseRows, Targets};
use thinnet::engine::{Engine, EngineConfig, MaskSource, Thin, sparse_below};
use thinnet::float::Float;
use thinnet::layers::{Dropout, HiddenDropout};
use thinnet::net::{FullyConnectedNet, NetConfig};
use thinnet::optim::Optimiser;
use thinnet::random::RandomState;
use thinnet::training::{DataConfig, TrainingData};

use crate::{Case, corner};

/// Classes decided by bytes, with the close decisions computed again, against those of the scores.
#[test]
fn classes_are_those_of_the_scores() {
    fn check<F: Float>() {
        let data = TrainingData::<F>::of(&DataSet::embedded_sample().unwrap(), 500).unwrap();
        let mut random = RandomState::new(231);
        let config = NetConfig { hidden: vec![60], ..NetConfig::default() };
        let net = FullyConnectedNet::<F>::new(config, &mut random).unwrap();
        let rule: Optimiser = "adam".parse().unwrap();
        let mut engine = Thin::new(&net, rule, EngineConfig::course(2)).unwrap();
        let inputs = engine.load(data.val.x()).unwrap();
        for _ in 0..6 {
            let classes = engine.classes(&inputs).unwrap();
            let scores = engine.scores(&inputs).unwrap();
            for (class, scores) in classes.into_iter().zip(scores.rows()) {
                assert!(scores.iter().all(|&score| score <= scores[class]));
            }
            for _ in 0..8 {
                let batch = random.choice(500, 100).unwrap();
                engine
                    .step(data.train.x(), data.train.targets(), batch.as_slice().into(), &mut random)
                    .unwrap();
            }
        }
    }
    check::<f32>();
    check::<f64>();
}

/// Images that stay bytes, standardised batch by batch, against the same numbers as floats from the start.
#[test]
fn standardised_images_are_their_floats() {
    let data = TrainingData::<f32>::scaled(
        &DataSet::embedded_sample().unwrap(),
        DataConfig { scaling: Some(Scaling::Standard), ..DataConfig::default() },
    )
    .unwrap();
    let config = NetConfig { hidden: vec![20], ..NetConfig::default() };
    let rule: Optimiser = "adam".parse().unwrap();
    let run = |x: &Features<f32>, val: &Features<f32>| {
        let mut random = RandomState::new(231);
        let net = FullyConnectedNet::<f32>::new(config.clone(), &mut random).unwrap();
        let mut engine = Thin::new(&net, rule, EngineConfig::course(2)).unwrap();
        let losses: Vec<_> = (0..3)
            .map(|step| {
                let batch = [7, step, 499];
                engine.step(x, data.train.targets(), batch[..].into(), &mut random).unwrap()
            })
            .collect();
        let inputs = engine.load(val).unwrap();
        let classes = engine.classes(&inputs).unwrap();
        (losses, engine.scores(&inputs).unwrap(), classes)
    };
    let floats = |x: &Features<f32>| x.to_floats().unwrap().into();
    let (train, val) = (data.train.x(), data.val.x());
    assert_eq!(run(train, val), run(&floats(train), &floats(val)));
}

/// Sparse rows are their dense form, repeated entries added up, whatever their order.
#[test]
fn sparse_rows_are_what_they_stand_for() {
    let starts = vec![0, 2, 2, 5];
    let sparse =
        SparseRows::new(70, starts, vec![3, 69, 5, 0, 5], vec![1.5f32, -2.0, 0.25, 1.0, 0.5]).unwrap();
    let mut dense = Array2::<f32>::zeros((3, 70));
    dense[(0, 3)] = 1.5;
    dense[(0, 69)] = -2.0;
    dense[(2, 0)] = 1.0;
    dense[(2, 5)] = 0.75;
    assert_eq!(Features::Sparse(sparse.clone()).to_floats().unwrap(), dense);
    let run = |x: Features<f32>| {
        let case = corner();
        let mut random = RandomState::new(1);
        let mut engine = Thin::new(&case.net(&mut random), case.rule(), EngineConfig::course(2)).unwrap();
        let batch = [2, 0, 1, 2];
        let y = [0, 1, 2];
        for _ in 0..2 {
            engine.step(&x, Targets::Classes(&y), batch[..].into(), &mut random).unwrap();
        }
        let inputs = engine.load(&x).unwrap();
        (engine.scores(&inputs).unwrap(), engine.parameters().unwrap())
    };
    let (scores, parameters) = run(Features::Sparse(sparse));
    let (true_scores, true_parameters) = run(dense.into());
    assert!((&scores - &true_scores).iter().all(|d| d.abs() < 1e-5), "{scores}, {true_scores}");
    for ((name, got), (_, expected)) in parameters.named().into_iter().zip(true_parameters.named()) {
        assert!((&got - &expected).iter().all(|d| d.abs() < 1e-5), "{name}");
    }
    assert!(SparseRows::new(5, vec![0, 1], vec![5], vec![1.0f32]).is_err());
    assert!(SparseRows::new(5, vec![0, 2], vec![1], vec![1.0f32]).is_err());
    assert!(SparseRows::new(5, vec![0, 2, 1], vec![1, 2], vec![1.0f32, 2.0]).is_err());
    assert!(SparseRows::new(5, vec![], vec![], Vec::<f32>::new()).is_err());
}

#[test]
fn sparse_rows_are_preferred_where_less_is_left_of_the_input_than_of_the_output() {
    let config = |keep: f64| NetConfig {
        dropout: HiddenDropout::Every(Dropout::new(keep, None).unwrap()),
        ..NetConfig::default()
    };
    assert!(sparse_below(&config(1.0)) > 0.19 && sparse_below(&config(0.25)) < 0.19);
}

/// What is asked of one sample does not depend on who else is asked about, with masks or without.
#[test]
fn scores_of_a_sample_do_not_depend_on_the_others() {
    let case = Case { hidden: vec![90, 40], ..corner() };
    let mut random = RandomState::new(2);
    let net = case.net::<f32>(&mut random);
    let config = EngineConfig { masks: MaskSource::Counter(1), ..EngineConfig::course(2) };
    let mut engine = Thin::new(&net, case.rule(), config).unwrap();
    #[allow(clippy::cast_possible_truncation)]
    let x: Array2<f32> = random.randn((700, 70)).mapv(|v| v as f32);
    let all = engine.load(&x.clone().into()).unwrap();
    let sparse = Features::Sparse(SparseRows::from_dense(x.view()));
    let some = engine.load(&x.slice(ndarray::s![..5, ..]).to_owned().into()).unwrap();
    let first = ndarray::s![..5, ..];
    let scores = engine.scores(&all).unwrap();
    assert_eq!(engine.scores(&some).unwrap(), scores.slice(first));
    let masked = engine.masked_scores(&all, 4, &mut random).unwrap();
    assert_eq!(engine.masked_scores(&some, 4, &mut random).unwrap(), masked.slice(first));
    assert_ne!(engine.masked_scores(&all, 5, &mut random).unwrap(), masked);
    // Other inputs turn the first layer's weights round, and back.
    let sparse = engine.load(&sparse).unwrap();
    let turned = engine.scores(&sparse).unwrap();
    assert!((&turned - &scores).iter().all(|d| d.abs() < 1e-4));
    assert_eq!(engine.scores(&all).unwrap(), scores);
}
