//! `thinnet export`: a model for other programs.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use thinnet::Float;
use thinnet::export::{Onnx, Weights, npz_with, torch_with};
use thinnet::files::NewFile;
use thinnet::model::Model;

use super::{AnyModel, small};
use crate::args::model::ExportArguments;
use crate::failure::Failure;
use crate::figures::byte_size;
use crate::folder;
use crate::output::Output;

/// The form of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Onnx,
    Npz,
    Torch,
}

/// Writes the model.
pub(crate) fn run(arguments: &ExportArguments, output: &Output) -> Result<(), Failure> {
    let form = form(arguments)?;
    for path in paths(form, &arguments.out) {
        folder::check_file("", &path, "", arguments.force)?;
    }
    match AnyModel::load(&arguments.model)? {
        AnyModel::F32(model) => export(&model, form, arguments, output),
        AnyModel::F64(model) => export(&model, form, arguments, output),
    }
}

/// The form that the file's name and the options ask for.
fn form(arguments: &ExportArguments) -> Result<Form, Failure> {
    let ExportArguments { out, format, zipmap, dropout, .. } = arguments;
    let refuse = |reason: &str| Err(Failure::Refused(format!("{}: {reason}", out.display())));
    let extension = out.extension().map(std::ffi::OsStr::to_ascii_lowercase);
    let form = match (extension.as_ref().and_then(|extension| extension.to_str()), format.as_deref()) {
        (Some("safetensors"), Some(_)) => Form::Torch,
        (Some("safetensors"), None) => {
            return refuse("a .safetensors file is for PyTorch: add --format torch");
        }
        (_, Some(_)) => return refuse("--format torch writes a file whose name ends in .safetensors"),
        (Some("onnx"), None) => return Ok(Form::Onnx),
        (Some("npz"), None) => Form::Npz,
        _ => return refuse("the file name must end in .onnx, .npz or .safetensors"),
    };
    if arguments.weights.as_deref() == Some("int8") {
        return refuse("--weights int8 is for .onnx files; other formats take float16");
    }
    match (zipmap, dropout) {
        (true, _) => refuse("--zipmap is for .onnx files"),
        (_, true) => refuse("--dropout is for .onnx files"),
        _ => Ok(form),
    }
}

/// The files to write.
fn paths(form: Form, out: &Path) -> Vec<PathBuf> {
    match form {
        Form::Torch => vec![out.to_path_buf(), out.with_extension("py")],
        Form::Onnx | Form::Npz => vec![out.to_path_buf()],
    }
}

fn export<F: Float>(
    model: &Model<F>,
    form: Form,
    arguments: &ExportArguments,
    output: &Output,
) -> Result<(), Failure> {
    let ExportArguments { out, zipmap, dropout, force, .. } = arguments;
    let weights: Weights = arguments.weights.as_deref().map_or(Ok(Weights::Full), str::parse)?;
    let contents = |weights: Weights| {
        let contents = match form {
            Form::Onnx => {
                Onnx { zipmap: *zipmap, dropout: *dropout, weights }.model(model).map(|bytes| vec![bytes])
            }
            Form::Npz => npz_with(model, weights).map(|bytes| vec![bytes]),
            Form::Torch => {
                torch_with(model, weights).map(|files| vec![files.arrays, files.script.into_bytes()])
            }
        };
        contents.map_err(|error| Failure::Refused(format!("{}: {error}", arguments.model.display())))
    };
    let written = contents(weights)?;
    if weights != Weights::Full {
        small::check(model, weights, form == Form::Onnx, arguments, output)?;
        let size = |contents: &[Vec<u8>]| byte_size(contents.first().map_or(0, Vec::len) as f64);
        let full = contents(Weights::Full)?;
        output.note(&format!("{}: {} instead of {}", out.display(), size(&written), size(&full)));
    }
    let paths = paths(form, out);
    write(&paths, &written, *force)?;
    for (path, content) in paths.iter().zip(written) {
        output.aside(&format!("{}: {}", path.display(), byte_size(content.len() as f64)));
        output.line(&path.display().to_string())?;
    }
    Ok(())
}

/// Writes the files. They get their names when all of them are complete.
fn write(paths: &[PathBuf], contents: &[Vec<u8>], replace: bool) -> Result<(), Failure> {
    let cannot = |path: &Path| {
        let path = path.display().to_string();
        move |error: io::Error| Failure::Refused(format!("{path}: cannot write it: {error}"))
    };
    let mut waiting = Vec::new();
    for (path, content) in paths.iter().zip(contents) {
        let mut file = NewFile::create(path).map_err(cannot(path))?;
        file.content.write_all(content).and_then(|()| file.content.flush()).map_err(cannot(path))?;
        waiting.push((file, path));
    }
    waiting.into_iter().try_for_each(|(file, path)| file.finish(replace).map_err(cannot(path)))
}
