//! From the numbers in a file to a network's inputs: the training samples' mean is subtracted, or each number is
//! standardised.

use std::any::Any;
use std::sync::Arc;

use ndarray::{ArcArray2, Array1, Array2, ArrayView1, Axis};
use serde::{Deserialize, Serialize};

use super::stored::Source;
use super::table::Table;
use super::{DataSet, Features, Rows, SparseRows};
use crate::error::{Error, Result, ensure};
use crate::float::{Dtype, Float};
use crate::names::names;

/// How every number of a sample is scaled, by its place in the sample. Means and standard deviations are those of the
/// training samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scaling {
    /// Nothing.
    None,
    /// Minus the mean, as the course does with images.
    Mean,
    /// Minus the mean, divided by the standard deviation (with N, not N - 1; 1 instead of 0).
    Standard,
    /// Minus the mean, divided by the width of the range of all numbers together: 255 for bytes. All numbers are then
    /// between -1 and 1 and keep their relative sizes, as is common for images.
    Unit,
}

names!(Scaling, "scaling", "scalings", None = "none", Mean = "mean", Standard = "standard", Unit = "unit");

impl DataSet {
    /// The mean of the training samples (D), or the data set's own mean. For images it is exact: a sum of whole
    /// numbers, divided once, like NumPy's `mean` of 64-bit floats.
    ///
    /// # Errors
    /// Errors of reading, if samples stay in a file.
    pub fn mean_sample(&self) -> Result<Array1<f64>> {
        if let Some(mean) = &self.mean {
            return Ok(mean.clone());
        }
        let samples = self.train.len().max(1) as f64;
        let x = self.train.x();
        if is_bytes(x) {
            return Ok(sums(x)?.0.mapv(|sum| sum as f64 / samples));
        }
        Ok(match x {
            Features::Floats(values) => values.sum_axis(Axis(0)) / samples,
            Features::Sparse(sparse) => {
                let mut sums = Array1::zeros(sparse.dim().1);
                for row in 0..sparse.dim().0 {
                    let (columns, values) = sparse.row(row);
                    columns.iter().zip(values).for_each(|(&column, value)| sums[column as usize] += value);
                }
                sums / samples
            }
            Features::Table(_) => x.to_floats()?.sum_axis(Axis(0)) / samples,
            // For one column, floats in memory are not added one by one.
            Features::Singles(_) | Features::Stored(_) if x.dim().1 < 2 => {
                x.to_floats()?.sum_axis(Axis(0)) / samples
            }
            Features::Pixels(_) | Features::Singles(_) | Features::Stored(_) => Moments::of(x)?.sum / samples,
        })
    }

    /// The standard deviation of each number over the training samples (D): `sqrt(mean((x - mean(x))^2))`.
    ///
    /// # Errors
    /// Errors of reading, if samples stay in a file.
    pub fn deviation_sample(&self) -> Result<Array1<f64>> {
        let samples = self.train.len().max(1);
        let (mut deviations, sums) = match self.train.x() {
            x if is_bytes(x) => {
                let (sums, squares) = sums(x)?;
                let n = samples as u128;
                let variance = |(&sum, &square): (&u64, &u64)| {
                    let above = (n * u128::from(square)).saturating_sub(u128::from(sum) * u128::from(sum));
                    above as f64 / (n * n) as f64
                };
                return Ok(sums.iter().zip(&squares).map(variance).map(f64::sqrt).collect());
            }
            x @ (Features::Stored(_) | Features::Singles(_)) if x.dim().1 > 1 => {
                let Moments { sum, squares, .. } = Moments::of(x)?;
                (squares.mapv_into(|squares| (squares / samples as f64).sqrt()), sum)
            }
            x => {
                let values = x.to_floats()?;
                (values.std_axis(Axis(0), 0.0), values.sum_axis(Axis(0)))
            }
        };
        // A deviation of equal numbers that comes only from rounding counts as 0 (scikit-learn's rule).
        let rounding = samples as f64 * f64::EPSILON;
        for (deviation, sum) in deviations.iter_mut().zip(sums) {
            if *deviation <= rounding * (sum / samples as f64).abs() {
                *deviation = 0.0;
            }
        }
        Ok(deviations)
    }

    /// The default scaling of such samples: images minus their mean, other samples standardised. Sparse rows are not
    /// scaled, so that they stay sparse.
    pub fn default_scaling(&self) -> Scaling {
        match self.train.x() {
            Features::Sparse(_) => Scaling::None,
            _ if self.is_images() => Scaling::Mean,
            _ => Scaling::Standard,
        }
    }

    /// The difference between the max and the min of the training samples' numbers; for bytes, 255.
    fn range_width(&self) -> Result<f64> {
        Ok(match self.train.x() {
            x if is_bytes(x) => 255.0,
            x => x.range()?.map_or(0.0, |(least, greatest)| greatest - least),
        })
    }

