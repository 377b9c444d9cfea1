//! Names of settings in other libraries, in papers, and on other command lines.
//!
//! One table for every place that takes settings: an unknown key of a file, an unknown `--set KEY=VALUE`, an unknown
//! option.

use super::explained::keys;

/// How to convert a value that is given under another name.
#[derive(Clone, Copy)]
enum Meaning {
    /// Unchanged.
    Same(&'static str),
    /// From the probability to drop to the probability to keep.
    Dropped(&'static str),
    /// The name alone determines the value.
    Fixed(&'static str),
}

use Meaning::{Dropped, Fixed, Same};

/// Names in lower case with `_` between words, and their meanings here. Add other names here.
const SYNONYMS: [(Meaning, &[&str]); 33] = [
    (
        Same("data.path"),
        &[
            "dataset",
            "data_path",
            "data_dir",
            "train_data",
            "input",
            "input_file",
            "file",
            "path",
            "csv",
            "table",
        ],
    ),
    (
        Same("data.label_column"),
        &["label", "labels", "label_col", "target", "target_column", "y", "class_column", "outcome"],
    ),
    (Same("data.resize"), &["size", "image_size", "img_size"]),
    (Same("data.train"), &["num_train", "n_train", "train_size", "samples", "num_samples"]),
    (Same("data.val"), &["num_val", "n_val", "val_size", "validation", "validation_size"]),
    (Same("data.scaling"), &["scale", "scaler", "standardize", "standardise", "normalize", "preprocessing"]),
    (Fixed("model.task=regression"), &["regression", "regress", "regressor"]),
    (Fixed("model.task=classification"), &["classification", "classify", "classifier"]),
    (Fixed("model.normalisation=batch"), &["batch_norm", "batchnorm", "bn", "batch_normalization"]),
    (Fixed("model.normalisation=layer"), &["layer_norm", "layernorm", "ln", "layer_normalization"]),
    (
        Same("model.hidden"),
        &[
            "layers",
            "hidden_layers",
            "hidden_layer_sizes",
            "hidden_units",
            "hidden_size",
            "hidden_sizes",
            "hidden_dim",
            "hidden_dims",
            "units",
            "width",
            "neurons",
        ],
    ),
    (Same("model.activation"), &["act", "nonlinearity", "activation_function"]),
    (Same("model.keep"), &["keep_prob", "keep_probability", "keep_rate"]),
    (
        Dropped("model.keep"),
        &["dropout", "dropout_rate", "dropout_prob", "drop", "drop_rate", "drop_prob", "p_drop"],
    ),
    (Dropped("model.input_keep"), &["input_dropout", "dropout_input", "input_drop", "input_dropout_rate"]),
    (Same("model.initialisation"), &["init", "initialization", "initializer", "initialiser", "weight_init"]),
    (Same("model.dtype"), &["precision", "float_type", "float"]),
    (Same("optim.rule"), &["optimizer", "optimiser", "optim", "solver", "update_rule", "algorithm"]),
    (
        Same("optim.learning_rate"),
        &["lr", "eta", "eta0", "step_size", "learn_rate", "learningrate", "learning_rate_init"],
    ),
    (Same("optim.schedule"), &["scheduler", "lr_schedule", "lr_scheduler", "learning_rate_schedule"]),
    (Same("optim.decay"), &["lr_decay", "gamma", "learning_rate_decay"]),
    (Same("optim.warmup_epochs"), &["warmup", "warm_up"]),
    (
        Same("optim.l2"),
        &["reg", "alpha", "lambda", "regularization", "regularisation", "l2_reg", "weight_penalty", "ridge"],
    ),
    (Same("optim.l1"), &["l1_reg", "lasso"]),
    (Same("optim.max_norm"), &["maxnorm", "max_weight_norm"]),
    (
        Same("optim.clip_norm"),
        &["clip", "grad_clip", "clipnorm", "max_grad_norm", "gradient_clip", "clip_grad"],
    ),
    (Same("optim.epsilon"), &["eps"]),
    (
        Same("train.epochs"),
        &["epoch", "num_epochs", "n_epochs", "nb_epochs", "max_epochs", "max_iter", "iterations", "passes"],
    ),
    (Same("train.batch_size"), &["batch", "bs", "batchsize", "minibatch", "mini_batch", "minibatch_size"]),
    (Same("train.seed"), &["random_state", "random_seed", "rng", "rng_seed"]),
    (Same("train.patience"), &["early_stopping", "early_stop", "n_iter_no_change"]),
    (
        Same("train.threads"),
        &["num_threads", "n_threads", "thread", "workers", "num_workers", "n_jobs", "cores", "cpus"],
    ),
    (Same("train.class_weights"), &["class_weight", "class_weighting"]),
];

/// The setting for a key without its section (`epochs`, `--batch-size`), or for its name in other programs (`lr`,
/// `dropout`): `KEY=VALUE`, with the converted value. `None` for an unknown name.
///
/// ```
/// use thinnet::training::meant;
/// assert_eq!(meant("lr", "0.1").as_deref(), Some("optim.learning_rate=0.1"));
/// assert_eq!(meant("--dropout", "0.2").as_deref(), Some("model.keep=0.8"));
/// assert_eq!(meant("batch-norm", "").as_deref(), Some("model.normalisation=batch"));
/// ```
pub fn meant(name: &str, value: &str) -> Option<String> {
    let name = name.trim_start_matches('-').replace('-', "_").to_lowercase();
    let same = |key: &str| format!("{key}={value}");
    let synonym =
        SYNONYMS.iter().find(|(_, names)| names.contains(&name.as_str())).map(|(meaning, _)| meaning);
    let suffix = format!(".{name}");
    let own = keys().into_iter().find(|key| *key == name || key.ends_with(&suffix));
    match (own, synonym) {
        // The kind of dropout is a setting, too: "gaussian" is not a probability.
        (Some(key), Some(Dropped(_))) if kept(value).is_none() && !value.is_empty() => Some(same(&key)),
        (_, Some(Dropped(key))) => Some(format!("{key}={}", kept(value).unwrap_or_default())),
        (Some(key), _) => Some(same(&key)),
        (None, Some(Same(key))) => Some(same(key)),
        (None, Some(Fixed(assignment))) => Some((*assignment).to_owned()),
        (None, None) => None,
    }
}

/// Converts a probability to drop to one to keep: "0.2" becomes "0.8". Rounded, because decimal fractions are not
/// exact in binary.
fn kept(dropped: &str) -> Option<String> {
    let dropped: f64 = dropped.parse().ok().filter(|dropped| (0.0..1.0).contains(dropped))?;
    Some(((1.0 - dropped) * 1e12).round().clamp(1.0, 1e12)).map(|kept| (kept / 1e12).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_means_one_setting_that_there_is() {
        let keys = keys();
        let mut names: Vec<&str> = Vec::new();
        for (meaning, of_it) in SYNONYMS {
            let (Same(assignment) | Dropped(assignment) | Fixed(assignment)) = meaning;
            let key = assignment.split('=').next().unwrap();
            assert!(keys.iter().any(|known| known == key), "{key}");
            names.extend(of_it);
        }
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count, "a name stands in two places");
    }

    #[test]
    fn a_rate_dropped_is_a_probability_to_keep() {
        for (name, value, expected) in [
            ("dropout", "0.5", "model.keep=0.5"),
            ("--dropout", "0.9", "model.keep=0.1"),
            ("--dropout-rate", "0", "model.keep=1"),
            ("dropout", "gaussian", "model.dropout=gaussian"),
            ("input-dropout", "0.2", "model.input_keep=0.8"),
            ("--keep", "0.5", "model.keep=0.5"),
            ("--batch-size", "8", "train.batch_size=8"),
            ("--regression", "", "model.task=regression"),
        ] {
            assert_eq!(meant(name, value).as_deref(), Some(expected), "{name} {value}");
        }
        assert_eq!(meant("zoo", "1"), None);
    }
}
