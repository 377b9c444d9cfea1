//! Every kernel gives the same bits on all instruction sets that round a multiply-add once, and they are those of one order
//! of sums.

use thinnet_kernels::{
    Element, Isa, Kernels, PanelBuf, Samples, Update, apply_update, dense_axpy, dense_dot, dense_gradient,
    listed_axpy, listed_backward, listed_dot, listed_update, multiply, relu_forward,
};

use crate::updates::{adjusts, update, with_zeros};
use crate::{Case, SHAPES, Shape};

/// What a kernel gave, by its name.
type Results = Vec<(String, Vec<u64>)>;

fn bits<T: Kernels>(values: &[T]) -> Vec<u64> {
    values.iter().map(|value| value.to_f64().to_bits()).collect()
}

fn products<T: Kernels>(isa: Isa, shape: Shape) -> Results {
    let mut case = Case::<T>::new(shape);
    let (rows, samples, cols) = (case.w.rows(), case.y.rows(), case.w.cols());
    let bias = PanelBuf::from_rows(1, cols, &case.random.values::<T>(cols));
    let (lists, w, y) = (case.lists.view(), case.w.view(), case.y.view());
    let mut results = Results::new();

    let mut out = vec![T::ONE; lists.len()];
    listed_dot(isa, lists, w, y, &mut out);
    results.push(("listed_dot".into(), bits(&out)));

    let mut out = vec![T::ONE; rows * samples];
    dense_dot(isa, w, y, &mut out);
    results.push(("dense_dot".into(), bits(&out)));

    for bias in [None, Some(bias.view())] {
        let mut z = PanelBuf::zeros(rows, cols);
        listed_axpy(isa, lists, &case.values, y, bias, z.view_mut());
        results.push((format!("listed_axpy, bias {}", bias.is_some()), bits(z.as_slice())));
    }

    // From inputs as many as `w` has rows.
    let x = case.random.values::<T>(samples * rows);
    let packed = PanelBuf::from_rows(samples, rows, &x);
    let mut z = PanelBuf::zeros(samples, cols);
    dense_axpy(isa, Samples::Panels(packed.view()), w, bias.view(), z.view_mut());
    results.push(("dense_axpy".into(), bits(z.as_slice())));
    if rows > 0 {
        dense_axpy(isa, Samples::Rows(&x, rows), w, bias.view(), z.view_mut());
        results.push(("dense_axpy of rows".into(), bits(z.as_slice())));
    }
    let mut g = PanelBuf::zeros(rows, cols);
    dense_gradient(isa, Samples::Panels(packed.view()), 0..rows, y, g.view_mut());
    results.push(("dense_gradient".into(), bits(g.as_slice())));
    let mut slopes = z.clone();
    relu_forward(isa, z.view_mut(), slopes.view_mut(), true);
    results.push(("relu_forward".into(), [bits(z.as_slice()), bits(slopes.as_slice())].concat()));
    let mut out = PanelBuf::zeros(samples, cols);
    multiply(isa, Samples::Panels(y), slopes.view(), out.view_mut());
    results.push(("multiply".into(), bits(out.as_slice())));
    results
}

/// Three steps of every rule, by every kernel that applies one, and the gradient alone.
fn updates<T: Kernels>(isa: Isa, shape: Shape) -> Results {
    let case = with_zeros::<T>(shape);
    let (lists, values, y) = (case.lists.view(), &case.values, case.y.view());
    let zeros = PanelBuf::<T>::zeros(case.w.rows(), case.w.cols());
    let mut results = Results::new();
    for adjust in adjusts::<T>() {
        let mut kept = zeros.clone();
        let keep = Update::Gradient { gradient: kept.view_mut() };
        listed_update(isa, lists, values, y, case.w.clone().view_mut(), adjust, keep);
        results.push((format!("gradient, {adjust:?}"), bits(kept.as_slice())));
        for (rule, kernel) in (0..6).flat_map(|rule| (0..3).map(move |kernel| (rule, kernel))) {
            let (mut w, mut a, mut b) = (case.w.clone(), zeros.clone(), zeros.clone());
            let mut d = vec![T::ONE; lists.len()];
            for step in 1..=3 {
                let (to, rule) = (w.view_mut(), update(rule, step, &mut a, &mut b));
                match kernel {
                    0 => listed_update(isa, lists, values, y, to, adjust, rule),
                    1 => listed_backward(isa, lists, values, y, to, &mut d, adjust, rule),
                    _ => apply_update(isa, to, kept.view(), adjust, rule),
                }
            }
            let all = [bits(w.as_slice()), bits(a.as_slice()), bits(b.as_slice()), bits(&d)].concat();
            let kernel = ["listed_update", "listed_backward", "apply_update"][kernel];
            results.push((format!("{kernel}, rule {rule}, {adjust:?}"), all));
        }
    }
    results
}

