//! A sweep on several machines: shards that share a folder, and folders that are merged.
#![allow(clippy::unwrap_used)] // a test fails by panic

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Barrier;
use std::thread;

use tempfile::TempDir;
use thinnet::Result;
use thinnet::report::sweep::SweepReport;
use thinnet::run::{Merged, merge, write_report};
use thinnet::sweep::{Outcome, RunFigures, Shard, SweepConfig, SweepFolder};

const FINGERPRINT: &str =
    r#"{"shape":[4],"names":["a","b"],"columns":[],"samples":[["train",9]],"values":"00ff"}"#;

/// Eight runs.
fn config() -> SweepConfig {
    SweepConfig {
        space: vec!["model.keep=0.5,1".to_owned(), "model.hidden=[10],[20, 20]".to_owned()],
        seeds: 2,
        ..SweepConfig::default()
    }
}

#[test]
fn shards_share_a_folder_and_each_is_trained_once() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("sweep");
    let shard = |text: &str| SweepFolder::create_for(&path, config(), Some(text.parse().unwrap()));
    let first = shard("1/3").unwrap();
    let second = shard("2/3").unwrap();
    assert_eq!((first.waiting(&vec![None; 8]), second.has(1)), (vec![0, 5, 7], true));
    let diverged = Outcome::Failed { reason: "the loss is NaN".to_owned(), diverged: true };
    first.record(&first.plan().runs[5], &diverged).unwrap();
    let outcomes = second.outcomes().unwrap();
    assert_eq!((outcomes[5].as_ref(), first.waiting(&outcomes)), (Some(&diverged), vec![0, 7]));
    for (refused, says) in [
        (shard("2/3"), "another process trains shard 2/3 there"),
        (shard("1/4"), "which has runs of shard 1/4; wait for it, or start shards of 3"),
        (SweepFolder::open(&path), "another process runs this sweep"),
    ] {
        let text = refused.unwrap_err().to_string();
        assert!(text.contains(says) && !text.contains('\n') && !text.contains("  "), "{text}");
    }
    drop((first, second));
    // What is left of them stands in nobody's way.
    let whole = SweepFolder::open(&path).unwrap();
    assert_eq!(whole.waiting(&outcomes).len(), 7);
    assert!(shard("1/4").unwrap_err().to_string().contains("another process runs this sweep"));
    drop(whole);
    assert!(shard("1/4").is_ok());
}

#[test]
fn of_shards_that_begin_a_sweep_at_once_none_is_refused() {
    for _ in 0..20 {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("new/sweep");
        // As left behind by one that was killed.
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join(".thinnet-begun"), "form").unwrap();
        let start = Barrier::new(8);
        thread::scope(|scope| {
            for number in 1..=8 {
                let (start, path) = (&start, &path);
                scope.spawn(move || {
                    start.wait();
                    SweepFolder::create_for(path, config(), Some(Shard::new(number, 8).unwrap())).unwrap()
                });
            }
        });
    }
}

/// The figures of a run, which depend on its place alone.
fn finished(run: usize) -> Outcome {
    let (score, epochs) = (Some(1.0 / (run + 1) as f64), run + 1);
    Outcome::Finished(RunFigures {
        best_val_score: score,
        final_val_score: score,
        epochs,
        seconds: 0.5,
        ..RunFigures::default()
    })
}

/// The sweep in a folder, where these runs are finished.
fn part(path: &Path, runs: &[usize]) -> SweepFolder {
    let folder = SweepFolder::create(path, config()).unwrap();
    for &index in runs {
        let run = &folder.plan().runs[index];
        let own = folder.run_folder(run);
        fs::create_dir_all(own.join("checkpoints")).unwrap();
        for (name, content) in
            [(".lock", ""), ("samples.json", FINGERPRINT), ("model.safetensors", &run.name)]
        {
            fs::write(own.join(name), content).unwrap();
        }
        folder.record(run, &finished(index)).unwrap();
    }
    folder
}

/// Three parts of a sweep, which together are all of it, and the folder that they are in.
fn three() -> (TempDir, [PathBuf; 3]) {
    let parent = tempfile::tempdir().unwrap();
    let paths = ["1", "2", "3"].map(|number| parent.path().join(number));
    for (path, runs) in paths.iter().zip([&[0, 5, 7][..], &[1, 3], &[2, 4, 6]]) {
        part(path, runs);
    }
    (parent, paths)
}

fn merged(folders: &[PathBuf], out: &Path) -> Result<Merged> {
    merge(folders, out, &mut |_, _| true)
}

/// Every file below a folder, with its content.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for path in fs::read_dir(next).unwrap().map(|entry| entry.unwrap().path()) {
            let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
            if path.is_dir() { folders.push(path) } else { found.push((name, fs::read(path).unwrap())) }
        }
    }
    found.sort();
    found
}

#[test]
fn the_last_report_of_shards_that_end_at_once_has_all_their_runs() {
    let parent = tempfile::tempdir().unwrap();
    let whole = part(&parent.path().join("whole"), &[0, 1, 2, 3, 4, 5, 6, 7]);
    let outcomes = whole.outcomes().unwrap();
    let expected = SweepReport { plan: whole.plan(), outcomes: &outcomes }.files().unwrap();
    for time in 0..10 {
        let path = parent.path().join(time.to_string());
        let start = Barrier::new(4);
        thread::scope(|scope| {
            for number in 1..=4 {
                let (path, start) = (&path, &start);
                scope.spawn(move || {
                    let shard = Shard::new(number, 4).unwrap();
                    let folder = SweepFolder::create_for(path, config(), Some(shard)).unwrap();
                    let mut outcomes = folder.outcomes().unwrap();
                    start.wait();
                    for run in folder.waiting(&outcomes) {
                        outcomes[run] = Some(finished(run));
                        folder.record(&folder.plan().runs[run], &finished(run)).unwrap();
                    }
                    let told = write_report(&folder, outcomes).unwrap();
                    assert!(told.iter().flatten().count() >= 2);
                });
            }
        });
        for (name, content) in &expected {
            assert!(fs::read(path.join(name)).unwrap() == *content, "{name} lacks runs");
        }
    }
}

