//! NPY files, as samples, as labels and as targets.
#![no_main]

use libfuzzer_sys::fuzz_target;
use thinnet::data::formats::npy;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(numbers) = npy::read(bytes.to_vec()) {
        let _ = numbers.clone().into_labels();
        let _ = numbers.clone().into_targets();
        let _ = numbers.into_samples();
    }
});
