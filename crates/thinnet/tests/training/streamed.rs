//! Samples that stay in their file: they are what they are in memory, and are trained on as those are.

use std::fs;
use std::path::{Path, PathBuf};

use ndarray::Array2;
use ndarray_npy::WriteNpyExt;
use thinnet::data::{DataSet, Features, Order, ReadOptions, Rows, Scaling, SplitOptions};
use thinnet::random::RandomState;
use thinnet::training::{Trainer, TrainerState, TrainingConfig, TrainingData};

use super::going_on::timeless;
use super::{config, finish};

/// The table of tests/files/make.py in four row groups.
fn table() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files/typed-groups.parquet")
}

/// 200 samples of 12 numbers in three classes, as `X.npy` and `y.npy`.
fn arrays(folder: &Path) -> PathBuf {
    arrays_of(200, folder)
}

fn arrays_of(samples: usize, folder: &Path) -> PathBuf {
    let mut random = RandomState::new(5);
    let labels: Vec<i64> = (0..).take(samples).map(|sample| sample % 3).collect();
    let mut values: Array2<f64> = random.randn((samples, 12));
    for (mut row, label) in values.rows_mut().into_iter().zip(&labels) {
        row[usize::try_from(*label).unwrap()] += 2.0;
    }
    let (x, y) = (folder.join("X.npy"), folder.join("y.npy"));
    #[allow(clippy::cast_possible_truncation, reason = "32 bits are enough")]
    let single = values.mapv(|value| value as f32);
    single.write_npy(fs::File::create(&x).unwrap()).unwrap();
    ndarray::Array1::from(labels).write_npy(fs::File::create(y).unwrap()).unwrap();
    x
}

/// The data set with its samples in the file, of which so many bytes are in memory together, and the one in memory.
fn both(path: &Path, window: usize, options: &ReadOptions) -> (DataSet, DataSet) {
    let stored = DataSet::open(path, &ReadOptions { stored: Some(window), ..options.clone() }).unwrap();
    assert!(matches!(stored.train().x(), Features::Stored(_)));
    (stored, DataSet::open(path, options).unwrap())
}

/// Both tell the same of themselves and of their samples.
fn same(stored: &DataSet, memory: &DataSet) {
    assert_eq!((stored.names(), stored.columns()), (memory.names(), memory.columns()));
    assert_eq!((stored.shape(), stored.notes()), (memory.shape(), memory.notes()));
    for ((_, stored), (_, memory)) in stored.parts().zip(memory.parts()) {
        assert_eq!(stored.labels(), memory.labels());
        assert_eq!(stored.numbers(), memory.numbers());
        assert_eq!(stored.x().to_floats().unwrap(), memory.x().to_floats().unwrap());
        assert_eq!(stored.x().range().unwrap(), memory.x().range().unwrap());
    }
    for scaling in [Scaling::None, Scaling::Standard, Scaling::Mean, Scaling::Unit] {
        let scale = memory.scale(scaling).unwrap();
        assert_eq!(stored.scale(scaling).unwrap(), scale, "{scaling:?}");
        let floats = |set: &DataSet| scale.apply::<f32>(set.train().x()).unwrap().to_floats().unwrap();
        assert_eq!(floats(stored), floats(memory));
    }
}

