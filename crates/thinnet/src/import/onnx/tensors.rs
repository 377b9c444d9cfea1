//! Constants of a graph as numbers.

use std::cell::Cell;

use ndarray::{Array1, Array2};

use crate::error::{Error, Result, ensure};
use crate::export::messages::TensorProto;

/// An array of numbers, row-major.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tensor {
    pub(super) shape: Vec<usize>,
    pub(super) numbers: Vec<f64>,
}

/// Reads constants, and bounds how many numbers they make together: many nodes may take the same large constant.
#[derive(Debug)]
pub(super) struct Decoder {
    left: Cell<usize>,
}

impl Decoder {
    /// How often each byte of a file may become a number; each weight is used once, and is a byte or more.
    const USES: usize = 4;
    /// Numbers beyond these.
    const BASE: usize = 1 << 16;

    /// For a file of `size` bytes.
    pub(super) fn new(size: usize) -> Self {
        Self { left: Cell::new(size.saturating_mul(Self::USES).saturating_add(Self::BASE)) }
    }

    /// The numbers of a constant; see [`Tensor::of`].
    pub(super) fn tensor(&self, proto: &TensorProto) -> Result<Tensor> {
        let tensor = Tensor::of(proto)?;
        self.take(tensor.numbers.len())?;
        Ok(tensor)
    }

    /// Counts numbers that a node takes.
    pub(super) fn take(&self, count: usize) -> Result<()> {
        let left = self.left.get().checked_sub(count);
        let many = || {
            Error::data(
                "its nodes take the same constants again and again; a chain of layers takes each once",
            )
        };
        self.left.set(left.ok_or_else(many)?);
        Ok(())
    }
}

impl Tensor {
    /// The numbers of a constant.
    ///
    /// # Errors
    /// [`Error::Data`] for words, for numbers in another file, and for fewer or more numbers than its shape says.
    pub(super) fn of(proto: &TensorProto) -> Result<Self> {
        let shape = shape(proto)?;
        ensure!(
            proto.data_location == 0,
            Error::data(format!(
                "its constant {:.60} is in another file; save the model with its weights in one file",
                proto.name
            ))
        );
        let numbers: Vec<f64> = match (&proto.raw_data, proto.data_type) {
            (Some(raw), TensorProto::FLOAT) => fixed(raw, |bytes| f32::from_le_bytes(bytes).into())?,
            (Some(raw), TensorProto::DOUBLE) => fixed(raw, f64::from_le_bytes)?,
            (Some(raw), TensorProto::FLOAT16) => fixed(raw, |bytes| half::f16::from_le_bytes(bytes).into())?,
            (Some(raw), TensorProto::BFLOAT16) => {
                fixed(raw, |bytes| half::bf16::from_le_bytes(bytes).into())?
            }
            (Some(raw), TensorProto::INT8) => fixed(raw, |bytes| i8::from_le_bytes(bytes).into())?,
            (Some(raw), TensorProto::INT32) => fixed(raw, |bytes| i32::from_le_bytes(bytes).into())?,
            (Some(raw), TensorProto::INT64) => fixed(raw, |bytes| i64::from_le_bytes(bytes) as f64)?,
            (None, TensorProto::FLOAT) => proto.float_data.iter().copied().map(Into::into).collect(),
            (None, TensorProto::DOUBLE) => proto.double_data.clone(),
            (None, TensorProto::FLOAT16) => {
                bits(proto).map(|bits| half::f16::from_bits(bits).into()).collect()
            }
            (None, TensorProto::BFLOAT16) => {
                bits(proto).map(|bits| half::bf16::from_bits(bits).into()).collect()
            }
            (None, TensorProto::INT8 | TensorProto::INT32) => {
                proto.int32_data.iter().copied().map(Into::into).collect()
            }
            (None, TensorProto::INT64) => proto.int64_data.iter().map(|&number| number as f64).collect(),
            (_, other) => {
                return Err(Error::data(format!(
                    "its constant {:.60} has the element type {other}; floats and whole numbers are read",
                    proto.name
                )));
            }
        };
        ensure!(
            shape.iter().try_fold(1usize, |count, &size| count.checked_mul(size)) == Some(numbers.len()),
            Error::data(format!(
                "its constant {:.60} has the shape {shape:?}, but {} numbers",
                proto.name,
                numbers.len()
            ))
        );
        Ok(Self { shape, numbers })
    }

