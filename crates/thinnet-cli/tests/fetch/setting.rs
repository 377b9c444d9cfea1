//! A folder with a catalogue of small files, and the program that fetches them.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use assert_cmd::Command;
use md5::{Digest, Md5};
use tempfile::TempDir;

use crate::common::{empty_folder, names, thinnet};

/// The name of the one archive.
pub const ARCHIVE: &str = "cifar-10-python.tar.gz";
/// The variables that tell of proxies and folders.
const ENVIRONMENT: [&str; 10] = [
    "ALL_PROXY",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "all_proxy",
    "https_proxy",
    "http_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "THINNET_DATASETS",
];

/// Where a test happens.
pub struct Setting {
    folder: TempDir,
}

impl Setting {
    /// `cifar10` is one archive, `mnist` the files of [`digits`]; both at these addresses, which end in `/`.
    pub fn new(mirrors: &[String]) -> Self {
        let folder = empty_folder();
        let file = |name: &str, body: &[u8]| {
            let sum = format!("{:032x}", u128::from_be_bytes(Md5::digest(body).into()));
            serde_json::json!({"name": name, "size": body.len(), "md5": sum})
        };
        let digits: Vec<_> = digits().iter().map(|(name, body)| file(name, body)).collect();
        let catalogue = serde_json::json!({
            "cifar10": {"mirrors": mirrors, "files": [file(ARCHIVE, &archive())]},
            "mnist": {"folder": "mnist", "mirrors": mirrors, "files": digits},
        });
        fs::write(folder.path().join("catalogue"), catalogue.to_string()).unwrap();
        Self { folder }
    }

    /// The program that fetches `dataset` into `data`, patient for half a second, and trying again after 10 milliseconds.
    pub fn fetch(&self, dataset: &str) -> Command {
        self.fetch_with(dataset, &["--dir", "data", "--timeout", "0.5", "--pause", "0.01", "--retries", "3"])
    }

    /// The program that fetches `dataset`, with these options.
    pub fn fetch_with(&self, dataset: &str, options: &[&str]) -> Command {
        let mut command = thinnet(self.path());
        command.args(["data", "fetch", dataset, "--catalogue", "catalogue"]).args(options);
        for name in ENVIRONMENT {
            command.env_remove(name);
        }
        command
    }

    /// Waits until this much of the archive is there.
    pub fn wait_for(&self, bytes: usize) {
        for _ in 0..1000 {
            if fs::metadata(self.part()).is_ok_and(|part| part.len() >= bytes as u64) {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("nothing arrives");
    }

    /// The folder that it runs in.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The folder of data sets.
    pub fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    /// The archive, when it is there.
    pub fn archive(&self) -> PathBuf {
        self.data().join(ARCHIVE)
    }

    /// What there is of it before.
    pub fn part(&self) -> PathBuf {
        self.data().join(format!("{ARCHIVE}.part"))
    }

    /// Puts a part there.
    pub fn start_with(&self, bytes: &[u8]) {
        fs::create_dir_all(self.data()).unwrap();
        fs::write(self.part(), bytes).unwrap();
    }

    /// Fetches the archive, which must work and leave nothing but it. Gives standard error.
    pub fn succeeds(&self) -> String {
        let output = self.fetch("cifar10").assert().success().get_output().clone();
        let path = Path::new("data").join(ARCHIVE);
        assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("{}\n", path.display()));
        assert!(fs::read(self.archive()).unwrap() == archive(), "what arrived is not what was sent");
        assert_eq!(names(&self.data()), [ARCHIVE]);
        String::from_utf8(output.stderr).unwrap()
    }

    /// Fetches the archive, which must fail with one sentence after what it says by the way. Gives that sentence.
    pub fn fails(&self) -> String {
        let output = self.fetch("cifar10").output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{stderr}");
        assert!(!self.archive().exists(), "{stderr}");
        let last = stderr.lines().last().unwrap().to_owned();
        assert!(last.starts_with("error: ") && stderr.matches("error: ").count() == 1, "{stderr}");
        last
    }

    /// The same, and nothing of the archive is left.
    pub fn fails_and_keeps_nothing(&self) -> String {
        let sentence = self.fails();
        assert_eq!(names(&self.data()), Vec::<String>::new(), "{sentence}");
        assert!(!sentence.contains("kept"), "{sentence}");
        sentence
    }
}

/// Bytes of the archive: more than one read takes, no two parts of it alike.
pub fn archive() -> Vec<u8> {
    (0_u32..75_000).flat_map(u32::to_le_bytes).collect()
}

/// Names and bytes of several files.
pub fn digits() -> [(&'static str, Vec<u8>); 2] {
    [("images.gz", archive()[..5_000].to_vec()), ("labels.gz", archive()[5_000..5_100].to_vec())]
}
