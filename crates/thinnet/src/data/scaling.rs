//! From what a file holds to what a network takes: the training samples' mean is subtracted, or each number standardised.

use ndarray::{ArcArray2, Array1, Array2, ArrayView2, Axis};
use serde::{Deserialize, Serialize};

use super::{DataSet, Dataset, Features, Part, Pixels, Samples, Split, Values};
use crate::error::{Error, Result};
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
        match &self.train.values {
            Values::Bytes(bytes) => sums(bytes.view()).0.mapv(|sum| sum as f64 / samples),
            Values::Floats(values) => values.sum_axis(Axis(0)) / samples,
        }
    }

    /// The standard deviation of each number over the training samples (D): `sqrt(mean((x - mean(x))^2))`.
    pub fn deviation_sample(&self) -> Array1<f64> {
        let samples = self.train.len().max(1);
        match &self.train.values {
            Values::Bytes(bytes) => {
                let (sums, squares) = sums(bytes.view());
                let n = samples as u128;
                let variance = |(&sum, &square): (&u64, &u64)| {
                    let above = (n * u128::from(square)).saturating_sub(u128::from(sum) * u128::from(sum));
                    above as f64 / (n * n) as f64
                };
                sums.iter().zip(&squares).map(variance).map(f64::sqrt).collect()
            }
            Values::Floats(values) => {
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
        }
    }

    /// How samples like these are scaled unless one asks for more: images less their mean, other samples standardised.
    pub fn default_scaling(&self) -> Scaling {
        if self.is_images() { Scaling::Mean } else { Scaling::Standard }
    }

    /// The first `num_train` training samples and all validation samples, scaled as [`DataSet::default_scaling`] says.
    /// Bytes are shared, not copied.
    ///
    /// # Errors
    /// Those of [`DataSet::scaled`].
    pub fn dataset<F: Float>(&self, num_train: usize) -> Result<Dataset<F>> {
        self.scaled(num_train, self.default_scaling())
    }

    /// The first `num_train` training samples and all validation samples. Means and deviations are those of all training
    /// samples.
    ///
    /// # Errors
    /// [`Error::Configuration`] unless 1 <= `num_train` <= the number of training samples, and if there are no validation
    /// samples ([`DataSet::split`] makes some).
    pub fn scaled<F: Float>(&self, num_train: usize, scaling: Scaling) -> Result<Dataset<F>> {
        let available = self.train.len();
        if num_train == 0 || num_train > available {
            let what = if self.is_images() { "images" } else { "samples" };
            return Err(Error::configuration(format!(
                "the number of training {what} must be from 1 to {available}, which is what this data set has; got {num_train}"
            )));
        }
        let val = self.part(Part::Val)?;
        let scale = self.scale(scaling);
        Ok(Dataset {
            train: scale.samples(self.train.range(0, num_train))?,
            val: scale.samples(val.clone())?,
            classes: self.classes.clone(),
        })
    }

    /// All samples of one part, scaled as those of [`DataSet::scaled`] are: test samples, above all.
    ///
    /// # Errors
    /// [`Error::Configuration`] if there is no such part.
    pub fn samples<F: Float>(&self, part: Part, scaling: Scaling) -> Result<Samples<F>> {
        self.scale(scaling).samples(self.part(part)?.clone())
    }

    fn part(&self, part: Part) -> Result<&Split> {
        let found = self.parts().find(|(name, _)| *name == part).map(|(_, split)| split);
        found.ok_or_else(|| {
            Error::configuration(format!("this data set has no {part} samples; it has to be split first"))
        })
    }

    /// How far the greatest of the training samples' numbers is from the least: of bytes, from 0 to 255.
    fn range_width(&self) -> f64 {
        match &self.train.values {
            Values::Bytes(_) => 255.0,
            values @ Values::Floats(_) => values.range().map_or(0.0, |(least, greatest)| greatest - least),
        }
    }

    /// What a scaling subtracts from each number of a sample (D), and what it divides the difference by, if it does.
    pub fn scale_of(&self, scaling: Scaling) -> (Array1<f64>, Option<Array1<f64>>) {
        let Scale { mean, deviation } = self.scale(scaling);
        (mean, deviation)
    }

    fn scale(&self, scaling: Scaling) -> Scale {
        let not_zero = |deviation: f64| if deviation > 0.0 { deviation } else { 1.0 };
        Scale {
            mean: match scaling {
                Scaling::None => Array1::zeros(self.input_dim()),
                Scaling::Mean | Scaling::Standard | Scaling::Unit => self.mean_sample(),
            },
            deviation: match scaling {
                Scaling::None | Scaling::Mean => None,
                Scaling::Standard => Some(self.deviation_sample().mapv(not_zero)),
                Scaling::Unit => Some(Array1::from_elem(self.input_dim(), not_zero(self.range_width()))),
            },
        }
    }
}

/// What is subtracted, and what the difference is divided by.
struct Scale {
    mean: Array1<f64>,
    deviation: Option<Array1<f64>>,
}

impl Scale {
    fn samples<F: Float>(&self, split: Split) -> Result<Samples<F>> {
        let x = match split.values {
            Values::Bytes(bytes) => {
                let pixels = Pixels::new(bytes, self.mean.clone())?;
                Features::Pixels(match &self.deviation {
                    None => pixels,
                    Some(deviation) => pixels.divided_by(deviation.clone())?,
                })
            }
            Values::Floats(values) => {
                let mut x = Array2::zeros(values.dim());
                for (mut out, row) in x.rows_mut().into_iter().zip(values.rows()) {
                    for (column, (out, &value)) in out.iter_mut().zip(row).enumerate() {
                        let centred = value - self.mean[column];
                        let divisor = self.deviation.as_ref().map_or(1.0, |deviation| deviation[column]);
                        *out = F::from_f64(centred / divisor);
                    }
                }
                Features::Floats(x)
            }
        };
        Ok(Samples { x, y: split.labels, targets: split.targets.as_ref().map(rounded).transpose()? })
    }
}

/// Targets in a network's number type.
fn rounded<F: Float>(targets: &ArcArray2<f64>) -> Result<Array2<F>> {
    let rounded = targets.mapv(F::from_f64);
    match rounded.indexed_iter().find(|(_, target)| !target.is_finite()) {
        None => Ok(rounded),
        Some((place, _)) => Err(Error::data(format!(
            "target {} of sample {} is {}, which is beyond the numbers of {}",
            place.1,
            place.0,
            targets[place],
            F::DTYPE
        ))),
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
