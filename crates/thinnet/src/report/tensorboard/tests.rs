//! What is written is read back event by event; and what a resume leaves of a file.

use std::fs;
use std::path::Path;

use super::*;
use crate::training::Score;

fn epoch(epoch: usize) -> Epoch {
    let score = |loss| Score { loss, accuracy: Some(0.5), top5: None, r2: None };
    Epoch {
        epoch,
        step: 5 * epoch as u64,
        learning_rate: 1e-3,
        loss: 1.0 / epoch as f64,
        train: score(0.25),
        val: score(f64::NAN),
        seconds: 0.5,
        samples_per_second: 1000.0,
    }
}

/// The events of a file, all of which must be whole.
fn events(path: &Path) -> Vec<Event> {
    let bytes = fs::read(path).unwrap();
    let mut records = Records::new(bytes.as_slice(), bytes.len() as u64);
    let mut read = 0;
    let events = std::iter::from_fn(|| {
        let (record, size) = records.next().unwrap()?;
        read += size;
        Some(Event::decode(record.as_slice()).unwrap())
    })
    .collect();
    assert_eq!(read, bytes.len() as u64, "nothing half-written");
    events
}

/// The epochs that a file has summaries of.
fn epochs(path: &Path) -> Vec<i64> {
    let summaries = events(path).into_iter().filter(|event| matches!(event.what, Some(What::Summary(_))));
    summaries.map(|event| event.step).collect()
}

/// A file of `count` epochs, and how long it was after the version and after each of them.
fn written(folder: &Path, count: usize) -> (PathBuf, Vec<usize>) {
    let mut events = EventFile::create(folder).unwrap();
    let length = |events: &EventFile| fs::read(events.path()).unwrap().len();
    let mut lengths = vec![length(&events)];
    for number in 1..=count {
        events.epoch(&epoch(number)).unwrap();
        events.flush().unwrap();
        lengths.push(length(&events));
    }
    (events.path().to_owned(), lengths)
}

#[test]
fn a_file_begins_with_its_version_and_holds_an_event_an_epoch() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = written(&folder.path().join("made/on the way"), 2);
    let name = path.file_name().unwrap().to_str().unwrap();
    let seconds: u64 = name.strip_prefix(NAME.0).unwrap().strip_suffix(NAME.1).unwrap().parse().unwrap();
    assert!(seconds.abs_diff(since_1970().as_secs()) < 100 && name.len() == NAME.0.len() + 10 + NAME.1.len());
    let events = events(&path);
    assert_eq!(events[0].what, Some(What::FileVersion("brain.Event:2".to_owned())));
    assert!((events[1].wall_time - since_1970().as_secs_f64()).abs() < 100.0);
    let Some(What::Summary(summary)) = &events[2].what else { panic!("{:?}", events[2]) };
    let tags: Vec<&str> = summary.value.iter().map(|value| value.tag.as_str()).collect();
    let expected =
        "loss/batch_mean loss/train loss/val accuracy/train accuracy/val learning_rate samples_per_second";
    assert_eq!(tags, expected.split(' ').collect::<Vec<_>>());
    assert_eq!(summary.value[0].content, Some(Content::SimpleValue(0.5)));
    let Some(Content::SimpleValue(loss)) = summary.value[2].content else { panic!("no scalar") };
    assert!(loss.is_nan() && events[2].step == 2);
}

#[test]
fn files_of_one_second_have_names_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let paths: Vec<_> = (0..3).map(|_| EventFile::create(folder.path()).unwrap().path().to_owned()).collect();
    assert!(paths.is_sorted_by(|a, b| a < b), "{paths:?}");
    assert_eq!(newest(folder.path()).unwrap().unwrap().1, paths[2]);
}

#[test]
fn a_resume_cuts_the_epochs_that_will_be_trained_again() {
    for done in 0..=4usize {
        let folder = tempfile::tempdir().unwrap();
        let (path, lengths) = written(folder.path(), 3);
        let before = fs::read(&path).unwrap();
        let mut resumed = EventFile::resume(folder.path(), done as u64).unwrap();
        assert_eq!(resumed.path(), path);
        let kept = lengths[done.min(3)];
        assert_eq!(fs::read(&path).unwrap()[..kept], before[..kept]);
        resumed.epoch(&epoch(done + 1)).unwrap();
        resumed.sync().unwrap();
        let expected: Vec<i64> =
            (1..=done.min(3)).chain([done + 1]).map(|epoch| signed(epoch as u64)).collect();
        assert_eq!(epochs(&path), expected);
    }
}

#[test]
fn a_resume_cuts_half_an_event_wherever_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let (path, lengths) = written(folder.path(), 2);
    let whole = fs::read(&path).unwrap();
    for cut in lengths[1]..lengths[2] {
        fs::write(&path, &whole[..cut]).unwrap();
        drop(EventFile::resume(folder.path(), 2).unwrap());
        assert_eq!(epochs(&path), [1], "cut to {cut}");
        assert_eq!(fs::read(&path).unwrap()[..lengths[1]], whole[..lengths[1]]);
    }
}

