//! IDX.

use std::fs;

use thinnet::data::Format;

use crate::{bytes, floats, folder, gzip, open, pattern, refusal};

/// IDX with unsigned bytes.
pub(super) fn file(sizes: &[u32], content: &[u8]) -> Vec<u8> {
    let sizes_big: Vec<u8> = sizes.iter().flat_map(|size| size.to_be_bytes()).collect();
    [&[0, 0, 8, sizes.len() as u8], sizes_big.as_slice(), content].concat()
}

#[test]
fn idx_is_read_packed_or_not_in_a_folder_or_by_its_images() {
    let images = file(&[3, 2, 2], &pattern(3, 4));
    let test = file(&[1, 2, 2], &pattern(1, 4));
    for (images_ending, labels_ending, packed) in
        [("-idx3-ubyte", "-idx1-ubyte", false), (".idx3-ubyte.gz", ".idx1-ubyte.gz", true)]
    {
        let folder = folder();
        let write = |name: &str, content: &[u8]| {
            fs::write(folder.path().join(name), if packed { gzip(content) } else { content.to_vec() })
                .unwrap();
        };
        write(&format!("train-images{images_ending}"), &images);
        write(&format!("train-labels{labels_ending}"), &file(&[3], &[5, 0, 4]));
        write(&format!("t10k-images{images_ending}"), &test);
        write(&format!("t10k-labels{labels_ending}"), &file(&[1], &[9]));
        let set = open(folder.path());
        assert_eq!((set.format(), set.shape()), (Format::Idx, &[1, 2, 2][..]));
        assert_eq!(set.names(), ["0", "4", "5", "9"], "classes are the labels that there are");
        assert_eq!((set.train().labels(), set.test().unwrap().labels()), (&[2, 0, 1][..], &[3][..]));
        assert_eq!(bytes(set.train().x()), pattern(3, 4));
        if !packed {
            fs::write(folder.path().join("train-images-idx3-ubyte.gz"), gzip(&images)).unwrap();
            assert_eq!(open(folder.path()), set, "a packed file beside the unpacked one is the same file");
        }
        let alone = open(&folder.path().join(format!("train-images{images_ending}")));
        assert_eq!(
            (alone.train().labels(), alone.train().x(), alone.names().len()),
            (&[2, 0, 1][..], set.train().x(), 3)
        );
        assert_eq!(alone.test(), None);

        let labels = refusal(&folder.path().join(format!("train-labels{labels_ending}")));
        assert!(labels.contains("it holds labels"), "{labels}");
        fs::remove_file(folder.path().join(format!("t10k-labels{labels_ending}"))).unwrap();
        let message = refusal(folder.path());
        assert!(
            message.contains("t10k-images")
                && message.contains("should be in the same folder as t10k-labels"),
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
