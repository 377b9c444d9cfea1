//! Models for other programs: as ONNX files, which most runtimes read.

mod onnx;

pub use onnx::{Labels, Onnx};
