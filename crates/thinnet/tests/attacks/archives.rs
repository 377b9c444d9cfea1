//! Archives and what is packed in them: gzip, tar, and the pickles of CIFAR.

use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::{Attack, file};

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

fn stored(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files").join(name)).unwrap()
}

fn batch() -> Vec<u8> {
    stored("batch-python2.pickle")
}

/// A table that was packed with xz, whose header asks for another dictionary: 2^(n / 2 + 12) bytes, and half of that more for
/// an odd n; 4 GiB for 40 (The .xz file format 1.2.1, section 5.3.1).
fn xz_asking(size: u8) -> Vec<u8> {
    let mut packed = stored("table.csv.xz");
    // The first block's header begins at byte 12: its size, flags, the filter, the size of its properties, these, filling.
    let end = 12 + 4 * usize::from(packed[12]);
    assert_eq!(packed[14..16], [0x21, 1], "LZMA2 alone");
    packed[16] = size;
    let mut crc = flate2::Crc::new();
    crc.update(&packed[12..end]);
    packed[end..end + 4].copy_from_slice(&crc.sum().to_le_bytes());
    packed
}

/// A table whose second line has 300 MiB of one letter.
fn endless_line() -> impl Read {
    b"a,b\n1,2\n\"".chain(io::repeat(b'a').take(300 << 20))
}

/// It, packed with bzip2.
fn bzip2_bomb() -> Vec<u8> {
    let mut packed = Vec::new();
    bzip2::read::BzEncoder::new(endless_line(), bzip2::Compression::fast()).read_to_end(&mut packed).unwrap();
    packed
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

pub fn pickles() -> Vec<Attack> {
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

pub fn archives() -> Vec<Attack> {
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
        file("bomb.csv.zst", "unpacks 300 MiB out of 30 kB", zstd::encode_all(endless_line(), 1).unwrap()),
        file("bomb.csv.bz2", "the same out of 300 bytes", bzip2_bomb()),
        file("window.zst", "asks for a window of 2 GiB", b"\x28\xb5\x2f\xfd\x00\xa8\x01\x00\x00".to_vec()),
        file("dictionary.xz", "asks for a dictionary of 3 GiB", xz_asking(39)),
        file("all.xz", "asks for one of 4 GiB", xz_asking(40)),
        file("flipped.xz", "has a byte changed", {
            let mut flipped = stored("table.csv.xz");
            flipped[30] ^= 0xff;
            flipped
        }),
        file("cut.csv.bz2", "is cut short", stored("table.csv.bz2")[..50].to_vec()),
        file(
            "nested.bz2.zst",
            "is packed twice",
            zstd::encode_all(stored("table.csv.bz2").as_slice(), 1).unwrap(),
        ),
    ]
}
