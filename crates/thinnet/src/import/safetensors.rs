//! Networks in the safetensors format: models of this library, and arrays with the names of an `nn.Sequential`.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use ndarray::{Array1, Array2};
use safetensors::tensor::TensorView;
use safetensors::{Dtype as Kind, SafeTensors};
use serde_json::Value;

use super::imported::{Imported, Layer, Norm};
use crate::data::Scale;
use crate::error::{Error, Result, ensure};
use crate::float::{Dtype, Float};
use crate::layers::RunningStatistics;
use crate::model::{Model, model_dtype};
use crate::net::{LayerParameters, Parameters};
use crate::text::first_of;
use crate::training::Read;

/// How many names of arrays a message shows.
const SHOWN: usize = 8;

/// The network in a file's bytes.
///
/// # Errors
/// [`Error::Data`] for a damaged file, for arrays that are no chain of layers, and for several networks in one file.
pub(super) fn read(bytes: &[u8]) -> Result<Imported> {
    let damaged = |error| Error::data(format!("it is not a safetensors file, or it is damaged: {error}"));
    let arrays = SafeTensors::deserialize(bytes).map_err(damaged)?;
    one_network(&arrays)?;
    if is_model(bytes) {
        return match model_dtype(bytes)? {
            Dtype::F32 => Model::<f32>::from_bytes(bytes).map(|model| of_model(&model))?,
            Dtype::F64 => Model::<f64>::from_bytes(bytes).map(|model| of_model(&model))?,
        };
    }
    sequential(&arrays)
}

/// Whether the metadata are those of a model of this library.
fn is_model(bytes: &[u8]) -> bool {
    let Ok(read) = Read::new(bytes) else { return false };
    serde_json::from_str::<Value>(&read.text).is_ok_and(|value| value.get("format").is_some())
}

/// Refuses a model of more than one network, whose arrays begin with `member2.` and so on.
fn one_network(arrays: &SafeTensors<'_>) -> Result<()> {
    let others = arrays.names().into_iter().filter_map(|name| name.strip_prefix("member")?.split_once('.'));
    let members = others.filter_map(|(number, _)| number.parse::<u32>().ok()).max();
    match members.filter(|members| *members > 1) {
        None => Ok(()),
        Some(members) => Err(Error::data(format!(
            "it holds {members} networks, but a run begins with one; give the file of a single network"
        ))),
    }
}

/// The network of a model, without its temperature.
fn of_model<F: Float>(model: &Model<F>) -> Result<Imported> {
    let (net, own) = (model.net(), model.preprocessing());
    let vector = |vector: &Array1<F>| vector.mapv(F::as_f64);
    let layer = |layer: &LayerParameters<F>| LayerParameters {
        w: layer.w.mapv(F::as_f64),
        b: vector(&layer.b),
        gamma_beta: layer.gamma_beta.as_ref().map(|(gamma, beta)| (vector(gamma), vector(beta))),
    };
    let running = net.running().iter().map(|running| RunningStatistics {
        mean: vector(&running.mean),
        variance: vector(&running.variance),
    });
    let imported = Imported {
        source: String::new(),
        parameters: Parameters { layers: net.parameters.layers.iter().map(layer).collect() },
        running: running.collect(),
        activation: Some(net.config().activation),
        normalisation: net.config().normalisation,
        scale: Some(own.scale.clone()),
        task: Some(model.config().model.task),
        loss: Some(model.config().loss()),
        targets: own.targets.clone(),
        names: Some(own.names.clone()),
        columns: own.columns.clone(),
    };
    imported.check()?;
    Ok(imported)
}

/// The arrays of one module: those whose names differ only after the last dot.
#[derive(Default)]
struct Module<'a> {
    weight: Option<TensorView<'a>>,
    bias: Option<TensorView<'a>>,
    mean: Option<TensorView<'a>>,
    variance: Option<TensorView<'a>>,
    /// Where its first array lies in the file.
    place: usize,
}

