//! The training loop: what it draws, checks, keeps and tells.
#![allow(clippy::unwrap_used, clippy::panic, clippy::float_cmp)] // a test fails by panic; the script fixes every figure

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard};

use ndarray::{Array1, Array2};
use thinnet::data::{Features, Rows, Targets};
use thinnet::engine::{Batch, Engine, EngineState, Inputs, Layers, StepLoss};
use thinnet::layers::{Dropout, HiddenDropout};
use thinnet::net::{FullyConnectedNet, LayerParameters, NetConfig, Parameters};
use thinnet::optim::ScheduleKind;
use thinnet::random::RandomState;
use thinnet::training::{
    Accuracies, CheckRows, Checks, CourseLine, OptimConfig, Progress, Sampling, Step, TrainConfig, Trainer,
    TrainingConfig, TrainingData,
};
use thinnet::{Error, Result};

/// An engine that computes nothing: it plays given losses and gives given numbers of correct answers, and writes down what
/// it is asked. All labels are 0; its only parameter is the number of steps done. A copy writes into the same log.
#[derive(Default, Clone)]
struct Scripted(Arc<Mutex<Script>>);

/// What is played, and what was asked.
#[derive(Default)]
struct Script {
    /// The loss of each step; 1 where none is given.
    losses: Vec<f64>,
    /// How many of the scored samples come out right after each step (by its index); 0 where none is given.
    correct: Vec<usize>,
    batches: Vec<Vec<usize>>,
    rates: Vec<f64>,
    /// The learning rate that held at each step.
    step_rates: Vec<f64>,
    scored: Vec<usize>,
}

impl Script {
    fn engine(self) -> Scripted {
        Scripted(Arc::new(Mutex::new(self)))
    }
}

impl Scripted {
    fn log(&self) -> MutexGuard<'_, Script> {
        self.0.lock().unwrap()
    }
}

impl Engine<f64> for Scripted {
    fn step(
        &mut self,
        _: &Features<f64>,
        _: Targets<'_, f64>,
        batch: Batch<'_>,
        _: &mut RandomState,
    ) -> Result<StepLoss> {
        let mut log = self.log();
        log.batches.push(batch.indices.to_vec());
        let rate = log.rates.last().copied();
        log.step_rates.extend(rate);
        let data = log.losses.get(log.batches.len() - 1).copied().unwrap_or(1.0);
        Ok(StepLoss { data, penalty: 0.0 })
    }

    fn gradients(
        &mut self,
        _: &Features<f64>,
        _: Targets<'_, f64>,
        _: Batch<'_>,
        _: usize,
        _: &mut RandomState,
    ) -> Result<(StepLoss, Parameters<f64>)> {
        panic!("the loop takes whole steps")
    }

    fn update(&mut self, _: Parameters<f64>) -> Result<()> {
        panic!("the loop takes whole steps")
    }

    fn load(&self, x: &Features<f64>) -> Result<Inputs<f64>> {
        Ok(Inputs::Rows(x.to_floats().unwrap()))
    }

    fn scores(&self, inputs: &Inputs<f64>) -> Result<Array2<f64>> {
        let Inputs::Rows(x) = inputs else { panic!("these are not the inputs that were loaded") };
        let mut log = self.log();
        log.scored.push(x.nrows());
        let correct = log.correct.get(log.batches.len().saturating_sub(1)).copied().unwrap_or(0);
        Ok(Array2::from_shape_fn((x.nrows(), 2), |(row, class)| {
            f64::from(u8::from((row < correct) == (class == 0)))
        }))
    }

    fn parameters(&self) -> Result<Parameters<f64>> {
        let w = Array2::from_elem((1, 1), self.log().batches.len() as f64);
        Ok(Parameters { layers: vec![LayerParameters { w, b: Array1::zeros(1), gamma_beta: None }] })
    }

    fn set_momentum(&mut self, _: f64) -> Result<()> {
        Ok(())
    }

    fn first_not_finite(&self) -> Option<String> {
        None
    }

    fn set_learning_rate(&mut self, learning_rate: f64) {
        self.log().rates.push(learning_rate);
    }

