//! Any file: its format is recognised, it is unpacked and read; one of an odd number of bytes for regression.
#![no_main]

use libfuzzer_sys::fuzz_target;
use thinnet::data::{DataSet, ReadOptions, SplitOptions};

fuzz_target!(|bytes: &[u8]| {
    let options = ReadOptions { regression: bytes.len() % 2 == 1, ..ReadOptions::default() };
    let Ok(set) = DataSet::from_bytes(bytes.to_vec(), &options) else { return };
    let Ok(set) = set.split(&SplitOptions::default()) else { return };
    let _ = set.summary();
});
