//! Training that begins with a network from a file.

use ndarray::{Array2, Axis};
use thinnet::data::{DataSet, Rows};
use thinnet::import::{Imported, from_bytes};
use thinnet::layers::{Activation, Normalisation};
use thinnet::training::{Trainer, TrainerState, TrainingConfig, TrainingData};

use crate::{classes, config, model, numbers, samples};

fn start(
    own: &Imported,
    set: DataSet,
    config: &mut TrainingConfig,
) -> (TrainingData<f64>, TrainerState<f64>, Vec<String>) {
    config.take_task_of(&set);
    let mut notes = own.settle(config, &|_| false).unwrap();
    let data = own.data::<f64>(set, config).unwrap();
    let fresh = Trainer::new(config, &data, 1).unwrap().state().unwrap();
    let (state, more) = own.begin(&fresh, &data, config.loss()).unwrap();
    notes.extend(more);
    (data, state, notes)
}

/// The same samples with classes of these names.
fn named(names: &[&str], label: impl Fn(usize) -> usize) -> DataSet {
    let labels = (0..60).map(label).collect();
    let set = DataSet::new(Rows::with_classes(samples(), labels, names.len()).unwrap()).unwrap();
    set.with_names(names.iter().map(|&name| name.to_owned()).collect()).unwrap()
}

#[test]
fn a_run_begins_with_the_loss_that_the_model_has() {
    let trained = model::<f64>(classes(), &["model.normalisation=layer", "model.activation=tanh"]);
    let own = from_bytes(&trained.to_bytes().unwrap(), "file").unwrap();
    let all = ["model.hidden=[9]", "model.keep=1", "train.batch_size=50"];
    let mut settings = config(&all);
    let (data, state, notes) = start(&own, classes(), &mut settings);
    assert!(notes.is_empty(), "{notes:?}");
    assert_eq!(settings.model.hidden, [6, 5]);
    assert_eq!(settings.model.activation, Activation::Tanh);
    assert_eq!(settings.model.normalisation, Normalisation::Layer);
    assert_eq!(data.preprocessing.scale, trained.preprocessing().scale);
    // All training samples are one batch, without dropout.
    let mut trainer = Trainer::resume(&settings, &data, 1, &state).unwrap();
    let first = trainer.step().unwrap().loss;
    let scores = trained.net().scores(data.train.x().to_floats().unwrap().view()).unwrap();
    let (loss, _) = thinnet::layers::softmax_loss(scores.view(), data.train.labels()).unwrap();
    assert!((first - loss).abs() < 1e-12, "{first} {loss}");
    let (tuned, _) = own.fine_tune::<f32>(classes(), &config(&all), &mut ()).unwrap();
    assert_eq!(tuned.net().config().hidden, [6, 5]);
}

#[test]
fn classes_in_another_order_are_the_same_classes() {
    let trained = model::<f64>(classes(), &[]);
    let own = from_bytes(&trained.to_bytes().unwrap(), "file").unwrap();
    let mut settings = config(&[]);
    let (_, state, notes) =
        start(&own, named(&["tulip", "lily", "rose"], |row| (row + 1) % 3), &mut settings);
    assert!(notes.is_empty(), "{notes:?}");
    let (before, after) = (&trained.net().parameters.layers, &state.parameters().layers);
    assert_eq!(after[..2], before[..2]);
    assert_eq!(after[2].w, before[2].w.select(Axis(1), &[2, 0, 1]));
    assert_eq!(after[2].b, before[2].b.select(Axis(0), &[2, 0, 1]));
}

#[test]
fn other_classes_have_a_fresh_last_layer() {
    let trained = model::<f64>(classes(), &[]);
    let own = from_bytes(&trained.to_bytes().unwrap(), "file").unwrap();
    for (names, says) in [
        (&["lily", "rose"][..], "file has 3 outputs, but these data need 2"),
        (&["lily", "rose", "tulip", "daisy"], "need 4"),
        (
            &["lily", "rose", "daisy"],
            "knows the classes lily, rose, tulip, but these data have lily, rose, daisy",
        ),
    ] {
        let mut settings = config(&[]);
        let count = names.len();
        let (data, state, notes) = start(&own, named(names, |row| row % count), &mut settings);
        assert!(notes.len() == 1 && notes[0].contains(says) && notes[0].contains("afresh"), "{notes:?}");
        let fresh = Trainer::new(&settings, &data, 1).unwrap().state().unwrap();
        let (before, after) = (&trained.net().parameters.layers, &state.parameters().layers);
        assert_eq!(after[..2], before[..2]);
        assert_eq!(after[2], fresh.parameters().layers[2]);
    }
    let mut settings = config(&[]);
    let (_, _, notes) = start(&own, numbers(), &mut settings);
    assert!(notes[0].contains("predicts classes, but these data have numbers"), "{notes:?}");
}

