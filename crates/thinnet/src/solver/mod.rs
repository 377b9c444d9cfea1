//! The training loop, as the course's `Solver` runs it.

mod history;
mod progress;

pub use history::History;
pub use progress::{Event, Progress};

use crate::data::{Dataset, Features, Samples};
use crate::engine::{Engine, Inputs};
use crate::error::{Error, Result};
use crate::float::Float;
use crate::layers::Targets;
use crate::net::Parameters;
use crate::random::RandomState;

/// How a network is trained, with the course's defaults.
#[derive(Debug, Clone, PartialEq)]
pub struct SolverConfig {
    /// Epochs (default 10). An epoch is `max(N / batch_size, 1)` iterations.
    pub num_epochs: usize,
    /// Samples a step, drawn with replacement (default 100).
    pub batch_size: usize,
    /// The optimiser's learning rate at the start.
    pub learning_rate: f64,
    /// Factor on the learning rate at each epoch's end (default 1).
    pub lr_decay: f64,
    /// Training samples on which the accuracy is checked, drawn with replacement where there are more (default 1000);
    /// `None` takes all.
    pub num_train_samples: Option<usize>,
    /// The same for validation samples (default `None`).
    pub num_val_samples: Option<usize>,
    /// Whether a loss that is not finite ends the run with [`Error::Diverged`] (default true). The course's loop goes on.
    pub stop_when_diverged: bool,
}

impl Default for SolverConfig {
    fn default() -> Self {
        Self {
            num_epochs: 10,
            batch_size: 100,
            learning_rate: 1e-3,
            lr_decay: 1.0,
            num_train_samples: Some(1000),
            num_val_samples: None,
            stop_when_diverged: true,
        }
    }
}

impl SolverConfig {
    /// Refuses a batch or an accuracy check of no sample, no epoch, and a decay that is not above 0.
    pub fn check(&self) -> Result<()> {
        let counts = [
            ("number of epochs", Some(self.num_epochs)),
            ("batch size", Some(self.batch_size)),
            ("number of training samples for the accuracy", self.num_train_samples),
            ("number of validation samples for the accuracy", self.num_val_samples),
        ];
        for (what, count) in counts {
            if count == Some(0) {
                return Err(Error::configuration(format!("the {what} must be at least 1, got 0")));
            }
        }
        if !(self.lr_decay > 0.0 && self.lr_decay.is_finite()) {
            return Err(Error::configuration(format!(
                "lr_decay must be finite and above 0, got {}",
                self.lr_decay
            )));
        }
        Ok(())
    }
}

/// What training gives.
#[derive(Debug, Clone)]
pub struct Trained<F> {
    /// The parameters with the best validation accuracy (the first of equals).
    pub best_parameters: Parameters<F>,
    /// Losses and accuracies.
    pub history: History,
}

