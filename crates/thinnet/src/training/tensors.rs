//! Named arrays with one text, in the safetensors format: models and checkpoints use them.
//!
//! The text is the only entry, `thinnet`, of the format's metadata: with more entries their order, and so the bytes,
//! would differ from run to run.

use std::borrow::Cow;
use std::collections::HashMap;

use ndarray::{Array1, ArrayD, ArrayViewD, Ix1, Ix2, IxDyn};
use safetensors::{Dtype, SafeTensors, View};

use crate::error::{Error, Result};
use crate::float::{self, Float};
use crate::layers::RunningStatistics;
use crate::net::{LayerParameters, Parameters};

/// The entry of the metadata.
const ENTRY: &str = "thinnet";

/// Arrays to write, in any order; the format sorts them.
#[derive(Debug, Default)]
pub(crate) struct Tensors(Vec<(String, Tensor)>);

/// One array as bytes, little-endian, row-major.
#[derive(Debug)]
struct Tensor {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl View for &Tensor {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.bytes)
    }

    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}

impl Tensors {
    /// Adds an array of `F`.
    pub(crate) fn add<F: Float>(&mut self, name: impl Into<String>, array: ArrayViewD<'_, F>) {
        // Checkpoints write millions of numbers: slices, which the compiler vectorises, not iterators.
        let array = array.as_standard_layout();
        let values = array.as_slice().unwrap_or_default(); // it is in standard layout
        let (dtype, bytes) = match F::DTYPE {
            float::Dtype::F32 => {
                let mut bytes = vec![0; 4 * values.len()];
                for (out, value) in bytes.as_chunks_mut().0.iter_mut().zip(values) {
                    #[allow(clippy::cast_possible_truncation)] // it is an f32
                    let value = value.as_f64() as f32;
                    *out = value.to_le_bytes();
                }
                (Dtype::F32, bytes)
            }
            float::Dtype::F64 => {
                let mut bytes = vec![0; 8 * values.len()];
                for (out, value) in bytes.as_chunks_mut().0.iter_mut().zip(values) {
                    *out = value.as_f64().to_le_bytes();
                }
                (Dtype::F64, bytes)
            }
        };
        self.0.push((name.into(), Tensor { dtype, shape: array.shape().to_vec(), bytes }));
    }

    /// Adds 16-bit floats, given by their bits.
    #[cfg(feature = "export")]
    pub(crate) fn add_halves(&mut self, name: impl Into<String>, bits: ArrayViewD<'_, u16>) {
        let bytes = bits.iter().flat_map(|bits| bits.to_le_bytes()).collect();
        self.0.push((name.into(), Tensor { dtype: Dtype::F16, shape: bits.shape().to_vec(), bytes }));
    }

    /// Adds whole numbers.
    pub(crate) fn add_indices(&mut self, name: impl Into<String>, values: &[u32]) {
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.0.push((name.into(), Tensor { dtype: Dtype::U32, shape: vec![values.len()], bytes }));
    }

    /// The file's bytes, including `text`.
    pub(crate) fn to_bytes(&self, text: String) -> Result<Vec<u8>> {
        let metadata = HashMap::from([(ENTRY.to_owned(), text)]);
        safetensors::serialize(self.0.iter().map(|(name, tensor)| (name, tensor)), Some(metadata))
            .map_err(|error| Error::data(format!("arrays as safetensors: {error}")))
    }
}

/// Arrays that were read.
#[derive(Debug)]
pub(crate) struct Read<'a> {
    tensors: SafeTensors<'a>,
    /// The text with them.
    pub(crate) text: String,
}

impl<'a> Read<'a> {
    /// Reads a file's bytes.
    pub(crate) fn new(bytes: &'a [u8]) -> Result<Self> {
        let damaged = |error| Error::data(format!("it is not a safetensors file, or it is damaged: {error}"));
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
        let text = metadata.metadata().as_ref().and_then(|metadata| metadata.get(ENTRY)).cloned();
        let text = text
            .ok_or_else(|| Error::data("it was not written by thinnet: its metadata have no such entry"))?;
        Ok(Self { tensors: SafeTensors::deserialize(bytes).map_err(damaged)?, text })
    }

