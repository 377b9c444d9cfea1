//! Every format, read from files as the programs that write them leave them (tests/files/make.py) and from files made here.
#![allow(clippy::unwrap_used, clippy::panic, clippy::cast_possible_truncation, clippy::float_cmp)] // a test fails by panic

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;
use thinnet::data::formats::{Content, npy};
use thinnet::data::{DataSet, Format, ReadOptions, Scaling, SplitOptions, Values};

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn stored(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files").join(name)
}

fn open(path: &Path) -> DataSet {
    DataSet::open(path, &ReadOptions::default()).unwrap()
}

fn refusal(path: &Path) -> String {
    DataSet::open(path, &ReadOptions::default()).unwrap_err().to_string()
}

fn bytes(values: &Values) -> Vec<u8> {
    let Values::Bytes(values) = values else { panic!("these are floats") };
    values.iter().copied().collect()
}

fn floats(values: &Values) -> Vec<f64> {
    let Values::Floats(values) = values else { panic!("these are bytes") };
    values.iter().copied().collect()
}

/// The numbers of tests/files/make.py: number `j` of image `i` is `(37 i + 11 j) % 256`.
fn pattern(images: usize, numbers: usize) -> Vec<u8> {
    (0..images).flat_map(|i| (0..numbers).map(move |j| (37 * i + 11 * j) as u8)).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A tar archive of files with these names.
fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        builder.append_data(&mut header, name, *content).unwrap();
    }
    builder.into_inner().unwrap()
}

#[test]
fn a_batch_is_read_however_python_pickled_it() {
    for name in ["python2", "protocol2", "protocol3", "protocol4", "protocol5"] {
        let set = open(&stored(&format!("batch-{name}.pickle")));
        assert_eq!((set.format, set.shape.as_slice()), (Format::Cifar10Python, &[3, 32, 32][..]), "{name}");
        assert_eq!(set.train.labels, [1, 4], "{name}");
        assert_eq!(bytes(&set.train.values), pattern(2, 3072), "{name}");
        assert_eq!(set.classes[4], "deer");
    }
    let set = open(&stored("batch-cifar100.pickle"));
    assert_eq!((set.format, set.train.labels, set.classes.len()), (Format::Cifar100Python, vec![1, 31], 100));
}

/// `batches.meta`, as Python 2 writes it.
fn meta(names: &[&str]) -> Vec<u8> {
    let mut out = b"\x80\x02}(U\x0blabel_names](".to_vec();
    for name in names {
        out.extend([b'U', name.len() as u8]);
        out.extend(name.as_bytes());
    }
    out.extend(b"eU\x07num_visM\x00\x0cu.");
    out
}

#[test]
fn cifar_10_is_the_same_in_a_folder_and_in_an_archive_in_any_order() {
    let batch = fs::read(stored("batch-python2.pickle")).unwrap();
    let names = meta(&["zero", "one", "two", "three", "four"]);
    let files: Vec<(String, &[u8])> = [3, 5, 1, 2, 4]
        .iter()
        .map(|number| (format!("cifar-10-batches-py/data_batch_{number}"), batch.as_slice()))
        .chain([("cifar-10-batches-py/test_batch".to_owned(), batch.as_slice())])
        .chain([("cifar-10-batches-py/batches.meta".to_owned(), names.as_slice())])
        .chain([("cifar-10-batches-py/readme.html".to_owned(), b"<p>" as &[u8])])
        .collect();
    let folder = folder();
    for (name, content) in &files {
        let path = folder.path().join("unpacked").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, content)| (name.as_str(), *content)).collect();
    fs::write(folder.path().join("packed"), gzip(&tar(&files))).unwrap();
    fs::write(folder.path().join("archive"), tar(&files)).unwrap();

    let unpacked = open(&folder.path().join("unpacked/cifar-10-batches-py"));
    assert_eq!(unpacked.classes, ["zero", "one", "two", "three", "four"]);
    assert_eq!((unpacked.train.len(), unpacked.test.as_ref().unwrap().len()), (10, 2));
    assert_eq!(unpacked.train.labels, [1, 4].repeat(5));
    assert_eq!(bytes(&unpacked.train.values), pattern(2, 3072).repeat(5));
    for other in ["unpacked", "packed", "archive"] {
        assert_eq!(open(&folder.path().join(other)), unpacked, "{other}");
    }
    fs::remove_file(folder.path().join("unpacked/cifar-10-batches-py/data_batch_2")).unwrap();
    let message = refusal(&folder.path().join("unpacked"));
    assert!(message.ends_with("it is CIFAR-10, python version, and data_batch_2 is missing"), "{message}");
}

