//! The training loop: what it draws, checks, keeps and tells.
#![allow(clippy::unwrap_used, clippy::panic, clippy::float_cmp)] // a test fails by panic; the script fixes every figure

use ndarray::{Array1, Array2};
use thinnet::data::{Dataset, Features, Samples};
use thinnet::engine::{Batch, Engine, EngineState, Inputs, Layers, StepLoss};
use thinnet::layers::{Dropout, HiddenDropout, Targets};
use thinnet::net::{FullyConnectedNet, LayerParameters, NetConfig, Parameters};
use thinnet::random::RandomState;
use thinnet::solver::{Event, History, Progress, SolverConfig, accuracy, train};
use thinnet::{Error, Result};

/// An engine that computes nothing: it plays given losses and gives given numbers of correct answers, and writes down what
/// it is asked. All labels are 0; its only parameter is the number of steps done.
#[derive(Default)]
struct Scripted {
    /// The loss of each step; 1 where none is given.
    losses: Vec<f64>,
    /// How many of the scored samples come out right after each step (by its index); 0 where none is given.
    correct: Vec<usize>,
    batches: Vec<Vec<usize>>,
    rates: Vec<f64>,
    /// The learning rate that held at each step.
    step_rates: Vec<f64>,
    scored: Vec<usize>,
    remembered: Option<Parameters<f64>>,
}

impl Engine<f64> for Scripted {
    fn step(
        &mut self,
        _: &Features<f64>,
        _: Targets<'_, f64>,
        batch: Batch<'_>,
        _: &mut RandomState,
    ) -> Result<StepLoss> {
        self.batches.push(batch.indices.to_vec());
        self.step_rates.extend(self.rates.last());
        let data = self.losses.get(self.batches.len() - 1).copied().unwrap_or(1.0);
        Ok(StepLoss { data, penalty: 0.0 })
    }

    fn load(&self, x: &Features<f64>) -> Result<Inputs<f64>> {
        Ok(Inputs::Rows(x.to_floats()))
    }

    fn scores(&mut self, inputs: &Inputs<f64>, _: &mut RandomState) -> Result<Array2<f64>> {
        let Inputs::Rows(x) = inputs else { panic!("these are not the inputs that were loaded") };
        self.scored.push(x.nrows());
        let correct = self.correct.get(self.batches.len().saturating_sub(1)).copied().unwrap_or(0);
        Ok(Array2::from_shape_fn((x.nrows(), 2), |(row, class)| {
            f64::from(u8::from((row < correct) == (class == 0)))
        }))
    }

    fn parameters(&self) -> Result<Parameters<f64>> {
        let w = Array2::from_elem((1, 1), self.batches.len() as f64);
        Ok(Parameters { layers: vec![LayerParameters { w, b: Array1::zeros(1), gamma_beta: None }] })
    }

    fn remember(&mut self) {
        self.remembered = self.parameters().ok();
    }

    fn remembered(&self) -> Result<Parameters<f64>> {
        self.remembered.clone().map_or_else(|| self.parameters(), Ok)
    }

    fn set_momentum(&mut self, _: f64) -> Result<()> {
        Ok(())
    }

    fn first_not_finite(&self) -> Option<String> {
        None
    }

    fn set_learning_rate(&mut self, learning_rate: f64) {
        self.rates.push(learning_rate);
    }

    fn masked_scores(&mut self, _: &Inputs<f64>, _: u64, _: &mut RandomState) -> Result<Array2<f64>> {
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
    stop_after: usize,
}

impl Default for Log {
    fn default() -> Self {
        Self { lines: Vec::new(), stop_after: usize::MAX }
    }
}

impl Progress for Log {
    fn event(&mut self, event: Event) {
        self.lines.push(event.to_string());
    }