fn strings(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[test]
fn a_table_in_its_file_is_what_it_is_in_memory() {
    let usual = ReadOptions { skip_unlabelled: true, infer_task: true, ..ReadOptions::default() };
    let others = [
        ReadOptions { label: Some("whole".to_owned()), regression: true, ..usual.clone() },
        // Of these, rows without a label are left out.
        ReadOptions { label: Some("real".to_owned()), date_parts: true, ..usual.clone() },
        ReadOptions { label: Some("note".to_owned()), drop: strings(&["joined", "born"]), ..usual.clone() },
        ReadOptions { columns: strings(&["whole"]), ..usual.clone() },
        ReadOptions { columns: strings(&["real"]), ..usual.clone() },
        ReadOptions { columns: strings(&["small", "whole"]), ..usual.clone() },
        ReadOptions {
            columns: strings(&["small", "whole"]),
            categories: strings(&["small"]),
            ..usual.clone()
        },
    ];
    for options in [usual].into_iter().chain(others) {
        for window in [1, 1 << 27] {
            let (stored, memory) = both(&table(), window, &options);
            same(&stored, &memory);
            let order = Some(Order::Stored);
            let split =
                SplitOptions { order, num_val: Some(9), num_test: Some(7), ..SplitOptions::default() };
            let (stored, memory) = (stored.split(&split).unwrap(), memory.split(&split).unwrap());
            let no_strangers = |set: &DataSet| {
                let notes = set.notes().iter().filter(|note| !note.contains("count as zeros"));
                notes.cloned().collect::<Vec<_>>()
            };
            assert_eq!(no_strangers(&stored), no_strangers(&memory));
            assert_eq!(stored.columns(), memory.columns(), "as the training rows have it");
            for ((_, stored), (_, memory)) in stored.parts().zip(memory.parts()) {
                assert_eq!(stored.x().to_floats().unwrap(), memory.x().to_floats().unwrap());
            }
            assert!(matches!(stored.train().x(), Features::Stored(_)));
            assert!(matches!(stored.val().unwrap().x(), Features::Floats(_)), "it is read at once");
            let scale = |set: &DataSet| set.scale(Scaling::Standard).unwrap();
            assert_eq!(scale(&stored), scale(&memory));
        }
    }
}

#[test]
fn arrays_in_their_files_are_what_they_are_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let x = arrays(folder.path());
    for (path, window) in [(x.as_path(), 1), (folder.path(), 5000), (&x, 1 << 27)] {
        let (stored, memory) = both(path, window, &ReadOptions::default());
        same(&stored, &memory);
        let options = SplitOptions { num_val: Some(20), ..SplitOptions::default() };
        let (stored, memory) = (stored.split(&options).unwrap(), memory.split(&options).unwrap());
        // The same samples are for training, and are taken in the file's order.
        let mut rows: Vec<_> = stored.train().labels().to_vec();
        let mut of_memory: Vec<_> = memory.train().labels().to_vec();
        let val = |set: &DataSet| {
            let val = set.val().unwrap();
            (val.labels().to_vec(), val.x().to_floats().unwrap())
        };
        assert_eq!(val(&stored), val(&memory));
        rows.sort_unstable();
        of_memory.sort_unstable();
        assert_eq!(rows, of_memory);
        let whole = DataSet::open(&x, &ReadOptions::default()).unwrap();
        let whole = whole.train().x().to_floats().unwrap();
        let mut from = 0;
        for row in stored.train().x().to_floats().unwrap().rows() {
            from += 1 + whole.rows().into_iter().skip(from).position(|one| one == row).unwrap();
        }
    }
    let idx = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files/images.idx");
    let labels = [&[0, 0, 8, 1, 0, 0, 0][..], &[fs::read(&idx).unwrap()[7]], &[1; 100]].concat();
    let images = folder.path().join("images.idx");
    fs::copy(&idx, &images).unwrap();
    let count = usize::from(labels[7]);
    fs::write(folder.path().join("labels.idx"), &labels[..8 + count]).unwrap();
    let (stored, memory) = both(&images, 1, &ReadOptions::default());
    same(&stored, &memory);
}

fn settings(path: &Path, changes: &[&str]) -> TrainingConfig {
    let mut config = config(&["train.sampling=stream", "data.val=9"]);
    config.data.path = path.display().to_string();
    for change in changes {
        config.set(&change.parse().unwrap()).unwrap();
    }
    config
}

fn trained_on(set: DataSet, config: &TrainingConfig) -> TrainingData<f32> {
    TrainingData::new(set, config).unwrap()
}

/// Where all samples are in memory together, a stream is a shuffled run: table and arrays, sparse and dense.
#[test]
fn a_file_that_fits_is_trained_on_as_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    for path in [table(), arrays(folder.path())] {
        for changes in
            [&["train.check_samples=all"][..], &["train.class_weights=balanced", "train.masks=numpy"]]
        {
            let (stored, memory) = both(&path, 1 << 27, &ReadOptions::default());
            let stream = settings(&path, &[changes, &["data.split=stored"]].concat());
            let mut shuffled = stream.clone();
            shuffled.set(&"train.sampling=shuffled".parse().unwrap()).unwrap();
            let (stored, memory) = (trained_on(stored, &stream), trained_on(memory, &shuffled));
            let mut ours = Trainer::new(&stream, &stored, 2).unwrap();
            let mut other = Trainer::new(&shuffled, &memory, 1).unwrap();
            finish(&mut ours);
            finish(&mut other);
            assert_eq!(timeless(ours.history()), timeless(other.history()), "{path:?}");
            assert_eq!(ours.parameters().unwrap(), other.parameters().unwrap());
        }
    }
}

/// Blocks come and go; a run is the same on any number of threads, and stopped and resumed anywhere.
#[test]
fn a_stream_goes_on_where_it_was_stopped() {
    let folder = tempfile::tempdir().unwrap();
    for path in [table(), arrays(folder.path())] {
        let config = settings(&path, &[]);
        let options = ReadOptions { stored: Some(1000), ..ReadOptions::default() };
        let data = || trained_on(DataSet::open(&path, &options).unwrap(), &config);
        let all = data();
        let mut whole = Trainer::new(&config, &all, 1).unwrap();
        finish(&mut whole);
        for stop in [0, 1, 3, 5, 11] {
            let (before, after) = (data(), data());
            let mut first = Trainer::new(&config, &before, 2).unwrap();
            while first.progress().0 < stop {
                first.step().unwrap();
            }
            let bytes = first.state().unwrap().to_bytes(&config).unwrap();
            let (state, _) = TrainerState::from_bytes(&bytes).unwrap();
            let mut second = Trainer::resume(&config, &after, 2, &state).unwrap();
            finish(&mut second);
            assert_eq!(timeless(whole.history()), timeless(second.history()));
            assert_eq!(whole.parameters().unwrap(), second.parameters().unwrap());
        }
        // Other windows are another order.
        let mut other = Trainer::new(&config, &all, 1).unwrap();
        let wide = ReadOptions { stored: Some(1 << 27), ..ReadOptions::default() };
        let wide = trained_on(DataSet::open(&path, &wide).unwrap(), &config);
        let mut of_wide = Trainer::new(&config, &wide, 1).unwrap();
        other.step().unwrap();
        of_wide.step().unwrap();
        assert_ne!(other.parameters().unwrap(), of_wide.parameters().unwrap());
    }
}

