//! Networks as NumPy archives, with the course's names.

use std::collections::BTreeMap;

use ndarray::{Array1, Array2};

use super::imported::{Imported, Layer, Norm};
use crate::data::Scale;
use crate::data::formats::{Content, Numbers, npy};
use crate::error::{Error, Result, ensure};
use crate::layers::RunningStatistics;
use crate::training::Task;

/// The network in an archive's bytes.
///
/// # Errors
/// [`Error::Data`] for a damaged archive, and for arrays that are no chain of layers.
pub(super) fn read(bytes: &[u8]) -> Result<Imported> {
    let mut arrays = npy::read_arrays(bytes)?;
    ensure!(
        arrays.contains_key("W1"),
        Error::data(
            "it has no array W1; an archive of a network has W1, b1 and so on, with weights of the shape (inputs, outputs)"
        )
    );
    let mut layers = Vec::new();
    for number in 1.. {
        let mut take = |name: &str| arrays.remove_entry(&format!("{name}{number}"));
        let Some((name, w)) = take("W") else { break };
        let w = matrix(&name, w)?;
        let b = take("b").ok_or_else(|| Error::data(format!("it has no array b{number}")))?;
        let norm = match (take("gamma"), take("beta")) {
            (None, None) => None,
            (Some(gamma), Some(beta)) => Some((vector(gamma)?, vector(beta)?)),
            _ => return Err(Error::data(format!("it has only one of gamma{number} and beta{number}"))),
        };
        let running = match (take("running_mean"), take("running_var")) {
            (None, None) => None,
            (Some(mean), Some(variance)) => {
                Some(RunningStatistics { mean: vector(mean)?, variance: vector(variance)? })
            }
            _ => {
                return Err(Error::data(format!(
                    "it has only one of running_mean{number} and running_var{number}"
                )));
            }
        };
        ensure!(
            norm.is_some() || running.is_none(),
            Error::data(format!("it has running_mean{number}, but no gamma{number} and beta{number}"))
        );
        let norm = norm.map(|(gamma, beta)| Norm { gamma, beta, running });
        layers.push(Layer { w, b: vector(b)?, norm });
    }
    let mut imported = Imported::of_layers(layers)?;
    imported.scale = scale(&mut arrays, "input")?;
    imported.targets = scale(&mut arrays, "target")?;
    imported.names = match arrays.remove("outputs").map(|own| own.content) {
        None => None,
        Some(Content::Texts(names)) => Some(names),
        Some(_) => return Err(Error::data("its array outputs has no words")),
    };
    if imported.names.is_some() {
        // An archive of this library: only a regression has targets.
        let numbers = imported.targets.is_some();
        imported.task = Some(if numbers { Task::Regression } else { Task::Classification });
    }
    if let Some(name) = arrays.keys().next() {
        return Err(Error::data(format!("its array {name:.60} belongs to no layer")));
    }
    imported.check()?;
    Ok(imported)
}

fn scale(arrays: &mut BTreeMap<String, Numbers>, what: &str) -> Result<Option<Scale>> {
    let mut take = |of: &str| arrays.remove_entry(&format!("{what}_{of}")).map(vector).transpose();
    let (mean, deviation) = (take("mean")?, take("deviation")?);
    match (mean, deviation) {
        (None, None) => Ok(None),
        (Some(mean), deviation) => {
            Ok(Some(Scale { mean: mean.to_vec(), deviation: deviation.map(|own| own.to_vec()) }))
        }
        (None, Some(_)) => Err(Error::data(format!("it has {what}_deviation, but no {what}_mean"))),
    }
}

fn vector((name, array): (String, Numbers)) -> Result<Array1<f64>> {
    let Numbers { shape, content: Content::Floats(numbers) } = array.widened() else {
        return Err(Error::data(format!("its array {name} has no numbers")));
    };
    ensure!(shape.len() == 1, Error::data(format!("its array {name} is no vector")));
    Ok(Array1::from(numbers))
}

fn matrix(name: &str, array: Numbers) -> Result<Array2<f64>> {
    let no_matrix = || Error::data(format!("its array {name} is no matrix of numbers"));
    let Numbers { shape, content: Content::Floats(numbers) } = array.widened() else {
        return Err(no_matrix());
    };
    let &[inputs, outputs] = shape.as_slice() else { return Err(no_matrix()) };
    Array2::from_shape_vec((inputs, outputs), numbers).map_err(|_| no_matrix())
}