/// Binary records: labels and the pixels of the pattern.
fn records(labels: &[&[u8]]) -> Vec<u8> {
    let pixels = pattern(labels.len(), 3072);
    let images = pixels.chunks(3072).zip(labels);
    images.flat_map(|(pixels, labels)| [labels, pixels].concat()).collect()
}

#[test]
fn the_binary_version_is_read() {
    let folder = folder();
    let batch = records(&[&[1], &[4]]);
    for number in 1..=5 {
        fs::write(folder.path().join(format!("data_batch_{number}.bin")), &batch).unwrap();
    }
    fs::write(folder.path().join("test_batch.bin"), records(&[&[9]])).unwrap();
    fs::write(folder.path().join("batches.meta.txt"), "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n").unwrap();
    let set = open(folder.path());
    assert_eq!((set.format, set.classes[9].as_str()), (Format::Cifar10Binary, "j"));
    assert_eq!((set.train.labels, set.test.unwrap().labels), ([1, 4].repeat(5), vec![9]));
    assert_eq!(bytes(&set.train.values), pattern(2, 3072).repeat(5));
    // One batch, whatever its name.
    fs::write(folder.path().join("any"), &batch).unwrap();
    assert_eq!(open(&folder.path().join("any")).train.labels, [1, 4]);

    // A batch that begins like a text: label 9 is a tab, and bright pixels are letters.
    let mut text = vec![b'a'; 3073];
    text[0] = 9;
    fs::write(folder.path().join("any"), &text).unwrap();
    assert_eq!(open(&folder.path().join("any")).train.labels, [9]);
    fs::write(folder.path().join("data_batch_3.bin"), records(&[&[1]])).unwrap();
    let message = refusal(folder.path());
    assert!(message.ends_with("data_batch_3.bin: it has 1 images, unlike the 2 before it"), "{message}");

    // CIFAR-100 has a coarse label before the fine one.
    let hundred = tempfile::tempdir().unwrap();
    fs::create_dir(hundred.path().join("cifar-100-binary")).unwrap();
    fs::write(hundred.path().join("cifar-100-binary/train.bin"), records(&[&[19, 99], &[0, 3]])).unwrap();
    fs::write(hundred.path().join("cifar-100-binary/test.bin"), records(&[&[5, 50]])).unwrap();
    let set = open(hundred.path());
    assert_eq!(
        (set.format, set.train.labels, set.test.unwrap().labels),
        (Format::Cifar100Binary, vec![99, 3], vec![50])
    );
    assert_eq!(bytes(&set.train.values), pattern(2, 3072));
}

/// IDX with unsigned bytes.
fn idx(sizes: &[u32], content: &[u8]) -> Vec<u8> {
    let sizes_big: Vec<u8> = sizes.iter().flat_map(|size| size.to_be_bytes()).collect();
    [&[0, 0, 8, sizes.len() as u8], sizes_big.as_slice(), content].concat()
}

