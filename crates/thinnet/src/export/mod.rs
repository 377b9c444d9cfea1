//! Models for other programs: as ONNX files, which most runtimes read, as a network of PyTorch, and as NumPy's arrays.

#[cfg(feature = "files")]
mod arrays;
mod fold;
mod onnx;
mod small;
mod torch;
mod weights;

#[cfg(feature = "files")]
pub use arrays::{npz, npz_with};
#[cfg(feature = "import")]
pub(crate) use onnx::messages;
pub use onnx::{Labels, Onnx};
pub use small::rounded;
pub use torch::{Torch, torch, torch_with};
pub use weights::Weights;
