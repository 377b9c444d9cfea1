//! How fast the kernels are on this machine, beside what the machine could do.
//!
//! ```text
//! cargo run --release -p thinnet-kernels --example kernels -- [isa] [inputs] [units] [rounds]
//! ```
//!
//! Prints the peak of fused multiply-adds and the bandwidth of an Adam-like sweep; then, for a layer of 3072 inputs and
//! 500 units in `f32`, the milliseconds (the tenth fastest run of a hundred) of the forward pass, of the backward pass with Adam's update fused, and
//! the rate of the multiply-adds that were needed (effective: of those that a dense layer would have done).
#![allow(clippy::print_stdout, reason = "it prints what it measured")]
#![allow(clippy::unwrap_used, reason = "a benchmark may panic")]

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use thinnet_kernels::{
    Adjust, Isa, Lists, ListsView, PanelBuf, Panels, PanelsMut, Update, block_size, dense_dot, listed_axpy,
    listed_backward, listed_dot, listed_update, multiply_adds,
};

fn random(seed: &mut u64) -> f64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*seed >> 33) as f64 / (1_u64 << 31) as f64
}

fn filled(rows: usize, cols: usize, seed: &mut u64) -> PanelBuf<f32> {
    #[expect(clippy::cast_possible_truncation, reason = "test data")]
    let values: Vec<f32> = (0..rows * cols).map(|_| random(seed) as f32 - 0.5).collect();
    PanelBuf::from_rows(rows, cols, &values)
}

/// One layer and a batch, with room for all that the kernels write.
struct Layer {
    isa: Isa,
    w: PanelBuf<f32>,
    m: PanelBuf<f32>,
    v: PanelBuf<f32>,
    y: PanelBuf<f32>,
    /// Kept entries, and the half of them that ReLU leaves.
    kept: Lists,
    active: Lists,
    z: Vec<f32>,
    values: Vec<f32>,
    d_values: Vec<f32>,
}

/// The rows of one thread.
struct Rows<'a> {
    isa: Isa,
    w: PanelsMut<'a, f32>,
    m: PanelsMut<'a, f32>,
    v: PanelsMut<'a, f32>,
    y: Panels<'a, f32>,
    kept: ListsView<'a>,
    active: ListsView<'a>,
    z: &'a mut [f32],
    values: &'a [f32],
    d_values: &'a mut [f32],
}

/// What is measured.
#[derive(Clone, Copy, PartialEq)]
enum Kernel {
    Dot,
    Dense,
    Axpy,
    Update,
    Backward,
}

impl Layer {
    fn new(isa: Isa, inputs: usize, units: usize, samples: usize, keep: f64) -> Self {
        let mut seed = 1;
        let kept = Lists::from_fn(units, samples, block_size(samples), |_, _| random(&mut seed) < keep);
        let mut active = Lists::new();
        active.rebuild_from_subset(kept.view(), |_, _| random(&mut seed) < 0.5);
        Self {
            isa,
            w: filled(units, inputs, &mut seed),
            m: PanelBuf::zeros(units, inputs),
            v: PanelBuf::zeros(units, inputs),
            y: filled(samples, inputs, &mut seed),
            z: vec![0.0; units * samples],
            values: (0..active.len()).map(|i| (i % 7) as f32 * 1e-3).collect(),
            d_values: vec![0.0; active.len()],
            kept,
            active,
        }
    }

    fn split(&mut self, threads: usize) -> Vec<Rows<'_>> {
        let rows = self.w.rows();
        let (mut w, mut m, mut v) = (self.w.view_mut(), self.m.view_mut(), self.v.view_mut());
        let (mut z, mut d_values) = (&mut self.z[..], &mut self.d_values[..]);
        let mut parts = Vec::new();
        for t in 0..threads {
            let mine = rows * t / threads..rows * (t + 1) / threads;
            let entries = self.active.view().entries(mine.clone());
            parts.push(Rows {
                isa: self.isa,
                w: w.take_first(mine.len()),
                m: m.take_first(mine.len()),
                v: v.take_first(mine.len()),
                y: self.y.view(),
                kept: self.kept.view().slice(mine.clone()),
                active: self.active.view().slice(mine.clone()),
                z: z.split_off_mut(..mine.len() * self.y.rows()).unwrap_or_default(),
                values: &self.values[entries.clone()],
                d_values: d_values.split_off_mut(..entries.len()).unwrap_or_default(),
            });
        }
        parts
    }

    /// Seconds ([low decile](low_decile)) of each of `kernels`, run in turn by so many threads, which wait for one another in between.
    fn measure(&mut self, threads: usize, kernels: &[Kernel], rounds: usize) -> Vec<f64> {
        let arrived = AtomicUsize::new(0);
        let times = Mutex::new(vec![Vec::new(); kernels.len()]);
        thread::scope(|scope| {
            for (t, mut part) in self.split(threads).into_iter().enumerate() {
                let (arrived, times) = (&arrived, &times);
                scope.spawn(move || {
                    let mut turn = 0;
                    let mut meet = || {
                        turn += threads;
                        arrived.fetch_add(1, Ordering::AcqRel);
                        while arrived.load(Ordering::Acquire) < turn {
                            std::hint::spin_loop();
                        }
                    };
                    for _ in 0..rounds {
                        for (i, &kernel) in kernels.iter().enumerate() {
                            meet();
                            let start = Instant::now();
                            part.run(kernel);
                            meet();
                            if t == 0 {
                                times.lock().unwrap()[i].push(start.elapsed().as_secs_f64());
                            }
                        }
                    }
                });
            }
        });
        times.into_inner().unwrap().into_iter().map(low_decile).collect()
    }
}

