//! ONNX files: the whole model as a graph of operators, from raw samples to labels or numbers.
//!
//! The operators are those of opset 17, and of `ai.onnx.ml` 3 for words and maps; the IR version is 8. All computation is
//! in 32-bit floats, which every runtime has; only a table's numbers are read and scaled in 64-bit floats, as here.

mod answers;
mod graph;
mod inputs;
mod layers;
pub(crate) mod messages;
mod table;
#[cfg(test)]
mod tests;
mod together;

pub use answers::Labels;

use prost::Message;

use self::answers::Answers;
use self::graph::{Graph, ML};
use self::messages::{GraphProto, ModelProto, OperatorSetIdProto, StringStringEntryProto};
use super::weights::Weights;
use crate::error::{Error, Result, ensure};
use crate::float::Float;
use crate::model::Model;
use crate::net::FullyConnectedNet;
use crate::text::joined;
use crate::training::{Score, Task};

/// The version of the file format.
const IR_VERSION: i64 = 8;
/// The versions of the operators.
const OPSET: i64 = 17;
const ML_OPSET: i64 = 3;

/// How a model becomes an ONNX file.
///
/// A model takes raw samples. Without columns of words or gaps there is one input `X` of 32-bit floats: (N, D), or
/// (N, channels, height, width) for images. Otherwise there is an input (N, 1) for each column, with its name: 64-bit
/// floats for numbers and dates, words for others.
///
/// A classification has the outputs `label` (N) and `probabilities` (N, C), a regression `variable` (N, K) in the units
/// of the data.
///
/// ```
/// use thinnet::export::{Labels, Onnx};
/// use thinnet::net::{FullyConnectedNet, NetConfig};
/// use thinnet::random::RandomState;
/// # fn main() -> thinnet::Result<()> {
/// let config = NetConfig { input_dim: 4, hidden: vec![8], num_outputs: 2, ..NetConfig::default() };
/// let net = FullyConnectedNet::<f32>::new(config, &mut RandomState::new(231))?;
/// let labels = Labels::Words(vec!["no".to_owned(), "yes".to_owned()]);
/// let bytes = Onnx::default().network(&net, Some(&labels))?;
/// assert!(bytes.len() < 2000);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Onnx {
    /// Whether `probabilities` is a sequence with a map for each sample, from labels to probabilities (default no).
    pub zipmap: bool,
    /// Whether dropout stays, with masks that the runtime draws: each sample has masks of its own. Mean and deviation
    /// over many masks say how sure the model is (default no).
    pub dropout: bool,
    /// How the layers' weights are stored (default as 32-bit floats). They are floats of 32 bits when the file is run.
    pub weights: Weights,
}

impl Onnx {
    /// The file of a model with its preprocessing and its temperature. The same model always gives the same bytes.
    ///
    /// # Errors
    /// [`Error::Configuration`] for settings that do not suit the model; [`Error::Data`] for parameters that are not
    /// finite as 32-bit floats, and for more than 2 GiB.
    pub fn model<F: Float>(self, model: &Model<F>) -> Result<Vec<u8>> {
        let own = model.preprocessing();
        let mut graph = Graph::new();
        let x = inputs::raw(&mut graph, own);
        let labels =
            (model.config().model.task == Task::Classification).then(|| Labels::of_names(&own.names));
        let nets: Vec<_> = model.trained().nets().collect();
        let answers = Answers {
            labels: labels.as_ref(),
            targets: own.targets.as_ref(),
            temperature: model.trained().temperature,
            zipmap: self.zipmap,
        };
        self.rest(&mut graph, x, &nets, answers)?;
        file(graph, described(&nets), facts(model))
    }

    /// The file of a network without preprocessing, whose input is `X` (N, D).
    ///
    /// - `labels`: as of [`Onnx::networks`]
    ///
    /// # Errors
    /// As [`Onnx::model`].
    pub fn network<F: Float>(self, net: &FullyConnectedNet<F>, labels: Option<&Labels>) -> Result<Vec<u8>> {
        self.networks(&[net], labels)
    }

