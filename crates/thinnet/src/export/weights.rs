//! Weights with fewer bits, for smaller files.

use ndarray::{Array1, Array2};

use crate::error::{Error, Result, ensure};
use crate::names::names;

/// The largest number of a weight in 8 bits.
const MOST: f64 = 127.0;

/// How the weights of an exported file are stored. Biases and normalisations keep their bits; all computation is in floats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Weights {
    /// As they are: the model's own type, and 32-bit floats in ONNX.
    #[default]
    Full,
    /// 16-bit floats (IEEE 754 binary16).
    Float16,
    /// Whole numbers from -127 to 127, with a scale for each unit: its largest weight is 127 or -127.
    Int8,
}

names!(Weights, "form of weights", "forms of weights", Full = "full", Float16 = "float16", Int8 = "int8");

/// Weights (inputs, outputs) in 8 bits.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bytes {
    /// (inputs, outputs)
    pub(super) w: Array2<i8>,
    /// What a unit's numbers are multiplied by (outputs).
    pub(super) scale: Array1<f32>,
}

impl Weights {
    /// Weights (inputs, outputs) as they are read from such a file.
    ///
    /// # Errors
    /// [`Error::Data`] for weights beyond the range of 16-bit floats.
    pub fn rounded(self, w: &Array2<f64>) -> Result<Array2<f64>> {
        Ok(match self {
            Self::Full => w.clone(),
            Self::Float16 => halves(w)?.mapv(|bits| half::f16::from_bits(bits).into()),
            Self::Int8 => {
                let Bytes { w, scale } = bytes(w);
                let mut numbers = w.mapv(f64::from);
                for (mut column, &scale) in numbers.columns_mut().into_iter().zip(&scale) {
                    // As runtimes do: in 32-bit floats.
                    #[allow(clippy::cast_possible_truncation, reason = "it is a small whole number")]
                    column.mapv_inplace(|number| f64::from(number as f32 * scale));
                }
                numbers
            }
        })
    }
}

/// The bits of 16-bit floats.
pub(super) fn halves(w: &Array2<f64>) -> Result<Array2<u16>> {
    let halves = w.mapv(half::f16::from_f64);
    ensure!(
        halves.iter().all(|number| number.is_finite()),
        Error::data(
            "it has weights beyond 65504, the largest 16-bit float; store them as they are, or as int8"
        )
    );
    Ok(halves.mapv(half::f16::to_bits))
}

/// Refuses weights of 8 bits for a format whose readers do not scale them.
pub(super) fn no_bytes(weights: Weights) -> Result<()> {
    ensure!(
        weights != Weights::Int8,
        Error::configuration("weights as int8 are for .onnx files; other formats take float16")
    );
    Ok(())
}

/// Whole numbers with a scale for each unit, symmetric about 0.
pub(super) fn bytes(w: &Array2<f64>) -> Bytes {
    let scale = w.columns().into_iter().map(|column| {
        let most = column.iter().fold(0.0f64, |most, w| most.max(w.abs()));
        #[allow(clippy::cast_possible_truncation, reason = "it is rounded")]
        let scale = (most / MOST) as f32;
        // A unit of zeros, or of numbers too small for a scale, stays 0.
        if scale > 0.0 { scale } else { 1.0 }
    });
    let scale: Array1<f32> = scale.collect();
    let mut numbers = Array2::zeros(w.dim());
    for ((from, mut to), &scale) in w.columns().into_iter().zip(numbers.columns_mut()).zip(&scale) {
        for (&from, to) in from.iter().zip(&mut to) {
            #[allow(clippy::cast_possible_truncation, reason = "it is rounded and within 8 bits")]
            let number = (from / f64::from(scale)).round().clamp(-MOST, MOST) as i8;
            *to = number;
        }
    }
    Bytes { w: numbers, scale }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn bytes_have_a_scale_for_each_unit() {
        let w = array![[1.27, 0.0, -300.0], [-0.02, 0.0, 1.0]];
        let made = bytes(&w);
        assert_eq!(made.w, array![[127, 0, -127], [-2, 0, 0]]);
        assert!((made.scale[0] - 0.01).abs() < 1e-9);
        let rounded = Weights::Int8.rounded(&w).unwrap();
        for ((row, column), number) in w.indexed_iter() {
            let step = f64::from(made.scale[column]);
            assert!((rounded[[row, column]] - number).abs() <= 0.5001 * step);
        }
        // What is rounded already stays.
        let again = Weights::Int8.rounded(&rounded).unwrap();
        assert!(again.iter().zip(&rounded).all(|(a, b)| (a - b).abs() <= 1e-6 * b.abs()));
    }

    #[test]
    fn halves_are_the_nearest_and_finite() {
        let w = array![[0.1, -65504.0]];
        assert_eq!(Weights::Float16.rounded(&w).unwrap(), array![[0.099_975_585_937_5, -65504.0]]);
        assert!(Weights::Float16.rounded(&array![[70_000.0]]).unwrap_err().to_string().contains("65504"));
        assert_eq!(Weights::Full.rounded(&w).unwrap(), w);
    }
}
