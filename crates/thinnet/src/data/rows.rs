//! Samples with what a network should predict for them: rows of inputs, each with a class or with numbers.

use std::borrow::Cow;

use ndarray::{ArcArray2, Array2, ArrayView2, Axis, Slice};

use super::features::{Features, reorder_rows};
use super::table::Encoding;
use crate::error::{Error, Result, ensure};
use crate::float::Float;

/// N samples: inputs (N, D), and for each a class or K numbers. Their sizes match, and all numbers are finite; this
/// is checked on creation. A copy shares inputs and numbers.
///
/// ```
/// use ndarray::array;
/// use thinnet::data::Rows;
/// # fn main() -> thinnet::Result<()> {
/// let x = array![[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]];
/// let rows = Rows::with_classes(x.clone(), vec![0, 1, 1], 2)?;
/// assert_eq!((rows.len(), rows.input_dim(), rows.num_outputs()), (3, 2, 2));
/// assert!(Rows::with_classes(x.clone(), vec![0, 1, 2], 2).is_err()); // there is no class 2
/// let numbers = Rows::with_numbers(x, array![[1.5], [2.5], [3.5]])?;
/// assert_eq!(numbers.num_outputs(), 1);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Rows<F> {
    x: Features<F>,
    targets: TargetsBuf<F>,
    /// The number of classes, or of numbers per sample.
    outputs: usize,
}

/// The targets of N samples.
#[derive(Debug, Clone, Copy)]
pub enum Targets<'a, F> {
    /// N labels, each the index of a class.
    Classes(&'a [usize]),
    /// (N, C) numbers, one per output.
    Values(ArrayView2<'a, F>),
}

/// Owned targets.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TargetsBuf<F> {
    Classes(Vec<usize>),
    Values(ArcArray2<F>),
}

impl<'a, F, L: AsRef<[usize]> + ?Sized> From<&'a L> for Targets<'a, F> {
    fn from(labels: &'a L) -> Self {
        Self::Classes(labels.as_ref())
    }
}

impl<'a, F> From<ArrayView2<'a, F>> for Targets<'a, F> {
    fn from(values: ArrayView2<'a, F>) -> Self {
        Self::Values(values)
    }
}

impl<F: Float> Targets<'_, F> {
    /// N.
    pub fn len(&self) -> usize {
        match self {
            Self::Classes(labels) => labels.len(),
            Self::Values(values) => values.nrows(),
        }
    }

    /// Whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The targets of chosen samples, with indices below N.
    pub(crate) fn select(&self, chosen: &[usize]) -> TargetsBuf<F> {
        match self {
            Self::Classes(labels) => TargetsBuf::Classes(chosen.iter().map(|&index| labels[index]).collect()),
            Self::Values(values) => TargetsBuf::Values(values.select(Axis(0), chosen).into()),
        }
    }
}

impl<F> TargetsBuf<F> {
    pub(crate) fn view(&self) -> Targets<'_, F> {
        match self {
            Self::Classes(labels) => Targets::Classes(labels),
            Self::Values(values) => Targets::Values(values.view()),
        }
    }
}

impl<F: Float> Rows<F> {
    /// Samples with classes.
    ///
    /// - `x`: (N, D); `labels`: N class indices, each below `classes`
    ///
    /// # Errors
    /// [`Error::Data`] if there is not one label per sample, for a label that is not a class, and for an input that
    /// is not finite.
    pub fn with_classes(x: impl Into<Features<F>>, labels: Vec<usize>, classes: usize) -> Result<Self> {
        if let Some(sample) = labels.iter().position(|&label| label >= classes) {
            return Err(Error::data(format!(
                "label {} of sample {sample} is not below {classes}, the number of classes",
                labels[sample]
            )));
        }
        Self { x: x.into(), targets: TargetsBuf::Classes(labels), outputs: classes }.checked()
    }

