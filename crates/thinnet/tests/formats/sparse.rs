//! svmlight.

use std::fs;

use thinnet::data::{DataSet, Features, Format, ReadOptions, Scaling, Wanted, stream};

use crate::{folder, gzip, open, refusal};

fn dense(x: &Features<f64>) -> Vec<f64> {
    assert!(matches!(x, Features::Sparse(_)), "rows stay sparse");
    x.to_floats().unwrap().iter().copied().collect()
}

#[test]
fn svmlight_files_are_read_as_sparse_rows() {
    let folder = folder();
    let path = folder.path().join("a");
    let text = "# a comment\n+1 qid:3 2:0.5 4:-1e1 # more\n\n-1\r\n+1 1:7\n";
    for content in [text.as_bytes().to_vec(), gzip(text.as_bytes())] {
        fs::write(&path, content).unwrap();
        let set = open(&path);
        assert_eq!(
            (set.format(), set.shape(), set.names().join(" ")),
            (Format::Svmlight, &[4][..], "-1 1".to_owned())
        );
        assert_eq!(set.train().labels(), [1, 0, 1]);
        assert_eq!((set.default_scaling(), set.mean_sample().unwrap()[3]), (Scaling::None, -10.0 / 3.0));
        assert_eq!(dense(set.train().x()), [0.0, 0.5, 0.0, -10.0, 0.0, 0.0, 0.0, 0.0, 7.0, 0.0, 0.0, 0.0]);
        let mut streamed = Vec::new();
        let wanted = Wanted { shape: &[6], columns: None, resize: false };
        stream(&path, wanted, &mut |block| {
            streamed.extend(dense(&block.x));
            Ok(())
        })
        .unwrap();
        assert_eq!(streamed.len(), 18, "fewer columns than the model has are zeros");
        assert_eq!((streamed[1], streamed[3], streamed[12]), (0.5, -10.0, 7.0));
        let narrow = Wanted { shape: &[3], columns: None, resize: false };
        let message = stream(&path, narrow, &mut |_| Ok(())).unwrap_err().to_string();
        assert!(message.contains("line 2: it has a column 4, but the model takes 3 columns"), "{message}");
    }
}

#[test]
fn columns_are_counted_from_0_where_one_is_0_or_a_comment_says_so() {
    let folder = folder();
    let path = folder.path().join("a");
    for (text, width) in [
        ("1 0:1 2:5\n2 1:1\n", 3),
        ("# Column indices are zero-based\n1 1:1 2:5\n2 1:1\n", 3),
        ("# Column indices are one-based\n1 1:1 2:5\n2 1:1\n", 2),
        ("1 1:1 2:5\n2 1:1\n", 2),
    ] {
        fs::write(&path, text).unwrap();
        let set = open(&path);
        assert_eq!(set.shape(), [width], "{text}");
        assert_eq!(dense(set.train().x())[width - 1], 5.0, "{text}");
    }
}

#[test]
fn svmlight_labels_are_classes_or_numbers() {
    let folder = folder();
    let path = folder.path().join("a");
    fs::write(&path, "0.5 1:1\n1.5 2:1\n").unwrap();
    assert!(refusal(&path).contains("a label must be a whole number, but 0.5 is not"));
    let set = DataSet::open(&path, &ReadOptions { regression: true, ..ReadOptions::default() }).unwrap();
    assert_eq!(set.train().numbers().unwrap().iter().copied().collect::<Vec<_>>(), [0.5, 1.5]);
    for (text, what) in [
        ("1 1:1\n1,2 1:1\n", "line 2: it has several labels"),
        ("1 1:1\nx 1:1\n", "line 2: its label must be a number"),
        ("1 1:1\n1 1:nan\n", "line 2: a column and its number should look like 3:0.5"),
    ] {
        // Beyond what is looked at to recognise the file.
        let long = "1 1:1\n".repeat(200) + text;
        fs::write(&path, long).unwrap();
        let (line, rest) = what.split_once(": ").unwrap();
        assert_eq!(line, "line 2");
        let message = refusal(&path);
        assert!(message.contains(&format!("line 202: {rest}")), "{message}");
    }
}
