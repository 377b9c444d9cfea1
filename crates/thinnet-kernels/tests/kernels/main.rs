//! Every kernel, on every instruction set that this CPU has and in both element types, against sums written out plainly
//! in `f64`, over odd sizes.
#![allow(clippy::print_stdout, reason = "a test that cannot run here says so")]
#![allow(clippy::float_cmp, reason = "where bits are compared, bits are meant")]

mod bits;
mod lists;
mod masked;
mod products;
mod updates;

use std::fmt::Write as _;

use thinnet_kernels::{
    Adjust, Isa, Kernels, Lists, PanelBuf, Update, block_size, listed_axpy, listed_backward, listed_dot,
};

/// A small generator: 64-bit multiply and shift (Knuth's constants), enough for test data.
struct Random(u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }
    /// In -1..1.
    fn value(&mut self) -> f64 {
        self.bits() as f64 / (1_u64 << 30) as f64 - 1.0
    }
    fn values<T: Kernels>(&mut self, n: usize) -> Vec<T> {
        (0..n).map(|_| T::from_f64(self.value())).collect()
    }
    fn lists(&mut self, rows: usize, cols: usize, block: usize, keep: f64) -> Lists {
        Lists::from_fn(rows, cols, block, |_, _| self.value() < 2.0 * keep - 1.0)
    }
}

/// What a case is about: rows, samples, columns, samples in a block, share kept.
type Shape = (usize, usize, usize, usize, f64);

const SHAPES: [Shape; 14] = [
    (1, 1, 1, 1, 1.0),
    (1, 1, 64, 8, 1.0),
    (3, 5, 63, 2, 0.5),
    (7, 4, 65, 4, 1.0),
    (13, 9, 127, 100, 0.7),
    (6, 4, 128, 4, 1.0),
    (17, 23, 200, 7, 0.25),
    (12, 100, 130, 100, 0.5),
    (5, 101, 31, 40, 0.9),
    (33, 12, 700, 5, 0.6),
    (4, 6, 17, 3, 0.0),
    (8, 0, 20, 4, 0.5),
    (0, 8, 20, 4, 0.5),
    (3, 3, 0, 4, 0.5),
];

/// Rounding of sums of up to 700 products of numbers below 1: a few units in the last place of the largest sum.
fn tolerance<T: Kernels>() -> f64 {
    if size_of::<T>() == 4 { 2e-5 } else { 1e-13 }
}

fn assert_close<T: Kernels>(got: &[T], expected: &[f64], what: &str) {
    assert_eq!(got.len(), expected.len(), "{what}: length");
    for (i, (g, e)) in got.iter().zip(expected).enumerate() {
        let off = (g.to_f64() - e).abs();
        assert!(
            off <= tolerance::<T>() * e.abs().max(1.0),
            "{what}: [{i}] is {g:?}, not {e} (off by {off:e})"
        );
    }
}

/// Padding must be zero after any kernel.
fn assert_padding<T: Kernels>(m: &PanelBuf<T>, what: &str) {
    let v = m.view();
    let tail = v.panels() * T::PANEL - v.cols();
    for r in 0..v.rows() {
        if tail > 0 {
            let row = v.row(v.panels() - 1, r);
            assert!(row[T::PANEL - tail..].iter().all(|&x| x == T::ZERO), "{what}: padding of row {r}");
        }
    }
}

fn wide<T: Kernels>(v: &[T]) -> Vec<f64> {
    v.iter().map(|x| x.to_f64()).collect()
}

/// Runs a test for each instruction set, element type and shape; what this CPU lacks is said.
fn each(test32: impl Fn(Isa, Shape, &str), test64: impl Fn(Isa, Shape, &str)) {
    let mut skipped = String::new();
    for name in Isa::NAMES.into_iter().chain(["portable-fused"]) {
        let Some(isa) = Isa::by_name(name) else {
            let _ = write!(skipped, " {name}");
            continue;
        };
        for shape in SHAPES {
            test32(isa, shape, &format!("{name} f32 {shape:?}"));
            test64(isa, shape, &format!("{name} f64 {shape:?}"));
        }
    }
    if !skipped.is_empty() {
        println!("skipped, for this CPU lacks them:{skipped}");
    }
}

/// A case's weights, samples, lists and values of entries, in panels and as `f64`.
struct Case<T: Kernels> {
    w: PanelBuf<T>,
    y: PanelBuf<T>,
    w64: Vec<f64>,
    y64: Vec<f64>,
    lists: Lists,
    values: Vec<T>,
    random: Random,
}