#[test]
fn idx_is_read_packed_or_not_in_a_folder_or_by_its_images() {
    let images = idx(&[3, 2, 2], &pattern(3, 4));
    let test = idx(&[1, 2, 2], &pattern(1, 4));
    for (images_ending, labels_ending, packed) in
        [("-idx3-ubyte", "-idx1-ubyte", false), (".idx3-ubyte.gz", ".idx1-ubyte.gz", true)]
    {
        let folder = folder();
        let write = |name: &str, content: &[u8]| {
            fs::write(folder.path().join(name), if packed { gzip(content) } else { content.to_vec() })
                .unwrap();
        };
        write(&format!("train-images{images_ending}"), &images);
        write(&format!("train-labels{labels_ending}"), &idx(&[3], &[5, 0, 4]));
        write(&format!("t10k-images{images_ending}"), &test);
        write(&format!("t10k-labels{labels_ending}"), &idx(&[1], &[9]));
        let set = open(folder.path());
        assert_eq!((set.format, set.shape.as_slice()), (Format::Idx, &[1, 2, 2][..]));
        assert_eq!(set.classes, ["0", "4", "5", "9"], "classes are the labels that there are");
        assert_eq!(
            (set.train.labels.as_slice(), set.test.as_ref().unwrap().labels.as_slice()),
            (&[2, 0, 1][..], &[3][..])
        );
        assert_eq!(bytes(&set.train.values), pattern(3, 4));
        if !packed {
            fs::write(folder.path().join("train-images-idx3-ubyte.gz"), gzip(&images)).unwrap();
            assert_eq!(open(folder.path()), set, "a packed file beside the unpacked one is the same file");
        }
        let alone = open(&folder.path().join(format!("train-images{images_ending}")));
        assert_eq!(
            (alone.train, alone.classes.len()),
            (thinnet::data::Split { labels: vec![2, 0, 1], values: set.train.values }, 3)
        );
        assert_eq!(alone.test, None);

        let labels = refusal(&folder.path().join(format!("train-labels{labels_ending}")));
        assert!(labels.contains("it holds labels"), "{labels}");
        fs::remove_file(folder.path().join(format!("t10k-labels{labels_ending}"))).unwrap();
        let message = refusal(folder.path());
        assert!(
            message.contains("t10k-images") && message.contains("should lie beside it as t10k-labels"),
            "{message}"
        );
    }
}

#[test]
fn every_type_of_number_is_read_from_idx() {
    let read = |kind: u8, content: &[u8]| {
        let file = [&[0, 0, kind, 2, 0, 0, 0, 1, 0, 0, 0, 2], content].concat();
        thinnet::data::formats::idx::read(file).unwrap().into_samples().unwrap().0
    };
    assert_eq!(floats(&read(0x09, &[0xff, 1])), [-1.0, 1.0]);
    assert_eq!(floats(&read(0x0b, &[0x01, 0x00, 0xff, 0xff])), [256.0, -1.0]);
    assert_eq!(floats(&read(0x0c, &[0, 1, 0, 0, 0xff, 0xff, 0xff, 0xfe])), [65536.0, -2.0]);
    assert_eq!(floats(&read(0x0d, &[1.5f32.to_be_bytes(), (-2f32).to_be_bytes()].concat())), [1.5, -2.0]);
    assert_eq!(floats(&read(0x0e, &[0.1f64.to_be_bytes(), 1e300f64.to_be_bytes()].concat())), [0.1, 1e300]);
}

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
        (set.format, set.shape.as_slice(), set.classes.as_slice()),
        (Format::Npz, &[1, 2, 3][..], ["3", "7", "11"].map(str::to_owned).as_slice())
    );
    assert_eq!((set.train.labels, set.test.unwrap().labels, set.val), (vec![1, 0, 1, 2], vec![1], None));
    assert_eq!(bytes(&set.train.values), pattern(4, 6));

    let set = open(&stored("channels-last.npz"));
    assert_eq!(
        (set.shape.as_slice(), set.classes.as_slice()),
        (&[3, 8, 5][..], ["cat", "dog", "elk"].map(str::to_owned).as_slice())
    );
    assert_eq!(set.train.labels, [1, 0]);
    let (stored_pixels, pixels) = (pattern(2, 120), bytes(&set.train.values));
    for (image, channel, pixel) in [(0, 0, 0), (0, 2, 17), (1, 1, 39)] {
        assert_eq!(
            pixels[image * 120 + channel * 40 + pixel],
            stored_pixels[image * 120 + pixel * 3 + channel]
        );
    }

    let set = open(&stored("words.npz"));
    assert_eq!(
        (set.classes.as_slice(), set.train.labels.as_slice()),
        (["cat", "dog"].map(str::to_owned).as_slice(), &[1, 0, 1, 0][..])
    );
    assert_eq!(open(&stored("mean.npz")).mean_sample().to_vec(), [2.5; 6]);
}

