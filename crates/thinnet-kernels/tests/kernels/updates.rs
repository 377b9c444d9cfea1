//! Updates, fused onto gradients and alone.

use thinnet_kernels::{Adjust, Isa, Kernels, PanelBuf, Update, apply_update, listed_backward, listed_update};

use crate::{Case, Shape, assert_close, assert_padding, each, tolerance, wide};

/// The rules, written as the course writes them, on one weight and its state.
fn plain_rule(rule: usize, step: u32, w: &mut f64, state: &mut [f64; 2], g: f64) {
    let [a, b] = state;
    match rule {
        0 => *w -= 0.1 * g,
        1 => {
            *a = 0.9 * *a - 0.1 * g;
            *w += *a;
        }
        4 => {
            *a = 0.9 * *a - 0.1 * g;
            *w += 0.9 * *a - 0.1 * g;
        }
        2 => {
            *a = 0.99 * *a + 0.01 * g * g;
            *w -= 0.1 * g / (a.sqrt() + 1e-8);
        }
        _ => {
            if rule == 5 {
                *w *= 1.0 - 0.01 * 0.5;
            }
            *a = 0.9 * *a + 0.1 * g;
            *b = 0.999 * *b + 0.001 * g * g;
            let t = f64::from(step);
            let (mt, vt) = (*a / (1.0 - 0.9_f64.powf(t)), *b / (1.0 - 0.999_f64.powf(t)));
            *w -= 0.01 * mt / (vt.sqrt() + 1e-8);
        }
    }
}