    /// The only number.
    pub(super) fn one(&self) -> Option<f64> {
        match self.numbers.as_slice() {
            [one] => Some(*one),
            _ => None,
        }
    }

    /// A vector: of its dimensions, only the last may be larger than 1.
    pub(super) fn vector(&self) -> Option<Array1<f64>> {
        let before = self.shape.split_last().map_or(&[][..], |(_, before)| before);
        before.iter().all(|&size| size == 1).then(|| Array1::from(self.numbers.clone()))
    }

    pub(super) fn matrix(&self) -> Option<Array2<f64>> {
        let &[rows, columns] = self.shape.as_slice() else { return None };
        Array2::from_shape_vec((rows, columns), self.numbers.clone()).ok()
    }

    pub(super) fn of_matrix(matrix: Array2<f64>) -> Self {
        let shape = matrix.shape().to_vec();
        Self { shape, numbers: matrix.iter().copied().collect() }
    }

    /// Whole numbers times their scale, `(x - zero) * scale`: one scale, or one for each place along `axis`.
    pub(super) fn dequantised(&self, scale: &Self, zero: Option<&Self>, axis: i64) -> Option<Self> {
        let rank = i64::try_from(self.shape.len()).ok()?;
        let axis = usize::try_from(if axis < 0 { axis.checked_add(rank)? } else { axis }).ok();
        let one = scale.numbers.len() == 1;
        let size = axis.and_then(|axis| self.shape.get(axis).copied());
        if !one && size != Some(scale.numbers.len()) {
            return None;
        }
        if zero.is_some_and(|zero| zero.numbers.len() != scale.numbers.len()) {
            return None;
        }
        let behind = axis.and_then(|axis| self.shape.get(axis + 1..)).unwrap_or(&[]);
        let behind = behind.iter().fold(1, |count: usize, &size| count.saturating_mul(size));
        let mut numbers = self.numbers.clone();
        for (index, number) in numbers.iter_mut().enumerate() {
            let place = if one { 0 } else { index / behind.max(1) % scale.numbers.len().max(1) };
            let zero = zero.map_or(0.0, |zero| zero.numbers[place]);
            *number = (*number - zero) * scale.numbers[place];
        }
        Some(Self { shape: self.shape.clone(), numbers })
    }
}

/// The words of a constant, or its whole numbers as words.
pub(super) fn words(proto: &TensorProto) -> Option<Vec<String>> {
    match proto.data_type {
        TensorProto::STRING => {
            Some(proto.string_data.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect())
        }
        TensorProto::INT64 => match &proto.raw_data {
            Some(raw) => fixed(raw, |bytes| i64::from_le_bytes(bytes).to_string()).ok(),
            None => Some(proto.int64_data.iter().map(ToString::to_string).collect()),
        },
        TensorProto::INT32 => match &proto.raw_data {
            Some(raw) => fixed(raw, |bytes| i32::from_le_bytes(bytes).to_string()).ok(),
            None => Some(proto.int32_data.iter().map(ToString::to_string).collect()),
        },
        _ => None,
    }
}

fn shape(proto: &TensorProto) -> Result<Vec<usize>> {
    let sizes: Option<Vec<usize>> = proto.dims.iter().map(|&size| usize::try_from(size).ok()).collect();
    sizes.ok_or_else(|| Error::data(format!("its constant {:.60} has a negative size", proto.name)))
}

/// Numbers of `N` bytes each.
fn fixed<const N: usize, T>(raw: &[u8], number: impl Fn([u8; N]) -> T) -> Result<Vec<T>> {
    let (chunks, rest) = raw.as_chunks();
    ensure!(rest.is_empty(), Error::data("a constant of it ends within a number"));
    Ok(chunks.iter().map(|chunk| number(*chunk)).collect())
}

/// The bits of 16-bit floats.
fn bits(proto: &TensorProto) -> impl Iterator<Item = u16> + '_ {
    proto.int32_data.iter().map(|&bits| u16::try_from(bits & 0xffff).unwrap_or_default())
}
