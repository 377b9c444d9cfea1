//! The commands for trained models: [`predict`], [`evaluate`], [`export`], and [`info`].

pub(crate) mod evaluate;
pub(crate) mod export;
pub(crate) mod info;
mod lines;
pub(crate) mod predict;
mod small;

use std::fs;
use std::path::Path;

use thinnet::model::{Model, model_dtype};
use thinnet::{Dtype, Error};

use crate::failure::Failure;

/// The model's file in the folder of a run.
const FILE: &str = "model.safetensors";

/// A model of either number type.
#[derive(Debug)]
pub(crate) enum AnyModel {
    F32(Model<f32>),
    F64(Model<f64>),
}

impl AnyModel {
    /// Reads the model in this file, or in the folder of a run.
    pub(crate) fn load(path: &Path) -> Result<Self, Failure> {
        let file = if path.is_dir() { path.join(FILE) } else { path.to_path_buf() };
        let refuse = |reason: String| Failure::Refused(format!("{}: {reason}", file.display()));
        if path.is_dir() && !file.exists() {
            return Err(refuse(
                "no such file; a run writes it when it finishes, and `thinnet train --resume` finishes a run"
                    .to_owned(),
            ));
        }
        let bytes = fs::read(&file).map_err(|error| refuse(format!("cannot read it: {error}")))?;
        let model = match model_dtype(&bytes) {
            Ok(Dtype::F32) => Model::from_bytes(&bytes).map(Self::F32),
            Ok(Dtype::F64) => Model::from_bytes(&bytes).map(Self::F64),
            Err(error) => Err(error),
        };
        model.map_err(|error: Error| refuse(error.to_string()))
    }

    /// The same model, without its temperature if this is asked for.
    pub(crate) fn uncalibrated(self, asked: bool) -> Self {
        match self {
            Self::F32(model) if asked => Self::F32(model.uncalibrated()),
            Self::F64(model) if asked => Self::F64(model.uncalibrated()),
            model => model,
        }
    }
}
