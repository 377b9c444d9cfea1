//! Files that are packed, with whatever program.

use std::fs;

use thinnet::data::{DataSet, ReadOptions, Wanted, stream};

use crate::{bytes, folder, open, refusal, stored};

#[test]
fn a_table_is_read_however_it_is_packed() {
    let plain = open(&stored("table.csv"));
    for ending in ["gz", "bz2", "xz", "zst"] {
        let path = stored(&format!("table.csv.{ending}"));
        assert_eq!(open(&path), plain, "{ending}");
        let content = fs::read(&path).unwrap();
        let same = DataSet::from_bytes(content.clone(), &ReadOptions::default()).unwrap();
        assert_eq!(same, plain, "{ending}");

        // A block at a time, as predictions read it.
        let wanted = Wanted { shape: plain.shape(), columns: plain.columns(), resize: false };
        let mut read = Vec::new();
        stream(&path, wanted, &mut |block| {
            read.extend(bytes(&block.x));
            Ok(())
        })
        .unwrap();
        assert_eq!(read, bytes(plain.train().x()), "{ending}");

        // Two packed streams one after the other are the files one after the other, as the programs have it.
        let lines = fs::read_to_string(stored("table.csv")).unwrap().lines().count();
        let folder = folder();
        let twice = folder.path().join(format!("twice.{ending}"));
        fs::write(&twice, [content.as_slice(), &content].concat()).unwrap();
        let message = refusal(&twice);
        // Its second header is a line of words among numbers.
        assert!(message.contains(&format!("line {}", lines + 1)), "{ending}: {message}");

        for cut in [content.len() / 2, content.len() - 3] {
            let damaged = DataSet::from_bytes(content[..cut].to_vec(), &ReadOptions::default());
            let message = damaged.unwrap_err().to_string();
            assert!(
                message.contains("cut short") || message.contains("damaged"),
                "{ending} {cut}: {message}"
            );
        }
    }
}

#[test]
fn labels_may_be_packed_in_another_way_than_the_samples() {
    let numbers = [b"\0\0\x08\x03\0\0\0\x02\0\0\0\x01\0\0\0\x02".as_slice(), &[1, 2, 3, 4]].concat();
    let labels = b"\0\0\x08\x01\0\0\0\x02\x07\x09";
    for (samples, wanted) in [
        ("images.idx", "labels.idx.zst"),
        ("images.idx.zst", "labels.idx"),
        ("images.idx.zst", "labels.idx.zst"),
    ] {
        let folder = folder();
        for (name, content) in [(samples, numbers.as_slice()), (wanted, labels)] {
            let packed =
                if name.ends_with("zst") { zstd::encode_all(content, 0).unwrap() } else { content.to_vec() };
            fs::write(folder.path().join(name), packed).unwrap();
        }
        for path in [folder.path().to_owned(), folder.path().join(samples)] {
            let set = open(&path);
            assert_eq!((set.train().labels(), set.names().len()), (&[0, 1][..], 2), "{samples} {wanted}");
        }
    }
}
