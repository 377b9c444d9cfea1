//! MATLAB's level 5 files, made here as its description has them.

use std::fs;
use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use thinnet::data::{Format, Wanted, stream};

use crate::{bytes, folder, open, refusal, stored};

fn element(kind: u32, content: &[u8]) -> Vec<u8> {
    let mut bytes = [kind.to_le_bytes(), (content.len() as u32).to_le_bytes()].concat();
    bytes.extend(content);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes
}

/// An array of bytes in MATLAB's order.
fn array(name: &str, shape: &[u32], values: &[u8], packed: bool) -> Vec<u8> {
    let sizes: Vec<u8> = shape.iter().flat_map(|size| size.to_le_bytes()).collect();
    let parts = [
        element(6, &[9, 0, 0, 0, 0, 0, 0, 0]),
        element(5, &sizes),
        element(1, name.as_bytes()),
        element(2, values),
    ];
    let matrix = element(14, &parts.concat());
    if !packed {
        return matrix;
    }
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&matrix).unwrap();
    let content = encoder.finish().unwrap();
    [15u32.to_le_bytes().to_vec(), (content.len() as u32).to_le_bytes().to_vec(), content].concat()
}

fn file(arrays: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = b"MATLAB 5.0 MAT-file".to_vec();
    bytes.resize(124, b' ');
    bytes.extend([0, 1, b'I', b'M']);
    bytes.extend(arrays.concat());
    bytes
}

#[test]
fn svhn_is_read_as_it_is_stored() {
    let folder = folder();
    let path = folder.path().join("train_32x32.mat");
    let pixel = |image: usize, channel: usize, row: usize, column: usize| {
        (image * 7 + channel * 50 + row * 3 + column) as u8
    };
    let (mut values, mut expected) = (vec![0; 32 * 32 * 3 * 3], Vec::new());
    for image in 0..3 {
        for channel in 0..3 {
            for row in 0..32 {
                for column in 0..32 {
                    values[row + 32 * (column + 32 * (channel + 3 * image))] =
                        pixel(image, channel, row, column);
                    expected.push(pixel(image, channel, row, column));
                }
            }
        }
    }
    for packed in [false, true] {
        let arrays = [array("X", &[32, 32, 3, 3], &values, packed), array("y", &[3, 1], &[10, 3, 1], packed)];
        fs::write(&path, file(&arrays)).unwrap();
        let set = open(&path);
        assert_eq!((set.format(), set.shape()), (Format::Mat, &[3, 32, 32][..]));
        assert_eq!((set.names().join(" "), set.train().labels()), ("0 1 3".to_owned(), &[0, 2, 1][..]));
        assert_eq!(bytes(set.train().x()), expected);
        assert!(set.notes()[0].contains("label 10 is read as the digit 0"));
        let mut streamed = Vec::new();
        let wanted = Wanted { shape: &[3, 32, 32], columns: None, resize: false };
        stream(&path, wanted, &mut |block| {
            streamed.extend(bytes(&block.x));
            Ok(())
        })
        .unwrap();
        assert_eq!(streamed, expected);
    }
}

/// Python's own packing, of a file that is stored: grey images of 2 x 3 pixels.
#[test]
fn a_file_that_another_program_packed_is_read() {
    let set = open(&stored("images.mat"));
    assert_eq!((set.shape(), set.names().join(" ")), (&[1, 2, 3][..], "1 2 10".to_owned()));
    assert_eq!(bytes(set.train().x())[..6], [0, 2, 4, 1, 3, 5]);
    assert_eq!(set.train().labels(), [0, 2, 1, 0]);
}

#[test]
fn samples_may_be_counted_by_the_first_dimension() {
    let folder = folder();
    let path = folder.path().join("a.mat");
    let arrays =
        [array("data", &[3, 2], &[1, 2, 3, 4, 5, 6], true), array("labels", &[1, 3], &[10, 10, 2], true)];
    fs::write(&path, file(&arrays)).unwrap();
    let set = open(&path);
    assert_eq!((set.shape(), set.names().join(" ")), (&[2][..], "2 10".to_owned()));
    assert_eq!(bytes(set.train().x()), [1, 4, 2, 5, 3, 6]);
    let arrays = [array("X", &[3, 2], &[1, 2, 3, 4, 5, 6], true), array("y", &[4, 1], &[1, 1, 2, 2], true)];
    fs::write(&path, file(&arrays)).unwrap();
    let message = refusal(&path);
    assert!(message.contains("neither its first nor its last dimension is 4"), "{message}");
    let header = [&b"MATLAB 7.3 MAT-file"[..], &[b' '; 105], b"\0\x02IM"].concat();
    fs::write(&path, [&header[..], &[0; 384], b"\x89HDF\r\n\x1a\n and more"].concat()).unwrap();
    assert!(refusal(&path).contains("save(..., '-v7')"));
}
