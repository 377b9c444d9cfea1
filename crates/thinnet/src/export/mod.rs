//! Models for other programs: as ONNX files, which most runtimes read, as a network of PyTorch, and as NumPy's arrays.

#[cfg(feature = "files")]
mod arrays;
mod onnx;
mod torch;

#[cfg(feature = "files")]
pub use arrays::npz;
#[cfg(feature = "import")]
pub(crate) use onnx::messages;
pub use onnx::{Labels, Onnx};
pub use torch::{Torch, torch};
