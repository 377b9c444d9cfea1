//! A run that was stopped and gone on with is, bit for bit, one that never was.

use thinnet::Float;
use thinnet::model::Model;
use thinnet::random::RandomState;
use thinnet::training::{RunHistory, Trainer, TrainerState, TrainingConfig};

use super::{config, data, finish};

/// The history without its times, which differ from run to run.
pub(crate) fn timeless(history: &RunHistory) -> RunHistory {
    let mut history = history.clone();
    for epoch in &mut history.epochs {
        (epoch.seconds, epoch.samples_per_second) = (0.0, 0.0);
    }
    history
}

/// Stops after `stop` steps, goes on from the checkpoint's bytes, and compares with a run that never stopped.
fn stopped_at<F: Float>(config: &TrainingConfig, stop: u64) {
    let data = data::<F>(config);
    let mut whole = Trainer::new(config, &data, 1).unwrap();
    let mut first = Trainer::new(config, &data, 1).unwrap();
    while first.progress().0 < stop && first.finished().is_none() {
        first.step().unwrap();
    }
    let bytes = first.state().unwrap().to_bytes(config).unwrap();
    let (state, read) = TrainerState::<F>::from_bytes(&bytes).unwrap();
    assert_eq!((&state, &read), (&first.state().unwrap(), config));
    let mut second = Trainer::resume(config, &data, 2, &state).unwrap();
    finish(&mut whole);
    finish(&mut second);
    assert_eq!(timeless(whole.history()), timeless(second.history()));
    assert_eq!(whole.parameters().unwrap(), second.parameters().unwrap());
    let best = |trainer: &Trainer<'_, F>| trainer.trained().unwrap().net;
    assert_eq!(best(&whole).parameters, best(&second).parameters);
    assert_eq!(best(&whole).running(), best(&second).running());
}

#[test]
fn every_rule_and_stream_goes_on_from_within_and_between_epochs() {
    for changes in [
        &["optim.rule=adam"][..],
        &["optim.rule=sgd"],
        &["optim.rule=sgd_momentum", "optim.momentum_ramp_epochs=2", "optim.schedule=cosine"],
        &["optim.rule=rmsprop", "train.masks=numpy"],
        &["optim.rule=adamw", "optim.weight_decay=0.5"],
        &["train.sampling=replacement", "train.masks=numpy", "optim.schedule=decay"],
        &["model.normalisation=batch", "model.input_keep=0.8"],
        &["train.sampling=stream"],
        &["model.normalisation=layer"],
        &["model.annealing=curriculum", "model.keep=0.3"],
    ] {
        let config = config(changes);
        for stop in [0, 3, 6, 7, 23] {
            stopped_at::<f32>(&config, stop);
        }
        stopped_at::<f64>(&config, 8);
    }
}

#[test]
fn damage_is_seen() {
    let config = config(&[]);
    let data = data::<f32>(&config);
    let mut trainer = Trainer::new(&config, &data, 1).unwrap();
    (0..3).for_each(|_| {
        trainer.step().unwrap();
    });
    let bytes = trainer.state().unwrap().to_bytes(&config).unwrap();
    for cut in [0, 5, 21, 80, 86, bytes.len() / 2, bytes.len() - 1] {
        assert!(TrainerState::<f32>::from_bytes(&bytes[..cut]).is_err(), "cut at {cut}");
    }
    for at in (0..bytes.len()).step_by(bytes.len() / 97) {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1 << (at % 8);
        assert!(TrainerState::<f32>::from_bytes(&bytes).is_err(), "bit of byte {at}");
    }
    let other = TrainerState::<f64>::from_bytes(&bytes).unwrap_err().to_string();
    assert!(other.contains("F32, but f64 is needed"), "{other}");
}

#[test]
fn a_state_of_another_run_is_refused() {
    let own = config(&[]);
    let data = data::<f32>(&own);
    let mut trainer = Trainer::new(&own, &data, 1).unwrap();
    (0..3).for_each(|_| {
        trainer.step().unwrap();
    });
    let state = trainer.state().unwrap();
    for changes in ["model.hidden=[17]", "model.hidden=[16, 16]", "optim.rule=sgd", "train.batch_size=70"] {
        let other = config(&[changes]);
        let refused = Trainer::resume(&other, &data, 1, &state);
        assert!(refused.is_err() || changes.starts_with("train"), "{changes}");
    }
}

/// A model file may come from anyone: whatever is changed in one, it is read or refused, and takes no memory for what it
/// claims.
#[test]
fn a_hostile_model_is_refused() {
    let config = config(&["model.normalisation=batch", "train.epochs=1"]);
    let data = data::<f32>(&config);
    let mut trainer = Trainer::new(&config, &data, 1).unwrap();
    finish(&mut trainer);
    let model = Model::new(trainer.trained().unwrap(), data.preprocessing.clone()).unwrap();
    let bytes = model.to_bytes().unwrap();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let at = text.find("hidden = [16]").expect("the settings");
    let mut huge = bytes.clone();
    huge[at..at + 13].copy_from_slice(b"hidden=[9e9] ");
    assert!(Model::<f32>::from_bytes(&huge).is_err());
    huge[at..at + 13].copy_from_slice(b"hidden=[4_0]\n");
    assert!(Model::<f32>::from_bytes(&huge).is_err());
    let mut trained = trainer.trained().unwrap();
    trained.config.model.hidden = vec![usize::MAX / 2];
    let model = Model::new(trained, data.preprocessing.clone()).unwrap();
    assert!(Model::<f32>::from_bytes(&model.to_bytes().unwrap()).is_err());
    let mut random = RandomState::new(3);
    for _ in 0..3000 {
        let mut bytes = bytes.clone();
        for _ in 0..3 {
            let at = random.choice(bytes.len(), 1).unwrap()[0];
            bytes[at] = random.choice(256, 1).unwrap()[0].to_le_bytes()[0];
        }
        let _ = Model::<f32>::from_bytes(&bytes);
        let _ = Model::<f32>::from_bytes(&bytes[..random.choice(bytes.len(), 1).unwrap()[0]]);
    }
}

#[test]
fn the_same_run_gives_the_same_model_and_it_is_read_back() {
    let train = |normalisation: &str, threads: usize| {
        let config = config(&[normalisation]);
        let data = data::<f32>(&config);
        let mut trainer = Trainer::new(&config, &data, threads).unwrap();
        finish(&mut trainer);
        let epoch = *trainer.history().best_epoch().unwrap();
        let model = Model::new(trainer.trained().unwrap(), data.preprocessing.clone()).unwrap();
        let kept = model.trained();
        assert_eq!((kept.epoch, kept.val, kept.samples), (epoch.epoch, epoch.val, [56, 14, 0]));
        model
    };
    for normalisation in ["model.normalisation=batch", "model.normalisation=layer"] {
        let (one, two) = (train(normalisation, 1), train(normalisation, 2));
        let bytes = one.to_bytes().unwrap();
        assert_eq!(bytes, two.to_bytes().unwrap());
        let read = Model::<f32>::from_bytes(&bytes).unwrap();
        assert_eq!(read.net().parameters, one.net().parameters);
        assert_eq!(read.net().running(), one.net().running());
        assert_eq!((read.preprocessing(), read.config()), (one.preprocessing(), one.config()));
        assert_eq!(read.preprocessing().scale.mean.len(), 12);
        assert!(Model::<f64>::from_bytes(&bytes).is_err());
    }
}
