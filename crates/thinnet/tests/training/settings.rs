//! Each setting does what it says.

use ndarray::Array2;
use thinnet::data::{DataSet, Features, Rows};
use thinnet::engine::EngineKind;
use thinnet::float::Dtype;
use thinnet::training::experiment::{self, Settings};
use thinnet::training::{Finish, Trainer, TrainingConfig, TrainingData, settings};

use super::{config, data, finish};

/// With the course's choices, a run is the course's experiment to the last bit.
#[test]
fn the_courses_settings_give_the_courses_figures() {
    let set = DataSet::embedded_sample().unwrap();
    let settings = Settings {
        keep: vec![0.25],
        epochs: 2,
        hidden: vec![100],
        dtype: Dtype::F64,
        engine: EngineKind::Auto,
        ..Settings::course("", 1000, 1)
    };
    let data = TrainingData::<f64>::of(&set, 500).unwrap();
    let (outcome, networks) = experiment::run(&settings, &data, &mut ()).unwrap();
    let mut config = TrainingConfig::default();
    for change in [
        "model.keep=0.25",
        "model.hidden=[100]",
        "model.dtype=f64",
        "model.initialisation=course",
        "model.weight_scale=1e-2",
        "optim.learning_rate=5e-4",
        "train.epochs=2",
        "train.sampling=replacement",
        "train.masks=numpy",
        "train.seed=231",
        "data.scaling=mean",
    ] {
        config.set(&change.parse().unwrap()).unwrap();
    }
    let data = TrainingData::<f64>::new(set, &config).unwrap();
    let mut trainer = Trainer::new(&config, &data, 1).unwrap();
    finish(&mut trainer);
    let history = &outcome.networks[0].history;
    assert_eq!(trainer.history().loss, history.loss);
    let val: Vec<f64> = trainer.history().epochs.iter().map(|epoch| epoch.val.accuracy.unwrap()).collect();
    assert_eq!(networks[0].net.parameters, trainer.trained().unwrap().net.parameters);
    assert_eq!(val, history.val_accuracy[1..]); // the course checks after the first iteration, too
}

#[test]
fn every_sample_is_taken_once_an_epoch() {
    let config = config(&["train.batch_size=9"]);
    let data = data::<f64>(&config);
    let trainer = Trainer::new(&config, &data, 1).unwrap();
    assert_eq!(data.train.len(), 56);
    assert_eq!(trainer.steps_per_epoch(), 7); // six of nine, and one of two
    let replaced = super::config(&["train.batch_size=9", "train.sampling=replacement"]);
    assert_eq!(Trainer::new(&replaced, &data, 1).unwrap().steps_per_epoch(), 6);
}

#[test]
fn patience_ends_a_run_and_its_best_epoch_is_kept() {
    let config = config(&["train.epochs=200", "train.patience=3", "optim.learning_rate=0.03"]);
    let data = data::<f64>(&config);
    let mut trainer = Trainer::new(&config, &data, 1).unwrap();
    finish(&mut trainer);
    assert_eq!(trainer.finished(), Some(Finish::Patience(3)));
    let (epochs, best) = (trainer.history().epochs.len(), trainer.history().best_epoch().unwrap());
    assert_eq!(epochs, best.epoch + 3);
    let verdict = trainer.verdict(1).unwrap();
    assert_eq!(verdict.val.accuracy, best.val.accuracy);
    let confusion = verdict.confusion.unwrap();
    assert_eq!(confusion.sum(), 14);
    assert_eq!(confusion.diag().sum() as f64 / 14.0, best.val.accuracy.unwrap());
}

#[test]
fn classes_weigh_what_they_are_given() {
    // A class that weighs nothing is not learned, and taken less often than it would be.
    let taken = |weights: &str| {
        let config =
            config(&[weights, "train.epochs=40", "optim.learning_rate=0.01", "train.restore_best=false"]);
        let data = data::<f64>(&config);
        let mut trainer = Trainer::new(&config, &data, 1).unwrap();
        finish(&mut trainer);
        trainer.verdict(1).unwrap().confusion.unwrap().column(2).sum()
    };
    let counts =
        ["[1, 1, 0]", "none", "[1, 1, 50]"].map(|weights| taken(&format!("train.class_weights={weights}")));
    assert!(counts[0] < counts[1] && counts[1] < counts[2], "{counts:?}");
    let data = data::<f64>(&config(&[]));
    let wrong = config(&["train.class_weights=[1, 1]"]);
    assert!(Trainer::new(&wrong, &data, 1).is_err());
    let balanced = config(&["train.class_weights=balanced"]);
    finish(&mut Trainer::new(&balanced, &data, 1).unwrap());
}

#[test]
fn a_run_that_diverges_says_where() {
    let config = config(&["optim.learning_rate=1e300", "optim.rule=sgd", "model.dtype=f64"]);
    let data = data::<f64>(&config);
    let mut trainer = Trainer::new(&config, &data, 1).unwrap();
    let error = loop {
        match trainer.step() {
            Ok(_) => {}
            Err(error) => break error.to_string(),
        }
    };
    assert!(error.contains("after step") && error.contains("diverged"), "{error}");
    assert!(error.contains("W1 holds numbers that are not finite"), "{error}");
}