impl<T: Kernels> Case<T> {
    fn new((rows, samples, cols, block, keep): Shape) -> Self {
        let mut random = Random(7 + rows as u64 * 1000 + samples as u64 * 10 + cols as u64);
        let (w, y) = (random.values::<T>(rows * cols), random.values::<T>(samples * cols));
        let lists = random.lists(rows, samples, block, keep);
        let values = random.values(lists.len());
        Self {
            w: PanelBuf::from_rows(rows, cols, &w),
            y: PanelBuf::from_rows(samples, cols, &y),
            w64: wide(&w),
            y64: wide(&y),
            lists,
            values,
            random,
        }
    }

    fn dot(&self, r: usize, n: usize) -> f64 {
        let cols = self.w.cols();
        (0..cols).map(|c| self.w64[r * cols + c] * self.y64[n * cols + c]).sum()
    }

    fn listed_dots(&self) -> Vec<f64> {
        let lists = self.lists.view();
        (0..lists.rows()).flat_map(|r| lists.row(r).iter().map(move |&n| self.dot(r, n as usize))).collect()
    }

    fn gradient(&self, reg: f64) -> Vec<f64> {
        let (lists, cols) = (self.lists.view(), self.w.cols());
        let mut g: Vec<f64> = self.w64.iter().map(|w| reg * w).collect();
        for r in 0..lists.rows() {
            for (&n, value) in lists.row(r).iter().zip(&self.values[lists.row_entries(r)]) {
                for c in 0..cols {
                    g[r * cols + c] += value.to_f64() * self.y64[n as usize * cols + c];
                }
            }
        }
        g
    }
}

/// Rows split anywhere, and samples blocked anyhow or listed beside others, give the same bits.
#[test]
fn splits_change_no_bit() {
    fn case<T: Kernels>(isa: Isa, shape: Shape, what: &str) {
        let case = Case::<T>::new(shape);
        let (rows, cols) = (case.w.rows(), case.w.cols());
        let run = |cut: usize, forward_only: bool| {
            let mut w = case.w.clone();
            let (mut m, mut v) = (PanelBuf::zeros(rows, cols), PanelBuf::zeros(rows, cols));
            let mut dots = vec![T::ZERO; case.lists.len()];
            let mut d = dots.clone();
            let mut z = PanelBuf::zeros(rows, cols);
            let mut parts = vec![(0..cut), (cut..rows)];
            let (mut w_left, mut m_left, mut v_left) = (w.view_mut(), m.view_mut(), v.view_mut());
            let mut z_left = z.view_mut();
            for part in parts.drain(..) {
                let lists = case.lists.view().slice(part.clone());
                let entries = case.lists.view().entries(part.clone());
                let values = &case.values[entries.clone()];
                listed_dot(
                    isa,
                    lists,
                    case.w.view().slice(part.clone()),
                    case.y.view(),
                    &mut dots[entries.clone()],
                );
                let (z_part, rest) = z_left.split_at(part.len());
                z_left = rest;
                listed_axpy(isa, lists, values, case.y.view(), None, z_part);
                let (w_part, rest) = w_left.split_at(part.len());
                w_left = rest;
                let (m_part, rest) = m_left.split_at(part.len());
                m_left = rest;
                let (v_part, rest) = v_left.split_at(part.len());
                v_left = rest;
                let c = T::from_f64;
                let adam = Update::Adam {
                    learning_rate: c(0.01),
                    beta1: c(0.9),
                    beta2: c(0.999),
                    epsilon: c(1e-8),
                    step: 1,
                    m: m_part,
                    v: v_part,
                };
                if !forward_only {
                    let d = &mut d[entries];
                    listed_backward(isa, lists, values, case.y.view(), w_part, d, Adjust::l2(c(0.1)), adam);
                }
            }
            let all = [&w, &m, &v, &z].map(|m| m.as_slice().to_vec());
            (dots, d, all)
        };
        let whole = run(0, false);
        for cut in [rows / 3, rows / 2, rows] {
            assert_eq!(run(cut, false), whole, "{what} cut at {cut}");
        }
        // The same entries among all others.
        let full = Lists::full(rows, case.y.rows(), block_size(case.y.rows()));
        let mut out = vec![T::ZERO; full.len()];
        listed_dot(isa, full.view(), case.w.view(), case.y.view(), &mut out);
        let lists = case.lists.view();
        for r in 0..rows {
            for (&n, got) in lists.row(r).iter().zip(&whole.0[lists.row_entries(r)]) {
                assert_eq!(*got, out[r * case.y.rows() + n as usize], "{what} row {r} sample {n}");
            }
        }
    }
    each(case::<f32>, case::<f64>);
}
