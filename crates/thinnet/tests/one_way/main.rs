//! Data flows one way: no two files import each other, be it through others, and each module of the library imports only
//! from those below it.
#![allow(clippy::unwrap_used, clippy::panic)] // a test fails by panic

mod circles;
mod made_up;
mod python;
mod rust;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use circles::{Circle, Imports};
use rust::Crate;

/// The library's modules, from the bottom up. Those of one row do not know each other.
const FLOORS: [&[&str]; 12] = [
    &["error"],
    &["float", "files", "names", "clock"],
    &["random"],
    &["data", "optim"],
    &["layers"],
    &["net"],
    &["gradient_check", "engine"],
    &["course", "training"],
    &["model", "sweep"],
    &["report"],
    &["run"],
    &["lib"],
];

/// CIRCLES THAT ARE STILL TO BE OPENED, by the files that may be in them. Nothing is to be added here, and an entry whose circle
/// is open is to be taken out.
const STILL_CLOSED: &[&[&str]] = &[
    &["thinnet-kernels/src/adjust.rs", "thinnet-kernels/src/rule.rs"],
    &["thinnet-kernels/src/portable.rs", "thinnet-kernels/src/simd.rs"],
    &["thinnet-cli/src/train/session.rs", "thinnet-cli/src/train/watch.rs"],
    &[
        "thinnet/src/data/folder.rs",
        "thinnet/src/data/formats/csv.rs",
        "thinnet/src/data/formats/images.rs",
        "thinnet/src/data/formats/npy.rs",
        "thinnet/src/data/formats/supervision.rs",
        "thinnet/src/data/open.rs",
    ],
    &[
        "thinnet/src/engine/layers.rs",
        "thinnet/src/engine/mod.rs",
        "thinnet/src/engine/scores.rs",
        "thinnet/src/engine/thin/forward.rs",
        "thinnet/src/engine/thin/inputs.rs",
        "thinnet/src/engine/thin/mod.rs",
        "thinnet/src/engine/thin/predict.rs",
    ],
    &[
        "thinnet/src/optim/adam.rs",
        "thinnet/src/optim/mod.rs",
        "thinnet/src/optim/momentum.rs",
        "thinnet/src/optim/rmsprop.rs",
        "thinnet/src/optim/sgd.rs",
    ],
];

/// Path from the folder of crates, and text, of the files below `folder` whose names end in one of `extensions`.
fn files(folder: &str, extensions: &[&str]) -> BTreeMap<String, String> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files = BTreeMap::new();
    let mut waiting = vec![crates.join(folder)];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|found| extensions.iter().any(|one| found == *one)) {
                let name = path.strip_prefix(crates).unwrap().to_str().unwrap().replace('\\', "/");
                files.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    files
}

fn rust_crate(root: &str) -> Crate {
    let (folder, _) = root.rsplit_once('/').unwrap();
    Crate::read(root, &files(folder, &["rs"]))
}

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|modules| modules.contains(&module))
}

/// The module of the library that has a file.
fn module(file: &str) -> &str {
    let below = file.trim_start_matches("thinnet/src/");
    below.split('/').next().unwrap_or(below).trim_end_matches(".rs")
}

/// What files of the library take from modules beside or above their own.
fn violations(imports: &Imports) -> Vec<String> {
    let looks_up = |file: &str, other: &str| {
        module(file) != module(other)
            && floor(module(other)).is_none_or(|other| Some(other) >= floor(module(file)))
    };
    let found = imports.all().filter(|(file, other, _)| looks_up(file, other));
    found.map(|(file, other, names)| format!("{file} may not import from {other}: {names}")).collect()
}

#[test]
fn no_two_files_import_each_other() {
    let roots = [
        "thinnet/src/lib.rs",
        "thinnet-kernels/src/lib.rs",
        "thinnet-cli/src/main.rs",
        "thinnet-python/src/lib.rs",
    ];
    let mut read = Vec::from(roots.map(|root| rust_crate(root).imports()));
    let python = "thinnet-python/python/thinnet";
    read.push(python::imports(python, &files(python, &["py", "pyi"])));
    let mut circles = Vec::new();
    for (imports, at_least) in read.iter().zip([300, 40, 100, 20, 30]) {
        let count = imports.all().count();
        assert!(count > at_least, "only {count} imports were seen");
        circles.extend(imports.circles());
    }
    let is_in =
        |circle: &Circle, files: &[&str]| circle.files.iter().all(|file| files.contains(&file.as_str()));
    let is_known = |circle: &&Circle| STILL_CLOSED.iter().any(|files| is_in(circle, files));
    let new: Vec<&Circle> = circles.iter().filter(|circle| !is_known(circle)).collect();
    assert!(new.is_empty(), "circles of files: {new:#?}");
    for files in STILL_CLOSED {
        assert!(circles.iter().any(|circle| is_in(circle, files)), "it is open, take it out: {files:?}");
    }
}

#[test]
fn no_module_knows_what_is_above_it() {
    let library = rust_crate("thinnet/src/lib.rs");
    let mut found = violations(&library.imports());
    found.extend(violations(&library.re_exports()));
    assert!(found.is_empty(), "{found:#?}");
    for file in files("thinnet/src", &["rs"]).keys() {
        assert!(
            floor(module(file)).is_some(),
            "{file} stands on no floor: give its module its place in this test"
        );
    }
}
