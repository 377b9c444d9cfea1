//! The kinds of columns.

/// The kind of a column's fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Numbers.
    Number,
    /// Two words for no and yes.
    Truth([String; 2]),
    /// Dates, and whether the day comes before the month.
    Date(bool),
    /// Words, or numbers that are codes.
    Category,
}
