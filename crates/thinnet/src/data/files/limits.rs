//! Limits on what a file may claim. Whatever a header says, memory is only reserved for actual data, within these
//! limits.

/// How many bytes any compressed file may unpack to, however small it is: 64 MiB.
pub const UNPACKED_BASE: u64 = 64 << 20;

/// How many bytes each byte of a compressed file may unpack to, in addition to [`UNPACKED_BASE`]. Data sets compress
/// to a tenth at best.
pub const UNPACKED_RATIO: u64 = 100;

/// The memory that unpacking xz may take, in KiB: 128 MiB. `xz -9` asks for half of it.
#[cfg(feature = "compression")]
pub(crate) const XZ_MEMORY: u32 = 128 << 10;

/// Values in a pickle: a batch of CIFAR-100 has 200,000. One takes up to 56 bytes of memory.
pub const PICKLE_VALUES: usize = 2_000_000;

/// Bytes of an NPY header, NumPy's own limit.
pub const NPY_HEADER: usize = 10_000;

/// The nesting depth of brackets in an NPY header; a plain array has two.
pub const NPY_NESTING: usize = 8;

/// Dimensions of an array.
pub const DIMENSIONS: usize = 8;

/// Bytes in a line of a table, including quoted line breaks: 16 MiB.
pub const TABLE_LINE: usize = 16 << 20;

/// Columns of a table.
pub const TABLE_COLUMNS: usize = 1 << 20;

/// The largest column of sparse rows: 4 Mi. A mean of that many numbers takes 32 MiB.
pub const SPARSE_COLUMNS: u32 = 1 << 22;

/// Arrays of a MATLAB file.
pub const MAT_ARRAYS: usize = 1024;

/// Width and height of an image, as stored or as resized.
pub const IMAGE_SIDE: u32 = 16_384;

/// Bytes that decoding one image may take: 256 MiB.
pub const IMAGE_MEMORY: u64 = 256 << 20;

/// Classes of a data set.
pub const CLASSES: usize = 65_536;

/// Characters in a class's name; the rest is cut off.
pub const CLASS_NAME: usize = 100;

/// How many files and folders are examined to recognise a folder.
pub const FOLDER_LOOKS: usize = 64;

/// How many bytes a compressed file of this size may unpack to.
pub(crate) fn unpacked(packed: u64) -> u64 {
    packed.saturating_mul(UNPACKED_RATIO).saturating_add(UNPACKED_BASE)
}
