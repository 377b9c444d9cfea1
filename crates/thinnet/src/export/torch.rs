//! A model as a network of PyTorch: arrays with its names, and a script that builds it.

use std::borrow::Cow;
use std::fmt::Write;

use ndarray::{Array1, ArrayView1};
use serde_json::json;

use super::weights::{Weights, halves, no_bytes};
use crate::data::Scale;
use crate::error::Result;
use crate::float::{Dtype, Float};
use crate::layers::{Activation, Dropout, DropoutKind, Loss, Normalisation, SMALLEST_VARIANCE};
use crate::model::Model;
use crate::training::Tensors;

/// The two files of a model for PyTorch. They stand side by side, with names that differ only in their ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Torch {
    /// The arrays, in the safetensors format, with the names of an `nn.Sequential`: `0.weight`, `0.bias`, ...
    pub arrays: Vec<u8>,
    /// A script in Python that builds the network, loads the arrays and has a function `predict`.
    pub script: String,
}

/// A model as a network of PyTorch, whose number type is the model's own. PyTorch has no module for other kinds of dropout
/// than [`DropoutKind::Bernoulli`]: they are left out.
///
/// Of a table with words or gaps, `predict` takes the numbers that its columns become; the list `inputs` names them.
///
/// # Errors
/// [`Error::Configuration`](crate::Error::Configuration) for an ensemble; [`Error::Data`](crate::Error::Data) for arrays that the
/// format cannot hold.
pub fn torch<F: Float>(model: &Model<F>) -> Result<Torch> {
    torch_with(model, Weights::Full)
}

/// The same with weights of 16 bits if `weights` says so, which PyTorch makes numbers of the network's type.
///
/// # Errors
/// As [`torch`]; [`Error::Configuration`](crate::Error::Configuration) for [`Weights::Int8`], which a network of PyTorch does not take.
pub fn torch_with<F: Float>(model: &Model<F>, weights: Weights) -> Result<Torch> {
    no_bytes(weights)?;
    model.trained().check_single("a file for PyTorch")?;
    let own = model.preprocessing();
    let net = model.calibrated_nets().next().unwrap_or(Cow::Borrowed(model.net()));
    let config = net.config();
    let mut tensors = Tensors::default();
    let mut modules = Vec::new();
    let bernoulli = |dropout: &Dropout| dropout.keep_prob() < 1.0;
    if let Some(dropout) = config.input_dropout.filter(bernoulli) {
        modules.push(dropped(dropout));
    }
    for (index, layer) in net.parameters.layers.iter().enumerate() {
        let (inputs, outputs) = layer.w.dim();
        let name = format!("{}.weight", modules.len());
        if weights == Weights::Float16 {
            tensors.add_halves(name, halves(&layer.w.t().mapv(F::as_f64))?.view().into_dyn());
        } else {
            tensors.add(name, layer.w.t().into_dyn());
        }
        tensors.add(format!("{}.bias", modules.len()), layer.b.view().into_dyn());
        modules.push(format!("nn.Linear({inputs}, {outputs})"));
        if index == config.hidden.len() {
            break;
        }
        if let Some((gamma, beta)) = &layer.gamma_beta {
            tensors.add(format!("{}.weight", modules.len()), gamma.view().into_dyn());
            tensors.add(format!("{}.bias", modules.len()), beta.view().into_dyn());
            if let Some(running) = net.running().get(index) {
                tensors.add(format!("{}.running_mean", modules.len()), running.mean.view().into_dyn());
                tensors.add(format!("{}.running_var", modules.len()), running.variance.view().into_dyn());
            }
            let name = if config.normalisation == Normalisation::Layer { "LayerNorm" } else { "BatchNorm1d" };
            modules.push(format!("nn.{name}({outputs})"));
        }
        modules.push(activation(config.activation).to_owned());
        let dropout = config.dropout.layer(index).filter(bernoulli);
        if config.dropout_kind == DropoutKind::Bernoulli {
            modules.extend(dropout.map(dropped));
        }
    }
    add_scale(&mut tensors, "input", &own.scale);
    if let Some(targets) = &own.targets {
        add_scale(&mut tensors, "target", targets);
    }
    Ok(Torch { arrays: tensors.to_bytes("for PyTorch".to_owned())?, script: script(model, &modules) })
}

fn add_scale(tensors: &mut Tensors, what: &str, Scale { mean, deviation }: &Scale) {
    let deviation =
        deviation.as_ref().map_or_else(|| Array1::ones(mean.len()), |own| Array1::from(own.clone()));
    tensors.add(format!("{what}_mean"), ArrayView1::from(mean).into_dyn());
    tensors.add(format!("{what}_deviation"), deviation.view().into_dyn());
}

fn dropped(dropout: Dropout) -> String {
    const DIGITS: f64 = 1e12; // 1 - 0.7 is 0.30000000000000004
    format!("nn.Dropout({})", ((1.0 - dropout.keep_prob()) * DIGITS).round() / DIGITS)
}

fn activation(activation: Activation) -> &'static str {
    match activation {
        Activation::Identity => "nn.Identity()",
        Activation::Logistic => "nn.Sigmoid()",
        Activation::Tanh => "nn.Tanh()",
        Activation::Relu => "nn.ReLU()",
        Activation::LeakyRelu => "nn.LeakyReLU(0.01)",
        Activation::Elu => "nn.ELU()",
        Activation::Selu => "nn.SELU()",
        Activation::Gelu => "nn.GELU()",
        Activation::Silu => "nn.SiLU()",
        Activation::Mish => "nn.Mish()",
        Activation::Softplus => "nn.Softplus()",
    }
}

