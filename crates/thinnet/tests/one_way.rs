//! Data flows one way: each module of the library imports only from those below it.
#![allow(clippy::unwrap_used)] // a test fails by panic

use std::fs;
use std::path::{Path, PathBuf};

/// The modules, from the bottom up. Those of one row do not know each other.
const FLOORS: [&[&str]; 10] = [
    &["error"],
    &["float", "files", "clock"],
    &["random"],
    &["data", "layers", "optim"],
    &["net"],
    &["gradient_check", "engine"],
    &["solver", "course", "training"],
    &["experiment", "sweep"],
    &["report"],
    &["lib"],
];

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|modules| modules.contains(&module))
}

/// What `module` takes from beside or above it in `text`, the source of one of its files. Tests may take what they like.
fn violations(module: &str, text: &str) -> Vec<String> {
    let Some(own) = floor(module) else {
        return vec![format!("the module {module} stands on no floor: give it its place in this test")];
    };
    let code = text.lines().map(str::trim_start).take_while(|line| *line != "#[cfg(test)]");
    let mut found = Vec::new();
    for line in code.filter(|line| !line.starts_with("//")) {
        for rest in line.split("crate::").skip(1) {
            let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let other = match name.as_str() {
                "Error" | "Result" => "error",
                "Dtype" | "Float" => "float",
                name => name,
            };
            if other != module && floor(other).is_none_or(|other| other >= own) {
                found.push(format!("{module} may not import from {other:?}: {line}"));
            }
        }
    }
    found
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

#[test]
fn no_module_knows_what_is_above_it() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&source, &mut files);
    assert!(files.len() > 20, "{files:?}");
    let mut found = Vec::new();
    for path in files {
        let module = path.strip_prefix(&source).unwrap().iter().next().unwrap().to_str().unwrap();
        let module = module.trim_end_matches(".rs");
        if module != "lib" {
            found.extend(violations(module, &fs::read_to_string(&path).unwrap()));
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn a_module_that_looks_up_is_found() {
    assert_eq!(violations("net", "use crate::layers::Mode;\nuse crate::{error::Error};").len(), 1); // not readable
    assert_eq!(violations("net", "//! [`engine`](crate::engine)\nuse crate::random::RandomState;").len(), 0);
    assert_eq!(
        violations("layers", "use crate::data::Samples;"),
        ["layers may not import from \"data\": use crate::data::Samples;"]
    );
    assert_eq!(violations("solver", "fn f() -> crate::experiment::Outcome {}").len(), 1);
    assert_eq!(violations("error", "use crate::Float;").len(), 1);
    assert_eq!(violations("engine", "use crate::engine::Engine;\n#[cfg(test)]\nuse crate::solver;").len(), 0);
    assert_eq!(violations("attic", "").len(), 1);
}
