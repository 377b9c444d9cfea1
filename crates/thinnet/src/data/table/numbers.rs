//! Numbers that are stored as bytes as long as all of them fit.

/// A list of numbers; NaN for a gap.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Numbers {
    /// Whole numbers from 0 to 255.
    Bytes(Vec<u8>),
    Floats(Vec<f64>),
}

impl Default for Numbers {
    fn default() -> Self {
        Self::Bytes(Vec::new())
    }
}

impl Numbers {
    pub(crate) fn push(&mut self, number: f64) {
        if let Self::Bytes(bytes) = self {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // checked in the next line
            let byte = number as u8;
            if f64::from(byte).total_cmp(&number).is_eq() {
                bytes.push(byte);
                return;
            }
            *self = Self::Floats(bytes.iter().map(|&byte| f64::from(byte)).collect());
        }
        if let Self::Floats(floats) = self {
            floats.push(number);
        }
    }

    /// The number at this place.
    pub(crate) fn get(&self, at: usize) -> f64 {
        match self {
            Self::Bytes(bytes) => f64::from(bytes[at]),
            Self::Floats(floats) => floats[at],
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Floats(floats) => floats.len(),
        }
    }

    /// Keeps the first `len`.
    #[cfg(feature = "files")]
    pub(crate) fn truncate(&mut self, len: usize) {
        match self {
            Self::Bytes(bytes) => bytes.truncate(len),
            Self::Floats(floats) => floats.truncate(len),
        }
    }

    pub(crate) fn has_gaps(&self) -> bool {
        matches!(self, Self::Floats(floats) if floats.iter().any(|number| number.is_nan()))
    }
}
