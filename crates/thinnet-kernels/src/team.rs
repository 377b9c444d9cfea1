//! Threads that stay awake for a while between jobs: a training step has half a dozen parallel parts of a few hundred
//! microseconds, and waking a sleeping thread takes a large share of that.

use std::cell::UnsafeCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle, Thread};

/// A fixed number of threads, including the caller's, that divide the parts of a job and wait for the next one: awake
/// for about a tenth of a millisecond, yielding to other threads, then asleep.
///
/// A job never waits for a thread that has not started: if another program uses its core, the others do its share.
#[derive(Debug)]
pub struct Team {
    shared: Arc<Shared>,
    helpers: Vec<(Thread, Option<JoinHandle<()>>)>,
    /// Locked while a job runs: one at a time.
    running: Mutex<()>,
}

/// A job: a function to call with a part's number.
type Job<'a> = &'a (dyn Fn(usize) + Sync);

#[derive(Debug)]
struct Shared {
    /// Counts jobs, so that helpers notice a new one.
    generation: AtomicU64,
    job: JobCell,
    /// The next part of the job that no thread has taken.
    next: AtomicUsize,
    /// How many helpers may join the job.
    helpers: AtomicUsize,
    /// [`OPEN`] while helpers may join the job, plus the number of helpers that have joined and not finished.
    joined: AtomicUsize,
    panicked: AtomicBool,
    quit: AtomicBool,
    asleep: Vec<AtomicBool>,
}

/// The job and its number of parts, written by the caller while it is not open, and read by helpers that have joined.
#[derive(Debug)]
struct JobCell(UnsafeCell<Option<(ErasedJob, usize)>>);

/// A job whose lifetime the caller ensures.
type ErasedJob = *const (dyn Fn(usize) + Sync);

// SAFETY: the cell is written only while no helper reads it: helpers read it between joining and leaving, none can join
// before `joined` opens (release; joining acquires), and the caller closes the job and waits until all have left (acquire)
// before the next write. The job itself is `Sync`.
unsafe impl Sync for JobCell {}
// SAFETY: as above; the pointer is not used after `Team::run`, which keeps its target alive.
unsafe impl Send for JobCell {}

/// The bit of [`Shared::joined`] that allows helpers to join.
const OPEN: usize = 1 << (usize::BITS - 1);

/// How many times to check the counter before yielding, and how many times to yield before sleeping.
const SPINS: usize = 2000;
const YIELDS: usize = 200;

impl Team {
    /// A team of `count` threads, at least 1: the caller's and `count - 1` helpers.
    ///
    /// # Errors
    /// The system's error, if it starts no more threads.
    pub fn new(count: usize) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            generation: AtomicU64::new(0),
            job: JobCell(UnsafeCell::new(None)),
            next: AtomicUsize::new(0),
            helpers: AtomicUsize::new(0),
            joined: AtomicUsize::new(0),
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

    /// The number of threads, including the caller's.
    pub fn count(&self) -> usize {
        self.helpers.len() + 1
    }

    /// Calls `job` once with every number below `parts`, on whichever of at most `threads` threads is free, including
    /// the caller's, and returns when all calls have returned. A job must not run another on the same team: it would
    /// wait for itself.
    ///
    /// # Panics
    /// If a call panics, after all threads have finished; parts that were not started may then be left out.
    pub fn run(&self, threads: usize, parts: usize, job: Job<'_>) {
        let _one_at_a_time = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let shared = &*self.shared;
        // SAFETY: this erases a pointer's lifetime; helpers use it only while they have joined, and all have left
        // before this function returns, also by unwinding.
        let erased: ErasedJob = unsafe { std::mem::transmute::<Job<'_>, Job<'static>>(job) };
        // SAFETY: no helper reads the cell: none has joined, and none can.
        unsafe { *shared.job.0.get() = Some((erased, parts)) };
        let helpers = threads.min(parts).saturating_sub(1);
        shared.next.store(0, Ordering::Relaxed);
        shared.helpers.store(helpers, Ordering::Relaxed);
        shared.joined.store(OPEN, Ordering::Release);
        shared.generation.fetch_add(1, Ordering::SeqCst);
        for ((helper, _), asleep) in self.helpers.iter().zip(&shared.asleep).take(helpers) {
            if asleep.load(Ordering::SeqCst) {
                helper.unpark();
            }
        }
        let own = catch_unwind(AssertUnwindSafe(|| shared.work(parts, job)));
        let mut tries = 0;
        let mut joined = shared.joined.fetch_and(!OPEN, Ordering::AcqRel) & !OPEN;
        while joined > 0 {
            wait(&mut tries);
            joined = shared.joined.load(Ordering::Acquire);
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
                let _ = handle.join(); // a helper never panics: panics of jobs are caught
            }
        }
    }
}

