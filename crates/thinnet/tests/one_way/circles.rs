//! Circles of files: each takes something from the next, directly or through others, and the last from the first.

use std::collections::{BTreeMap, BTreeSet};

/// What files take from one another: the file, the file that it takes from, the names that it takes.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Imports(pub BTreeMap<String, BTreeMap<String, BTreeSet<String>>>);

/// Files each of which reaches all the others, and what ties them.
#[derive(Debug, PartialEq, Eq)]
pub struct Circle {
    /// The files, sorted.
    pub files: Vec<String>,
    /// "file -> file: names".
    pub ties: Vec<String>,
}

impl Imports {
    /// Notes that `file` takes `name` from `other`.
    pub fn add(&mut self, file: &str, other: &str, name: &str) {
        if file != other {
            let others = self.0.entry(file.to_owned()).or_default();
            others.entry(other.to_owned()).or_default().insert(name.to_owned());
        }
    }

    /// Every import: the file, the other file, the names.
    pub fn all(&self) -> impl Iterator<Item = (&str, &str, String)> {
        self.0.iter().flat_map(|(file, others)| {
            let names = |names: &BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>().join(", ");
            others.iter().map(move |(other, taken)| (file.as_str(), other.as_str(), names(taken)))
        })
    }

    /// Every circle, each file in at most one.
    pub fn circles(&self) -> Vec<Circle> {
        let reached: BTreeMap<&str, BTreeSet<&str>> =
            self.0.keys().map(|file| (file.as_str(), self.reached(file))).collect();
        let reaches = |from: &str, to: &str| reached.get(from).is_some_and(|files| files.contains(to));
        let mut circles: Vec<Circle> = Vec::new();
        for (&file, files) in reached.iter().filter(|(file, files)| files.contains(*file)) {
            if !circles.iter().any(|circle| circle.files.iter().any(|known| known == file)) {
                let files = files.iter().filter(|other| reaches(other, file)).map(|&other| other.to_owned());
                circles.push(self.circle(files.collect()));
            }
        }
        circles
    }

    /// All files that a file takes from, directly or through others.
    fn reached<'a>(&'a self, file: &'a str) -> BTreeSet<&'a str> {
        let mut reached = BTreeSet::new();
        let mut waiting = vec![file];
        while let Some(file) = waiting.pop() {
            let others = self.0.get(file).into_iter().flat_map(BTreeMap::keys);
            waiting.extend(others.map(String::as_str).filter(|&other| reached.insert(other)));
        }
        reached
    }

    fn circle(&self, files: Vec<String>) -> Circle {
        let within = |file: &str| files.iter().any(|known| known == file);
        let ties = self.all().filter(|(file, other, _)| within(file) && within(other));
        let ties = ties.map(|(file, other, names)| format!("{file} -> {other}: {names}")).collect();
        Circle { files, ties }
    }
}

#[test]
fn a_circle_has_the_files_that_reach_each_other_and_no_others() {
    let mut imports = Imports::default();
    for (file, other, name) in [
        ("a", "b", "B"),
        ("b", "c", "C"),
        ("b", "c", "D"),
        ("c", "a", "A"),
        ("above", "a", "A"),
        ("c", "below", "X"),
    ] {
        imports.add(file, other, name);
    }
    imports.add("alone", "alone", "Self");
    let ties = ["a -> b: B", "b -> c: C, D", "c -> a: A"].map(str::to_owned).to_vec();
    let files = ["a", "b", "c"].map(str::to_owned).to_vec();
    assert_eq!(imports.circles(), [Circle { files, ties }]);
    imports.add("x", "y", "Y");
    imports.add("y", "x", "X");
    assert_eq!(imports.circles().len(), 2);
}
