//! Arrays: IDX, NPY, NPZ.

use std::io::{Cursor, Write};

use crate::{Attack, file, folder, regression};

/// IDX of this type, sizes and content.
fn idx(kind: u8, sizes: &[u32], content: &[u8]) -> Vec<u8> {
    let big: Vec<u8> = sizes.iter().flat_map(|size| size.to_be_bytes()).collect();
    [&[0, 0, kind, sizes.len() as u8], big.as_slice(), content].concat()
}

fn idx_pair(name: &'static str, tries: &'static str, images: Vec<u8>, labels: Vec<u8>) -> Attack {
    folder(name, tries, vec![("train-images-idx3-ubyte", images), ("train-labels-idx1-ubyte", labels)])
}

pub fn idx_files() -> Vec<Attack> {
    let images = || idx(8, &[2, 2, 2], &[7; 8]);
    vec![
        idx_pair("claims.idx", "claims 2^96 pixels", idx(8, &[u32::MAX; 3], &[1; 8]), idx(8, &[2], &[0, 1])),
        idx_pair(
            "overflow.idx",
            "claims sizes whose product overflows to 0",
            idx(0x0e, &[1 << 31, 1 << 31, 4], &[]),
            idx(8, &[2], &[0, 1]),
        ),
        idx_pair("no-images.idx", "has no image", idx(8, &[0, 28, 28], &[]), idx(8, &[0], &[])),
        idx_pair(
            "no-pixels.idx",
            "has 4 billion images without pixels",
            idx(8, &[u32::MAX, 0, 28], &[]),
            idx(8, &[2], &[0, 1]),
        ),
        idx_pair("cut.idx", "is cut by a byte", idx(8, &[2, 2, 2], &[7; 7]), idx(8, &[2], &[0, 1])),
        idx_pair("header.idx", "is cut within the sizes", vec![0, 0, 8, 3, 0, 0], idx(8, &[2], &[0, 1])),
        idx_pair("few-labels.idx", "has fewer labels than images", images(), idx(8, &[1], &[0])),
        idx_pair(
            "float-labels.idx",
            "has labels that are no whole numbers",
            images(),
            idx(0x0d, &[2], &[0x3f; 8]),
        ),
        idx_pair("wide-labels.idx", "has two labels an image", images(), idx(8, &[2, 2], &[0; 4])),
        idx_pair(
            "nan.idx",
            "has a number that is none",
            idx(0x0d, &[1, 1], &[0x7f, 0xc0, 0, 0]),
            idx(8, &[1], &[0]),
        ),
        idx_pair("no-labels.idx", "has labels that are text", images(), b"zero,one".to_vec()),
        folder("alone.idx", "has no labels at all", vec![("train-images-idx3-ubyte", images())]),
    ]
}

/// NPY of version 1.0 with this header.
fn npy(header: &str, content: &[u8]) -> Vec<u8> {
    let header = format!("{header}\n");
    [b"\x93NUMPY\x01\x00", (header.len() as u16).to_le_bytes().as_slice(), header.as_bytes(), content]
        .concat()
}

fn array(dtype: &str, shape: &str, content: &[u8]) -> Vec<u8> {
    npy(&format!("{{'descr': '{dtype}', 'fortran_order': False, 'shape': ({shape}), }}"), content)
}

fn npy_pair(name: &'static str, tries: &'static str, x: Vec<u8>, y: Vec<u8>) -> Attack {
    folder(name, tries, vec![("X.npy", x), ("y.npy", y)])
}

