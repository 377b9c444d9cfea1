//! The embedded sample, splits and scaling.
#![allow(clippy::unwrap_used, clippy::panic, clippy::float_cmp)] // a test fails by panic; pixels are exact

use ndarray::{Array1, Array2, Axis};
use thinnet::Float;
use thinnet::data::{DataSet, Features, Format, Order, Part, Pixels, Rows, Scaling, SplitOptions};
use thinnet::random::RandomState;
use thinnet::training::{DataConfig, TrainingConfig, TrainingData};

/// The figures are NumPy's, from `np.load("cifar10-sample.npz")`: `np.bincount(y)`, `y[:8]`, `mean_image.ravel()[:3]`.
#[test]
fn the_embedded_sample_is_the_courses() {
    let sample = DataSet::embedded_sample().unwrap();
    let val = sample.val().unwrap();
    assert_eq!((sample.format(), sample.shape()), (Format::EmbeddedSample, &[3, 32, 32][..]));
    assert_eq!(sample.train().x().dim(), (500, 3072));
    assert_eq!(val.x().dim(), (1000, 3072));
    assert_eq!(sample.test(), None);
    assert_eq!(
        sample.parts().map(|(part, split)| (part, split.len())).collect::<Vec<_>>(),
        [(Part::Train, 500), (Part::Val, 1000)]
    );
    assert_eq!(sample.train().x().range().unwrap(), Some((0.0, 255.0)));
    let mean = sample.mean_sample().unwrap();
    assert_eq!(mean.len(), 3072);
    assert_eq!(sample.train().class_counts(), [51, 65, 43, 47, 50, 40, 53, 50, 45, 56]);
    assert_eq!(val.class_counts(), [87, 119, 79, 112, 78, 98, 102, 107, 113, 105]);
    assert_eq!(sample.train().labels()[..8], [6, 9, 9, 4, 1, 1, 2, 7]);
    assert_eq!(val.labels()[..8], [8, 9, 4, 9, 0, 5, 0, 8]);
    assert_eq!(
        mean.as_slice().unwrap()[..3],
        [130.641_897_959_183_67, 130.055_693_877_551_02, 130.960_551_020_408_16]
    );
    assert!((mean.mean().unwrap() - 120.689_583_054_315_49).abs() < 1e-10);
    assert_eq!(sample.names()[sample.train().labels()[0]], "frog");
}

/// NumPy: `X = X_train.astype(float) - mean_image`, and the same for `X_val`.
#[test]
fn the_dataset_is_the_pixels_minus_the_mean_image() {
    let sample = DataSet::embedded_sample().unwrap();
    let data = TrainingData::<f64>::of(&sample, 500).unwrap();
    let (train, val) = (data.train.x().to_floats().unwrap(), data.val.x().to_floats().unwrap());
    assert_eq!((train.dim(), val.dim()), ((500, 3072), (1000, 3072)));
    assert_eq!(
        [train[(0, 0)], train[(0, 1)], train[(0, 2)]],
        [-71.641_897_959_183_67, -87.055_693_877_551_02, -80.960_551_020_408_16]
    );
    assert_eq!([train[(499, 3070)], train[(499, 3071)]], [46.080_428_571_428_57, 43.600_428_571_428_566]);
    assert_eq!([val[(999, 3070)], val[(999, 3071)]], [48.080_428_571_428_57, 46.600_428_571_428_566]);
    assert_eq!(train[(3, 2 * 1024 + 5 * 32 + 7)], -73.940_081_632_653_06); // X[3, 2, 5, 7]
    assert!((train.sum() - -898_563.571_428_571_6).abs() < 1e-4);
    assert!((val.sum() - 2_762_045.857_142_857_3).abs() < 1e-4);
    // f32 is the rounded f64.
    let single = TrainingData::<f32>::of(&sample, 500).unwrap();
    #[allow(clippy::cast_possible_truncation)]
    let rounded = train.mapv(|value| value as f32);
    assert_eq!(
        (single.train.x().to_floats().unwrap(), single.train.labels()),
        (rounded.into_shared(), data.train.labels())
    );
}

#[test]
fn a_dataset_takes_the_first_images_and_no_more_than_there_are() {
    let sample = DataSet::embedded_sample().unwrap();
    let data = TrainingData::<f32>::of(&sample, 3).unwrap();
    assert_eq!((data.train.x().dim(), data.train.labels()), ((3, 3072), &[6, 9, 9][..]));
    assert_eq!(data.val.len(), 1000);
    for wrong in [0, 501, usize::MAX] {
        let message = TrainingData::<f32>::of(&sample, wrong).unwrap_err().to_string();
        assert!(message.contains("from 1 to 500") && message.contains(&wrong.to_string()), "{message}");
    }
}

