//! A network with its engine: an epoch, predictions, the best parameters so far. No Python objects are stored here; a
//! watch regularly asks the interpreter whether to stop.

use std::ops::Range;
use std::time::{Duration, Instant};

use numpy::ndarray::{Array2, ArrayView2, Axis};
use pyo3::prelude::*;
use thinnet::Float;
use thinnet::data::{Features, Targets};
use thinnet::engine::{
    self, Batch, Engine, EngineConfig, EngineKind, EngineState, MaskSource, MaskedPredictions, StepLoss,
    gradients_in_parts, part_size, predict_masked,
};
use thinnet::layers::{Loss, Normalisation};
use thinnet::net::{FullyConnectedNet, NetConfig, Parameters};
use thinnet::optim::{Optimiser, OptimiserKind};
use thinnet::random::RandomState;

use crate::errors::to_python;
use crate::settings::{Settings, initial_statistics};

/// Min time between checks for signals: Ctrl-C is noticed at once, and the interpreter is rarely needed.
const WATCH: Duration = Duration::from_millis(50);

/// Lets Ctrl-C stop work that runs without the interpreter.
pub struct Watch(Instant);

impl Watch {
    pub fn new() -> Self {
        Self(Instant::now())
    }

    /// Returns `KeyboardInterrupt`, or any other exception of a signal's handler.
    pub fn check(&mut self) -> PyResult<()> {
        if self.0.elapsed() < WATCH {
            return Ok(());
        }
        self.0 = Instant::now();
        #[allow(
            clippy::redundant_closure_for_method_calls,
            reason = "the method itself has only one lifetime"
        )]
        Python::attach(|py| py.check_signals())
    }
}

/// An engine, its threads, and the process that started them.
struct Running<F: Float> {
    engine: Box<dyn Engine<F>>,
    threads: usize,
    process: u32,
}

/// A network in one precision.
pub struct Trained<F: Float> {
    config: NetConfig,
    optimiser: Optimiser,
    seed: u64,
    running: Option<Running<F>>,
    /// The best parameters so far, with their running statistics.
    best: Option<EngineState<F>>,
}

/// The arguments of an epoch.
pub struct Epoch<'x, 'a, F> {
    pub x: Asked<'x, F>,
    pub targets: Targets<'a, F>,
    pub weights: Option<&'a [f64]>,
    /// Samples in their order.
    pub order: &'a [usize],
    pub batch_size: usize,
    /// Strength of the L2 term, divided by each batch's sum of weights.
    pub alpha: f64,
}

impl<F: Float> Epoch<'_, '_, F> {
    /// The sum of these samples' weights.
    fn weight(&self, indices: &[usize]) -> f64 {
        match self.weights {
            None => indices.len() as f64,
            Some(weights) => indices.iter().filter_map(|&index| weights.get(index)).sum(),
        }
    }

    /// Calls `compute` with samples, targets, and the batch of these indices. Rows in Python's memory are gathered
    /// first.
    fn with_batch<T>(
        &self,
        indices: &[usize],
        compute: impl FnOnce(&Features<F>, Targets<'_, F>, Batch<'_>) -> PyResult<T>,
    ) -> PyResult<T> {
        match self.x {
            Asked::Rows(x) => compute(x, self.targets, Batch { indices, weights: self.weights }),
            Asked::View(x) => {
                let weights: Option<Vec<f64>> = self
                    .weights
                    .map(|weights| indices.iter().filter_map(|&index| weights.get(index).copied()).collect());
                let all: Vec<usize> = (0..indices.len()).collect();
                let (x, batch) =
                    (x.select(Axis(0), indices), Batch { indices: &all, weights: weights.as_deref() });
                match self.targets {
                    Targets::Classes(labels) => {
                        let labels: Vec<usize> = indices.iter().map(|&index| labels[index]).collect();
                        compute(&x.into(), Targets::Classes(&labels), batch)
                    }
                    Targets::Values(values) => {
                        let values = values.select(Axis(0), indices);
                        compute(&x.into(), Targets::Values(values.view()), batch)
                    }
                }
            }
        }
    }
}

/// The loss and the gradients of a batch, in parts, between which Ctrl-C stops.
fn stoppable<F: Float>(
    engine: &mut dyn Engine<F>,
    x: &Features<F>,
    targets: Targets<'_, F>,
    batch: Batch<'_>,
    part: usize,
    watch: &mut Watch,
) -> PyResult<(StepLoss, Parameters<F>)> {
    unless_stopped(watch, |goes_on| {
        let random = &mut RandomState::new(0); // masks come from the engine's own stream
        gradients_in_parts(engine, x, targets, batch, part, random, goes_on)
    })
}

