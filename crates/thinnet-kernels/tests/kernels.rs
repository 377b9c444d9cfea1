//! Every kernel, on every instruction set that this CPU has and in both element types, against sums written out plainly
//! in `f64`, over odd sizes.
#![allow(clippy::print_stdout, reason = "a test that cannot run here says so")]
#![allow(clippy::float_cmp, reason = "where bits are compared, bits are meant")]

use std::fmt::Write as _;

use thinnet_kernels::{
    Element, Isa, Lists, PanelBuf, Update, add_row_sums, apply_update, block_size, dense_dot, gather,
    listed_axpy, listed_backward, listed_dot, listed_update, relu_listed,
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
    fn values<T: Element>(&mut self, n: usize) -> Vec<T> {
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
fn tolerance<T: Element>() -> f64 {
    if size_of::<T>() == 4 { 2e-5 } else { 1e-13 }
}

fn assert_close<T: Element>(got: &[T], expected: &[f64], what: &str) {
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
fn assert_padding<T: Element>(m: &PanelBuf<T>, what: &str) {
    let v = m.view();
    let tail = v.panels() * T::PANEL - v.cols();
    for r in 0..v.rows() {
        if tail > 0 {
            let row = v.row(v.panels() - 1, r);
            assert!(row[T::PANEL - tail..].iter().all(|&x| x == T::ZERO), "{what}: padding of row {r}");
        }
    }
}

fn wide<T: Element>(v: &[T]) -> Vec<f64> {
    v.iter().map(|x| x.to_f64()).collect()
}

/// Runs a test for each instruction set, element type and shape; what this CPU lacks is said.
fn each(test32: impl Fn(Isa, Shape, &str), test64: impl Fn(Isa, Shape, &str)) {
    let mut skipped = String::new();
    for name in Isa::NAMES {
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
struct Case<T: Element> {
    w: PanelBuf<T>,
    y: PanelBuf<T>,
    w64: Vec<f64>,
    y64: Vec<f64>,
    lists: Lists,
    values: Vec<T>,
    random: Random,
}

impl<T: Element> Case<T> {
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

#[test]
fn listed_dot_is_the_plain_sum() {
    fn case<T: Element>(isa: Isa, shape: Shape, what: &str) {
        let case = Case::<T>::new(shape);
        let mut out = vec![T::ONE; case.lists.len()];
        listed_dot(isa, case.lists.view(), case.w.view(), case.y.view(), &mut out);
        assert_close(&out, &case.listed_dots(), what);
    }
    each(case::<f32>, case::<f64>);
}

#[test]
fn dense_dot_is_the_plain_sum() {
    fn case<T: Element>(isa: Isa, shape: Shape, what: &str) {
        let case = Case::<T>::new(shape);
        let (rows, samples) = (case.w.rows(), case.y.rows());
        let mut out = vec![T::ONE; rows * samples];
        dense_dot(isa, case.w.view(), case.y.view(), &mut out);
        let expected: Vec<f64> =
            (0..rows).flat_map(|r| (0..samples).map(move |n| (r, n))).map(|(r, n)| case.dot(r, n)).collect();
        assert_close(&out, &expected, what);
    }
    each(case::<f32>, case::<f64>);
}

#[test]
fn listed_axpy_is_the_plain_sum() {
    fn case<T: Element>(isa: Isa, shape: Shape, what: &str) {
        let mut case = Case::<T>::new(shape);
        let cols = case.w.cols();
        let bias = case.random.values::<T>(cols);
        let packed = PanelBuf::from_rows(1, cols, &bias);
        let mut z = PanelBuf::from_rows(case.w.rows(), cols, &case.random.values::<T>(case.w64.len()));
        for with_bias in [true, false] {
            let b = with_bias.then(|| packed.view());
            listed_axpy(isa, case.lists.view(), &case.values, case.y.view(), b, z.view_mut());
            let mut expected = case.gradient(0.0);
            for (i, e) in expected.iter_mut().enumerate() {
                *e += if with_bias { bias[i % cols].to_f64() } else { 0.0 };
            }
            assert_close(&z.view().to_rows(), &expected, what);
            assert_padding(&z, what);
        }
    }
    each(case::<f32>, case::<f64>);
}

/// The rules, written as the course writes them, on one weight and its state.
fn plain_rule(rule: usize, step: u32, w: &mut f64, state: &mut [f64; 2], g: f64) {
    let [a, b] = state;
    match rule {
        0 => *w -= 0.1 * g,
        1 => {
            *a = 0.9 * *a - 0.1 * g;
            *w += *a;
        }
        2 => {
            *a = 0.99 * *a + 0.01 * g * g;
            *w -= 0.1 * g / (a.sqrt() + 1e-8);
        }
        _ => {
            *a = 0.9 * *a + 0.1 * g;
            *b = 0.999 * *b + 0.001 * g * g;
            let t = f64::from(step);
            let (mt, vt) = (*a / (1.0 - 0.9_f64.powf(t)), *b / (1.0 - 0.999_f64.powf(t)));
            *w -= 0.01 * mt / (vt.sqrt() + 1e-8);
        }
    }
}

fn update<'a, T: Element>(
    rule: usize,
    step: u32,
    a: &'a mut PanelBuf<T>,
    b: &'a mut PanelBuf<T>,
) -> Update<'a, T> {
    let c = T::from_f64;
    match rule {
        0 => Update::Sgd { learning_rate: c(0.1) },
        1 => Update::Momentum { learning_rate: c(0.1), momentum: c(0.9), velocity: a.view_mut() },
        2 => Update::RmsProp { learning_rate: c(0.1), decay: c(0.99), epsilon: c(1e-8), cache: a.view_mut() },
        _ => Update::Adam {
            learning_rate: c(0.01),
            beta1: c(0.9),
            beta2: c(0.999),
            epsilon: c(1e-8),
            step,
            m: a.view_mut(),
            v: b.view_mut(),
        },
    }
}

/// Which function applies the updates of `updates_follow_the_rules`.
#[derive(Clone, Copy)]
enum By {
    Update,
    Backward,
    Apply,
}

fn updates<T: Element>(isa: Isa, shape: Shape, by: By, what: &str) {
    const REG: f64 = 0.5;
    for rule in 0..4 {
        let what = format!("{what} rule {rule}");
        let mut case = Case::<T>::new(shape);
        let (rows, cols) = (case.w.rows(), case.w.cols());
        let (mut a, mut b) = (PanelBuf::zeros(rows, cols), PanelBuf::zeros(rows, cols));
        let mut state = vec![[0.0; 2]; rows * cols];
        for step in 1..=3 {
            let g = case.gradient(REG);
            let dots = case.listed_dots();
            let mut expected = case.w64.clone();
            for ((w, s), g) in expected.iter_mut().zip(&mut state).zip(g) {
                // The division takes all scale from a gradient, its rounding errors' too: near zero there is no
                // telling which way it goes, so this compares with what was added in the same precision.
                plain_rule(rule, step, w, s, T::from_f64(g).to_f64());
            }
            let (y, reg) = (case.y.view(), T::from_f64(REG));
            let mut w = case.w.clone();
            match by {
                By::Update => listed_update(
                    isa,
                    case.lists.view(),
                    &case.values,
                    y,
                    w.view_mut(),
                    reg,
                    update(rule, step, &mut a, &mut b),
                ),
                By::Backward => {
                    let mut d = vec![T::ONE; case.lists.len()];
                    let rule = update(rule, step, &mut a, &mut b);
                    let lists = case.lists.view();
                    listed_backward(isa, lists, &case.values, y, w.view_mut(), &mut d, reg, rule);
                    assert_close(&d, &dots, &what);
                }
                By::Apply => {
                    let g: Vec<T> = case.gradient(0.0).into_iter().map(T::from_f64).collect();
                    let g = PanelBuf::from_rows(rows, cols, &g);
                    apply_update(isa, w.view_mut(), g.view(), reg, update(rule, step, &mut a, &mut b));
                }
            }
            for m in [&w, &a, &b] {
                assert_padding(m, &what);
            }
            let got = w.view().to_rows();
            if rule >= 2 {
                // The same, but where the gradient is nearly nothing.
                let small = case.gradient(REG).into_iter().map(|g| g.abs() < 1e-3);
                for ((got, expected), small) in got.iter().zip(&mut expected).zip(small) {
                    if small {
                        *expected = got.to_f64();
                    }
                }
            }
            for (g, e) in got.iter().zip(&expected) {
                let off = (g.to_f64() - e).abs();
                assert!(
                    off < 20.0 * tolerance::<T>() * e.abs().max(1.0),
                    "{what} step {step}: {g:?}, not {e}"
                );
            }
            // The next step starts from what is there.
            case.w64 = wide(&got);
            case.w = w;
        }
    }
}

#[test]
fn listed_update_follows_the_rules() {
    each(|i, s, w| updates::<f32>(i, s, By::Update, w), |i, s, w| updates::<f64>(i, s, By::Update, w));
}

#[test]
fn listed_backward_follows_the_rules_and_hands_back_the_gradient() {
    each(|i, s, w| updates::<f32>(i, s, By::Backward, w), |i, s, w| updates::<f64>(i, s, By::Backward, w));
}

#[test]
fn apply_update_follows_the_rules() {
    each(|i, s, w| updates::<f32>(i, s, By::Apply, w), |i, s, w| updates::<f64>(i, s, By::Apply, w));
}

#[test]
fn the_gradient_alone_is_the_plain_sum() {
    fn case<T: Element>(isa: Isa, shape: Shape, what: &str) {
        let mut case = Case::<T>::new(shape);
        let expected = case.gradient(0.5);
        let before = case.w.as_slice().to_vec();
        let reg = T::from_f64(0.5);
        let mut g = PanelBuf::zeros(case.w.rows(), case.w.cols());
        let keep = Update::Gradient { gradient: g.view_mut() };
        listed_update(isa, case.lists.view(), &case.values, case.y.view(), case.w.view_mut(), reg, keep);
        assert_close(&g.view().to_rows(), &expected, what);
        assert_padding(&g, what);
        g.reset(case.w.rows(), case.w.cols());
        let mut d = vec![T::ZERO; case.lists.len()];
        let keep = Update::Gradient { gradient: g.view_mut() };
        let (lists, y, w) = (case.lists.view(), case.y.view(), case.w.view_mut());
        listed_backward(isa, lists, &case.values, y, w, &mut d, reg, keep);
        assert_close(&g.view().to_rows(), &expected, what);
        assert_close(&d, &case.listed_dots(), what);
        assert_eq!(case.w.as_slice(), before, "{what}: weights stay");
    }
    each(case::<f32>, case::<f64>);
}

/// Rows split anywhere, and samples blocked anyhow or listed beside others, give the same bits.
#[test]
fn splits_change_no_bit() {
    fn case<T: Element>(isa: Isa, shape: Shape, what: &str) {
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
                    listed_backward(isa, lists, values, case.y.view(), w_part, d, c(0.1), adam);
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

#[test]
fn lists_say_what_was_kept() {
    let mut random = Random(3);
    for (rows, samples, _, block, keep) in SHAPES {
        let mask: Vec<bool> = (0..rows * samples).map(|_| random.value() < 2.0 * keep - 1.0).collect();
        let lists = Lists::from_fn(rows, samples, block, |r, n| mask[r * samples + n]);
        for r in 0..rows {
            let expected: Vec<usize> = (0..samples).filter(|n| mask[r * samples + n]).collect();
            let got: Vec<usize> = lists.view().row(r).iter().map(|&n| n as usize).collect();
            assert_eq!(got, expected);
        }
        // From bits, with rubbish past the end.
        let per_row = samples.div_ceil(64);
        let mut words = vec![u64::MAX; rows * per_row];
        for (i, kept) in mask.iter().enumerate() {
            let (r, n) = (i / samples, i % samples);
            if !kept {
                words[r * per_row + n / 64] &= !(1 << (n % 64));
            }
        }
        let mut from_bits = Lists::new();
        from_bits.rebuild_from_bits(rows, samples, block, &words);
        assert_eq!(from_bits, lists);
        // Seen from the samples, and back.
        let (turned, from) = lists.transpose(3);
        assert_eq!(turned, Lists::from_fn(samples, rows, 3, |n, r| mask[r * samples + n]));
        let values: Vec<f64> = random.values(lists.len());
        let (mut there, mut back) = (vec![0.0; values.len()], vec![0.0; values.len()]);
        gather(&values, &from, &mut there);
        let (again, from) = turned.transpose(block);
        gather(&there, &from, &mut back);
        assert_eq!((again, back), (lists.clone(), values));
        // In two parts.
        let cut = rows / 2;
        let part = |from: usize, to: usize| {
            Lists::from_fn(to - from, samples, block, |r, n| mask[(from + r) * samples + n])
        };
        let mut joined = Lists::new();
        joined.rebuild_from_parts(&[part(0, cut), part(cut, rows)]);
        assert_eq!(joined, lists);
    }
}

#[test]
fn relu_keeps_what_is_positive() {
    let kept = Lists::from_fn(2, 4, 2, |r, n| r == 0 || n > 1);
    let z = [1.0, -1.0, 0.0, 3.0, -5.0, 2.0];
    let (mut active, mut values) = (Lists::new(), vec![9.0; 40]);
    relu_listed(kept.view(), &z, &[0.5, -1.0], 2.0, &mut active, &mut values);
    assert_eq!(
        active,
        Lists::from_fn(2, 4, 2, |r, n| [[true, false, true, true], [false, false, false, true]][r][n])
    );
    assert_eq!(values, [3.0, 1.0, 7.0, 2.0]);
    let mut sums = [10.0, 20.0];
    add_row_sums(active.view(), &values, &mut sums);
    assert_eq!(sums, [21.0, 22.0]);
    let mut dense = PanelBuf::zeros(4, 3);
    dense.view_mut().scatter(active.view(), 1, &values);
    assert_eq!(dense.view().to_rows(), [0., 3., 0., 0., 0., 0., 0., 1., 0., 0., 7., 2.]);
}

#[test]
fn rows_are_packed_and_gathered() {
    let mut random = Random(5);
    for cols in [0, 1, 31, 64, 65, 200] {
        let source: Vec<f32> = random.values(7 * cols);
        let packed = PanelBuf::from_rows(7, cols, &source);
        assert_eq!(packed.view().to_rows(), source);
        let mut chosen = PanelBuf::from_rows(3, cols, &vec![9.0; 3 * cols]);
        chosen.view_mut().pack_chosen(&source, &[6, 0, 6]);
        let row = |r: usize| &source[r * cols..(r + 1) * cols];
        assert_eq!(chosen.view().to_rows(), [row(6), row(0), row(6)].concat());
        assert_eq!(chosen.view().slice(1..2).to_rows(), row(0));
        assert_padding(&chosen, "chosen");
        let (mut left, mut right) = chosen.view_mut().split_at(1);
        left.clear();
        if cols > 0 {
            right.reborrow().row_mut(0, 0).fill(0.0);
        }
        assert!(left.as_view().to_rows().iter().all(|&x| x == 0.0));
    }
}

/// A caller's closure may panic, and be caught, in the middle of a row: what is left must not reach a kernel's loops.
#[test]
fn lists_left_half_built_are_refused() {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    let quietly = |run: &mut dyn FnMut()| catch_unwind(AssertUnwindSafe(run)).is_err();
    let mut broken = Lists::full(3, 8, 4);
    assert!(quietly(&mut || broken.rebuild_from_fn(3, 8, 4, |r, i| {
        assert!((r, i) != (1, 5), "as planned");
        true
    })));
    let (w, y) = (PanelBuf::<f32>::zeros(3, 5), PanelBuf::zeros(8, 5));
    let mut out = [0.0; 24];
    let isa = Isa::detect();
    for len in [8, 13, 17, 24] {
        assert!(quietly(&mut || listed_dot(isa, broken.view(), w.view(), y.view(), &mut out[..len])));
    }
    let mut target = Lists::full(2, 2, 2);
    assert!(quietly(&mut || target.rebuild_transposed(&broken, 4, &mut Vec::new())));
    assert_eq!(target, Lists::full(2, 2, 2));
}

#[test]
#[should_panic(expected = "lists of 9 samples of 8")]
fn lists_past_the_samples_are_refused() {
    let (w, y) = (PanelBuf::<f32>::zeros(2, 5), PanelBuf::zeros(8, 5));
    let lists = Lists::full(2, 9, 4);
    listed_dot(Isa::detect(), lists.view(), w.view(), y.view(), &mut [0.0; 18]);
}

#[test]
#[should_panic(expected = "not of the same rows")]
fn state_of_other_rows_is_refused() {
    let (mut w, mut v, y) = (PanelBuf::<f32>::zeros(4, 5), PanelBuf::zeros(4, 5), PanelBuf::zeros(8, 5));
    let (first, _) = w.view_mut().split_at(2);
    let (_, second) = v.view_mut().split_at(2);
    let rule = Update::Momentum { learning_rate: 0.1, momentum: 0.9, velocity: second };
    let lists = Lists::full(2, 8, 4);
    listed_update(Isa::detect(), lists.view(), &[0.0; 16], y.view(), first, 0.0, rule);
}
