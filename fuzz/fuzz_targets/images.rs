//! One image in a folder of images by class; the first byte chooses whether it is resized.
#![no_main]

use std::cell::LazyCell;
use std::fs;

use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;
use thinnet::data::{DataSet, ReadOptions};

thread_local! {
    static FOLDER: LazyCell<TempDir> = LazyCell::new(|| {
        let folder = tempfile::tempdir().expect("a folder for temporary files");
        fs::create_dir(folder.path().join("class")).expect("a folder in it");
        folder
    });
}

fuzz_target!(|bytes: &[u8]| {
    let [how, image @ ..] = bytes else { return };
    let options = ReadOptions { resize: (how % 2 == 1).then_some((5, 3)), ..ReadOptions::default() };
    FOLDER.with(|folder| {
        fs::write(folder.path().join("class/image"), image).expect("room for the image");
        let _ = DataSet::open(folder.path(), &options);
    });
});
