//! The machine's best speed, to compare with measured figures.

use std::sync::Barrier;
use std::time::{Duration, Instant};

use thinnet::engine::{Isa, cores};
use thinnet::float::Float;
use thinnet_kernels::multiply_adds;

/// Short tries, of which the best counts: other programs disturb some of them, but rarely all.
const TRIES: usize = 100;

/// The machine's rate of multiply-adds with this many threads, in GFLOP/s.
pub(super) fn peak<F: Float>(isa: Isa, threads: usize) -> f64 {
    const ROUNDS: usize = 300_000; // about a millisecond with wide vectors, long compared with waking up
    best_of(vec![(); threads], |()| multiply_adds::<F>(isa, ROUNDS) as f64)
}

/// How fast `bytes` of memory, divided among the threads, are read and written in turn, in GB/s. The result depends
/// on whether they fit in a cache, so `bytes` should be as many as a step uses.
pub(super) fn sweep_speed(threads: usize, bytes: usize) -> f64 {
    /// Bytes per try, so that reading the clock does not count.
    const ENOUGH: usize = 1 << 24;
    let floats = (bytes / size_of::<f32>() / threads).max(1);
    let sweeps = ENOUGH.div_ceil(size_of::<f32>() * floats);
    best_of(vec![vec![1.0f32; floats]; threads], |memory| {
        for _ in 0..sweeps {
            for value in memory.iter_mut() {
                *value *= 1.000_1;
            }
            std::hint::black_box(&mut *memory);
        }
        (sweeps * 2 * size_of_val(memory.as_slice())) as f64
    })
}

/// The highest rate of all threads' work in any try, divided by 1e9; each thread has its own data. They start each
/// try together.
fn best_of<T: Send>(own: Vec<T>, work: impl Fn(&mut T) -> f64 + Sync) -> f64 {
    // With more threads than cores, a try takes longer.
    let tries = (TRIES * cores() / own.len()).clamp(TRIES / 20, TRIES);
    let (together, zero) = (Barrier::new(own.len()), Instant::now());
    let measured = |mut own: T| -> Vec<Turn> {
        let one = |_| {
            together.wait();
            let start = zero.elapsed();
            let done = work(&mut own);
            Turn { start, end: zero.elapsed(), done }
        };
        (0..tries).map(one).collect()
    };
    let of_threads: Vec<Vec<Turn>> = std::thread::scope(|scope| {
        let handles: Vec<_> = own.into_iter().map(|own| scope.spawn(|| measured(own))).collect();
        handles.into_iter().filter_map(|handle| handle.join().ok()).collect()
    });
    (0..tries).map(|index| rate(of_threads.iter().filter_map(|turns| turns.get(index)))).fold(0.0, f64::max)
}

/// A thread's work in a try, and its time.
struct Turn {
    start: Duration,
    end: Duration,
    done: f64,
}

/// The total work divided by the time from the first start to the last end, divided by 1e9: threads that shared a
/// core did not work at the same time.
fn rate<'a>(turns: impl Iterator<Item = &'a Turn>) -> f64 {
    let nothing = Turn { start: Duration::MAX, end: Duration::ZERO, done: 0.0 };
    let all = turns.fold(nothing, |all, turn| Turn {
        start: all.start.min(turn.start),
        end: all.end.max(turn.end),
        done: all.done + turn.done,
    });
    all.done / all.end.saturating_sub(all.start).as_secs_f64().max(f64::MIN_POSITIVE) / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A turn with this much work between these milliseconds.
    fn turn(start: u64, end: u64, done: f64) -> Turn {
        Turn { start: Duration::from_millis(start), end: Duration::from_millis(end), done }
    }

    #[test]
    fn threads_that_take_turns_on_a_core_are_no_faster_than_one() {
        let one = rate([turn(0, 2, 6e6)].iter());
        assert!((one - 3.0).abs() < 1e-9, "{one}");
        let in_turn = rate([turn(0, 2, 6e6), turn(4, 6, 6e6), turn(2, 4, 6e6)].iter());
        assert!((in_turn - 3.0).abs() < 1e-9, "{in_turn}");
        let at_once = rate([turn(1, 3, 6e6), turn(1, 3, 6e6)].iter());
        assert!((at_once - 6.0).abs() < 1e-9, "{at_once}");
    }
}
