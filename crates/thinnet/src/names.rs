//! Enums whose values people call by name, in settings, files and options.

/// Gives an enum its names, one for each value: `NAMES`, `name`, and reading one back.
///
/// - the first two texts: what the error about an unknown name calls one value and all of them
/// - behind a `|`: other names that are read, and never given
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