/// A network of linear layers, each perhaps with a normalisation, from arrays with the names of PyTorch.
fn sequential(arrays: &SafeTensors<'_>) -> Result<Imported> {
    let mut modules: BTreeMap<String, Module<'_>> = BTreeMap::new();
    let mut scales: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    let start = arrays.iter().map(|(_, array)| array.data().as_ptr() as usize).min().unwrap_or(0);
    for (name, array) in arrays.iter() {
        if ["input_mean", "input_deviation", "target_mean", "target_deviation"].contains(&name) {
            scales.insert(name.to_owned(), numbers(name, &array)?);
            continue;
        }
        let (module, part) = name.rsplit_once('.').unwrap_or(("", name));
        let place = (array.data().as_ptr() as usize).saturating_sub(start);
        let module = modules.entry(module.to_owned()).or_insert(Module { place, ..Module::default() });
        module.place = module.place.min(place);
        let part = match part {
            "weight" => &mut module.weight,
            "bias" => &mut module.bias,
            "running_mean" => &mut module.mean,
            "running_var" => &mut module.variance,
            "num_batches_tracked" => continue,
            _ => return Err(stranger(name)),
        };
        *part = Some(array);
    }
    let (mut linear, mut norms) = (Vec::new(), Vec::new());
    for (name, module) in &modules {
        let Some(weight) = &module.weight else {
            return Err(Error::data(format!(
                "its array {name}.bias or {name}.running_mean has no {name}.weight"
            )));
        };
        match (weight.shape().len(), module.mean.is_some() || module.variance.is_some()) {
            (2, false) => linear.push((name.as_str(), module)),
            (1, _) => norms.push((name.as_str(), module)),
            _ => return Err(stranger(&format!("{name}.weight"))),
        }
    }
    ensure!(
        !linear.is_empty(),
        Error::data("it has no linear layers: no array NAME.weight of two dimensions")
    );
    let linear = chain(linear)?;
    norms.sort_by(|(one, _), (other, _)| natural(one, other));
    let normed = !norms.is_empty();
    ensure!(
        !normed || norms.len() + 1 == linear.len(),
        Error::data(format!(
            "it has {} normalisations and {} linear layers; here each layer but the last has one, or none has",
            norms.len(),
            linear.len()
        ))
    );
    let mut norms = norms.into_iter();
    let layers = linear.into_iter().map(|(name, module)| {
        let norm = norms.next().map(|(name, module)| norm(name, module)).transpose()?;
        layer(name, module, norm)
    });
    let mut imported = Imported::of_layers(layers.collect::<Result<_>>()?)?;
    let mut scale = |what: &str| {
        let mean = scales.remove(&format!("{what}_mean"))?;
        Some(Scale { mean, deviation: scales.remove(&format!("{what}_deviation")) })
    };
    (imported.scale, imported.targets) = (scale("input"), scale("target"));
    imported.check()?;
    Ok(imported)
}

