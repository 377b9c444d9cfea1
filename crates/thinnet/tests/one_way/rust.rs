//! What the files of a Rust crate take from one another, whichever way they write it.
//!
//! A name counts for the file that defines it, however often it is re-exported. What counts is every path that leads into
//! another file: of a `use`, a type, a call, a macro's tokens, an attribute. `mod` and `pub use` lines only arrange names,
//! and code under `#[cfg(test)]` and documentation are no part of the crate. Methods need no import, and are not seen.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Ident, ImplItemFn, Item, ItemMod, ItemUse, Macro, Meta, UseTree, Visibility};

use crate::circles::Imports;

/// A path as it is written, or that of a module from the crate's root.
type Path = Vec<String>;

/// Re-exports of re-exports that are followed at most; a name that stands for itself would be followed for ever.
const DEEPEST: usize = 16;

/// What a name stands for in a module.
enum Meaning {
    Item,
    Module,
    Use(Path),
}

#[derive(Default)]
struct Module {
    file: String,
    names: BTreeMap<String, Vec<Meaning>>,
    /// Modules all of whose names stand here as well.
    globs: Vec<Path>,
    /// All paths that are written here but in re-exports.
    paths: BTreeSet<Path>,
    /// The paths of re-exports.
    re_exports: BTreeSet<Path>,
}

/// A crate's modules.
pub struct Crate(BTreeMap<Path, Module>);

impl Crate {
    /// Reads the crate whose root is the file `root`.
    ///
    /// - `files`: path and text of each file
    pub fn read(root: &str, files: &BTreeMap<String, String>) -> Self {
        let mut reader = Reader { files, modules: BTreeMap::new(), module: vec![], file: root.to_owned() };
        reader.read_file();
        Self(reader.modules)
    }

    /// What the files take from one another.
    pub fn imports(&self) -> Imports {
        self.followed(|module| &module.paths)
    }

    /// What the files re-export of others.
    pub fn re_exports(&self) -> Imports {
        self.followed(|module| &module.re_exports)
    }

    fn followed(&self, paths: impl Fn(&Module) -> &BTreeSet<Path>) -> Imports {
        let mut imports = Imports::default();
        for (at, module) in &self.0 {
            for path in paths(module) {
                for (file, name) in self.resolve(at, path, 0) {
                    imports.add(&module.file, &file, &name);
                }
            }
        }
        imports
    }

    /// The items that `path` leads to from the module `at`: file and name. What leads out of the crate leads to none.
    fn resolve(&self, at: &Path, path: &[String], depth: usize) -> BTreeSet<(String, String)> {
        let (mut from, mut rest) = (at.clone(), path);
        while let [first, others @ ..] = rest {
            match first.as_str() {
                "crate" => from.clear(),
                "self" => {}
                "super" => drop(from.pop()),
                _ => break,
            }
            rest = others;
        }
        let is_rooted = rest.len() < path.len();
        self.walk(&from, rest, is_rooted, depth)
    }

    /// - `is_known`: whether `at` must have the first name, as it need not if that may be another crate's
    fn walk(&self, at: &Path, path: &[String], is_known: bool, depth: usize) -> BTreeSet<(String, String)> {
        let (Some(module), [name, rest @ ..]) = (self.0.get(at), path) else { return BTreeSet::new() };
        if depth > DEEPEST {
            return BTreeSet::new();
        }
        let meanings = module.names.get(name).map_or(&[][..], Vec::as_slice);
        if !rest.is_empty() && meanings.iter().any(|meaning| matches!(meaning, Meaning::Module)) {
            return self.walk(&[&at[..], std::slice::from_ref(name)].concat(), rest, true, depth);
        }
        let mut found = BTreeSet::new();
        for meaning in meanings {
            match meaning {
                Meaning::Item => drop(found.insert((module.file.clone(), name.clone()))),
                Meaning::Use(path) => found.extend(self.resolve(at, &[path, rest].concat(), depth + 1)),
                Meaning::Module => {}
            }
        }
        if meanings.is_empty() {
            for glob in &module.globs {
                found.extend(self.resolve(at, &[&glob[..], path].concat(), depth + 1));
            }
            if found.is_empty() && is_known {
                found.insert((module.file.clone(), name.clone())); // a macro has made it, or it is `*`
            }
        }
        found
    }
}

/// Reads the file `file`, whose module is `module`.
struct Reader<'a> {
    files: &'a BTreeMap<String, String>,
    modules: BTreeMap<Path, Module>,
    module: Path,
    file: String,
}

