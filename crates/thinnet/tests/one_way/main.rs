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

use circles::Imports;
use rust::Crate;

/// The library's modules, from the bottom up. Those of one row do not know each other.
const FLOORS: [&[&str]; 13] = [
    &["error"],
    &["float", "files", "text", "names", "clock", "range"],
    &["random"],
    &["data", "optim"],
    &["layers"],
    &["net"],
    &["gradient_check", "engine"],
    &["course", "training"],
    &["model", "sweep"],
    &["report", "export"],
    &["import"],
    &["run"],
    &["lib"],
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
    assert!(circles.is_empty(), "circles of files: {circles:#?}");
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
