//! What a node says: its attributes, the constants that it takes, and the layer or activation that it is.

use std::rc::Rc;

use ndarray::Array1;

use super::super::imported::Norm;
use super::steps::What;
use super::tensors::{Decoder, Tensor};
use crate::error::{Error, Result, ensure};
use crate::export::messages::{AttributeProto, NodeProto, TensorProto};
use crate::layers::{Activation, BatchNorm, LEAK, LayerNorm, RunningStatistics, SELU_BELOW, SELU_SCALE};

/// How far a number may be from the one that is meant: other programs write `1.41421` or a 32-bit float.
pub(super) const NEAR: f64 = 1e-4;

/// What a name in the graph stands for.
#[derive(Debug, Clone)]
pub(super) enum Value<'a> {
    Stored(&'a TensorProto),
    Numbers(Rc<Tensor>),
    /// The samples after this step.
    Samples(usize),
    /// A part of GELU's formula, of the samples after a step.
    Gelu(usize, Gelu),
    /// The mask or the noise of a dropout.
    Noise,
    /// What was made of the scores, such as labels.
    Answer,
}

/// Parts of `z / 2 * (1 + erf(z / sqrt(2)))`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Gelu {
    Scaled,
    Erf,
    Above,
    Share,
    Doubled,
}

/// "its node "relu1" (Relu)".
pub(super) fn place(node: &NodeProto) -> String {
    let name = if node.name.is_empty() { node.output.first() } else { Some(&node.name) };
    let name: String = name.map(|name| name.chars().take(60).collect()).unwrap_or_default();
    format!("its node {name:?} ({:.60})", node.op_type)
}

pub(super) fn unknown(node: &NodeProto) -> Error {
    Error::data(format!(
        "{} is no part of a network that is read here; read are chains of Gemm, or MatMul and Add, with activations, \
         normalisations, and a scaling before the first layer",
        place(node)
    ))
}

/// Operators that may make labels and probabilities of the scores.
pub(super) fn of_answers(operator: &str) -> bool {
    const OPERATORS: [&str; 13] = [
        "Identity",
        "Cast",
        "Reshape",
        "Flatten",
        "Squeeze",
        "Unsqueeze",
        "Concat",
        "Add",
        "Sub",
        "Mul",
        "Greater",
        "ArgMax",
        "ArrayFeatureExtractor",
    ];
    OPERATORS.contains(&operator)
}

pub(super) fn all_constant(inputs: &[Option<Value<'_>>]) -> bool {
    inputs.iter().flatten().all(|value| matches!(value, Value::Stored(_) | Value::Numbers(_)))
}

pub(super) fn attribute<'n>(node: &'n NodeProto, name: &str) -> Option<&'n AttributeProto> {
    node.attribute.iter().find(|own| own.name == name)
}

pub(super) fn float(node: &NodeProto, name: &str, default: f64) -> f64 {
    attribute(node, name).and_then(|own| own.f).map_or(default, f64::from)
}

pub(super) fn int(node: &NodeProto, name: &str, default: i64) -> i64 {
    attribute(node, name).and_then(|own| own.i).unwrap_or(default)
}

/// The labels that a node gives to probabilities.
pub(super) fn labels(node: &NodeProto) -> Option<Vec<String>> {
    let numbers = attribute(node, "classlabels_int64s");
    let numbers = numbers.map(|own| own.ints.iter().map(ToString::to_string).collect());
    let words = attribute(node, "classlabels_strings");
    let words =
        words.map(|own| own.strings.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect());
    numbers.or(words)
}

