//! The state with which an engine can continue where it stopped.

use crate::error::{Error, Result};
use crate::float::Float;
use crate::layers::RunningStatistics;
use crate::net::Parameters;
use crate::optim::{Optimiser, OptimiserState};

/// Parameters, the optimiser's state, the number of steps, and batch normalisation's running statistics.
#[derive(Debug, Clone, PartialEq)]
pub struct EngineState<F> {
    /// The parameters.
    pub parameters: Parameters<F>,
    /// The optimiser's state for each array, in the order of [`Parameters::named`].
    pub optimiser: Vec<OptimiserState<F>>,
    /// The number of completed steps; a counter-based stream of masks depends on it.
    pub step: u64,
    /// Running statistics, one per hidden layer; empty without batch normalisation.
    pub running: Vec<RunningStatistics<F>>,
}

/// Refuses states that do not match `optimiser` and the parameters.
pub(super) fn check_optimiser<F: Float>(
    optimiser: &Optimiser,
    parameters: &Parameters<F>,
    states: &[OptimiserState<F>],
) -> Result<()> {
    let named = parameters.named();
    if named.len() != states.len() {
        return Err(Error::shape("states of the optimiser", [named.len()], [states.len()]));
    }
    for ((name, array), state) in named.iter().zip(states) {
        optimiser.check_state(name, array.shape(), state)?;
    }
    Ok(())
}
