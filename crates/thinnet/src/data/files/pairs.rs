//! Data sets with samples and labels in separate files.

use std::path::{Path, PathBuf};

use super::ReadOptions;
use super::formats::Numbers;
use super::formats::supervision::{Supervision, parts as rows_of};
use super::packing::ENDINGS;
use crate::data::{DataSet, Features, Format, Part, Rows};
use crate::error::{Error, Result};

/// The labels' file for a file of samples, in the same folder: `images` in its name becomes `labels` (and `idx3`
/// `idx1`), a leading `X` or `x` becomes `y`; otherwise `_labels` is added. One may be compressed and the other not.
pub(super) fn labels_beside(path: &Path) -> Result<PathBuf> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let (stem, packing) = match name.rsplit_once('.') {
        Some((stem, ending)) if ENDINGS.contains(&ending) => (stem, Some(ending)),
        _ => (name, None),
    };
    let labels = match (stem.contains("images"), stem.as_bytes()) {
        (true, _) => stem.replace("images", "labels").replace("idx3", "idx1"),
        (false, [b'X' | b'x', ..]) => format!("y{}", &stem[1..]),
        _ => match stem.rsplit_once('.') {
            Some((stem, extension)) => format!("{stem}_labels.{extension}"),
            None => format!("{stem}_labels"),
        },
    };
    // First try the samples' own compression.
    let packed = |ending| format!("{labels}.{ending}");
    let first = packing.map_or_else(|| labels.clone(), packed);
    [first, labels.clone()]
        .into_iter()
        .chain(ENDINGS.map(packed))
        .map(|name| path.with_file_name(name))
        .find(|path| path.is_file())
        .ok_or_else(|| {
            Error::data(format!(
                "its labels should be in the same folder as {labels}, but that file does not exist"
            ))
        })
}

/// Samples of a file.
pub(super) enum Samples {
    /// In memory.
    Read(Numbers),
    /// Samples that stay in the file, and the shape of one.
    #[cfg(feature = "streams")]
    Stored(Features<f64>, Vec<usize>),
}

impl Samples {
    fn into_samples(self) -> Result<(Features<f64>, Vec<usize>)> {
        match self {
            Self::Read(numbers) => numbers.into_samples(),
            #[cfg(feature = "streams")]
            Self::Stored(x, shape) => Ok((x, shape)),
        }
    }
}

/// The samples of an array; they stay in its file.
///
/// - `window`: about how many bytes of them are mixed
#[cfg(feature = "streams")]
pub(super) fn stored_samples(path: &Path, is_idx: bool, window: usize) -> Result<Samples> {
    super::formats::stored::open(path, is_idx, window).map(|(x, shape)| Samples::Stored(x, shape))
}

#[cfg(not(feature = "streams"))]
pub(super) fn stored_samples(_: &Path, _: bool, _: usize) -> Result<Samples> {
    Err(not_stored())
}

/// Why samples cannot stay in their file.
pub(super) fn not_stored() -> Error {
    Error::data(
        "its samples cannot be read in parts and in any order; Parquet, NPY and IDX without compression can. With \
         train.sampling=shuffled they are read into memory",
    )
}

/// Builds a data set from samples and labels (or targets) of each part; a part may occur only once.
pub(super) fn from_pairs(
    format: Format,
    mut pairs: Vec<(Part, Samples, Numbers)>,
    options: &ReadOptions,
) -> Result<DataSet> {
    options.check_format(format)?;
    pairs.sort_by_key(|(part, ..)| *part as usize); // the training samples first: the others must match them
    let (mut shape, mut named, mut parts) = (None, Vec::new(), Vec::new());
    for (part, samples, wanted) in pairs {
        let wanted = Supervision::of(wanted, options).map_err(|error| error.within(part))?;
        let (values, found) = samples.into_samples().map_err(|error| error.within(part))?;
        if shape.get_or_insert_with(|| found.clone()) != &found {
            return Err(Error::data(format!(
                "its parts have samples of different shapes, {:?} and {found:?}",
                shape.unwrap_or_default()
            )));
        }
        named.push(part);
        parts.push((part, values, wanted));
    }
    let (names, rows) = rows_of(parts, None)?;
    let mut found: [Option<Rows<f64>>; 3] = [None, None, None];
    for (part, rows) in named.into_iter().zip(rows) {
        if found[part as usize].replace(rows).is_some() {
            return Err(Error::data(format!(
                "it has more than one file of {part} samples; name one of them"
            )));
        }
    }
    let [train, val, test] = found;
    let train = train.ok_or_else(|| Error::data("it has no training samples"))?;
    let (columns, shape) = (None, shape.unwrap_or_default());
    DataSet { format, names, columns, shape, train, val, test, mean: None, notes: Vec::new() }.checked()
}
