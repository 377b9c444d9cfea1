//! What is written is decoded again: its operators, names, types and constants.
#![cfg(feature = "files")]

use std::fmt::Write;
use std::fs;

use ndarray::Array2;

use super::messages::{AttributeProto, Kind, NodeProto, Size, TensorProto, TypeProto};
use super::*;
use crate::data::{DataSet, ReadOptions, Rows};
use crate::layers::{Activation, Dropout, DropoutKind, Loss, Normalisation, RunningStatistics};
use crate::net::NetConfig;
use crate::random::RandomState;
use crate::training::TrainingConfig;

fn settings(more: &[&str]) -> TrainingConfig {
    let mut settings = TrainingConfig::default();
    for setting in ["model.hidden=[6]", "train.epochs=1"].iter().chain(more) {
        settings.set(&setting.parse().unwrap()).unwrap();
    }
    settings
}

fn net(config: NetConfig) -> FullyConnectedNet<f64> {
    FullyConnectedNet::new(
        NetConfig { input_dim: 3, weight_scale: 0.5, ..config },
        &mut RandomState::new(231),
    )
    .unwrap()
}

fn decoded(bytes: &[u8]) -> GraphProto {
    let model = ModelProto::decode(bytes).unwrap();
    assert_eq!((model.ir_version, model.producer_name.as_str()), (8, "thinnet"));
    let versions = model.opset_import.iter().map(|own| (own.domain.as_deref().unwrap(), own.version));
    let versions: Vec<_> = versions.collect();
    let graph = model.graph.unwrap();
    let ml = graph.node.iter().any(|node| node.domain == ML);
    assert_eq!(versions, if ml { vec![("", 17), (ML, 3)] } else { vec![("", 17)] });
    check(&graph);
    graph
}

/// Every value is made once, before it is used; outputs are made.
fn check(graph: &GraphProto) {
    let mut made = std::collections::HashSet::new();
    let given = graph.input.iter().map(|own| &own.name).chain(graph.initializer.iter().map(|own| &own.name));
    assert!(given.into_iter().all(|name| made.insert(name.clone())));
    for node in &graph.node {
        assert!(node.input.iter().all(|name| made.contains(name)), "{node:?}");
        assert!(node.output.iter().all(|name| made.insert(name.clone())), "{node:?}");
    }
    assert!(graph.output.iter().all(|own| made.contains(&own.name)));
}

fn operators(graph: &GraphProto) -> Vec<&str> {
    graph.node.iter().map(|node| node.op_type.as_str()).collect()
}

fn constant<'a>(graph: &'a GraphProto, name: &str) -> &'a TensorProto {
    graph.initializer.iter().find(|own| own.name == name).unwrap()
}

fn floats(tensor: &TensorProto) -> Vec<f32> {
    assert_eq!(tensor.data_type, TensorProto::FLOAT);
    let bytes = tensor.raw_data.as_ref().unwrap();
    bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}

/// The type and sizes of an array; 0 for a size that is open.
fn shape(kind: Option<&TypeProto>) -> (i32, Vec<i64>) {
    let Some(Kind::Tensor(tensor)) = &kind.unwrap().value else { panic!("no array: {kind:?}") };
    let sizes = tensor.shape.as_ref().unwrap().dim.iter().map(|dim| match dim.value.as_ref().unwrap() {
        Size::Value(size) => *size,
        Size::Param(_) => 0,
    });
    (tensor.elem_type, sizes.collect())
}

fn attribute<'a>(node: &'a NodeProto, name: &str) -> &'a AttributeProto {
    node.attribute.iter().find(|own| own.name == name).unwrap()
}

