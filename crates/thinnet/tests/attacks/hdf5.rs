//! HDF5, out of a file that h5py wrote.

use std::fs;
use std::path::Path;

use crate::{Attack, file};

fn sound() -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files/splits.h5")).unwrap()
}

/// The file with these eight bytes in the place of every number `from`.
fn with(from: u64, to: u64) -> Vec<u8> {
    let (from, to) = (from.to_le_bytes(), to.to_le_bytes());
    let mut bytes = sound();
    let mut at = 0;
    while at + 8 <= bytes.len() {
        if bytes[at..at + 8] == from {
            bytes[at..at + 8].copy_from_slice(&to);
            at += 8;
        } else {
            at += 1;
        }
    }
    bytes
}

pub(crate) fn files() -> Vec<Attack> {
    let sound = sound();
    let half = sound.len() / 2;
    let mut zeros = sound.clone();
    zeros[half..half + 4096].fill(0);
    vec![
        file("magic.h5", "ends after its first bytes", sound[..8].to_vec()),
        file("cut.h5", "is cut in half", sound[..half].to_vec()),
        file("zeros.h5", "has zeros in its middle", zeros),
        file("huge.h5", "claims 2^40 samples", with(4, 1 << 40)),
        file("no-rows.h5", "has no samples", with(4, 0)),
        file("beyond.h5", "points beyond its end", with(96, u64::MAX - 1)),
        file("itself.h5", "has a group that is in itself", with(136, 96)),
    ]
}