#[test]
fn a_regression_predicts_the_same_numbers_in_another_scale() {
    let trained = model::<f64>(numbers(), &[]);
    let own = from_bytes(&trained.to_bytes().unwrap(), "file").unwrap();
    // Other targets: another mean, another deviation.
    let y = samples().select(Axis(1), &[1, 3]) * -40.0 + 3.0;
    let other = DataSet::new(Rows::with_numbers(samples(), y).unwrap()).unwrap();
    let mut settings = config(&[]);
    let (data, state, notes) = start(&own, other, &mut settings);
    assert!(notes.is_empty(), "{notes:?}");
    assert_ne!(data.preprocessing.targets, trained.preprocessing().targets);
    let mut net = trained.net().clone();
    net.parameters = state.parameters().clone();
    let x = samples().into();
    let inputs = data.preprocessing.inputs::<f64>(&x).unwrap().to_floats().unwrap().into_owned();
    let found: Array2<f64> =
        data.preprocessing.outputs(net.scores(inputs.view()).unwrap(), &settings.objective());
    for (found, expected) in found.iter().zip(&trained.predict_numbers(samples()).unwrap()) {
        assert!((found - expected).abs() < 1e-9 * expected.abs(), "{found} {expected}");
    }
}

#[test]
fn what_a_file_does_not_say_is_told() {
    let trained = model::<f32>(classes(), &[]);
    let arrays = thinnet::export::torch(&trained).unwrap().arrays;
    let mut own = from_bytes(&arrays, "net.safetensors").unwrap();
    own.scale = None;
    let mut settings = config(&["model.activation=tanh"]);
    let (_, _, notes) = start(&own, classes(), &mut settings);
    let all = notes.join("\n");
    assert!(all.contains("net.safetensors does not say its activation; it is taken to be tanh"), "{all}");
    assert!(all.contains("scaled by the new samples"), "{all}");
    assert!(all.contains("in this order, lily, rose, tulip"), "{all}");
}

#[test]
fn settings_that_differ_and_samples_that_do_not_fit_are_refused() {
    let trained = model::<f32>(classes(), &["model.normalisation=batch", "model.activation=elu"]);
    let own = from_bytes(&trained.to_bytes().unwrap(), "file").unwrap();
    for (change, says) in [
        ("model.hidden=[9]", "model.hidden is [9], but the network in file has [6, 5]"),
        ("model.activation=tanh", "model.activation is tanh, but the network in file has elu"),
        ("model.normalisation=layer", "model.normalisation is layer, but the network in file has batch"),
    ] {
        let mut settings = config(&[change]);
        let key = change.split('=').next().unwrap();
        let text = own.settle(&mut settings, &|given| given == key).unwrap_err().to_string();
        assert!(text.contains(says), "{text}");
    }
    let scaled = own.settle(&mut config(&["data.scaling=unit"]), &|_| false).unwrap_err().to_string();
    assert!(scaled.contains("data.scaling is unit") && scaled.contains("auto"), "{scaled}");
    let narrow = samples().select(Axis(1), &[0, 1]);
    let rows = Rows::with_classes(narrow, (0..60).map(|row| row % 3).collect(), 3).unwrap();
    let text = own.data::<f32>(DataSet::new(rows).unwrap(), &config(&[])).unwrap_err().to_string();
    assert!(text.contains("takes 4 numbers per sample, but these samples have 2"), "{text}");
}

#[test]
fn noise_is_trained_further_and_other_losses_begin_afresh() {
    let noise = model::<f64>(numbers(), &["model.loss=gaussian_nll"]);
    let own = from_bytes(&noise.to_bytes().unwrap(), "noise").unwrap();
    let before = &noise.net().parameters.layers;
    let begun = |changes: &[&str]| {
        let (_, state, notes) = start(&own, numbers(), &mut config(changes));
        (state.parameters().layers.clone(), notes)
    };
    let (layers, notes) = begun(&["model.loss=gaussian_nll"]);
    assert_eq!((&layers, notes.len()), (before, 0));
    for other in [&["model.loss=quantile", "model.quantiles=[0.2, 0.8]"][..], &[]] {
        let (layers, notes) = begun(other);
        assert!(notes.iter().any(|note| note.contains("the last layer begins afresh")), "{notes:?}");
        assert_eq!(layers[0].w, before[0].w);
        assert_ne!(layers[2].w, before[2].w);
    }
}
