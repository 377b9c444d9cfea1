//! From the steps of a graph to the layers of a network.

use ndarray::{Array1, Array2, concatenate};

use super::super::imported::{Imported, Layer, Norm};
use crate::data::Scale;
use crate::error::{Error, Result, ensure};
use crate::layers::{Activation, BatchNorm, RunningStatistics};
use crate::training::Task;

/// A step from inputs to scores, with the name of its node.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) node: String,
    pub(super) what: What,
}

#[derive(Debug)]
pub(super) enum What {
    /// `x W`, or `x W + b`.
    Affine(Array2<f64>, Option<Array1<f64>>),
    /// Plus these numbers: one, or one for each column.
    Plus(Array1<f64>),
    /// Times these numbers.
    Times(Array1<f64>),
    /// Divided by these numbers.
    Over(Array1<f64>),
    Norm(Norm),
    Activation(Activation),
}

/// What the graph does with the scores.
#[derive(Debug, Default)]
pub(super) struct Answers {
    /// Whether the scores are those of classes.
    pub(super) classes: bool,
    /// The names of the classes.
    pub(super) names: Option<Vec<String>>,
}

/// The network of these steps.
///
/// # Errors
/// [`Error::Data`], which names the first node that no network here has.
pub(super) fn network(steps: Vec<Step>, answers: Answers) -> Result<Imported> {
    let affine = |step: &Step| matches!(step.what, What::Affine(..));
    let mut left = steps.iter().filter(|step| affine(step)).count();
    let mut steps = steps.into_iter().peekable();
    let inputs = {
        let mut leading = Vec::new();
        while let Some(step) = steps.next_if(|step| !affine(step)) {
            leading.push(step);
        }
        leading
    };
    let (mut layers, mut activations, mut targets, mut logistic) = (Vec::new(), Vec::new(), None, false);
    while let Some(Step { node, what: What::Affine(w, b) }) = steps.next() {
        left -= 1;
        let outputs = w.ncols();
        let mut layer = Layer { w, b: Array1::zeros(outputs), norm: None };
        let mut open = b.is_none();
        if let Some(b) = b {
            layer.b = widened(&b, outputs, &node)?;
        }
        let mut activation = None;
        while let Some(Step { node, what }) = steps.next_if(|step| !affine(step)) {
            match what {
                What::Plus(b) if open => layer.b = widened(&b, outputs, &node)?,
                What::Norm(own) if layer.norm.is_none() && activation.is_none() && left > 0 => {
                    layer.norm = Some(own);
                }
                What::Norm(own) if activation.is_none() && targets.is_none() && left == 0 => {
                    folded(&mut layer, &own, &node)?;
                }
                What::Activation(Activation::Identity) => {}
                What::Activation(own) if activation.is_none() && left > 0 => activation = Some(own),
                What::Activation(Activation::Logistic) if left == 0 && targets.is_none() => logistic = true,
                What::Activation(own) if left == 0 => {
                    return Err(Error::data(format!(
                        "its node {node:?} applies {} to the last layer, whose numbers are scores here",
                        own.name()
                    )));
                }
                What::Plus(_) | What::Times(_) | What::Over(_) if left == 0 && !logistic => {
                    let scale = targets.get_or_insert((Array1::ones(outputs), Array1::zeros(outputs)));
                    unscaled(scale, &what, &node)?;
                }
                _ => {
                    return Err(Error::data(format!(
                        "its node {node:?} does not fit its place: a layer is weights, biases, perhaps a normalisation, and an \
                         activation"
                    )));
                }
            }
            open = false;
        }
        if left > 0 {
            activations.push((node, activation.unwrap_or(Activation::Identity)));
        }
        layers.push(layer);
    }
    let mut classes = answers.classes;
    if let Some(last) = layers.last_mut().filter(|last| logistic && last.w.ncols() == 1) {
        // The probability of the second of two classes: the same as a softmax of 0 and the score.
        *last = of_two(last);
        classes = true;
    }
    if let (true, Some((factor, summand)), Some(last)) = (classes, &targets, layers.last_mut()) {
        // A temperature, as part of the scores that it divides.
        last.w *= factor;
        last.b = &last.b * factor + summand;
        targets = None;
    }
    let mut imported = Imported::of_layers(layers)?;
    imported.activation = one(&activations)?;
    imported.scale = scale(inputs, imported.inputs())?;
    imported.task = match (classes || answers.names.is_some(), targets.is_some()) {
        (true, _) => Some(Task::Classification),
        (false, true) => Some(Task::Regression),
        (false, false) => None,
    };
    imported.targets =
        targets.map(|(factor, mean)| Scale { mean: mean.to_vec(), deviation: Some(factor.to_vec()) });
    imported.names = answers.names;
    imported.check()?;
    Ok(imported)
}