    /// The file of networks of the same kind that predict together ([`Objective::combine`](crate::layers::Objective::combine)), without preprocessing. Their
    /// input is `X` (N, D).
    ///
    /// - `labels`: the classes of a softmax, or one or two classes of a single logistic output; `None` for several
    ///   labels per sample, and for numbers
    ///
    /// With [`Loss::GaussianNll`](crate::layers::Loss::GaussianNll), `variable` (N, K) is the mean, and there is one
    /// more output, `std` (N, K). Several quantiles are (N, Q), or (N, K, Q) for several targets.
    ///
    /// # Errors
    /// As [`Onnx::model`].
    pub fn networks<F: Float>(
        self,
        nets: &[&FullyConnectedNet<F>],
        labels: Option<&Labels>,
    ) -> Result<Vec<u8>> {
        let mut graph = Graph::new();
        let x = inputs::plain(&mut graph, nets.first().map_or(0, |net| net.config().input_dim));
        let answers = Answers { labels, targets: None, temperature: None, zipmap: self.zipmap };
        self.rest(&mut graph, x, nets, answers)?;
        file(graph, described(nets), Vec::new())
    }

    /// Everything after the inputs.
    fn rest<F: Float>(
        self,
        graph: &mut Graph,
        x: String,
        nets: &[&FullyConnectedNet<F>],
        answers: Answers<'_>,
    ) -> Result<()> {
        let config = nets.first().map(|net| net.config());
        let config = config.ok_or_else(|| Error::configuration("there is no network to write"))?;
        let (count, objective) = (config.num_outputs, config.objective());
        ensure!(
            nets.iter().all(|net| {
                net.config().num_outputs == count
                    && net.config().input_dim == config.input_dim
                    && net.config().objective() == objective
            }),
            Error::configuration("networks that predict together need the same inputs, outputs and loss")
        );
        let scores = nets.iter().map(|net| layers::scores(graph, x.clone(), net, self.dropout, self.weights));
        let scores = scores.collect::<Result<Vec<_>>>()?;
        answers.add(graph, &scores, count, &objective)
    }
}

/// One sentence about networks: "A fully-connected network, 53-500-4, relu."
fn described<F: Float>(nets: &[&FullyConnectedNet<F>]) -> String {
    let what = match nets.len() {
        1 => "A fully-connected network".to_owned(),
        count => format!("An ensemble of {count} fully-connected networks"),
    };
    let sizes = nets.first().map(|net| {
        let config = net.config();
        format!(", {}, {}", joined(config.widths(), "-"), config.activation.name())
    });
    format!("{what}{}.", sizes.unwrap_or_default())
}

/// What a model knows of its training.
fn facts<F: Float>(model: &Model<F>) -> Vec<(&'static str, String)> {
    let trained = model.trained();
    let mut facts = vec![
        ("thinnet", model.version().to_owned()),
        ("trained_on", trained.config.data.path.clone()),
        ("epoch", trained.epoch.to_string()),
    ];
    let Score { loss, accuracy, r2, .. } = trained.val;
    facts.push(("validation_loss", loss.to_string()));
    facts.extend(accuracy.map(|accuracy| ("validation_accuracy", accuracy.to_string())));
    facts.extend(r2.map(|r2| ("validation_r2", r2.to_string())));
    facts.push(("outputs", joined(&model.preprocessing().names, ", ")));
    facts
}

fn file(graph: Graph, doc: String, facts: Vec<(&'static str, String)>) -> Result<Vec<u8>> {
    let own = |domain: &str, version| OperatorSetIdProto { domain: Some(domain.to_owned()), version };
    let mut opset_import = vec![own("", OPSET)];
    opset_import.extend(graph.has_ml().then(|| own(ML, ML_OPSET)));
    let graph: GraphProto = graph.finish(doc.clone());
    let model = ModelProto {
        ir_version: IR_VERSION,
        producer_name: "thinnet".to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        doc_string: doc,
        graph: Some(graph),
        opset_import,
        metadata_props: facts
            .into_iter()
            .map(|(key, value)| StringStringEntryProto { key: key.to_owned(), value })
            .collect(),
    };
    let size = model.encoded_len();
    ensure!(
        i32::try_from(size).is_ok(),
        Error::data(format!("the model takes {size} bytes as ONNX, but such a file holds at most 2 GiB"))
    );
    Ok(model.encode_to_vec())
}