impl Reader<'_> {
    fn here(&mut self) -> &mut Module {
        let module = self.modules.entry(self.module.clone()).or_default();
        module.file.clone_from(&self.file);
        module
    }

    fn read_file(&mut self) {
        let text = self.files.get(&self.file).unwrap_or_else(|| panic!("there is no file {}", self.file));
        let syntax = syn::parse_file(text).unwrap_or_else(|error| panic!("{}: {error}", self.file));
        self.here();
        self.visit_file(&syntax);
    }

    /// The file of a module that is declared in this one.
    fn file_of(&self, module: &str) -> String {
        let (folder, name) = self.file.rsplit_once('/').unwrap();
        let folder = match name {
            "lib.rs" | "main.rs" | "mod.rs" => folder.to_owned(),
            _ => format!("{folder}/{}", name.trim_end_matches(".rs")),
        };
        let beside = format!("{folder}/{module}.rs");
        if self.files.contains_key(&beside) { beside } else { format!("{folder}/{module}/mod.rs") }
    }

    fn bind(&mut self, name: &Ident, meaning: Meaning) {
        self.here().names.entry(name.to_string()).or_default().push(meaning);
    }

    fn uses(&mut self, tree: &UseTree, before: &Path, is_public: bool) {
        let with = |name: &Ident| [&before[..], &[name.to_string()]].concat();
        let (path, name) = match tree {
            UseTree::Path(path) => return self.uses(&path.tree, &with(&path.ident), is_public),
            UseTree::Group(group) => {
                return group.items.iter().for_each(|tree| self.uses(tree, before, is_public));
            }
            UseTree::Glob(_) => {
                self.here().globs.push(before.clone());
                ([&before[..], &["*".to_owned()]].concat(), None)
            }
            // `a::{self}` is `a`.
            UseTree::Name(name) if name.ident == "self" => (before.clone(), before.last().cloned()),
            UseTree::Name(name) => (with(&name.ident), Some(name.ident.to_string())),
            UseTree::Rename(name) if name.ident == "self" => (before.clone(), Some(name.rename.to_string())),
            UseTree::Rename(name) => (with(&name.ident), Some(name.rename.to_string())),
        };
        let module = self.here();
        if let Some(name) = name {
            module.names.entry(name).or_default().push(Meaning::Use(path.clone()));
        }
        if is_public { &mut module.re_exports } else { &mut module.paths }.insert(path);
    }

    /// The paths among a macro's tokens.
    fn tokens(&mut self, tokens: TokenStream) {
        let (mut path, mut colons, mut before, mut in_module) = (Path::new(), 0, ' ', false);
        for token in tokens {
            match token {
                TokenTree::Ident(name) => {
                    if colons != 2 {
                        self.here().paths.insert(std::mem::take(&mut path));
                    }
                    in_module |= name == "mod";
                    // A field, a lifetime or a macro's variable is no path.
                    if colons == 2 || !".'$".contains(before) || name == "crate" {
                        path.push(name.to_string());
                    }
                    (colons, before) = (0, ' ');
                }
                TokenTree::Punct(sign) if sign.as_char() == ':' && !path.is_empty() => colons += 1,
                token => {
                    self.here().paths.insert(std::mem::take(&mut path));
                    (colons, before) = (0, ' ');
                    match token {
                        TokenTree::Punct(sign) => before = sign.as_char(),
                        TokenTree::Group(group) if std::mem::take(&mut in_module) => {
                            self.module.push("{}".to_owned());
                            self.tokens(group.stream());
                            self.module.pop();
                        }
                        TokenTree::Group(group) => self.tokens(group.stream()),
                        _ => {}
                    }
                }
            }
        }
        self.here().paths.insert(path);
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        let (attributes, name) = parts(item);
        if is_test(attributes) {
            return;
        }
        if let Some(name) = name {
            self.bind(name, Meaning::Item);
        }
        visit::visit_item(self, item);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        if !is_test(&function.attrs) {
            visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        self.bind(&item.ident, Meaning::Module);
        let name = item.ident.to_string();
        let file = self.file.clone();
        self.module.push(name.clone());
        if item.content.is_some() {
            self.here();
            visit::visit_item_mod(self, item);
        } else {
            self.module.pop();
            self.file = self.file_of(&name);
            self.module.push(name);
            self.read_file();
        }
        self.module.pop();
        self.file = file;
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if item.leading_colon.is_none() {
            self.uses(&item.tree, &vec![], !matches!(item.vis, Visibility::Inherited));
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() {
            let names = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            self.here().paths.insert(names);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast Macro) {
        self.visit_path(&item.path);
        self.tokens(item.tokens.clone());
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        // Serde's attributes have paths in strings.
        if let Meta::List(list) = &attribute.meta {
            let strings = list.tokens.clone().into_iter().filter_map(|token| match token {
                TokenTree::Literal(literal) => syn::parse_str::<syn::LitStr>(&literal.to_string()).ok(),
                _ => None,
            });
            for path in strings.filter_map(|text| text.parse::<syn::Path>().ok()) {
                self.visit_path(&path);
            }
            self.tokens(list.tokens.clone());
        }
    }
}

/// The attributes of an item, and its name if it defines one.
fn parts(item: &Item) -> (&[Attribute], Option<&Ident>) {
    match item {
        Item::Const(item) => (&item.attrs, Some(&item.ident)),
        Item::Enum(item) => (&item.attrs, Some(&item.ident)),
        Item::Fn(item) => (&item.attrs, Some(&item.sig.ident)),
        Item::Impl(item) => (&item.attrs, None),
        Item::Macro(item) => (&item.attrs, item.ident.as_ref()),
        Item::Mod(item) => (&item.attrs, None),
        Item::Static(item) => (&item.attrs, Some(&item.ident)),
        Item::Struct(item) => (&item.attrs, Some(&item.ident)),
        Item::Trait(item) => (&item.attrs, Some(&item.ident)),
        Item::Type(item) => (&item.attrs, Some(&item.ident)),
        Item::Union(item) => (&item.attrs, Some(&item.ident)),
        Item::Use(item) => (&item.attrs, None),
        _ => (&[], None),
    }
}

/// Whether something is for tests alone.
fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Path>().is_ok_and(|condition| condition.is_ident("test"))
    })
}
