//! Follows a graph node by node, from its input to its scores and what becomes of them.

use std::collections::HashMap;
use std::rc::Rc;

use ndarray::Array1;

use super::super::imported::Norm;
use super::steps::{Answers, Step, What};
use super::tensors::{Decoder, Tensor, words};
use crate::error::{Error, Result, ensure};
use crate::export::messages::{AttributeProto, GraphProto, NodeProto, TensorProto};
use crate::layers::{Activation, BatchNorm, LEAK, LayerNorm, RunningStatistics, SELU_BELOW, SELU_SCALE};

/// The domain of the operators for classical models.
const ML: &str = "ai.onnx.ml";

/// How far a number may be from the one that is meant: other programs write `1.41421` or a 32-bit float.
const NEAR: f64 = 1e-4;

/// A graph as far as it was followed.
pub(super) struct Trace<'a> {
    values: HashMap<&'a str, Value<'a>>,
    steps: Vec<(usize, Step)>,
    /// The number of steps that were ever taken; each has its own.
    taken: usize,
    answers: Answers,
    decoder: Decoder,
}

#[derive(Debug, Clone)]
enum Value<'a> {
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
enum Gelu {
    Scaled,
    Erf,
    Above,
    Share,
    Doubled,
}

impl<'a> Trace<'a> {
    /// The start of a graph: its constants and its one input.
    ///
    /// - `size`: the bytes of the file
    pub(super) fn new(graph: &'a GraphProto, size: usize) -> Result<Self> {
        let mut values = HashMap::new();
        for constant in &graph.initializer {
            values.insert(constant.name.as_str(), Value::Stored(constant));
        }
        let inputs: Vec<&str> = graph
            .input
            .iter()
            .map(|input| input.name.as_str())
            .filter(|name| !values.contains_key(name))
            .collect();
        let [input] = inputs.as_slice() else {
            return Err(Error::data(format!(
                "it has {} inputs, but only files with one input of numbers are read; of a table with words, give the model's own file",
                inputs.len()
            )));
        };
        values.insert(*input, Value::Samples(0));
        Ok(Self {
            values,
            steps: Vec::new(),
            taken: 0,
            answers: Answers::default(),
            decoder: Decoder::new(size),
        })
    }

    /// The steps from the input to the scores, and what becomes of them.
    pub(super) fn finish(self) -> (Vec<Step>, Answers) {
        (self.steps.into_iter().map(|(_, step)| step).collect(), self.answers)
    }

    /// Follows the next node.
    pub(super) fn node(&mut self, node: &'a NodeProto) -> Result<()> {
        let value = self.value(node)?;
        let mut outputs = node.output.iter();
        if let Some(first) = outputs.next() {
            self.values.insert(first, value);
        }
        for other in outputs {
            self.values.insert(other, Value::Noise);
        }
        Ok(())
    }

