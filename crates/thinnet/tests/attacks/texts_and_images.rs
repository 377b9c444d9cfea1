//! Tables, images, and files that are nothing.

use std::fmt::Write as _;
use std::io::{self, Cursor, Read, Write};

use flate2::Compression;
use flate2::write::ZlibEncoder;
use thinnet::data::formats::csv;
use thinnet::data::{ReadOptions, limits};

use crate::{Attack, file, folder};

pub fn tables() -> Vec<Attack> {
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
        file("nan.csv", "has no number in its only column", "a,b\nNaN,x\nNaN,y\n"),
        file("infinite.csv", "has a number beyond all floats", "a,b\n1,x\n1e999,y\n"),
        file("missing.csv", "has an empty column", "a,b\n,x\n,y\n"),
        file(
            "words.csv",
            "has a word among the numbers",
            format!("age,label\n{}l2,x\n", "1,x\n".repeat(100)),
        ),
        file(
            "date.csv",
            "has a date that is none among dates",
            format!("day,label\n{}2024-02-30,x\n1,y\n", "2024-02-28,x\n".repeat(100)),
        ),
        file("no-label.csv", "has an empty label", "a,b\n1,x\n2,\n"),
        file("labels.csv", "has a label of its own for each of 65,537 lines", labels),
        file("header.csv", "has a header alone", "a,b\n"),
        file("one-column.csv", "has one column", "a\n1\n2\n"),
        file("utf16.csv", "is half a letter of UTF-16", b"\xff\xfea\0,\0b\0\n\0\xd8".to_vec()),
        file("deep.json", "nests 100,000 lists", format!("[{{\"a\": {}", "[".repeat(100_000))),
        file("open.jsonl", "leaves an object open", "{\"a\": 1, \"label\": \"x\"}\n{\"a\": 1,\n"),
        file("keys.jsonl", "has other keys in each line", "{\"a\": 1, \"label\": \"x\"}\n{\"b\": 1}\n"),
        file("endless.arff", "has a header alone", "@relation x\n@attribute a numeric\n".repeat(1000)),
        file(
            "quote.arff",
            "leaves a quote open",
            "@relation x\n@attribute a real\n@attribute b real\n@data\n1,'x\n",
        ),
        file("sep.csv", "names a separator and has nothing else", "sep=;\n"),
        file("escape.csv", "names a class by a terminal's escape sequence", "a,b\n1,\x1b[31mred\nx,2\n"),
    ]
}

pub fn sparse() -> Vec<Attack> {
    let long = "1 1:1\n".repeat(200);
    vec![
        file("column.svm", "has a column of four thousand million", "1 4000000000:1\n2 1:1\n"),
        file(
            "endless-column.svm",
            "has a column beyond 64 bits",
            long.clone() + "1 99999999999999999999:1\n",
        ),
        file("infinite.svm", "has a number beyond all floats", long.clone() + "1 1:1e999\n"),
        file("labels.svm", "has several labels", "1,2 1:1\n"),
        file("line.svm", "has a line of 17 MiB", long + &"1:1 ".repeat(17 << 18)),
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

pub fn pictures() -> Vec<Attack> {
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

pub fn others() -> Vec<Attack> {
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