    /// Samples with numerical targets, for a regression.
    ///
    /// - `x`: (N, D); `numbers`: (N, K), K > 0
    ///
    /// # Errors
    /// [`Error::Shape`] if K is 0; [`Error::Data`] if there is not one row of numbers per sample, and for an input or
    /// a number that is not finite.
    pub fn with_numbers(x: impl Into<Features<F>>, numbers: impl Into<ArcArray2<F>>) -> Result<Self> {
        let numbers = numbers.into();
        if let Some(((sample, column), number)) = numbers.indexed_iter().find(|(_, n)| !n.is_finite()) {
            return Err(Error::data(format!(
                "target {column} of sample {sample} is {number}, which is not finite"
            )));
        }
        let outputs = numbers.ncols();
        ensure!(outputs > 0, Error::shape("targets of the rows", ("N", "K > 0"), numbers.shape()));
        Self { x: x.into(), targets: TargetsBuf::Values(numbers), outputs }.checked()
    }

    /// The rows, if there is a target for each and all inputs are finite.
    fn checked(self) -> Result<Self> {
        let samples = self.len();
        let targets = self.targets();
        if targets.len() != samples {
            let what = if self.is_regression() { "targets" } else { "labels" };
            return Err(Error::data(format!("{samples} samples, but {} {what}", targets.len())));
        }
        match self.x.first_not_finite() {
            None => Ok(self),
            Some((sample, column)) => {
                Err(Error::data(format!("number {column} of sample {sample} is not finite")))
            }
        }
    }

    /// The inputs (N, D).
    pub fn x(&self) -> &Features<F> {
        &self.x
    }

