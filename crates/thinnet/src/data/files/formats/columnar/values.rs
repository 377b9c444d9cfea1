//! The values of a column with a type in the file, as fields of a table.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type,
    DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType, DurationSecondType,
    Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, Time32MillisecondType,
    Time32SecondType, Time64MicrosecondType, Time64NanosecondType, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, BooleanArray, LargeStringArray, StringArray, StringViewArray};
use arrow_schema::{DataType, TimeUnit};
use arrow_select::take::take;

use crate::data::files::guard::broken;
use crate::data::table::Kind;
use crate::data::table::field::Field;
use crate::error::{Error, Result};

/// Seconds of a day.
const DAY: f64 = 86_400.0;

/// Values of a column.
pub(super) enum Values {
    /// Numbers, or dates as days; NaN for a gap.
    Numbers(Vec<f64>),
    Truths(BooleanArray),
    Words(StringArray),
    LongWords(LargeStringArray),
    WordViews(StringViewArray),
}

/// What a column of this type holds: its kind, if the type determines it. `None` if the type cannot be a field of a
/// table.
#[allow(clippy::option_option, reason = "an unknown kind, and not a field at all")]
pub(super) fn kind_of(kind: &DataType) -> Option<Option<Kind>> {
    match kind {
        DataType::Dictionary(_, values) if !matches!(**values, DataType::Dictionary(..)) => kind_of(values),
        DataType::Boolean | DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Some(None),
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) => Some(Some(Kind::Date(false))),
        DataType::Null
        | DataType::Time32(_)
        | DataType::Time64(_)
        | DataType::Duration(_)
        | DataType::Decimal32(..)
        | DataType::Decimal64(..)
        | DataType::Decimal128(..) => Some(Some(Kind::Number)),
        kind if kind.is_integer() || kind.is_floating() => Some(Some(Kind::Number)),
        _ => None,
    }
}

impl Values {
    /// The values of a column whose type [`kind_of`] accepts.
    ///
    /// # Errors
    /// [`Error::Data`] for another type, and for a column that does not match its type.
    pub(super) fn of(column: &ArrayRef) -> Result<Self> {
        if let DataType::Dictionary(..) = column.data_type() {
            let words = column.as_any_dictionary();
            return Self::of(&take(words.values(), words.keys(), None).map_err(broken)?);
        }
        let own = || -> Option<Self> {
            Some(match column.data_type() {
                DataType::Boolean => Self::Truths(column.as_boolean_opt()?.clone()),
                DataType::Utf8 => Self::Words(column.as_string_opt::<i32>()?.clone()),
                DataType::LargeUtf8 => Self::LongWords(column.as_string_opt::<i64>()?.clone()),
                DataType::Utf8View => Self::WordViews(column.as_string_view_opt()?.clone()),
                _ => Self::Numbers(numbers(column)?),
            })
        };
        own().ok_or_else(|| {
            Error::data(format!("a column of type {} cannot be a field of a table", column.data_type()))
        })
    }

    /// The field of a row.
    pub(super) fn field(&self, row: usize) -> Field<'_> {
        fn word<'a>(there: bool, word: impl FnOnce() -> &'a str) -> Field<'a> {
            Field::Text(if there { word().trim() } else { "" })
        }
        match self {
            Self::Numbers(numbers) => Field::Number(numbers[row]),
            Self::Truths(truths) => {
                word(truths.is_valid(row), || if truths.value(row) { "true" } else { "false" })
            }
            Self::Words(words) => word(words.is_valid(row), || words.value(row)),
            Self::LongWords(words) => word(words.is_valid(row), || words.value(row)),
            Self::WordViews(words) => word(words.is_valid(row), || words.value(row)),
        }
    }
}

/// A column of numbers, days or times; times of day and durations are in days as well.
fn numbers(column: &ArrayRef) -> Option<Vec<f64>> {
    fn of<T: ArrowPrimitiveType>(column: &ArrayRef, number: impl Fn(T::Native) -> f64) -> Option<Vec<f64>> {
        let column = column.as_primitive_opt::<T>()?;
        Some(column.iter().map(|value| value.map_or(f64::NAN, &number)).collect())
    }
    let scaled = |scale: i8| move |value: f64| value / 10f64.powi(i32::from(scale));
    let days = |value: i64, unit: TimeUnit| value as f64 / (DAY * parts(unit));
    match column.data_type() {
        DataType::Null => Some(vec![f64::NAN; column.len()]),
        DataType::Int8 => of::<Int8Type>(column, f64::from),
        DataType::Int16 => of::<Int16Type>(column, f64::from),
        DataType::Int32 => of::<Int32Type>(column, f64::from),
        DataType::Int64 => of::<Int64Type>(column, |value| value as f64),
        DataType::UInt8 => of::<UInt8Type>(column, f64::from),
        DataType::UInt16 => of::<UInt16Type>(column, f64::from),
        DataType::UInt32 => of::<UInt32Type>(column, f64::from),
        DataType::UInt64 => of::<UInt64Type>(column, |value| value as f64),
        DataType::Float16 => of::<Float16Type>(column, f64::from),
        DataType::Float32 => of::<Float32Type>(column, f64::from),
        DataType::Float64 => of::<Float64Type>(column, f64::from),
        DataType::Decimal32(_, scale) => {
            of::<Decimal32Type>(column, |value| scaled(*scale)(f64::from(value)))
        }
        DataType::Decimal64(_, scale) => of::<Decimal64Type>(column, |value| scaled(*scale)(value as f64)),
        DataType::Decimal128(_, scale) => of::<Decimal128Type>(column, |value| scaled(*scale)(value as f64)),
        DataType::Date32 => of::<Date32Type>(column, f64::from),
        DataType::Date64 => of::<Date64Type>(column, |value| days(value, TimeUnit::Millisecond)),
        DataType::Timestamp(unit, _) => match unit {
            TimeUnit::Second => of::<TimestampSecondType>(column, |value| days(value, *unit)),
            TimeUnit::Millisecond => of::<TimestampMillisecondType>(column, |value| days(value, *unit)),
            TimeUnit::Microsecond => of::<TimestampMicrosecondType>(column, |value| days(value, *unit)),
            TimeUnit::Nanosecond => of::<TimestampNanosecondType>(column, |value| days(value, *unit)),
        },
        DataType::Duration(unit) => match unit {
            TimeUnit::Second => of::<DurationSecondType>(column, |value| days(value, *unit)),
            TimeUnit::Millisecond => of::<DurationMillisecondType>(column, |value| days(value, *unit)),
            TimeUnit::Microsecond => of::<DurationMicrosecondType>(column, |value| days(value, *unit)),
            TimeUnit::Nanosecond => of::<DurationNanosecondType>(column, |value| days(value, *unit)),
        },
        DataType::Time32(unit) => match unit {
            TimeUnit::Second => of::<Time32SecondType>(column, |value| days(value.into(), *unit)),
            _ => of::<Time32MillisecondType>(column, |value| days(value.into(), *unit)),
        },
        DataType::Time64(unit) => match unit {
            TimeUnit::Microsecond => of::<Time64MicrosecondType>(column, |value| days(value, *unit)),
            _ => of::<Time64NanosecondType>(column, |value| days(value, *unit)),
        },
        _ => None,
    }
}

/// How many of this unit make a second.
fn parts(unit: TimeUnit) -> f64 {
    match unit {
        TimeUnit::Second => 1.0,
        TimeUnit::Millisecond => 1e3,
        TimeUnit::Microsecond => 1e6,
        TimeUnit::Nanosecond => 1e9,
    }
}
