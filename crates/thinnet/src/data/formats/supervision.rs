//! What stands beside samples in arrays, labels of classes or numbers as targets, and the parts of a data set that both make.

use ndarray::ArcArray2;

use super::{Content, Numbers, split};
use crate::data::labels::{class_name, classes_of};
use crate::data::{ReadOptions, Split, Values};
use crate::error::{Error, Result};

/// What is to be predicted of each sample.
pub(crate) enum Supervision {
    /// Labels as they are stored.
    Labels(Content),
    /// Numbers (N, K).
    Targets(ArcArray2<f64>),
}

impl Supervision {
    /// What an array holds, read as the options ask for.
    pub(crate) fn of(array: Numbers, options: &ReadOptions) -> Result<Self> {
        Ok(if options.regression {
            Self::Targets(array.into_targets()?)
        } else {
            Self::Labels(array.into_labels()?)
        })
    }
}

/// The parts of a data set, and its classes' names, which are `names` where they are given; or its targets' names.
pub(crate) fn splits(
    parts: Vec<(Values, Supervision)>,
    names: Option<Vec<String>>,
) -> Result<(Vec<String>, Vec<Split>)> {
    let (mut labels, mut labelled, mut splits) = (Vec::new(), Vec::new(), Vec::new());
    for (values, supervision) in parts {
        match supervision {
            Supervision::Labels(own) => {
                labels.push(own);
                labelled.push(values);
            }
            Supervision::Targets(targets) => splits.push(Split::with_targets(values, targets)),
        }
    }
    if let Some(targets) = splits.first().and_then(|split| split.targets.as_ref()) {
        return Ok((target_names(targets.ncols(), names)?, splits));
    }
    let (classes, labels) = indices(labels, names)?;
    Ok((classes, labelled.into_iter().zip(labels).map(|(values, labels)| split(values, labels)).collect()))
}

/// The names of `count` targets: those that are given, or else "target", numbered from 1 where there are several.
fn target_names(count: usize, given: Option<Vec<String>>) -> Result<Vec<String>> {
    match given {
        Some(names) if names.len() != count => {
            Err(Error::data(format!("it names {} targets, and a sample has {count}", names.len())))
        }
        Some(names) => Ok(names),
        None if count == 1 => Ok(vec!["target".to_owned()]),
        None => Ok((1..=count).map(|column| format!("target {column}")).collect()),
    }
}

/// The classes, and the labels of each part as indices of them.
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
            Error::data(format!("there is a label {label}, and {} classes are named", classes.len()))
        })
    };
    let labels = parts.iter().map(|part| part.iter().map(label).collect()).collect::<Result<_>>()?;
    Ok((classes.iter().map(|name| class_name(name)).collect(), labels))
}