/// The value of a node that is a constant.
pub(super) fn constant(node: &NodeProto) -> Result<Value<'_>> {
    let number = |number: f64| Value::Numbers(Rc::new(Tensor { shape: Vec::new(), numbers: vec![number] }));
    let vector = |numbers: Vec<f64>| Value::Numbers(Rc::new(Tensor { shape: vec![numbers.len()], numbers }));
    for own in &node.attribute {
        return Ok(match own.name.as_str() {
            "value" => match &own.t {
                Some(tensor) => Value::Stored(tensor),
                None => continue,
            },
            "value_float" => number(own.f.unwrap_or_default().into()),
            "value_int" => number(own.i.unwrap_or_default() as f64),
            "value_floats" => vector(own.floats.iter().map(|&number| number.into()).collect()),
            "value_ints" => vector(own.ints.iter().map(|&number| number as f64).collect()),
            _ => continue,
        });
    }
    Err(unknown(node))
}

/// The value of a node that takes only constants.
pub(super) fn of_constants<'a>(
    node: &NodeProto,
    inputs: Vec<Option<Value<'a>>>,
    decoder: &Decoder,
) -> Result<Value<'a>> {
    let numbers = |value: &Option<Value<'_>>| numbers(node, value.as_ref(), decoder);
    match (node.op_type.as_str(), inputs.as_slice()) {
        ("Identity", [Some(one)]) => Ok(one.clone()),
        ("Cast", [one]) => Ok(Value::Numbers(numbers(one)?)),
        ("Transpose", [one]) => {
            let turned = attribute(node, "perm").is_none_or(|own| own.ints == [1, 0]);
            let matrix = numbers(one)?.matrix().filter(|_| turned).ok_or_else(|| unknown(node))?;
            Ok(Value::Numbers(Rc::new(Tensor::of_matrix(matrix.reversed_axes()))))
        }
        ("DequantizeLinear", [one, scale, zero @ ..]) => {
            let zero = zero.first().filter(|zero| zero.is_some());
            let zero = zero.map(&numbers).transpose()?;
            let scale = numbers(scale)?;
            let made = numbers(one)?.dequantised(&scale, zero.as_deref(), int(node, "axis", 1));
            Ok(Value::Numbers(Rc::new(made.ok_or_else(|| wrong_shape(node))?)))
        }
        ("Mul", [one, scale]) => {
            let (one, scale) = (numbers(one)?, numbers(scale)?);
            let (one, scale) = if one.shape.len() < scale.shape.len() { (scale, one) } else { (one, scale) };
            let last = i64::try_from(one.shape.len()).unwrap_or_default() - 1;
            let made = one.dequantised(&scale, None, last).filter(|_| scale.shape.len() <= 1);
            Ok(Value::Numbers(Rc::new(made.ok_or_else(|| wrong_shape(node))?)))
        }
        _ => Err(unknown(node)),
    }
}

/// The numbers of a constant.
pub(super) fn numbers(node: &NodeProto, value: Option<&Value<'_>>, decoder: &Decoder) -> Result<Rc<Tensor>> {
    match value {
        Some(Value::Stored(own)) => decoder.tensor(own).map(Rc::new),
        Some(Value::Numbers(own)) => {
            decoder.take(own.numbers.len())?;
            Ok(Rc::clone(own))
        }
        _ => Err(Error::data(format!("{} takes numbers that are no constant", place(node)))),
    }
}

/// The only number of a constant.
pub(super) fn scalar(value: Option<&Value<'_>>) -> Option<f64> {
    match value {
        Some(Value::Stored(own)) if own.dims.iter().all(|&size| size == 1) => Tensor::of(own).ok()?.one(),
        Some(Value::Numbers(own)) => own.one(),
        _ => None,
    }
}

pub(super) fn vector(node: &NodeProto, value: Option<&Value<'_>>, decoder: &Decoder) -> Result<Array1<f64>> {
    numbers(node, value, decoder)?.vector().ok_or_else(|| wrong_shape(node))
}

pub(super) fn wrong_shape(node: &NodeProto) -> Error {
    Error::data(format!("{} has a constant of a shape that does not fit", place(node)))
}

