//! `cargo xtask lint`: every check that does not run the project.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};

use crate::command::{cargo, command, is_ci, root, run, succeeds, target};
use crate::venv::Venv;
use crate::{book, onnx, prose, tensorboard};

pub fn run_all() -> Result<()> {
    eprintln!("lint: formatting");
    run(&mut cargo(&["fmt", "--all", "--check"]))?;
    eprintln!("lint: clippy");
    run(&mut cargo(&["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"]))?;
    let small = ["clippy", "-p", "thinnet", "--no-default-features", "--all-targets", "--quiet"];
    run(cargo(&small).args(["--", "-D", "warnings"]))?;
    // As the Python package has it.
    let package =
        ["clippy", "-p", "thinnet", "--no-default-features", "--features", "files,images", "--quiet"];
    run(cargo(&package).args(["--", "-D", "warnings"]))?;
    eprintln!("lint: WebAssembly");
    web()?;
    eprintln!("lint: documentation");
    let doc = ["doc", "--workspace", "--no-deps", "--document-private-items", "--quiet"];
    run(cargo(&doc).env("RUSTDOCFLAGS", "-D warnings"))?;
    eprintln!("lint: packages");
    packages()?;
    eprintln!("lint: licences and bans");
    licences()?;
    eprintln!("lint: Python");
    python()?;
    eprintln!("lint: prose and links");
    prose::check()?;
    eprintln!("lint: book");
    book::check()?;
    eprintln!("lint: shell");
    run(&mut command("bash", &["-n", ".ci/run"]))
}

/// Checks that the library without its features builds for WebAssembly in a page. This needs the standard library's
/// source, which Debian's compiler has.
fn web() -> Result<()> {
    let cargo = Path::new("/usr/bin/cargo");
    let source =
        Command::new("/usr/bin/rustc").args(["--print", "sysroot"]).output().ok().and_then(|output| {
            let sysroot = String::from_utf8(output.stdout).ok()?;
            Some(Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library/std"))
        });
    if !cargo.is_file() || !source.is_some_and(|folder| folder.is_dir()) {
        ensure!(!is_ci(), "Debian's cargo-web, rustc-web and rust-web-src are not installed");
        eprintln!("  skipped: it needs Debian's packages cargo-web, rustc-web, rust-web-src and lld");
        return Ok(());
    }
    let mut check = command(cargo, &["check", "--quiet", "--package", "thinnet", "--no-default-features"]);
    check.args(["--target", "wasm32-unknown-unknown", "-Zbuild-std=std,panic_abort"]);
    // Programs that cargo runs during the build need not be fast.
    check.args(["--config", "profile.dev.package.'*'.opt-level=0"]);
    check.env("RUSTC", "/usr/bin/rustc").env("RUSTC_BOOTSTRAP", "1").env("RUSTFLAGS", "-D warnings");
    run(check.env("CARGO_TARGET_DIR", target().join("web")))
}

/// The crates must be ready to be published. That the packages build as well is for `cargo publish --dry-run --workspace`, which
/// compiles all of them.
fn packages() -> Result<()> {
    let package = ["package", "--workspace", "--offline", "--no-verify", "--allow-dirty", "--quiet"];
    let unpublished = ["--exclude", "xtask", "--exclude", "thinnet-python"];
    run(cargo(&package).args(unpublished))
}

/// Licences, duplicate versions and sources of the dependency tree; known vulnerabilities where their database is.
fn licences() -> Result<()> {
    if !succeeds(&mut cargo(&["deny", "--version"])) {
        eprintln!("  skipped: cargo-deny is not installed (cargo install cargo-deny)");
        return Ok(());
    }
    run(&mut cargo(&["deny", "--log-level", "error", "check", "licenses", "bans", "sources"]))?;
    if advisory_database().is_some_and(|folder| folder.is_dir()) {
        run(&mut cargo(&["deny", "--offline", "--log-level", "error", "check", "advisories"]))
    } else {
        eprintln!("  advisories skipped: their database is not installed (cargo deny fetch)");
        Ok(())
    }
}

/// The folder of advisory databases that cargo-deny fetched.
fn advisory_database() -> Option<PathBuf> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    Some(home.or_else(|| Some(env::home_dir()?.join(".cargo")))?.join("advisory-dbs"))
}

/// Checks the style and types of the scripts.
fn python() -> Result<()> {
    let venv = Venv::for_lint()?;
    // Where the settings are is what tells ruff a script's neighbours from packages.
    let settings = "compare/pyproject.toml";
    let own = ["--config", settings];
    for (folder, more) in
        [("compare", &[][..]), ("xtask", &own), (tensorboard::TESTS, &own), (onnx::TESTS, &own)]
    {
        for task in [&["format", "--quiet", "--check", folder][..], &["check", "--quiet", folder]] {
            run(command(venv.program("ruff"), task).args(more))?;
        }
    }
    run(command(venv.program("mypy"), &["--no-error-summary", "."]).current_dir(root().join("compare")))?;
    let mypy = ["--no-error-summary", "--config-file", settings];
    for script in ["xtask/datasets.py", tensorboard::TESTS, onnx::TESTS] {
        run(command(venv.program("mypy"), &mypy).arg(script))?;
    }
    let package = "crates/thinnet-python";
    for task in [
        &["format", "--quiet", "--check", package, "examples"][..],
        &["check", "--quiet", package, "examples"],
    ] {
        run(&mut command(venv.program("ruff"), task))?;
    }
    // The settings are in the pyproject.toml above it.
    let settings = root().join("pyproject.toml");
    run(command(venv.program("mypy"), &["--no-error-summary", "--package", "thinnet", "--config-file"])
        .arg(settings)
        .current_dir(root().join(package).join("python")))
}
