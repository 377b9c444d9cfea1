//! A network, or an ensemble of them, as an ONNX file.

use pyo3::prelude::*;
use thinnet::engine::EngineState;
use thinnet::export::{Labels, Onnx};
use thinnet::net::FullyConnectedNet;
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
    /// The bytes of the file of networks that predict together: one, or all of an ensemble.
    ///
    /// # Errors
    /// As `thinnet::export::Onnx::networks`.
    pub fn write<F: Float>(self, networks: Vec<(Settings, EngineState<F>)>) -> Result<Vec<u8>> {
        let network = |(settings, state): (Settings, EngineState<F>)| -> Result<_> {
            let config = settings.config(&state.parameters)?;
            let mut net = FullyConnectedNet::from_parameters(config, state.parameters)?;
            net.set_running(&state.running)?;
            Ok(net)
        };
        let nets = networks.into_iter().map(network).collect::<Result<Vec<_>>>()?;
        let labels = self.classes.map(|classes| match classes {
            Classes::Numbers(numbers) => Labels::Numbers(numbers),
            Classes::Words(words) => Labels::Words(words),
        });
        Onnx { zipmap: self.zipmap, dropout: self.dropout, ..Onnx::default() }
            .networks(&nets.iter().collect::<Vec<_>>(), labels.as_ref())
    }
}
