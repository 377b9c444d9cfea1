//! The accuracy of guessing, which plots of accuracies show as a line.

use serde::Serialize;

use super::axis::{Axis, range};
use super::figures::Tenths;

/// The accuracy that guessing has where classes are equally frequent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Chance {
    /// The share, 0..=1.
    pub at: f64,
    /// What stands at its line.
    pub text: String,
}

impl Chance {
    /// One of so many classes is right; `None` of fewer than two.
    pub(crate) fn of(classes: usize) -> Option<Self> {
        let at = 1.0 / classes as f64;
        let share = Tenths::of(at).to_string();
        let share = share.strip_suffix(".0").unwrap_or(&share);
        (classes >= 2).then(|| Self { at, text: format!("chance {share}%") })
    }

    /// The axis of accuracies, which reaches to chance unless that would make it more than half again as long: curves matter
    /// more than the line.
    pub(crate) fn axis(chance: Option<&Self>, values: impl Iterator<Item = f64>) -> Axis {
        let values: Vec<f64> = values.collect();
        let (low, high) = range(values.iter().copied()).unwrap_or((0.0, 1.0));
        let near = |at: &f64| low - at <= (high - low) / 2.0 && at - high <= (high - low) / 2.0;
        Axis::accuracies(values.into_iter().chain(chance.map(|chance| chance.at).filter(near)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_is_shown_unless_it_is_far() {
        let chance = |classes| Chance::of(classes).map(|chance| chance.text);
        assert_eq!(
            [2, 3, 10].map(chance),
            ["chance 50%", "chance 33.3%", "chance 10%"].map(Some).map(|text| text.map(str::to_owned))
        );
        assert_eq!([0, 1].map(chance), [None, None]);
        let near = Chance::axis(Chance::of(10).as_ref(), [0.2, 0.9].into_iter());
        assert!(near.low < 0.1 && near.high > 0.9, "{near:?}");
        let far = Chance::axis(Chance::of(2).as_ref(), [0.97, 0.99].into_iter());
        assert!(far.low > 0.9, "curves are not squeezed to show chance: {far:?}");
        assert!(Chance::axis(None, std::iter::empty()).high >= 1.0);
    }
}
