//! Hostile, damaged and cut files: each gets one sentence as an answer, without a panic, in bounded time and memory. The
//! table of tests/attacks/README.md is what this test finds; `THINNET_UPDATE=1` writes it anew.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)] // a test fails by panic

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Cursor, Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use peak_alloc::PeakAlloc;
use thinnet::data::formats::csv;
use thinnet::data::{DataSet, ReadOptions, limits};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// How long one answer may take, on any machine and unoptimised.
const PATIENCE: Duration = Duration::from_secs(20);

type Result = thinnet::Result<DataSet>;

/// A name, what it tries, and the reading of it.
struct Attack {
    name: &'static str,
    tries: &'static str,
    /// Bytes of the file, which bound what it may take.
    size: u64,
    read: Box<dyn Fn() -> Result>,
}

/// An attack by a file's content.
fn file(name: &'static str, tries: &'static str, content: impl Into<Vec<u8>>) -> Attack {
    let content = content.into();
    let size = content.len() as u64;
    let read = Box::new(move || DataSet::from_bytes(content.clone(), &ReadOptions::default()));
    Attack { name, tries, size, read }
}

/// An attack by a folder's files.
fn folder(name: &'static str, tries: &'static str, files: Vec<(&'static str, Vec<u8>)>) -> Attack {
    let size = files.iter().map(|(_, content)| content.len() as u64).sum();
    let read = Box::new(move || {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in &files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        let path = folder.path().display().to_string();
        DataSet::open(folder.path(), &ReadOptions::default()).map_err(|error| match error {
            thinnet::Error::Data(message) => thinnet::Error::Data(message.replace(&path, "FOLDER")),
            other => other,
        })
    });
    Attack { name, tries, size, read }
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// A gzip stream of a beginning and so many bytes of one kind after it, written without holding them.
fn gzip_many(begin: &[u8], byte: u8, count: u64) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(begin).unwrap();
    io::copy(&mut io::repeat(byte).take(count), &mut encoder).unwrap();
    encoder.finish().unwrap()
}

/// A tar header. The archive's end is left to the caller.
fn tar_header(name: &str, kind: tar::EntryType, size: u64) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(0o644);
    header.set_cksum();
    header.as_bytes().to_vec()
}

fn tar_file(name: &str, content: &[u8]) -> Vec<u8> {
    let padding = vec![0; content.len().next_multiple_of(512) - content.len()];
    [tar_header(name, tar::EntryType::Regular, content.len() as u64), content.to_vec(), padding].concat()
}

fn tar_link(name: &str, kind: tar::EntryType) -> Vec<u8> {
    let mut header = tar::Header::from_byte_slice(&tar_header(name, kind, 0)).clone();
    header.set_link_name("/etc/passwd").unwrap();
    header.set_cksum();
    [header.as_bytes().as_slice(), &[0; 1024]].concat()
}

fn batch() -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files/batch-python2.pickle")).unwrap()
}

/// A pickle of protocol 2 with these opcodes.
fn pickle(opcodes: &[u8]) -> Vec<u8> {
    [b"\x80\x02", opcodes].concat()
}

/// The good batch with some bytes put in place of others.
fn changed(from: &[u8], to: &[u8]) -> Vec<u8> {
    let batch = batch();
    let at = batch.windows(from.len()).position(|window| window == from).unwrap();
    [&batch[..at], to, &batch[at + from.len()..]].concat()
}

