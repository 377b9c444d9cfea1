//! `thinnet model info`: describes a model.

use std::fmt::Write;

use serde::Serialize;
use thinnet::model::Model;
use thinnet::text::joined;
use thinnet::training::{Conformal, Member, Preprocessing, Score, Task};
use thinnet::{Dtype, Float};

use super::AnyModel;
use crate::args::model::ModelInfoArguments;
use crate::failure::Failure;
use crate::figures::{figure, percent, plural, thousands};
use crate::output::{Output, Paint};

/// How many names are shown before "and ... more".
const NAMES: usize = 12;

/// The output of `--json`.
#[derive(Serialize)]
struct Info<'a> {
    /// The version of thinnet that made it.
    thinnet: &'a str,
    task: Task,
    dtype: Dtype,
    /// Inputs, hidden units and outputs, in order.
    layers: Vec<usize>,
    parameters: usize,
    activation: &'static str,
    normalisation: &'static str,
    loss: &'static str,
    data: &'a str,
    samples: Samples,
    epoch: usize,
    /// What each network of an ensemble reached by itself.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    members: &'a [Member],
    validation: Score,
    #[serde(skip_serializing_if = "Option::is_none")]
    test: Option<Score>,
    /// What its scores are divided by.
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    /// The validation samples behind sets and intervals.
    #[serde(skip_serializing_if = "Option::is_none")]
    conformal_samples: Option<usize>,
    preprocessing: &'a Preprocessing,
    /// All settings, as in the file config.toml.
    settings: String,
}

/// The number of samples for training, validation and test.
#[derive(Serialize)]
struct Samples {
    train: usize,
    val: usize,
    test: usize,
}

/// Shows the model.
pub(crate) fn run(arguments: &ModelInfoArguments, output: &Output) -> Result<(), Failure> {
    match AnyModel::load(&arguments.file)? {
        AnyModel::F32(model) => show(&model, arguments, output),
        AnyModel::F64(model) => show(&model, arguments, output),
    }
}

fn show<F: Float>(model: &Model<F>, arguments: &ModelInfoArguments, output: &Output) -> Result<(), Failure> {
    let trained = model.trained();
    let (net, config, [train, val, test]) = (trained.net.config(), &trained.config, trained.samples);
    let layers = net.widths();
    let info = Info {
        thinnet: model.version(),
        task: config.model.task,
        dtype: F::DTYPE,
        layers,
        parameters: trained
            .nets()
            .flat_map(|net| {
                net.parameters.named().into_iter().map(|(_, array)| array.len()).collect::<Vec<_>>()
            })
            .sum(),
        activation: net.activation.name(),
        normalisation: net.normalisation.name(),
        loss: net.loss.name(),
        data: &config.data.path,
        samples: Samples { train, val, test },
        epoch: trained.epoch,
        members: &trained.members,
        validation: trained.val,
        test: trained.test,
        temperature: trained.temperature,
        conformal_samples: trained.conformal.as_ref().map(Conformal::samples),
        preprocessing: model.preprocessing(),
        settings: config.to_toml()?,
    };
    if arguments.json {
        return output.pretty_json(&info);
    }
    let title = format!("{}: a model of thinnet {}", arguments.file.display(), info.thinnet);
    output.line(&output.paint(Paint::Strong, &title))?;
    let keep = |key: &str| config.get(key).map_or_else(String::new, |keep| keep.to_string());
    let dropout = format!(
        "keeps {} of the hidden units and {} of the inputs",
        keep("model.keep"),
        keep("model.input_keep")
    );
    let rows = rows(&info, &dropout);
    rows.iter().try_for_each(|(name, text)| output.line(&format!("{name:<15}{text}")))
}

/// The description for people: a name and a text per line.
fn rows(info: &Info<'_>, dropout: &str) -> Vec<(&'static str, String)> {
    let own = info.preprocessing;
    let sizes = |sizes: &[usize], between: &str| joined(sizes.iter().map(|&size| thousands(size)), between);
    let takes = match (&own.columns, own.shape.as_slice()) {
        (Some(columns), _) if columns.header => format!("the columns {}", names(&columns.inputs)),
        (_, [channels, height, width]) => {
            format!("images of {channels} x {height} x {width} (channels x height x width)")
        }
        (_, shape) => format!("{} numbers", sizes(shape, " x ")),
    };
    let gives = match (info.task, own.names.len()) {
        (Task::Classification, count) => format!("{} classes: {}", thousands(count), names(&own.names)),
        (Task::Regression, count) => format!("{}: {}", plural(count, "number"), names(&own.names)),
    };
    let Samples { train, val, test } = info.samples;
    let counts = match [train, val, test].map(thousands) {
        [train, val, _] if test == 0 => format!("{train} training and {val} validation samples"),
        [train, val, test] => format!("{train} training, {val} validation and {test} test samples"),
    };
    let mut rows = vec![
        ("takes", takes),
        ("gives", gives),
        ("layers", sizes(&info.layers, " - ")),
        ("parameters", format!("{}, {}", thousands(info.parameters), info.dtype)),
        ("activation", info.activation.to_owned()),
        ("normalisation", info.normalisation.to_owned()),
        ("dropout", dropout.to_owned()),
        ("trained on", format!("{}: {counts}", info.data)),
        if info.members.is_empty() {
            ("epoch", info.epoch.to_string())
        } else {
            let epochs = joined(info.members.iter().map(|member| member.epoch), ", ");
            ("ensemble", format!("{} networks, of the epochs {epochs}", info.members.len()))
        },
        ("validation", score(&info.validation)),
    ];
    rows.extend(info.test.as_ref().map(|test| ("test", score(test))));
    rows.extend(info.temperature.map(|temperature| {
        ("temperature", format!("{}: scores are divided by it before softmax", figure(temperature)))
    }));
    let coverage =
        |count| ("coverage", format!("sets and intervals by {}", plural(count, "validation sample")));
    rows.extend(info.conformal_samples.map(coverage));
    rows
}

fn names(names: &[String]) -> String {
    let shown = joined(names.iter().take(NAMES), ", ");
    match names.len().saturating_sub(NAMES) {
        0 => shown,
        more => format!("{shown} and {} more", thousands(more)),
    }
}

fn score(score: &Score) -> String {
    let mut text = format!("loss {}", figure(score.loss));
    let others = [
        ("accuracy", score.accuracy.map(percent)),
        ("top-5 accuracy", score.top5.map(percent)),
        ("R squared", score.r2.map(figure)),
    ];
    for (name, value) in others {
        if let Some(value) = value {
            let _ = write!(text, ", {name} {value}");
        }
    }
    text
}
