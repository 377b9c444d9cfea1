//! The built-in sizes and checksums, against the published files.

use std::fs;

use crate::common::datasets::real_data;
use crate::common::{empty_folder, names, thinnet};
use crate::server::{Server, good};

#[test]
fn fashion_mnist_as_it_was_published_is_taken() {
    let Some(published) = real_data("fashion-mnist") else { return };
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
