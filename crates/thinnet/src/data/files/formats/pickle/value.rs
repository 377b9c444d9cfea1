//! The values of a pickle.

/// The number of a value in its pickle.
pub type Id = usize;

/// A value of a pickle.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// `None`.
    None,
    /// A boolean.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A floating-point number.
    Float(f64),
    /// A byte string; every string of Python 2 is one.
    Bytes(&'a [u8]),
    /// A string of characters.
    Text(&'a str),
    /// A list, tuple or set.
    Items(Vec<Id>),
    /// Keys and values alternately.
    Dict(Vec<Id>),
    /// A function or class: its module and its name.
    Global(&'a str, &'a str),
    /// A call that was not executed: the function, its arguments, and the state for its result.
    Call {
        /// The function.
        function: Id,
        /// Its arguments.
        arguments: Id,
        /// The argument of `__setstate__`.
        state: Option<Id>,
    },
}
