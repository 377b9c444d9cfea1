//! What the files of a Python package import from one another. A line within a docstring is none of them.

use std::collections::BTreeMap;

use regex::Regex;

use crate::circles::Imports;

/// `from MODULE import NAMES`, on one line or in brackets, or `import MODULE`, wherever they stand in a file.
const IMPORT: &str = r"(?m)^[ \t]*(?:from[ \t]+(?P<from>[.\w]+)[ \t]+import[ \t]+(?P<names>\([^)]*\)|.*)|import[ \t]+(?P<whole>.*))";

/// An import as it is written: the module's full name, and a name in it.
type Written = (String, Option<String>);

/// The imports of a package.
///
/// - `files`: path and text of each file; the package's folder is `folder`, and its name the folder's
pub fn imports(folder: &str, files: &BTreeMap<String, String>) -> Imports {
    let above = folder.rsplit_once('/').map_or("", |(above, _)| above);
    let name = |path: &str| {
        let path = path.trim_start_matches(above).trim_start_matches('/');
        let path = path.trim_end_matches(".pyi").trim_end_matches(".py").trim_end_matches("/__init__");
        path.replace('/', ".")
    };
    let package = Package {
        paths: files.keys().map(|path| (name(path), path.clone())).collect(),
        written: files.iter().map(|(path, text)| (path.clone(), read(&name(path), path, text))).collect(),
    };
    let mut imports = Imports::default();
    for (path, written) in &package.written {
        for (module, taken) in written {
            if let Some(other) = package.place(module, taken.as_deref(), 0) {
                imports.add(path, other, taken.as_deref().unwrap_or(module));
            }
        }
    }
    imports
}

struct Package {
    /// The file of each module.
    paths: BTreeMap<String, String>,
    /// What each file imports, as it is written.
    written: BTreeMap<String, Vec<Written>>,
}

impl Package {
    /// The file that a name of a module is from: a module below it, where its `__init__` has it from, or its own file.
    fn place(&self, module: &str, name: Option<&str>, depth: usize) -> Option<&str> {
        let own = self.paths.get(module)?;
        let Some(name) = name else { return Some(own) };
        if let Some(below) = self.paths.get(&format!("{module}.{name}")) {
            return Some(below);
        }
        let from = self.written[own].iter().find(|(_, taken)| taken.as_deref() == Some(name));
        match from.filter(|_| own.contains("/__init__.") && depth < 8) {
            Some((module, taken)) => self.place(module, taken.as_deref(), depth + 1),
            None => Some(own),
        }
    }
}

/// What a file imports.
fn read(module: &str, path: &str, text: &str) -> Vec<Written> {
    let code: String = text.split("\"\"\"").step_by(2).collect(); // every other piece is a long string
    let code = Regex::new(r"#.*").unwrap().replace_all(&code, "");
    let mut written = Vec::new();
    for import in Regex::new(IMPORT).unwrap().captures_iter(&code) {
        let names = |names: &str| -> Vec<String> {
            let names = names.trim_matches(['(', ')', ' ', '\n']).split(',').map(str::trim);
            let first = |name: &str| name.split_whitespace().next().unwrap_or_default().to_owned();
            names.map(first).filter(|name| !name.is_empty()).collect()
        };
        match import.name("from") {
            Some(from) => {
                let from = absolute(module, path.contains("/__init__."), from.as_str());
                written.extend(names(&import["names"]).into_iter().map(|name| (from.clone(), Some(name))));
            }
            None => written.extend(names(&import["whole"]).into_iter().map(|name| (name, None))),
        }
    }
    written
}

/// The full name of a module that `module` calls `from`: each dot but the first is one package further up.
fn absolute(module: &str, is_package: bool, from: &str) -> String {
    let name = from.trim_start_matches('.');
    let dots = from.len() - name.len();
    if dots == 0 {
        return name.to_owned();
    }
    let up = if is_package { dots - 1 } else { dots };
    let parts: Vec<&str> = module.split('.').collect();
    let mut parts = parts[..parts.len().saturating_sub(up)].to_vec();
    parts.extend(Some(name).filter(|name| !name.is_empty()));
    parts.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_package(files: &[(&str, &str)]) -> Imports {
        let files = files.iter().map(|(path, text)| (format!("lib/net/{path}"), (*text).to_owned()));
        imports("lib/net", &files.collect())
    }

    #[test]
    fn a_circle_is_found_however_it_is_written() {
        for back in [
            "from ._a import A\n",
            "from . import _a\n",
            "from net._a import (\n    A,  # the first\n    B as C,\n)\n",
            "import net._a\n",
            "import os, net._a as a\n",
            "if TYPE_CHECKING:\n    from net._a import A\n",
            "def f() -> None:\n    from net import A\n",
        ] {
            let imports = read_package(&[
                ("__init__.py", "from net._a import A\n"),
                ("_a.py", "from net.below.b import b\n"),
                ("below/__init__.py", ""),
                ("below/b.py", &back.replace("from .", "from ..")),
            ]);
            let circles = imports.circles();
            assert_eq!(circles.len(), 1, "{back}: {imports:?}");
            assert_eq!(circles[0].files, ["lib/net/_a.py", "lib/net/below/b.py"], "{back}");
        }
    }

    #[test]
    fn what_a_package_only_hands_on_is_from_where_it_is_made() {
        let handed_on = "from ._a import A\nfrom ._b import B\n";
        let files = [("__init__.py", handed_on), ("_a.py", "from net import B\n"), ("_b.py", "import os\n")];
        let imports = read_package(&files);
        assert_eq!(imports.circles(), []);
        assert!(imports.0["lib/net/_a.py"].contains_key("lib/net/_b.py"), "{imports:?}");
        let made = format!("{handed_on}VERSION = 1\n");
        let files = [("__init__.py", made.as_str()), ("_a.py", "from net import VERSION\n"), ("_b.py", "")];
        assert_eq!(read_package(&files).circles().len(), 1);
    }

    #[test]
    fn text_imports_nothing() {
        let text =
            "\"\"\"A tour.\n\nfrom ._b import B\n\"\"\"\n# from ._b import B\nx = \"from ._b import B\"\n";
        assert_eq!(read_package(&[("_a.py", text), ("_b.py", "from ._a import A\n")]).circles(), []);
    }
}
