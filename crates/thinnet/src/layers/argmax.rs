//! The class that scores stand for.

/// The index of the highest value, the first of equals; 0 if there are no values. NaN counts as higher than no value, and no
/// value as higher than NaN: it is taken where it stands first.
///
/// ```
/// use ndarray::array;
/// use thinnet::layers::argmax;
///
/// let scores = array![[0.1, 2.0, -1.0], [3.0, 0.5, 3.0]];
/// let classes: Vec<usize> = scores.rows().into_iter().map(argmax).collect();
/// assert_eq!(classes, [1, 0]);
/// ```
pub fn argmax<'a, T: PartialOrd + 'a>(values: impl IntoIterator<Item = &'a T>) -> usize {
    let mut values = values.into_iter().enumerate();
    let Some(mut best) = values.next() else { return 0 };
    for (index, value) in values {
        if value > best.1 {
            best = (index, value);
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use super::argmax;

    #[test]
    fn the_first_of_equals_is_taken_and_nan_is_not() {
        assert_eq!(argmax(&[1.0, 3.0, 3.0, 2.0]), 1);
        assert_eq!(argmax(&[-2.0, -1.0]), 1);
        assert_eq!(argmax(&[1.0, f64::NAN, 2.0]), 2);
        assert_eq!(argmax(&[f64::NAN, 1.0]), 0);
        assert_eq!(argmax::<f64>(&[]), 0);
    }
}