impl Shared {
    /// A helper's loop: wait for a job, run it, report it.
    fn help(&self, index: usize) {
        let mut seen = 0;
        loop {
            let mut tries = 0;
            while self.generation.load(Ordering::Acquire) == seen {
                if tries < SPINS + YIELDS {
                    wait(&mut tries);
                } else {
                    // A thread that changes the counter after this store sees it and wakes us; if it was changed
                    // before, we see that.
                    self.asleep[index].store(true, Ordering::SeqCst);
                    if self.generation.load(Ordering::SeqCst) == seen {
                        thread::park();
                    }
                    self.asleep[index].store(false, Ordering::SeqCst);
                }
            }
            seen = self.generation.load(Ordering::SeqCst);
            if self.quit.load(Ordering::SeqCst) {
                return;
            }
            let most = OPEN + self.helpers.load(Ordering::Relaxed);
            let join = |joined| (OPEN..most).contains(&joined).then_some(joined + 1);
            if self.joined.fetch_update(Ordering::AcqRel, Ordering::Relaxed, join).is_err() {
                continue; // the job is already done, or has enough helpers
            }
            // SAFETY: this thread has joined, so the job is written, and the caller keeps it alive until it has left.
            let job = unsafe { (*self.job.0.get()).map(|(job, parts)| (&*job, parts)) };
            let run = || job.map_or((), |(job, parts)| self.work(parts, job));
            if catch_unwind(AssertUnwindSafe(run)).is_err() {
                self.panicked.store(true, Ordering::Relaxed);
            }
            self.joined.fetch_sub(1, Ordering::Release);
        }
    }

    /// Processes parts of the job as long as any are left.
    fn work(&self, parts: usize, job: Job<'_>) {
        loop {
            let part = self.next.fetch_add(1, Ordering::Relaxed);
            if part >= parts {
                return;
            }
            job(part);
        }
    }
}

/// Waits a moment: first by spinning, later by yielding to other threads.
fn wait(tries: &mut usize) {
    *tries += 1;
    if *tries < SPINS { std::hint::spin_loop() } else { thread::yield_now() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_done_once() {
        for (count, parts) in [(0, 3), (1, 0), (2, 1), (2, 5), (5, 3), (5, 40)] {
            let team = Team::new(count).unwrap();
            assert_eq!(team.count(), count.max(1));
            let calls: Vec<AtomicUsize> = (0..parts).map(|_| AtomicUsize::new(0)).collect();
            for round in 0..300 {
                team.run(count, parts, &|part| {
                    calls[part].fetch_add(1, Ordering::Relaxed);
                });
                // All parts are done when it returns.
                assert!(calls.iter().all(|calls| calls.load(Ordering::Relaxed) == round + 1));
                if round % 100 == 0 {
                    thread::sleep(std::time::Duration::from_millis(20)); // long enough for all to sleep
                }
            }
        }
    }

    /// Parts that take a while go to every thread, also to those that were asleep.
    #[test]
    fn all_threads_work() {
        let team = Team::new(4).unwrap();
        let threads = Mutex::new(std::collections::HashSet::new());
        team.run(4, 40, &|_| {
            threads.lock().unwrap().insert(thread::current().id());
            thread::sleep(std::time::Duration::from_millis(5));
        });
        assert_eq!(threads.lock().unwrap().len(), 4);
    }

    #[test]
    fn no_more_threads_work_than_are_asked_for() {
        let team = Team::new(5).unwrap();
        for most in [1, 2, 3] {
            for _ in 0..20 {
                let threads = Mutex::new(std::collections::HashSet::new());
                team.run(most, 30, &|_| {
                    threads.lock().unwrap().insert(thread::current().id());
                    thread::yield_now();
                });
                let count = threads.lock().unwrap().len();
                assert!(count <= most, "{count} of {most}");
            }
        }
    }

    #[test]
    fn a_panic_comes_out_when_all_have_ended() {
        let team = Team::new(3).unwrap();
        for culprit in 0..3 {
            let running = AtomicUsize::new(0);
            let result = catch_unwind(AssertUnwindSafe(|| {
                team.run(3, 3, &|part| {
                    running.fetch_add(1, Ordering::SeqCst);
                    thread::sleep(std::time::Duration::from_millis(2));
                    running.fetch_sub(1, Ordering::SeqCst);
                    assert!(part != culprit, "as it should");
                });
            }));
            assert!(result.is_err());
            assert_eq!(running.load(Ordering::SeqCst), 0);
        }
        team.run(3, 3, &|_| {}); // and it is none the worse for it
    }
}
