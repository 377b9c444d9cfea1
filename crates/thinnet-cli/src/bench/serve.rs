//! Measurements for a driver that runs several programs alternately.

use std::io::{BufRead, stdin};

use serde::Deserialize;
use thinnet::engine::EngineKind;
use thinnet::float::Float;

use super::trainer::{Case, Trainer};
use crate::failure::Failure;
use crate::output::Output;

/// A request of a driver that measures several programs alternately.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Request {
    Steps { steps: usize },
    Case(Case),
}

/// Answers requests, one JSON object per line, until standard input ends: a case is prepared and answered with
/// `{"ready": true}`; `{"steps": n}` is answered with `{"ms": [...], "loss": x}`.
pub(super) fn serve<F: Float>(kind: EngineKind, threads: usize, output: &Output) -> Result<(), Failure> {
    let mut trainer: Option<Trainer<F>> = None;
    for line in stdin().lock().lines() {
        let line = line.map_err(|reason| Failure::Refused(format!("cannot read a request: {reason}")))?;
        if line.trim().is_empty() {
            continue;
        }
        let request = serde_json::from_str(&line)
            .map_err(|reason| Failure::Refused(format!("{line:?} is not a request: {reason}")))?;
        let answer = match (request, &mut trainer) {
            (Request::Case(case), trainer) => {
                *trainer = Some(Trainer::new(&case, kind, threads, 0)?);
                serde_json::json!({"ready": true})
            }
            (Request::Steps { steps }, Some(trainer)) => {
                let ms = trainer.steps(steps)?;
                serde_json::json!({"ms": ms, "loss": trainer.loss})
            }
            (Request::Steps { .. }, None) => {
                return Err(Failure::Refused("steps were requested before a net was described".to_owned()));
            }
        };
        output.json(&answer)?;
    }
    Ok(())
}
