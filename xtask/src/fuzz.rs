//! `cargo xtask fuzz`: tests the readers of data sets and networks with bytes that a fuzzer makes from valid files.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::command::{command, root, run, succeeds, target};

/// The targets of `fuzz/`, each with the extensions of the test files to start from.
const TARGETS: [(&str, &[&str]); 14] = [
    ("pickle", &["pickle"]),
    ("tar", &["tar"]),
    ("idx", &["idx"]),
    ("npy", &["npy"]),
    ("npz", &["npz"]),
    ("csv", &["csv", "jsonl", "arff"]),
    ("svmlight", &["svm"]),
    ("mat", &["mat"]),
    ("hdf5", &["h5"]),
    ("columnar", &["parquet", "feather", "arrow", "arrows"]),
    ("safetensors", &["safetensors"]),
    ("onnx", &["onnx"]),
    ("images", &["png", "jpg", "bmp", "gif", "tiff", "webp"]),
    (
        "open",
        &[
            "pickle", "tar", "idx", "npz", "csv", "jsonl", "arff", "svm", "mat", "gz", "bz2", "xz", "zst",
            "bin",
        ],
    ),
];

/// Real files, cut to this many bytes, for the target with this name.
const REAL: [(&str, &str, usize); 5] = [
    ("pickle", "cifar-10-batches-py/data_batch_1", 40_000),
    ("pickle", "cifar-10-batches-py/batches.meta", 4_000),
    ("open", "cifar-10-python.tar.gz", 20_000),
    ("open", "cifar-10-batches-bin/test_batch.bin", 3 * 3073),
    ("idx", "mnist/t10k-images-idx3-ubyte", 16 + 10 * 784),
];

/// What to fuzz, and for how long.
#[derive(clap::Args)]
pub struct Arguments {
    /// pickle, tar, idx, npy, npz, csv, svmlight, mat, hdf5, columnar, safetensors, onnx, images or open; all of them by default
    targets: Vec<String>,
    /// Seconds for each target
    #[arg(long, default_value = "600")]
    seconds: u32,
    /// Folder of the real data sets; pieces of them are also starting points
    #[arg(long, env = "THINNET_DATASETS")]
    datasets: Option<PathBuf>,
}

pub fn run_all(arguments: &Arguments) -> Result<()> {
    if !succeeds(&mut command("cargo", &["+nightly", "fuzz", "--version"])) {
        bail!(
            "cargo-fuzz and a nightly compiler are needed: rustup toolchain install nightly; cargo install cargo-fuzz"
        );
    }
    if let Some(unknown) =
        arguments.targets.iter().find(|name| TARGETS.iter().all(|(target, _)| target != name))
    {
        bail!(
            "there is no fuzz target {unknown:?}; the targets are {}",
            TARGETS.map(|(name, _)| name).join(", ")
        );
    }
    for (name, endings) in TARGETS {
        if !arguments.targets.is_empty() && !arguments.targets.iter().any(|target| target == name) {
            continue;
        }
        let seeds = seeds(name, endings, arguments.datasets.as_deref())?;
        let corpus = root().join("fuzz/corpus").join(name);
        fs::create_dir_all(&corpus).with_context(|| format!("cannot create {}", corpus.display()))?;
        eprintln!("fuzz: {name}");
        let mut fuzz = command("cargo", &["+nightly", "fuzz", "run", "--target-dir"]);
        fuzz.arg(target().join("fuzz")).arg(name).arg(corpus).arg(seeds).arg("--");
        fuzz.arg(format!("-max_total_time={}", arguments.seconds));
        run(fuzz.args(["-timeout=25", "-rss_limit_mb=2048", "-max_len=65536", "-print_final_stats=1"]))?;
    }
    Ok(())
}

/// The folder of a target's starting files: the tests' own, whole and truncated, and pieces of real ones.
fn seeds(name: &str, endings: &[&str], datasets: Option<&Path>) -> Result<PathBuf> {
    let folder = root().join("fuzz/seeds").join(name);
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let files = root().join("crates/thinnet/tests/files");
    for entry in fs::read_dir(&files).with_context(|| format!("cannot read {}", files.display()))? {
        let path = entry?.path();
        let Some(file) = path.file_name().and_then(|file| file.to_str()) else { continue };
        if endings.iter().any(|ending| path.extension().is_some_and(|extension| extension == *ending)) {
            let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            for part in [1, 2, 3] {
                let cut = &bytes[..bytes.len() * part / 3];
                fs::write(folder.join(format!("{file}-{part}")), cut)?;
            }
        }
    }
    for (target, file, length) in REAL {
        let path = datasets.map(|folder| folder.join(file)).filter(|path| path.is_file());
        if let (true, Some(path)) = (target == name, path) {
            let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            fs::write(folder.join(file.replace('/', "-")), &bytes[..bytes.len().min(length)])?;
        }
    }
    Ok(folder)
}
