//! Numbers as targets, for regression.

use std::fs;
use std::io::{Cursor, Write};

use ndarray::{Array1, Array2, Array3, Dimension, array};
use ndarray_npy::{WritableElement, WriteNpyExt};
use thinnet::data::{DataSet, Features, Format, Order, ReadOptions, Rows, Scaling, SplitOptions};
use thinnet::training::{DataConfig, TrainingData};

use crate::{bytes, floats, folder, idx, stored, tar};

fn regression() -> ReadOptions {
    ReadOptions { regression: true, ..ReadOptions::default() }
}

fn read(bytes: Vec<u8>) -> DataSet {
    DataSet::from_bytes(bytes, &regression()).unwrap()
}

fn refusal(bytes: Vec<u8>, options: &ReadOptions) -> String {
    DataSet::from_bytes(bytes, options).unwrap_err().to_string()
}

fn targets(rows: &Rows<f64>) -> Array2<f64> {
    rows.numbers().unwrap().to_owned()
}

/// An array as NPY.
fn npy<T: WritableElement, D: Dimension>(array: &ndarray::Array<T, D>) -> Vec<u8> {
    let mut bytes = Vec::new();
    array.write_npy(&mut bytes).unwrap();
    bytes
}

/// Arrays as NPZ.
fn npz(arrays: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in arrays {
        zip.start_file(format!("{name}.npy"), zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// Samples (3, 2).
fn x() -> Vec<u8> {
    npy(&array![[1.5, 2.0], [3.0, 4.0], [5.0, 6.0]])
}

#[test]
fn a_tables_label_column_holds_the_targets() {
    let text = "rooms,price,age\n3,199.5,10\n4,-2e2,20\n5,300,30\n";
    let by = |label: Option<&str>| {
        let options = ReadOptions { label: label.map(str::to_owned), ..regression() };
        let set = DataSet::from_bytes(text.as_bytes().to_vec(), &options).unwrap();
        assert_eq!((set.format(), set.shape(), set.is_regression()), (Format::Csv, &[2][..], true));
        assert!(set.train().labels().is_empty());
        (set.names().join(" "), targets(set.train()), set.train().x().clone())
    };
    let (name, column, values) = by(Some("price"));
    assert_eq!((name.as_str(), column), ("price", array![[199.5], [-200.0], [300.0]]));
    assert_eq!(bytes(&values), [3, 10, 4, 20, 5, 30], "the other columns are as they were");
    // The last column, unless another is named; features that are no bytes are floats.
    let (name, column, values) = by(None);
    assert_eq!((name.as_str(), column), ("age", array![[10.0], [20.0], [30.0]]));
    assert_eq!(floats(&values), [3.0, 199.5, 4.0, -200.0, 5.0, 300.0]);
    assert_eq!(by(Some("1")).1, array![[3.0], [4.0], [5.0]]);

    // A column named target, in any case, goes before the last; without a header the name is "target".
    let set = read(b"Target\tb\n1\t0\n2\t0\n".to_vec());
    assert_eq!((set.names()[0].as_str(), targets(set.train())), ("Target", array![[1.0], [2.0]]));
    let set = read(b"1;2\n3;4.25\n".to_vec());
    assert_eq!((set.names()[0].as_str(), targets(set.train())), ("target", array![[2.0], [4.25]]));

    // More values than there may be classes.
    let many = (0..70_000).map(|index| format!("1,{index}.5\n")).collect::<Vec<_>>().concat();
    let set = read(many.clone().into_bytes());
    assert_eq!((set.train().len(), targets(set.train())[(69_999, 0)]), (70_000, 69_999.5));
    assert!(refusal(many.into_bytes(), &ReadOptions::default()).contains("it cannot be the label"));
}

#[test]
fn a_field_of_a_table_that_is_no_number_is_named() {
    for (field, shown) in
        [("cheap", "\"cheap\""), ("", "an empty field"), ("inf", "\"inf\""), ("NaN", "\"NaN\"")]
    {
        let message = refusal(format!("a,price\n1,2\n3,{field}\n").into_bytes(), &regression());
        let expected = format!(
            "line 3, column price: {shown} is not a finite number; the targets of a regression (column price) are numbers"
        );
        assert_eq!(message, expected);
    }
    let message = refusal(b"a,price\n1,2\nx,3\n".to_vec(), &regression());
    assert_eq!(
        message,
        "line 3, column a: \"x\" is not a finite number; if the column holds words, name it as one of categories, or leave it out"
    );
    let named = ReadOptions { label: Some("cost".to_owned()), ..regression() };
    assert!(refusal(b"a,price\n1,2\n".to_vec(), &named).contains("no label column \"cost\""));
}

#[test]
fn arrays_of_every_number_type_are_targets() {
    let expected = array![[7.0], [0.0], [3.0]];
    let of = |y: Vec<u8>| targets(read(npz(&[("X", x()), ("y", y)])).train());
    assert_eq!(of(npy(&array![7.0f64, 0.0, 3.0])), expected);
    assert_eq!(of(npy(&array![7.0f32, 0.0, 3.0])), expected);
    assert_eq!(of(npy(&array![7i64, 0, 3])), expected);
    assert_eq!(of(npy(&array![7i16, 0, 3])), expected);
    assert_eq!(of(npy(&array![7u32, 0, 3])), expected);
    assert_eq!(of(npy(&array![7u8, 0, 3])), expected);
    assert_eq!(of(npy(&array![true, false, true])), array![[1.0], [0.0], [1.0]]);
    assert_eq!(of(npy(&array![[7.5f32], [0.0], [-3.0]])), array![[7.5], [0.0], [-3.0]]);
    let set = read(npz(&[("data", x()), ("target", npy(&array![0.5, 1.5, 2.5]))]));
    assert_eq!((set.format(), set.names()), (Format::Npz, &["target".to_owned()][..]));
    assert_eq!((set.train().labels(), floats(set.train().x())[0]), (&[][..], 1.5));
    // Several targets a sample, stored by row and by column.
    let several = array![[1.5, -1.0], [2.5, -2.0], [3.5, -3.0]];
    let set = read(npz(&[("X", x()), ("y", npy(&several))]));
    assert_eq!(
        (set.names().join(", "), targets(set.train())),
        ("target 1, target 2".to_owned(), several.clone())
    );
    let turned = several.t().as_standard_layout().into_owned();
    let by_column = npy(&turned.reversed_axes());
    assert_eq!(of(by_column), several);
}

/// What NumPy wrote (tests/files/make.py): two targets with names, of 32-bit floats for training, of 16-bit ones for testing.
#[test]
fn numpys_own_archive_is_read() {
    let set = DataSet::open(&stored("regression.npz"), &regression()).unwrap();
    assert_eq!(set.names(), ["height", "width"]);
    let expected = Array2::from_shape_fn((4, 2), |(i, k)| i as f64 / 4.0 - k as f64);
    assert_eq!(targets(set.train()), expected);
    assert_eq!(targets(set.test().unwrap()), expected.slice(ndarray::s![..2, ..]));
    let message = DataSet::open(&stored("regression.npz"), &ReadOptions::default()).unwrap_err().to_string();
    assert!(
        message.contains("there must be one label per sample, but these have the shape 4 x 2"),
        "{message}"
    );
    let halves = thinnet::data::formats::npy::read(fs::read(stored("f2.npy")).unwrap()).unwrap();
    assert_eq!(
        halves.into_targets().unwrap(),
        array![[0.0, 1.0, -2.5], [65504.0, 2f64.powi(-24), -(2f64.powi(-14))]]
    );
}

#[test]
fn npy_files_have_their_targets_beside_them() {
    let folder = folder();
    let put = |name: &str, bytes: Vec<u8>| fs::write(folder.path().join(name), bytes).unwrap();
    put("X_train.npy", x());
    put("y_train.npy", npy(&array![0.5, 1.5, 2.5]));
    let alone = DataSet::open(&folder.path().join("X_train.npy"), &regression()).unwrap();
    assert_eq!((alone.format(), targets(alone.train())), (Format::Npy, array![[0.5], [1.5], [2.5]]));
    put("X_test.npy", npy(&array![[9.0, 9.0]]));
    put("y_test.npy", npy(&array![[4.0]]));
    let set = DataSet::open(folder.path(), &regression()).unwrap();
    assert_eq!(targets(set.test().unwrap()), array![[4.0]]);
    put("y_test.npy", npy(&array![[4.0, 5.0]]));
    let message = DataSet::open(folder.path(), &regression()).unwrap_err().to_string();
    assert!(message.ends_with("its test part has 2 targets, and 1 are named"), "{message}");
    put("y_train.npy", npy(&Array3::<f64>::zeros((3, 1, 1))));
    let message = DataSet::open(folder.path(), &regression()).unwrap_err().to_string();
    assert!(message.contains("targets must have the shape N or N x K"), "{message}");
}

#[test]
fn arrays_that_are_no_targets_are_refused() {
    let words = fs::read(stored("words.npy")).unwrap();
    let with = |name: &str, y: Vec<u8>| npz(&[("X", x()), ("y", npy(&array![1.0, 2.0, 3.0])), (name, y)]);
    for (file, says) in [
        (npz(&[("X", x()), ("y", words.clone())]), "y: targets must be numbers, but these are words"),
        (
            npz(&[("X", x()), ("y", npy(&Array2::<f64>::zeros((3, 0))))]),
            "y: targets must have the shape N or N x K, with K from 1 to 65536, but these have 3 x 0",
        ),
        (
            npz(&[("X", x()), ("y", npy(&Array2::<u8>::zeros((3, 65_537))))]),
            "with K from 1 to 65536, but these have 3 x 65537",
        ),
        (npz(&[("X", x()), ("y", npy(&array![1.0, 2.0]))]), "its train part: 3 samples, but 2 targets"),
        (
            npz(&[("X", x()), ("y", npy(&array![[1.0, 2.0], [3.0, f64::NEG_INFINITY], [5.0, 6.0]]))]),
            "its train part: target 1 of sample 1 is -inf, which is not finite",
        ),
        (
            npz(&[("X", x()), ("y", npy(&array![1.0, f32::NAN, 3.0]))]),
            "its train part: target 0 of sample 1 is NaN",
        ),
        (with("target_names", words), "it names 4 targets, but a sample has 1"),
        (with("target_names", npy(&array![1.0])), "its target_names are not words"),
    ] {
        let message = refusal(file, &regression());
        assert!(message.ends_with(says) || message.contains(says), "{says:?} is not in {message:?}");
    }
}

#[test]
fn formats_that_hold_classes_say_so() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("digits")).unwrap();
    fs::write(at("digits/train-images-idx3-ubyte"), idx::file(&[2, 1, 2], &[1, 2, 3, 4])).unwrap();
    fs::write(at("digits/train-labels-idx1-ubyte"), idx::file(&[2], &[0, 1])).unwrap();
    let batch = fs::read(stored("batch-protocol4.pickle")).unwrap();
    let batches: Vec<String> = (1..=5).map(|n| format!("cifar-10-batches-py/data_batch_{n}")).collect();
    let batches: Vec<(&str, &[u8])> = batches.iter().map(|name| (name.as_str(), batch.as_slice())).collect();
    fs::write(at("cifar.tar"), tar(&batches)).unwrap();
    let mut refused = vec![
        (stored("batch-protocol4.pickle"), "CIFAR-10, python version"),
        (at("cifar.tar"), "CIFAR-10, python version"),
        (at("digits"), "IDX"),
        (at("digits/train-images-idx3-ubyte"), "IDX"),
    ];
    if cfg!(feature = "images") {
        fs::create_dir_all(at("pictures/grey")).unwrap();
        fs::copy(stored("grey.png"), at("pictures/grey/1.png")).unwrap();
        refused.push((at("pictures"), "folder of images by class"));
    }
    for (path, format) in refused {
        let message = DataSet::open(&path, &regression()).unwrap_err().to_string();
        let says = format!(
            "{}: it holds classes, not numbers to predict ({format}); targets for regression are read from tables, NPZ, \
             NPY, HDF5, svmlight and MATLAB files",
            path.display()
        );
        assert_eq!(message, says);
        if path.is_file() && format != "IDX" {
            let message = refusal(fs::read(&path).unwrap(), &regression());
            assert!(message.starts_with("it holds classes"), "{message}");
        }
        DataSet::open(&path, &ReadOptions::default()).unwrap();
    }
    assert!(regression().check_format(Format::EmbeddedSample).is_err());
}

/// A set of samples whose only number is their index, and whose targets are 10 and 100 times that.
fn numbered(count: usize) -> DataSet {
    let index = Array1::from_iter((0..count).map(|index| index as f64 + 0.5)).insert_axis(ndarray::Axis(1));
    let both = ndarray::concatenate![ndarray::Axis(1), &index * 10.0, &index * 100.0];
    read(npz(&[("X", npy(&index)), ("y", npy(&both))]))
}

fn assert_pairs(rows: &Rows<f64>) {
    let (x, y) = (floats(rows.x()), targets(rows));
    assert_eq!((y.dim(), rows.len()), ((x.len(), 2), x.len()));
    for (x, y) in x.iter().zip(y.rows()) {
        assert_eq!((y[0], y[1]), (x * 10.0, x * 100.0));
    }
}

#[test]
fn a_split_keeps_samples_with_their_targets() {
    let set = numbered(40);
    let options = SplitOptions { num_val: Some(7), num_test: Some(5), seed: 3, ..SplitOptions::default() };
    let stored = SplitOptions { order: Some(Order::Stored), ..options };
    let kept = set.clone().split(&stored).unwrap();
    assert_eq!(floats(kept.val().unwrap().x())[0], 28.5);
    let shuffled = set.clone().split(&options).unwrap();
    assert_eq!(options.describe(&set), "split shuffled with seed 3", "the order that is taken by default");
    assert_ne!(floats(shuffled.train().x()), floats(kept.train().x()));
    for split in [&kept, &shuffled] {
        let sizes: Vec<usize> = split.parts().map(|(_, part)| part.len()).collect();
        assert_eq!(sizes, [28, 7, 5]);
        split.parts().for_each(|(_, part)| assert_pairs(part));
    }
    // Parts that are there are cut, targets and all.
    let cut = SplitOptions { num_val: Some(2), num_test: Some(1), ..SplitOptions::default() };
    let again = shuffled.clone().split(&cut).unwrap();
    assert_eq!(again.val().map(Rows::len), Some(2));
    again.parts().for_each(|(_, part)| assert_pairs(part));
    let stratified = SplitOptions { order: Some(Order::Stratified), ..options };
    let message = set.split(&stratified).unwrap_err().to_string();
    assert!(
        message.ends_with("no classes to be split stratified by; their order is stored or shuffled"),
        "{message}"
    );
}

#[test]
fn scaled_samples_have_their_targets_as_they_were_read() {
    let set = numbered(20).split(&SplitOptions { num_test: Some(3), ..SplitOptions::default() }).unwrap();
    let unscaled = DataConfig { train: Some(10), target_scaling: Scaling::None, ..DataConfig::default() };
    let data = TrainingData::<f32>::scaled(&set, unscaled).unwrap();
    assert_eq!((data.num_outputs(), data.train.x().dim(), data.val.x().dim()), (2, (10, 1), (4, 1)));
    let read = targets(set.train());
    assert_eq!(data.train.numbers().unwrap(), read.slice(ndarray::s![..10, ..]).mapv(|target| target as f32));
    assert_eq!(data.val.numbers().unwrap().dim(), (4, 2));
    let test = set.scale(Scaling::None).unwrap().rows::<f64>(set.test().unwrap()).unwrap();
    let Features::Floats(x) = test.x() else { panic!("floats") };
    assert_eq!(test.numbers().unwrap().column(1), x.column(0).mapv(|x| x * 100.0));
    // A number beyond 32-bit floats would be infinite there.
    let set = read_text("1,2\n3,1e300\n").split(&SplitOptions::default()).unwrap();
    let order: Vec<f64> = set.parts().flat_map(|(_, part)| targets(part).into_iter()).collect();
    let part = if order[0] > 1e200 { set.train() } else { set.val().unwrap() };
    let message = set.scale(Scaling::None).unwrap().rows::<f32>(part).unwrap_err().to_string();
    assert!(
        message.contains("target 0 of sample 0 is") && message.contains("outside the range of f32"),
        "{message}"
    );
    assert_eq!(
        set.scale(Scaling::None).unwrap().rows::<f64>(part).unwrap().numbers().unwrap()[(0, 0)],
        1e300
    );
}

fn read_text(text: &str) -> DataSet {
    read(text.as_bytes().to_vec())
}

#[test]
fn an_archive_brings_targets_and_their_names_back() {
    let folder = folder();
    let table = ReadOptions { label: Some("price".to_owned()), ..regression() };
    let table = DataSet::from_bytes(b"price,a,b\n1.25,1,2\n-3,4,5\n1e-7,6,7\n".to_vec(), &table).unwrap();
    let split = numbered(12).split(&SplitOptions { num_test: Some(2), ..SplitOptions::default() }).unwrap();
    for (name, set) in [("table.npz", table), ("split.npz", split)] {
        let path = folder.path().join(name);
        set.save_npz(&path, false).unwrap();
        let back = DataSet::open(&path, &regression()).unwrap();
        assert_eq!(
            (back.format(), back.names(), back.shape()),
            (Format::Npz, set.names(), set.shape()),
            "{name}"
        );
        assert!(back.parts().eq(set.parts()), "{name}");
    }
    // One target is an array (N), as scikit-learn takes it.
    let mut archive = zip::ZipArchive::new(fs::File::open(folder.path().join("table.npz")).unwrap()).unwrap();
    let names: Vec<String> = archive.file_names().map(|name| name.unwrap().into_owned()).collect();
    assert_eq!(names, ["X_train.npy", "y_train.npy", "target_names.npy"]);
    let mut y = Vec::new();
    std::io::copy(&mut archive.by_name("y_train.npy").unwrap(), &mut y).unwrap();
    assert_eq!(thinnet::data::formats::npy::read(y).unwrap().shape, [3]);
}

#[test]
fn a_summary_has_the_figures_of_each_target() {
    let set = read_text("a,price\n1,2\n2,-3\n3,10\n");
    let summary = set.summary().unwrap();
    assert_eq!(summary.classes, ["price"]);
    let [train] = summary.splits.as_slice() else { panic!("one part") };
    assert_eq!((train.samples, train.class_counts.len()), (3, 0));
    let [price] = train.targets.as_slice() else { panic!("one target") };
    assert_eq!((price.name.as_str(), price.range, price.mean), ("price", (-3.0, 10.0), 3.0));
    let classes =
        DataSet::from_bytes(b"a,b\n1,2\n2,3\n".to_vec(), &ReadOptions::default()).unwrap().summary().unwrap();
    assert_eq!(
        (classes.splits[0].targets.len(), classes.splits[0].class_counts.as_slice()),
        (0, &[1, 1][..])
    );
}
