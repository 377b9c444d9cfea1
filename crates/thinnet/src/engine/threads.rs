//! Threads, and how rows are divided among them. Every number is computed by one thread, in an order that does not
//! depend on the division, so threads change no bit of a result.

use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use thinnet_kernels::Team;

use crate::error::{Error, Result};

/// A number of threads, which start when there is work for more than one.
#[derive(Debug)]
pub(super) struct Threads {
    /// The number of threads, including the caller's.
    count: usize,
    /// `None` if the system starts no more threads: then the caller's thread does the work, with the same bits.
    team: Arc<OnceLock<Option<Team>>>,
    /// How many of them share the work.
    used: usize,
}

/// This many multiply-adds are worth a thread: docs/kernels.md says how it was measured.
const WORTH_A_THREAD: usize = 2_000_000;

impl Threads {
    /// This many threads, 1 to 1024.
    pub(super) fn new(count: usize) -> Result<Self> {
        if !(1..=1024).contains(&count) {
            return Err(Error::configuration(format!(
                "the number of threads must be from 1 to 1024, got {count}"
            )));
        }
        Ok(Self { count, team: Arc::default(), used: count })
    }

    /// Only the caller's thread.
    pub(super) fn one() -> Self {
        Self { count: 1, team: Arc::default(), used: 1 }
    }

    /// The same threads; as many share the work as this many multiply-adds are worth.
    pub(super) fn suited(&self, multiply_adds: usize) -> Self {
        let used = (multiply_adds / WORTH_A_THREAD).clamp(1, self.count);
        Self { count: self.count, team: Arc::clone(&self.team), used }
    }

    /// How many share the work.
    pub(super) fn used(&self) -> usize {
        self.used
    }

    /// Runs `work` for each part, in parallel, and returns the results in order. Each part goes to the first free
    /// thread. `work` itself must not call this.
    pub(super) fn each<P: Send, R: Send>(&self, parts: Vec<P>, work: impl Fn(P) -> R + Sync) -> Vec<R> {
        if self.used == 1 || parts.len() <= 1 {
            return parts.into_iter().map(work).collect();
        }
        let Some(team) = self.team.get_or_init(|| Team::new(self.count).ok()) else {
            return parts.into_iter().map(work).collect();
        };
        let slots: Vec<Mutex<(Option<P>, Option<R>)>> =
            parts.into_iter().map(|part| Mutex::new((Some(part), None))).collect();
        team.run(self.used, slots.len(), &|part| {
            // Nobody else needs this slot: its number was given out once.
            let mut slot = slots[part].lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(part) = slot.0.take() {
                slot.1 = Some(work(part));
            }
        });
        slots
            .into_iter()
            .filter_map(|slot| slot.into_inner().unwrap_or_else(PoisonError::into_inner).1)
            .collect()
    }

    /// `rows` cut into one even range per thread.
    pub(super) fn split(&self, rows: usize) -> Vec<Range<usize>> {
        split(rows, self.used)
    }
}

/// `rows` cut into at most `parts` even ranges; none is empty unless there are no rows.
pub(super) fn split(rows: usize, parts: usize) -> Vec<Range<usize>> {
    let parts = parts.clamp(1, rows.max(1));
    (0..parts).map(|part| rows * part / parts..rows * (part + 1) / parts).collect()
}