/// The script. Names are written as JSON, whose strings and lists are Python's.
fn script<F: Float>(model: &Model<F>, modules: &[String]) -> String {
    let own = model.preprocessing();
    let dtype = match F::DTYPE {
        Dtype::F32 => "torch.float32",
        Dtype::F64 => "torch.float64",
    };
    let objective = model.objective();
    let mut text =
        "\"\"\"A network of thinnet in PyTorch; its arrays are beside this file.\"\"\"\n\n".to_owned();
    text += "from pathlib import Path\n\nimport torch\nfrom safetensors.torch import load_file\nfrom torch import nn\n\n";
    text += "arrays = load_file(Path(__file__).with_suffix(\".safetensors\"))\n";
    text += "scale = {name: arrays.pop(name) for name in list(arrays) if name.startswith((\"input_\", \"target_\"))}\n";
    let _ = writeln!(text, "network = nn.Sequential({}).to({dtype})", modules.join(", "));
    text += "network.load_state_dict(arrays)\nnetwork.eval()  # without dropout\n";
    if let Some(columns) = &own.columns {
        let _ = writeln!(text, "inputs = {}", json!(columns.numbers()));
    }
    let _ = writeln!(text, "outputs = {}\n\n", json!(own.names));
    text += "def predict(x):\n";
    let what = match objective.loss {
        Loss::Softmax => "The probability of each class",
        Loss::GaussianNll => "The mean of each number, and the standard deviation of its noise,",
        Loss::Quantile => "The quantiles of each number",
        _ => "The numbers",
    };
    let _ = writeln!(text, "    \"\"\"{what} of raw samples (N, D).\"\"\"");
    let _ = writeln!(
        text,
        "    x = (x.flatten(1).double() - scale[\"input_mean\"]) / scale[\"input_deviation\"]\n    out = network(x.to({dtype}))"
    );
    let (shift, factor) = ("scale[\"target_mean\"]", "scale[\"target_deviation\"]");
    let _ = match objective.loss {
        Loss::Softmax => writeln!(text, "    return out.softmax(1)"),
        Loss::GaussianNll => writeln!(
            text,
            "    variance = nn.functional.softplus(out[:, 1::2].double()) + {SMALLEST_VARIANCE}\n    return out[:, \
             ::2].double() * {factor} + {shift}, variance.sqrt() * {factor}"
        ),
        Loss::Quantile => writeln!(
            text,
            "    out = out.double().unflatten(1, (-1, {})).sort(-1).values\n    return out * {factor}[:, None] + {shift}[:, \
             None]",
            objective.quantiles.len()
        ),
        Loss::Poisson => writeln!(text, "    return out.double().exp() * {factor} + {shift}"),
        _ => writeln!(text, "    return out.double() * {factor} + {shift}"),
    };
    text
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, Axis, Ix1, Ix2};

    use super::*;
    use crate::data::Rows;
    use crate::training::{Read, TrainingConfig};

    fn trained(settings: &[&str], numbers: bool) -> Model<f32> {
        let mut config = TrainingConfig::default();
        for setting in ["model.hidden=[5]", "train.epochs=1"].iter().chain(settings) {
            config.set(&setting.parse().unwrap()).unwrap();
        }
        let x = Array2::from_shape_fn((60, 4), |(row, column)| ((row * 7 + column * 3) % 11) as f32);
        let rows = if numbers {
            Rows::with_numbers(x.clone(), x.select(Axis(1), &[0])).unwrap()
        } else {
            Rows::with_classes(x, (0..60).map(|row| row % 3).collect(), 3).unwrap()
        };
        Model::fit(&rows, &config).unwrap()
    }

    #[test]
    fn arrays_have_the_names_of_the_modules() {
        let model = trained(&["model.normalisation=batch", "model.keep=0.7", "model.input_keep=0.9"], false);
        let Torch { arrays, script } = torch(&model).unwrap();
        let modules = "nn.Sequential(nn.Dropout(0.1), nn.Linear(4, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Dropout(0.3), \
                       nn.Linear(5, 3)).to(torch.float32)";
        assert!(script.contains(modules), "{script}");
        assert!(
            script.contains("outputs = [\"0\",\"1\",\"2\"]") && script.contains("softmax(1)"),
            "{script}"
        );
        let read = Read::new(&arrays).unwrap();
        let layers = &model.net().parameters.layers;
        let w = read.array::<f32>("1.weight").unwrap().into_dimensionality::<Ix2>().unwrap();
        assert_eq!(w, layers[0].w.t());
        let vector = |name: &str| read.array::<f32>(name).unwrap().into_dimensionality::<Ix1>().unwrap();
        let (gamma, beta) = layers[0].gamma_beta.as_ref().unwrap();
        assert_eq!((vector("1.bias"), vector("2.weight")), (layers[0].b.clone(), gamma.clone()));
        assert_eq!((vector("2.bias"), vector("5.bias")), (beta.clone(), layers[1].b.clone()));
        let running = &model.net().running()[0];
        assert_eq!(vector("2.running_mean"), running.mean);
        assert_eq!(vector("2.running_var"), running.variance);
        let mean = read.array::<f64>("input_mean").unwrap();
        assert_eq!(mean.iter().copied().collect::<Vec<_>>(), model.preprocessing().scale.mean);
    }

    #[test]
    fn a_regression_gives_numbers_and_other_dropout_is_left_out() {
        let model = trained(&["model.dropout=gaussian", "model.keep=0.5", "model.normalisation=layer"], true);
        let Torch { arrays, script } = torch(&model).unwrap();
        assert!(
            script.contains("nn.Sequential(nn.Linear(4, 5), nn.LayerNorm(5), nn.ReLU(), nn.Linear(5, 1))")
        );
        assert!(script.contains("target_deviation") && !script.contains("softmax"));
        assert!(Read::new(&arrays).unwrap().has("target_mean"));
    }
}
