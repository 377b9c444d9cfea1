//! The update rules, one update at a time.

use ndarray::{ArrayD, IxDyn};
use pyo3::prelude::*;
use thinnet::optim::{Optimiser, OptimiserKind, OptimiserState};

use super::arrays::{Argument, Number, by_dtype, give};
use crate::errors::to_python;

type Any<'py> = Bound<'py, PyAny>;

/// A rule's state for a parameter: its arrays, in the order of its slots, and the number of updates.
pub(crate) type State<'py> = (Vec<Any<'py>>, u64);

/// Update `state[1] + 1` of `w` with its gradient `dw` and the rule with this name: returns the new `w` and the arrays
/// of the new state.
#[pyfunction]
pub(crate) fn update<'py>(
    w: &Any<'py>,
    dw: &Any<'py>,
    rule: &str,
    learning_rate: f64,
    settings: Vec<(String, f64)>,
    state: State<'py>,
) -> PyResult<(Any<'py>, Vec<Any<'py>>)> {
    let (py, optimiser) = (w.py(), optimiser(rule, learning_rate, &settings)?);
    by_dtype!(w, F, {
        let (mut next, dw) = (owned::<F>(w, "w")?, Argument::<F>::new(dw, "dw")?);
        let (dw, mut state) = (dw.view::<IxDyn>()?, take_state(optimiser.kind(), &state)?);
        py.detach(|| optimiser.update(next.view_mut(), &dw, &mut state)).map_err(to_python)?;
        Ok((give(py, &next), give_state(py, &state).0))
    })
}

/// The optimiser with this name; missing settings have the course's defaults.
pub(crate) fn optimiser(rule: &str, learning_rate: f64, settings: &[(String, f64)]) -> PyResult<Optimiser> {
    let build = || {
        let mut optimiser = rule.parse::<Optimiser>()?.with_learning_rate(learning_rate);
        settings.iter().try_for_each(|(name, value)| optimiser.set(name, *value))?;
        optimiser.check()?;
        Ok(optimiser)
    };
    build().map_err(to_python)
}

/// A state from Python.
pub(crate) fn take_state<F: Number>(
    kind: OptimiserKind,
    (slots, steps): &State<'_>,
) -> PyResult<OptimiserState<F>> {
    let slots = slots.iter().map(|slot| owned(slot, "the state")).collect::<PyResult<_>>()?;
    Ok(OptimiserState { kind, slots, steps: *steps })
}

/// A state for Python.
pub(crate) fn give_state<'py, F: Number>(py: Python<'py>, state: &OptimiserState<F>) -> State<'py> {
    (state.slots.iter().map(|slot| give(py, slot)).collect(), state.steps)
}

/// A copy of an argument.
fn owned<F: Number>(array: &Any<'_>, name: &'static str) -> PyResult<ArrayD<F>> {
    Ok(Argument::<F>::new(array, name)?.view::<IxDyn>()?.to_owned())
}
