//! NPZ archives.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use thinnet::data::formats::npy;

fuzz_target!(|bytes: &[u8]| {
    let _ = npy::read_npz(Cursor::new(bytes), bytes.len() as u64);
});
