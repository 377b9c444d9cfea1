//! Updates, fused onto gradients and alone.

use thinnet_kernels::{Element, Isa, PanelBuf, Update, apply_update, listed_backward, listed_update};

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
        1 | 4 => Update::Momentum {
            learning_rate: c(0.1),
            momentum: c(0.9),
            nesterov: rule == 4,
            velocity: a.view_mut(),
        },
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
    for rule in 0..5 {
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
