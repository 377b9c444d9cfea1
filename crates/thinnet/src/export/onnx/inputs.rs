//! The inputs of a model as nodes: from raw samples to the scaled inputs of the network (N, D).

use super::graph::Graph;
use super::messages::TensorProto;
use super::table;
use crate::data::Scale;
use crate::training::Preprocessing;

/// The name of the one input of a model without columns of words.
pub(super) const X: &str = "X";

/// What is left of a mean in 32-bit floats is subtracted too, if it is larger than this share of a deviation.
const REST: f64 = 1e-6;

/// Adds a model's inputs, in the units of the data; returns the network's.
pub(super) fn raw(graph: &mut Graph, own: &Preprocessing) -> String {
    match &own.columns {
        Some(columns) if !columns.encodings.is_empty() => {
            let encoded = table::encoded(graph, columns);
            in_doubles(graph, encoded, &own.scale)
        }
        columns => {
            let doc = match (own.shape.as_slice(), columns) {
                ([_, _, _], _) => {
                    "Images: channels, height, width; pixels in the units of the training data.".to_owned()
                }
                (_, Some(columns)) if columns.header => {
                    format!("The columns {}, in the units of the table.", columns.inputs.join(", "))
                }
                _ => "Samples in the units of the training data.".to_owned(),
            };
            let mut x = graph.input(X, TensorProto::FLOAT, &own.shape, &doc);
            if own.shape.len() != 1 {
                x = graph.node("Flatten", "flat", &[&x], Vec::new());
            }
            in_floats(graph, x, &own.scale)
        }
    }
}

/// Adds the input of a network without preprocessing.
pub(super) fn plain(graph: &mut Graph, inputs: usize) -> String {
    graph.input(X, TensorProto::FLOAT, &[inputs], "Samples as the network takes them.")
}

/// Scales (N, D) in 64-bit floats, then rounds, as the library does with tables.
fn in_doubles(graph: &mut Graph, mut x: String, Scale { mean, deviation }: &Scale) -> String {
    if mean.iter().any(|mean| *mean != 0.0) {
        let mean = graph.doubles("mean", &[mean.len()], mean.iter().copied());
        x = graph.node("Sub", "centred", &[&x, &mean], Vec::new());
    }
    if let Some(deviation) = deviation {
        let deviation = graph.doubles("deviation", &[deviation.len()], deviation.iter().copied());
        x = graph.node("Div", "divided", &[&x, &deviation], Vec::new());
    }
    graph.cast("scaled", &x, TensorProto::FLOAT)
}

/// Scales (N, D) in 32-bit floats, which every runtime has. A mean is subtracted as two numbers where one would be too
/// coarse: the first difference of numbers that are close is exact.
fn in_floats(graph: &mut Graph, mut x: String, Scale { mean, deviation }: &Scale) -> String {
    #[allow(clippy::cast_possible_truncation, reason = "the rest is what rounding loses")]
    let rest: Vec<f64> = mean.iter().map(|&mean| mean - f64::from(mean as f32)).collect();
    if mean.iter().any(|mean| *mean != 0.0) {
        let mean = graph.floats("mean", &[mean.len()], mean.iter().copied());
        x = graph.node("Sub", "centred", &[&x, &mean], Vec::new());
    }
    let width = |column: usize| deviation.as_ref().map_or(1.0, |deviation| deviation[column]);
    if rest.iter().enumerate().any(|(column, rest)| rest.abs() > REST * width(column)) {
        let rest = graph.floats("mean_rest", &[rest.len()], rest);
        graph.explain("What rounding to 32 bits takes from the mean.");
        x = graph.node("Sub", "centred_well", &[&x, &rest], Vec::new());
    }
    if let Some(deviation) = deviation {
        let deviation = graph.floats("deviation", &[deviation.len()], deviation.iter().copied());
        x = graph.node("Div", "scaled", &[&x, &deviation], Vec::new());
    }
    x
}