    fn each_masked(
        &mut self,
        _: &Inputs<f64>,
        _: Range<u64>,
        _: usize,
        _: &mut RandomState,
        _: &mut dyn FnMut(Range<usize>, Array2<f64>) -> Result<()>,
    ) -> Result<()> {
        panic!("the loop predicts nothing")
    }

    fn set_dropout(&mut self, _: HiddenDropout, _: Option<Dropout>) -> Result<()> {
        panic!("the loop leaves dropout alone")
    }

    fn set_reg(&mut self, _: f64) {
        panic!("the loop leaves the L2 term alone")
    }

    fn state(&self) -> Result<EngineState<f64>> {
        panic!("the loop saves nothing")
    }

    fn restore(&mut self, _: &EngineState<f64>) -> Result<()> {
        panic!("the loop restores nothing")
    }
}

/// Writes down what it is told, and stops the run after so many iterations.
struct Log {
    lines: Vec<String>,
    steps: usize,
    stop_after: usize,
}

impl Default for Log {
    fn default() -> Self {
        Self { lines: Vec::new(), steps: 0, stop_after: usize::MAX }
    }
}

impl Progress for Log {
    fn step(&mut self, step: &Step, steps: u64) {
        self.steps += 1;
        self.lines.extend(CourseLine::of(step, steps, 2, 1).map(|line| line.to_string()));
    }

    fn interrupted(&self) -> bool {
        self.steps >= self.stop_after
    }
}

fn samples(count: usize) -> Rows<f64> {
    Rows::with_classes(RandomState::new(17).randn((count, 3)), vec![0; count], 2).unwrap()
}

fn data(train: usize, val: usize) -> TrainingData<f64> {
    TrainingData::of_rows(samples(train), samples(val))
}

fn config(epochs: usize, batch_size: usize) -> TrainingConfig {
    TrainingConfig {
        optim: OptimConfig {
            learning_rate: 0.5,
            schedule: ScheduleKind::Decay,
            decay: 1.0,
            ..OptimConfig::default()
        },
        train: TrainConfig { epochs, batch_size, sampling: Sampling::Replacement, ..TrainConfig::default() },
        ..TrainingConfig::default()
    }
}

fn checks(train: Option<usize>, val: Option<usize>) -> Checks {
    let drawn = |samples: Option<usize>| samples.map_or(CheckRows::All, CheckRows::Drawn);
    Checks { train: drawn(train), val: drawn(val), ..Checks::course() }
}

/// Trains, and gives the history, the best network's only parameter and the stream.
fn train(
    engine: Box<dyn Engine<f64>>,
    data: &TrainingData<f64>,
    config: &TrainingConfig,
    checks: Checks,
    random: RandomState,
    progress: &mut dyn Progress,
) -> Result<(Accuracies, f64, RandomState)> {
    let mut trainer = Trainer::with_engine(config, data, engine, random, checks)?;
    trainer.run(progress)?;
    let best = trainer.best_parameters()?.layers[0].w[(0, 0)];
    Ok((Accuracies::of(trainer.history()), best, trainer.into_random()))
}

fn run(engine: &Scripted, data: &TrainingData<f64>, config: &TrainingConfig) -> Result<(Accuracies, f64)> {
    let checks = checks(Some(1000), None);
    let (history, best, _) =
        train(Box::new(engine.clone()), data, config, checks, RandomState::new(1), &mut ())?;
    Ok((history, best))
}

#[test]
fn histories_have_the_courses_lengths_and_epochs() {
    // (training samples, batch, epochs) -> iterations, epochs at the checks
    let cases: [(usize, usize, usize, usize, &[usize]); 7] = [
        (25, 10, 2, 4, &[0, 1, 2]),
        (30, 10, 2, 6, &[0, 1, 2]),
        (30, 10, 1, 3, &[0, 1]),
        (10, 10, 3, 3, &[1, 2, 3]), // the first iteration ends the first epoch
        (5, 10, 3, 3, &[1, 2, 3]),  // a batch greater than the data
        (5, 10, 1, 1, &[1]),
        (2, 1, 2, 4, &[0, 1, 2]),
    ];
    for (count, batch_size, epochs, iterations, checks) in cases {
        let engine = Scripted::default();
        let (history, _) = run(&engine, &data(count, 4), &config(epochs, batch_size)).unwrap();
        assert_eq!((history.loss.len(), history.epoch.as_slice()), (iterations, checks));
        assert_eq!((history.train_accuracy.len(), history.val_accuracy.len()), (checks.len(), checks.len()));
        let log = engine.log();
        assert!(log.batches.iter().all(|batch| batch.len() == batch_size));
        assert!(log.batches.iter().flatten().all(|&index| index < count));
        assert_eq!(log.scored, [count, 4].repeat(checks.len())); // training samples first
    }
}

