//! Tables in every form; the last two bytes choose how they are read. What is read is split, scaled and read again as a model
//! reads it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use thinnet::data::formats::csv;
use thinnet::data::{ReadOptions, Scaling, SplitOptions, Wanted, stream_table};

fuzz_target!(|bytes: &[u8]| {
    let [table @ .., how, more] = bytes else { return };
    let options = ReadOptions {
        header: [None, Some(true), Some(false), None][usize::from(how % 4)],
        regression: how % 4 == 3,
        label: (how & 4 != 0).then(|| (how >> 3).to_string()),
        infer_task: more & 1 != 0,
        skip_unlabelled: more & 2 != 0,
        date_parts: more & 4 != 0,
        categories: if more & 8 != 0 { vec!["1".to_owned()] } else { Vec::new() },
        drop: if more & 16 != 0 { vec!["2".to_owned()] } else { Vec::new() },
        ..ReadOptions::default()
    };
    let Ok(set) = csv::read(table, &options) else { return };
    let wanted = Wanted { shape: set.shape(), columns: set.columns(), resize: false };
    let _ = stream_table(table, wanted, &mut |_| Ok(()));
    let Ok(set) = set.split(&SplitOptions::default()) else { return };
    let _ = set.summary();
    let _ = set.scale(Scaling::Standard).and_then(|scale| scale.rows::<f32>(set.train()));
    let known = ReadOptions { known: set.columns().cloned(), ..options };
    let _ = csv::read(table, &known);
});