    /// The first result of a node.
    fn value(&mut self, node: &'a NodeProto) -> Result<Value<'a>> {
        let unknown = || unknown(node);
        let mut inputs = Vec::with_capacity(node.input.len());
        for name in &node.input {
            inputs.push(match self.values.get(name.as_str()) {
                Some(value) => Some(value.clone()),
                None if name.is_empty() => None,
                None => {
                    return Err(Error::data(format!(
                        "{} takes {name:.60}, which nothing before it gives",
                        place(node)
                    )));
                }
            });
        }
        let first = inputs.first().cloned().flatten();
        match (node.domain.as_str(), node.op_type.as_str(), &first) {
            ("" | "ai.onnx", "Constant", None) => constant(node),
            ("" | "ai.onnx", _, Some(Value::Stored(_) | Value::Numbers(_))) if all_constant(&inputs) => {
                of_constants(node, inputs, &self.decoder)
            }
            ("" | "ai.onnx", "Gather", Some(labels @ Value::Stored(_)))
            | (ML, "ArrayFeatureExtractor", Some(labels @ Value::Stored(_))) => {
                let answer = matches!(inputs.get(1), Some(Some(Value::Answer)));
                let Value::Stored(labels) = labels else { return Err(unknown()) };
                ensure!(answer, unknown());
                self.answers.names = words(labels);
                Ok(Value::Answer)
            }
            (ML, "ZipMap", Some(Value::Answer | Value::Samples(_))) => {
                self.answers.classes = true;
                self.answers.names = labels(node).or(self.answers.names.take());
                Ok(Value::Answer)
            }
            (_, operator, Some(Value::Answer)) if of_answers(operator) => Ok(Value::Answer),
            (ML, "Scaler", Some(Value::Samples(at))) => self.scaler(node, *at),
            ("" | "ai.onnx", _, Some(_)) => self.operator(node, inputs),
            _ => Err(unknown()),
        }
    }

    /// A node of ONNX's own operators that takes samples.
    fn operator(&mut self, node: &NodeProto, inputs: Vec<Option<Value<'a>>>) -> Result<Value<'a>> {
        use Value::{Answer, Gelu as Part, Noise, Samples};
        let operator = node.op_type.as_str();
        let mut inputs = inputs.into_iter();
        let mut next = || inputs.next().flatten();
        let (first, second, third) = (next(), next(), next());
        let (fourth, fifth) = (next(), next());
        let is = |value: &Option<Value<'_>>, wanted: f64| {
            scalar(value.as_ref()).is_some_and(|number| (number - wanted).abs() <= NEAR * wanted.abs())
        };
        let root = std::f64::consts::SQRT_2;
        match (operator, first, second) {
            ("Identity" | "Cast" | "Flatten" | "Reshape" | "Dropout", Some(Samples(at)), _)
            | ("Where", Some(Noise), Some(Samples(at)))
            | ("Mul", Some(Samples(at)), Some(Noise)) => Ok(Samples(at)),
            ("RandomNormalLike", Some(Samples(_)), None) => Ok(Noise),
            ("Gemm", Some(Samples(at)), weights) => {
                let what = gemm(node, weights.as_ref(), third.as_ref(), &self.decoder)?;
                self.step(node, at, what)
            }
            ("MatMul", Some(Samples(at)), weights) => {
                let w =
                    numbers(node, weights.as_ref(), &self.decoder)?.matrix().ok_or_else(|| unknown(node))?;
                self.step(node, at, What::Affine(w, None))
            }
            ("BatchNormalization", Some(Samples(at)), gamma) => {
                let own = batch_norm(
                    node,
                    [gamma.as_ref(), third.as_ref(), fourth.as_ref(), fifth.as_ref()],
                    &self.decoder,
                )?;
                self.step(node, at, What::Norm(own))
            }
            ("LayerNormalization", Some(Samples(at)), gamma) => {
                let own = layer_norm(node, gamma.as_ref(), third.as_ref(), &self.decoder)?;
                self.step(node, at, What::Norm(own))
            }
            // GELU, as its formula.
            ("Mul", Some(Samples(at)), factor) if is(&factor, root.recip()) => Ok(Part(at, Gelu::Scaled)),
            ("Div", Some(Samples(at)), factor) if is(&factor, root) => Ok(Part(at, Gelu::Scaled)),
            ("Erf", Some(Part(at, Gelu::Scaled)), None) => Ok(Part(at, Gelu::Erf)),
            ("Add", Some(Part(at, Gelu::Erf)), one) if is(&one, 1.0) => Ok(Part(at, Gelu::Above)),
            ("Add", one, Some(Part(at, Gelu::Erf))) if is(&one, 1.0) => Ok(Part(at, Gelu::Above)),
            ("Mul", Some(Part(at, Gelu::Above)), half) if is(&half, 0.5) => Ok(Part(at, Gelu::Share)),
            ("Mul", Some(Samples(at)), Some(Part(of, Gelu::Above))) if at == of => {
                Ok(Part(at, Gelu::Doubled))
            }
            ("Mul", Some(Samples(at)), Some(Part(of, Gelu::Share))) if at == of => {
                self.step(node, at, What::Activation(Activation::Gelu))
            }
            ("Mul", Some(Part(at, Gelu::Doubled)), half) if is(&half, 0.5) => {
                self.step(node, at, What::Activation(Activation::Gelu))
            }
            // A function of the samples, times the samples: SiLU and Mish.
            ("Mul", Some(Samples(one)), Some(Samples(other))) => self.product(node, one, other),
            ("Add", Some(Samples(at)), more) | ("Add", more, Some(Samples(at))) => {
                let more = vector(node, more.as_ref(), &self.decoder)?;
                self.step(node, at, What::Plus(more))
            }
            ("Sub", one, Some(Samples(at))) if is(&one, 1.0) && self.ends_in(at, Activation::Logistic) => {
                Ok(Answer)
            }
            ("Sub", Some(Samples(at)), less) => {
                let less = vector(node, less.as_ref(), &self.decoder)?;
                self.step(node, at, What::Plus(-less))
            }
            ("Mul", Some(Samples(at)), factor) | ("Mul", factor, Some(Samples(at))) => {
                let factor = vector(node, factor.as_ref(), &self.decoder)?;
                self.step(node, at, What::Times(factor))
            }
            ("Div", Some(Samples(at)), divisor) => {
                let divisor = vector(node, divisor.as_ref(), &self.decoder)?;
                self.step(node, at, What::Over(divisor))
            }
            ("Softmax" | "LogSoftmax" | "ArgMax", Some(Samples(_)), _) => {
                self.answers.classes = true;
                Ok(Answer)
            }
            ("Greater" | "GreaterOrEqual" | "Concat", Some(Samples(at)), _)
                if self.ends_in(at, Activation::Logistic) =>
            {
                Ok(Answer)
            }
            (_, Some(Samples(at)), None) => {
                let own = activation(node)?.ok_or_else(|| unknown(node))?;
                self.step(node, at, What::Activation(own))
            }
            _ => Err(unknown(node)),
        }
    }

    /// Adds a step to the last one.
    fn step(&mut self, node: &NodeProto, at: usize, what: What) -> Result<Value<'a>> {
        ensure!(
            at == self.end(),
            Error::data(format!(
                "{} takes numbers from which others went on before it; only one chain of layers is read",
                place(node)
            ))
        );
        self.taken += 1;
        let name = if node.name.is_empty() { node.output.first() } else { Some(&node.name) };
        let node = name.map(|name| name.chars().take(60).collect()).unwrap_or_default();
        self.steps.push((self.taken, Step { node, what }));
        Ok(Value::Samples(self.taken))
    }

