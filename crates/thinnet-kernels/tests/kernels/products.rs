//! Products over lists, and over all.

use thinnet_kernels::{
    Isa, Kernels, PanelBuf, Samples, dense_axpy, dense_dot, dense_gradient, listed_axpy, listed_dot,
    multiply, relu_forward,
};

use crate::{Case, Shape, assert_close, assert_padding, each};

#[test]
fn listed_dot_is_the_plain_sum() {
    fn case<T: Kernels>(isa: Isa, shape: Shape, what: &str) {
        let case = Case::<T>::new(shape);
        let mut out = vec![T::ONE; case.lists.len()];
        listed_dot(isa, case.lists.view(), case.w.view(), case.y.view(), &mut out);
        assert_close(&out, &case.listed_dots(), what);
    }
    each(case::<f32>, case::<f64>);
}

#[test]
fn dense_dot_is_the_plain_sum() {
    fn case<T: Kernels>(isa: Isa, shape: Shape, what: &str) {
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
    fn case<T: Kernels>(isa: Isa, shape: Shape, what: &str) {
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

/// From rows as from panels, and the same bits however the samples are split.
#[test]
fn dense_axpy_is_the_plain_sum() {
    fn case<T: Kernels>(isa: Isa, shape: Shape, what: &str) {
        let mut case = Case::<T>::new(shape);
        let (samples, inputs, outputs) = (case.y.rows(), case.y.cols(), case.w.rows());
        let (x, bias) = (case.y.view().to_rows(), case.random.values::<T>(outputs));
        let w = case.random.values::<T>(inputs * outputs);
        let mut expected = Vec::new();
        for n in 0..samples {
            for r in 0..outputs {
                let products = (0..inputs).map(|i| x[n * inputs + i].to_f64() * w[i * outputs + r].to_f64());
                expected.push(bias[r].to_f64() + products.sum::<f64>());
            }
        }
        let (w, bias) = (PanelBuf::from_rows(inputs, outputs, &w), PanelBuf::from_rows(1, outputs, &bias));
        let mut whole = PanelBuf::from_rows(samples, outputs, &case.random.values::<T>(samples * outputs));
        dense_axpy(isa, Samples::Panels(case.y.view()), w.view(), bias.view(), whole.view_mut());
        assert_close(&whole.view().to_rows(), &expected, what);
        assert_padding(&whole, what);
        if inputs > 0 {
            let mut parts = PanelBuf::zeros(samples, outputs);
            let (first, rest) = parts.view_mut().split_at(samples / 3);
            let (own, others) = x.split_at(samples / 3 * inputs);
            dense_axpy(isa, Samples::Rows(own, inputs), w.view(), bias.view(), first);
            dense_axpy(isa, Samples::Rows(others, inputs), w.view(), bias.view(), rest);
            assert_eq!(parts.as_slice(), whole.as_slice(), "{what}");
        }
    }
    each(case::<f32>, case::<f64>);
}

#[test]
fn dense_gradient_is_the_plain_sum() {
    fn case<T: Kernels>(isa: Isa, shape: Shape, what: &str) {
        let mut case = Case::<T>::new(shape);
        let (samples, inputs, outputs) = (case.y.rows(), case.y.cols(), case.w.rows());
        let (x, delta) = (case.y.view().to_rows(), case.random.values::<T>(samples * outputs));
        let mut expected = Vec::new();
        for i in 0..inputs {
            for r in 0..outputs {
                let products =
                    (0..samples).map(|n| x[n * inputs + i].to_f64() * delta[n * outputs + r].to_f64());
                expected.push(products.sum::<f64>());
            }
        }
        let delta = PanelBuf::from_rows(samples, outputs, &delta);
        let mut whole = PanelBuf::from_rows(inputs, outputs, &case.random.values::<T>(inputs * outputs));
        let panels = Samples::Panels(case.y.view());
        dense_gradient(isa, panels, 0..inputs, delta.view(), whole.view_mut());
        assert_close(&whole.view().to_rows(), &expected, what);
        assert_padding(&whole, what);
        if inputs > 0 {
            let mut parts = PanelBuf::zeros(inputs, outputs);
            let cut = inputs / 3;
            let (first, rest) = parts.view_mut().split_at(cut);
            dense_gradient(isa, Samples::Rows(&x, inputs), 0..cut, delta.view(), first);
            dense_gradient(isa, panels, cut..inputs, delta.view(), rest);
            assert_eq!(parts.as_slice(), whole.as_slice(), "{what}");
        }
    }
    each(case::<f32>, case::<f64>);
}

/// ReLU with and without factors, NaN among the sums, and the derivative that it leaves.
#[test]
fn relu_and_its_derivative_are_plain() {
    fn case<T: Kernels>(isa: Isa, shape: Shape, what: &str) {
        let mut case = Case::<T>::new(shape);
        let (samples, units) = (case.y.rows(), case.y.cols());
        let mut sums = case.y.view().to_rows();
        if let Some(first) = sums.first_mut() {
            *first = T::from_f64(f64::NAN);
        }
        let factors = case.random.values::<T>(samples * units);
        let d = case.random.values::<T>(samples * units);
        for drops in [false, true] {
            let (mut z, mut slopes) =
                (PanelBuf::from_rows(samples, units, &sums), PanelBuf::from_rows(samples, units, &factors));
            relu_forward(isa, z.view_mut(), slopes.view_mut(), drops);
            let mut out = PanelBuf::zeros(samples, units);
            if units > 0 {
                multiply(isa, Samples::Rows(&d, units), slopes.view(), out.view_mut());
            }
            let again = PanelBuf::from_rows(samples, units, &d);
            let mut same = PanelBuf::zeros(samples, units);
            multiply(isa, Samples::Panels(again.view()), slopes.view(), same.view_mut());
            assert_eq!(out.as_slice(), same.as_slice(), "{what}");
            let (h, out) = (z.view().to_rows(), out.view().to_rows());
            for (i, &sum) in sums.iter().enumerate() {
                let factor = if drops { factors[i] } else { T::ONE };
                let expected = if sum > T::ZERO { (sum * factor, d[i] * factor) } else { (T::ZERO, T::ZERO) };
                assert_eq!(
                    (h[i].to_f64(), out[i].to_f64()),
                    (expected.0.to_f64(), expected.1.to_f64()),
                    "{what}"
                );
            }
            assert_padding(&z, what);
        }
    }
    each(case::<f32>, case::<f64>);
}
