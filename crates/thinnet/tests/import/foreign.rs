//! Safetensors files and archives of other programs.

use std::collections::HashMap;

use ndarray::{Array1, Array2};
use thinnet::import::from_bytes;
use thinnet::layers::{Activation, Normalisation};

use crate::refused;

/// A safetensors file: names, types, shapes and bytes, in this order.
fn file(arrays: &[(&str, &str, &[usize], Vec<u8>)]) -> Vec<u8> {
    let mut header = serde_json::Map::new();
    let mut data = Vec::new();
    for (name, dtype, shape, bytes) in arrays {
        let place = [data.len(), data.len() + bytes.len()];
        header.insert(
            (*name).to_owned(),
            serde_json::json!({ "dtype": dtype, "shape": shape, "data_offsets": place }),
        );
        data.extend(bytes);
    }
    let header = serde_json::to_vec(&header).unwrap();
    [&(header.len() as u64).to_le_bytes()[..], &header, &data].concat()
}

fn floats(numbers: impl IntoIterator<Item = f32>) -> Vec<u8> {
    numbers.into_iter().flat_map(f32::to_le_bytes).collect()
}

/// `count` floats of some kind.
fn some(count: usize) -> Vec<u8> {
    floats((0..count).map(|index| index as f32 * 0.5 - 1.0))
}

#[test]
fn a_chain_is_found_by_numbers_or_as_it_is_written() {
    let names: [[&str; 2]; 4] = [["net.9", "net.10"], ["fc1", "fc2"], ["hidden", "head"], ["m.a.0", "m.b.0"]];
    for [first, last] in names {
        let (w1, b1, w2) = (format!("{first}.weight"), format!("{first}.bias"), format!("{last}.weight"));
        let bytes = file(&[
            (&w1, "F32", &[3, 2], some(6)),
            (&b1, "F32", &[3], some(3)),
            (&w2, "F32", &[4, 3], some(12)),
        ]);
        let own = from_bytes(&bytes, "file").unwrap();
        let layers = &own.parameters.layers;
        assert_eq!(layers[0].w, ndarray::array![[-1.0, 0.0, 1.0], [-0.5, 0.5, 1.5]], "{first}");
        assert_eq!(layers[0].b, ndarray::array![-1.0, -0.5, 0.0]);
        assert_eq!((layers[1].w.dim(), &layers[1].b), ((3, 4), &Array1::zeros(4)), "no bias is zeros");
        assert_eq!((own.activation, own.normalisation), (None, Normalisation::None));
        assert!(own.net::<f32>(Activation::Tanh).is_ok());
        assert_eq!((own.hidden(), own.scale, own.names, own.task), (vec![3], None, None, None));
    }
}

#[test]
fn every_type_of_float_is_exact() {
    let expected = ndarray::array![[1.5, -0.25]];
    let halves = [0x3e00u16, 0xb400].iter().flat_map(|bits| bits.to_le_bytes()).collect::<Vec<u8>>();
    let brains = [0x3fc0u16, 0xbe80].iter().flat_map(|bits| bits.to_le_bytes()).collect::<Vec<u8>>();
    let doubles = [1.5f64, -0.25].iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>();
    let all = [("F16", halves), ("BF16", brains), ("F64", doubles), ("F32", floats([1.5, -0.25]))];
    for (dtype, bytes) in all {
        let own = from_bytes(&file(&[("0.weight", dtype, &[2, 1], bytes)]), "file").unwrap();
        assert_eq!(own.parameters.layers[0].w, expected, "{dtype}");
    }
    let bytes = file(&[("0.weight", "I32", &[2, 1], some(2))]);
    assert!(refused(&bytes).contains("0.weight has the type I32"));
}

