//! Pickles: whatever the bytes, every value that was read can be looked at.
#![no_main]

use libfuzzer_sys::fuzz_target;
use thinnet::data::formats::{cifar, pickle::Pickle};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(pickle) = Pickle::read(bytes) {
        let root = pickle.root();
        for key in ["labels", "data", "label_names"] {
            if let Some(value) = pickle.get(root, key) {
                let _ = (pickle.integers(value), pickle.texts(value), pickle.byte_array(value));
            }
        }
        let _ = pickle.byte_array(root);
    }
    let _ = cifar::read(bytes);
});