    /// How this scaling changes samples; means and standard deviations are those of all training rows. In a table
    /// with categories only quantities are scaled: numbers that are 0 or 1 stay so.
    ///
    /// # Errors
    /// Errors of reading, if samples stay in a file.
    pub fn scale(&self, scaling: Scaling) -> Result<Scale> {
        let not_zero = |deviation: f64| if deviation > 0.0 { deviation } else { 1.0 };
        let mut scale = Scale {
            mean: match scaling {
                Scaling::None => vec![0.0; self.input_dim()],
                Scaling::Mean | Scaling::Standard | Scaling::Unit => self.mean_sample()?.to_vec(),
            },
            deviation: match scaling {
                Scaling::None | Scaling::Mean => None,
                Scaling::Standard => Some(self.deviation_sample()?.mapv(not_zero).to_vec()),
                Scaling::Unit => Some(vec![not_zero(self.range_width()?); self.input_dim()]),
            },
        };
        let quantities = match self.train.x() {
            Features::Table(table) => Some(table.quantities()),
            Features::Stored(stored) => stored.source().quantities(),
            _ => None,
        };
        if let Some(quantities) = quantities {
            let set = |numbers: &mut Vec<f64>, value| {
                let flags = numbers.iter_mut().zip(&quantities).filter(|(_, quantity)| !**quantity);
                flags.for_each(|(number, _)| *number = value);
            };
            set(&mut scale.mean, 0.0);
            scale.deviation.iter_mut().for_each(|deviation| set(deviation, 1.0));
        }
        Ok(scale)
    }
}

/// Computes means and standard deviations of columns in one pass over any number of rows.
struct Moments {
    sum: Array1<f64>,
    /// Welford's running mean ("Note on a Method for Calculating Corrected Sums of Squares and Products", 1962).
    mean: Array1<f64>,
    /// The sum of squared differences from the mean.
    squares: Array1<f64>,
}

impl Moments {
    fn of(x: &Features<f64>) -> Result<Self> {
        let zeros = || Array1::zeros(x.dim().1);
        let mut moments = Self { sum: zeros(), mean: zeros(), squares: zeros() };
        let mut count = 0.0;
        x.each_row(|_, row| {
            count += 1.0;
            let Self { sum, mean, squares } = &mut moments;
            for (((&value, sum), mean), squares) in row.iter().zip(sum).zip(mean).zip(squares) {
                *sum += value;
                let difference = value - *mean;
                *mean += difference / count;
                *squares = (value - *mean).mul_add(difference, *squares);
            }
        })?;
        Ok(moments)
    }
}

/// A file whose samples are scaled when they are read.
struct Scaled {
    source: Arc<dyn Source<Features<f64>>>,
    scale: Scale,
}

impl<F: Float> Source<Features<F>> for Scaled {
    fn width(&self) -> usize {
        self.source.width()
    }

    fn ends(&self) -> &[usize] {
        self.source.ends()
    }

    fn window(&self) -> usize {
        self.source.window()
    }

    fn is_bytes(&self) -> bool {
        self.source.is_bytes()
    }

    fn read(&self, block: usize) -> Result<Features<F>> {
        let x = self.scale.apply::<F>(&self.source.read(block)?)?;
        match x.first_not_finite() {
            None => Ok(x),
            Some((row, column)) => {
                let before = if block == 0 { 0 } else { self.source.ends()[block - 1] };
                Err(Error::data(format!(
                    "number {column} of sample {} is not finite after scaling",
                    before + row
                )))
            }
        }
    }
}

/// What is subtracted from each of a sample's D numbers, and what the difference is divided by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scale {
    /// Subtracted (D).
    pub mean: Vec<f64>,
    /// What the difference is divided by (D), if anything.
    pub deviation: Option<Vec<f64>>,
}

impl Scale {
    /// No scaling of D numbers.
    pub fn none(input_dim: usize) -> Self {
        Self { mean: vec![0.0; input_dim], deviation: None }
    }

    /// Whether samples stay unchanged.
    fn is_none(&self) -> bool {
        self.deviation.is_none() && self.mean.iter().all(|mean| *mean == 0.0)
    }

