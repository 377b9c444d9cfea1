//! From scores to a decision.

use ndarray::ArrayView1;

use crate::float::Float;

/// The index of the highest score, the first of equals; 0 if there are none. A NaN is never the highest score, unless
/// it is the first.
///
/// ```
/// use thinnet::layers::argmax;
/// assert_eq!(argmax(&[0.5, 2.0, 2.0]), 1);
/// ```
pub fn argmax<'a, F: Float>(scores: impl IntoIterator<Item = &'a F>) -> usize {
    let mut best: Option<(usize, F)> = None;
    for (index, &score) in scores.into_iter().enumerate() {
        if best.is_none_or(|(_, highest)| score > highest) {
            best = Some((index, score));
        }
    }
    best.map_or(0, |(index, _)| index)
}

/// How many of a sample's scores (C) are ahead of that of `class`, which is below C: higher scores, and equal scores
/// of earlier classes.
pub(crate) fn rank<F: Float>(scores: ArrayView1<'_, F>, class: usize) -> usize {
    let own = scores[class];
    scores
        .iter()
        .enumerate()
        .filter(|&(other, &score)| score > own || (score == own && other < class))
        .count()
}