/// The embedded sample is such an archive: read as a file it gives the same numbers to train on.
#[test]
fn the_embedded_samples_own_archive_is_the_sample() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/data/cifar10-sample.npz");
    let (file, sample) = (open(&path), DataSet::embedded_sample().unwrap());
    let train = |set: &DataSet| set.dataset::<f64>(500).unwrap().train;
    assert_eq!(train(&file), train(&sample));
    assert_eq!((file.format, file.classes[3].as_str()), (Format::Npz, "3"));
}

#[test]
fn numpy_files_have_their_labels_beside_them() {
    let folder = folder();
    let put = |from: &str, to: &str| fs::copy(stored(from), folder.path().join(to)).unwrap();
    put("u1.npy", "X_train.npy");
    put("words.npy", "y_train.npy");
    let alone = open(&folder.path().join("X_train.npy"));
    assert_eq!(
        (alone.format, alone.classes.as_slice(), alone.train.labels.as_slice()),
        (Format::Npy, ["cat", "dog", "élan"].map(str::to_owned).as_slice(), &[0, 1, 0, 2][..])
    );
    put("f8-big.npy", "X_test.npy");
    put("bytes.npy", "y_test.npy");
    let set = open(folder.path());
    assert_eq!(
        (set.classes.len(), set.train.labels.clone(), set.test.unwrap().labels),
        (4, vec![0, 1, 0, 3], vec![0, 1, 0, 2])
    );
    put("u1.npy", "other.npy");
    let message = refusal(&folder.path().join("other.npy"));
    assert!(message.contains("should lie beside it as other_labels.npy"), "{message}");
}

fn table(text: &str, options: &ReadOptions) -> thinnet::Result<DataSet> {
    DataSet::from_bytes(text.as_bytes().to_vec(), options)
}

#[test]
fn tables_are_read_with_and_without_header_by_any_separator() {
    let plain = ReadOptions::default();
    let iris = "length,width,species\n5.1,3.5,setosa\n7.0,3.2,versicolor\n\n4.9,-1e1,setosa\n";
    let expected = table(iris, &plain).unwrap();
    assert_eq!((expected.format, expected.shape.as_slice()), (Format::Csv, &[2][..]));
    assert_eq!(
        (expected.classes.as_slice(), expected.train.labels.as_slice()),
        (["setosa", "versicolor"].map(str::to_owned).as_slice(), &[0, 1, 0][..])
    );
    assert_eq!(floats(&expected.train.values), [5.1, 3.5, 7.0, 3.2, 4.9, -10.0]);
    for same in [
        iris.replace(',', "\t"),
        iris.replace(',', ";"),
        iris.replace(',', " | "),
        iris.replace('\n', "\r\n"),
        iris.replace("setosa", "\"setosa\""),
        iris.lines().skip(1).collect::<Vec<_>>().join("\n"),
        format!("\u{feff}{iris}"),
    ] {
        assert_eq!(table(&same, &plain).unwrap(), expected, "{same}");
    }
    let packed = DataSet::from_bytes(gzip(iris.as_bytes()), &plain).unwrap();
    assert_eq!(packed, expected);

    // Quotes hold separators, quotes and line breaks.
    let quoted = table("a,label\n1,\"x, \"\"y\"\"\nz\"\n2,w\n", &plain).unwrap();
    assert_eq!(quoted.classes, ["w", "x, \"y\"\u{fffd}z"]);
}

