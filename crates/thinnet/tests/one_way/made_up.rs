//! What the test sees in small made-up crates.

use std::collections::BTreeMap;

use crate::circles::Imports;
use crate::rust::Crate;
use crate::violations;

const ROOT: &str = "thinnet/src/lib.rs";

/// A crate whose root declares the first modules' files.
fn made_up(root: &str, files: &[(&str, &str)]) -> Crate {
    let files = files.iter().map(|(path, text)| (format!("thinnet/src/{path}"), (*text).to_owned()));
    let mut files: BTreeMap<String, String> = files.collect();
    files.insert(ROOT.to_owned(), root.to_owned());
    Crate::read(ROOT, &files)
}

/// The imports of a crate with the files a.rs, which defines `A` and takes `b::B`, and b.rs.
fn two(b: &str) -> Imports {
    let a = "use crate::b::B;\npub struct A { b: B }\npub mod inner { pub fn f() {} }";
    made_up("mod a;\nmod b;", &[("a.rs", a), ("b.rs", &format!("pub struct B;\n{b}"))]).imports()
}

#[test]
fn a_circle_is_found_however_it_is_written() {
    for back in [
        "use crate::a::A;",
        "use super::a::A as Other;",
        "use crate::{\n    a::{\n        self,\n        inner::f,\n    },\n};",
        "use crate::a;\nfn g(a: a::A) {}",
        "use crate::a::inner as i;\nfn g() { i::f() }",
        "use crate::a::*;",
        "fn g() -> Vec<crate::a::A> { Vec::new() }",
        "fn g() { use crate::a::A; }",
        "fn g() { println!(\"{}\", crate::a::inner::f()) }",
        "macro_rules! m { () => { $crate::a::A } }",
        "#[serde(with = \"crate::a::inner\")]\nstruct C;\n#[derive(crate::a::A)]\nstruct D;",
        "mod below { fn g(a: super::super::a::A) {} }",
        "pub use crate::a::A;\nfn g(a: A) {}",
        "#[cfg(not(test))]\nuse crate::a::A;",
    ] {
        let circles = two(back).circles();
        assert_eq!(circles.len(), 1, "{back}");
        assert_eq!(circles[0].files, ["thinnet/src/a.rs", "thinnet/src/b.rs"], "{back}");
        assert_eq!(circles[0].ties[0], "thinnet/src/a.rs -> thinnet/src/b.rs: B", "{back}");
    }
}

#[test]
fn what_is_no_import_makes_no_circle() {
    for back in [
        "/// Of [`crate::a::A`].\nfn g() {}",
        "// use crate::a::A;\nconst TEXT: &str = \"crate::a::A\";",
        "#[cfg(test)]\nmod tests { use crate::a::A; }",
        "#[cfg(test)]\nuse crate::a::A;\nimpl B { #[cfg(test)] fn g(a: crate::a::A) {} }",
        "pub use crate::a::A;",
        "use std::a::A;\nuse ::a::A;",
        "fn g(b: B) { println!(\"{}\", b.a) }",
        "use other::crate_like::A;",
        "macro_rules! m { ($name:ident) => { mod $name { fn g(b: super::B) {} } } }",
    ] {
        let imports = two(back);
        assert_eq!(imports.circles(), [], "{back}");
        assert_eq!(imports.all().count(), 1, "{back}");
    }
}

#[test]
fn a_name_counts_for_the_file_that_defines_it() {
    let root = "mod optim;\npub use optim::Adam;";
    let rule = "mod adam;\nmod schedule;\npub use adam::Adam;\n";
    let (adam, schedule) =
        ("pub struct Adam;", "use super::Adam;\nuse crate::Adam as Same;\npub struct Schedule;");
    let read = |rule: &str, schedule: &str| {
        let files = [("optim/mod.rs", rule), ("optim/adam.rs", adam), ("optim/schedule.rs", schedule)];
        made_up(root, &files).imports()
    };
    let imports = read(rule, schedule);
    let all: Vec<_> = imports.all().collect();
    assert_eq!(all, [("thinnet/src/optim/schedule.rs", "thinnet/src/optim/adam.rs", "Adam".to_owned())]);

    // The file above is in the circle when it takes and gives what is its own.
    let rule = format!("{rule}use schedule::Schedule;\npub struct Rule(Schedule);");
    assert_eq!(read(&rule, schedule).circles(), []);
    let circles = read(&rule, "use super::Rule;\npub struct Schedule;").circles();
    assert_eq!(circles[0].files, ["thinnet/src/optim/mod.rs", "thinnet/src/optim/schedule.rs"]);
}

#[test]
fn a_module_that_looks_up_is_found() {
    let found = |module: &str, text: &str| {
        let floors = "pub mod net;\npub mod layers;\npub mod solver;\npub mod attic;\npub mod error;\npub use error::Error;";
        let mut files: Vec<(String, &str)> =
            ["net", "layers", "solver", "attic"].map(|name| (format!("{name}.rs"), "pub struct X;")).to_vec();
        files.push(("error.rs".to_owned(), "pub enum Error {}"));
        for (name, content) in &mut files {
            if name.trim_end_matches(".rs") == module {
                *content = text;
            }
        }
        let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), *text)).collect();
        let read = made_up(floors, &files);
        [violations(&read.imports()), violations(&read.re_exports())].concat()
    };
    assert_eq!(
        found("net", "use crate::layers::X;\nuse crate::{Error, error::Error as E};"),
        Vec::<String>::new()
    );
    assert_eq!(
        found("layers", "use crate::net::X;"),
        ["thinnet/src/layers.rs may not import from thinnet/src/net.rs: X"]
    );
    assert_eq!(found("layers", "pub use crate::net::X;").len(), 1);
    assert_eq!(found("net", "fn f() -> crate::solver::X {}").len(), 1);
    assert_eq!(found("net", "use crate::attic::X;").len(), 1, "a module on no floor");
    assert_eq!(found("net", "#[cfg(test)]\nuse crate::solver::X;").len(), 0);
}