#[test]
fn the_learning_rate_decays_at_each_epochs_end() {
    let decaying = |decay, epochs, samples| {
        let engine = Scripted::default();
        let mut config = config(epochs, 10);
        config.optim.decay = decay;
        run(&engine, &data(samples, 4), &config).unwrap();
        engine.log().step_rates.clone()
    };
    assert_eq!(decaying(0.5, 3, 25), [0.5, 0.5, 0.25, 0.25, 0.125, 0.125]);
    assert_eq!(decaying(0.1, 2, 5), [0.5, 0.05]);
}

#[test]
fn the_best_parameters_are_the_first_best() {
    // One iteration an epoch; 0, 3, 1, 3, 2 of 4 validation samples come out right.
    let engine = Script { correct: vec![0, 3, 1, 3, 2], ..Script::default() }.engine();
    let (history, best) = run(&engine, &data(5, 4), &config(5, 10)).unwrap();
    assert_eq!(history.val_accuracy, [0.0, 0.75, 0.25, 0.75, 0.5]);
    assert_eq!(history.train_accuracy, [0.0, 0.6, 0.2, 0.6, 0.4]);
    assert_eq!(best, 2.0);
    assert_eq!(history.best(), Some((2, 0.75)));
    // Accuracy 0 throughout: the first check's.
    let (history, best) = run(&Scripted::default(), &data(5, 4), &config(3, 10)).unwrap();
    assert_eq!((best, history.best()), (1.0, Some((1, 0.0))));
    assert_eq!(Accuracies::default().best(), None);
}

fn network(dropout: Option<Dropout>, random: &mut RandomState) -> Box<Layers<f64>> {
    let config = NetConfig {
        input_dim: 3,
        hidden: vec![6, 4],
        num_outputs: 2,
        dropout: dropout.into(),
        ..NetConfig::default()
    };
    Box::new(Layers::new(FullyConnectedNet::new(config, random).unwrap(), "sgd".parse().unwrap()).unwrap())
}

/// Rule 4 of the design, draw by draw; and rule 2: a seed of the dropout re-seeds the stream where accuracies are checked, too.
#[test]
fn the_stream_is_drawn_from_exactly_as_the_course_does() {
    let (count, val, batch_size) = (25, 9, 10);
    let keep = Some(Dropout::new(0.5, None).unwrap());
    // (settings) -> draws of each accuracy check
    for (dropout, train_samples, val_samples, reseed) in [
        (keep, None, None, None),
        (None, Some(7), None, None),
        (keep, Some(24), Some(8), None),
        (keep, Some(25), Some(9), None), // as many as there are: all of them, not drawn
        (keep, Some(1000), Some(3), None),
        (keep, Some(7), Some(3), Some(99)),
    ] {
        let mut random = RandomState::new(2);
        let engine = network(dropout, &mut random);
        let mut by_hand = random.clone();
        let checks = Checks { reseed, ..checks(train_samples, val_samples) };
        let (.., random) =
            train(engine, &data(count, val), &config(2, batch_size), checks, random, &mut ()).unwrap();
        for iteration in 1..=4 {
            by_hand.choice(count, batch_size).unwrap();
            if dropout.is_some() {
                by_hand.rand(batch_size * 6);
                by_hand.rand(batch_size * 4);
            }
            if iteration == 1 || iteration % 2 == 0 {
                for (total, drawn) in [(count, train_samples), (val, val_samples)] {
                    if let Some(drawn) = drawn.filter(|&drawn| drawn < total) {
                        by_hand.choice(total, drawn).unwrap();
                    }
                    if let Some(seed) = reseed {
                        by_hand.seed(seed);
                    }
                }
            }
        }
        assert_eq!(random.state(), by_hand.state(), "{checks:?}");
    }
}