pub fn npy_files() -> Vec<Attack> {
    let x = || array("|u1", "2, 2", &[1; 4]);
    let y = || array("|u1", "2,", &[0, 1]);
    let mut long = b"\x93NUMPY\x02\x00\xff\xff\xff\xff".to_vec();
    long.extend(b"{'descr'");
    let (open, close) = ("(".repeat(4000), ")".repeat(4000));
    let nested = npy(&format!("{{'descr': '|u1', 'fortran_order': False, 'shape': {open}{close}, }}"), &[]);
    vec![
        npy_pair("claims.npy", "claims 2^40 samples", array("|u1", "1099511627776, 2", &[1; 4]), y()),
        npy_pair(
            "overflow.npy",
            "claims sizes whose product overflows",
            array("<f8", "4611686018427387904, 4", &[]),
            y(),
        ),
        npy_pair(
            "beyond.npy",
            "claims a size beyond 64 bits",
            array("|u1", "99999999999999999999999, 1", &[]),
            y(),
        ),
        npy_pair(
            "no-rows.npy",
            "has no sample of 2^60 bytes",
            array("|u1", "0, 1152921504606846976", &[]),
            array("|u1", "0,", &[]),
        ),
        npy_pair("negative.npy", "claims -2 samples", array("|u1", "-2, 2", &[1; 4]), y()),
        npy_pair(
            "empty-rows.npy",
            "has 2^62 samples of no number",
            array("|u1", "4611686018427387904, 0", &[]),
            y(),
        ),
        npy_pair("long-header.npy", "claims a header of 4 GiB", long, y()),
        npy_pair("nested.npy", "nests brackets 4000 deep, to overflow the stack", nested, y()),
        npy_pair("object.npy", "holds pickled objects", array("|O", "2,1", &[0x80; 16]), y()),
        npy_pair(
            "wide-word.npy",
            "claims words of 2^62 characters",
            x(),
            array("<U4611686018427387904", "2,", &[0; 8]),
        ),
        npy_pair(
            "record.npy",
            "holds records",
            npy("{'descr': [('a', '<i4')], 'fortran_order': False, 'shape': (2,), }", &[0; 8]),
            y(),
        ),
        npy_pair("nonsense.npy", "has a header of something else", npy("import os", &[]), y()),
        npy_pair(
            "nan.npy",
            "has a number that is none",
            array("<f8", "1, 1", &f64::NAN.to_le_bytes()),
            array("|u1", "1,", &[0]),
        ),
        npy_pair("label.npy", "has a label of 2^64 - 1", x(), array("<u8", "2,", &[0xff; 16])),
        npy_pair("mixed-labels.npy", "has a label for each number", x(), array("|u1", "2, 2", &[0; 4])),
    ]
}