    /// N labels, or (N, K) numbers.
    pub fn targets(&self) -> Targets<'_, F> {
        self.targets.view()
    }

    /// N labels; empty if targets are numbers.
    pub fn labels(&self) -> &[usize] {
        match &self.targets {
            TargetsBuf::Classes(labels) => labels,
            TargetsBuf::Values(_) => &[],
        }
    }

    /// The numbers (N, K); `None` if samples have classes.
    pub fn numbers(&self) -> Option<ArrayView2<'_, F>> {
        match &self.targets {
            TargetsBuf::Classes(_) => None,
            TargetsBuf::Values(numbers) => Some(numbers.view()),
        }
    }

    /// Whether samples have numbers and not classes.
    pub fn is_regression(&self) -> bool {
        matches!(self.targets, TargetsBuf::Values(_))
    }

    /// N.
    pub fn len(&self) -> usize {
        self.x.dim().0
    }

    /// Whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// D.
    pub fn input_dim(&self) -> usize {
        self.x.dim().1
    }

    /// The number of classes, or K.
    pub fn num_outputs(&self) -> usize {
        self.outputs
    }

    /// How many samples each class has, by label; empty if targets are numbers.
    pub fn class_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; if self.is_regression() { 0 } else { self.outputs }];
        self.labels().iter().for_each(|&label| counts[label] += 1);
        counts
    }

    /// The same rows in 64-bit floats, as in a data set.
    pub fn to_f64(&self) -> Rows<f64> {
        let targets = match &self.targets {
            TargetsBuf::Classes(labels) => TargetsBuf::Classes(labels.clone()),
            TargetsBuf::Values(numbers) => TargetsBuf::Values(numbers.mapv(F::as_f64).into()),
        };
        Rows { x: self.x.to_f64(), targets, outputs: self.outputs }
    }

    /// The chosen samples in this order; a sample may occur twice. Their inputs become floats.
    ///
    /// # Errors
    /// [`Error::Shape`] if an index is not below N.
    pub fn select(&self, chosen: &[usize]) -> Result<Self> {
        Ok(Self {
            x: self.x.select(chosen)?.into(),
            targets: self.targets().select(chosen),
            outputs: self.outputs,
        })
    }

    /// Samples `from..to`, or as many as there are; they share their numbers with these rows.
    #[must_use]
    pub fn slice(&self, from: usize, to: usize) -> Self {
        let to = to.min(self.len());
        let from = from.min(to);
        let targets = match &self.targets {
            TargetsBuf::Classes(labels) => TargetsBuf::Classes(labels[from..to].to_vec()),
            TargetsBuf::Values(numbers) => {
                TargetsBuf::Values(numbers.clone().slice_axis_move(Axis(0), Slice::from(from..to)))
            }
        };
        Self { x: self.x.slice(from, to), targets, outputs: self.outputs }
    }

    /// Samples in another order: row `i` is what row `order[i]` was. Does not copy the numbers if nobody shares them.
    pub(super) fn reordered(self, order: &[usize]) -> Self {
        let targets = match self.targets {
            TargetsBuf::Classes(labels) => {
                TargetsBuf::Classes(order.iter().map(|&from| labels[from]).collect())
            }
            TargetsBuf::Values(numbers) => TargetsBuf::Values(reorder_rows(numbers, order)),
        };
        Self { x: self.x.reordered(order), targets, outputs: self.outputs }
    }

    /// Encodes the columns of a table, with one encoding per column. Returns how many words of the rows in memory
    /// have no category.
    pub(super) fn encode(&mut self, encodings: &[Encoding]) -> usize {
        match &self.x {
            Features::Table(table) => {
                let table = table.encoded(encodings.to_vec());
                let strangers = table.strangers();
                self.x = Features::Table(table);
                strangers
            }
            Features::Stored(stored) => {
                if let Some(source) = stored.source().encoded(encodings) {
                    self.x = Features::Stored(stored.with_source(source));
                }
                0
            }
            _ => 0,
        }
    }

    /// The same samples, in memory.
    ///
    /// # Errors
    /// Errors of reading.
    pub(super) fn loaded(mut self) -> Result<Self> {
        if let Cow::Owned(x) = self.x.loaded()? {
            self.x = x;
        }
        Ok(self)
    }

    /// The same samples with other inputs, (N, D) as well, and with changed target numbers, if there are any.
    pub(crate) fn map<G: Float>(
        &self,
        x: Features<G>,
        numbers: impl FnOnce(ArrayView2<'_, F>) -> Array2<G>,
    ) -> Result<Rows<G>> {
        match &self.targets {
            TargetsBuf::Classes(labels) => Rows::with_classes(x, labels.clone(), self.outputs),
            TargetsBuf::Values(values) => Rows::with_numbers(x, numbers(values.view())),
        }
    }

    /// The same, if nobody else needs the samples.
    pub(super) fn map_into<G: Float>(
        self,
        x: impl FnOnce(Features<F>) -> Result<Features<G>>,
        numbers: impl FnOnce(ArrayView2<'_, F>) -> Array2<G>,
    ) -> Result<Rows<G>> {
        match self.targets {
            TargetsBuf::Classes(labels) => Rows::with_classes(x(self.x)?, labels, self.outputs),
            TargetsBuf::Values(values) => Rows::with_numbers(x(self.x)?, numbers(values.view())),
        }
    }

    /// The same samples with their own copy of the floats, so that they keep no other samples in memory.
    pub(super) fn apart(self) -> Self {
        Self { x: self.x.apart(), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_refused_when_rows_are_made() {
        let x = |rows: usize| Array2::<f32>::from_shape_fn((rows, 2), |(row, col)| (row + col) as f32);
        let refused = |rows: Result<Rows<f32>>| rows.unwrap_err().to_string();
        for labels in [vec![0; 2], vec![0; 4]] {
            let message = refused(Rows::with_classes(x(3), labels, 1));
            assert!(message.starts_with("3 samples, but ") && message.ends_with(" labels"), "{message}");
        }
        let message = refused(Rows::with_classes(x(3), vec![0, 2, 1], 2));
        assert!(message.contains("label 2 of sample 1 is not below 2"), "{message}");
        for bad in [f32::NAN, f32::INFINITY] {
            let mut wrong = x(3);
            wrong[(1, 1)] = bad;
            let message = refused(Rows::with_classes(wrong.clone(), vec![0; 3], 1));
            assert!(message.contains("number 1 of sample 1 is not finite"), "{message}");
            let message = refused(Rows::with_numbers(x(3), wrong));
            assert!(message.contains("target 1 of sample 1"), "{message}");
        }
        let message = refused(Rows::with_numbers(x(3), x(2)));
        assert_eq!(message, "3 samples, but 2 targets");
        assert!(Rows::with_numbers(x(3), Array2::zeros((3, 0))).is_err());
        let sparse = super::super::SparseRows::new(2, vec![0, 1], vec![1], vec![f32::NAN]).unwrap();
        let message = refused(Rows::with_classes(Features::Sparse(sparse), vec![0], 1));
        assert!(message.contains("number 1 of sample 0"), "{message}");
    }
}