/// Computes something that asks whether it goes on; returns what a signal's handler raised when it does not.
fn unless_stopped<T>(
    watch: &mut Watch,
    compute: impl FnOnce(&mut dyn FnMut() -> bool) -> thinnet::Result<Option<T>>,
) -> PyResult<T> {
    let mut stop = None;
    let found = compute(&mut || {
        stop = watch.check().err();
        stop.is_none()
    });
    match (found.map_err(to_python)?, stop) {
        (Some(found), _) => Ok(found),
        (None, Some(stop)) => Err(stop),
        (None, None) => Err(to_python(lost())), // this does not happen: only a signal stops
    }
}

/// Samples to train on or to predict.
#[derive(Clone, Copy)]
pub enum Asked<'a, F> {
    /// Floats or sparse rows that were copied before.
    Rows(&'a Features<F>),
    /// In Python's memory.
    View(ArrayView2<'a, F>),
}

impl<F: Float> Trained<F> {
    /// A network with these parameters and an empty optimiser state.
    pub fn new(settings: &Settings, parameters: Parameters<F>) -> thinnet::Result<Self> {
        let config = settings.config(&parameters)?;
        let (optimiser, seed) = (settings.optimiser(), settings.seed);
        let mut trained = Self { config, optimiser, seed, running: None, best: None };
        let mut running = trained.start(parameters, 1)?;
        if trained.config.normalisation == Normalisation::Batch {
            let mut state = running.engine.state()?;
            state.running = trained.config.hidden.iter().map(|&units| initial_statistics(units)).collect();
            running.engine.restore(&state)?;
        }
        trained.running = Some(running);
        Ok(trained)
    }

    fn start(&self, parameters: Parameters<F>, threads: usize) -> thinnet::Result<Running<F>> {
        let net = FullyConnectedNet::from_parameters(self.config.clone(), parameters)?;
        let masks = MaskSource::Counter(self.seed);
        let engine = engine::build(
            net,
            self.optimiser,
            EngineConfig { kind: EngineKind::Auto, threads, masks, isa: None },
        )?;
        Ok(Running { engine, threads, process: std::process::id() })
    }

    /// See [`engine::sparse_below`].
    pub fn sparse_below(&self) -> f64 {
        engine::sparse_below(&self.config)
    }

    /// The current engine, with any number of threads, for reading its state.
    fn engine(&mut self) -> thinnet::Result<&mut Box<dyn Engine<F>>> {
        let running = self.running.as_mut().ok_or_else(lost)?;
        Ok(&mut running.engine)
    }

    /// The engine with this many threads. After a fork the parent's threads do not exist, so the engine is created
    /// again.
    fn engine_with(&mut self, threads: usize) -> thinnet::Result<&mut Box<dyn Engine<F>>> {
        let fits = |own: &Running<F>| own.threads == threads && own.process == std::process::id();
        if !self.running.as_ref().is_some_and(fits) {
            let state = self.state()?;
            let mut running = self.start(state.parameters.clone(), threads)?;
            running.engine.restore(&state)?;
            running.engine.set_learning_rate(self.optimiser.learning_rate());
            self.forget();
            self.running = Some(running);
        }
        self.engine()
    }

    /// Drops the engine. In a forked process its threads do not exist, and waiting for them would never end.
    fn forget(&mut self) {
        if let Some(running) = self.running.take()
            && running.process != std::process::id()
        {
            std::mem::forget(running);
        }
    }

    pub fn state(&mut self) -> thinnet::Result<EngineState<F>> {
        self.engine()?.state()
    }

    pub fn restore(&mut self, state: &EngineState<F>) -> thinnet::Result<()> {
        self.engine()?.restore(state)
    }

    pub fn kind(&self) -> OptimiserKind {
        self.optimiser.kind()
    }

    pub fn parameters(&mut self) -> thinnet::Result<Parameters<F>> {
        self.engine()?.parameters()
    }

    /// Resets the optimiser's state; parameters and the number of steps, which determines the masks, do not change.
    pub fn restart(&mut self, settings: &Settings) -> thinnet::Result<()> {
        let mut state = self.state()?;
        let own = Settings { seed: self.seed, ..settings.clone() };
        let mut fresh = Self::new(&own, state.parameters.clone())?;
        state.optimiser = fresh.state()?.optimiser;
        fresh.restore(&state)?;
        self.forget();
        self.config = fresh.config.clone();
        self.optimiser = fresh.optimiser;
        self.running = fresh.running.take();
        Ok(())
    }

    pub fn set_learning_rate(&mut self, learning_rate: f64) -> thinnet::Result<()> {
        self.optimiser = self.optimiser.with_learning_rate(learning_rate);
        self.optimiser.check()?;
        self.engine()?.set_learning_rate(learning_rate);
        Ok(())
    }

    /// Stores the parameters as the best so far.
    pub fn remember(&mut self) -> thinnet::Result<()> {
        let state = self.state()?;
        self.best = Some(EngineState { optimiser: Vec::new(), ..state });
        Ok(())
    }

    /// Restores the best parameters, if any were stored, and forgets them.
    pub fn recall(&mut self) -> thinnet::Result<()> {
        if let Some(best) = self.best.take() {
            let now = self.state()?;
            self.restore(&EngineState { optimiser: now.optimiser, step: now.step, ..best })?;
        }
        Ok(())
    }

    /// The factor on a loss that is told to the user: losses of numbers are the mean over the outputs, as
    /// scikit-learn's squared error, and over the quantiles.
    fn told(&self) -> f64 {
        let outputs = self.config.num_outputs as f64;
        match self.config.loss {
            Loss::Softmax | Loss::Logistic | Loss::Poisson => 1.0,
            Loss::GaussianNll => 2.0 / outputs,
            Loss::SquaredError | Loss::AbsoluteError | Loss::Huber | Loss::Quantile => 1.0 / outputs,
        }
    }

    /// The samples of a part of a large batch. Batch normalisation needs whole batches.
    fn part(&self) -> usize {
        match self.config.normalisation {
            Normalisation::Batch => usize::MAX,
            _ => part_size::<F>(&self.config),
        }
    }

    /// The loss over the samples as one batch and its gradients, without an update: the loss that is minimised, the
    /// loss that is told to the user, both with the L2 term, and the gradients of the former.
    pub fn gradients(
        &mut self,
        epoch: &Epoch<'_, '_, F>,
        threads: usize,
    ) -> PyResult<(f64, f64, Parameters<F>)> {
        let (told, part) = (self.told(), self.part());
        let engine = self.engine_with(threads).map_err(to_python)?;
        engine.set_reg(epoch.alpha / epoch.weight(epoch.order));
        let (loss, gradients) = epoch.with_batch(epoch.order, |x, targets, batch| {
            stoppable(&mut **engine, x, targets, batch, part, &mut Watch::new())
        })?;
        Ok((loss.total(), loss.data * told + loss.penalty, gradients))
    }

    /// One pass over the samples in order, batch after batch. Returns the loss before each batch's update, including
    /// the L2 term, averaged over the samples.
    pub fn train(&mut self, epoch: &Epoch<'_, '_, F>, threads: usize) -> PyResult<f64> {
        let (told, part) = (self.told(), self.part());
        let engine = self.engine_with(threads).map_err(to_python)?;
        let mut random = RandomState::new(0); // masks come from the engine's own stream
        let mut watch = Watch::new();
        let mut total = 0.0;
        for indices in epoch.order.chunks(epoch.batch_size.max(1)) {
            engine.set_reg(epoch.alpha / epoch.weight(indices));
            let loss = epoch.with_batch(indices, |x, targets, batch| {
                if indices.len() <= part {
                    return engine.step(x, targets, batch, &mut random).map_err(to_python);
                }
                let (loss, gradients) = stoppable(&mut **engine, x, targets, batch, part, &mut watch)?;
                engine.update(gradients).map_err(to_python)?;
                Ok(loss)
            })?;
            total += (loss.data * told + loss.penalty) * indices.len() as f64;
            watch.check()?;
        }
        Ok(total / epoch.order.len() as f64)
    }

    /// The network's predictions for samples (N, D): (N, C).
    pub fn predict(&mut self, x: &Asked<'_, F>, threads: usize) -> thinnet::Result<Array2<F>> {
        let objective = self.config.objective();
        let engine = self.engine_with(threads)?;
        let scores = match x {
            Asked::Rows(rows) => engine.scores(&engine.load(rows)?)?,
            Asked::View(rows) => engine.scores_of(rows.view())?,
        };
        Ok(objective.predict(scores))
    }

    /// Predictions over the masks `draws`, for samples whose first is number `first` of all.
    pub fn predict_masked(
        &mut self,
        x: &Asked<'_, F>,
        draws: Range<u64>,
        first: usize,
        threads: usize,
    ) -> PyResult<MaskedPredictions> {
        let objective = self.config.objective();
        let engine = self.engine_with(threads).map_err(to_python)?;
        let inputs = match x {
            Asked::Rows(rows) => engine.load(rows),
            Asked::View(rows) => engine.load(&rows.to_owned().into()),
        };
        let inputs = inputs.map_err(to_python)?;
        unless_stopped(&mut Watch::new(), |goes_on| {
            let random = &mut RandomState::new(0); // masks come from the engine's own stream
            predict_masked(&mut **engine, &objective, &inputs, (draws, first), random, goes_on)
        })
    }
}

impl<F: Float> Drop for Trained<F> {
    fn drop(&mut self) {
        self.forget();
    }
}

/// This cannot happen: [`Trained::new`] creates an engine.
fn lost() -> thinnet::Error {
    thinnet::Error::configuration("the network has lost its engine")
}