#[test]
fn a_model_of_a_matrix_scales_computes_and_names_its_classes() {
    let x = Array2::from_shape_fn((60, 4), |(row, column)| {
        f32::from(u8::from(row % 3 == column)) + 0.01 * row as f32
    });
    let rows = Rows::with_classes(x, (0..60).map(|row| row % 3).collect(), 3).unwrap();
    let model = Model::fit(&rows, &settings(&[])).unwrap();
    let bytes = Onnx::default().model(&model).unwrap();
    assert_eq!(bytes, Onnx::default().model(&model).unwrap());
    let graph = decoded(&bytes);
    let after_scaling: Vec<&str> = operators(&graph).into_iter().skip_while(|&own| own != "Div").collect();
    assert_eq!(
        after_scaling,
        ["Div", "Gemm", "Relu", "Gemm", "Softmax", "ArgMax", "Gather", "Identity", "Identity"]
    );
    assert_eq!(shape(graph.input[0].r#type.as_ref()), (TensorProto::FLOAT, vec![0, 4]));
    let outputs: Vec<_> =
        graph.output.iter().map(|own| (own.name.as_str(), shape(own.r#type.as_ref()))).collect();
    let (label, probabilities) = ((TensorProto::INT64, vec![0]), (TensorProto::FLOAT, vec![0, 3]));
    assert_eq!(outputs, [("label", label), ("probabilities", probabilities)]);
    assert_eq!(constant(&graph, "W1").dims, [4, 6]);
    let own: Vec<f32> = model.net().parameters.layers[0].w.iter().copied().collect();
    assert_eq!(floats(constant(&graph, "W1")), own);
    let file = ModelProto::decode(bytes.as_slice()).unwrap();
    assert_eq!(file.doc_string, "A fully-connected network, 4-6-3, relu.");
    let fact = |name: &str| file.metadata_props.iter().find(|own| own.key == name).unwrap().value.clone();
    assert_eq!((fact("epoch").as_str(), fact("outputs").as_str()), ("1", "0, 1, 2"));
}

#[test]
fn a_table_has_an_input_for_each_column() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("people.csv");
    let mut text = "age,probabilities,born,member,grade\n".to_owned();
    for row in 0..60 {
        let age = if row == 30 { String::new() } else { row.to_string() };
        let (city, truth) = (["Rome", "Oslo", "Lima"][row % 3], ["yes", "No"][row % 2]);
        let grade = ["good", "bad"][row % 2];
        writeln!(text, "{age},{city},2024-{}-11,{truth},{grade}", row % 12 + 1).unwrap();
    }
    fs::write(&path, text).unwrap();
    let set = DataSet::open(&path, &ReadOptions { date_parts: true, ..ReadOptions::default() }).unwrap();
    let model = Model::<f64>::fit_set(set, &settings(&["data.val=10"]), &mut ()).unwrap();
    let graph = decoded(&Onnx { zipmap: true, ..Onnx::default() }.model(&model).unwrap());
    let inputs: Vec<_> =
        graph.input.iter().map(|own| (own.name.as_str(), shape(own.r#type.as_ref()))).collect();
    let (number, word) = ((TensorProto::DOUBLE, vec![0, 1]), (TensorProto::STRING, vec![0, 1]));
    let names = [("age", &number), ("probabilities_2", &word), ("born", &number), ("member", &word)];
    assert_eq!(inputs, names.map(|(name, kind)| (name, kind.clone())));
    let words = graph.node.iter().filter(|node| node.op_type == "LabelEncoder").collect::<Vec<_>>();
    let keys = &attribute(words[0], "keys_strings").strings;
    assert!(keys.starts_with(&["Lima", "Oslo", "Rome", "", "NA"].map(|word| word.as_bytes().to_vec())));
    assert_eq!(attribute(words[0], "values_int64s").ints[..4], [0, 1, 2, -1]);
    let truths = &attribute(words[1], "keys_strings").strings;
    assert!(["no", "nO", "NO", "yes", "YeS"].iter().all(|word| truths.contains(&word.as_bytes().to_vec())));
    assert_eq!(
        (truths.len(), attribute(words[1], "values_floats").floats[3..5].to_vec()),
        (12, vec![0.0, 1.0])
    );
    let maps = graph.node.last().unwrap();
    assert_eq!((maps.op_type.as_str(), maps.domain.as_str()), ("ZipMap", ML));
    assert_eq!(attribute(maps, "classlabels_strings").strings, [b"bad".to_vec(), b"good".to_vec()]);
    let Some(Kind::Sequence(sequence)) = &graph.output[1].r#type.as_ref().unwrap().value else { panic!() };
    assert!(matches!(sequence.elem_type.as_ref().unwrap().value, Some(Kind::Map(_))));
}

#[test]
fn batch_normalisation_becomes_part_of_the_layer() {
    let mut net = net(NetConfig {
        hidden: vec![2],
        num_outputs: 1,
        loss: Loss::SquaredError,
        normalisation: Normalisation::Batch,
        ..NetConfig::default()
    });
    let running =
        RunningStatistics { mean: ndarray::array![0.5, -1.0], variance: ndarray::array![4.0, 0.25] };
    net.set_running(&[running]).unwrap();
    let graph = decoded(&Onnx::default().network(&net, None).unwrap());
    assert_eq!(operators(&graph), ["Gemm", "Relu", "Gemm", "Identity"]);
    let (w, b) = (floats(constant(&graph, "W1")), floats(constant(&graph, "b1")));
    let factors = [4.0f64, 0.25].map(|variance| 1.0 / (variance + 1e-5).sqrt());
    for (unit, factor) in factors.into_iter().enumerate() {
        let off = |found: f32, expected: f64| (f64::from(found) - expected).abs();
        assert!(off(w[unit], net.parameters.layers[0].w[[0, unit]] * factor) < 1e-7);
        assert!(off(b[unit], -[0.5, -1.0][unit] * factor) < 1e-7);
    }
}

#[test]
fn losses_have_their_own_outputs() {
    let of = |loss, outputs, quantiles: &[f64], labels: Option<Labels>| {
        let net = net(NetConfig {
            hidden: vec![],
            num_outputs: outputs,
            loss,
            quantiles: quantiles.to_vec(),
            ..NetConfig::default()
        });
        let graph = decoded(&Onnx::default().network(&net, labels.as_ref()).unwrap());
        let outputs = graph.output.iter().map(|own| (own.name.clone(), shape(own.r#type.as_ref()).1));
        outputs.map(|(name, sizes)| format!("{name}{sizes:?}")).collect::<Vec<_>>().join(" ")
    };
    let words = |words: &[&str]| {
        Some(Labels::of_names(&words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>()))
    };
    assert_eq!(of(Loss::Logistic, 1, &[0.5], words(&["no", "yes"])), "label[0] probabilities[0, 2]");
    assert_eq!(of(Loss::Logistic, 1, &[0.5], words(&["7"])), "label[0] probabilities[0, 1]");
    assert_eq!(of(Loss::Logistic, 4, &[0.5], None), "label[0, 4] probabilities[0, 4]");
    assert_eq!(of(Loss::Poisson, 2, &[0.5], None), "variable[0, 2]");
    assert_eq!(of(Loss::GaussianNll, 4, &[0.5], None), "variable[0, 2] std[0, 2]");
    assert_eq!(of(Loss::Quantile, 3, &[0.1, 0.5, 0.9], None), "variable[0, 3]");
    assert_eq!(of(Loss::Quantile, 6, &[0.1, 0.5, 0.9], None), "variable[0, 2, 3]");
    assert_eq!(of(Loss::Quantile, 2, &[0.1], None), "variable[0, 2]");
}

#[test]
fn labels_are_numbers_if_all_names_are() {
    let of =
        |names: &[&str]| Labels::of_names(&names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>());
    assert_eq!(of(&["0", "-3", "12"]), Labels::Numbers(vec![0, -3, 12]));
    for words in [["0", "1.0"], ["01", "1"], ["+1", "2"], ["a", "1"]] {
        assert!(matches!(of(&words), Labels::Words(_)), "{words:?}");
    }
}

#[test]
fn every_activation_has_operators() {
    for name in Activation::NAMES {
        let activation = name.parse().unwrap();
        let net = net(NetConfig { hidden: vec![4], loss: Loss::Poisson, activation, ..NetConfig::default() });
        let graph = decoded(&Onnx::default().network(&net, None).unwrap());
        let operators = operators(&graph);
        let own = &operators[1..operators.len() - 3];
        let expected: &[&str] = match activation {
            Activation::Identity => &[],
            Activation::Logistic => &["Sigmoid"],
            Activation::Gelu => &["Mul", "Erf", "Add", "Mul", "Mul"],
            Activation::Silu => &["Sigmoid", "Mul"],
            Activation::Mish => &["Softplus", "Tanh", "Mul"],
            _ => &[own[0]],
        };
        assert_eq!(own, expected, "{name}");
        assert!(
            own.len() != 1 || own[0].to_lowercase() == name.replace('_', "").replace("logistic", "sigmoid")
        );
    }
}

#[test]
fn dropout_stays_where_it_can_and_the_rest_is_refused() {
    let with = |dropout: Option<f64>, kind| {
        let dropout = dropout.map(|keep| Dropout::new(keep, None).unwrap());
        net(NetConfig {
            hidden: vec![4],
            dropout: dropout.into(),
            dropout_kind: kind,
            ..NetConfig::default()
        })
    };
    let labels = Labels::Numbers((0..10).collect());
    let keep = Onnx { dropout: true, ..Onnx::default() };
    let graph = decoded(&keep.network(&with(Some(0.75), DropoutKind::Bernoulli), Some(&labels)).unwrap());
    let dropout = graph.node.iter().find(|node| node.op_type == "Dropout").unwrap();
    assert_eq!(floats(constant(&graph, &dropout.input[1])), [0.25]);
    assert_eq!(constant(&graph, &dropout.input[2]).raw_data.as_deref(), Some(&[1][..]));
    let graph = decoded(&keep.network(&with(Some(0.8), DropoutKind::Gaussian), Some(&labels)).unwrap());
    let noise = graph.node.iter().find(|node| node.op_type == "RandomNormalLike").unwrap();
    assert_eq!(attribute(noise, "scale").f, Some(0.5));
    let refused = |onnx: Onnx, net, labels: Option<&Labels>, says: &str| {
        let error = onnx.network(&net, labels).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    };
    let bernoulli = DropoutKind::Bernoulli;
    refused(keep, with(None, bernoulli), Some(&labels), "no dropout");
    refused(keep, with(Some(1.0), bernoulli), Some(&labels), "no dropout");
    refused(keep, with(Some(0.5), DropoutKind::DropConnect), Some(&labels), "drop_connect");
    refused(Onnx::default(), with(None, bernoulli), None, "needs the labels");
    refused(Onnx::default(), with(None, bernoulli), Some(&Labels::Numbers(vec![1])), "1 labels");
    let numbers = || net(NetConfig { hidden: vec![], loss: Loss::Poisson, ..NetConfig::default() });
    refused(Onnx { zipmap: true, ..Onnx::default() }, numbers(), None, "no classes");
    refused(Onnx::default(), numbers(), Some(&labels), "no labels");
    let mut large = numbers();
    large.parameters.layers[0].w[[0, 0]] = 1e300;
    refused(Onnx::default(), large, None, "not finite as 32-bit");
}
