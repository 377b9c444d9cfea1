//! The built-in sizes and checksums, against the published files.

use std::env;
use std::fs;
use std::path::PathBuf;

use etcetera::BaseStrategy;

use crate::common::{empty_folder, names, thinnet};
use crate::server::{Server, good};

/// The folder of real data sets.
fn datasets() -> PathBuf {
    env::var_os("THINNET_DATASETS").map_or_else(
        || etcetera::base_strategy::choose_native_strategy().unwrap().cache_dir().join("thinnet/datasets"),
        PathBuf::from,
    )
}

#[test]
fn fashion_mnist_as_it_was_published_is_taken() {
    let published = datasets().join("fashion-mnist");
    if !published.is_dir() {
        assert_ne!(env::var("CI").as_deref(), Ok("true"), "{} is not there", published.display());
        eprintln!("skipped: {} is not there", published.display());
        return;
    }
    let from = published.clone();
    let server = Server::start(move |request, _| {
        let name = request.target.rsplit('/').next().unwrap();
        good(request, &fs::read(from.join(name)).unwrap(), "\"1\"")
    });
    let folder = empty_folder();
    let mut command = thinnet(folder.path());
    command.args(["data", "fetch", "fashion-mnist", "--dir", "data", "--url", &server.url("")]);
    command.env("NO_PROXY", "*").assert().success().stdout("data/fashion-mnist\n");
    let fetched = folder.path().join("data/fashion-mnist");
    assert_eq!(names(&fetched).len(), 4);
    for name in names(&fetched) {
        assert!(fs::read(fetched.join(&name)).unwrap() == fs::read(published.join(&name)).unwrap(), "{name}");
    }
}
