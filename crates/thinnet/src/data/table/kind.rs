//! The kinds of columns.

/// What the fields of a column are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Numbers.
    Number,
    /// Two words for no and yes.
    Truth([String; 2]),
    /// Dates; whether the day comes before the month.
    Date(bool),
    /// Words, or numbers that stand for something.
    Category,
}
