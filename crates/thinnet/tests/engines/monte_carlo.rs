//! Scores under the masks of several draws.

use std::ops::Range;

use ndarray::{Array2, s};
use thinnet::data::{Features, SparseRows};
use thinnet::engine::{
    Engine, EngineConfig, EngineKind, Inputs, Layers, MaskSource, MaskedPredictions, Thin, predict_masked,
};
use thinnet::layers::{Activation, Dropout, DropoutKind, HiddenDropout, Loss, Normalisation, Objective};
use thinnet::net::{FullyConnectedNet, NetConfig};
use thinnet::optim::Optimiser;
use thinnet::random::RandomState;
use thinnet::{Error, Result};

/// More than are masked together.
const SAMPLES: usize = 600;

/// Every call of `each`: draws of blocks.
fn drawn(
    engine: &mut dyn Engine<f64>,
    inputs: &Inputs<f64>,
    first: usize,
) -> Vec<(Range<usize>, Array2<f64>)> {
    let mut all = Vec::new();
    engine
        .each_masked(inputs, 5..8, first, &mut RandomState::new(3), &mut |rows, scores| {
            all.push((rows, scores));
            Ok(())
        })
        .unwrap();
    all
}

fn config(keeps: &[f64], kind: DropoutKind) -> NetConfig {
    let keeps = keeps.iter().map(|&keep| Dropout::new(keep, None).unwrap()).collect();
    NetConfig {
        input_dim: 40,
        hidden: vec![70, 33],
        num_outputs: 5,
        dropout: HiddenDropout::Each(keeps),
        dropout_kind: kind,
        weight_scale: 0.3,
        ..NetConfig::default()
    }
}

/// What lies before the first mask is computed once: the scores of each draw are those of the readable layers.
#[test]
fn each_draw_is_that_of_the_readable_layers() {
    let x: Array2<f64> = RandomState::new(2).randn((SAMPLES, 40));
    let zeroed = SparseRows::from_dense(x.mapv(|x| if x < 0.5 { 0.0 } else { x }).view());
    let bernoulli = DropoutKind::Bernoulli;
    let configs = [
        config(&[0.5, 0.5], bernoulli),
        config(&[1.0, 0.5], bernoulli),
        config(&[0.5, 1.0], bernoulli),
        config(&[1.0, 1.0], bernoulli),
        config(&[0.5, 0.5], DropoutKind::Gaussian),
        config(&[0.5, 0.7], DropoutKind::DropConnect),
        NetConfig { activation: Activation::Gelu, ..config(&[0.8, 0.5], bernoulli) },
        NetConfig { normalisation: Normalisation::Batch, ..config(&[1.0, 0.5], bernoulli) },
        NetConfig { normalisation: Normalisation::Layer, ..config(&[0.5, 0.5], bernoulli) },
        NetConfig { input_dropout: Some(Dropout::new(0.8, None).unwrap()), ..config(&[0.5, 0.5], bernoulli) },
        NetConfig { hidden: vec![], dropout: HiddenDropout::None, ..config(&[], bernoulli) },
    ];
    for (number, config) in configs.into_iter().enumerate() {
        let net = FullyConnectedNet::<f64>::new(config, &mut RandomState::new(1)).unwrap();
        let rule: Optimiser = "sgd".parse().unwrap();
        for masks in [MaskSource::Counter(9), MaskSource::Numpy] {
            let mut layers = Layers::new(net.clone(), rule).unwrap().with_masks(masks);
            for kind in [EngineKind::Auto, EngineKind::Dense, EngineKind::Thin] {
                for (features, first) in
                    [(Features::from(x.clone()), 0), (Features::Sparse(zeroed.clone()), 7)]
                {
                    let what = format!("{number}, {masks:?}, {kind:?}, {first}");
                    let how = EngineConfig { kind, threads: 2, masks, isa: None };
                    let Ok(mut thin) = Thin::new(&net, rule, how) else { continue };
                    let loaded = thin.load(&features).unwrap();
                    let found = drawn(&mut thin, &loaded, first);
                    let loaded = layers.load(&features).unwrap();
                    let truth = drawn(&mut layers, &loaded, first);
                    assert_eq!(truth.len(), 3);
                    let blocks = found.len() / 3;
                    assert_eq!(found.len() % 3, 0);
                    for (call, (rows, scores)) in found.iter().enumerate() {
                        let truth = truth[call % 3].1.slice(s![rows.clone(), ..]);
                        let largest = truth.iter().fold(1.0, |most: f64, score| most.max(score.abs()));
                        let is_far = |(one, other): (&f64, &f64)| (one - other).abs() > 1e-11 * largest;
                        let far = scores.iter().zip(truth).any(is_far);
                        assert!(!far, "{what}: {rows:?}");
                    }
                    assert_eq!(found.last().map(|(rows, _)| rows.end), Some(SAMPLES), "{what}");
                    assert_eq!(blocks, if masks == MaskSource::Numpy { 1 } else { 2 }, "{what}");
                }
            }
        }
    }
}