#[test]
fn normalisations_belong_to_the_layers_in_order() {
    let arrays = |middle: &[(&'static str, usize)]| {
        let mut arrays: Vec<(&str, &str, &[usize], Vec<u8>)> =
            vec![("fc1.weight", "F32", &[3, 2], some(6)), ("fc2.weight", "F32", &[2, 3], some(6))];
        for (name, _) in middle {
            arrays.push((name, "F32", &[3], floats([1.0, 2.0, 3.0])));
        }
        file(&arrays)
    };
    let batch = [("bn1.weight", 3), ("bn1.bias", 3), ("bn1.running_mean", 3), ("bn1.running_var", 3)];
    let own = from_bytes(&arrays(&batch), "file").unwrap();
    assert_eq!((own.normalisation, own.running.len()), (Normalisation::Batch, 1));
    let own = from_bytes(&arrays(&batch[..2]), "file").unwrap();
    assert_eq!((own.normalisation, own.running.len()), (Normalisation::Layer, 0));
    assert!(refused(&arrays(&batch[..1])).contains("no bn1.bias"));
    assert!(refused(&arrays(&batch[..3])).contains("only one of its running statistics"));
}

#[test]
fn what_is_no_chain_of_layers_is_refused_in_a_sentence() {
    let one = |name, dtype, shape: &[usize], bytes| refused(&file(&[(name, dtype, shape, bytes)]));
    assert!(one("conv.weight", "F32", &[1, 1, 2, 2], some(4)).contains("conv.weight belongs to no chain"));
    assert!(one("embedding", "F32", &[2, 2], some(4)).contains("embedding belongs to no chain"));
    assert!(one("0.bias", "F32", &[4], some(4)).contains("has no 0.weight"));
    assert!(one("0.weight", "F32", &[4], some(4)).contains("no linear layers"));
    assert!(one("0.weight", "F32", &[0, 4], some(0)).contains("the shape (4, 0)"));
    assert!(one("0.weight", "F32", &[1, 2], floats([1.0, f32::NAN])).contains("weights that are not finite"));
    assert!(one("0.weight", "F32", &[1, 2], floats([f32::INFINITY, 1.0])).contains("not finite"));
    assert!(one("member3.W1", "F32", &[1, 2], some(2)).contains("holds 3 networks"));
    let broken = file(&[("0.weight", "F32", &[3, 2], some(6)), ("1.weight", "F32", &[2, 4], some(8))]);
    assert!(refused(&broken).contains("no chain") && refused(&broken).contains("1 from 4 to 2"));
    let biases = file(&[("0.weight", "F32", &[3, 2], some(6)), ("0.bias", "F32", &[2], some(2))]);
    assert!(refused(&biases).contains("3 units, but biases of 2 numbers"));
    assert!(refused(b"").contains("empty"));
    assert!(refused(b"\x80\x02}q\0.").contains("pickle"));
    assert!(refused(b"PK\x03\x04").contains("zip"));
    assert!(refused(b"hello").contains("no ONNX file"));
}

#[test]
fn numbers_beyond_a_type_are_refused_when_they_are_needed() {
    let doubles = [1e300f64, 1.0].iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>();
    let own = from_bytes(&file(&[("0.weight", "F64", &[1, 2], doubles)]), "file").unwrap();
    assert!(own.net::<f64>(Activation::Relu).is_ok());
    let text = own.net::<f32>(Activation::Relu).unwrap_err().to_string();
    assert!(text.contains("layer 1 has numbers beyond the range of f32"), "{text}");
}

/// An archive as `numpy.savez` writes it.
fn npz(arrays: &HashMap<&str, Array2<f64>>) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, array) in arrays {
        archive.start_file(format!("{name}.npy"), zip::write::SimpleFileOptions::default()).unwrap();
        let shape = if array.nrows() == 1 {
            format!("({},)", array.ncols())
        } else {
            format!("({}, {})", array.nrows(), array.ncols())
        };
        let header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}");
        let header = format!("{header:<117}\n");
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend(u16::try_from(header.len()).unwrap().to_le_bytes());
        bytes.extend(header.bytes());
        bytes.extend(array.iter().flat_map(|number| number.to_le_bytes()));
        std::io::Write::write_all(&mut archive, &bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

#[test]
fn an_archive_needs_no_more_than_weights_and_biases() {
    let mut arrays = HashMap::from([
        ("W1", Array2::from_shape_fn((4, 3), |(row, column)| row as f64 - column as f64)),
        ("b1", Array2::ones((1, 3))),
    ]);
    let own = from_bytes(&npz(&arrays), "file").unwrap();
    assert_eq!((own.inputs(), own.outputs(), own.task), (4, 3, None));
    arrays.insert("other", Array2::ones((1, 3)));
    assert!(refused(&npz(&arrays)).contains("other belongs to no layer"));
    arrays.remove("other");
    arrays.insert("gamma1", Array2::ones((1, 3)));
    assert!(refused(&npz(&arrays)).contains("only one of gamma1 and beta1"));
    arrays.insert("beta1", Array2::ones((1, 3)));
    assert!(refused(&npz(&arrays)).contains("its last layer has a normalisation"));
    arrays.remove("b1");
    assert!(refused(&npz(&arrays)).contains("no array b1"));
    arrays.remove("W1");
    assert!(refused(&npz(&arrays)).contains("no array W1"));
}