/// The linear layers in an order in which each takes what the one before it gives: that of the numbers in their names, or
/// else that of the file.
fn chain<'a, 'b>(mut linear: Vec<(&'a str, &'b Module<'b>)>) -> Result<Vec<(&'a str, &'b Module<'b>)>> {
    let size = |module: &Module<'_>, axis: usize| {
        module.weight.as_ref().and_then(|weight| weight.shape().get(axis).copied())
    };
    let fits = |linear: &[(&str, &Module<'_>)]| {
        linear.windows(2).all(|pair| size(pair[0].1, 0) == size(pair[1].1, 1))
    };
    linear.sort_by(|(one, _), (other, _)| natural(one, other));
    if !fits(&linear) {
        let mut written = linear.clone();
        written.sort_by_key(|(_, module)| module.place);
        if !fits(&written) {
            let all: Vec<String> = linear
                .iter()
                .map(|(name, module)| {
                    let side = |axis| size(module, axis).unwrap_or(0);
                    format!("{name} from {} to {}", side(1), side(0))
                })
                .collect();
            return Err(Error::data(format!(
                "its layers are no chain, neither by their numbers nor as written: {}",
                first_of(&all, SHOWN)
            )));
        }
        linear = written;
    }
    Ok(linear)
}

fn layer(name: &str, module: &Module<'_>, norm: Option<Norm>) -> Result<Layer> {
    let weight = module.weight.as_ref().ok_or_else(|| stranger(name))?;
    let &[outputs, inputs] = weight.shape() else { return Err(stranger(name)) };
    let w = Array2::from_shape_vec((outputs, inputs), numbers(&format!("{name}.weight"), weight)?);
    let w = w.map_err(|_| stranger(name))?;
    let b = match &module.bias {
        Some(bias) => vector(&format!("{name}.bias"), bias)?,
        None => Array1::zeros(outputs),
    };
    Ok(Layer { w: w.t().as_standard_layout().into_owned(), b, norm })
}

fn norm(name: &str, module: &Module<'_>) -> Result<Norm> {
    let (Some(gamma), Some(beta)) = (&module.weight, &module.bias) else {
        return Err(Error::data(format!("its normalisation {name} has no {name}.bias")));
    };
    let running = match (&module.mean, &module.variance) {
        (None, None) => None,
        (Some(mean), Some(variance)) => Some(RunningStatistics {
            mean: vector(&format!("{name}.running_mean"), mean)?,
            variance: vector(&format!("{name}.running_var"), variance)?,
        }),
        _ => {
            return Err(Error::data(format!(
                "its normalisation {name} has only one of its running statistics"
            )));
        }
    };
    Ok(Norm {
        gamma: vector(&format!("{name}.weight"), gamma)?,
        beta: vector(&format!("{name}.bias"), beta)?,
        running,
    })
}

fn vector(name: &str, array: &TensorView<'_>) -> Result<Array1<f64>> {
    ensure!(array.shape().len() == 1, Error::data(format!("its array {name:.60} is no vector")));
    numbers(name, array).map(Array1::from)
}

/// The numbers of an array of floats.
fn numbers(name: &str, array: &TensorView<'_>) -> Result<Vec<f64>> {
    let data = array.data();
    Ok(match array.dtype() {
        Kind::F64 => data.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b)).collect(),
        Kind::F32 => data.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b).into()).collect(),
        Kind::F16 => data.as_chunks().0.iter().map(|b| half::f16::from_le_bytes(*b).into()).collect(),
        Kind::BF16 => data.as_chunks().0.iter().map(|b| half::bf16::from_le_bytes(*b).into()).collect(),
        other => {
            return Err(Error::data(format!(
                "its array {name:.60} has the type {other:?}; floats of 16, 32 and 64 bits are read"
            )));
        }
    })
}

fn stranger(name: &str) -> Error {
    Error::data(format!(
        "its array {name:.60} belongs to no chain of linear layers; such arrays are called NAME.weight, NAME.bias, \
         NAME.running_mean and NAME.running_var"
    ))
}

/// Compares names so that 10 comes after 9.
fn natural(one: &str, other: &str) -> Ordering {
    let (mut one, mut other) = (one, other);
    loop {
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        match (digits(one), digits(other)) {
            (0, _) | (_, 0) => {
                let (mut left, mut right) = (one.chars(), other.chars());
                match (left.next(), right.next()) {
                    (Some(a), Some(b)) if a == b => (one, other) = (left.as_str(), right.as_str()),
                    (a, b) => return a.cmp(&b),
                }
            }
            (a, b) => {
                let ((number, left), (against, right)) = (one.split_at(a), other.split_at(b));
                let bare = |digits: &'_ str| digits.trim_start_matches('0').len();
                let order = bare(number)
                    .cmp(&bare(against))
                    .then_with(|| number.trim_start_matches('0').cmp(against.trim_start_matches('0')));
                if order != Ordering::Equal {
                    return order;
                }
                (one, other) = (left, right);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_count() {
        for (one, other) in [("2", "10"), ("net.9.a", "net.10.a"), ("fc1", "fc02"), ("a", "b"), ("fc", "fc1")]
        {
            assert_eq!(natural(one, other), Ordering::Less, "{one} {other}");
            assert_eq!(natural(other, one), Ordering::Greater, "{other} {one}");
        }
        assert_eq!(natural("fc7", "fc7"), Ordering::Equal);
    }
}