fn predicted(masks: u64, first: usize, x: &Array2<f64>, threads: usize, loss: Loss) -> MaskedPredictions {
    let config = NetConfig { loss, ..config(&[0.5, 0.5], DropoutKind::Bernoulli) };
    let net = FullyConnectedNet::<f64>::new(config, &mut RandomState::new(1)).unwrap();
    let how = EngineConfig { masks: MaskSource::Counter(9), ..EngineConfig::course(threads) };
    let mut thin = Thin::new(&net, "sgd".parse().unwrap(), how).unwrap();
    let inputs = thin.load(&Features::from(x.clone())).unwrap();
    let random = &mut RandomState::new(0);
    let objective = Objective::from(loss);
    predict_masked(&mut thin, &objective, &inputs, (0..masks, first), random, &mut || true).unwrap().unwrap()
}

/// A sample's figures depend on its number alone: not on threads, on the samples beside it, or on how many come at once.
#[test]
fn samples_keep_their_masks_in_any_company() {
    let x: Array2<f64> = RandomState::new(2).randn((SAMPLES, 40));
    let all = predicted(4, 0, &x, 1, Loss::Softmax);
    assert_eq!(predicted(4, 0, &x, 3, Loss::Softmax), all);
    for rows in [0..1, 3..10, 500..600] {
        let part = predicted(4, rows.start, &x.slice(s![rows.clone(), ..]).to_owned(), 2, Loss::Softmax);
        assert_eq!(part.mean, all.mean.slice(s![rows.clone(), ..]));
        assert_eq!(part.entropy, all.entropy.slice(s![rows, ..]));
    }
}

/// By their definitions, from each draw's probabilities.
#[test]
fn figures_are_those_of_the_draws() {
    let x: Array2<f64> = RandomState::new(2).randn((8, 40));
    for (loss, width) in [(Loss::Softmax, 1), (Loss::Logistic, 5), (Loss::SquaredError, 0)] {
        let found = predicted(6, 0, &x, 1, loss);
        let config = NetConfig { loss, ..config(&[0.5, 0.5], DropoutKind::Bernoulli) };
        let net = FullyConnectedNet::<f64>::new(config, &mut RandomState::new(1)).unwrap();
        let mut layers = Layers::new(net, "sgd".parse().unwrap()).unwrap().with_masks(MaskSource::Counter(9));
        let inputs = layers.load(&Features::from(x.clone())).unwrap();
        let draws: Vec<Array2<f64>> = (0..6)
            .map(|draw| {
                let scores = layers.masked_scores(&inputs, draw, &mut RandomState::new(0)).unwrap();
                loss.predict(scores)
            })
            .collect();
        let entropy = |p: &[f64]| p.iter().map(|&p| if p > 0.0 { -p * p.ln() } else { 0.0 }).sum::<f64>();
        let of = |p: &[f64], column: usize| match loss {
            Loss::Softmax => entropy(p),
            _ => entropy(&[p[column], 1.0 - p[column]]),
        };
        assert_eq!((found.entropy.ncols(), found.mutual_information.ncols()), (width, width));
        for row in 0..8 {
            let p = |draw: usize| draws[draw].row(row).to_vec();
            let mean: Vec<f64> =
                (0..5).map(|class| (0..6).map(|draw| p(draw)[class]).sum::<f64>() / 6.0).collect();
            for (class, &mean) in mean.iter().enumerate() {
                let variance = (0..6).map(|draw| (p(draw)[class] - mean).powi(2)).sum::<f64>() / 6.0;
                assert!((found.mean[[row, class]] - mean).abs() < 1e-12);
                assert!((found.deviation[[row, class]] - variance.sqrt()).abs() < 1e-12);
            }
            for column in 0..width {
                let total = of(&mean, column);
                let within = (0..6).map(|draw| of(&p(draw), column)).sum::<f64>() / 6.0;
                assert!((found.entropy[[row, column]] - total).abs() < 1e-12);
                assert!((found.mutual_information[[row, column]] - (total - within)).abs() < 1e-12);
            }
        }
    }
}

#[test]
fn it_can_be_stopped_and_errors_come_through() {
    let net =
        FullyConnectedNet::<f64>::new(config(&[0.5, 0.5], DropoutKind::Bernoulli), &mut RandomState::new(1));
    let how = EngineConfig { masks: MaskSource::Counter(9), ..EngineConfig::course(1) };
    let mut thin = Thin::new(&net.unwrap(), "sgd".parse().unwrap(), how).unwrap();
    let x: Array2<f64> = RandomState::new(2).randn((8, 40));
    let inputs = thin.load(&Features::from(x)).unwrap();
    let (mut asked, random) = (0, &mut RandomState::new(0));
    let mut goes_on = || {
        asked += 1;
        asked < 4
    };
    let softmax = Objective::default();
    let stopped = predict_masked(&mut thin, &softmax, &inputs, (0..9, 0), random, &mut goes_on).unwrap();
    assert!(stopped.is_none() && asked == 4);
    let none = predict_masked(&mut thin, &softmax, &inputs, (3..3, 0), random, &mut || true);
    assert!(matches!(none, Err(Error::Configuration { .. })));
    let failed: Result<()> =
        thin.each_masked(&inputs, 0..2, 0, random, &mut |_, _| Err(Error::Interrupted { step: 2 }));
    assert!(matches!(failed, Err(Error::Interrupted { step: 2 })));
}
