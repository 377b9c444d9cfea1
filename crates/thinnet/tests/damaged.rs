//! Sound files, cut anywhere and changed anywhere. In a process of its own: tests/attacks measures what its process takes.
#![allow(clippy::unwrap_used)] // a test fails by panic

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use thinnet::data::{DataSet, ReadOptions};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Every file that is sound is refused, or read as far as it is whole, wherever it is cut and whichever byte is changed.
#[test]
fn cut_and_changed_files_never_panic() {
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files");
    let mut sound = vec![
        b"a,b,label\n1.5,2,x\n3,\"4\",y\n".to_vec(),
        b"a,b\n1.5,2\n3,-4e1\n".to_vec(),
        gzip(&fs::read(files.join("batch.tar")).unwrap()),
    ];
    for entry in fs::read_dir(files).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension != "py") {
            sound.push(fs::read(path).unwrap());
        }
    }
    let regression = ReadOptions { regression: true, ..ReadOptions::default() };
    let read = |bytes: Vec<u8>| {
        drop(DataSet::from_bytes(bytes.clone(), &ReadOptions::default()));
        drop(DataSet::from_bytes(bytes, &regression));
    };
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
