//! Products over lists, and over all.

use thinnet_kernels::{Element, Isa, PanelBuf, dense_dot, listed_axpy, listed_dot};

use crate::{Case, Shape, assert_close, assert_padding, each};

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