#[test]
fn batches_are_choices_from_the_stream() {
    let engine = Scripted::default();
    let (data, config, checks) = (data(25, 4), config(2, 10), checks(Some(3), None));
    train(Box::new(engine.clone()), &data, &config, checks, RandomState::new(1), &mut ()).unwrap();
    let mut by_hand = RandomState::new(1);
    for (iteration, batch) in (1..).zip(&engine.log().batches) {
        assert_eq!(batch, &by_hand.choice(25, 10).unwrap());
        if iteration == 1 || iteration % 2 == 0 {
            by_hand.choice(25, 3).unwrap();
        }
    }
    assert_eq!(engine.log().scored, [3, 4].repeat(3));
}

/// A run of `epochs` with batches of 8 on 16 samples.
fn logged(engine: &Scripted, epochs: usize, log: &mut Log) -> Result<(Accuracies, f64, RandomState)> {
    let (data, config) = (data(16, 4), config(epochs, 8));
    let checks = checks(Some(1000), None);
    train(Box::new(engine.clone()), &data, &config, checks, RandomState::new(1), log)
}

#[test]
fn events_come_in_order_and_print_the_courses_lines() {
    let script = Script {
        losses: vec![2.5, 0.123_456_78, 1e-9, 7.856_643],
        correct: vec![0, 1, 2, 4],
        ..Script::default()
    };
    let mut log = Log::default();
    logged(&script.engine(), 2, &mut log).unwrap();
    assert_eq!(
        log.lines,
        [
            "(Iteration 1 / 4) loss: 2.500000",
            "(Epoch 0 / 2) train acc: 0.000000; val_acc: 0.000000",
            "(Iteration 2 / 4) loss: 0.123457",
            "(Epoch 1 / 2) train acc: 0.062500; val_acc: 0.250000",
            "(Iteration 3 / 4) loss: 0.000000",
            "(Iteration 4 / 4) loss: 7.856643",
            "(Epoch 2 / 2) train acc: 0.250000; val_acc: 1.000000",
        ]
    );
}

#[test]
fn a_run_can_be_stopped() {
    let mut log = Log { stop_after: 3, ..Log::default() };
    let engine = Scripted::default();
    let error = logged(&engine, 5, &mut log).unwrap_err();
    assert!(matches!(error, Error::Interrupted { step: 3 }));
    assert_eq!(error.to_string(), "stopped after step 3");
    assert_eq!(engine.log().batches.len(), 3);
}

#[test]
fn a_loss_that_is_not_finite_ends_the_run() {
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let engine = Script { losses: vec![2.0, 1.0, bad], ..Script::default() }.engine();
        let mut log = Log::default();
        let error = logged(&engine, 5, &mut log).unwrap_err();
        assert!(matches!(error, Error::Diverged { step: 3, .. }));
        let sentence = format!("the loss is {bad} after step 3: training has diverged");
        assert!(error.to_string().starts_with(&sentence), "{error}");
        assert!(!log.lines.iter().any(|line| line.starts_with("(Iteration 3")));
    }
    // And with a network: a learning rate that is far too great.
    let mut random = RandomState::new(2);
    let engine = network(None, &mut random);
    let x: Array2<f64> = RandomState::new(17).randn((20, 3));
    let rows = Rows::with_classes(x, (0..20).map(|index| index % 2).collect(), 2).unwrap();
    let data = TrainingData::of_rows(rows, samples(4));
    let mut config = config(20, 10);
    config.optim.learning_rate = 1e200;
    let result = train(engine, &data, &config, Checks::course(), random, &mut ());
    assert!(matches!(result, Err(Error::Diverged { .. })));
}