    /// The number of the last step.
    fn end(&self) -> usize {
        self.steps.last().map_or(0, |(number, _)| *number)
    }

    /// Whether the last step is this function.
    fn ends_in(&self, at: usize, activation: Activation) -> bool {
        at == self.end() && is_activation(self.steps.last(), activation)
    }

    /// Samples times a function of them: the last step is the function, or the last two are.
    fn product(&mut self, node: &NodeProto, one: usize, other: usize) -> Result<Value<'a>> {
        let (before, after) = (one.min(other), one.max(other));
        let back = |count: usize| self.steps.len().checked_sub(count);
        let number = |place: Option<usize>| match place {
            Some(0) => Some(0),
            Some(place) => self.steps.get(place - 1).map(|(number, _)| *number),
            None => None,
        };
        let from = |count: usize| after == self.end() && number(back(count)) == Some(before);
        let step = |count: usize| back(count).and_then(|place| self.steps.get(place));
        let (count, activation) = if from(1) && is_activation(step(1), Activation::Logistic) {
            (1, Activation::Silu)
        } else if from(2)
            && is_activation(step(1), Activation::Tanh)
            && is_activation(step(2), Activation::Softplus)
        {
            (2, Activation::Mish)
        } else {
            return Err(unknown(node));
        };
        self.steps.truncate(self.steps.len().saturating_sub(count));
        self.step(node, before, What::Activation(activation))
    }

    /// `(x - offset) * scale`.
    fn scaler(&mut self, node: &NodeProto, at: usize) -> Result<Value<'a>> {
        let numbers = |name| {
            let own = attribute(node, name).map(|own| own.floats.as_slice()).unwrap_or_default();
            Array1::from_iter(own.iter().map(|&number| f64::from(number)))
        };
        let (offset, scale) = (numbers("offset"), numbers("scale"));
        let mut at = Value::Samples(at);
        for (numbers, what) in [(-offset, What::Plus as fn(_) -> _), (scale, What::Times)] {
            if let Value::Samples(place) = at
                && !numbers.is_empty()
            {
                at = self.step(node, place, what(numbers))?;
            }
        }
        Ok(at)
    }
}

