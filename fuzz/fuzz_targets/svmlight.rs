//! svmlight files; those of an odd number of bytes are read for regression.
#![no_main]

use libfuzzer_sys::fuzz_target;
use thinnet::data::ReadOptions;
use thinnet::data::formats::svmlight;

fuzz_target!(|bytes: &[u8]| {
    let options = ReadOptions { regression: bytes.len() % 2 == 1, ..ReadOptions::default() };
    let _ = svmlight::read(bytes, &options);
});
