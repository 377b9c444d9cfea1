//! NPY and NPZ.

use std::fs;
use std::path::Path;

use thinnet::data::formats::{Content, npy};
use thinnet::data::{DataSet, Format};
use thinnet::training::TrainingData;

use crate::{bytes, floats, folder, open, pattern, refusal, stored};

#[test]
fn numpy_arrays_of_every_type_are_read() {
    let small: Vec<f64> = pattern(4, 6).into_iter().map(f64::from).collect();
    let read = |name: &str| npy::read(fs::read(stored(&format!("{name}.npy"))).unwrap()).unwrap();
    let values = |name: &str| {
        let numbers = read(name);
        assert_eq!(numbers.shape, [4, 6], "{name}");
        numbers.into_samples().unwrap().0
    };
    let each = |f: fn(f64) -> f64| small.iter().copied().map(f).collect::<Vec<_>>();
    assert_eq!(bytes(&values("u1")), pattern(4, 6));
    assert_eq!(floats(&values("i2-big")), small);
    assert_eq!(floats(&values("i8")), each(|x| x - 100.0));
    assert_eq!(floats(&values("f4-fortran")), each(|x| x / 2.0));
    assert_eq!(floats(&values("f8-big")), each(|x| x / 3.0));
    let types = ["u1", "i8", "f4-fortran", "f8-big"].map(|name| values(name).dtype());
    assert_eq!(types, ["uint8", "float64", "float32", "float64"]);
    assert_eq!(
        bytes(&values("bool")),
        pattern(4, 6).into_iter().map(|x| u8::from(x > 100)).collect::<Vec<_>>()
    );
    for (name, last) in [("words", "élan"), ("bytes", "elk")] {
        let Content::Texts(words) = read(name).content else { panic!("{name} holds no words") };
        assert_eq!(words, ["cat", "dog", "cat", last]);
    }
}

#[test]
fn npz_archives_are_read() {
    let set = open(&stored("splits.npz"));
    assert_eq!(
        (set.format(), set.shape(), set.names()),
        (Format::Npz, &[1, 2, 3][..], ["3", "7", "11"].map(str::to_owned).as_slice())
    );
    assert_eq!(
        (set.train().labels(), set.test().unwrap().labels(), set.val()),
        (&[1, 0, 1, 2][..], &[1][..], None)
    );
    assert_eq!(bytes(set.train().x()), pattern(4, 6));

    let set = open(&stored("channels-last.npz"));
    assert_eq!(
        (set.shape(), set.names()),
        (&[3, 8, 5][..], ["cat", "dog", "elk"].map(str::to_owned).as_slice())
    );
    assert_eq!(set.train().labels(), [1, 0]);
    let (stored_pixels, pixels) = (pattern(2, 120), bytes(set.train().x()));
    for (image, channel, pixel) in [(0, 0, 0), (0, 2, 17), (1, 1, 39)] {
        assert_eq!(
            pixels[image * 120 + channel * 40 + pixel],
            stored_pixels[image * 120 + pixel * 3 + channel]
        );
    }

    let set = open(&stored("words.npz"));
    assert_eq!(
        (set.names(), set.train().labels()),
        (["cat", "dog"].map(str::to_owned).as_slice(), &[1, 0, 1, 0][..])
    );
    assert_eq!(open(&stored("mean.npz")).mean_sample().unwrap().to_vec(), [2.5; 6]);
}

/// The embedded sample is such an archive: read as a file it gives the same numbers to train on.
#[test]
fn the_embedded_samples_own_archive_is_the_sample() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/data/cifar10-sample.npz");
    let (file, sample) = (open(&path), DataSet::embedded_sample().unwrap());
    let train = |set: &DataSet| TrainingData::<f64>::of(set, 500).unwrap().train;
    assert_eq!(train(&file), train(&sample));
    assert_eq!((file.format(), file.names()[3].as_str()), (Format::Npz, "3"));
}

#[test]
fn numpy_files_have_their_labels_beside_them() {
    let folder = folder();
    let put = |from: &str, to: &str| fs::copy(stored(from), folder.path().join(to)).unwrap();
    put("u1.npy", "X_train.npy");
    put("words.npy", "y_train.npy");
    let alone = open(&folder.path().join("X_train.npy"));
    assert_eq!(
        (alone.format(), alone.names(), alone.train().labels()),
        (Format::Npy, ["cat", "dog", "élan"].map(str::to_owned).as_slice(), &[0, 1, 0, 2][..])
    );
    put("f8-big.npy", "X_test.npy");
    put("bytes.npy", "y_test.npy");
    let set = open(folder.path());
    assert_eq!(
        (set.names().len(), set.train().labels(), set.test().unwrap().labels()),
        (4, &[0, 1, 0, 3][..], &[0, 1, 0, 2][..])
    );
    put("u1.npy", "other.npy");
    let message = refusal(&folder.path().join("other.npy"));
    assert!(message.contains("should be in the same folder as other_labels.npy"), "{message}");
}

