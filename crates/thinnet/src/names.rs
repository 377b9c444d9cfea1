//! Enums whose values have names in settings, files and options.

/// Gives each value of an enum its name: `NAMES`, `name`, and parsing.
///
/// - the first two texts: the words for one value and for all of them in the error about an unknown name
/// - after a `|`: other names that are accepted but never printed
macro_rules! names {
    ($Enum:ident, $one:literal, $many:literal, $($Value:ident = $name:literal $(| $other:literal)*),+) => {
        impl $Enum {
            /// The names of all.
            pub const NAMES: [&'static str; [$($name),+].len()] = [$($name),+];

            /// Its name, one of `NAMES`.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$Value => $name,)+
                }
            }
        }

        impl std::str::FromStr for $Enum {
            type Err = crate::error::Error;

            fn from_str(name: &str) -> crate::error::Result<Self> {
                match name {
                    $($name $(| $other)* => Ok(Self::$Value),)+
                    _ => Err(crate::error::Error::no_such($one, name, $many, &Self::NAMES)),
                }
            }
        }
    };
}

pub(crate) use names;
