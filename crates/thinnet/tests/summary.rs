//! The figures of a data set.
#![allow(clippy::unwrap_used, clippy::panic)] // a test fails by panic

use thinnet::data::{DataSet, Format, Part, Pixels, ReadOptions, Rows};

/// The figures of a table, worked out by hand.
#[test]
fn a_summary_has_the_figures_of_a_table() {
    let set = DataSet::from_bytes(b"a,b,label\n1,-2,x\n3,4.5,y\n5,6,x\n".to_vec(), &ReadOptions::default())
        .unwrap();
    let summary = set.summary().unwrap();
    assert_eq!(
        (summary.format, summary.shape, summary.classes),
        (Format::Csv, vec![2], vec!["x".into(), "y".into()])
    );
    assert_eq!((summary.mean.to_vec(), summary.mean_of), (vec![3.0, 8.5 / 3.0], Some(3)));
    let [train] = summary.splits.as_slice() else { panic!("one part") };
    assert_eq!((train.part, train.samples, train.dtype), (Part::Train, 3, "float64"));
    assert_eq!((train.range, train.class_counts.as_slice()), ((-2.0, 6.0), &[2, 1][..]));
}

/// The embedded sample brings along the mean of the course's 49,000 images.
#[test]
fn a_summary_says_where_its_mean_is_from() {
    let set = DataSet::embedded_sample().unwrap();
    assert_eq!(
        (set.summary().unwrap().mean_of, set.summary().unwrap().mean),
        (None, set.mean_sample().unwrap())
    );
    let counts: Vec<usize> =
        set.summary().unwrap().splits.iter().map(|split| split.class_counts.iter().sum()).collect();
    assert_eq!(counts, [500, 1000]);
}

/// Of CIFAR-10 the mean is that of the first 49,000 images, however many there are; of others that of all.
#[test]
fn the_mean_of_cifar_10_is_the_courses() {
    let labels = vec![0; 49_010];
    let bytes =
        ndarray::ArcArray2::from_shape_fn((49_010, 1), |(index, _)| if index < 49_000 { 10 } else { 200 });
    let rows = Rows::with_classes(Pixels::plain(bytes), labels, 1).unwrap();
    let set = DataSet::new(rows).unwrap().with_format(Format::Cifar10Binary);
    let summary = set.summary().unwrap();
    assert_eq!((summary.mean.to_vec(), summary.mean_of), (vec![10.0], Some(49_000)));
    let summary = set.with_format(Format::Npz).summary().unwrap();
    assert!(summary.mean[0] > 10.0 && summary.mean_of == Some(49_010));
}
