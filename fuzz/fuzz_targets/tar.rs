//! Tar archives of CIFAR-10 and CIFAR-100.
#![no_main]

use libfuzzer_sys::fuzz_target;
use thinnet::data::formats::cifar;

fuzz_target!(|bytes: &[u8]| {
    let _ = cifar::read_archive(bytes);
});