#[test]
fn the_label_column_is_found_or_named() {
    let text = "label,a,b\n7,1,2\n10,3,4\n7,5,600\n";
    let column = |label: Option<&str>| {
        let set = table(text, &ReadOptions { label: label.map(str::to_owned), ..ReadOptions::default() });
        set.map(|set| (set.classes, floats_or_bytes(&set.train.values)))
    };
    let classes = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    // Numbers go by size: 7 before 10.
    assert_eq!(column(None).unwrap(), (classes(&["7", "10"]), vec![1.0, 2.0, 3.0, 4.0, 5.0, 600.0]));
    assert_eq!(column(Some("1")).unwrap(), column(None).unwrap());
    assert_eq!(
        column(Some("b")).unwrap(),
        (classes(&["2", "4", "600"]), vec![7.0, 1.0, 10.0, 3.0, 7.0, 5.0])
    );
    assert_eq!(column(Some("3")).unwrap(), column(Some("b")).unwrap());
    for wrong in ["c", "0", "4", ""] {
        let message = column(Some(wrong)).unwrap_err().to_string();
        assert!(
            message.contains(&format!("no label column {wrong:?}")) && message.contains("label, a, b"),
            "{message}"
        );
    }
    // Without such a name it is the last; all numbers below 256 stay bytes.
    let set = table("1,2,3\n4,5,3\n", &ReadOptions::default()).unwrap();
    assert_eq!((set.classes, bytes(&set.train.values)), (classes(&["3"]), vec![1, 2, 4, 5]));
    let set = table("1,2,x\n4,5,y\n", &ReadOptions { header: Some(true), ..ReadOptions::default() }).unwrap();
    assert_eq!((set.classes, bytes(&set.train.values)), (classes(&["y"]), vec![4, 5]));
    let set =
        table("1,2,3\n4,5.5,3\n", &ReadOptions { header: Some(false), ..ReadOptions::default() }).unwrap();
    assert_eq!(floats(&set.train.values), [1.0, 2.0, 4.0, 5.5]);
}

fn floats_or_bytes(values: &Values) -> Vec<f64> {
    match values {
        Values::Bytes(values) => values.iter().map(|&value| f64::from(value)).collect(),
        Values::Floats(values) => values.iter().copied().collect(),
    }
}

#[cfg(feature = "images")]
mod images {
    use image::{DynamicImage, GrayImage, ImageFormat, Rgb, RgbImage};

    use super::*;

    fn save(path: &Path, image: impl Into<DynamicImage>) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let format =
            if path.extension().is_some_and(|e| e == "jpg") { ImageFormat::Jpeg } else { ImageFormat::Png };
        image.into().save_with_format(path, format).unwrap();
    }

    fn red(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| Rgb([(10 * x + y) as u8, 7, 200]))
    }

    #[test]
    fn a_folder_for_each_class_is_read() {
        let folder = folder();
        let path = |name: &str| folder.path().join(name);
        save(&path("dog/2.png"), red(3, 2));
        save(&path("cat/a.png"), GrayImage::from_fn(3, 2, |x, y| image::Luma([(x + 10 * y) as u8])));
        save(&path("dog/.hidden.png"), red(9, 9));
        let set = open(folder.path());
        assert_eq!(
            (set.format, set.shape.as_slice(), set.classes.join(" ")),
            (Format::Images, &[3, 2, 3][..], "cat dog".to_owned())
        );
        assert_eq!(set.train.labels, [0, 1]);
        let cat = [0, 1, 2, 10, 11, 12];
        let dog = [0, 10, 20, 1, 11, 21, 7, 7, 7, 7, 7, 7, 200, 200, 200, 200, 200, 200];
        assert_eq!(bytes(&set.train.values), [cat.repeat(3), dog.to_vec()].concat(), "channel first");

        // Grey alone is one channel.
        fs::remove_dir_all(path("dog")).unwrap();
        save(&path("dog/1.png"), GrayImage::from_pixel(3, 2, image::Luma([9])));
        let set = open(folder.path());
        assert_eq!(
            (set.shape.as_slice(), bytes(&set.train.values)),
            (&[1, 2, 3][..], [&cat[..], &[9; 6]].concat())
        );
    }

    /// The same numbers as PIL wrote, which are stored channel last.
    #[test]
    fn images_of_another_program_have_the_same_numbers() {
        let folder = folder();
        for (name, class) in [("colours.png", "a"), ("grey.png", "b")] {
            fs::create_dir(folder.path().join(class)).unwrap();
            fs::copy(stored(name), folder.path().join(class).join(name)).unwrap();
        }
        let set = open(folder.path());
        assert_eq!(set.shape, [3, 8, 5]);
        let channel = |channel: usize| pattern(1, 120).into_iter().skip(channel).step_by(3);
        let colours = (0..3).flat_map(channel);
        let grey = (0..3).flat_map(|_| channel(0));
        assert_eq!(bytes(&set.train.values), colours.chain(grey).collect::<Vec<_>>());
    }

    #[test]
    fn parts_have_folders_of_their_own_and_sizes_are_made_equal_on_request() {
        let folder = folder();
        let path = |name: &str| folder.path().join(name);
        for (name, side) in
            [("train/b/1.jpg", 8), ("train/a/1.png", 4), ("test/b/1.png", 4), ("valid/a/1.png", 2)]
        {
            save(&path(name), RgbImage::from_pixel(side, side, Rgb([100, 150, 50])));
        }
        let message = refusal(folder.path());
        assert!(
            message.contains("8 x 8") && message.contains("4 x 4") && message.contains("resized"),
            "{message}"
        );
        let options = ReadOptions { resize: Some((6, 5)), ..ReadOptions::default() };
        let set = DataSet::open(folder.path(), &options).unwrap();
        assert_eq!((set.shape.as_slice(), set.classes.join(" ")), (&[3, 5, 6][..], "a b".to_owned()));
        assert_eq!(
            (set.train.labels.as_slice(), set.test.unwrap().labels, set.val.unwrap().labels),
            (&[0, 1][..], vec![1], vec![0])
        );
        let near = |pixel: u8, value: u8| pixel.abs_diff(value) <= 2; // JPEG
        let pixels = bytes(&set.train.values);
        for image in pixels.chunks(90) {
            for (plane, value) in image.chunks(30).zip([100, 150, 50]) {
                assert!(plane.iter().all(|&pixel| near(pixel, value)), "{plane:?}");
            }
        }
    }

    #[test]
    fn what_is_no_image_is_refused_by_its_name() {
        let folder = folder();
        save(&folder.path().join("a/1.png"), red(2, 2));
        fs::write(folder.path().join("a/notes.txt"), "not an image").unwrap();
        let message = refusal(folder.path());
        assert!(message.contains("notes.txt") && message.contains("neither PNG nor JPEG"), "{message}");
        fs::remove_file(folder.path().join("a/notes.txt")).unwrap();
        fs::write(folder.path().join("readme"), "beside").unwrap();
        let message = refusal(folder.path());
        assert!(message.contains("readme lies beside the classes' folders"), "{message}");
        let message = refusal(&folder.path().join("a/1.png"));
        assert!(message.contains("one image"), "{message}");
    }
}

