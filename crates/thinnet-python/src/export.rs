//! A network as an ONNX file.

use pyo3::prelude::*;
use thinnet::export::{Labels, Onnx};
use thinnet::layers::RunningStatistics;
use thinnet::net::{FullyConnectedNet, Parameters};
use thinnet::{Float, Result};

use crate::settings::Settings;

/// Classes in Python: a list of ints, or of strings.
#[derive(FromPyObject)]
pub enum Classes {
    Numbers(Vec<i64>),
    Words(Vec<String>),
}

/// How to write the file.
pub struct Request {
    pub classes: Option<Classes>,
    pub zipmap: bool,
    pub dropout: bool,
}

impl Request {
    /// The bytes of the file.
    ///
    /// # Errors
    /// As `thinnet::export::Onnx::network`.
    pub fn write<F: Float>(
        self,
        settings: &Settings,
        parameters: Parameters<F>,
        running: &[RunningStatistics<F>],
    ) -> Result<Vec<u8>> {
        let mut net = FullyConnectedNet::from_parameters(settings.config(&parameters)?, parameters)?;
        net.set_running(running)?;
        let labels = self.classes.map(|classes| match classes {
            Classes::Numbers(numbers) => Labels::Numbers(numbers),
            Classes::Words(words) => Labels::Words(words),
        });
        Onnx { zipmap: self.zipmap, dropout: self.dropout, ..Onnx::default() }.network(&net, labels.as_ref())
    }
}
