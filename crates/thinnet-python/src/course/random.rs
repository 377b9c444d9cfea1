//! Lends NumPy's global random stream to the library.

use numpy::{PyArrayMethods, PyReadonlyArray1, ToPyArray};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use thinnet::random::{RandomState, State};

use crate::errors::to_python;

/// Runs some work with NumPy's global stream (`numpy.random.get_state`) and stores the advanced stream, even after an
/// error. So NumPy's next draws are the same as if NumPy itself had done the work.
pub(crate) fn with_stream<T>(
    py: Python<'_>,
    work: impl FnOnce(&mut RandomState) -> PyResult<T>,
) -> PyResult<T> {
    let numpy = py.import("numpy.random")?;
    let mut random = take(&numpy)?;
    let done = work(&mut random);
    put(&numpy, &random)?;
    done
}

fn take(numpy: &Bound<'_, PyModule>) -> PyResult<RandomState> {
    let arguments = PyDict::new(numpy.py());
    arguments.set_item("legacy", false)?;
    let state = numpy.call_method("get_state", (), Some(&arguments))?;
    let generator: String = state.get_item("bit_generator")?.extract()?;
    if generator != "MT19937" {
        return Err(PyValueError::new_err(format!(
            "the course draws from NumPy's own MT19937, but numpy.random now uses {generator}; change it back with \
             numpy.random.set_bit_generator"
        )));
    }
    let words = state.get_item("state")?;
    let key: PyReadonlyArray1<'_, u32> = words.get_item("key")?.extract()?;
    let has_gauss: u8 = state.get_item("has_gauss")?.extract()?;
    let gauss: f64 = state.get_item("gauss")?.extract()?;
    let state = State {
        key: key.to_vec()?,
        position: words.get_item("pos")?.extract()?,
        cached_normal: (has_gauss != 0).then_some(gauss),
    };
    RandomState::from_state(&state).map_err(to_python)
}

fn put(numpy: &Bound<'_, PyModule>, random: &RandomState) -> PyResult<()> {
    let State { key, position, cached_normal } = random.state();
    let key = key.to_pyarray(numpy.py());
    let gauss = cached_normal.unwrap_or(0.0);
    let state = ("MT19937", key, position, u8::from(cached_normal.is_some()), gauss);
    numpy.call_method1("set_state", (state,))?;
    Ok(())
}