fn assert_same(of: fn(Isa, Shape) -> Results, element: &str) {
    for shape in SHAPES {
        let truth = of(Isa::PORTABLE_FUSED, shape);
        for isa in Isa::fused() {
            for ((what, got), (_, truth)) in of(isa, shape).iter().zip(&truth) {
                let first = got.iter().zip(truth).position(|(got, truth)| got != truth);
                assert_eq!(first, None, "{isa} {element} {shape:?}: the first of {what} that is other bits");
                assert_eq!(got.len(), truth.len());
            }
        }
    }
}

#[test]
fn products_have_the_same_bits_on_all_instruction_sets() {
    assert_same(products::<f32>, "f32");
    assert_same(products::<f64>, "f64");
}

#[test]
fn updates_have_the_same_bits_on_all_instruction_sets() {
    assert_same(updates::<f32>, "f32");
    assert_same(updates::<f64>, "f64");
}

#[test]
fn the_best_of_a_machine_with_avx2_is_among_them() {
    let names: Vec<&str> = Isa::fused().map(Isa::name).collect();
    for isa in Isa::available().filter(|isa| *isa != Isa::PORTABLE) {
        assert!(names.contains(&isa.name()), "{isa}");
    }
    assert_eq!(names.last(), Some(&"portable-fused"));
    assert!(names.iter().all(|name| Isa::by_name(name).map(Isa::name) == Some(name)));
    println!("the same bits: {names:?}");
}

/// The order of a sum along a row, written out: 64 bytes of lanes; groups of 16 bytes in them; `depth` panels between one
/// adding up of the lanes and the next. The first product of listed rows is rounded by itself, and so adds to no zero.
macro_rules! sum_in_order {
    ($name:ident, $t:ty, $lanes:literal, $group:expr) => {
        fn $name(w: &[$t], x: &[$t], depth: usize) -> $t {
            let mut total = 0.0;
            for (w, x) in w.chunks(depth * <$t>::PANEL).zip(x.chunks(depth * <$t>::PANEL)) {
                let mut sums = [0.0; $lanes];
                for (w, x) in w.chunks($lanes).zip(x.chunks($lanes)) {
                    for ((sum, w), x) in sums.iter_mut().zip(w).zip(x) {
                        *sum = <$t>::mul_add(*w, *x, *sum);
                    }
                }
                let groups: Vec<$t> = sums.chunks($lanes / 4).map($group).collect();
                total += (groups[0] + groups[2]) + (groups[1] + groups[3]);
            }
            total
        }
    };
}
sum_in_order!(sum32, f32, 16, |v: &[f32]| (v[0] + v[2]) + (v[1] + v[3]));
sum_in_order!(sum64, f64, 8, |v: &[f64]| v[0] + v[1]);

#[test]
fn sums_are_in_the_order_that_is_written() {
    fn case<T: Kernels>(shape: Shape, sum: fn(&[T], &[T], usize) -> T) {
        let case = Case::<T>::new(shape);
        let (cols, samples) = (case.w.cols(), case.y.rows());
        if cols == 0 {
            return;
        }
        let (w, x) = (case.w.view().to_rows(), case.y.view().to_rows());
        let (w, x): (Vec<&[T]>, Vec<&[T]>) = (w.chunks(cols).collect(), x.chunks(cols).collect());
        let lists = case.lists.view();
        for isa in Isa::fused() {
            let (mut listed, mut dense) = (vec![T::ZERO; lists.len()], vec![T::ZERO; w.len() * samples]);
            listed_dot(isa, lists, case.w.view(), case.y.view(), &mut listed);
            dense_dot(isa, case.w.view(), case.y.view(), &mut dense);
            for (r, w) in w.iter().enumerate() {
                for (&n, got) in lists.row(r).iter().zip(&listed[lists.row_entries(r)]) {
                    assert_eq!(*got, sum(w, x[n as usize], 1), "{isa} {shape:?}: listed row {r}, sample {n}");
                }
                for (n, got) in dense[r * samples..(r + 1) * samples].iter().enumerate() {
                    assert_eq!(*got, sum(w, x[n], 6), "{isa} {shape:?}: dense row {r}, sample {n}");
                }
            }
        }
    }
    for shape in SHAPES {
        case::<f32>(shape, sum32);
        case::<f64>(shape, sum64);
    }
}
