//! Converts stored labels to indices of named classes.

use std::collections::BTreeMap;

use super::limits;
use crate::error::{Error, Result};

/// Converts the labels of all parts to indices of the sorted values that occur in any part; these values become the
/// classes' names.
pub(super) fn classes_of<T: Ord + ToString>(parts: &[&[T]]) -> Result<(Vec<String>, Vec<Vec<usize>>)> {
    let mut index: BTreeMap<&T, usize> = BTreeMap::new();
    for label in parts.iter().copied().flatten() {
        index.insert(label, 0);
        if index.len() > limits::CLASSES {
            return Err(Error::data(format!(
                "its labels have more than {} different values; they cannot be classes",
                limits::CLASSES
            )));
        }
    }
    index.values_mut().enumerate().for_each(|(class, entry)| *entry = class);
    let labels = parts
        .iter()
        .map(|part| part.iter().filter_map(|label| index.get(label).copied()).collect())
        .collect();
    Ok((index.keys().map(|label| class_name(&label.to_string())).collect(), labels))
}

/// A name that can be shown anywhere: with a limited length and without control characters.
pub(super) fn class_name(name: &str) -> String {
    let shown = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    name.trim().chars().take(limits::CLASS_NAME).map(shown).collect()
}

/// The names of classes in a list, without trailing empty ones.
pub(super) fn class_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Vec<String>> {
    let names: Vec<String> = names.into_iter().take(limits::CLASSES + 1).map(class_name).collect();
    if names.is_empty() || names.len() > limits::CLASSES {
        return Err(Error::data(format!("its list of classes must have 1 to {} names", limits::CLASSES)));
    }
    Ok(names)
}