/// Trains the engine's network on `data`.
///
/// Each iteration draws `choice(N, batch_size)` from `random`, then computes a step, which draws the masks from it.
/// Accuracies are checked after the first and the last iteration and at each epoch's end, in training samples first.
///
/// # Errors
/// [`Error::Configuration`] for settings out of range and for samples with numbers as targets, [`Error::Shape`] for data that
/// do not fit, [`Error::Diverged`]
/// when the loss is not finite, [`Error::Interrupted`] when `progress` asks for it.
pub fn train<F: Float>(
    engine: &mut dyn Engine<F>,
    data: &Dataset<F>,
    config: &SolverConfig,
    random: &mut RandomState,
    progress: &mut dyn Progress,
) -> Result<Trained<F>> {
    config.check()?;
    let samples = data.train.y.len();
    let iterations_per_epoch = (samples / config.batch_size).max(1);
    let iterations = config
        .num_epochs
        .checked_mul(iterations_per_epoch)
        .ok_or_else(|| Error::configuration(format!("{} epochs are too many", config.num_epochs)))?;

    let checks = [
        Check::new(engine, &data.train, config.num_train_samples)?,
        Check::new(engine, &data.val, config.num_val_samples)?,
    ];
    let mut learning_rate = config.learning_rate;
    engine.set_learning_rate(learning_rate);
    let mut history = History::default();
    let mut best: Option<f64> = None;
    let mut epoch = 0;
    for iteration in 1..=iterations {
        let batch = random.choice(samples, config.batch_size)?;
        let targets = Targets::Classes(&data.train.y);
        let loss = engine.step(&data.train.x, targets, batch.as_slice().into(), random)?.total();
        if config.stop_when_diverged && !loss.is_finite() {
            return Err(Error::Diverged { iteration, loss });
        }
        history.loss.push(loss);
        progress.event(Event::Iteration { iteration, iterations, loss });

        let epoch_end = iteration % iterations_per_epoch == 0;
        if epoch_end {
            epoch += 1;
            learning_rate *= config.lr_decay;
            engine.set_learning_rate(learning_rate);
        }
        if iteration == 1 || iteration == iterations || epoch_end {
            let train_accuracy = checks[0].accuracy(engine, random)?;
            let val_accuracy = checks[1].accuracy(engine, random)?;
            history.epoch.push(epoch);
            history.train_accuracy.push(train_accuracy);
            history.val_accuracy.push(val_accuracy);
            progress.event(Event::Epoch { epoch, epochs: config.num_epochs, train_accuracy, val_accuracy });
            if best.is_none_or(|accuracy| val_accuracy > accuracy) {
                best = Some(val_accuracy);
                engine.remember();
            }
        }
        // A run whose last iteration is done is finished, whoever asks it to stop now.
        if iteration < iterations && progress.interrupted() {
            return Err(Error::Interrupted { iteration });
        }
    }
    Ok(Trained { best_parameters: engine.remembered()?, history })
}

/// Samples whose accuracy is checked time and again.
struct Check<'a, F> {
    samples: &'a Samples<F>,
    part: Part<F>,
}

/// Which of the samples are checked.
enum Part<F> {
    /// All of them, brought into the engine's form once.
    All(Inputs<F>),
    /// So many, drawn anew each time, with replacement.
    Drawn(usize),
}

impl<'a, F: Float> Check<'a, F> {
    fn new(engine: &dyn Engine<F>, samples: &'a Samples<F>, num_samples: Option<usize>) -> Result<Self> {
        let total = samples.y.len();
        if total == 0 {
            return Err(Error::data("there are no samples to check the accuracy on"));
        }
        if samples.targets.is_some() {
            return Err(Error::configuration(
                "the solver learns classes and checks accuracies, and these samples have numbers as targets",
            ));
        }
        if samples.x.dim().0 != total {
            return Err(Error::shape("y of the accuracy", [samples.x.dim().0], [total]));
        }
        let part = match num_samples {
            Some(count) if count < total => Part::Drawn(count),
            _ => Part::All(engine.load(&samples.x)?),
        };
        Ok(Self { samples, part })
    }

    /// The share of samples whose highest score (the first of equals) is their label's.
    fn accuracy(&self, engine: &mut dyn Engine<F>, random: &mut RandomState) -> Result<f64> {
        let Samples { x, y, .. } = self.samples;
        let (correct, total) = match &self.part {
            Part::All(inputs) => (count_correct(&engine.classes(inputs, random)?, y), y.len()),
            Part::Drawn(count) => {
                let chosen = random.choice(y.len(), *count)?;
                let labels: Vec<usize> = chosen.iter().map(|&index| y[index]).collect();
                let inputs = engine.load(&Features::Floats(x.select(&chosen)?))?;
                (count_correct(&engine.classes(&inputs, random)?, &labels), *count)
            }
        };
        Ok(correct as f64 / total as f64)
    }
}

/// The share of samples whose highest score is their label's (the first of equal scores counts), on at most
/// `num_samples` samples drawn with replacement.
///
/// # Errors
/// [`Error::Data`] if there are no samples; [`Error::Shape`] if they do not fit the network; [`Error::Configuration`] if they
/// have numbers as targets.
pub fn accuracy<F: Float>(
    engine: &mut dyn Engine<F>,
    samples: &Samples<F>,
    num_samples: Option<usize>,
    random: &mut RandomState,
) -> Result<f64> {
    Check::new(engine, samples, num_samples)?.accuracy(engine, random)
}

/// How many classes are the labels'.
fn count_correct(classes: &[usize], labels: &[usize]) -> usize {
    classes.iter().zip(labels).filter(|(class, label)| class == label).count()
}