/// A set of `labels.len()` samples, whose only number is their index.
fn numbered(format: Format, labels: Vec<usize>) -> DataSet {
    let classes = labels.iter().max().unwrap() + 1;
    DataSet::new(part(&(0..labels.len()).collect::<Vec<_>>(), labels, classes)).unwrap().with_format(format)
}

fn part(numbers: &[usize], labels: Vec<usize>, classes: usize) -> Rows<f64> {
    let numbers = Array2::from_shape_fn((numbers.len(), 1), |(row, _)| numbers[row] as f64);
    Rows::with_classes(numbers, labels, classes).unwrap()
}

fn indices(rows: &Rows<f64>) -> Vec<usize> {
    let Features::Floats(values) = rows.x() else { panic!("these are floats") };
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    values.iter().map(|&value| value as usize).collect()
}

/// The course's `get_CIFAR10_data`: training samples are the first, validation samples the next ones, test samples the first
/// of the test samples.
#[test]
fn the_courses_split_takes_samples_as_they_are_stored() {
    let set = numbered(Format::Cifar10Python, (0..50).map(|i| i % 10).collect());
    let set = set.with_part(Part::Test, part(&[100, 101, 102], vec![0, 1, 2], 10)).unwrap();
    let split = set.clone().split(&SplitOptions::course(40, 6, 2)).unwrap();
    assert_eq!(indices(split.train()), (0..40).collect::<Vec<_>>());
    assert_eq!(indices(split.val().unwrap()), (40..46).collect::<Vec<_>>());
    assert_eq!(split.val().unwrap().labels(), [0, 1, 2, 3, 4, 5]);
    assert_eq!(indices(split.test().unwrap()), [100, 101]);
    assert_eq!(split.mean_sample().unwrap()[0], 19.5, "the mean is the training samples' alone");
    // Image collections come shuffled: the default is the same, a fifth for validation.
    let split = set.clone().split(&SplitOptions::default()).unwrap();
    assert_eq!((split.train().len(), indices(split.val().unwrap())), (40, (40..50).collect()));
    assert_eq!(split.test().unwrap().len(), 3);
    // What is split already is cut, and not split again.
    let again = split.clone().split(&SplitOptions { num_val: Some(3), ..SplitOptions::default() }).unwrap();
    assert_eq!((again.train().len(), indices(again.val().unwrap())), (40, vec![40, 41, 42]));
    assert_eq!(again.split(&SplitOptions::default()).unwrap().val().unwrap().len(), 3);
}

#[test]
fn a_split_at_random_is_numpys_permutation_and_the_seeds_alone() {
    let set = numbered(Format::Csv, (0..30).map(|i| i / 10).collect());
    let options = SplitOptions {
        num_val: Some(6),
        num_test: Some(5),
        order: Some(Order::Shuffled),
        seed: 7,
        ..SplitOptions::default()
    };
    let split = set.clone().split(&options).unwrap();
    let drawn = RandomState::new(7).permutation(30);
    assert_eq!(indices(split.train()), drawn[..19]);
    assert_eq!(indices(split.val().unwrap()), drawn[19..25]);
    assert_eq!(indices(split.test().unwrap()), drawn[25..]);
    let labels: Vec<usize> = drawn.iter().map(|&index| index / 10).collect();
    assert_eq!(split.train().labels(), &labels[..19], "labels go with their samples");
    assert_eq!(set.clone().split(&options).unwrap(), split);
    assert_ne!(set.split(&SplitOptions { seed: 8, ..options }).unwrap(), split);
}

#[test]
fn tables_are_split_stratified_unless_one_asks_otherwise() {
    // Sorted by class, as tables often are: 60, 30 and 10 samples.
    let labels: Vec<usize> = (0..100).map(|i| usize::from(i >= 60) + usize::from(i >= 90)).collect();
    let set = numbered(Format::Csv, labels);
    let split = set.clone().split(&SplitOptions::default()).unwrap();
    assert_eq!(split.train().class_counts(), [48, 24, 8]);
    assert_eq!(split.val().unwrap().class_counts(), [12, 6, 2]);
    let mut all = [indices(split.train()), indices(split.val().unwrap())].concat();
    all.sort_unstable();
    assert_eq!(all, (0..100).collect::<Vec<_>>());
    let stored = SplitOptions { order: Some(Order::Stored), ..SplitOptions::default() };
    assert_eq!(set.split(&stored).unwrap().val().unwrap().class_counts(), [0, 10, 10]);
}

