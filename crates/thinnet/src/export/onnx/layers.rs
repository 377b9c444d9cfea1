//! The layers of a network as nodes: from inputs (N, D) to scores (N, C).

use ndarray::{Array1, Array2};

use super::super::fold::fold;
use super::super::weights::{Bytes, Weights, bytes, halves};
use super::graph::Graph;
use super::messages::{AttributeProto, TensorProto};
use crate::error::{Error, Result, ensure};
use crate::float::Float;
use crate::layers::{
    Activation, Dropout, DropoutKind, GaussianFactor, LEAK, LayerNorm, Normalisation, RunningStatistics,
    SELU_BELOW, SELU_SCALE,
};
use crate::net::{FullyConnectedNet, LayerParameters};

/// Adds the layers of a network; returns its scores (N, C).
///
/// - `x`: its inputs (N, D)
/// - `dropout`: whether dropout stays, with masks that the runtime draws
/// - `weights`: how they are stored
///
/// # Errors
/// [`Error::Configuration`] if dropout is to stay but is not there, or has no form in ONNX; [`Error::Data`] for
/// parameters that are no finite 32-bit floats.
pub(super) fn scores<F: Float>(
    graph: &mut Graph,
    x: String,
    net: &FullyConnectedNet<F>,
    dropout: bool,
    weights: Weights,
) -> Result<String> {
    let config = net.config();
    if dropout {
        check_dropout(net)?;
    }
    let mut out = x;
    if let Some(input) = config.input_dropout.filter(|_| dropout) {
        out = drop(graph, &out, "input_dropout", input, DropoutKind::Bernoulli);
    }
    let hidden = config.hidden.len();
    for (index, layer) in net.parameters.layers.iter().enumerate() {
        let number = index + 1;
        let running = net.running().get(index);
        out = affine(graph, &out, number, (layer, running), weights)?;
        if index == hidden {
            break;
        }
        if let (Normalisation::Layer, Some((gamma, beta))) = (config.normalisation, &layer.gamma_beta) {
            let gamma = vector(graph, &format!("gamma{number}"), gamma);
            let beta = vector(graph, &format!("beta{number}"), beta);
            #[allow(clippy::cast_possible_truncation, reason = "the attribute is a 32-bit float")]
            let epsilon = AttributeProto::float("epsilon", LayerNorm::default().epsilon as f32);
            out = graph.node(
                "LayerNormalization",
                &format!("norm{number}"),
                &[&out, &gamma, &beta],
                vec![epsilon],
            );
        }
        out = activation(graph, &out, config.activation, number);
        if let Some(own) = config.dropout.layer(index).filter(|_| dropout) {
            out = drop(graph, &out, &format!("dropout{number}"), own, config.dropout_kind);
        }
    }
    Ok(out)
}

/// Refuses dropout that cannot stay.
fn check_dropout<F: Float>(net: &FullyConnectedNet<F>) -> Result<()> {
    let config = net.config();
    let drops = |dropout: Dropout| dropout.keep_prob() < 1.0;
    let hidden = (0..config.hidden.len()).filter_map(|index| config.dropout.layer(index)).any(drops);
    if hidden && config.dropout_kind == DropoutKind::DropConnect {
        return Err(Error::configuration(
            "dropout of kind drop_connect cannot stay in ONNX, which draws no weights for each sample; export the \
             model without dropout",
        ));
    }
    ensure!(
        hidden || config.input_dropout.is_some_and(drops),
        Error::configuration("the model has no dropout that could stay; export it without")
    );
    Ok(())
}

/// `x W + b`; batch normalisation in test mode is affine too, and becomes part of both.
fn affine<F: Float>(
    graph: &mut Graph,
    x: &str,
    number: usize,
    (layer, running): (&LayerParameters<F>, Option<&RunningStatistics<F>>),
    weights: Weights,
) -> Result<String> {
    let (mut w, mut b) = (layer.w.mapv(F::as_f64), layer.b.mapv(F::as_f64));
    let folded = match (running, &layer.gamma_beta) {
        (Some(running), Some((gamma, beta))) => {
            fold(&mut w, &mut b, running, gamma, beta);
            "With the batch normalisation of the layer."
        }
        _ => "",
    };
    let fits = |number: &f64| number.abs() <= f64::from(f32::MAX);
    ensure!(
        w.iter().all(fits) && b.iter().all(fits),
        Error::data(format!("layer {number} has parameters that are not finite as 32-bit floats"))
    );
    let outputs = b.len();
    let w = stored(graph, &format!("W{number}"), w, weights, folded)?;
    let b = graph.floats(&format!("b{number}"), &[outputs], b);
    graph.explain(folded);
    Ok(graph.node("Gemm", &format!("affine{number}"), &[x, &w, &b], Vec::new()))
}

