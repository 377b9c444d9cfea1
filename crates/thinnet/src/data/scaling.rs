//! From what a file holds to what a network takes: the training samples' mean is subtracted, or each number standardised.

use ndarray::{Array1, Array2, ArrayView2, Axis};
use serde::{Deserialize, Serialize};

use super::table::Table;
use super::{DataSet, Features, Rows, SparseRows};
use crate::error::{Error, Result, ensure};
use crate::float::Float;
use crate::names::names;

/// What is done to every number of a sample, by its place in the sample. Means and deviations are the training samples'.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scaling {
    /// Nothing.
    None,
    /// Less the mean, as the course does with images.
    Mean,
    /// Less the mean, divided by the standard deviation (of N, not N - 1; where it is 0, by 1).
    Standard,
    /// Less the mean, divided by the width of the range that all numbers together have: 255 for bytes. All numbers then lie
    /// within -1 and 1, and keep their sizes relative to one another: what images are often given as.
    Unit,
}

names!(Scaling, "scaling", "scalings", None = "none", Mean = "mean", Standard = "standard", Unit = "unit");

impl DataSet {
    /// The mean of the training samples (D), or the one that the data set brings along. For images it is exact: a sum of
    /// whole numbers, divided once, as NumPy's `mean` of 64-bit floats gives it.
    pub fn mean_sample(&self) -> Array1<f64> {
        if let Some(mean) = &self.mean {
            return mean.clone();
        }
        let samples = self.train.len().max(1) as f64;
        match self.train.x() {
            Features::Pixels(pixels) => sums(pixels.view()).0.mapv(|sum| sum as f64 / samples),
            Features::Floats(values) => values.sum_axis(Axis(0)) / samples,
            Features::Sparse(sparse) => {
                let mut sums = Array1::zeros(sparse.dim().1);
                for row in 0..sparse.dim().0 {
                    let (columns, values) = sparse.row(row);
                    columns.iter().zip(values).for_each(|(&column, value)| sums[column as usize] += value);
                }
                sums / samples
            }
            Features::Table(_) => self.train.x().to_floats().sum_axis(Axis(0)) / samples,
        }
    }

    /// The standard deviation of each number over the training samples (D): `sqrt(mean((x - mean(x))^2))`.
    pub fn deviation_sample(&self) -> Array1<f64> {
        let samples = self.train.len().max(1);
        let values = match self.train.x() {
            Features::Pixels(pixels) => {
                let (sums, squares) = sums(pixels.view());
                let n = samples as u128;
                let variance = |(&sum, &square): (&u64, &u64)| {
                    let above = (n * u128::from(square)).saturating_sub(u128::from(sum) * u128::from(sum));
                    above as f64 / (n * n) as f64
                };
                return sums.iter().zip(&squares).map(variance).map(f64::sqrt).collect();
            }
            x @ (Features::Floats(_) | Features::Sparse(_) | Features::Table(_)) => x.to_floats(),
        };
        // What rounding alone makes of equal numbers is no deviation (scikit-learn's rule).
        let rounding = samples as f64 * f64::EPSILON;
        let mut deviations = values.std_axis(Axis(0), 0.0);
        for (deviation, sum) in deviations.iter_mut().zip(values.sum_axis(Axis(0))) {
            if *deviation <= rounding * (sum / samples as f64).abs() {
                *deviation = 0.0;
            }
        }
        deviations
    }

    /// How samples like these are scaled unless one asks for more: images less their mean, other samples standardised; sparse
    /// rows not at all, so that they stay sparse.
    pub fn default_scaling(&self) -> Scaling {
        match self.train.x() {
            Features::Sparse(_) => Scaling::None,
            _ if self.is_images() => Scaling::Mean,
            _ => Scaling::Standard,
        }
    }

    /// How far the greatest of the training samples' numbers is from the least: of bytes, from 0 to 255.
    fn range_width(&self) -> f64 {
        match self.train.x() {
            Features::Pixels(_) => 255.0,
            x => x.range().map_or(0.0, |(least, greatest)| greatest - least),
        }
    }

    /// What this scaling does to samples: means and deviations are those of all training rows. Of a table with categories it
    /// is done to quantities alone: what is 0 or 1 stays so.
    pub fn scale(&self, scaling: Scaling) -> Scale {
        let not_zero = |deviation: f64| if deviation > 0.0 { deviation } else { 1.0 };
        let mut scale = Scale {
            mean: match scaling {
                Scaling::None => vec![0.0; self.input_dim()],
                Scaling::Mean | Scaling::Standard | Scaling::Unit => self.mean_sample().to_vec(),
            },
            deviation: match scaling {
                Scaling::None | Scaling::Mean => None,
                Scaling::Standard => Some(self.deviation_sample().mapv(not_zero).to_vec()),
                Scaling::Unit => Some(vec![not_zero(self.range_width()); self.input_dim()]),
            },
        };
        if let Features::Table(table) = self.train.x() {
            let quantities = table.quantities();
            let set = |numbers: &mut Vec<f64>, value| {
                let flags = numbers.iter_mut().zip(&quantities).filter(|(_, quantity)| !**quantity);
                flags.for_each(|(number, _)| *number = value);
            };
            set(&mut scale.mean, 0.0);
            scale.deviation.iter_mut().for_each(|deviation| set(deviation, 1.0));
        }
        scale
    }
}

