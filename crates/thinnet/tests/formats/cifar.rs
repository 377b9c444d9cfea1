//! CIFAR: pickles, archives, binary records.

use std::fs;

use thinnet::data::Format;

use crate::{bytes, folder, gzip, open, pattern, refusal, stored, tar};

#[test]
fn a_batch_is_read_however_python_pickled_it() {
    for name in ["python2", "protocol2", "protocol3", "protocol4", "protocol5"] {
        let set = open(&stored(&format!("batch-{name}.pickle")));
        assert_eq!((set.format(), set.shape()), (Format::Cifar10Python, &[3, 32, 32][..]), "{name}");
        assert_eq!(set.train().labels(), [1, 4], "{name}");
        assert_eq!(bytes(set.train().x()), pattern(2, 3072), "{name}");
        assert_eq!(set.names()[4], "deer");
    }
    let set = open(&stored("batch-cifar100.pickle"));
    assert_eq!(
        (set.format(), set.train().labels(), set.names().len()),
        (Format::Cifar100Python, &[1, 31][..], 100)
    );
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
    assert_eq!(unpacked.names(), ["zero", "one", "two", "three", "four"]);
    assert_eq!((unpacked.train().len(), unpacked.test().unwrap().len()), (10, 2));
    assert_eq!(unpacked.train().labels(), [1, 4].repeat(5));
    assert_eq!(bytes(unpacked.train().x()), pattern(2, 3072).repeat(5));
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
    assert_eq!((set.format(), set.names()[9].as_str()), (Format::Cifar10Binary, "j"));
    assert_eq!((set.train().labels(), set.test().unwrap().labels()), (&[1, 4].repeat(5)[..], &[9][..]));
    assert_eq!(bytes(set.train().x()), pattern(2, 3072).repeat(5));
    // One batch, whatever its name.
    fs::write(folder.path().join("any"), &batch).unwrap();
    assert_eq!(open(&folder.path().join("any")).train().labels(), [1, 4]);

    // A batch that begins like a text: label 9 is a tab, and bright pixels are letters.
    let mut text = vec![b'a'; 3073];
    text[0] = 9;
    fs::write(folder.path().join("any"), &text).unwrap();
    assert_eq!(open(&folder.path().join("any")).train().labels(), [9]);
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
        (set.format(), set.train().labels(), set.test().unwrap().labels()),
        (Format::Cifar100Binary, &[99, 3][..], &[50][..])
    );
    assert_eq!(bytes(set.train().x()), pattern(2, 3072));
}
