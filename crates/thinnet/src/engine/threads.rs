//! Threads, and how rows are shared out among them. Every number is computed by one thread in an order that the split
//! does not change, so the threads change no bit of a result.

use std::ops::Range;

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::error::{Error, Result};

/// A fixed number of threads.
#[derive(Debug)]
pub(super) struct Threads {
    /// None for one thread: then the caller's does the work.
    pool: Option<ThreadPool>,
    count: usize,
}

impl Threads {
    /// So many threads, at least 1 and at most 1024.
    pub(super) fn new(count: usize) -> Result<Self> {
        if !(1..=1024).contains(&count) {
            return Err(Error::configuration(format!(
                "the number of threads must be from 1 to 1024, got {count}"
            )));
        }
        let pool =
            match count {
                1 => None,
                _ => Some(ThreadPoolBuilder::new().num_threads(count).build().map_err(|reason| {
                    Error::configuration(format!("cannot start {count} threads: {reason}"))
                })?),
            };
        Ok(Self { pool, count })
    }

    /// The caller's thread alone.
    pub(super) fn one() -> Self {
        Self { pool: None, count: 1 }
    }

    /// How many.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Runs `work` on one of the threads, so that what it shares out need not wait for a thread to be entered.
    pub(super) fn enter<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        match &self.pool {
            Some(pool) => pool.install(work),
            None => work(),
        }
    }

    /// Runs `work` once for each part, in parallel, and gives the results in order. To be called inside
    /// [`Threads::enter`].
    pub(super) fn each<P: Send, R: Send>(
        &self,
        parts: Vec<P>,
        work: impl Fn(P) -> R + Send + Sync,
    ) -> Vec<R> {
        match &self.pool {
            Some(_) if parts.len() > 1 => parts.into_par_iter().with_max_len(1).map(work).collect(),
            _ => parts.into_iter().map(work).collect(),
        }
    }

    /// `rows` cut into one even range a thread.
    pub(super) fn split(&self, rows: usize) -> Vec<Range<usize>> {
        split(rows, self.count)
    }
}

/// `rows` cut into at most `parts` even ranges, none empty unless there are no rows.
pub(super) fn split(rows: usize, parts: usize) -> Vec<Range<usize>> {
    let parts = parts.clamp(1, rows.max(1));
    (0..parts).map(|part| rows * part / parts..rows * (part + 1) / parts).collect()
}