fn is_activation(step: Option<&(usize, Step)>, wanted: Activation) -> bool {
    matches!(step, Some((_, Step { what: What::Activation(own), .. })) if *own == wanted)
}

/// "its node "relu1" (Relu)".
fn place(node: &NodeProto) -> String {
    let name = if node.name.is_empty() { node.output.first() } else { Some(&node.name) };
    let name: String = name.map(|name| name.chars().take(60).collect()).unwrap_or_default();
    format!("its node {name:?} ({:.60})", node.op_type)
}

fn unknown(node: &NodeProto) -> Error {
    Error::data(format!(
        "{} is no part of a network that is read here; read are chains of Gemm, or MatMul and Add, with activations, \
         normalisations, and a scaling before the first layer",
        place(node)
    ))
}

/// Operators that may make labels and probabilities of the scores.
fn of_answers(operator: &str) -> bool {
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

fn all_constant(inputs: &[Option<Value<'_>>]) -> bool {
    inputs.iter().flatten().all(|value| matches!(value, Value::Stored(_) | Value::Numbers(_)))
}

fn attribute<'n>(node: &'n NodeProto, name: &str) -> Option<&'n AttributeProto> {
    node.attribute.iter().find(|own| own.name == name)
}

fn float(node: &NodeProto, name: &str, default: f64) -> f64 {
    attribute(node, name).and_then(|own| own.f).map_or(default, f64::from)
}

fn int(node: &NodeProto, name: &str, default: i64) -> i64 {
    attribute(node, name).and_then(|own| own.i).unwrap_or(default)
}

/// The labels that a node gives to probabilities.
fn labels(node: &NodeProto) -> Option<Vec<String>> {
    let numbers = attribute(node, "classlabels_int64s");
    let numbers = numbers.map(|own| own.ints.iter().map(ToString::to_string).collect());
    let words = attribute(node, "classlabels_strings");
    let words =
        words.map(|own| own.strings.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect());
    numbers.or(words)
}

/// The value of a node that is a constant.
fn constant(node: &NodeProto) -> Result<Value<'_>> {
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
fn of_constants<'a>(
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
        _ => Err(unknown(node)),
    }
}

/// The numbers of a constant.
fn numbers(node: &NodeProto, value: Option<&Value<'_>>, decoder: &Decoder) -> Result<Rc<Tensor>> {
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
fn scalar(value: Option<&Value<'_>>) -> Option<f64> {
    match value {
        Some(Value::Stored(own)) if own.dims.iter().all(|&size| size == 1) => Tensor::of(own).ok()?.one(),
        Some(Value::Numbers(own)) => own.one(),
        _ => None,
    }
}

fn vector(node: &NodeProto, value: Option<&Value<'_>>, decoder: &Decoder) -> Result<Array1<f64>> {
    numbers(node, value, decoder)?.vector().ok_or_else(|| wrong_shape(node))
}

fn wrong_shape(node: &NodeProto) -> Error {
    Error::data(format!("{} has a constant of a shape that does not fit", place(node)))
}

fn gemm(
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

fn batch_norm(node: &NodeProto, inputs: [Option<&Value<'_>>; 4], decoder: &Decoder) -> Result<Norm> {
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

fn layer_norm(
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
fn activation(node: &NodeProto) -> Result<Option<Activation>> {
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