/// What is subtracted from each of a sample's D numbers, and what the difference is divided by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scale {
    /// Subtracted (D).
    pub mean: Vec<f64>,
    /// What the difference is divided by (D), if it is.
    pub deviation: Option<Vec<f64>>,
}

impl Scale {
    /// Nothing subtracted from D numbers, nothing divided.
    pub fn none(input_dim: usize) -> Self {
        Self { mean: vec![0.0; input_dim], deviation: None }
    }

    /// Whether samples stay as they are.
    fn is_none(&self) -> bool {
        self.deviation.is_none() && self.mean.iter().all(|mean| *mean == 0.0)
    }

    /// Inputs (N, D), scaled in 64-bit floats and then rounded to `F`. Bytes are shared and stay bytes; sparse rows stay
    /// sparse where nothing is done to them; rows of a table become sparse ones where most of their numbers are 0.
    ///
    /// # Errors
    /// [`Error::Shape`] for another D.
    pub fn apply<F: Float>(&self, x: &Features<f64>) -> Result<Features<F>> {
        ensure!(x.dim().1 == self.mean.len(), Error::shape("x", ("N", self.mean.len()), x.dim()));
        let floats = match x {
            Features::Pixels(pixels) => {
                return Ok(pixels.rescaled(&self.mean, self.deviation.as_deref())?.into());
            }
            Features::Sparse(sparse) if self.is_none() => return Ok(sparse.rounded().into()),
            Features::Table(table) => return self.table(table),
            Features::Floats(_) | Features::Sparse(_) => x.to_floats(),
        };
        let mut scaled = Array2::zeros(floats.dim());
        for (mut out, row) in scaled.rows_mut().into_iter().zip(floats.rows()) {
            for (column, (out, &value)) in out.iter_mut().zip(row).enumerate() {
                *out = self.number(column, value);
            }
        }
        Ok(scaled.into())
    }

    /// A number of column `column`, scaled.
    fn number<F: Float>(&self, column: usize, value: f64) -> F {
        let divisor = self.deviation.as_ref().map_or(1.0, |deviation| deviation[column]);
        F::from_f64((value - self.mean[column]) / divisor)
    }

    /// Rows of a table, scaled. Its numbers that may be 0 are not shifted, but for its quantities, which are always there.
    fn table<F: Float>(&self, table: &Table) -> Result<Features<F>> {
        let (rows, columns) = table.dim();
        let quantities = table.quantities();
        let unshifted = self.mean.iter().zip(&quantities).all(|(mean, quantity)| *quantity || *mean == 0.0);
        if !table.is_sparse() || !unshifted {
            let mut scaled = Array2::zeros((rows, columns));
            let mut row = vec![0.0; columns];
            for (index, mut out) in scaled.rows_mut().into_iter().enumerate() {
                table.write_row(index, &mut row);
                for (column, (out, &value)) in out.iter_mut().zip(&row).enumerate() {
                    *out = self.number(column, value);
                }
            }
            return Ok(scaled.into());
        }
        let (mut starts, mut indices, mut values) = (vec![0], Vec::new(), Vec::new());
        for index in 0..rows {
            table.each(index, |column, value| {
                #[allow(
                    clippy::cast_possible_truncation,
                    reason = "columns of a table, and categories of each"
                )]
                indices.push(column as u32);
                values.push(self.number(column, value));
            });
            starts.push(indices.len());
        }
        Ok(SparseRows::new(columns, starts, indices, values)?.into())
    }

    /// Rows with their inputs scaled; their numbers, if they have any, are rounded to `F`.
    ///
    /// # Errors
    /// [`Error::Shape`] for another D; [`Error::Data`] for numbers beyond those of `F`.
    pub fn rows<F: Float>(&self, rows: &Rows<f64>) -> Result<Rows<F>> {
        if let Some(numbers) = rows.numbers()
            && let Some(((sample, column), number)) =
                numbers.indexed_iter().find(|(_, number)| !F::from_f64(**number).is_finite())
        {
            return Err(Error::data(format!(
                "target {column} of sample {sample} is {number}, which is beyond the numbers of {}",
                F::DTYPE
            )));
        }
        rows.map(self.apply(rows.x())?, |numbers| numbers.mapv(F::from_f64))
    }
}

/// The sum and the sum of squares of each column.
fn sums(bytes: ArrayView2<'_, u8>) -> (Array1<u64>, Array1<u64>) {
    let mut sums = vec![0u64; bytes.ncols()];
    let mut squares = vec![0u64; bytes.ncols()];
    for row in bytes.rows() {
        let Some(row) = row.to_slice() else { continue };
        for ((sum, square), &byte) in sums.iter_mut().zip(&mut squares).zip(row) {
            *sum += u64::from(byte);
            *square += u64::from(byte) * u64::from(byte);
        }
    }
    (sums.into(), squares.into())
}
