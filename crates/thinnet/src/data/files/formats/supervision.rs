//! Labels of classes or numerical targets, stored as arrays next to the samples; and the parts of a data set.

use ndarray::ArcArray2;

use super::{Content, Numbers};
use crate::data::files::labels::{class_name, classes_of};
use crate::data::{Features, Part, ReadOptions, Rows};
use crate::error::{Error, Result};

/// What to predict for each sample.
pub(crate) enum Supervision {
    /// Labels as they are stored.
    Labels(Content),
    /// Numbers (N, K).
    Targets(ArcArray2<f64>),
}

impl Supervision {
    /// The content of an array, read as the options ask.
    pub(crate) fn of(array: Numbers, options: &ReadOptions) -> Result<Self> {
        Ok(if options.regression {
            Self::Targets(array.into_targets()?)
        } else {
            Self::Labels(array.into_labels()?)
        })
    }
}

/// The parts of a data set, and the names of its classes (`names` if given) or of its targets.
pub(crate) fn parts(
    parts: Vec<(Part, Features<f64>, Supervision)>,
    names: Option<Vec<String>>,
) -> Result<(Vec<String>, Vec<Rows<f64>>)> {
    let (mut labels, mut labelled, mut rows) = (Vec::new(), Vec::new(), Vec::new());
    let within = |part| move |error: Error| Error::data(format!("its {part} part: {error}"));
    for (part, x, supervision) in parts {
        match supervision {
            Supervision::Labels(own) => {
                labels.push(own);
                labelled.push((part, x));
            }
            Supervision::Targets(targets) => {
                rows.push(Rows::with_numbers(x, targets).map_err(within(part))?);
            }
        }
    }
    if let Some(rows_of_numbers) = rows.first() {
        return Ok((target_names(rows_of_numbers.num_outputs(), names)?, rows));
    }
    let (classes, labels) = indices(labels, names)?;
    let rows = labelled.into_iter().zip(labels);
    let rows =
        rows.map(|((part, x), labels)| Rows::with_classes(x, labels, classes.len()).map_err(within(part)));
    let rows = rows.collect::<Result<_>>()?;
    Ok((classes, rows))
}

/// The names of `count` targets: the given ones, otherwise "target", numbered from 1 if there are several.
fn target_names(count: usize, given: Option<Vec<String>>) -> Result<Vec<String>> {
    match given {
        Some(names) if names.len() != count => {
            Err(Error::data(format!("it names {} targets, but a sample has {count}", names.len())))
        }
        Some(names) => Ok(names),
        None if count == 1 => Ok(vec!["target".to_owned()]),
        None => Ok((1..=count).map(|column| format!("target {column}")).collect()),
    }
}

/// The classes, and the labels of each part as indices into them.
fn indices(parts: Vec<Content>, given: Option<Vec<String>>) -> Result<(Vec<String>, Vec<Vec<usize>>)> {
    if parts.iter().all(|part| matches!(part, Content::Texts(_))) {
        let parts: Vec<&[String]> = parts
            .iter()
            .map(|part| match part {
                Content::Texts(labels) => labels.as_slice(),
                _ => &[],
            })
            .collect();
        return classes_of(&parts);
    }
    let parts: Vec<&[i64]> = parts
        .iter()
        .map(|part| match part {
            Content::Integers(labels) => Ok(labels.as_slice()),
            _ => Err(Error::data("labels are words in one part and numbers in another")),
        })
        .collect::<Result<_>>()?;
    let Some(classes) = given else { return classes_of(&parts) };
    let label = |&label: &i64| {
        usize::try_from(label).ok().filter(|&label| label < classes.len()).ok_or_else(|| {
            Error::data(format!("there is a label {label}, but only {} classes are named", classes.len()))
        })
    };
    let labels = parts.iter().map(|part| part.iter().map(label).collect()).collect::<Result<_>>()?;
    Ok((classes.iter().map(|name| class_name(name)).collect(), labels))
}
