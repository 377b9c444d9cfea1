//! HDF5.
#![no_main]

use libfuzzer_sys::fuzz_target;
use thinnet::data::{DataSet, ReadOptions};

fuzz_target!(|bytes: &[u8]| {
    if bytes.starts_with(b"\x89HDF") {
        let options = ReadOptions { regression: bytes.len() % 2 == 1, ..ReadOptions::default() };
        let _ = DataSet::from_bytes(bytes.to_vec(), &options);
    }
});