    /// Inputs (N, D), scaled in 64-bit floats and then rounded to `F`. Bytes are shared and stay bytes. Sparse rows
    /// stay sparse if they are not scaled. Rows of a table become sparse if most of their numbers are 0. Samples in a
    /// file stay there, and are scaled when they are read.
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
            Features::Stored(stored) => {
                let source = Arc::clone(stored.source());
                let scaled = Arc::new(Scaled { source, scale: self.clone() });
                return Ok(Features::Stored(stored.with_source(scaled)));
            }
            Features::Floats(_) | Features::Sparse(_) => x.to_floats()?,
            Features::Singles(singles) => return Ok(self.each(singles, f64::from).into()),
        };
        Ok(self.each(&floats, |value| value).into())
    }

    /// The same for inputs that nobody else needs: numbers of type `F` are scaled in place, without more memory.
    ///
    /// # Errors
    /// As [`Scale::apply`].
    fn apply_to<F: Float>(&self, x: Features<f64>) -> Result<Features<F>> {
        ensure!(x.dim().1 == self.mean.len(), Error::shape("x", ("N", self.mean.len()), x.dim()));
        // If `F` is the type of the numbers, this cast returns them unchanged.
        let own: Box<dyn Any> = match x {
            Features::Singles(x) if F::DTYPE == Dtype::F32 => Box::new(self.in_place(x)),
            Features::Floats(x) if F::DTYPE == Dtype::F64 => Box::new(self.in_place(x)),
            x => return self.apply(&x),
        };
        let own = own.downcast::<ArcArray2<F>>();
        own.map(|x| Features::Floats(*x)).map_err(|_| Error::data("its numbers are of another type"))
    }

    fn in_place<F: Float>(&self, mut x: ArcArray2<F>) -> ArcArray2<F> {
        for mut row in x.rows_mut() {
            row.indexed_iter_mut().for_each(|(column, value)| *value = self.number(column, value.as_f64()));
        }
        x
    }

    /// All numbers (N, D), scaled.
    fn each<T: Copy, F: Float>(&self, values: &ArcArray2<T>, number: impl Fn(T) -> f64) -> Array2<F> {
        let mut scaled = Array2::zeros(values.dim());
        for (mut out, row) in scaled.rows_mut().into_iter().zip(values.rows()) {
            for (column, (out, &value)) in out.iter_mut().zip(row).enumerate() {
                *out = self.number(column, number(value));
            }
        }
        scaled
    }

    /// A number of column `column`, scaled.
    fn number<F: Float>(&self, column: usize, value: f64) -> F {
        let divisor = self.deviation.as_ref().map_or(1.0, |deviation| deviation[column]);
        F::from_f64((value - self.mean[column]) / divisor)
    }

    /// Rows of a table, scaled. Only quantities are shifted, because they are never sparse; other numbers may be 0
    /// and stay so.
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

    /// Rows with their inputs scaled; target numbers, if any, are rounded to `F`.
    ///
    /// # Errors
    /// [`Error::Shape`] for another D; [`Error::Data`] for numbers outside the range of `F`.
    pub fn rows<F: Float>(&self, rows: &Rows<f64>) -> Result<Rows<F>> {
        Self::check_targets::<F>(rows)?;
        rows.map(self.apply(rows.x())?, |numbers| numbers.mapv(F::from_f64))
    }

    /// The same for rows that nobody else needs: numbers of type `F` are scaled in place, without more memory.
    ///
    /// # Errors
    /// As [`Scale::rows`].
    pub fn rows_in_place<F: Float>(&self, rows: Rows<f64>) -> Result<Rows<F>> {
        Self::check_targets::<F>(&rows)?;
        rows.map_into(|x| self.apply_to(x), |numbers| numbers.mapv(F::from_f64))
    }

    /// Refuses targets outside the range of `F`.
    fn check_targets<F: Float>(rows: &Rows<f64>) -> Result<()> {
        if let Some(numbers) = rows.numbers()
            && let Some(((sample, column), number)) =
                numbers.indexed_iter().find(|(_, number)| !F::from_f64(**number).is_finite())
        {
            return Err(Error::data(format!(
                "target {column} of sample {sample} is {number}, which is outside the range of {}",
                F::DTYPE
            )));
        }
        Ok(())
    }
}

/// Whether all numbers are bytes.
fn is_bytes(x: &Features<f64>) -> bool {
    match x {
        Features::Pixels(_) => true,
        Features::Stored(stored) => stored.source().is_bytes(),
        _ => false,
    }
}

/// The sum and the sum of squares of each column of bytes.
fn sums(x: &Features<f64>) -> Result<(Array1<u64>, Array1<u64>)> {
    let zeros = || Array1::zeros(x.dim().1);
    let (mut sums, mut squares) = (zeros(), zeros());
    let mut add = |row: ArrayView1<'_, u8>| {
        for ((sum, square), &byte) in sums.iter_mut().zip(&mut squares).zip(row) {
            *sum += u64::from(byte);
            *square += u64::from(byte) * u64::from(byte);
        }
    };
    match x {
        Features::Pixels(pixels) => pixels.view().rows().into_iter().for_each(add),
        Features::Stored(stored) => stored.each_block(|block, rows| {
            if let Features::Pixels(pixels) = block {
                for &(_, row) in rows {
                    add(pixels.view().row(row));
                }
            }
            Ok(())
        })?,
        _ => {}
    }
    Ok((sums, squares))
}