#[test]
fn a_split_that_cannot_be_made_is_refused() {
    let set = numbered(Format::Csv, vec![0, 1, 0, 1, 0]);
    for (options, says) in [
        (
            SplitOptions { num_val: Some(0), ..SplitOptions::default() },
            "validation samples must be at least 1",
        ),
        (SplitOptions { num_val: Some(5), ..SplitOptions::default() }, "training samples must be at least 1"),
        (SplitOptions { num_val: Some(usize::MAX), ..SplitOptions::default() }, "at least 1, got 0 of 5"),
        (SplitOptions::course(3, 1, 2), "more than the 5"),
        (SplitOptions::course(usize::MAX, 1, usize::MAX), "more than the 5"),
    ] {
        let message = set.clone().split(&options).unwrap_err().to_string();
        assert!(message.contains(says), "{message}");
    }
    let split = set.clone().split(&SplitOptions::default()).unwrap();
    let message =
        split.split(&SplitOptions { num_val: Some(9), ..SplitOptions::default() }).unwrap_err().to_string();
    assert!(message.contains("1 validation samples, but 9"), "{message}");
    let message = TrainingData::<f32>::of(&set, 2).unwrap_err().to_string();
    assert!(message.contains("no validation samples"), "{message}");
}

/// The first two training rows and all others.
fn scaled(set: &DataSet, scaling: Scaling) -> TrainingData<f64> {
    let settings = DataConfig { train: Some(2), scaling: Some(scaling), ..DataConfig::default() };
    TrainingData::scaled(set, settings).unwrap()
}

/// The figures are scikit-learn's way: `(x - mean) / std`, with a deviation of 0 taken for 1.
#[test]
fn scaling_uses_the_training_samples_alone_and_is_the_same_for_bytes_and_floats() {
    let train = [[0u8, 10, 7], [4, 20, 7], [8, 60, 7]];
    let val = [[2u8, 30, 9]];
    let bytes = |rows: &[[u8; 3]]| Array2::from_shape_fn((rows.len(), 3), |(row, col)| rows[row][col]);
    let bytes_or_floats = |floats: bool| {
        let rows = |rows: Array2<u8>, labels| {
            let x: Features<f64> =
                if floats { rows.mapv(f64::from).into() } else { Pixels::plain(rows).into() };
            Rows::with_classes(x, labels, 2).unwrap()
        };
        let set = DataSet::new(rows(bytes(&train), vec![0, 1, 0])).unwrap();
        set.with_part(Part::Val, rows(bytes(&val), vec![1])).unwrap()
    };
    // np.std([0, 4, 8]), np.std([10, 20, 60])
    let deviations = [3.265_986_323_710_904, 21.602_468_994_692_867, 1.0];
    for floats in [false, true] {
        let set = bytes_or_floats(floats);
        assert_eq!(set.default_scaling(), Scaling::Standard);
        for scaling in [Scaling::None, Scaling::Mean, Scaling::Standard, Scaling::Unit] {
            let (mean, divisor) = match scaling {
                Scaling::None => ([0.0; 3], [1.0; 3]),
                Scaling::Mean => ([4.0, 30.0, 7.0], [1.0; 3]),
                Scaling::Standard => ([4.0, 30.0, 7.0], deviations),
                // bytes reach from 0 to 255; these floats from the least of them to the greatest
                Scaling::Unit => ([4.0, 30.0, 7.0], [if floats { 60.0 } else { 255.0 }; 3]),
            };
            let data = scaled(&set, scaling);
            assert_eq!(data.preprocessing.names, set.names());
            let expected = |rows: &[[u8; 3]]| {
                Array2::from_shape_fn((rows.len(), 3), |(row, col)| {
                    (f64::from(rows[row][col]) - mean[col]) / divisor[col]
                })
            };
            let close = |x: &Features<f64>, rows: &[[u8; 3]]| {
                let difference = x.to_floats().unwrap() - expected(rows);
                assert!(difference.iter().all(|d| d.abs() < 1e-14), "{scaling:?}: {difference}");
            };
            close(data.train.x(), &train[..2]);
            close(data.val.x(), &val);
            assert_eq!(set.scale(scaling).unwrap().rows::<f64>(set.val().unwrap()).unwrap(), data.val);
            assert!(data.test.is_none());
            let chosen = data.train.x().select(&[1, 1, 0]).unwrap();
            assert_eq!(chosen.row(0), data.train.x().to_floats().unwrap().row(1));
            assert_eq!(chosen.select(Axis(0), &[1, 2]), data.train.x().select(&[1, 0]).unwrap());
        }
    }
    // Equal numbers have no deviation, though their mean is rounded: another number stays near.
    let tenths = |tenths: &[f64], labels| {
        let x = Array2::from_shape_vec((tenths.len(), 1), tenths.to_vec()).unwrap();
        Rows::with_classes(x, labels, 2).unwrap()
    };
    let set = DataSet::new(tenths(&[0.1; 3], vec![0, 1, 0])).unwrap();
    let set = set.with_part(Part::Val, tenths(&[0.2], vec![1])).unwrap();
    assert_eq!(set.deviation_sample().unwrap().to_vec(), [0.0]);
    assert!(
        (TrainingData::<f64>::of(&set, 3).unwrap().val.x().to_floats().unwrap()[(0, 0)] - 0.1).abs() < 1e-15
    );
    // What a set brings along is subtracted in place of its training samples' mean.
    let given = bytes_or_floats(false).with_mean(Array1::from(vec![1.0, 2.0, 3.0])).unwrap();
    assert_eq!(scaled(&given, Scaling::Mean).val.x().to_floats().unwrap().row(0).to_vec(), [1.0, 28.0, 6.0]);
}

