//! A sweep on several machines: shards that share a folder.
#![cfg(feature = "report")]
#![allow(clippy::unwrap_used)] // a test fails by panic

use std::fs;

use thinnet::sweep::{Outcome, Shard, SweepConfig, SweepFolder};

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
        assert!(text.contains(says) && !text.contains('\n'), "{text}");
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
        let start = std::sync::Barrier::new(8);
        std::thread::scope(|scope| {
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