/// The activation of all hidden layers; `None` without any.
fn one(activations: &[(String, Activation)]) -> Result<Option<Activation>> {
    let Some((_, first)) = activations.first() else { return Ok(None) };
    match activations.iter().find(|(_, activation)| activation != first) {
        None => Ok(Some(*first)),
        Some((node, other)) => Err(Error::data(format!(
            "the layer of its node {node:?} has the activation {}, but the first layer has {}; here all hidden layers have \
             the same",
            other.name(),
            first.name()
        ))),
    }
}

/// One number for each of `size` columns.
fn widened(numbers: &Array1<f64>, size: usize, node: &str) -> Result<Array1<f64>> {
    match numbers.broadcast(size) {
        Some(numbers) => Ok(numbers.to_owned()),
        None => Err(Error::data(format!(
            "its node {node:?} has {} numbers where there are {size} columns",
            numbers.len()
        ))),
    }
}

/// The scaling before the first layer.
fn scale(steps: Vec<Step>, inputs: usize) -> Result<Option<Scale>> {
    if steps.is_empty() {
        return Ok(None);
    }
    let (mut mean, mut deviation) = (Array1::<f64>::zeros(inputs), None::<Array1<f64>>);
    for Step { node, what } in steps {
        let ones = || Array1::ones(inputs);
        match what {
            What::Plus(numbers) => {
                let numbers = widened(&numbers, inputs, &node)?;
                mean = match &deviation {
                    Some(deviation) => mean - numbers * deviation,
                    None => mean - numbers,
                };
            }
            What::Times(numbers) => {
                deviation = Some(deviation.unwrap_or_else(ones) / widened(&numbers, inputs, &node)?);
            }
            What::Over(numbers) => {
                deviation = Some(deviation.unwrap_or_else(ones) * widened(&numbers, inputs, &node)?);
            }
            _ => {
                return Err(Error::data(format!(
                    "its node {node:?} stands before the first layer, where only a scaling may be"
                )));
            }
        }
    }
    Ok(Some(Scale { mean: mean.to_vec(), deviation: deviation.map(|own| own.to_vec()) }))
}

/// Adds a step to what follows the scores: a factor and a summand for each.
fn unscaled((factor, mean): &mut (Array1<f64>, Array1<f64>), what: &What, node: &str) -> Result<()> {
    let size = factor.len();
    match what {
        What::Plus(numbers) => *mean += &widened(numbers, size, node)?,
        What::Times(numbers) => {
            let numbers = widened(numbers, size, node)?;
            *factor *= &numbers;
            *mean *= &numbers;
        }
        What::Over(numbers) => {
            let numbers = widened(numbers, size, node)?;
            *factor /= &numbers;
            *mean /= &numbers;
        }
        _ => {}
    }
    Ok(())
}

/// Makes a batch normalisation in test mode part of a layer's weights and biases.
fn folded(layer: &mut Layer, norm: &Norm, node: &str) -> Result<()> {
    let Norm { gamma, beta, running: Some(RunningStatistics { mean, variance }) } = norm else {
        return Err(Error::data(format!(
            "its node {node:?} normalises the last layer, whose numbers are scores here"
        )));
    };
    let outputs = layer.w.ncols();
    for vector in [gamma, beta, mean, variance] {
        ensure!(
            vector.len() == outputs,
            Error::data(format!("its node {node:?} has {} numbers for {outputs} units", vector.len()))
        );
    }
    let epsilon = BatchNorm::default().epsilon;
    for (unit, mut column) in layer.w.columns_mut().into_iter().enumerate() {
        let factor = gamma[unit] / (variance[unit] + epsilon).sqrt();
        column.mapv_inplace(|w| w * factor);
        layer.b[unit] = (layer.b[unit] - mean[unit]) * factor + beta[unit];
    }
    Ok(())
}

/// A layer of two scores, 0 and the given one.
fn of_two(last: &Layer) -> Layer {
    let zeros = Array2::zeros((last.w.nrows(), 1));
    let w = concatenate(ndarray::Axis(1), &[zeros.view(), last.w.view()]);
    Layer {
        w: w.unwrap_or_else(|_| last.w.clone()), // both have the same rows
        b: Array1::from(vec![0.0, last.b.first().copied().unwrap_or_default()]),
        norm: None,
    }
}
