//! Parquet, and Arrow's files and streams; a file of an odd number of bytes is read for regression.
#![no_main]

use std::panic;
use std::sync::Once;

use libfuzzer_sys::fuzz_target;
use thinnet::data::{DataSet, ReadOptions, SplitOptions};

/// The libraries panic on some damaged files, which the reader catches: only what it does not catch is a fault.
static QUIET: Once = Once::new();

fuzz_target!(|bytes: &[u8]| {
    QUIET.call_once(|| panic::set_hook(Box::new(|_| {})));
    if !matches!(bytes, [b'P', b'A', b'R', b'1', ..] | [b'A', b'R', b'R', b'O', b'W', ..] | [0xff, 0xff, 0xff, 0xff, ..]) {
        return;
    }
    let options = ReadOptions { regression: bytes.len() % 2 == 1, infer_task: true, ..ReadOptions::default() };
    let Ok(set) = DataSet::from_bytes(bytes.to_vec(), &options) else { return };
    let Ok(set) = set.split(&SplitOptions::default()) else { return };
    let _ = set.summary();
});
