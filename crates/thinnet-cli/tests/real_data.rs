//! The program on the whole of CIFAR-10, where it is (see `common::datasets`).
#![allow(clippy::unwrap_used)] // a test's helpers fail by panicking, too

mod common;

use common::datasets::real_data;
use common::{empty_folder, thinnet};

const GOLDEN: &str = include_str!("../../thinnet/tests/golden/experiment_float64.log");

/// The course's experiment prints the same lines from the data set as from the embedded sample, which is a part of it.
#[test]
fn float64_prints_the_golden_log_from_every_form_of_cifar_10() {
    for name in ["cifar-10-python.tar.gz", "cifar-10-batches-py", "cifar-10-batches-bin"] {
        let Some(path) = real_data(name) else { continue };
        let folder = empty_folder();
        let assert =
            thinnet(folder.path()).args(["experiment", "--dtype", "f64", "--data"]).arg(&path).assert();
        let output = String::from_utf8(assert.success().get_output().stdout.clone()).unwrap();
        assert_eq!(output, GOLDEN, "{name}");
    }
}

/// The most memory that this process held at once, in bytes, once it is over.
#[cfg(target_os = "linux")]
fn peak_of(mut child: std::process::Child) -> u64 {
    use std::{fs, thread, time::Duration};
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    loop {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        peak = peak.max(kib.unwrap_or(0) * 1024);
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "{status}");
            return peak;
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// Images stay bytes: 60,000 of them are 176 MiB, and training on 49,000 takes no second copy.
#[cfg(target_os = "linux")]
#[test]
fn the_whole_of_cifar_10_trains_within_400_mib() {
    use std::process::{Command, Stdio};
    const LIMIT: u64 = 400 << 20;
    for name in ["cifar-10-python.tar.gz", "cifar-10-batches-py"] {
        let Some(path) = real_data(name) else { continue };
        let folder = empty_folder();
        let child = Command::new(assert_cmd::cargo::cargo_bin!("thinnet"))
            .current_dir(folder.path())
            .args([
                "experiment",
                "--train",
                "49000",
                "--epochs",
                "1",
                "--keep",
                "0.25",
                "--hidden",
                "100",
                "--data",
            ])
            .arg(&path)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let peak = peak_of(child);
        assert!(peak > 184_320_000, "{peak} bytes are less than the images: nothing was measured");
        assert!(peak < LIMIT, "{name}: {} MiB", peak >> 20);
    }
}