/// Bytes less a mean image are found to be that, whatever the mean, to a unit in the last place; other numbers are not.
#[test]
fn pixels_are_recovered_from_floats() {
    let mut random = RandomState::new(4);
    let bytes = random.rand((50, 30)).mapv(|u: f64| (u * 256.0).floor());
    let mean: Array1<f64> = random.rand(30) * 255.0;
    let x = &bytes - &mean;
    let pixels = Pixels::recover(x.view()).unwrap();
    let again = Features::<f64>::Pixels(pixels).to_floats().unwrap();
    assert!((&again - &x).iter().all(|d| d.abs() <= 256.0 * f64::EPSILON), "{again}");

    let refused = |x: Array2<f64>| assert_eq!(Pixels::recover(x.view()), None);
    refused(&x / 255.0);
    refused(random.randn((50, 30)));
    refused(&bytes * 2.0 - &mean); // 510 steps
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.5] {
        let mut x = x.clone();
        x[(3, 4)] = bad;
        refused(x);
    }
}

/// What a file keeps in 32 bits stays so, and is the same to all that is computed of it.
#[test]
fn numbers_of_32_bits_are_what_they_are_in_64() {
    fn prepared<F: Float>(set: DataSet, scaling: &str) -> TrainingData<F> {
        let mut config = TrainingConfig::default();
        for change in [&format!("data.scaling={scaling}"), "data.val=11", "data.train=60"] {
            config.set(&change.parse().unwrap()).unwrap();
        }
        TrainingData::new(set, &config).unwrap()
    }
    fn same<F: Float>(single: &dyn Fn() -> DataSet, double: &dyn Fn() -> DataSet) {
        for scaling in ["none", "mean", "standard", "unit"] {
            let (kept, other) = (single(), double());
            let expected = prepared::<F>(other.clone(), scaling);
            // Shared with others, and scaled where they are.
            for found in [
                prepared::<F>(kept.clone(), scaling),
                prepared(single(), scaling),
                prepared(double(), scaling),
            ] {
                assert_eq!(found.preprocessing, expected.preprocessing);
                assert_eq!((&found.train, &found.val), (&expected.train, &expected.val), "{scaling}");
            }
            assert_eq!((kept, other), (single(), double()), "nobody has changed them");
        }
        let (single, double) = (single(), double());
        assert_eq!(single.mean_sample().unwrap(), double.mean_sample().unwrap());
        assert_eq!(single.deviation_sample().unwrap(), double.deviation_sample().unwrap());
        let (x, other) = (single.train().x(), double.train().x());
        assert_eq!(
            (x.range().unwrap(), x.to_floats().unwrap()),
            (other.range().unwrap(), other.to_floats().unwrap())
        );
        assert_eq!(x.select(&[3, 1]).unwrap(), other.select(&[3, 1]).unwrap());
        assert_eq!((x.dtype(), other.dtype()), ("float32", "float64"));
    }
    for width in [1, 2, 7] {
        let values: Array2<f64> = RandomState::new(1).randn((90, width));
        #[allow(clippy::cast_possible_truncation, reason = "32 bits are what this is about")]
        let values = values.mapv(|value| value as f32);
        let set = |x: Features<f64>| {
            let labels = (0..90).map(|row| row % 2).collect();
            DataSet::new(Rows::with_classes(x, labels, 2).unwrap()).unwrap()
        };
        let single = || set(Features::Singles(values.clone().into()));
        let double = || set(values.mapv(f64::from).into());
        same::<f32>(&single, &double);
        same::<f64>(&single, &double);
    }
}
