//! Every form in which a network leaves comes back with the same predictions.

use thinnet::Float;
use thinnet::export::{Labels, Onnx, Weights, npz, npz_with, rounded, torch, torch_with};
use thinnet::import::from_bytes;
use thinnet::layers::{Activation, Normalisation};
use thinnet::model::Model;
use thinnet::net::{FullyConnectedNet, NetConfig};
use thinnet::random::RandomState;
use thinnet::training::Task;

use crate::{classes, imported, model, numbers, samples, scores};

const ACTIVATIONS: [Activation; 11] = [
    Activation::Identity,
    Activation::Logistic,
    Activation::Tanh,
    Activation::Relu,
    Activation::LeakyRelu,
    Activation::Elu,
    Activation::Selu,
    Activation::Gelu,
    Activation::Silu,
    Activation::Mish,
    Activation::Softplus,
];

fn compare<F: Float>(model: &Model<F>) {
    let (net, expected) = (model.net().config(), scores(model));
    let arrays = [model.to_bytes().unwrap(), torch(model).unwrap().arrays, npz(model).unwrap()];
    for bytes in &arrays {
        let own = from_bytes(bytes, "file").unwrap();
        assert_eq!((own.hidden(), own.normalisation), (net.hidden.clone(), net.normalisation));
        assert_eq!(imported::<F>(bytes, net.activation), expected);
        // What a run keeps of it is the same again.
        assert_eq!(from_bytes(&own.to_bytes().unwrap(), "other").unwrap(), own);
    }
    let bytes = Onnx::default().model(model).unwrap();
    let own = from_bytes(&bytes, "file").unwrap();
    // Without hidden layers there is none.
    assert_eq!(own.activation, (!net.hidden.is_empty()).then_some(net.activation));
    // Without a scaling of its targets, a regression looks like a part of a network.
    let scaled = own.targets.is_some() || model.config().model.task == Task::Classification;
    assert_eq!(own.task, scaled.then_some(model.config().model.task));
    for (found, expected) in imported::<F>(&bytes, Activation::Relu).iter().zip(&expected) {
        let (found, expected) = (found.as_f64(), expected.as_f64());
        assert!((found - expected).abs() <= 1e-6 * expected.abs().max(1.0), "{found} {expected}");
    }
    if own.task == Some(Task::Classification) {
        assert_eq!(own.names.as_ref(), Some(&model.preprocessing().names));
    } else if scaled {
        // The scaling of the targets came along: 32-bit floats in ONNX.
        let (own, expected) = (own.targets.unwrap(), model.preprocessing().targets.clone().unwrap());
        for (own, expected) in own.mean.iter().zip(&expected.mean) {
            assert!((own - expected).abs() < 1e-5, "{own} {expected}");
        }
    }
}

#[test]
fn every_activation_and_normalisation() {
    for activation in ACTIVATIONS {
        for normalisation in ["none", "batch", "layer"] {
            let settings = [
                format!("model.activation={}", activation.name()),
                format!("model.normalisation={normalisation}"),
            ];
            let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
            compare(&model::<f32>(classes(), &settings));
            compare(&model::<f64>(classes(), &settings));
        }
        compare(&model::<f64>(numbers(), &[&format!("model.activation={}", activation.name())]));
    }
}

#[test]
fn scalings_and_one_layer() {
    for scaling in ["none", "mean", "standard", "unit"] {
        let scaling = format!("data.scaling={scaling}");
        compare(&model::<f64>(classes(), &[&scaling, "model.hidden=[]"]));
        compare(&model::<f32>(numbers(), &[&scaling, "data.target_scaling=none", "model.hidden=[3]"]));
    }
}

#[test]
fn what_only_a_models_own_file_says_comes_along() {
    let model = model::<f32>(classes(), &["model.normalisation=batch"]);
    let own = from_bytes(&model.to_bytes().unwrap(), "file").unwrap();
    assert_eq!(own.normalisation, Normalisation::Batch);
    assert_eq!(own.scale.as_ref(), Some(&model.preprocessing().scale));
    assert_eq!(own.names.as_ref(), Some(&model.preprocessing().names));
    let exported = from_bytes(&npz(&model).unwrap(), "file").unwrap();
    assert_eq!((exported.scale, exported.names), (own.scale, own.names));
    assert_eq!(exported.task, Some(Task::Classification));
}

#[test]
fn an_export_with_dropout_is_read_without() {
    for kind in ["bernoulli", "gaussian"] {
        let kind = format!("model.dropout={kind}");
        let model = model::<f32>(classes(), &[&kind, "model.keep=0.5", "model.input_keep=0.9"]);
        let bytes = Onnx { dropout: true, ..Onnx::default() }.model(&model).unwrap();
        let (found, expected) = (imported::<f32>(&bytes, Activation::Relu), scores(&model));
        assert!(found.iter().zip(&expected).all(|(a, b)| (a - b).abs() <= 1e-6 * b.abs().max(1.0)));
    }
    let model = model::<f32>(classes(), &[]);
    let maps = Onnx { zipmap: true, ..Onnx::default() }.model(&model).unwrap();
    assert_eq!(from_bytes(&maps, "file").unwrap().names.as_ref(), Some(&model.preprocessing().names));
}

