//! What an engine must keep to go on where it stopped.

use crate::error::{Error, Result};
use crate::float::Float;
use crate::layers::RunningStatistics;
use crate::net::Parameters;
use crate::optim::{RuleState, UpdateRule};

/// Parameters, the update rule's memory, the number of steps, and batch normalisation's running statistics.
#[derive(Debug, Clone, PartialEq)]
pub struct EngineState<F> {
    /// The parameters.
    pub parameters: Parameters<F>,
    /// What the rule remembers of each array, in the order of [`Parameters::named`].
    pub rule: Vec<RuleState<F>>,
    /// Steps done; a counter-based stream of masks goes by it.
    pub step: u64,
    /// Running statistics, one a hidden layer; none without batch normalisation.
    pub running: Vec<RunningStatistics<F>>,
}

/// Refuses states that are not those of `rule` for each of the parameters.
pub(super) fn check_rule<F: Float>(
    rule: &UpdateRule,
    parameters: &Parameters<F>,
    states: &[RuleState<F>],
) -> Result<()> {
    let named = parameters.named();
    if named.len() != states.len() {
        return Err(Error::shape("states of the update rule", [named.len()], [states.len()]));
    }
    for ((name, array), state) in named.iter().zip(states) {
        rule.check_state(name, array.shape(), state)?;
    }
    Ok(())
}
