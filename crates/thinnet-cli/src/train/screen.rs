//! A run on a terminal: drawn in place; a few lines remain at the end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use thinnet::run::{Announcement, Summary};
use thinnet::training::{Epoch, Step};

use super::panel::{Pace, Panel, announcement};
use super::watch::{View, conclude};
use crate::failure::Failure;
use crate::output::{Output, Paint};

/// The messages between Ctrl-C and the end, for wide and for narrow terminals.
const STOPPING: [&str; 3] = [
    "stopping: writing a checkpoint; Ctrl-C again quits at once",
    "stopping; Ctrl-C again quits at once",
    "stopping",
];

/// Shows a run in place.
pub(super) struct Screen {
    stop: Arc<AtomicBool>,
    panel: Option<Arc<Mutex<Panel>>>,
}

impl Screen {
    /// Shows runs until `stop` becomes true.
    pub(super) fn new(stop: Arc<AtomicBool>) -> Self {
        Self { stop, panel: None }
    }

    /// The state of the run's display, after it started.
    fn panel(&self) -> Option<MutexGuard<'_, Panel>> {
        self.panel.as_ref().map(|panel| panel.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl View for Screen {
    fn begin(&mut self, output: &mut Output, run: &Announcement) -> Result<(), Failure> {
        for line in announcement(run) {
            output.note(&line);
        }
        let panel = Arc::new(Mutex::new(Panel::new(run)));
        let (shown, stop) = (Arc::clone(&panel), Arc::clone(&self.stop));
        let steps = run.steps_per_epoch.saturating_mul(run.epochs as u64);
        output.start_display(run.done, steps, move |state, canvas| {
            // A copy, so that training never waits for the drawing.
            let panel = shown.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let mut lines = panel.lines(canvas, Pace { steps: state.per_sec(), left: state.eta() });
            if stop.load(Ordering::Relaxed) {
                let fits = |text: &&&str| text.len() < canvas.columns;
                lines.extend(STOPPING.iter().find(fits).map(|text| canvas.paint(Paint::Strong, text)));
            }
            lines
        });
        self.panel = Some(panel);
        Ok(())
    }

    fn step(&mut self, output: &Output, step: &Step) {
        if let Some(mut panel) = self.panel() {
            panel.step(step);
        }
        output.advance(usize::try_from(step.step).unwrap_or(usize::MAX));
    }

    fn epoch(&mut self, _: &Output, epoch: &Epoch, best: bool) -> Result<(), Failure> {
        if let Some(mut panel) = self.panel() {
            panel.epoch(epoch, best);
        }
        Ok(())
    }

    fn end(&mut self, output: &mut Output, summary: &Summary) -> Result<(), Failure> {
        output.end_bar();
        let curves = self.panel().map(|panel| panel.curves(output.canvas())).unwrap_or_default();
        for line in &curves {
            output.note(line);
        }
        conclude(output, summary)
    }
}