/// The weights (inputs, outputs) of a layer as 32-bit floats, which a node makes of what is stored.
fn stored(graph: &mut Graph, name: &str, w: Array2<f64>, weights: Weights, doc: &str) -> Result<String> {
    let sizes = [w.nrows(), w.ncols()];
    Ok(match weights {
        Weights::Full => {
            let w = graph.floats(name, &sizes, w);
            graph.explain(doc);
            w
        }
        Weights::Float16 => {
            let stored = graph.halves(&format!("{name}_float16"), &sizes, halves(&w)?);
            graph.explain(doc);
            graph.cast(name, &stored, TensorProto::FLOAT)
        }
        Weights::Int8 => {
            let Bytes { w, scale } = bytes(&w);
            let stored = graph.bytes(&format!("{name}_int8"), &sizes, w);
            graph.explain(doc);
            let scale =
                graph.floats(&format!("{name}_scale"), &[scale.len()], scale.iter().copied().map(f64::from));
            // Not `DequantizeLinear`: after it, ONNX Runtime may multiply by whole numbers and round the inputs too.
            let whole = graph.cast(&format!("{name}_whole"), &stored, TensorProto::FLOAT);
            graph.node("Mul", name, &[&whole, &scale], Vec::new())
        }
    })
}

fn vector<F: Float>(graph: &mut Graph, name: &str, numbers: &Array1<F>) -> String {
    graph.floats(name, &[numbers.len()], numbers.iter().map(|number| number.as_f64()))
}

#[allow(clippy::cast_possible_truncation, reason = "attributes are 32-bit floats")]
fn activation(graph: &mut Graph, z: &str, activation: Activation, number: usize) -> String {
    let name = format!("{}{number}", activation.name());
    let alpha = |value: f64| AttributeProto::float("alpha", value as f32);
    let (operator, attributes) = match activation {
        Activation::Identity => return z.to_owned(),
        Activation::Logistic => ("Sigmoid", Vec::new()),
        Activation::Tanh => ("Tanh", Vec::new()),
        Activation::Relu => ("Relu", Vec::new()),
        Activation::LeakyRelu => ("LeakyRelu", vec![alpha(LEAK)]),
        Activation::Elu => ("Elu", vec![alpha(1.0)]),
        Activation::Selu => {
            let gamma = AttributeProto::float("gamma", SELU_SCALE as f32);
            ("Selu", vec![alpha(SELU_BELOW / SELU_SCALE), gamma])
        }
        Activation::Softplus => ("Softplus", Vec::new()),
        Activation::Gelu => {
            let root = graph.floats(&format!("root{number}"), &[], [std::f64::consts::FRAC_1_SQRT_2]);
            let (half, one) = (format!("half{number}"), format!("one{number}"));
            let (half, one) = (graph.floats(&half, &[], [0.5]), graph.floats(&one, &[], [1.0]));
            let scaled = graph.node("Mul", &format!("gelu{number}_scaled"), &[z, &root], Vec::new());
            let erf = graph.node("Erf", &format!("gelu{number}_erf"), &[&scaled], Vec::new());
            let above = graph.node("Add", &format!("gelu{number}_above"), &[&erf, &one], Vec::new());
            let share = graph.node("Mul", &format!("gelu{number}_share"), &[&above, &half], Vec::new());
            return graph.node("Mul", &name, &[z, &share], Vec::new());
        }
        Activation::Silu => {
            let share = graph.node("Sigmoid", &format!("silu{number}_share"), &[z], Vec::new());
            return graph.node("Mul", &name, &[z, &share], Vec::new());
        }
        Activation::Mish => {
            let softplus = graph.node("Softplus", &format!("mish{number}_softplus"), &[z], Vec::new());
            let share = graph.node("Tanh", &format!("mish{number}_share"), &[&softplus], Vec::new());
            return graph.node("Mul", &name, &[z, &share], Vec::new());
        }
    };
    graph.node(operator, &name, &[z], attributes)
}

/// Dropout whose masks the runtime draws.
fn drop(graph: &mut Graph, x: &str, name: &str, dropout: Dropout, kind: DropoutKind) -> String {
    let keep = dropout.keep_prob();
    if keep >= 1.0 {
        return x.to_owned();
    }
    if kind == DropoutKind::Gaussian {
        #[allow(clippy::cast_possible_truncation, reason = "the attribute is a 32-bit float")]
        let sigma = GaussianFactor::new(dropout).sigma() as f32;
        let attributes = vec![AttributeProto::float("mean", 1.0), AttributeProto::float("scale", sigma)];
        let noise = graph.node("RandomNormalLike", &format!("{name}_noise"), &[x], attributes);
        return graph.node("Mul", name, &[x, &noise], Vec::new());
    }
    let ratio = graph.floats(&format!("{name}_ratio"), &[], [1.0 - keep]);
    let training = graph.truth(&format!("{name}_training"));
    let (dropped, mask) = (format!("{name}_dropped"), format!("{name}_mask"));
    let [dropped, mask] =
        graph.node_of_two("Dropout", [&dropped, &mask], &[x, &ratio, &training], Vec::new());
    // This changes nothing, but ONNX Runtime removes dropout whose mask nobody reads, in training mode too.
    let zero = graph.floats(&format!("{name}_zero"), &[], [0.0]);
    graph.node("Where", name, &[&mask, &dropped, &zero], Vec::new())
}