    fn interrupted(&self) -> bool {
        self.lines.iter().filter(|line| line.starts_with("(Iteration")).count() >= self.stop_after
    }
}

fn samples(count: usize) -> Samples<f64> {
    Samples { x: RandomState::new(17).randn((count, 3)).into(), y: vec![0; count], targets: None }
}

fn classes() -> Vec<String> {
    vec!["left".to_owned(), "right".to_owned()]
}

fn data(train: usize, val: usize) -> Dataset<f64> {
    Dataset { train: samples(train), val: samples(val), classes: classes() }
}

fn config(num_epochs: usize, batch_size: usize) -> SolverConfig {
    SolverConfig { num_epochs, batch_size, learning_rate: 0.5, ..SolverConfig::default() }
}

fn run(engine: &mut Scripted, data: &Dataset<f64>, config: &SolverConfig) -> Result<(History, f64)> {
    let trained = train(engine, data, config, &mut RandomState::new(1), &mut ())?;
    Ok((trained.history, trained.best_parameters.layers[0].w[(0, 0)]))
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
        let mut engine = Scripted::default();
        let (history, _) = run(&mut engine, &data(count, 4), &config(epochs, batch_size)).unwrap();
        assert_eq!((history.loss.len(), history.epoch.as_slice()), (iterations, checks));
        assert_eq!((history.train_accuracy.len(), history.val_accuracy.len()), (checks.len(), checks.len()));
        assert!(engine.batches.iter().all(|batch| batch.len() == batch_size));
        assert!(engine.batches.iter().flatten().all(|&index| index < count));
        assert_eq!(engine.scored, [count, 4].repeat(checks.len())); // training samples first
    }
}

#[test]
fn the_learning_rate_decays_at_each_epochs_end() {
    let mut engine = Scripted::default();
    run(&mut engine, &data(25, 4), &SolverConfig { lr_decay: 0.5, ..config(3, 10) }).unwrap();
    assert_eq!(engine.step_rates, [0.5, 0.5, 0.25, 0.25, 0.125, 0.125]);
    let mut engine = Scripted::default();
    run(&mut engine, &data(5, 4), &SolverConfig { lr_decay: 0.1, ..config(2, 10) }).unwrap();
    assert_eq!(engine.step_rates, [0.5, 0.05]);
}

#[test]
fn the_best_parameters_are_the_first_best() {
    // One iteration an epoch; 0, 3, 1, 3, 2 of 4 validation samples come out right.
    let mut engine = Scripted { correct: vec![0, 3, 1, 3, 2], ..Scripted::default() };
    let (history, best) = run(&mut engine, &data(5, 4), &config(5, 10)).unwrap();
    assert_eq!(history.val_accuracy, [0.0, 0.75, 0.25, 0.75, 0.5]);
    assert_eq!(history.train_accuracy, [0.0, 0.6, 0.2, 0.6, 0.4]);
    assert_eq!(best, 2.0);
    assert_eq!(history.best(), Some((2, 0.75)));
    // Accuracy 0 throughout: the first check's.
    let (history, best) = run(&mut Scripted::default(), &data(5, 4), &config(3, 10)).unwrap();
    assert_eq!((best, history.best()), (1.0, Some((1, 0.0))));
    assert_eq!(History::default().best(), None);
}

fn network(dropout: Option<Dropout>, random: &mut RandomState) -> Layers<f64> {
    let config = NetConfig {
        input_dim: 3,
        hidden: vec![6, 4],
        num_outputs: 2,
        dropout: dropout.into(),
        ..NetConfig::default()
    };
    Layers::new(FullyConnectedNet::new(config, random).unwrap(), "sgd".parse().unwrap()).unwrap()
}

