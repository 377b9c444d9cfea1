//! Everything that can be wrong with a folder or a file, or go wrong with a run: a sentence, and nothing lost.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::common::{empty_folder, names};
use super::{SMALL, refused, result, start, train, trained};

fn checkpoints(run: &Path) -> Vec<PathBuf> {
    let folder = run.join("checkpoints");
    names(&folder).iter().map(|name| folder.join(name)).collect()
}

#[test]
fn a_damaged_checkpoint_is_told_and_the_one_before_it_taken() {
    let place = empty_folder();
    trained(place.path(), &[SMALL, &["--out", "whole"]].concat());
    for damage in ["cut", "flip"] {
        trained(place.path(), &[SMALL, &["--out", damage]].concat());
        let run = place.path().join(damage);
        fs::remove_file(run.join("model.safetensors")).unwrap();
        let newest = checkpoints(&run).pop().unwrap();
        let mut bytes = fs::read(&newest).unwrap();
        let middle = bytes.len() / 2;
        match damage {
            "cut" => bytes.truncate(middle),
            _ => bytes[middle] ^= 16,
        }
        fs::write(&newest, bytes).unwrap();
        let (status, _, text) = train(place.path(), &["--resume", damage]);
        assert_eq!(status, Some(0), "{text}");
        assert!(text.contains("is left out: its checksum does not match"), "{text}");
        assert_eq!(result(&place.path().join("whole")), result(&run), "{damage}");
    }
}

#[test]
fn settings_that_were_changed_are_refused_by_name() {
    let place = empty_folder();
    trained(place.path(), &[SMALL, &["--out", "run"]].concat());
    let file = place.path().join("run/config.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("hidden = [16]", "hidden = [17]")).unwrap();
    let before = checkpoints(&place.path().join("run"));
    let message = refused(place.path(), &["--resume", "run"]);
    assert!(message.contains("model.hidden is [17]") && message.contains("trained with [16]"), "{message}");
    assert_eq!(checkpoints(&place.path().join("run")), before);
    fs::write(&file, "[model]\nhiden = [16]\n").unwrap();
    let message = refused(place.path(), &["--resume", "run"]);
    assert!(message.contains("did you mean model.hidden?"), "{message}");
}

#[test]
fn a_folder_has_room_for_one_process() {
    let place = empty_folder();
    let mut child =
        start(place.path(), &[SMALL, &["--out", "run", "--set", "train.epochs=1000000"]].concat());
    while !place.path().join("run/config.toml").exists() {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let message = refused(place.path(), &["--resume", "run"]);
    assert!(message.contains("another process is training in run"), "{message}");
    child.kill().unwrap();
    child.wait().unwrap();
    let message = refused(place.path(), &["--out", "run"]);
    assert!(message.contains("--resume run continues it"), "{message}");
}

#[test]
fn what_cannot_be_written_is_refused_before_training() {
    let place = empty_folder();
    fs::write(place.path().join("file"), "").unwrap();
    assert!(refused(place.path(), &["--out", "file"]).contains("is not a folder"));
    assert!(refused(place.path(), &["--out", "file/below"]).contains("is not a folder"));
    assert!(refused(place.path(), &["--out", "/proc/run"]).contains("cannot write"));
    assert!(refused(place.path(), &["--resume", "nothing"]).contains("there is no run in nothing"));
    assert_eq!(names(place.path()), ["file"]);
}

/// A script in a name space of its own, where anyone may mount; `None` where this machine does not let them.
fn in_mounts(place: &Path, mount: &str, script: &str) -> Option<(Option<i32>, String, String)> {
    let shell = |script: &str, arguments: &[&str]| {
        Command::new("unshare")
            .args(["--mount", "--map-root-user", "sh", "-c", script])
            .args(arguments)
            .current_dir(place)
            .output()
    };
    if !shell(mount, &[]).is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: this machine lets nobody mount");
        return None;
    }
    let program = assert_cmd::cargo::cargo_bin!("thinnet").to_str().unwrap().to_owned();
    let output = shell(&format!("{mount} && {{ {script}; }}"), &[&program]).unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Some((output.status.code(), text(output.stdout), text(output.stderr)))
}

#[test]
fn a_full_disk_is_told_and_the_checkpoints_before_it_are_whole() {
    let place = empty_folder();
    fs::create_dir(place.path().join("disk")).unwrap();
    // Room for the run and a checkpoint or two, and not for more: each is about 1.2 MB.
    let mount = "mount -t tmpfs -o size=3m none disk";
    let script = "\"$0\" train --set model.hidden=[16] --set train.epochs=40 --set train.batch_size=50 --keep-checkpoints 9 \
                  --out disk/run --quiet; code=$?; \
                  mount -o remount,size=100m disk && \"$0\" train --resume disk/run --quiet && cp -r disk/run kept; exit $code";
    let Some((status, stdout, stderr)) = in_mounts(place.path(), mount, script) else { return };
    assert_eq!(status, Some(2), "{stderr}");
    assert!(stderr.contains("No space left"), "{stderr}");
    assert!(stderr.contains("earlier checkpoints are in disk/run/checkpoints"), "{stderr}");
    assert!(!stderr.contains("left out"), "a checkpoint was half written: {stderr}");
    assert!(stdout.contains("model of epoch"), "with room again, it goes on: {stdout}");
    trained(
        place.path(),
        &[
            "--set",
            "model.hidden=[16]",
            "--set",
            "train.epochs=40",
            "--set",
            "train.batch_size=50",
            "--out",
            "whole",
        ],
    );
    assert_eq!(result(&place.path().join("whole")), result(&place.path().join("kept")));
}

#[test]
fn a_folder_that_became_read_only_is_told() {
    let place = empty_folder();
    trained(place.path(), &[SMALL, &["--out", "run"]].concat());
    let mount = "mount --bind run run && mount -o remount,ro,bind run";
    let script = "\"$0\" train --resume run --set train.epochs=50";
    let Some((status, _, stderr)) = in_mounts(place.path(), mount, script) else { return };
    assert_eq!(status, Some(2), "{stderr}");
    assert!(stderr.contains("Read-only file system"), "{stderr}");
}

#[test]
fn a_run_that_diverges_stops_at_once_and_keeps_what_was_good() {
    let place = empty_folder();
    // For three epochs all is well; then the learning rate is multiplied by 1e30.
    let wild = [
        "--set",
        "optim.rule=sgd",
        "--set",
        "optim.schedule=step",
        "--set",
        "optim.step_epochs=3",
        "--set",
        "optim.decay=1e30",
        "--out",
        "run",
    ];
    let (status, _, text) = train(place.path(), &[SMALL, &wild].concat());
    assert_eq!(status, Some(2), "{text}");
    let last = text.lines().last().unwrap();
    assert!(last.contains(" after step ") && last.contains("training has diverged"), "{text}");
    assert!(last.contains("run/checkpoints"), "{text}");
    let kept = checkpoints(&place.path().join("run"));
    assert!(kept.iter().any(|path| path.ends_with("step-0000000030.ckpt")), "{kept:?}");
    assert!(!place.path().join("run/model.safetensors").exists());
}
