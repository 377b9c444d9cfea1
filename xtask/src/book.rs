//! The docs as a book, by mdBook, and the links of the pages that it makes, by lychee.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use crate::command::{cargo, command, is_ci, root, run, target};
use crate::prose;
use crate::venv::Venv;

const VERSION: &str = "0.5.4";

/// Where the book's chapters and its settings are.
const DOCS: &str = "docs";

#[derive(clap::Args)]
pub struct Arguments {
    /// Show the book in the browser
    #[arg(long)]
    open: bool,
}

/// Builds the book, for a person who wants to read it.
pub fn run_all(arguments: &Arguments) -> Result<()> {
    let mdbook = installed()?;
    let book = build(&mdbook)?;
    eprintln!("the book: {}", book.join("index.html").display());
    if arguments.open {
        // mdBook shows only what it builds. A browser would keep the pipe of `build` open.
        run(command(&mdbook, &["build", DOCS, "--open", "--dest-dir"]).arg(&book))?;
    }
    Ok(())
}

/// Judges the book: every page of docs/ is in it, and every link leads to a page that exists, and to a heading that exists if it
/// names one. Where mdBook cannot be installed that is skipped, but not in CI.
pub fn check() -> Result<()> {
    let mdbook = match installed() {
        Ok(mdbook) => mdbook,
        Err(reason) if is_ci() => return Err(reason),
        Err(reason) => {
            eprintln!("  skipped: mdBook cannot be installed: {reason:#}");
            return Ok(());
        }
    };
    let book = build(&mdbook)?;
    for page in prose::pages(&root().join(DOCS))? {
        let name = page.file_name().unwrap_or_default();
        let chapter = book.join(name).with_extension("html").is_file();
        ensure!(chapter || name == "SUMMARY.md", "{} is not in {DOCS}/SUMMARY.md", page.display());
    }
    let mut lychee = command(Venv::for_lint()?.program("lychee"), &["--quiet", "--no-progress", "--offline"]);
    lychee.args(["--include-fragments=anchor-only", "--extensions", "html", "--root-dir"]).arg(&book);
    // The root's pages lead into docs/.
    run(lychee.arg(&book).args(prose::pages(root())?))
}

/// The program mdBook under the target folder. Cargo installs it unless it is there.
fn installed() -> Result<PathBuf> {
    let tools = target().join("tools");
    let mut install = cargo(&["install", "--quiet", "--locked", "mdbook", "--version", VERSION]);
    // Without the server for writers.
    install.args(["--no-default-features", "--features", "search"]);
    // Code that is not optimised compiles faster, and builds this book in half a second.
    install.args(["--config", "profile.release.opt-level=0"]);
    run(install.arg("--root").arg(&tools))?;
    Ok(tools.join("bin/mdbook"))
}

/// The folder of the book. It is built into an empty folder; a warning is an error.
fn build(mdbook: &Path) -> Result<PathBuf> {
    let book = target().join("book");
    let mut build = command(mdbook, &["build", DOCS, "--dest-dir"]);
    // At this level a sound book prints nothing.
    build.arg(&book).env("MDBOOK_LOG", "warn");
    let output = build.output().with_context(|| format!("cannot run {}", mdbook.display()))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() || !said.trim().is_empty() {
        bail!("mdBook is not content with {DOCS}:\n{}", said.trim());
    }
    Ok(book)
}