/// A zip archive of files with these names.
fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    for (name, content) in files {
        writer.start_file(*name, options).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

pub fn npz_files() -> Vec<Attack> {
    let (x, y) = (array("|u1", "2, 2", &[1; 4]), array("|u1", "2,", &[0, 1]));
    let good = zip(&[("X.npy", &x), ("y.npy", &y)]);
    let zeros = array("|u1", "314572800, 1", &vec![0; 300 << 20]);
    let bomb = zip(&[("X.npy", &zeros), ("y.npy", &y)]);
    // The same with sizes of 4 bytes in the archive's own words.
    let mut liar = bomb.clone();
    let size = (zeros.len() as u32).to_le_bytes();
    while let Some(at) = liar.windows(4).position(|window| window == size) {
        liar[at..at + 4].copy_from_slice(&100u32.to_le_bytes());
    }
    let mut many = good.clone();
    let end = many.len() - 22;
    many[end + 8..end + 12].copy_from_slice(&[0xfe; 4]);
    vec![
        file("bomb.npz", "unpacks 300 MiB out of 300 kB", bomb),
        file("liar.npz", "the same, and says it is 100 bytes", liar),
        file("cut.npz", "is cut short", good[..good.len() / 2].to_vec()),
        file("many.npz", "claims 65,278 files", many),
        file("nothing.npz", "has no array", zip(&[("notes.txt", b"text")])),
        file("no-labels.npz", "has no labels", zip(&[("X.npy", &x)])),
        file("outside.npz", "has a name that points outside", zip(&[("../X.npy", &x), ("y.npy", &y)])),
        file(
            "labels.npz",
            "has more labels than samples",
            zip(&[("X.npy", &x), ("y.npy", &array("|u1", "3,", &[0; 3]))]),
        ),
        file(
            "mean.npz",
            "has a mean of another size",
            zip(&[("X.npy", &x), ("y.npy", &y), ("mean_image.npy", &array("<f8", "1,", &[0; 8]))]),
        ),
        file("text.npz", "has text in place of an array", zip(&[("X.npy", b"text"), ("y.npy", &y)])),
    ]
}

/// Samples of a sound archive and these targets.
fn targets_of(name: &'static str, tries: &'static str, y: Vec<u8>) -> Attack {
    regression(name, tries, zip(&[("X.npy", &array("|u1", "2, 2", &[1; 4])), ("y.npy", &y)]))
}

pub fn targets() -> Vec<Attack> {
    let numbers =
        |numbers: &[f64]| numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>();
    let names = array("<U1", "3,", &[0x61, 0, 0, 0].repeat(3));
    let (x, y) = (array("|u1", "2, 2", &[1; 4]), array("<f8", "2,", &numbers(&[0.5, 1.5])));
    vec![
        targets_of("nan.npz", "has a target that is none", array("<f8", "2,", &numbers(&[0.5, f64::NAN]))),
        targets_of("inf.npz", "has an infinite 16-bit target", array("<f2", "2,", &[0, 0, 0, 0x7c])),
        targets_of("few.npz", "has fewer targets than samples", array("<f8", "1,", &numbers(&[0.5]))),
        targets_of("none.npz", "has no target a sample", array("<f8", "2, 0", &[])),
        targets_of("endless.npz", "has 2^62 targets of none", array("<f8", "4611686018427387904, 0", &[])),
        targets_of("wide.npz", "has more targets than have names", array("|u1", "1, 70000", &[0; 70_000])),
        targets_of("deep.npz", "has targets of three dimensions", array("|u1", "2, 1, 1", &[0; 2])),
        targets_of("words.npz", "has words as targets", array("<U1", "2,", &[0x61, 0, 0, 0, 0x62, 0, 0, 0])),
        regression(
            "names.npz",
            "names more targets than there are",
            zip(&[("X.npy", &x), ("y.npy", &y), ("target_names.npy", &names)]),
        ),
        regression("words.csv", "has words as targets", "a,b\n1,2\n3,\u{1b}[31mred\n"),
        regression("empty.csv", "has an empty target", "a,b\n1,2\n3,\n"),
        regression(
            "classes.pickle",
            "holds classes alone",
            include_bytes!("../files/batch-protocol4.pickle"),
        ),
    ]
}

pub fn mat_files() -> Vec<Attack> {
    let element = |kind: u32, content: &[u8]| {
        let mut bytes = [&kind.to_le_bytes()[..], &(content.len() as u32).to_le_bytes(), content].concat();
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes
    };
    let head = |sizes: [u32; 2], name: &[u8]| {
        let sizes: Vec<u8> = sizes.iter().flat_map(|size| size.to_le_bytes()).collect();
        [element(6, &[9, 0, 0, 0, 0, 0, 0, 0]), element(5, &sizes), element(1, name)].concat()
    };
    let mat = |arrays: &[Vec<u8>]| {
        let mut bytes = b"MATLAB 5.0 MAT-file".to_vec();
        bytes.resize(124, b' ');
        bytes.extend([0, 1, b'I', b'M']);
        bytes.extend(arrays.concat());
        bytes
    };
    let labels = |sizes| element(14, &[head(sizes, b"y"), element(2, &[1; 8])].concat());
    let samples = |sizes| element(14, &[head(sizes, b"X"), element(2, &[1; 8])].concat());
    let mut claim = mat(&[]);
    claim.extend([14, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);
    vec![
        file("nothing.mat", "has no array", mat(&[])),
        file("claim.mat", "claims an array of 4 GiB", claim),
        file("huge-shape.mat", "claims 2^64 labels", mat(&[labels([u32::MAX, u32::MAX]), samples([8, 1])])),
        file("garbage.mat", "has a packed array that is none", mat(&[element(15, &[7; 64])])),
        file("many.mat", "has 2000 arrays", mat(&vec![labels([8, 1]); 2000])),
        file(
            "hdf5.mat",
            "is of version 7.3",
            [&b"MATLAB 7.3 MAT-file"[..], &[b' '; 105], b"\0\x02IM"].concat(),
        ),
    ]
}
