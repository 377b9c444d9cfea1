//! ONNX files of one chain of layers: those that [`export`](crate::export) writes, and plain ones of other programs.

mod bounds;
mod nodes;
mod steps;
mod tensors;
mod trace;

use prost::Message;

use self::trace::Trace;
use super::imported::Imported;
use crate::error::{Error, Result};
use crate::export::messages::ModelProto;

/// The newest version of the file format whose meaning is known here.
const NEWEST_IR: i64 = 14;
/// The newest versions of the operators.
const NEWEST_OPSET: i64 = 28;
const NEWEST_ML_OPSET: i64 = 6;

/// The network in a file's bytes.
///
/// # Errors
/// [`Error::Data`] for a damaged file, for versions that are newer than this one knows, and for a graph that is no chain of
/// layers; it names the operator and its node.
pub(super) fn read(bytes: &[u8]) -> Result<Imported> {
    bounds::check(bytes)?;
    let model = ModelProto::decode(bytes).map_err(|_| bounds::damaged())?;
    let Some(graph) = model.graph.filter(|graph| !graph.node.is_empty()) else {
        return Err(Error::data("it is no ONNX file with a graph, or it is cut short"));
    };
    let newer = |what: &str, version: i64, newest: i64| {
        Error::data(format!("it has {what} {version}, but this version reads those up to {newest}"))
    };
    if model.ir_version > NEWEST_IR {
        return Err(newer("the ONNX format (IR version)", model.ir_version, NEWEST_IR));
    }
    for own in &model.opset_import {
        let newest = match own.domain.as_deref().unwrap_or_default() {
            "" | "ai.onnx" => NEWEST_OPSET,
            "ai.onnx.ml" => NEWEST_ML_OPSET,
            _ => continue, // its operators are refused where they occur
        };
        if own.version > newest {
            return Err(newer("operators of ONNX (opset)", own.version, newest));
        }
    }
    let mut trace = Trace::new(&graph, bytes.len())?;
    for node in &graph.node {
        trace.node(node)?;
    }
    let (steps, answers) = trace.finish();
    steps::network(steps, answers)
}
