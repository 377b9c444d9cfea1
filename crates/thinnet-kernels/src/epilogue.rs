//! The steps between a layer's sums and the next product: bias, ReLU, the mask's scale, and the lists of remaining
//! entries.

use crate::simd::Element;
use crate::{Lists, ListsView};

/// Selects the kept entries that are also positive, from the sums `z` of kept entries: for row `r`'s entry `e`, `h =
/// z[e] + bias[r]` stays if `h > 0`, with the value `h * scale`. `active` and `values` are overwritten; `values` has
/// one element per entry of `active`.
///
/// `z` has one element per entry of `kept`, `bias` one per row; `scale` is inverted dropout's `1 / keep_prob`.
///
/// # Panics
/// If the lengths do not match this.
pub fn relu_listed<T: Element>(
    kept: ListsView<'_>,
    z: &[T],
    bias: &[T],
    scale: T,
    active: &mut Lists,
    values: &mut Vec<T>,
) {
    assert_eq!(z.len(), kept.len(), "sums, one per entry");
    assert_eq!(bias.len(), kept.rows(), "biases, one per row");
    values.clear();
    values.resize(kept.len() + 1, T::ZERO);
    let mut n = 0;
    active.rebuild_from_subset(kept, |r, e| {
        let h = z[e] + bias[r];
        values[n] = h * scale;
        let stays = h > T::ZERO;
        n += usize::from(stays);
        stays
    });
    values.truncate(n);
}

/// `sums[r] += sum of row r's values`: the gradient of a bias, from the gradient of the entries.
///
/// # Panics
/// If there is not one value for each entry and one sum for each row.
pub fn add_row_sums<T: Element>(lists: ListsView<'_>, values: &[T], sums: &mut [T]) {
    assert_eq!(values.len(), lists.len(), "values, one per entry");
    assert_eq!(sums.len(), lists.rows(), "sums, one per row");
    for (r, sum) in sums.iter_mut().enumerate() {
        for &v in &values[lists.row_entries(r)] {
            *sum += v;
        }
    }
}