pub(super) fn gemm(
    node: &NodeProto,
    weights: Option<&Value<'_>>,
    biases: Option<&Value<'_>>,
    decoder: &Decoder,
) -> Result<What> {
    ensure!(int(node, "transA", 0) == 0, unknown(node));
    let (alpha, beta) = (float(node, "alpha", 1.0), float(node, "beta", 1.0));
    let w = numbers(node, weights, decoder)?.matrix().ok_or_else(|| wrong_shape(node))?;
    let w = if int(node, "transB", 0) == 0 { w } else { w.t().as_standard_layout().into_owned() };
    let b = biases.is_some().then(|| vector(node, biases, decoder)).transpose()?;
    #[allow(clippy::float_cmp, reason = "exactly what the file has")]
    let w = if alpha == 1.0 { w } else { w * alpha };
    Ok(What::Affine(w, Some(b.map_or_else(|| Array1::zeros(1), |b| b * beta))))
}

pub(super) fn batch_norm(
    node: &NodeProto,
    inputs: [Option<&Value<'_>>; 4],
    decoder: &Decoder,
) -> Result<Norm> {
    ensure!(int(node, "training_mode", 0) == 0, unknown(node));
    let [gamma, beta, mean, variance] = inputs.map(|own| vector(node, own, decoder));
    // Here the variance has the epsilon of all layers added to it.
    let more = float(node, "epsilon", 1e-5) - BatchNorm::default().epsilon;
    let rounding = BatchNorm::default().epsilon * 1e-6;
    let more = if more.abs() <= rounding { 0.0 } else { more };
    let variance = variance?.mapv(|variance| variance + more);
    ensure!(
        variance.iter().all(|variance| *variance >= 0.0),
        Error::data(format!("{} has variances too small for the epsilon of 1e-5 here", place(node)))
    );
    Ok(Norm { gamma: gamma?, beta: beta?, running: Some(RunningStatistics { mean: mean?, variance }) })
}

pub(super) fn layer_norm(
    node: &NodeProto,
    gamma: Option<&Value<'_>>,
    beta: Option<&Value<'_>>,
    decoder: &Decoder,
) -> Result<Norm> {
    let (epsilon, own) = (float(node, "epsilon", 1e-5), LayerNorm::default().epsilon);
    ensure!(
        (epsilon - own).abs() <= NEAR * own,
        Error::data(format!("{} has the epsilon {epsilon}, but it is {own} here", place(node)))
    );
    ensure!(matches!(int(node, "axis", -1), -1 | 1), unknown(node));
    let gamma = vector(node, gamma, decoder)?;
    let beta = if beta.is_some() { vector(node, beta, decoder)? } else { Array1::zeros(gamma.len()) };
    Ok(Norm { gamma, beta, running: None })
}

/// The activation of a node that is one.
pub(super) fn activation(node: &NodeProto) -> Result<Option<Activation>> {
    let wanted = |name: &str, default: f64, wanted: f64| {
        let own = float(node, name, default);
        ensure!(
            (own - wanted).abs() <= NEAR * wanted.abs(),
            Error::data(format!("{} has {name} = {own}, but it is {wanted:.6} here", place(node)))
        );
        Ok(())
    };
    Ok(Some(match node.op_type.as_str() {
        "Relu" => Activation::Relu,
        "LeakyRelu" => {
            wanted("alpha", 0.01, LEAK)?;
            Activation::LeakyRelu
        }
        "Elu" => {
            wanted("alpha", 1.0, 1.0)?;
            Activation::Elu
        }
        "Selu" => {
            wanted("alpha", SELU_BELOW / SELU_SCALE, SELU_BELOW / SELU_SCALE)?;
            wanted("gamma", SELU_SCALE, SELU_SCALE)?;
            Activation::Selu
        }
        "Gelu" => {
            let exact = attribute(node, "approximate").and_then(|own| own.s.as_deref()).unwrap_or(b"none");
            ensure!(
                exact == b"none",
                Error::data(format!("{} is approximate, but GELU is exact here", place(node)))
            );
            Activation::Gelu
        }
        "Sigmoid" => Activation::Logistic,
        "Tanh" => Activation::Tanh,
        "Softplus" => Activation::Softplus,
        "Mish" => Activation::Mish,
        _ => return Ok(None),
    }))
}
