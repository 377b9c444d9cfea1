//! Follows a graph node by node, from its input to its scores and what becomes of them.

use std::collections::HashMap;

use ndarray::Array1;

use super::nodes::{
    Gelu, NEAR, Value, activation, all_constant, attribute, batch_norm, constant, gemm, labels, layer_norm,
    numbers, of_answers, of_constants, place, scalar, unknown, vector,
};
use super::steps::{Answers, Step, What};
use super::tensors::{Decoder, words};
use crate::error::{Error, Result, ensure};
use crate::export::messages::{GraphProto, NodeProto};
use crate::layers::Activation;

/// The domain of the operators for classical models.
const ML: &str = "ai.onnx.ml";

/// A graph as far as it was followed.
pub(super) struct Trace<'a> {
    values: HashMap<&'a str, Value<'a>>,
    steps: Vec<(usize, Step)>,
    /// The number of steps that were ever taken; each has its own.
    taken: usize,
    answers: Answers,
    decoder: Decoder,
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