#[test]
fn a_resume_cuts_what_is_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let (path, lengths) = written(folder.path(), 3);
    let whole = fs::read(&path).unwrap();
    let second = lengths[1];
    // The length, its checksum, the event, its checksum.
    for at in [second, second + 7, second + 9, second + 20, lengths[2] - 1] {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x10;
        fs::write(&path, damaged).unwrap();
        drop(EventFile::resume(folder.path(), 3).unwrap());
        assert_eq!(epochs(&path), [1], "byte {at}");
    }
    // A record that is whole but holds no event.
    let mut odd = whole[..second].to_vec();
    frame::write(&mut odd, b"\xFF\xFF\xFF").unwrap();
    fs::write(&path, odd).unwrap();
    drop(EventFile::resume(folder.path(), 3).unwrap());
    assert_eq!(epochs(&path), [1]);
}

#[test]
fn a_resume_begins_a_file_where_none_can_be_gone_on_with() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("not there");
    let mut none = EventFile::resume(&folder, 4).unwrap();
    none.epoch(&epoch(5)).unwrap();
    none.flush().unwrap();
    let events = events(none.path());
    assert!(matches!(events[0].what, Some(What::FileVersion(_))));
    assert_eq!(events[1].what, Some(What::SessionLog(SessionLog { status: 1 })));
    assert_eq!((events[1].step, events[2].step), (5, 5));

    for (number, content) in [&b""[..], b"no event file", &[0; 100]].into_iter().enumerate() {
        let folder = parent.path().join(number.to_string());
        let (path, _) = written(&folder, 1);
        fs::write(&path, content).unwrap();
        let events = EventFile::resume(&folder, 1).unwrap();
        assert!(events.path() > path.as_path(), "a new one, behind it");
        assert_eq!(fs::read(&path).unwrap(), content, "which stays as it is");
    }
    // Others' files are left alone.
    let folder = parent.path().join("others");
    fs::create_dir(&folder).unwrap();
    for name in
        ["events.out.tfevents.1700000000.host.1.0", "events.out.tfevents.99999999999.thinnet", "notes"]
    {
        fs::write(folder.join(name), "theirs").unwrap();
    }
    drop(EventFile::resume(&folder, 1).unwrap());
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 4);

    let file = parent.path().join("a file");
    fs::write(&file, "").unwrap();
    assert!(matches!(EventFile::resume(&file, 1).unwrap_err(), Error::Io { .. }));
}

#[test]
fn a_resume_adds_the_epochs_that_the_file_lacks() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = written(folder.path(), 2);
    let history: Vec<Epoch> = (1..=5).map(epoch).collect();
    drop(EventFile::resume_with(folder.path(), &history).unwrap());
    assert_eq!(epochs(&path), [1, 2, 3, 4, 5]);
    // They are added once, also where a session's start stands before them.
    drop(EventFile::resume_with(folder.path(), &history).unwrap());
    assert_eq!(epochs(&path), [1, 2, 3, 4, 5]);
    fs::remove_file(&path).unwrap();
    let anew = EventFile::resume_with(folder.path(), &history).unwrap();
    assert_eq!(epochs(anew.path()), [1, 2, 3, 4, 5]);
}

#[test]
fn histograms_and_pictures_stand_under_their_tags() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = EventFile::create(folder.path()).unwrap();
    file.histogram("weights/W1", 3, [1.0, 2.0].into_iter()).unwrap();
    let pixels = tiny_skia::Pixmap::new(3, 2).unwrap();
    let png = crate::report::canvas::png(&pixels, 1).unwrap();
    file.image("first_layer", 3, &png, (2, 3)).unwrap();
    for (bytes, size, says) in
        [(&png[..], (3, 2), "is said to be 3 x 2"), (&b"GIF"[..], (2, 3), "first_layer is no PNG")]
    {
        let error = file.image("first_layer", 3, bytes, size).unwrap_err();
        assert!(matches!(error, Error::Data(_)) && error.to_string().contains(says), "{error}");
    }
    file.flush().unwrap();
    let values: Vec<Value> = events(file.path())
        .into_iter()
        .filter_map(|event| match event.what {
            Some(What::Summary(summary)) => Some(summary.value),
            _ => None,
        })
        .flatten()
        .collect();
    let [histogram, image] = &values[..] else { panic!("{values:?}") };
    let Some(Content::Histo(histogram)) = &histogram.content else { panic!("{histogram:?}") };
    assert!((histogram.sum - 3.0).abs() < 1e-12);
    let Some(Content::Image(image)) = &image.content else { panic!("{image:?}") };
    assert_eq!((image.height, image.width, image.colorspace), (2, 3, 3));
    assert_eq!(image.encoded_image_string, png);
}
