//! No key of a configuration is without effect, and those that only change how long or how fast a run is change no figure.

use std::collections::BTreeSet;

use thinnet::training::{Trainer, keys};

use super::{config, data};

/// The losses of every step.
fn losses(changes: &[&str]) -> Vec<f64> {
    let config = config(changes);
    let data = data::<f64>(&config);
    let mut trainer = Trainer::new(&config, &data, 1).unwrap();
    super::finish(&mut trainer);
    trainer.history().loss.clone()
}

/// A change, and what has to be set for it to matter.
const FIGURES: &[(&str, &[&str])] = &[
    ("data.train=40", &[]),
    ("data.val=20", &[]),
    ("data.split=stored", &[]),
    ("data.split_seed=1", &[]),
    ("data.scaling=none", &[]),
    ("model.hidden=[15]", &[]),
    ("model.activation=tanh", &[]),
    ("model.keep=0.9", &[]),
    ("model.dropout=gaussian", &[]),
    ("model.input_keep=0.9", &[]),
    ("model.annealing=curriculum", &[]),
    ("model.annealing_rate=2", &["model.annealing=curriculum"]),
    ("model.normalisation=layer", &[]),
    ("model.initialisation=glorot", &[]),
    ("model.weight_scale=0.1", &["model.initialisation=normal"]),
    ("model.dtype=f32", &[]), // of the settings alone: `losses` computes in f64
    ("optim.rule=rmsprop", &[]),
    ("optim.learning_rate=0.01", &[]),
    ("optim.schedule=decay", &[]),
    ("optim.decay=0.5", &["optim.schedule=decay"]),
    ("optim.step_epochs=1", &["optim.schedule=step"]),
    ("optim.final_learning_rate=1e-3", &["optim.schedule=cosine", "optim.learning_rate=0.01"]),
    ("optim.warmup_epochs=1.5", &[]),
    ("optim.momentum=0.5", &["optim.rule=sgd_momentum"]),
    ("optim.momentum_start=0.1", &["optim.rule=sgd_momentum", "optim.momentum_ramp_epochs=2"]),
    ("optim.momentum_ramp_epochs=2", &["optim.rule=sgd_momentum"]),
    ("optim.nesterov=true", &["optim.rule=sgd_momentum"]),
    ("optim.beta1=0.5", &[]),
    ("optim.beta2=0.5", &[]),
    ("optim.decay_rate=0.5", &["optim.rule=rmsprop"]),
    ("optim.epsilon=0.1", &[]),
    ("optim.weight_decay=0.5", &["optim.rule=adamw"]),
    ("optim.l2=0.1", &[]),
    ("optim.l1=0.1", &[]),
    ("optim.max_norm=0.5", &[]),
    ("optim.clip_norm=0.01", &["optim.rule=sgd"]),
    ("optim.clip_value=0.001", &["optim.rule=sgd"]),
    ("train.batch_size=9", &[]),
    ("train.seed=1", &[]),
    ("train.sampling=replacement", &[]),
    ("train.masks=numpy", &[]),
    ("train.label_smoothing=0.2", &[]),
    ("train.class_weights=[1, 2, 3]", &[]),
];

/// Changes that leave every step what it is.
const NO_FIGURES: &[&str] = &[
    "train.check_samples=5",
    "train.monitor=loss",
    "train.min_delta=0.5",
    "train.restore_best=false",
    "train.calibrate=true",
    "train.threads=2",
];

/// Keys that other tests are for: of reading files, of regressions, of how long a run is, of rounding.
const ELSEWHERE: &[&str] = &[
    "data.path",
    "data.label_column",
    "data.task",
    "data.columns",
    "data.drop",
    "data.categories",
    "data.date_parts",
    "data.test",
    "data.header",
    "data.resize",
    "data.skip_broken",
    "data.target_scaling",
    "model.from",
    "model.task",
    "model.loss",
    "model.huber_delta",
    "model.quantiles",
    "model.beta_nll",
    "train.members",
    "train.epochs",
    "train.patience",
    "train.window",
    "train.engine",
];

fn key(change: &str) -> &str {
    change.split('=').next().unwrap()
}

#[test]
fn every_key_is_in_force() {
    for (change, with) in FIGURES.iter().filter(|(change, _)| key(change) != "model.dtype") {
        let changed = [&[*change], *with].concat();
        assert_ne!(losses(with), losses(&changed), "{change}");
    }
    let usual = losses(&[]);
    for change in NO_FIGURES {
        assert_eq!(usual, losses(&[change]), "{change}");
    }
    let named: BTreeSet<&str> = FIGURES
        .iter()
        .map(|(change, _)| key(change))
        .chain(NO_FIGURES.iter().map(|change| key(change)))
        .chain(ELSEWHERE.iter().copied())
        .collect();
    let all = keys();
    assert_eq!(all.iter().map(String::as_str).collect::<BTreeSet<_>>(), named);
}

#[test]
fn what_is_out_of_range_is_refused_by_name() {
    for (change, name) in [
        ("optim.learning_rate=-1", "learning rate"),
        ("optim.learning_rate=nan", "learning rate"),
        ("optim.decay=0", "decay"),
        ("optim.step_epochs=0", "steps"),
        ("optim.warmup_epochs=-1", "warm-up"),
        ("optim.beta1=1", "beta1"),
        ("optim.epsilon=0", "epsilon"),
        ("optim.l1=-1", "l1"),
        ("optim.l2=-1", "reg"),
        ("optim.max_norm=0", "max_norm"),
        ("optim.clip_norm=-1", "clip"),
        ("model.keep=0", "KEEP"),
        ("model.input_keep=1.5", "KEEP"),
        ("model.hidden=[5, 0]", "hidden"),
        ("model.weight_scale=-1", "weight_scale"),
        ("model.annealing_rate=0", "annealing_rate"),
        ("train.batch_size=0", "batch_size"),
        ("train.patience=0", "patience"),
        ("train.min_delta=-1", "min_delta"),
        ("train.label_smoothing=1", "smoothing"),
        ("train.class_weights=[-1, 1, 1]", "class_weights"),
        ("data.train=0", "data.train"),
    ] {
        let message = config(&[change]).check().unwrap_err().to_string();
        assert!(message.contains(name), "{change}: {message}");
    }
    for (change, name) in [
        ("model.huber_delta=0", "huber_delta"),
        ("model.quantiles=[0.9, 0.1]", "quantiles"),
        ("model.beta_nll=2", "beta_nll"),
        ("train.members=0", "members"),
        ("model.loss=logistic", "model.loss"),
    ] {
        let message = config(&[change]).check().unwrap_err().to_string();
        assert!(message.contains(name), "{change}: {message}");
    }
    let counts = config(&["model.loss=poisson"]).check().unwrap_err().to_string();
    assert!(counts.contains("data.target_scaling"), "{counts}");
    let many = config(&["train.members=2", "train.seed=4294967295"]).check().unwrap_err().to_string();
    assert!(many.contains("seed"), "{many}");
    let both = config(&["optim.clip_norm=1", "optim.clip_value=1"]).check().unwrap_err().to_string();
    assert!(both.contains("exclude each other"), "{both}");
    let momentum =
        config(&["optim.rule=sgd_momentum", "optim.momentum_ramp_epochs=1", "optim.momentum_start=1"]);
    assert!(momentum.check().unwrap_err().to_string().contains("momentum"));
    let regression = config(&["model.task=regression", "train.label_smoothing=0.1"]);
    assert!(regression.check().is_err());
}