#[test]
fn one_score_of_two_classes_becomes_two() {
    let config = NetConfig {
        input_dim: 4,
        hidden: vec![5],
        num_outputs: 1,
        loss: thinnet::layers::Loss::Logistic,
        ..NetConfig::default()
    };
    let net = FullyConnectedNet::<f32>::new(config, &mut RandomState::new(3)).unwrap();
    let labels = Labels::Words(vec!["no".to_owned(), "yes".to_owned()]);
    let bytes = Onnx::default().network(&net, Some(&labels)).unwrap();
    let own = from_bytes(&bytes, "file").unwrap();
    assert_eq!((own.outputs(), own.task), (2, Some(Task::Classification)));
    assert_eq!(own.names.as_deref(), Some(&["no".to_owned(), "yes".to_owned()][..]));
    #[allow(clippy::cast_possible_truncation)] // they are quarters
    let x = samples().mapv(|x| x as f32);
    let (two, one) = (own.net::<f32>(Activation::Relu).unwrap().scores(x.view()), net.scores(x.view()));
    let (two, one) = (two.unwrap(), one.unwrap());
    assert!(two.column(0).iter().all(|score| *score == 0.0));
    assert!(two.column(1).iter().zip(&one).all(|(two, one)| (two - one).abs() < 1e-6));
}

#[test]
fn small_weights_come_back_as_they_are_measured() {
    for normalisation in ["none", "batch", "layer"] {
        let model = model::<f32>(classes(), &[&format!("model.normalisation={normalisation}")]);
        for weights in [Weights::Float16, Weights::Int8] {
            let bytes = Onnx { weights, ..Onnx::default() }.model(&model).unwrap();
            let expected = scores(&rounded(&model, weights, true).unwrap());
            for (found, expected) in imported::<f32>(&bytes, Activation::Relu).iter().zip(&expected) {
                assert!((found - expected).abs() <= 1e-5 * expected.abs().max(1.0), "{found} {expected}");
            }
            assert_ne!(expected, scores(&model));
        }
        let weights = Weights::Float16;
        let expected = scores(&rounded(&model, weights, false).unwrap());
        let files = [npz_with(&model, weights).unwrap(), torch_with(&model, weights).unwrap().arrays];
        assert!(files.iter().all(|bytes| imported::<f32>(bytes, Activation::Relu) == expected));
        assert!(npz_with(&model, Weights::Int8).is_err() && torch_with(&model, Weights::Int8).is_err());
    }
}

#[test]
fn a_temperature_comes_along() {
    let model = model::<f32>(classes(), &["train.calibrate=true", "model.keep=1"]);
    assert!(model.trained().temperature.is_some());
    let expected = model.predict_proba(samples()).unwrap();
    for bytes in [Onnx::default().model(&model).unwrap(), torch(&model).unwrap().arrays] {
        let found = thinnet::layers::Loss::Softmax.predict(imported::<f32>(&bytes, Activation::Relu));
        assert!(found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-6), "{found} {expected}");
    }
}

#[test]
fn noise_and_quantiles_are_read_from_the_models_own_file() {
    for loss in ["gaussian_nll", "quantile"] {
        let model = model::<f64>(numbers(), &[&format!("model.loss={loss}")]);
        for bytes in [model.to_bytes().unwrap(), torch(&model).unwrap().arrays, npz(&model).unwrap()] {
            assert_eq!(imported::<f64>(&bytes, Activation::Relu), scores(&model), "{loss}");
        }
        // Their columns are taken apart in ONNX, which is no chain of layers.
        let text = crate::refused(&Onnx::default().model(&model).unwrap());
        assert!(text.contains("its node"), "{text}");
    }
}

#[test]
fn an_ensemble_is_refused_in_one_sentence() {
    let model = model::<f32>(classes(), &["train.members=2"]);
    let own = crate::refused(&model.to_bytes().unwrap());
    assert!(own.contains("2 networks"), "{own}");
    let graph = crate::refused(&Onnx::default().model(&model).unwrap());
    assert!(graph.contains("only one chain of layers is read"), "{graph}");
}

#[test]
fn an_ensemble_has_smaller_weights_too() {
    let model = model::<f32>(
        classes(),
        &["train.members=2", "train.calibrate=true", "model.normalisation=batch", "model.hidden=[60, 60]"],
    );
    let small = rounded(&model, Weights::Int8, true).unwrap();
    assert_eq!((small.trained().others.len(), small.trained().temperature), (1, model.trained().temperature));
    let (found, expected) =
        (small.predict_proba(samples()).unwrap(), model.predict_proba(samples()).unwrap());
    assert!(found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 0.02) && found != expected);
    let size = |weights| Onnx { weights, ..Onnx::default() }.model(&model).unwrap().len();
    assert!(size(Weights::Int8) < size(Weights::Full));
    assert!(npz_with(&model, Weights::Float16).is_err() && torch_with(&model, Weights::Float16).is_err());
}
