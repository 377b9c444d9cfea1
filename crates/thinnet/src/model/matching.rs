//! Converts the rows of any data set to what a model takes.

use ndarray::Axis;

use super::Model;
use crate::data::{Columns, DataSet, Features, Rows, Targets, check_shape};
use crate::error::{Error, Result};
use crate::float::Float;
use crate::text::first_of;

impl<F: Float> Model<F> {
    /// These rows of `set` with their columns and classes in the model's order: a table's columns are found by name
    /// if both have names, and classes by their names.
    ///
    /// # Errors
    /// [`Error::Data`] for samples of another shape, for a missing column, for a class that the model does not know,
    /// and for classes if it predicts numbers, or the other way round. It names both sides.
    pub fn rows_of(&self, set: &DataSet, rows: &Rows<f64>) -> Result<Rows<f64>> {
        let own = self.preprocessing();
        let x = match (&own.columns, set.columns()) {
            (Some(own), Some(found)) if own.inputs == found.inputs && own.encodings == found.encodings => {
                rows.x().clone()
            }
            (Some(own), Some(found)) if !(own.encodings.is_empty() && found.encodings.is_empty()) => {
                encoded(rows, own, found)?
            }
            (Some(own), Some(found)) if own.header && found.header => in_order(rows, &order(own, found)?)?,
            _ => {
                check_shape(set.shape(), &own.shape)?;
                rows.x().clone()
            }
        };
        match (rows.targets(), own.targets.is_some()) {
            (Targets::Classes(labels), false) => {
                let place = |name: &String| {
                    own.names.iter().position(|own| own == name).ok_or_else(|| stranger(name, &own.names))
                };
                let labels_of = set.names().iter().map(place).collect::<Result<Vec<_>>>()?;
                let labels = labels.iter().map(|&label| labels_of[label]).collect();
                Rows::with_classes(x, labels, own.names.len())
            }
            (Targets::Values(numbers), true) if numbers.ncols() == own.names.len() => {
                Rows::with_numbers(x, numbers.to_owned())
            }
            (Targets::Values(numbers), true) => Err(Error::data(format!(
                "the model predicts {} numbers ({}), but these data have {}",
                own.names.len(),
                own.names.join(", "),
                numbers.ncols()
            ))),
            (Targets::Classes(_), true) => {
                Err(Error::data("the model predicts numbers, but these data have classes"))
            }
            (Targets::Values(_), false) => {
                Err(Error::data("the model predicts classes, but these data have numbers"))
            }
        }
    }
}

/// The places of the model's columns among the table's columns.
fn order(own: &Columns, found: &Columns) -> Result<Vec<usize>> {
    let place = |name: &String| {
        found.inputs.iter().position(|found| found == name).ok_or_else(|| {
            Error::data(format!(
                "the model takes the columns {}, but {name} is not among these: {}",
                own.inputs.join(", "),
                found.inputs.join(", ")
            ))
        })
    };
    own.inputs.iter().map(place).collect()
}

/// Rows of a table with the encodings of the model's columns.
fn encoded(rows: &Rows<f64>, own: &Columns, found: &Columns) -> Result<Features<f64>> {
    let order = if own.header && found.header {
        order(own, found)?
    } else {
        (0..own.inputs.len().min(found.inputs.len())).collect()
    };
    let picked = match rows.x() {
        Features::Table(table) if order.len() == own.inputs.len() => table.picked(&order, &own.encodings),
        _ => None,
    };
    picked.map(Features::Table).ok_or_else(|| {
        Error::data(
            "its columns are of other kinds than the model's; read the table with ReadOptions::known, which takes \
             the model's columns",
        )
    })
}

fn in_order(rows: &Rows<f64>, order: &[usize]) -> Result<Features<f64>> {
    if order.len() == rows.input_dim() && order.iter().enumerate().all(|(to, &from)| to == from) {
        return Ok(rows.x().clone());
    }
    Ok(rows.x().to_floats()?.select(Axis(1), order).into())
}

fn stranger(name: &str, own: &[String]) -> Error {
    const MANY: usize = 20;
    Error::data(format!("these data have the class {name}, but the model knows {}", first_of(own, MANY)))
}
