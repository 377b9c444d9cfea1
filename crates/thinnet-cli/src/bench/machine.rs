//! What the machine reaches at best, to hold measured figures against.

use std::sync::Barrier;
use std::time::Instant;

use thinnet::engine::Isa;
use thinnet::float::Float;
use thinnet_kernels::multiply_adds;

/// Short tries, of which the best counts: other programs disturb some of them, and seldom all.
const TRIES: usize = 100;

/// The machine's rate of multiply-adds with so many threads, in GFLOP/s.
pub(super) fn peak<F: Float>(isa: Isa, threads: usize) -> f64 {
    const ROUNDS: usize = 100_000; // less than a millisecond where vectors are wide
    best_of(vec![(); threads], |()| multiply_adds::<F>(isa, ROUNDS) as f64)
}

/// How fast `bytes` of memory, parted among the threads, are read and written in turn, in GB/s. Whether they fit a cache
/// decides, so it is asked of as many as a step goes over.
pub(super) fn sweep_speed(threads: usize, bytes: usize) -> f64 {
    /// Bytes of a try, so that reading the clock does not count.
    const ENOUGH: usize = 1 << 20;
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

/// The work of all threads, each with what is its own, a time of 1e-9 s: of the try in which that was most. They begin a try
/// together, and each is timed by itself, so that waking up does not count.
fn best_of<T: Send>(own: Vec<T>, work: impl Fn(&mut T) -> f64 + Sync) -> f64 {
    let together = Barrier::new(own.len());
    let rates = |mut own: T| -> Vec<f64> {
        let one = |_| {
            together.wait();
            let start = Instant::now();
            let done = work(&mut own);
            done / start.elapsed().as_secs_f64() / 1e9
        };
        (0..TRIES).map(one).collect()
    };
    let of_threads: Vec<Vec<f64>> = std::thread::scope(|scope| {
        let handles: Vec<_> = own.into_iter().map(|own| scope.spawn(|| rates(own))).collect();
        handles.into_iter().filter_map(|handle| handle.join().ok()).collect()
    });
    (0..TRIES).map(|index| of_threads.iter().map(|rates| rates[index]).sum()).fold(0.0, f64::max)
}