/// An archive of arrays of bytes with these names, shapes and numbers.
fn archive(path: &Path, arrays: &[(&str, &str, &[u8])]) {
    use std::io::Write;
    let mut zip = zip::ZipWriter::new(fs::File::create(path).unwrap());
    for (name, described, values) in arrays {
        let (kind, shape) = described.split_once(' ').unwrap();
        let mut head =
            format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}").into_bytes();
        head.resize((head.len() + 11).next_multiple_of(64) - 11, b' ');
        head.push(b'\n');
        zip.start_file(format!("{name}.npy"), zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(&[b"\x93NUMPY\x01\0", &(head.len() as u16).to_le_bytes()[..], &head, values].concat())
            .unwrap();
    }
    zip.finish().unwrap();
}

#[test]
fn arrays_have_the_names_that_people_give_them() {
    let folder = folder();
    let path = folder.path().join("a.npz");
    archive(&path, &[("arr_0", "|u1 (3, 2)", &[1, 2, 3, 4, 5, 6]), ("arr_1", "|u1 (3,)", &[4, 9, 4])]);
    let set = open(&path);
    assert_eq!((bytes(set.train().x()), set.train().labels()), (vec![1, 2, 3, 4, 5, 6], &[0, 1, 0][..]));
    archive(
        &path,
        &[("arr_0", "|u1 (1, 1)", &[1]), ("arr_1", "|u1 (1,)", &[4]), ("arr_2", "|u1 (1,)", &[4])],
    );
    assert!(refusal(&path).contains("numpy.savez(file, X_train="));
    archive(
        &path,
        &[
            ("train_images", "|u1 (2, 2, 1)", &[1, 2, 3, 4]),
            ("train_labels", "|u1 (2, 1)", &[0, 1]),
            ("val_images", "|u1 (1, 2, 1)", &[5, 6]),
            ("val_labels", "|u1 (1, 1)", &[1]),
            ("test_images", "|u1 (1, 2, 1)", &[7, 8]),
            ("test_labels", "|u1 (1, 1)", &[0]),
        ],
    );
    let set = open(&path);
    assert_eq!((set.shape(), set.train().labels()), (&[1, 2, 1][..], &[0, 1][..]));
    let (val, test) = (set.val().unwrap(), set.test().unwrap());
    assert_eq!(
        (val.labels(), bytes(val.x()), test.labels(), bytes(test.x())),
        (&[1][..], vec![5, 6], &[0][..], vec![7, 8])
    );
}

#[test]
fn rows_with_a_single_1_are_classes() {
    let folder = folder();
    let path = folder.path().join("a.npz");
    let x = ("X", "|u1 (3, 1)", &[1, 2, 3][..]);
    archive(&path, &[x, ("y", "|u1 (3, 3)", &[0, 0, 1, 1, 0, 0, 0, 1, 0])]);
    assert_eq!(open(&path).train().labels(), [2, 0, 1]);
    archive(&path, &[x, ("y", "|u1 (3, 3)", &[0, 0, 1, 1, 0, 1, 0, 1, 0])]);
    assert!(refusal(&path).contains("that of sample 2 is different"), "{}", refusal(&path));
    archive(&path, &[x, ("y", "|u1 (3, 3)", &[0, 0, 1, 1, 0, 0, 0, 2, 1])]);
    assert!(refusal(&path).contains("that of sample 3 is different"), "{}", refusal(&path));
}

#[test]
fn transparency_is_left_out_and_objects_are_refused() {
    let folder = folder();
    let path = folder.path().join("a.npz");
    let pixels: Vec<u8> = (0..2 * 5 * 4).collect();
    archive(&path, &[("X", "|u1 (1, 2, 5, 4)", &pixels), ("y", "|u1 (1,)", &[1])]);
    let set = open(&path);
    assert_eq!(set.shape(), [3, 2, 5]);
    let expected: Vec<u8> =
        (0..3).flat_map(|channel| (0..10).map(move |pixel| 4 * pixel + channel)).collect();
    assert_eq!(bytes(set.train().x()), expected);
    archive(&path, &[("X", "|O (1, 1)", &[0; 8]), ("y", "|u1 (1,)", &[1])]);
    assert!(refusal(&path).contains("numpy.asarray(x, dtype=float)"), "{}", refusal(&path));
}