fn pickles() -> Vec<Attack> {
    let deep = [b")".as_slice(), &vec![0x85; 1_000_000], b"."].concat();
    let doubled = [b"](N".as_slice(), b"e", &b"2a".repeat(100_000), b"."].concat();
    let calls = b"}(U\x06labels](ccopy_reg\n_reconstructor\n)Reu.";
    vec![
        file("system.pickle", "runs a command", pickle(b"cos\nsystem\n(U\x07echo oh!tR.")),
        file(
            "eval.pickle",
            "calls eval by protocol 4",
            b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93\x8c\x011\x85R.".to_vec(),
        ),
        file("class.pickle", "makes an object of any class", pickle(calls)),
        file("instance.pickle", "makes an instance by the old opcode", pickle(b"(ios\nsystem\n.")),
        file("persistent.pickle", "asks for an object kept elsewhere", pickle(b"Pid\n.")),
        file("long-string.pickle", "claims a string of 2 GiB", pickle(b"T\xff\xff\xff\x7fabc.")),
        file("negative-string.pickle", "claims a string of -1 bytes", pickle(b"T\xff\xff\xff\xffabc.")),
        file("endless-string.pickle", "claims a string of 2^63 bytes", pickle(b"\x8e\0\0\0\0\0\0\0\x80abc.")),
        file(
            "long-number.pickle",
            "has a number of 255 bytes",
            pickle(&[b"\x8a\xff".as_slice(), &[1; 255], b"."].concat()),
        ),
        file("deep.pickle", "nests a million tuples, to overflow the stack", pickle(&deep)),
        file("doubling.pickle", "puts a list into itself again and again", pickle(&doubled)),
        file(
            "own-child.pickle",
            "is a dictionary that holds itself",
            pickle(b"}q\0(U\x06labelsh\0U\x04datah\0u."),
        ),
        file("many.pickle", "makes three million values", pickle(&vec![b'N'; 3_000_000])),
        file("forgotten.pickle", "recalls what was never kept", pickle(b"h\x07.")),
        file("empty-stack.pickle", "takes from an empty stack", pickle(b"0.")),
        file("no-mark.pickle", "takes up to a mark that is not there", pickle(b"t.")),
        file("below-mark.pickle", "takes from below a mark", pickle(b"K\x01K\x02(\x86.")),
        file("odd.pickle", "has a key without a value", pickle(b"}(U\x01au.")),
        file("protocol.pickle", "is of protocol 255", b"\x80\xff.".to_vec()),
        file("cut.pickle", "is cut within the pixels", batch()[..3000].to_vec()),
        file(
            "huge-shape.pickle",
            "claims 2^31 images",
            changed(b"\x8a\x02\x02\x00", b"\x8a\x04\xff\xff\xff\x7f"),
        ),
        file("negative-shape.pickle", "claims -2 images", changed(b"\x8a\x02\x02\x00", b"\x8a\x02\xfe\xff")),
        file("floats.pickle", "holds floats", changed(b"U\x02u1", b"U\x02f8")),
        file("label.pickle", "has a label of 200", changed(b"K\x01K\x04", b"K\x01K\xc8")),
        file("labels.pickle", "has more labels than images", changed(b"K\x01K\x04", b"K\x01K\x04K\x04")),
    ]
}

fn archives() -> Vec<Attack> {
    let end = [0; 1024];
    let outside = |name| [tar_file(name, &batch()), end.to_vec()].concat();
    let mut long_name = tar_header("././@LongLink", tar::EntryType::GNULongName, 1 << 33);
    long_name.extend([b'a'; 2048]);
    let mut sparse =
        tar::Header::from_byte_slice(&tar_header("data_batch_1", tar::EntryType::GNUSparse, 0)).clone();
    let gnu = sparse.as_gnu_mut().unwrap();
    gnu.realsize.copy_from_slice(b"777777777777");
    sparse.set_cksum();
    let twice =
        [tar_file("a/data_batch_1", &batch()), tar_file("b/data_batch_1", &batch()), end.to_vec()].concat();
    let mixed =
        [tar_file("data_batch_1", &batch()), tar_file("data_batch_2", &[0; 3073]), end.to_vec()].concat();
    let mut claims = tar_header("data_batch_1", tar::EntryType::Regular, 1 << 40);
    claims.extend(b"\x80\x02");
    let bomb_in_tar =
        gzip_many(&tar_header("data_batch_1", tar::EntryType::Regular, 300 << 20), 0, 300 << 20);
    let mut flipped = gzip(&outside("data_batch_1"));
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0xff;
    let packed = gzip(&outside("data_batch_1"));
    vec![
        file("outside.tar", "writes beside the folder", outside("../data_batch_1")),
        file("inside-out.tar", "writes outside by way of a folder", outside("a/../../data_batch_1")),
        file("absolute.tar", "writes to the root", outside("/data_batch_1")),
        file("symlink.tar", "names a file elsewhere", tar_link("data_batch_1", tar::EntryType::Symlink)),
        file(
            "hardlink.tar",
            "is another name of a file elsewhere",
            tar_link("data_batch_1", tar::EntryType::Link),
        ),
        file("device.tar", "is a device", tar_link("data_batch_1", tar::EntryType::Char)),
        file("claims.tar", "claims a file of 2^40 bytes", claims),
        file("long-name.tar", "claims a name of 2^33 bytes", long_name),
        file("sparse.tar", "claims 64 GiB of holes", [sparse.as_bytes().as_slice(), &end].concat()),
        file("twice.tar", "has a batch twice", twice),
        file("mixed.tar", "has batches of two formats", mixed),
        file("nothing.tar", "has no batch", [tar_file("notes", b"text"), end.to_vec()].concat()),
        file("cut.tar", "is cut within a batch", outside("data_batch_1")[..2000].to_vec()),
        file("bomb.gz", "unpacks 300 MiB out of 300 kB", gzip_many(&[], 0, 300 << 20)),
        file("bomb.tar.gz", "the same as a batch", bomb_in_tar),
        file("bomb.csv.gz", "the same as one line of a table", gzip_many(b"a,b\n1,2\n\"", b'a', 300 << 20)),
        file("flipped.tar.gz", "has a byte changed", flipped),
        file("cut.tar.gz", "is cut short", packed[..packed.len() / 2].to_vec()),
        file("nested.gz", "is packed twice", gzip(&gzip(b"a,b\n1,2\n"))),
    ]
}

