//! Tables; the first byte chooses how they are read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use thinnet::data::ReadOptions;
use thinnet::data::formats::csv;

fuzz_target!(|bytes: &[u8]| {
    let [how, table @ ..] = bytes else { return };
    let options = ReadOptions {
        header: [None, Some(true), Some(false), None][usize::from(how % 4)],
        regression: how % 4 == 3,
        label: (how & 4 != 0).then(|| (how >> 3).to_string()),
        ..ReadOptions::default()
    };
    let _ = csv::read(table, &options);
});
