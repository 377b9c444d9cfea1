//! Images with their labels, from files and from the library's embedded sample.

use std::path::PathBuf;

use numpy::ToPyArray;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use thinnet::data::{DataSet, Features, ReadOptions};

use crate::errors::to_python;

type Any<'py> = Bound<'py, PyAny>;

/// One part: its name, its images (N, C * H * W) of uint8, its labels (N) of int64.
type Part<'py> = (String, Any<'py>, Any<'py>);

/// The parts of a data set of images, the shape (C, H, W) of one, and the data set's own mean image (C * H * W), if
/// any.
type Images<'py> = (Vec<Part<'py>>, Vec<usize>, Option<Any<'py>>);

/// Reads a file or folder of images.
#[pyfunction]
pub(crate) fn read_images(py: Python<'_>, path: PathBuf) -> PyResult<Images<'_>> {
    let set = py.detach(|| DataSet::open(&path, &ReadOptions::default())).map_err(to_python)?;
    give_images(py, &set)
}

/// The embedded sample of CIFAR-10.
#[pyfunction]
pub(crate) fn sample_images(py: Python<'_>) -> PyResult<Images<'_>> {
    give_images(py, &DataSet::embedded_sample().map_err(to_python)?)
}

fn give_images<'py>(py: Python<'py>, set: &DataSet) -> PyResult<Images<'py>> {
    let mut parts = Vec::new();
    for (part, rows) in set.parts() {
        let Features::Pixels(pixels) = rows.x() else {
            return Err(PyValueError::new_err("these samples are not images of bytes"));
        };
        let labels =
            rows.labels().iter().map(|&label| i64::try_from(label)).collect::<Result<Vec<_>, _>>()?;
        let labels = labels.to_pyarray(py).into_any();
        parts.push((part.to_string(), pixels.view().to_pyarray(py).into_any(), labels));
    }
    Ok((parts, set.shape().to_vec(), set.mean().map(|mean| mean.to_pyarray(py).into_any())))
}