/// IDX of this type, sizes and content.
fn idx(kind: u8, sizes: &[u32], content: &[u8]) -> Vec<u8> {
    let big: Vec<u8> = sizes.iter().flat_map(|size| size.to_be_bytes()).collect();
    [&[0, 0, kind, sizes.len() as u8], big.as_slice(), content].concat()
}

fn idx_pair(name: &'static str, tries: &'static str, images: Vec<u8>, labels: Vec<u8>) -> Attack {
    folder(name, tries, vec![("train-images-idx3-ubyte", images), ("train-labels-idx1-ubyte", labels)])
}

fn idx_files() -> Vec<Attack> {
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

fn npy_files() -> Vec<Attack> {
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

fn npz_files() -> Vec<Attack> {
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

fn tables() -> Vec<Attack> {
    let wide = "1,".repeat(limits::TABLE_COLUMNS) + "1\n";
    let mut labels = String::new();
    for label in 0..=limits::CLASSES {
        writeln!(labels, "1,label {label}").unwrap();
    }
    let endless = || {
        let begin = Cursor::new(b"a,b\n1,x\n2,\"".to_vec());
        csv::read(begin.chain(io::repeat(b'a').take(1 << 30)), &ReadOptions::default())
    };
    vec![
        Attack {
            name: "quote.csv",
            tries: "leaves a quote open for 1 GiB",
            size: 0,
            read: Box::new(endless),
        },
        file("wide.csv", "has a million columns", wide),
        file("ragged.csv", "has a line with a field too many", "a,b\n1,x\n1,2,y\n"),
        file("nan.csv", "has a number that is none", "a,b\n1,x\nNaN,y\n"),
        file("infinite.csv", "has a number beyond all floats", "a,b\n1,x\n1e999,y\n"),
        file("missing.csv", "has an empty field", "a,b\n1,x\n,y\n"),
        file("words.csv", "has a word among the numbers", "age,city,label\n1,Rome,x\n"),
        file("no-label.csv", "has an empty label", "a,b\n1,x\n2,\n"),
        file("labels.csv", "has a label of its own for each of 65,537 lines", labels),
        file("header.csv", "has a header alone", "a,b\n"),
        file("one-column.csv", "has one column", "a\n1\n2\n"),
        file("utf16.csv", "is in UTF-16", b"\xff\xfea\0,\0b\0\n\0".to_vec()),
        file("escape.csv", "names a class by a terminal's escape sequence", "a,b\n1,\x1b[31mred\nx,2\n"),
    ]
}

/// A PNG of this size whose pixels are the given bytes, packed.
fn png(width: u32, height: u32, pixels: &[u8]) -> Vec<u8> {
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::best());
    packed.write_all(pixels).unwrap();
    let mut header = [width.to_be_bytes(), height.to_be_bytes()].concat();
    header.extend([8, 0, 0, 0, 0]); // 8 bits of grey
    let chunk = |kind: &[u8; 4], content: &[u8]| {
        let mut checksum = flate2::Crc::new();
        checksum.update(kind);
        checksum.update(content);
        [&(content.len() as u32).to_be_bytes(), kind.as_slice(), content, &checksum.sum().to_be_bytes()]
            .concat()
    };
    [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        chunk(b"IHDR", &header),
        chunk(b"IDAT", &packed.finish().unwrap()),
        chunk(b"IEND", &[]),
    ]
    .concat()
}

fn pictures() -> Vec<Attack> {
    // The headers of a JPEG of 65535 x 65535 in three colours, and no more.
    let frame = b"\xff\xd8\xff\xc0\x00\x11\x08\xff\xff\xff\xff\x03\x01\x11\x00\x02\x11\x00\x03\x11\x00";
    let scan = b"\xff\xda\x00\x0c\x03\x01\x00\x02\x00\x03\x00\x00\x3f\x00";
    let jpeg = [frame.as_slice(), scan, &[0; 64]].concat();
    let good = png(2, 2, &[0, 1, 2, 0, 3, 4]);
    let flat = png(12_000, 12_000, &vec![0; 12_001 * 12_000]);
    let one = |name, tries, content| folder(name, tries, vec![("class/1.png", content)]);
    vec![
        one("large.png", "is 65535 x 65535 pixels", png(65_535, 65_535, &[0; 100])),
        one("large.jpg", "is 65535 x 65535 pixels", jpeg),
        one("flat.png", "is 12000 x 12000 pixels in 140 kB", flat),
        one("short.png", "has fewer pixels than it says", png(2, 2, &[0, 1, 2])),
        one("cut.png", "is cut short", good[..good.len() - 20].to_vec()),
        one("empty.png", "has no pixels", png(0, 0, &[])),
        one("text.png", "is text", b"GIF89a".to_vec()),
        folder(
            "sizes.png",
            "has images of two sizes",
            vec![("a/1.png", good), ("a/2.png", png(1, 1, &[0, 9]))],
        ),
    ]
}

fn others() -> Vec<Attack> {
    let mut record = vec![7; 3073];
    record[0] = 10;
    let random: Vec<u8> =
        (0u64..4096).map(|i| (i.wrapping_mul(6_364_136_223_846_793_005) >> 33) as u8).collect();
    let batches = |content: Vec<u8>| vec![("data_batch_1.bin", content)];
    vec![
        folder("label.bin", "has a label of 10", batches(record)),
        folder("cut.bin", "is cut by a byte", batches(vec![0; 3072])),
        folder("empty.bin", "is empty", batches(Vec::new())),
        file("empty", "is empty", []),
        file("zeros", "is zeros", [0; 1000]),
        file("random", "is at random", random),
        file("text", "is text", "just some words"),
    ]
}

#[test]
fn every_attack_is_answered_with_a_sentence_in_bounded_memory() {
    let groups: Vec<(&str, Vec<Attack>)> = vec![
        ("Pickles", pickles()),
        ("Archives", archives()),
        ("IDX", idx_files()),
        ("NPY", npy_files()),
        ("NPZ", npz_files()),
        ("Tables", tables()),
        ("Images", pictures()),
        ("Others", others()),
    ];
    let mut readme = include_str!("attacks/head.md").to_owned();
    for (title, attacks) in groups {
        write!(readme, "\n## {title}\n\n| file | what it tries | answer |\n|---|---|---|\n").unwrap();
        for attack in attacks {
            MEMORY.reset_peak_usage();
            let (before, start) = (MEMORY.current_usage(), Instant::now());
            let answer = (attack.read)();
            let taken = MEMORY.peak_usage() - before;
            let Attack { name, tries, size, .. } = attack;
            // Growing by doubling holds the old and the new memory for a moment.
            let bound = 3 * (limits::UNPACKED_BASE + limits::UNPACKED_RATIO * size) as usize;
            assert!(taken <= bound, "{name} takes {taken} bytes, more than {bound}");
            assert!(start.elapsed() < PATIENCE, "{name} takes {:?}", start.elapsed());
            let Err(error) = answer else { panic!("{name} is read as if it were sound") };
            let message = error.to_string();
            assert!(
                !message.contains('\n') && !message.contains('\u{1b}') && message.len() < 400,
                "{name}: {message}"
            );
            writeln!(readme, "| `{name}` | {tries} | {} |", message.replace('|', "\\|")).unwrap();
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/attacks/README.md");
    if std::env::var_os("THINNET_UPDATE").is_some() {
        fs::write(path, readme).unwrap();
    } else {
        assert!(
            fs::read_to_string(path).unwrap() == readme,
            "tests/attacks/README.md is not what was found; THINNET_UPDATE=1 writes it anew:\n{readme}"
        );
    }
}

/// Every file that is sound is refused, or read as far as it is whole, wherever it is cut and whichever byte is changed.
#[test]
fn cut_and_changed_files_never_panic() {
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files");
    let mut sound =
        vec![b"a,b,label\n1.5,2,x\n3,\"4\",y\n".to_vec(), gzip(&tar_file("data_batch_1", &batch()))];
    for entry in fs::read_dir(files).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension != "py") {
            sound.push(fs::read(path).unwrap());
        }
    }
    let read = |bytes: Vec<u8>| drop(DataSet::from_bytes(bytes, &ReadOptions::default()));
    for bytes in sound {
        let step = (bytes.len() / 200).max(1);
        for at in (0..bytes.len()).step_by(step) {
            read(bytes[..at].to_vec());
            let mut changed = bytes.clone();
            changed[at] ^= 1 << (at % 8);
            read(changed.clone());
            changed[at] = 0xff;
            read(changed);
        }
    }
}
