//! Trained networks from files, to train them further: the reverse of [`export`](crate::export).
//!
//! [`read`] takes models of this library, safetensors files with the names of an `nn.Sequential`, NumPy archives with the
//! course's names, and ONNX files of one chain of layers. An [`Imported`] network then gives the settings of a run
//! ([`Imported::settle`]), scales its samples ([`Imported::data`]) and gives its first state ([`Imported::begin`]).
//! [`Imported::fine_tune`] does all of it.
//!
//! Nothing in a file is trusted: sizes are compared with what is there before memory is taken, and numbers must be finite.

#[cfg(feature = "files")]
mod arrays;
mod begin;
mod imported;
mod kept;
mod onnx;
mod safetensors;
mod settle;

pub use imported::Imported;

#[cfg(feature = "files")]
use std::path::Path;

use crate::error::{Error, Result};

/// The model's file in the folder of a run.
#[cfg(feature = "files")]
const MODEL: &str = "model.safetensors";

/// The network in a file's bytes, whose format they show.
///
/// - `source`: the file's name, for messages
///
/// # Errors
/// [`Error::Data`] for bytes of no such format, damaged ones, those of a newer version, and networks that are no chain of
/// layers. The sentence begins with `source`.
pub fn from_bytes(bytes: &[u8], source: &str) -> Result<Imported> {
    let read = match bytes {
        [b'P', b'K', ..] => archive(bytes),
        // A safetensors file begins with the size of its header, whose first character is a brace.
        [_, _, _, _, _, _, _, _, b'{', ..] => {
            if kept::is_kept(bytes) {
                kept::read(bytes)
            } else {
                safetensors::read(bytes)
            }
        }
        [0x80, ..] => Err(Error::data(
            "it is a Python pickle, which can run programs; save the state_dict with safetensors.torch.save_file",
        )),
        [] => Err(Error::data("it is empty")),
        _ => onnx::read(bytes),
    };
    match read {
        Ok(imported) if imported.source.is_empty() => Ok(Imported { source: source.to_owned(), ..imported }),
        Ok(imported) => Ok(imported),
        Err(error) => Err(error.within(source)),
    }
}

#[cfg(feature = "files")]
fn archive(bytes: &[u8]) -> Result<Imported> {
    arrays::read(bytes)
}

#[cfg(not(feature = "files"))]
fn archive(_: &[u8]) -> Result<Imported> {
    Err(Error::data("it is an archive, which this build does not read: it needs the feature `files`"))
}

/// The network in a file, or in the folder of a finished run.
///
/// # Errors
/// [`Error::Io`] if it cannot be read; [`Error::Data`] as for [`from_bytes`].
#[cfg(feature = "files")]
pub fn read(path: impl AsRef<Path>) -> Result<Imported> {
    let path = path.as_ref();
    let file = if path.is_dir() { path.join(MODEL) } else { path.to_path_buf() };
    let bytes = std::fs::read(&file).map_err(Error::io("read", &file))?;
    from_bytes(&bytes, &file.display().to_string())
}