/// The targets of a regression are standardised on the training samples, and R squared tells of them whatever their unit.
#[test]
fn a_regression_learns_numbers_of_any_unit() {
    let set = super::blobs();
    let Features::Floats(x) = set.train().x() else { panic!("they are floats") };
    let targets = Array2::from_shape_fn((70, 2), |(row, output)| match output {
        0 => 1e4 + 500.0 * (x[[row, 0]] - x[[row, 1]]),
        _ => x[[row, 2]].abs(),
    });
    let set = DataSet::new(Rows::with_numbers(set.train().x().clone(), targets).unwrap()).unwrap();
    let set = set.with_names(vec!["price".to_owned(), "size".to_owned()]).unwrap();
    let config =
        config(&["model.task=regression", "model.keep=1", "train.epochs=150", "optim.learning_rate=0.01"]);
    let data = TrainingData::<f64>::new(set.clone(), &config).unwrap();
    let scale = data.preprocessing.targets.as_ref().unwrap().deviation.as_ref().unwrap();
    assert!(scale[0] > 100.0 && scale[1] < 10.0, "{scale:?}");
    let mut trainer = Trainer::new(&config, &data, 1).unwrap();
    finish(&mut trainer);
    let epoch = trainer.history().best_epoch().unwrap();
    assert!(epoch.train.r2.unwrap() > 0.9 && epoch.val.r2.unwrap() > 0.3, "{epoch:?}");
    assert!(epoch.val.accuracy.is_none(), "{epoch:?}");
    let lowest = trainer.history().epochs.iter().map(|epoch| epoch.val.loss).fold(f64::INFINITY, f64::min);
    assert_eq!(epoch.val.loss, lowest);
    assert!(trainer.verdict(1).unwrap().confusion.is_none());
    let classes = super::config(&[]);
    assert!(TrainingData::<f64>::new(set, &classes).is_err(), "numbers are no classes");
    assert!(TrainingData::<f64>::new(super::blobs(), &config).is_err(), "classes are no numbers");
}

/// Every kind of dropout, and keep probabilities that fall along a curve, change what is learned, and nothing else.
#[test]
fn kinds_of_dropout_and_annealing_are_in_force() {
    let loss = |changes: &[&str]| {
        let config = config(changes);
        let data = data::<f64>(&config);
        let mut trainer = Trainer::new(&config, &data, 1).unwrap();
        finish(&mut trainer);
        trainer.history().loss.clone()
    };
    let kinds = ["bernoulli", "gaussian", "drop_connect"]
        .map(|kind| loss(&[&format!("model.dropout={kind}"), "model.keep=0.5"]));
    assert!(kinds[0] != kinds[1] && kinds[1] != kinds[2]);
    let annealed = loss(&["model.annealing=curriculum", "model.keep=0.5"]);
    let whole = loss(&["model.keep=1"]);
    assert_eq!(annealed[0], whole[0], "at first, all is kept");
    assert_ne!(annealed[5], whole[5]);
    assert_ne!(annealed, kinds[0]);
}

/// Every key with a value of every kind: what it does not take is refused in words that a person knows, and never in those of a
/// programming language.
#[test]
fn a_value_of_the_wrong_kind_is_refused_in_plain_words() {
    let values = [
        "true",
        "-1",
        "3",
        "-0.5",
        "99999999999999999",
        "5000000000",
        "some words",
        "[]",
        "[true]",
        "[0.5, \"x\"]",
        "[[1]]",
        "{ a = 1 }",
        "2024-01-31",
    ];
    let mut refused = 0;
    for setting in settings().unwrap() {
        for value in values {
            let mut config = TrainingConfig::default();
            let Err(error) = config.set(&format!("{}={value}", setting.key).parse().unwrap()) else {
                continue;
            };
            refused += 1;
            let text = error.to_string();
            assert_eq!(config, TrainingConfig::default(), "{text}");
            assert!(text.starts_with(&format!("{} = ", setting.key)) && !text.contains('\n'), "{text}");
            let said = text.split_once(": ").unwrap().1;
            assert!(said.starts_with("it takes ") || said.starts_with("there is no "), "{text}");
            let jargon = [
                "invalid", "expected", "u32", "u64", "usize", "i64", "bool", "string", "sequence", "array",
                "variant", "untagged", "enum", "struct", "map", "floating", "integer", "`", "type", "\u{1}",
            ];
            let said = if setting.key == "model.dtype" { "" } else { said }; // whose values are f32 and f64
            for word in jargon.iter().chain(&["f32", "f64"]) {
                assert!(!said.to_lowercase().contains(word), "{word:?} in {text}");
            }
        }
    }
    assert!(refused > 300, "{refused}");
}

/// A value that can mean but one thing is taken for it.
#[test]
fn a_value_that_is_written_another_way_is_taken() {
    for (assignment, written) in [
        ("model.hidden=500", "[500]"),
        ("model.hidden=1e2", "[100]"),
        ("train.class_weights=2", "[2.0]"),
        ("train.epochs=1e3", "1000"),
        ("data.label_column=5", "\"5\""),
        ("data.label_column=2024-01-31", "\"2024-01-31\""),
        ("data.header=yes", "true"),
        ("data.header=No", "false"),
        ("data.header=true", "true"),
        ("optim.nesterov=yes", "true"),
        ("train.restore_best=off", "false"),
        ("optim.max_norm=3", "3.0"),
    ] {
        let mut config = TrainingConfig::default();
        config.set(&assignment.parse().unwrap()).unwrap();
        let key = assignment.split_once('=').unwrap().0;
        assert_eq!(config.get(key).unwrap().to_string(), written, "{assignment}");
        assert_eq!(TrainingConfig::from_toml(&config.to_toml().unwrap()).unwrap(), config, "{assignment}");
    }
    let from_file = TrainingConfig::from_toml("[model]\nhidden = 30\n[data]\nlabel_column = 2\n").unwrap();
    assert_eq!((from_file.model.hidden, from_file.data.label_column.as_deref()), (vec![30], Some("2")));
}
