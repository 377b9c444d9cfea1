//! From what a file holds to what a network takes: the training samples' mean is subtracted, or each number standardised.

use ndarray::{Array1, Array2, ArrayView2, Axis};
use serde::{Deserialize, Serialize};

use super::{DataSet, Features, Rows};
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
            x @ (Features::Floats(_) | Features::Sparse(_)) => x.to_floats(),
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

    /// What this scaling does to samples: means and deviations are those of all training rows.
    pub fn scale(&self, scaling: Scaling) -> Scale {
        let not_zero = |deviation: f64| if deviation > 0.0 { deviation } else { 1.0 };
        Scale {
            mean: match scaling {
                Scaling::None => vec![0.0; self.input_dim()],
                Scaling::Mean | Scaling::Standard | Scaling::Unit => self.mean_sample().to_vec(),
            },
            deviation: match scaling {
                Scaling::None | Scaling::Mean => None,
                Scaling::Standard => Some(self.deviation_sample().mapv(not_zero).to_vec()),
                Scaling::Unit => Some(vec![not_zero(self.range_width()); self.input_dim()]),
            },
        }
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
    /// sparse where nothing is done to them.
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
            Features::Floats(_) | Features::Sparse(_) => x.to_floats(),
        };
        let mut scaled = Array2::zeros(floats.dim());
        for (mut out, row) in scaled.rows_mut().into_iter().zip(floats.rows()) {
            for (column, (out, &value)) in out.iter_mut().zip(row).enumerate() {
                let divisor = self.deviation.as_ref().map_or(1.0, |deviation| deviation[column]);
                *out = F::from_f64((value - self.mean[column]) / divisor);
            }
        }
        Ok(scaled.into())
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
