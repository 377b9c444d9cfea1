//! HDF5, as h5py writes it (tests/files/make.py).

use std::fs;

use thinnet::data::{DataSet, Features, Format, ReadOptions, Wanted, stream};

use crate::{folder, open, stored};

/// An archive of NumPy's and the HDF5 file of the same arrays, with how they are read.
fn pairs() -> [(&'static str, &'static str, ReadOptions); 2] {
    let regression = ReadOptions { regression: true, ..ReadOptions::default() };
    [("splits.npz", "splits.h5", ReadOptions::default()), ("regression.npz", "groups.h5", regression)]
}

#[test]
fn arrays_are_those_of_the_archive() {
    for (npz, h5, options) in pairs() {
        let [archive, set] = [npz, h5].map(|name| DataSet::open(&stored(name), &options).unwrap());
        assert_eq!((set.format(), archive.format()), (Format::Hdf5, Format::Npz));
        assert_eq!(set.clone().with_format(Format::Npz), archive, "{h5}");
        let bytes = fs::read(stored(h5)).unwrap();
        assert_eq!(DataSet::from_bytes(bytes, &options).unwrap(), set);

        let numbers = |name: &str| {
            let wanted = Wanted { shape: set.shape(), columns: None, resize: false };
            let mut blocks = Vec::new();
            stream(&stored(name), wanted, &mut |block| {
                blocks.push((block.file, block.x.to_floats()?));
                Ok(())
            })
            .unwrap();
            blocks
        };
        assert_eq!(numbers(h5), numbers(npz));
    }
}

#[test]
fn what_cannot_be_read_is_told() {
    let told =
        |bytes: &[u8]| DataSet::from_bytes(bytes.to_vec(), &ReadOptions::default()).unwrap_err().to_string();
    assert!(told(b"\x89HDF\r\n\x1a\n").starts_with("it cannot be read: "));
    let matlab =
        [&b"MATLAB 7.3 MAT-file"[..], &[b' '; 105], b"\0\x02IM", &[0; 384], b"\x89HDF\r\n\x1a\n"].concat();
    assert!(told(&matlab).contains("save(..., '-v7')"), "{}", told(&matlab));
    let message = DataSet::open(&stored("groups.h5"), &ReadOptions::default()).unwrap_err().to_string();
    assert!(
        message.contains("groups.h5") && message.contains("there must be one label per sample"),
        "{message}"
    );
}

/// Whatever byte is another one, wherever a file is cut, an answer comes, and no panic.
#[test]
fn damaged_files_are_answered() {
    for (_, name, options) in pairs() {
        let bytes = fs::read(stored(name)).unwrap();
        let whole = open_with(bytes.clone(), &options).unwrap();
        let (mut refused, mut other) = (0, 0);
        let mut count = |bytes: Vec<u8>| match open_with(bytes, &options) {
            Err(_) => refused += 1,
            Ok(set) => other += usize::from(set != whole),
        };
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= [0x01, 0x80, 0xff][at % 3];
            count(damaged);
        }
        (0..bytes.len()).step_by(61).for_each(|end| count(bytes[..end].to_vec()));
        assert!(refused > 100, "{name}: {refused} refused, {other} other ones");
    }
}

fn open_with(bytes: Vec<u8>, options: &ReadOptions) -> thinnet::Result<DataSet> {
    DataSet::from_bytes(bytes, options)
}

#[test]
fn a_packed_file_is_one_too() {
    let place = folder();
    let packed = place.path().join("splits.h5.gz");
    fs::write(&packed, crate::gzip(&fs::read(stored("splits.h5")).unwrap())).unwrap();
    assert_eq!(open(&packed), open(&stored("splits.h5")));
    assert!(matches!(open(&packed).train().x(), Features::Pixels(_)));
}
