//! How the learning rate and momentum change during a run. Positions are in epochs; a step is a fraction of one.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::range::Range;

/// How the learning rate changes after warm-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScheduleKind {
    /// It is constant.
    #[default]
    Constant,
    /// It is multiplied by `decay` at the end of each epoch, as in the course's solver.
    Decay,
    /// It is multiplied by `decay` at the end of every `step_epochs` epochs.
    Step,
    /// It falls to `final_learning_rate` at the end of the run along half a cosine (Loshchilov and Hutter, "SGDR",
    /// ICLR 2017, equation 5, without restarts).
    Cosine,
}

/// The learning rate during a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Schedule {
    /// The kind of schedule.
    pub kind: ScheduleKind,
    /// The learning rate after warm-up and before any decay.
    pub learning_rate: f64,
    /// The factor of [`ScheduleKind::Decay`] and [`ScheduleKind::Step`], above 0.
    pub decay: f64,
    /// Epochs between two reductions of [`ScheduleKind::Step`], at least 1.
    pub step_epochs: usize,
    /// The final value of [`ScheduleKind::Cosine`], not negative.
    pub final_learning_rate: f64,
    /// Epochs during which the learning rate rises linearly from 0 (Goyal et al. 2017, section 2.2); not negative.
    pub warmup_epochs: f64,
}

impl Schedule {
    /// Refuses settings out of range.
    ///
    /// # Errors
    /// [`Error::Configuration`], which names the setting.
    pub fn check(&self) -> Result<()> {
        Range::NotNegative.check("the learning rate", self.learning_rate)?;
        Range::Positive.check("the decay", self.decay)?;
        Range::NotNegative.check("the final learning rate", self.final_learning_rate)?;
        Range::NotNegative.check("the number of warm-up epochs", self.warmup_epochs)?;
        if self.step_epochs == 0 {
            return Err(Error::configuration("the number of epochs between steps must be at least 1, got 0"));
        }
        Ok(())
    }

    /// The learning rate of step `step` (from 0) with `steps_per_epoch` (at least 1), in a run of `epochs`.
    ///
    /// The decay by epochs is multiplied step by step, so that it equals the course's solver bit for bit.
    pub fn at(&self, step: u64, steps_per_epoch: u64, epochs: usize) -> f64 {
        let per_epoch = steps_per_epoch.max(1);
        let epoch = step / per_epoch;
        let falls = |times: u64| (0..times).fold(self.learning_rate, |rate, _| rate * self.decay);
        let position = step as f64 / per_epoch as f64;
        let rate = match self.kind {
            ScheduleKind::Constant => self.learning_rate,
            ScheduleKind::Decay => falls(epoch),
            ScheduleKind::Step => falls(epoch / self.step_epochs.max(1) as u64),
            ScheduleKind::Cosine => {
                let (from, span) = (self.warmup_epochs, epochs as f64 - self.warmup_epochs);
                let share = if span > 0.0 { ((position - from) / span).clamp(0.0, 1.0) } else { 1.0 };
                let (high, low) = (self.learning_rate, self.final_learning_rate);
                low + 0.5 * (high - low) * (1.0 + (PI * share).cos())
            }
        };
        let warm = (step + 1) as f64 / per_epoch as f64;
        if warm < self.warmup_epochs { rate * (warm / self.warmup_epochs) } else { rate }
    }
}

/// Momentum that rises linearly (Srivastava et al. 2014, appendix A.2; Sutskever et al. 2013).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MomentumRamp {
    /// Momentum of the first step, 0..1.
    pub start: f64,
    /// Momentum at the ramp's end and after it, 0..1.
    pub end: f64,
    /// Length of the ramp in epochs, above 0.
    pub epochs: f64,
}

impl MomentumRamp {
    /// Refuses settings out of range.
    ///
    /// # Errors
    /// [`Error::Configuration`], which names the setting.
    pub fn check(&self) -> Result<()> {
        Range::Share.check("the start of the momentum ramp", self.start)?;
        Range::Share.check("the end of the momentum ramp", self.end)?;
        Range::Positive.check("the epochs of the momentum ramp", self.epochs)
    }

    /// The momentum of step `step` (from 0) with `steps_per_epoch` (at least 1).
    pub fn at(&self, step: u64, steps_per_epoch: u64) -> f64 {
        let position = step as f64 / steps_per_epoch.max(1) as f64;
        let share = (position / self.epochs).min(1.0);
        self.start + (self.end - self.start) * share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(kind: ScheduleKind) -> Schedule {
        Schedule {
            kind,
            learning_rate: 0.1,
            decay: 0.5,
            step_epochs: 2,
            final_learning_rate: 0.01,
            warmup_epochs: 0.0,
        }
    }

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-12
    }

    #[test]
    fn each_schedule_follows_its_formula() {
        let at = |kind, step| schedule(kind).at(step, 10, 4);
        assert!([0, 9, 39].into_iter().all(|step| close(at(ScheduleKind::Constant, step), 0.1)));
        assert!(close(at(ScheduleKind::Decay, 9), 0.1) && close(at(ScheduleKind::Decay, 10), 0.05));
        assert!(close(at(ScheduleKind::Decay, 39), 0.0125));
        assert!(close(at(ScheduleKind::Step, 19), 0.1) && close(at(ScheduleKind::Step, 20), 0.05));
        assert!(close(at(ScheduleKind::Cosine, 0), 0.1) && close(at(ScheduleKind::Cosine, 20), 0.055));
        assert!(close(at(ScheduleKind::Cosine, 40), 0.01) && close(at(ScheduleKind::Cosine, 400), 0.01));
    }

    #[test]
    fn warm_up_rises_in_a_line_and_ends() {
        let warm = Schedule { warmup_epochs: 2.0, ..schedule(ScheduleKind::Constant) };
        assert!(close(warm.at(0, 10, 4), 0.005) && close(warm.at(9, 10, 4), 0.05));
        assert!(close(warm.at(19, 10, 4), 0.1) && close(warm.at(30, 10, 4), 0.1));
        let both = Schedule { warmup_epochs: 2.0, ..schedule(ScheduleKind::Cosine) };
        assert!(close(both.at(20, 10, 4), 0.1) && close(both.at(30, 10, 4), 0.055));
    }

    #[test]
    fn momentum_rises_to_its_end_and_stays() {
        let ramp = MomentumRamp { start: 0.5, end: 0.9, epochs: 2.0 };
        assert!(close(ramp.at(0, 10), 0.5) && close(ramp.at(10, 10), 0.7) && close(ramp.at(99, 10), 0.9));
        assert!(MomentumRamp { end: 1.0, ..ramp }.check().is_err());
        assert!(MomentumRamp { epochs: 0.0, ..ramp }.check().is_err());
    }

    #[test]
    fn what_is_out_of_range_is_refused() {
        let good = schedule(ScheduleKind::Step);
        good.check().unwrap();
        for bad in [
            Schedule { learning_rate: -1.0, ..good },
            Schedule { decay: 0.0, ..good },
            Schedule { step_epochs: 0, ..good },
            Schedule { final_learning_rate: f64::NAN, ..good },
            Schedule { warmup_epochs: f64::INFINITY, ..good },
        ] {
            assert!(bad.check().is_err(), "{bad:?}");
        }
    }
}