impl Rows<'_> {
    fn run(&mut self, kernel: Kernel) {
        let Self { isa, y, kept, active, values, .. } = *self;
        let adam = Update::Adam {
            learning_rate: 1e-3,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            step: 10,
            m: self.m.reborrow(),
            v: self.v.reborrow(),
        };
        match kernel {
            Kernel::Dot => listed_dot(isa, kept, self.w.as_view(), y, &mut self.z[..kept.len()]),
            Kernel::Dense => dense_dot(isa, self.w.as_view(), y, self.z),
            Kernel::Axpy => listed_axpy(isa, active, values, y, None, self.m.reborrow()),
            Kernel::Update => listed_update(isa, active, values, y, self.w.reborrow(), Adjust::NONE, adam),
            Kernel::Backward => {
                listed_backward(isa, active, values, y, self.w.reborrow(), self.d_values, Adjust::NONE, adam);
            }
        }
    }
}

/// A time that one in ten runs does not reach: what the kernel takes when nothing else runs on the machine.
fn low_decile(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 10]
}

/// Each thread's peak of multiply-adds, all threads at once, summed: GFLOP/s.
fn peak(isa: Isa, threads: usize) -> f64 {
    let one = || {
        let seconds_each = |_| {
            let start = Instant::now();
            let done = multiply_adds::<f32>(isa, 100_000);
            start.elapsed().as_secs_f64() / done as f64
        };
        1e-9 / low_decile((0..30).map(seconds_each).collect())
    };
    thread::scope(|scope| {
        let all: Vec<_> = (0..threads).map(|_| scope.spawn(one)).collect();
        all.into_iter().map(|t| t.join().unwrap()).sum()
    })
}

fn main() {
    let mut args = std::env::args().skip(1);
    let isa = args.next().and_then(|name| Isa::by_name(&name)).unwrap_or(Isa::detect());
    let mut number = |default| args.next().and_then(|n| n.parse().ok()).unwrap_or(default);
    let (inputs, units, rounds) = (number(3072), number(500), number(101));
    let peaks = [peak(isa, 1), peak(isa, 2)];
    println!(
        "{isa}: peak {:.0} GFLOP/s on one thread, {:.0} on two; {inputs} inputs, {units} units",
        peaks[0], peaks[1]
    );
    for threads in [1, 2] {
        // With nothing listed, an update is its memory traffic: three matrices read and written.
        let idle = Layer::new(isa, inputs, units, 1, 0.0).measure(threads, &[Kernel::Update], rounds)[0];
        println!(
            "{threads} thread(s): Adam alone {:.3} ms, {:.1} GB/s",
            idle * 1e3,
            (24 * inputs * units) as f64 / idle / 1e9
        );
    }
    println!(
        "ms (and per cent of peak)    forward       backward+Adam  both   | dX too        axpy          dense"
    );
    for samples in [100, 500] {
        for keep in [1.0, 0.75, 0.5, 0.25] {
            for threads in [1, 2] {
                let mut layer = Layer::new(isa, inputs, units, samples, keep);
                let of_peak = |entries: usize, seconds: f64| {
                    let rate = (2 * entries * inputs) as f64 / seconds / 1e9;
                    format!("{:7.3} ({:3.0}%)", seconds * 1e3, 100.0 * rate / peaks[threads - 1])
                };
                let (kept, active) = (layer.kept.len(), layer.active.len());
                let rounds = if samples > 100 { rounds / 3 } else { rounds };
                let step = layer.measure(threads, &[Kernel::Dot, Kernel::Update], rounds);
                let others = layer.measure(threads, &[Kernel::Backward, Kernel::Axpy], rounds);
                let dense = if keep >= 1.0 {
                    of_peak(units * samples, layer.measure(threads, &[Kernel::Dense], rounds)[0])
                } else {
                    String::new()
                };
                println!(
                    "N={samples} keep={keep:.2} threads={threads}: {} {} {:7.3} | {} {} {}",
                    of_peak(kept, step[0]),
                    of_peak(active, step[1]),
                    (step[0] + step[1]) * 1e3,
                    of_peak(2 * active, others[0]),
                    of_peak(active, others[1]),
                    dense,
                );
            }
        }
    }
}