#[test]
fn settings_out_of_range_are_refused_before_anything_is_drawn() {
    let decay = |decay| {
        let mut config = config(1, 10);
        config.optim.decay = decay;
        config
    };
    let bad = [
        (config(0, 10), "train.epochs"),
        (config(1, 0), "train.batch_size"),
        (decay(0.0), "decay"),
        (decay(-1.0), "decay"),
        (decay(f64::NAN), "decay"),
        (config(usize::MAX, 1), "too large"),
    ];
    for (settings, what) in bad {
        let message = run(&Scripted::default(), &data(16, 4), &settings).unwrap_err().to_string();
        assert!(message.contains(what), "{message}");
    }
    for checks in [checks(Some(0), None), checks(None, Some(0))] {
        let (engine, random) = (Box::new(Scripted::default()), RandomState::new(1));
        let error = train(engine, &data(16, 4), &config(1, 10), checks, random, &mut ()).unwrap_err();
        assert!(error.to_string().contains("at least 1, got 0"), "{error}");
    }
}

#[test]
fn data_that_do_not_fit_are_refused() {
    let good = || samples(16);
    let wide = || Rows::with_classes(Array2::zeros((4, 5)), vec![0; 4], 2).unwrap();
    let fails = |train_rows: Rows<f64>, val: Rows<f64>| {
        let mut random = RandomState::new(2);
        let engine = network(None, &mut random);
        let data = TrainingData::of_rows(train_rows, val);
        train(engine, &data, &config(2, 8), Checks::course(), random, &mut ()).map(drop).unwrap_err()
    };
    for (train_rows, val) in [(wide(), good()), (good(), wide())] {
        let error = fails(train_rows, val);
        assert!(matches!(error, Error::Shape { .. }), "{error}");
    }
    let labelled = Rows::with_classes(Array2::zeros((4, 3)), vec![0, 1, 2, 0], 3).unwrap();
    assert!(matches!(fails(labelled, good()), Error::Data(_)));
    let numbers = Rows::with_numbers(Array2::zeros((16, 3)), Array2::zeros((16, 2))).unwrap();
    let error = fails(numbers, good());
    assert!(error.to_string().contains("the softmax loss takes labels, got numbers"), "{error}");
    let none = Rows::with_classes(Array2::zeros((0, 3)), vec![], 2).unwrap();
    for (train_rows, val) in [(none.clone(), good()), (good(), none)] {
        let error = fails(train_rows, val);
        assert!(matches!(error, Error::Data(_) | Error::Configuration { .. }), "{error}");
    }
}

#[test]
fn accuracy_is_the_share_of_highest_scores_and_the_first_of_equals_counts() {
    // Equal scores, as long as nothing is learnt: class 0, so the labels that are 0 come out right.
    let labels = vec![0, 0, 0, 1, 1, 1, 1, 1];
    let rows = Rows::with_classes(Array2::zeros((8, 3)), labels.clone(), 2).unwrap();
    let data = TrainingData::of_rows(rows.clone(), rows);
    let mut config = config(1, 8);
    config.optim.learning_rate = 0.0;
    let accuracies = |checks: Checks| {
        let mut random = RandomState::new(3);
        let engine = network(None, &mut random);
        let before = random.clone();
        let (history, ..) = train(engine, &data, &config, checks, random, &mut ()).unwrap();
        (history.train_accuracy[0], history.val_accuracy[0], before)
    };
    for all in [checks(None, None), checks(Some(8), Some(8))] {
        let (train, val, _) = accuracies(all);
        assert_eq!((train, val), (3.0 / 8.0, 3.0 / 8.0));
    }
    // Four drawn: NumPy's choice says which.
    let (train, _, mut random) = accuracies(checks(Some(4), None));
    random.choice(8, 8).unwrap(); // the batch
    let zeros = random.choice(8, 4).unwrap().iter().filter(|&&index| labels[index] == 0).count();
    assert_eq!(train, zeros as f64 / 4.0);
}

/// Whoever stops a run as it ends gets the finished run.
#[test]
fn an_interruption_after_the_last_iteration_comes_too_late() {
    let run = |stop_after| {
        let mut log = Log { stop_after, ..Log::default() };
        logged(&Scripted::default(), 2, &mut log)
    };
    assert!(matches!(run(3), Err(Error::Interrupted { step: 3 })));
    assert_eq!(run(4).unwrap().0.loss.len(), 4);
}
