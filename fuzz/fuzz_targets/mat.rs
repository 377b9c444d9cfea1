//! MATLAB's level 5 files; those of an odd number of bytes are read for regression.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use thinnet::data::ReadOptions;
use thinnet::data::formats::mat;

fuzz_target!(|bytes: &[u8]| {
    let options = ReadOptions { regression: bytes.len() % 2 == 1, ..ReadOptions::default() };
    let _ = mat::read(Cursor::new(bytes), bytes.len() as u64, &options);
});
