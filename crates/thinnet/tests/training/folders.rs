//! What a run's folder keeps, and what it survives.

use std::fs;
use std::path::{Path, PathBuf};

use thinnet::run::RunFolder;
use thinnet::training::{Trainer, TrainerState};

use super::{config, data};

fn checkpoints(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder.join("checkpoints")).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// A folder with the states after each of ten epochs saved, of which `keep` are kept.
fn trained(keep: usize) -> (tempfile::TempDir, Vec<TrainerState<f32>>) {
    let place = tempfile::tempdir().unwrap();
    let config = config(&["train.epochs=10", "optim.learning_rate=0.05"]);
    let data = data::<f32>(&config);
    let folder = RunFolder::create(place.path(), &config).unwrap();
    let mut trainer = Trainer::new(&config, &data, 1).unwrap();
    let mut states = Vec::new();
    while trainer.finished().is_none() {
        if trainer.step().unwrap().epoch.is_some() {
            states.push(trainer.state().unwrap());
            folder.save(states.last().unwrap(), &config, keep).unwrap();
        }
    }
    (place, states)
}

#[test]
fn the_last_ones_and_the_best_are_kept() {
    let (place, states) = trained(2);
    let last = states.last().unwrap();
    let best = last.history().best_epoch().unwrap();
    assert!(best.epoch < 9, "the best is one of the last two, and the test shows nothing: {}", best.epoch);
    let expected: Vec<String> =
        [best.step, 54, 60].iter().map(|step| format!("step-{step:010}.ckpt")).collect();
    assert_eq!(checkpoints(place.path()), expected);
    let (folder, read) = RunFolder::open(place.path()).unwrap();
    assert_eq!(read.train.epochs, 10);
    let newest = folder.newest::<f32>().unwrap();
    assert_eq!((&newest.found.unwrap().0, newest.damaged.len()), (last, 0));
}

#[test]
fn a_damaged_checkpoint_is_told_and_the_one_before_it_taken() {
    let (place, states) = trained(3);
    let file = |step: u64| -> PathBuf { place.path().join(format!("checkpoints/step-{step:010}.ckpt")) };
    // The last is cut short, in the one before it a bit is flipped.
    let bytes = fs::read(file(60)).unwrap();
    fs::write(file(60), &bytes[..bytes.len() / 2]).unwrap();
    let mut bytes = fs::read(file(54)).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    fs::write(file(54), &bytes).unwrap();
    let (folder, _) = RunFolder::open(place.path()).unwrap();
    let newest = folder.newest::<f32>().unwrap();
    assert_eq!(newest.found.unwrap().0, states[7]);
    assert_eq!(newest.damaged.len(), 2);
    assert!(newest.damaged.iter().all(|(_, reason)| reason.contains("checksum")), "{:?}", newest.damaged);
    for step in [48, states[9].history().best_epoch().unwrap().step] {
        let _ = fs::remove_file(file(step));
    }
    assert!(folder.newest::<f32>().unwrap().found.is_none());
}

#[test]
fn a_folder_belongs_to_one_process_and_one_run() {
    let place = tempfile::tempdir().unwrap();
    let config = config(&[]);
    let first = RunFolder::create(place.path(), &config).unwrap();
    let refused = RunFolder::open(place.path()).unwrap_err().to_string();
    assert!(refused.contains("another process is training"), "{refused}");
    drop(first);
    RunFolder::open(place.path()).unwrap();
    let refused = RunFolder::create(place.path(), &config).unwrap_err().to_string();
    assert!(refused.contains("there is a run"), "{refused}");
    let empty = tempfile::tempdir().unwrap();
    let refused = RunFolder::open(empty.path()).unwrap_err().to_string();
    assert!(refused.contains("there is no run"), "{refused}");
    assert_eq!(fs::read_dir(empty.path()).unwrap().count(), 0, "nothing is left where there was no run");
}
