//! Threads that wait awake for a while: a training step has half a dozen parallel parts of some hundred microseconds, and
//! waking a thread that sleeps costs a good share of one.

use std::cell::UnsafeCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle, Thread};

/// A fixed number of threads, the caller's among them, that run one job together and wait for the next: awake for about a
/// tenth of a millisecond, giving way to other threads, then asleep.
#[derive(Debug)]
pub struct Team {
    shared: Arc<Shared>,
    helpers: Vec<(Thread, Option<JoinHandle<()>>)>,
    /// Held while a job runs: one at a time.
    running: Mutex<()>,
}

/// What a job is: something to call with a thread's number.
type Job<'a> = &'a (dyn Fn(usize) + Sync);

#[derive(Debug)]
struct Shared {
    /// Counts jobs. A helper that sees it move finds the job in `job`.
    generation: AtomicU64,
    job: JobCell,
    /// Helpers that have not finished the job.
    pending: AtomicUsize,
    panicked: AtomicBool,
    quit: AtomicBool,
    asleep: Vec<AtomicBool>,
}

/// The job, written by the caller before `generation` moves and read by helpers after.
#[derive(Debug)]
struct JobCell(UnsafeCell<Option<*const (dyn Fn(usize) + Sync)>>);

// SAFETY: the cell is written only while no helper reads it: before `generation` moves (release), and all helpers have
// been waited for (`pending`, acquire) before the next write. The job itself is `Sync`.
unsafe impl Sync for JobCell {}
// SAFETY: as above; the pointer is not used beyond `Team::run`, which keeps what it points to alive.
unsafe impl Send for JobCell {}

/// Looks at the counter so often before giving way, and so often giving way before sleeping.
const SPINS: usize = 2000;
const YIELDS: usize = 200;

impl Team {
    /// A team of `count` threads, at least 1: the caller's and `count - 1` helpers.
    ///
    /// # Errors
    /// The system's, if it starts no more threads.
    pub fn new(count: usize) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            generation: AtomicU64::new(0),
            job: JobCell(UnsafeCell::new(None)),
            pending: AtomicUsize::new(0),
            panicked: AtomicBool::new(false),
            quit: AtomicBool::new(false),
            asleep: (1..count.max(1)).map(|_| AtomicBool::new(false)).collect(),
        });
        let mut team = Self { shared, helpers: Vec::new(), running: Mutex::new(()) };
        for index in 0..count.max(1) - 1 {
            let shared = Arc::clone(&team.shared);
            let handle = thread::Builder::new()
                .name(format!("thinnet-{}", index + 1))
                .spawn(move || shared.help(index))?;
            team.helpers.push((handle.thread().clone(), Some(handle)));
        }
        Ok(team)
    }

    /// Threads, the caller's among them.
    pub fn count(&self) -> usize {
        self.helpers.len() + 1
    }

    /// Calls `job` with every number below [`Team::count`], each on a thread of its own, 0 on the caller's, and returns
    /// when all calls have. A job must not run another on the same team: it would wait for itself.
    ///
    /// # Panics
    /// If a call does, after all have ended.
    pub fn run(&self, job: Job<'_>) {
        let _one_at_a_time = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let shared = &*self.shared;
        // SAFETY: a pointer's lifetime is erased; helpers use it only until `pending` is 0, which is waited for below
        // before this function returns, by unwinding too.
        let erased: *const (dyn Fn(usize) + Sync + 'static) =
            unsafe { std::mem::transmute::<Job<'_>, Job<'static>>(job) };
        // SAFETY: no helper reads the cell: none is pending.
        unsafe { *shared.job.0.get() = Some(erased) };
        shared.pending.store(self.helpers.len(), Ordering::Relaxed);
        shared.generation.fetch_add(1, Ordering::SeqCst);
        for ((helper, _), asleep) in self.helpers.iter().zip(&shared.asleep) {
            if asleep.load(Ordering::SeqCst) {
                helper.unpark();
            }
        }
        let own = catch_unwind(AssertUnwindSafe(|| job(0)));
        let mut tries = 0;
        while shared.pending.load(Ordering::Acquire) > 0 {
            wait(&mut tries);
        }
        let others = shared.panicked.swap(false, Ordering::Relaxed);
        if let Err(panic) = own {
            resume_unwind(panic);
        }
        assert!(!others, "a thread of the team panicked");
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        self.shared.quit.store(true, Ordering::SeqCst);
        self.shared.generation.fetch_add(1, Ordering::SeqCst);
        for (helper, handle) in &mut self.helpers {
            helper.unpark();
            if let Some(handle) = handle.take() {
                let _ = handle.join(); // a helper ends without a panic: its jobs' are caught
            }
        }
    }
}

impl Shared {
    /// A helper's life: wait for a job, run it, say so.
    fn help(&self, index: usize) {
        let mut seen = 0;
        loop {
            let mut tries = 0;
            while self.generation.load(Ordering::Acquire) == seen {
                if tries < SPINS + YIELDS {
                    wait(&mut tries);
                } else {
                    // Whoever moves the counter after this store sees it and wakes us; if it has moved before, we see that.
                    self.asleep[index].store(true, Ordering::SeqCst);
                    if self.generation.load(Ordering::SeqCst) == seen {
                        thread::park();
                    }
                    self.asleep[index].store(false, Ordering::SeqCst);
                }
            }
            seen += 1;
            if self.quit.load(Ordering::SeqCst) {
                return;
            }
            // SAFETY: the counter has moved, so the job is written; the caller keeps it alive until `pending` is 0.
            let job = unsafe { (*self.job.0.get()).map(|job| &*job) };
            let run = || job.map_or((), |job| job(index + 1));
            if catch_unwind(AssertUnwindSafe(run)).is_err() {
                self.panicked.store(true, Ordering::Relaxed);
            }
            self.pending.fetch_sub(1, Ordering::Release);
        }
    }
}

/// Lets a moment pass: first in place, later for other threads to use.
fn wait(tries: &mut usize) {
    *tries += 1;
    if *tries < SPINS { std::hint::spin_loop() } else { thread::yield_now() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_thread_runs_every_job_once() {
        for count in [0, 1, 2, 5] {
            let team = Team::new(count).unwrap();
            assert_eq!(team.count(), count.max(1));
            let calls: Vec<AtomicUsize> = (0..team.count()).map(|_| AtomicUsize::new(0)).collect();
            for round in 0..300 {
                team.run(&|thread| {
                    calls[thread].fetch_add(1, Ordering::Relaxed);
                });
                if round % 100 == 0 {
                    thread::sleep(std::time::Duration::from_millis(20)); // long enough for all to sleep
                }
            }
            assert!(calls.iter().all(|calls| calls.load(Ordering::Relaxed) == 300));
        }
    }

    #[test]
    fn a_panic_comes_out_when_all_have_ended() {
        let team = Team::new(3).unwrap();
        for culprit in 0..3 {
            let ended = AtomicUsize::new(0);
            let result = catch_unwind(AssertUnwindSafe(|| {
                team.run(&|thread| {
                    assert!(thread != culprit, "as it should");
                    ended.fetch_add(1, Ordering::Relaxed);
                });
            }));
            assert!(result.is_err());
            assert_eq!(ended.load(Ordering::Relaxed), 2);
        }
        team.run(&|_| {}); // and it is none the worse for it
    }
}
