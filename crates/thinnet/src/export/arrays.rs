//! A model's arrays as a NumPy archive, with the course's names.

use std::io::{self, Cursor, Seek, Write};

use ndarray::{Array2, ArrayView1, ArrayViewD};
use zip::ZipWriter;

use super::weights::{Weights, halves, no_bytes};
use crate::data::{Scale, write_array, write_halves, write_words};
use crate::error::{Error, Result};
use crate::float::{Dtype, Float};
use crate::model::Model;

/// A model's arrays as an NPZ archive, which `np.load` reads: `W1` (D, H), `b1` (H), with a normalisation `gamma1` and
/// `beta1`, with batch normalisation `running_mean1` and `running_var1`, then those of the next layer.
///
/// How samples are scaled is there as well, as 64-bit floats: `input_mean` and `input_deviation` (D), for a regression also
/// `target_mean` and `target_deviation` (K). `outputs` has the names of the classes or targets.
///
/// # Errors
/// [`Error::Configuration`] for an ensemble; [`Error::Data`] for an array that the format cannot hold.
pub fn npz<F: Float>(model: &Model<F>) -> Result<Vec<u8>> {
    npz_with(model, Weights::Full)
}

/// The same with weights of 16 bits if `weights` says so. NumPy computes with them as with any floats.
///
/// # Errors
/// As [`npz`]; [`Error::Configuration`] for [`Weights::Int8`].
pub fn npz_with<F: Float>(model: &Model<F>, weights: Weights) -> Result<Vec<u8>> {
    model.trained().check_single("an NPZ archive")?;
    no_bytes(weights)?;
    let small = match weights {
        Weights::Float16 => {
            let layers = model.net().parameters.layers.iter();
            Some(layers.map(|layer| halves(&layer.w.mapv(F::as_f64))).collect::<Result<Vec<_>>>()?)
        }
        _ => None,
    };
    let mut bytes = Cursor::new(Vec::new());
    let mut zip = ZipWriter::new(&mut bytes);
    let written = write(&mut zip, model, small.as_deref()).and_then(|()| Ok(zip.finish().map(drop)?));
    written.map_err(|error| Error::data(format!("the model's arrays as an NPZ archive: {error}")))?;
    Ok(bytes.into_inner())
}

/// - `small`: the bits of the weights, if they are stored as 16-bit floats
fn write<F: Float>(
    zip: &mut ZipWriter<impl Write + Seek>,
    model: &Model<F>,
    small: Option<&[Array2<u16>]>,
) -> io::Result<()> {
    let small = |name: &str| {
        let number = name.strip_prefix('W')?.parse::<usize>().ok()?;
        small?.get(number.checked_sub(1)?)
    };
    let (net, own) = (model.net(), model.preprocessing());
    for (name, array) in net.parameters.named() {
        match small(&name) {
            Some(bits) => write_halves(zip, &name, bits.view())?,
            None => write_own(zip, &name, array)?,
        }
    }
    for (running, number) in net.running().iter().zip(1..) {
        write_own(zip, &format!("running_mean{number}"), running.mean.view().into_dyn())?;
        write_own(zip, &format!("running_var{number}"), running.variance.view().into_dyn())?;
    }
    let scales = [("input", Some(&own.scale)), ("target", own.targets.as_ref())];
    for (what, Scale { mean, deviation }) in
        scales.into_iter().filter_map(|(what, scale)| Some((what, scale?)))
    {
        let deviation = deviation.clone().unwrap_or_else(|| vec![1.0; mean.len()]);
        for (name, numbers) in [("mean", mean), ("deviation", &deviation)] {
            write_array(zip, &format!("{what}_{name}"), ArrayView1::from(numbers).into_dyn())?;
        }
    }
    write_words(zip, "outputs", &own.names)
}

/// Writes an array with the model's own numbers.
fn write_own<F: Float>(
    zip: &mut ZipWriter<impl Write + Seek>,
    name: &str,
    array: ArrayViewD<'_, F>,
) -> io::Result<()> {
    match F::DTYPE {
        Dtype::F64 => write_array(zip, name, array.mapv(F::as_f64).view()),
        #[allow(clippy::cast_possible_truncation, reason = "they are 32-bit floats")]
        Dtype::F32 => write_array(zip, name, array.mapv(|number| number.as_f64() as f32).view()),
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array, Array2, Dimension, Ix1, Ix2};
    use ndarray_npy::{ReadNpyExt, ReadableElement};
    use zip::ZipArchive;

    use super::*;
    use crate::data::Rows;
    use crate::training::TrainingConfig;

    fn array<T: ReadableElement, D: Dimension>(bytes: &[u8], name: &str) -> Array<T, D> {
        let mut archive = ZipArchive::new(Cursor::new(bytes)).unwrap();
        Array::read_npy(archive.by_name(&format!("{name}.npy")).unwrap()).unwrap()
    }

    #[test]
    fn an_archive_has_the_arrays_of_the_model() {
        let mut config = TrainingConfig::default();
        for setting in ["model.hidden=[5]", "train.epochs=1", "model.normalisation=batch"] {
            config.set(&setting.parse().unwrap()).unwrap();
        }
        let x = Array2::from_shape_fn((60, 4), |(row, column)| ((row * 7 + column * 3) % 11) as f32);
        let model = Model::fit(&Rows::with_numbers(x.clone(), x).unwrap(), &config).unwrap();
        let bytes = npz(&model).unwrap();
        let archive = ZipArchive::new(Cursor::new(&bytes)).unwrap();
        let names = archive.file_names().map(|name| name.unwrap().trim_end_matches(".npy").to_owned());
        let mut names: Vec<String> = names.collect();
        names.sort();
        let scales = ["input_deviation", "input_mean", "outputs"];
        let first = ["W1", "W2", "b1", "b2", "beta1", "gamma1"];
        let last = ["running_mean1", "running_var1", "target_deviation", "target_mean"];
        assert_eq!(names, [&first[..], &scales[..], &last[..]].concat());
        let layers = &model.net().parameters.layers;
        assert_eq!(array::<f32, Ix2>(&bytes, "W1"), layers[0].w);
        assert_eq!(array::<f32, Ix1>(&bytes, "b2"), layers[1].b);
        assert_eq!(array::<f32, Ix1>(&bytes, "running_var1"), model.net().running()[0].variance);
        let mean = array::<f64, Ix1>(&bytes, "input_mean");
        assert_eq!(mean.to_vec(), model.preprocessing().scale.mean);
    }
}