pub(crate) fn update<'a, T: Kernels>(
    rule: usize,
    step: u32,
    a: &'a mut PanelBuf<T>,
    b: &'a mut PanelBuf<T>,
) -> Update<'a, T> {
    let c = T::from_f64;
    match rule {
        0 => Update::Sgd { learning_rate: c(0.1) },
        1 | 4 => Update::Momentum {
            learning_rate: c(0.1),
            momentum: c(0.9),
            nesterov: rule == 4,
            velocity: a.view_mut(),
        },
        2 => Update::RmsProp { learning_rate: c(0.1), decay: c(0.99), epsilon: c(1e-8), cache: a.view_mut() },
        5 => Update::AdamW {
            learning_rate: c(0.01),
            weight_decay: c(0.5),
            beta1: c(0.9),
            beta2: c(0.999),
            epsilon: c(1e-8),
            step,
            m: a.view_mut(),
            v: b.view_mut(),
        },
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

/// An L2 term alone, then each of what else may become of a gradient, then all of it. Without a reason to, the kernels take a
/// way of their own that knows of the first alone.
pub(crate) fn adjusts<T: Kernels>() -> [Adjust<T>; 5] {
    let c = T::from_f64;
    let l2 = Adjust::l2(c(0.5));
    [
        l2,
        Adjust { l1: c(0.25), ..l2 },
        Adjust { factor: c(0.125), ..l2 },
        Adjust { limit: Some(c(0.5)), ..l2 },
        Adjust { l1: c(0.25), factor: c(0.75), limit: Some(c(0.75)), ..l2 },
    ]
}

/// What becomes of the plain gradient `g` of weights `w`.
fn adjusted<T: Kernels>(adjust: &Adjust<T>, w: &[f64], g: &[f64]) -> Vec<f64> {
    let sign = |w: f64| if w == 0.0 { 0.0 } else { w.signum() };
    let limit = adjust.limit.map_or(f64::INFINITY, T::to_f64);
    let of = |(w, g): (&f64, &f64)| {
        let g = g + adjust.l2.to_f64() * w + adjust.l1.to_f64() * sign(*w);
        (adjust.factor.to_f64() * g).clamp(-limit, limit)
    };
    w.iter().zip(g).map(of).collect()
}

/// A case some of whose weights are 0.
pub(crate) fn with_zeros<T: Kernels>(shape: Shape) -> Case<T> {
    let mut case = Case::<T>::new(shape);
    case.w64.iter_mut().step_by(5).for_each(|w| *w = 0.0);
    let w: Vec<T> = case.w64.iter().map(|&w| T::from_f64(w)).collect();
    case.w.view_mut().pack(&w);
    case
}

/// Which function applies the updates of `updates_follow_the_rules`.
#[derive(Clone, Copy)]
enum By {
    Update,
    Backward,
    Apply,
}

fn updates<T: Kernels>(isa: Isa, shape: Shape, by: By, what: &str) {
    for (rule, adjust) in (0..6).flat_map(|rule| adjusts::<T>().map(|adjust| (rule, adjust))) {
        let what = format!("{what} rule {rule} {adjust:?}");
        let mut case = with_zeros::<T>(shape);
        let (rows, cols) = (case.w.rows(), case.w.cols());
        let (mut a, mut b) = (PanelBuf::zeros(rows, cols), PanelBuf::zeros(rows, cols));
        let mut state = vec![[0.0; 2]; rows * cols];
        for step in 1..=3 {
            let gradient = adjusted(&adjust, &case.w64, &case.gradient(0.0));
            let dots = case.listed_dots();
            let mut expected = case.w64.clone();
            for ((w, s), &g) in expected.iter_mut().zip(&mut state).zip(&gradient) {
                // The division takes all scale from a gradient, its rounding errors' too: near zero there is no
                // telling which way it goes, so this compares with what was added in the same precision.
                plain_rule(rule, step, w, s, T::from_f64(g).to_f64());
            }
            let y = case.y.view();
            let mut w = case.w.clone();
            match by {
                By::Update => listed_update(
                    isa,
                    case.lists.view(),
                    &case.values,
                    y,
                    w.view_mut(),
                    adjust,
                    update(rule, step, &mut a, &mut b),
                ),
                By::Backward => {
                    let mut d = vec![T::ONE; case.lists.len()];
                    let rule = update(rule, step, &mut a, &mut b);
                    let lists = case.lists.view();
                    listed_backward(isa, lists, &case.values, y, w.view_mut(), &mut d, adjust, rule);
                    assert_close(&d, &dots, &what);
                }
                By::Apply => {
                    let g: Vec<T> = case.gradient(0.0).into_iter().map(T::from_f64).collect();
                    let g = PanelBuf::from_rows(rows, cols, &g);
                    apply_update(isa, w.view_mut(), g.view(), adjust, update(rule, step, &mut a, &mut b));
                }
            }
            for m in [&w, &a, &b] {
                assert_padding(m, &what);
            }
            let got = w.view().to_rows();
            if rule >= 2 {
                // The same, but where the gradient is nearly nothing.
                let small = gradient.iter().map(|g| g.abs() < 1e-3);
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
fn the_gradient_alone_is_the_sum_with_what_is_added() {
    fn case<T: Kernels>(isa: Isa, shape: Shape, what: &str) {
        for adjust in adjusts::<T>() {
            one(isa, shape, adjust, &format!("{what} {adjust:?}"));
        }
    }
    fn one<T: Kernels>(isa: Isa, shape: Shape, adjust: Adjust<T>, what: &str) {
        let mut case = with_zeros::<T>(shape);
        let expected = adjusted(&adjust, &case.w64, &case.gradient(0.0));
        let before = case.w.as_slice().to_vec();
        let mut g = PanelBuf::zeros(case.w.rows(), case.w.cols());
        let keep = Update::Gradient { gradient: g.view_mut() };
        listed_update(isa, case.lists.view(), &case.values, case.y.view(), case.w.view_mut(), adjust, keep);
        assert_close(&g.view().to_rows(), &expected, what);
        assert_padding(&g, what);
        g.reset(case.w.rows(), case.w.cols());
        let mut d = vec![T::ZERO; case.lists.len()];
        let keep = Update::Gradient { gradient: g.view_mut() };
        let (lists, y, w) = (case.lists.view(), case.y.view(), case.w.view_mut());
        listed_backward(isa, lists, &case.values, y, w, &mut d, adjust, keep);
        assert_close(&g.view().to_rows(), &expected, what);
        assert_close(&d, &case.listed_dots(), what);
        assert_eq!(case.w.as_slice(), before, "{what}: weights stay");
    }
    each(case::<f32>, case::<f64>);
}

/// The figures that decide: nothing but an L2 term leaves the way that knows of it alone, to the bit; NaN is not hidden by a
/// bound; and what is infinite comes to it.
#[test]
fn bounds_hold_what_is_infinite_and_let_nan_through() {
    fn case<T: Kernels>(isa: Isa, what: &str) {
        let c = T::from_f64;
        let g: Vec<T> = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 2.0, -2.0, 0.5, -0.5].map(c).to_vec();
        let g = PanelBuf::from_rows(1, 7, &g);
        let mut w = PanelBuf::from_rows(1, 7, &[c(0.0), c(0.0), c(-0.0), c(1.0), c(-1.0), c(0.0), c(-1.0)]);
        let adjust = Adjust { l1: c(0.25), factor: c(0.5), limit: Some(c(1.0)), l2: c(0.0) };
        let mut kept = PanelBuf::zeros(1, 7);
        let keep = Update::Gradient { gradient: kept.view_mut() };
        apply_update(isa, w.view_mut(), g.view(), adjust, keep);
        let got: Vec<f64> = wide(&kept.view().to_rows());
        assert!(got[0].is_nan(), "{what}: {got:?}");
        assert_eq!(got[1..], [1.0, -1.0, 1.0, -1.0, 0.25, -0.375], "{what}");
        assert_padding(&kept, what);
        // A factor of 1 and an infinite bound change no bit, though they go the long way.
        let mut random = crate::Random(5);
        let (w, g) = (random.values::<T>(200), random.values::<T>(200));
        let (w, g) = (PanelBuf::from_rows(1, 200, &w), PanelBuf::from_rows(1, 200, &g));
        let run = |adjust: Adjust<T>| {
            let (mut w, mut m, mut v) = (w.clone(), PanelBuf::zeros(1, 200), PanelBuf::zeros(1, 200));
            apply_update(isa, w.view_mut(), g.view(), adjust, update(3, 1, &mut m, &mut v));
            [w, m, v].map(|panels| panels.as_slice().to_vec())
        };
        let l2 = Adjust::l2(c(0.1));
        assert_eq!(run(l2), run(Adjust { limit: Some(c(f64::INFINITY)), ..l2 }), "{what}");
        assert_ne!(run(l2), run(Adjust::NONE), "{what}");
    }
    for isa in Isa::available() {
        case::<f32>(isa, &format!("{isa} f32"));
        case::<f64>(isa, &format!("{isa} f64"));
    }
}

/// The order of operations, to the bit: the decay, rounded, and then Adam's step, whose moments see nothing of it.
#[test]
fn adamw_is_the_decay_and_then_adam() {
    fn case<T: Kernels>(isa: Isa, what: &str) {
        let mut random = crate::Random(9);
        let [w, g] = [0; 2].map(|_| PanelBuf::from_rows(3, 70, &random.values::<T>(210)));
        let run = |rule: usize, w: &[T]| {
            let (mut w, mut m, mut v) =
                (PanelBuf::from_rows(3, 70, w), PanelBuf::zeros(3, 70), PanelBuf::zeros(3, 70));
            apply_update(isa, w.view_mut(), g.view(), Adjust::NONE, update(rule, 2, &mut m, &mut v));
            [w, m, v].map(|panels| panels.view().to_rows())
        };
        let w = w.view().to_rows();
        let keep = T::from_f64(1.0 - T::from_f64(0.01).to_f64() * 0.5);
        let decayed: Vec<T> = w.iter().map(|&w| keep * w).collect();
        assert_eq!(run(5, &w), run(3, &decayed), "{what}");
        assert_ne!(run(5, &w), run(3, &w), "{what}");
    }
    for isa in Isa::available() {
        case::<f32>(isa, &format!("{isa} f32"));
        case::<f64>(isa, &format!("{isa} f64"));
    }
}

/// What an optimiser keeps of a gradient that has become 0 goes down to 0, past no denormal number; NaN stays NaN.
#[test]
fn denormal_state_becomes_zero() {
    fn case<T: Kernels>(isa: Isa, _: Shape, what: &str) {
        let least = if size_of::<T>() == 4 { f64::from(f32::MIN_POSITIVE) } else { f64::MIN_POSITIVE };
        let start = [T::from_f64(1.0001 * least), T::from_f64(3.0 * least), T::from_f64(f64::NAN), T::ZERO];
        let width = 70;
        let state: Vec<T> = (0..width).map(|at| start[at % 4]).collect();
        for optimiser in 1..6 {
            let (mut a, mut b) =
                (PanelBuf::from_rows(1, width, &state), PanelBuf::from_rows(1, width, &state));
            let mut w = PanelBuf::zeros(1, width);
            let zeros = PanelBuf::zeros(1, width);
            let update = update(optimiser, 9, &mut a, &mut b);
            apply_update(isa, w.view_mut(), zeros.view(), Adjust::NONE, update);
            let moments = if matches!(optimiser, 3 | 5) { vec![&a, &b] } else { vec![&a] };
            for (at, kept) in moments.iter().flat_map(|moment| moment.view().to_rows()).enumerate() {
                let kept = kept.to_f64();
                let right = match at % width % 4 {
                    1 => kept > 2.0 * least,
                    2 => kept.is_nan(),
                    _ => kept == 0.0,
                };
                assert!(right, "{what} optimiser {optimiser}: [{at}] is {kept:e}");
            }
        }
    }
    each(case::<f32>, case::<f64>);
}