/// Rule 4 of the design, draw by draw.
#[test]
fn the_stream_is_drawn_from_exactly_as_the_course_does() {
    let (count, val, batch_size) = (25, 9, 10);
    let keep = Some(Dropout::new(0.5, None).unwrap());
    // (settings) -> draws of each accuracy check
    for (dropout, train_samples, val_samples) in [
        (keep, None, None),
        (None, Some(7), None),
        (keep, Some(24), Some(8)),
        (keep, Some(25), Some(9)), // as many as there are: all of them, not drawn
        (keep, Some(1000), Some(3)),
    ] {
        let mut random = RandomState::new(2);
        let mut engine = network(dropout, &mut random);
        let mut by_hand = random.clone();
        let settings = SolverConfig {
            num_train_samples: train_samples,
            num_val_samples: val_samples,
            ..config(2, batch_size)
        };
        train(&mut engine, &data(count, val), &settings, &mut random, &mut ()).unwrap();
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
                }
            }
        }
        assert_eq!(random.state(), by_hand.state(), "{settings:?}");
    }
}

#[test]
fn batches_are_choices_from_the_stream() {
    let mut engine = Scripted::default();
    let settings = SolverConfig { num_train_samples: Some(3), ..config(2, 10) };
    run(&mut engine, &data(25, 4), &settings).unwrap();
    let mut by_hand = RandomState::new(1);
    for (iteration, batch) in (1..).zip(&engine.batches) {
        assert_eq!(batch, &by_hand.choice(25, 10).unwrap());
        if iteration == 1 || iteration % 2 == 0 {
            by_hand.choice(25, 3).unwrap();
        }
    }
    assert_eq!(engine.scored, [3, 4].repeat(3));
}

#[test]
fn events_come_in_order_and_print_the_courses_lines() {
    let mut engine = Scripted {
        losses: vec![2.5, 0.123_456_78, 1e-9, 7.856_643],
        correct: vec![0, 1, 2, 4],
        ..Scripted::default()
    };
    let mut log = Log::default();
    train(&mut engine, &data(16, 4), &config(2, 8), &mut RandomState::new(1), &mut log).unwrap();
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
    let mut engine = Scripted::default();
    let result = train(&mut engine, &data(16, 4), &config(5, 8), &mut RandomState::new(1), &mut log);
    let error = result.unwrap_err();
    assert!(matches!(error, Error::Interrupted { iteration: 3 }));
    assert_eq!(error.to_string(), "stopped at iteration 3");
    assert_eq!(engine.batches.len(), 3);
}

#[test]
fn a_loss_that_is_not_finite_ends_the_run() {
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut engine = Scripted { losses: vec![2.0, 1.0, bad], ..Scripted::default() };
        let mut log = Log::default();
        let error =
            train(&mut engine, &data(16, 4), &config(5, 8), &mut RandomState::new(1), &mut log).unwrap_err();
        assert!(matches!(error, Error::Diverged { iteration: 3, .. }));
        let sentence = format!("the loss is {bad} at iteration 3: training has diverged");
        assert!(error.to_string().starts_with(&sentence), "{error}");
        assert!(!log.lines.iter().any(|line| line.starts_with("(Iteration 3")));
    }
    // And with a network: a learning rate that is far too great.
    let mut random = RandomState::new(2);
    let mut engine = network(None, &mut random);
    let mut data = data(20, 4);
    data.train.y = (0..20).map(|index| index % 2).collect();
    let settings = SolverConfig { learning_rate: 1e200, ..config(20, 10) };
    let result = train(&mut engine, &data, &settings, &mut random, &mut ());
    assert!(matches!(result, Err(Error::Diverged { .. })));
}

#[test]
fn settings_out_of_range_are_refused_before_anything_is_drawn() {
    let bad = [
        (config(0, 10), "number of epochs"),
        (config(1, 0), "batch size"),
        (SolverConfig { num_train_samples: Some(0), ..config(1, 10) }, "training samples"),
        (SolverConfig { num_val_samples: Some(0), ..config(1, 10) }, "validation samples"),
        (SolverConfig { lr_decay: 0.0, ..config(1, 10) }, "lr_decay"),
        (SolverConfig { lr_decay: -1.0, ..config(1, 10) }, "lr_decay"),
        (SolverConfig { lr_decay: f64::NAN, ..config(1, 10) }, "lr_decay"),
        (config(usize::MAX, 1), "too many"),
    ];
    for (settings, what) in bad {
        let mut random = RandomState::new(1);
        let result = train(&mut Scripted::default(), &data(16, 4), &settings, &mut random, &mut ());
        let message = result.unwrap_err().to_string();
        assert!(message.contains(what), "{message}");
        assert_eq!(random.state(), RandomState::new(1).state());
    }
}