    /// Whether there is an array with this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.tensors.tensor(name).is_ok()
    }

    /// The array with this name, which must have type `F`.
    pub(crate) fn array<F: Float>(&self, name: &str) -> Result<ArrayD<F>> {
        let tensor = self.tensors.tensor(name).map_err(|_| Error::data(format!("it has no array {name}")))?;
        let data = tensor.data();
        let values: Vec<F> = match (F::DTYPE, tensor.dtype()) {
            (float::Dtype::F32, Dtype::F32) => {
                data.as_chunks().0.iter().map(|b| F::from_f64(f32::from_le_bytes(*b).into())).collect()
            }
            (float::Dtype::F64, Dtype::F64) => {
                data.as_chunks().0.iter().map(|b| F::from_f64(f64::from_le_bytes(*b))).collect()
            }
            (own, other) => {
                return Err(Error::data(format!("its array {name} has type {other:?}, but {own} is needed")));
            }
        };
        ArrayD::from_shape_vec(IxDyn(tensor.shape()), values)
            .map_err(|error| Error::data(format!("its array {name}: {error}")))
    }

    /// The whole numbers with this name.
    pub(crate) fn indices(&self, name: &str) -> Result<Vec<u32>> {
        match self.tensors.tensor(name) {
            Ok(tensor) if tensor.dtype() == Dtype::U32 => {
                Ok(tensor.data().as_chunks().0.iter().map(|b| u32::from_le_bytes(*b)).collect())
            }
            _ => Err(Error::data(format!("it has no whole numbers {name}"))),
        }
    }
}

/// Adds a network's arrays, with `prefix` before their names.
pub(crate) fn add_network<F: Float>(
    tensors: &mut Tensors,
    prefix: &str,
    parameters: &Parameters<F>,
    running: &[RunningStatistics<F>],
) {
    for (name, array) in parameters.named() {
        tensors.add(format!("{prefix}{name}"), array);
    }
    for (statistics, number) in running.iter().zip(1..) {
        tensors.add(format!("{prefix}running_mean{number}"), statistics.mean.view().into_dyn());
        tensors.add(format!("{prefix}running_var{number}"), statistics.variance.view().into_dyn());
    }
}

/// A network's parameters and running statistics.
pub(crate) type Network<F> = (Parameters<F>, Vec<RunningStatistics<F>>);

/// Reads the arrays of [`add_network`].
pub(crate) fn network<F: Float>(read: &Read<'_>, prefix: &str, layers: usize) -> Result<Network<F>> {
    let shape = |name: &str| Error::data(format!("its array {name} has the wrong number of dimensions"));
    let vector = |name: String| -> Result<Array1<F>> {
        read.array::<F>(&name)?.into_dimensionality::<Ix1>().map_err(|_| shape(&name))
    };
    let (mut all, mut running) = (Vec::new(), Vec::new());
    for number in 1..=layers {
        let name = |of: &str| format!("{prefix}{of}{number}");
        let w = read.array::<F>(&name("W"))?.into_dimensionality::<Ix2>().map_err(|_| shape(&name("W")))?;
        let gamma_beta = if read.has(&name("gamma")) {
            Some((vector(name("gamma"))?, vector(name("beta"))?))
        } else {
            None
        };
        if read.has(&name("running_mean")) {
            running.push(RunningStatistics {
                mean: vector(name("running_mean"))?,
                variance: vector(name("running_var"))?,
            });
        }
        all.push(LayerParameters { w, b: vector(name("b"))?, gamma_beta });
    }
    Ok((Parameters { layers: all }, running))
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn what_is_written_is_read_and_twice_the_same() {
        let mut tensors = Tensors::default();
        tensors.add("b", array![[1.5f32, f32::MIN_POSITIVE], [-0.0, 3.0]].view().into_dyn());
        tensors.add("a", array![0.1f64].view().into_dyn());
        tensors.add_indices("order", &[7, u32::MAX]);
        let bytes = tensors.to_bytes("hello".to_owned()).unwrap();
        assert_eq!(bytes, tensors.to_bytes("hello".to_owned()).unwrap());
        let read = Read::new(&bytes).unwrap();
        assert_eq!(read.text, "hello");
        assert_eq!(
            read.array::<f32>("b").unwrap(),
            array![[1.5f32, f32::MIN_POSITIVE], [-0.0, 3.0]].into_dyn()
        );
        assert_eq!(read.indices("order").unwrap(), [7, u32::MAX]);
        assert!(read.array::<f32>("a").is_err() && read.array::<f64>("c").is_err() && !read.has("c"));
        assert!(read.indices("a").is_err());
        for cut in [0, 7, 20, bytes.len() - 1] {
            assert!(Read::new(&bytes[..cut]).is_err(), "{cut}");
        }
    }
}