#[test]
fn the_window_says_how_much_is_shuffled_together() {
    let folder = tempfile::tempdir().unwrap();
    let path = arrays_of(50_000, folder.path()); // 2.4 MB
    let first = |window: &str| {
        let config = settings(&path, &[window]);
        let data = trained_on(thinnet::run::open(&config).unwrap(), &config);
        Trainer::new(&config, &data, 1).unwrap().step().unwrap().loss
    };
    let [one, two, all, more] =
        ["train.window=1", "train.window=2", "train.window=3", "train.window=4"].map(first);
    assert!(one != two && two != all && one != all, "{one} {two} {all}");
    assert_eq!(all, more, "it is all in memory");
}

#[test]
fn what_cannot_stay_in_its_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let options = ReadOptions { stored: Some(1), ..ReadOptions::default() };
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files");
    for name in ["typed.csv", "typed.feather", "table.csv.gz", "splits.npz", "sparse.svm", "batch.tar"] {
        let message = DataSet::open(&files.join(name), &options).unwrap_err().to_string();
        assert!(message.contains("Parquet, NPY and IDX without compression can"), "{name}: {message}");
    }
    let x = arrays(folder.path());
    let config = settings(&x, &["train.sampling=shuffled"]);
    let data = trained_on(DataSet::open(&x, &options).unwrap(), &config);
    let message = Trainer::new(&config, &data, 1).err().unwrap().to_string();
    assert!(message.contains("train.sampling must be stream"), "{message}");
}

/// What turns out to be wrong while the file is read is a sentence.
#[test]
fn a_file_that_is_damaged_later_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let x = arrays(folder.path());
    let bytes = fs::read(&x).unwrap();
    let options = ReadOptions { stored: Some(1), ..ReadOptions::default() };
    let config = settings(&x, &[]);
    let data = trained_on(DataSet::open(&x, &options).unwrap(), &config);
    let mut trainer = Trainer::new(&config, &data, 1).unwrap();
    fs::write(&x, &bytes[..bytes.len() / 2]).unwrap();
    let error = loop {
        if let Err(error) = trainer.step() {
            break error.to_string();
        }
    };
    assert!(error.contains("X.npy") && error.contains("cut short"), "{error}");

    for (damage, told) in [
        (bytes[..bytes.len() - 1].to_vec(), "its header promises 200 x 12 numbers"),
        ([&bytes[..], &[0]].concat(), "its header promises 200 x 12 numbers"),
        (
            [&bytes[..bytes.len() - 4], &f32::NAN.to_le_bytes()].concat(),
            "number 11 of sample 199 is not finite",
        ),
    ] {
        fs::write(&x, damage).unwrap();
        let set = DataSet::open(&x, &options).and_then(|set| TrainingData::<f32>::new(set, &config));
        let message = set.err().unwrap().to_string();
        assert!(message.contains(told), "{message}");
    }
    let table = folder.path().join("table.parquet");
    let bytes = fs::read(self::table()).unwrap();
    fs::write(&table, &bytes).unwrap();
    let config = settings(&table, &[]);
    let data = trained_on(DataSet::open(&table, &options).unwrap(), &config);
    let mut trainer = Trainer::new(&config, &data, 1).unwrap();
    let mut zeros = bytes.clone();
    zeros[4..bytes.len() / 2].fill(0);
    fs::write(&table, zeros).unwrap();
    let error = loop {
        if let Err(error) = trainer.step() {
            break error.to_string();
        }
    };
    assert!(error.contains("damaged") || error.contains("cannot be read"), "{error}");
    assert!(error.contains("table.parquet"), "{error}");
    let rows = data.train.select(&[0]);
    assert!(rows.is_err() || rows.is_ok_and(|rows: Rows<f32>| rows.len() == 1));
}

/// Whatever byte of a table is another one, an answer comes, and no panic.
#[test]
fn damaged_tables_are_answered() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.parquet");
    let bytes = fs::read(table()).unwrap();
    let options = ReadOptions { stored: Some(1), skip_unlabelled: true, ..ReadOptions::default() };
    let config = settings(&path, &[]);
    let mut told = 0;
    for at in (0..bytes.len()).step_by(5) {
        let mut damaged = bytes.clone();
        damaged[at] ^= [0x01, 0x80, 0xff][at % 3];
        fs::write(&path, &damaged).unwrap();
        let read = DataSet::open(&path, &options).and_then(|set| {
            let data = TrainingData::<f32>::new(set, &config)?;
            data.train.x().to_floats().map(|x| x.nrows())
        });
        told += usize::from(read.is_err());
    }
    assert!(told > 100, "{told}");
}