#[test]
fn data_that_do_not_fit_are_refused() {
    let good = data(16, 4);
    let wide = Samples { x: Array2::zeros((4, 5)).into(), y: vec![0; 4], targets: None };
    let short = Samples { x: Array2::zeros((16, 3)).into(), y: vec![0; 15], targets: None };
    let labelled = Samples { x: Array2::zeros((4, 3)).into(), y: vec![0, 1, 2, 0], targets: None };
    let fails = |train_samples: &Samples<f64>, val: &Samples<f64>| {
        let mut random = RandomState::new(2);
        let mut engine = network(None, &mut random);
        let data = Dataset { train: train_samples.clone(), val: val.clone(), classes: classes() };
        train(&mut engine, &data, &config(2, 8), &mut random, &mut ()).unwrap_err()
    };
    for (train_samples, val) in
        [(&short, &good.val), (&good.train, &short), (&wide, &good.val), (&good.train, &wide)]
    {
        let error = fails(train_samples, val);
        assert!(matches!(error, Error::Shape { .. }), "{error}");
    }
    assert!(matches!(fails(&labelled, &good.val), Error::Data(_)));
    let numbers = Samples { targets: Some(Array2::zeros((16, 1))), ..good.train.clone() };
    for (train_samples, val) in [(&numbers, &good.val), (&good.train, &numbers)] {
        let error = fails(train_samples, val);
        assert!(matches!(error, Error::Configuration(_)), "{error}");
        assert!(error.to_string().contains("these samples have numbers as targets"), "{error}");
    }
    let none = samples(0);
    for (train_samples, val) in [(&none, &good.val), (&good.train, &none)] {
        let error = fails(train_samples, val);
        assert!(matches!(error, Error::Data(_) | Error::Configuration(_)), "{error}");
    }
}

#[test]
fn accuracy_is_the_share_of_highest_scores_and_the_first_of_equals_counts() {
    let mut random = RandomState::new(3);
    // Equal scores: class 0, so the labels that are 0 come out right.
    let mut engine = network(None, &mut random);
    let mut some = samples(8);
    some.x = Array2::zeros((8, 3)).into();
    some.y = vec![0, 0, 0, 1, 1, 1, 1, 1];
    assert_eq!(accuracy(&mut engine, &some, None, &mut random).unwrap(), 3.0 / 8.0);
    let before = random.state();
    assert_eq!(accuracy(&mut engine, &some, Some(8), &mut random).unwrap(), 3.0 / 8.0);
    assert_eq!(random.state(), before);
    // Four drawn: NumPy's choice says which.
    let chosen = random.clone().choice(8, 4).unwrap();
    let zeros = chosen.iter().filter(|&&index| some.y[index] == 0).count();
    assert_eq!(accuracy(&mut engine, &some, Some(4), &mut random).unwrap(), zeros as f64 / 4.0);
    assert!(matches!(accuracy(&mut engine, &samples(0), None, &mut random), Err(Error::Data(_))));
}

/// Whoever stops a run as it ends gets the finished run.
#[test]
fn an_interruption_after_the_last_iteration_comes_too_late() {
    let run = |stop_after| {
        let mut log = Log { stop_after, ..Log::default() };
        train(&mut Scripted::default(), &data(10, 4), &config(2, 5), &mut RandomState::new(1), &mut log)
    };
    assert!(matches!(run(3), Err(Error::Interrupted { iteration: 3 })));
    assert_eq!(run(4).unwrap().history.loss.len(), 4);
}