#[test]
fn folders_are_merged_into_what_one_machine_makes() {
    let (parent, paths) = three();
    let [whole, out] = ["whole", "new/out"].map(|name| parent.path().join(name));
    let folder = part(&whole, &[0, 1, 2, 3, 4, 5, 6, 7]);
    write_report(&folder, folder.outcomes().unwrap()).unwrap();
    let mut told = Vec::new();
    let Merged { folder: made, outcomes } = merge(&paths, &out, &mut |done, all| {
        told.push((done, all));
        true
    })
    .unwrap();
    assert_eq!((made.path(), outcomes.iter().flatten().count()), (out.as_path(), 8));
    assert_eq!((told.len(), told.last()), (8, Some(&(8, 8))));
    drop((made, folder));
    let mut expected = files(&whole);
    expected.retain(|(name, _)| !name.ends_with("/.lock"));
    assert!(expected.len() == 3 * 8 + 6, "{}", expected.len());
    assert!(files(&out) == expected);
    // Again, with a folder twice, and with the one that has it all: nothing is copied, and nothing changes.
    let again = [&paths[..], &paths[..1], std::slice::from_ref(&whole)].concat();
    for folders in [&again[..], &[]] {
        merged(folders, &out).unwrap();
        assert!(files(&out) == expected);
    }
    // Into one of the parts.
    merged(&paths[1..], &paths[0]).unwrap();
    assert_eq!(SweepFolder::open(&paths[0]).unwrap().outcomes().unwrap(), outcomes);
}

#[test]
fn a_merge_that_was_stopped_is_finished_by_another() {
    let (parent, paths) = three();
    let out = parent.path().join("out");
    let stopped = merge(&paths, &out, &mut |done, _| done < 3).unwrap();
    assert_eq!(stopped.outcomes.iter().flatten().count(), 3);
    // As if it had been killed: within a copy, and between the folder of a run and its outcome.
    let left = stopped.folder.run_folder(&stopped.folder.plan().runs[3]);
    drop(stopped);
    for folder in [out.join(".merging"), left] {
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("half"), "half").unwrap();
    }
    let outcomes = merged(&paths, &out).unwrap().outcomes;
    assert_eq!(outcomes, (0..8).map(|run| Some(finished(run))).collect::<Vec<_>>());
    assert!(files(&out).iter().all(|(name, _)| !name.contains("half")));
}

#[test]
fn runs_that_are_missing_come_with_the_next_merge() {
    let (parent, paths) = three();
    let out = parent.path().join("out");
    // A failure that may pass counts as long as no folder has a result.
    let failed = Outcome::Failed { reason: "no space left".to_owned(), diverged: false };
    let first = SweepFolder::open(&paths[0]).unwrap();
    first.record(&first.plan().runs[1], &failed).unwrap();
    drop(first);
    let outcomes = merged(&paths[..1], &out).unwrap().outcomes;
    let expected = [0, 1, 5, 7].map(|run| Some(if run == 1 { failed.clone() } else { finished(run) }));
    assert_eq!(outcomes.iter().flatten().cloned().map(Some).collect::<Vec<_>>(), expected);
    let outcomes = merged(&paths[1..], &out).unwrap().outcomes;
    assert_eq!(outcomes, (0..8).map(|run| Some(finished(run))).collect::<Vec<_>>());
}

#[test]
fn what_does_not_belong_together_is_refused_before_anything_is_written() {
    let (parent, paths) = three();
    let out = parent.path().join("out");
    let refused = |folder: &Path, says: &str| {
        let text = merged(&[paths[0].clone(), folder.to_path_buf()], &out).unwrap_err().to_string();
        assert!(text.contains(says) && !text.contains('\n') && !text.contains("  "), "{text}");
        assert!(!out.exists());
    };
    refused(&parent.path().join("nowhere"), "cannot read the folder");
    refused(parent.path(), "has no sweep.toml");
    let mut other = config();
    other.seeds = 3;
    let three_seeds = parent.path().join("three seeds");
    drop(SweepFolder::create(&three_seeds, other).unwrap());
    refused(&three_seeds, "is not of the same sweep as ");
    refused(&three_seeds, "it has 3 seeds per point, not 2; merge only folders of the same sweep");
    let used = SweepFolder::open_for(&paths[1], Some(Shard::new(2, 3).unwrap())).unwrap();
    refused(&paths[1], "another process runs this sweep");
    drop(used);

    let same = parent.path().join("same");
    let folder = part(&same, &[0]);
    let run = &folder.plan().runs[0];
    folder.record(run, &finished(1)).unwrap();
    let samples = folder.run_folder(&folder.plan().runs[1]).join("samples.json");
    drop(folder);
    refused(&same, "are the same run with different results");
    drop(part(&same, &[0, 1]));
    fs::write(samples, FINGERPRINT.replace("00ff", "00fe")).unwrap();
    refused(&same, "the samples changed from ");
    assert!(merged(&[], &out).unwrap_err().to_string().contains("no folders to merge"));
    // Each machine may have the samples in another place.
    let mut moved = config();
    moved.base.data.path = "/elsewhere".to_owned();
    let elsewhere = parent.path().join("elsewhere");
    drop(SweepFolder::create(&elsewhere, moved).unwrap());
    assert!(merged(&[paths[0].clone(), elsewhere], &out).is_ok());
}
