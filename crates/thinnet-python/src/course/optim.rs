//! The update rules, one update at a time.

use ndarray::{ArrayD, IxDyn};
use pyo3::prelude::*;
use thinnet::optim::{
    Adam, AdamState, RmsProp, RmsPropState, RuleState, SgdMomentum, SgdMomentumState, UpdateRule,
};

use super::arrays::{Argument, Number, by_dtype, give};
use crate::errors::to_python;

type Any<'py> = Bound<'py, PyAny>;

/// One update of `w` by its gradient `dw` with a rule that remembers nothing.
#[pyfunction]
pub(crate) fn sgd<'py>(w: &Any<'py>, dw: &Any<'py>, learning_rate: f64) -> PyResult<Any<'py>> {
    fn run<'py, F: Number>(w: &Any<'py>, dw: &Any<'py>, learning_rate: f64) -> PyResult<Any<'py>> {
        let rule = "sgd".parse::<UpdateRule>().map_err(to_python)?.with_learning_rate(learning_rate);
        update::<F>(w, dw, &rule, &mut RuleState::Sgd)
    }
    by_dtype!(w, run(w, dw, learning_rate))
}

/// One update with momentum: (w, velocity).
#[pyfunction]
pub(crate) fn sgd_momentum<'py>(
    w: &Any<'py>,
    dw: &Any<'py>,
    velocity: &Any<'py>,
    learning_rate: f64,
    momentum: f64,
) -> PyResult<(Any<'py>, Any<'py>)> {
    fn run<'py, F: Number>(
        [w, dw, velocity]: [&Any<'py>; 3],
        rule: UpdateRule,
    ) -> PyResult<(Any<'py>, Any<'py>)> {
        let mut state =
            RuleState::SgdMomentum(SgdMomentumState { velocity: owned::<F>(velocity, "velocity")? });
        let w = update(w, dw, &rule, &mut state)?;
        let velocity = match state {
            RuleState::SgdMomentum(state) => give(w.py(), &state.velocity),
            _ => velocity.clone(),
        };
        Ok((w, velocity))
    }
    let rule = UpdateRule::SgdMomentum(SgdMomentum { momentum, ..SgdMomentum::default() });
    by_dtype!(w, run([w, dw, velocity], rule.with_learning_rate(learning_rate)))
}

/// One update of RMSProp: (w, cache).
#[pyfunction]
pub(crate) fn rmsprop<'py>(
    w: &Any<'py>,
    dw: &Any<'py>,
    cache: &Any<'py>,
    learning_rate: f64,
    decay_rate: f64,
    epsilon: f64,
) -> PyResult<(Any<'py>, Any<'py>)> {
    fn run<'py, F: Number>(
        [w, dw, cache]: [&Any<'py>; 3],
        rule: UpdateRule,
    ) -> PyResult<(Any<'py>, Any<'py>)> {
        let mut state = RuleState::RmsProp(RmsPropState { cache: owned::<F>(cache, "cache")? });
        let w = update(w, dw, &rule, &mut state)?;
        let cache = match state {
            RuleState::RmsProp(state) => give(w.py(), &state.cache),
            _ => cache.clone(),
        };
        Ok((w, cache))
    }
    let rule = UpdateRule::RmsProp(RmsProp { decay_rate, epsilon, ..RmsProp::default() });
    by_dtype!(w, run([w, dw, cache], rule.with_learning_rate(learning_rate)))
}

/// One update of Adam, the `t`th before it being done: (w, m, v).
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "the rule's own")]
pub(crate) fn adam<'py>(
    w: &Any<'py>,
    dw: &Any<'py>,
    m: &Any<'py>,
    v: &Any<'py>,
    t: u64,
    learning_rate: f64,
    beta1: f64,
    beta2: f64,
    epsilon: f64,
) -> PyResult<(Any<'py>, Any<'py>, Any<'py>)> {
    fn run<'py, F: Number>(
        [w, dw, m, v]: [&Any<'py>; 4],
        t: u64,
        rule: UpdateRule,
    ) -> PyResult<(Any<'py>, Any<'py>, Any<'py>)> {
        let mut state = RuleState::Adam(AdamState { m: owned::<F>(m, "m")?, v: owned(v, "v")?, t });
        let w = update(w, dw, &rule, &mut state)?;
        let (m, v) = match state {
            RuleState::Adam(state) => (give(w.py(), &state.m), give(w.py(), &state.v)),
            _ => (m.clone(), v.clone()),
        };
        Ok((w, m, v))
    }
    let rule = UpdateRule::Adam(Adam { beta1, beta2, epsilon, ..Adam::default() });
    by_dtype!(w, run([w, dw, m, v], t, rule.with_learning_rate(learning_rate)))
}

/// A copy of an argument.
fn owned<F: Number>(array: &Any<'_>, name: &'static str) -> PyResult<ArrayD<F>> {
    Ok(Argument::<F>::new(array, name)?.view::<IxDyn>()?.to_owned())
}

/// The updated copy of `w`.
fn update<'py, F: Number>(
    w: &Any<'py>,
    dw: &Any<'py>,
    rule: &UpdateRule,
    state: &mut RuleState<F>,
) -> PyResult<Any<'py>> {
    rule.check().map_err(to_python)?;
    let py = w.py();
    let (mut next, dw) = (owned::<F>(w, "w")?, Argument::<F>::new(dw, "dw")?);
    let dw = dw.view::<IxDyn>()?;
    py.detach(|| rule.update(next.view_mut(), &dw, state)).map_err(to_python)?;
    Ok(give(py, &next))
}