#[test]
fn a_folder_that_leaves_it_open_is_told_apart_by_the_user() {
    let folder = folder();
    let message = refusal(folder.path());
    assert!(message.contains("holds no data set"), "{message}");
    fs::write(folder.path().join("iris.csv"), "1,2,a\n3,4,b\n").unwrap();
    assert_eq!(open(folder.path()).format, Format::Csv, "a file alone");
    for name in ["one", "two"] {
        fs::create_dir(folder.path().join(name)).unwrap();
        fs::copy(stored("u1.npy"), folder.path().join(name).join("X.npy")).unwrap();
        fs::copy(stored("words.npy"), folder.path().join(name).join("y.npy")).unwrap();
    }
    let message = refusal(folder.path());
    assert!(
        message.ends_with("it holds several data sets, one of which has to be named: one, two"),
        "{message}"
    );
    assert_eq!(open(&folder.path().join("two")).format, Format::Npy);
    assert!(refusal(&folder.path().join("none")).contains("No such file"));
    if cfg!(unix) {
        assert!(refusal(Path::new("/dev/zero")).ends_with("it is neither a file nor a folder"));
    }
}

/// What is read can be trained on: from a table to scaled floats.
#[test]
fn a_table_becomes_a_dataset() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    for index in 0..20 {
        writeln!(file, "{},{},{}", index, 300 - index, if index % 2 == 0 { "even" } else { "odd" }).unwrap();
    }
    let set = open(file.path()).split(&SplitOptions::default()).unwrap();
    let data = set.dataset::<f32>(16).unwrap();
    assert_eq!((data.classes.len(), data.train.x.dim(), data.val.x.dim()), (2, (16, 2), (4, 2)));
    let mean = data.train.x.to_floats().mean_axis(ndarray::Axis(0)).unwrap();
    assert!(mean.iter().all(|mean| mean.abs() < 1e-6), "{mean}");
    let none = set.scaled::<f64>(16, Scaling::None).unwrap().train.x.to_floats();
    assert!(none.column(0).iter().zip(none.column(1)).all(|(a, b)| a + b == 300.0));
}
