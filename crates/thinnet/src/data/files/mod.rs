//! Data sets in files: recognises what a file or folder holds, reads it whole or in blocks, and writes it.

mod archive;
mod counted;
mod embedded;
mod file;
mod folder;
pub mod formats;
#[cfg(any(feature = "columnar", feature = "hdf5"))]
mod guard;
mod kind;
mod labels;
pub mod limits;
mod open;
mod options;
mod packing;
mod pairs;
mod stream;
mod write;

pub use counted::ReadProgress;
#[cfg(any(feature = "columnar", feature = "hdf5"))]
pub use guard::catches_panic;
pub use options::ReadOptions;
pub use stream::{Block, Wanted, stream, stream_table};
#[cfg(feature = "export")]
pub(crate) use write::{write_array, write_halves, write_words};
