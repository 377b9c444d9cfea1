//! Any file: its format is recognised, it is unpacked and read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use thinnet::data::{DataSet, ReadOptions, SplitOptions};

fuzz_target!(|bytes: &[u8]| {
    let Ok(set) = DataSet::from_bytes(bytes.to_vec(), &ReadOptions::default()) else { return };
    let Ok(set) = set.split(&SplitOptions::default()) else { return };
    let _ = set.dataset::<f32>(1);
});
