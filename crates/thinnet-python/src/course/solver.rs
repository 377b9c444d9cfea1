//! The course's whole training run in one call.

use std::cell::RefCell;

use ndarray::Ix2;
use numpy::PyReadonlyArray1;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use thinnet::data::{Features, Pixels, Rows};
use thinnet::engine::{self, EngineConfig, EngineState};
use thinnet::optim::ScheduleKind;
use thinnet::training::{
    Accuracies, CheckRows, Checks, CourseLine, OptimConfig, Progress, Sampling, Step, TrainConfig, Trainer,
    TrainingConfig, TrainingData,
};
use thinnet::{Dtype, Error};

use super::arrays::{Argument, Number, by_dtype, dtype_of, labels};
use super::network::{Network, give_layers, give_running};
use super::optim::{State, give_state, optimiser, take_state};
use super::random::with_stream;
use crate::errors::to_python;
use crate::training::Watch;

type Any<'py> = Bound<'py, PyAny>;

/// The settings of the course's solver.
#[derive(FromPyObject)]
pub(crate) struct SolverRun<'py> {
    update_rule: String,
    /// Its settings by name; missing ones have the course's defaults.
    settings: Vec<(String, f64)>,
    /// The rule's state for each parameter, in the order W1, b1, ... Empty at the start.
    states: Vec<State<'py>>,
    learning_rate: f64,
    lr_decay: f64,
    batch_size: usize,
    num_epochs: usize,
    num_train_samples: Option<usize>,
    num_val_samples: Option<usize>,
    verbose: bool,
    print_every: usize,
    /// Epochs that an earlier run completed.
    epoch: usize,
}

impl SolverRun<'_> {
    /// The settings that the loop uses: batches, epochs and the learning rate; the network has its own engine.
    fn config(&self) -> TrainingConfig {
        TrainingConfig {
            optim: OptimConfig {
                learning_rate: self.learning_rate,
                schedule: ScheduleKind::Decay,
                decay: self.lr_decay,
                ..OptimConfig::default()
            },
            train: TrainConfig {
                epochs: self.num_epochs,
                batch_size: self.batch_size,
                sampling: Sampling::Replacement,
                ..TrainConfig::default()
            },
            ..TrainingConfig::default()
        }
    }

    /// What the loop checks: as in the course, which continues whatever the loss is.
    fn checks(&self, network: &Network<'_>) -> Checks {
        let drawn = |samples: Option<usize>| samples.map_or(CheckRows::All, CheckRows::Drawn);
        Checks {
            train: drawn(self.num_train_samples),
            val: drawn(self.num_val_samples),
            reseed: network.keep_prob.and(network.seed),
            stop_when_diverged: false,
            ..Checks::course()
        }
    }
}

/// Samples (N, D) and labels (N).
type Pair<'py> = (Any<'py>, PyReadonlyArray1<'py, i64>);

/// Trains the network like the course's `Solver.train`, with NumPy's global stream.
///
/// Samples may be float32 or float64; the network's own type is that of the array `like`. Lines are passed to `report`.
/// The result is a dict: `best`, the parameters with the best validation accuracy, and `parameters`, the final ones;
/// the final `states` and `running`; `loss`, `train_acc`, `val_acc`; `error`, an exception if one ended the run early.
#[pyfunction]
pub(crate) fn train<'py>(
    network: Network<'py>,
    training: Pair<'py>,
    validation: Pair<'py>,
    plan: SolverRun<'py>,
    report: Bound<'py, PyAny>,
    like: Any<'py>,
) -> PyResult<Bound<'py, PyDict>> {
    let py = report.py();
    let optimiser = optimiser(&plan.update_rule, plan.learning_rate, &plan.settings)?;
    by_dtype!(&like, F, {
        let threads = engine::cores();
        let states = plan.states.iter().map(|state| take_state::<F>(optimiser.kind(), state));
        let states = states.collect::<PyResult<Vec<_>>>()?;
        let (net, running) = (network.build::<F>()?, network.running()?);
        let step = plan.states.first().map_or(0, |(_, t)| *t);
        let (config, checks) = (plan.config(), plan.checks(&network));
        let classes = net.config().num_outputs;
        let data = TrainingData::of_rows(samples::<F>(&training, classes)?, samples(&validation, classes)?);
        let mut follower = Follower::new(&plan, report.unbind());
        let (trained, state, best, accuracies) = with_stream(py, |random| {
            let work = || {
                let mut engine = engine::build(net, optimiser, EngineConfig::course(threads))?;
                let fresh = engine.state()?;
                let optimiser = if states.is_empty() { fresh.optimiser } else { states };
                engine.restore(&EngineState { parameters: fresh.parameters, optimiser, step, running })?;
                let mut trainer = Trainer::with_engine(&config, &data, engine, random.clone(), checks)?;
                let trained = trainer.run(&mut follower);
                let (state, best) = (trainer.engine().state()?, trainer.best_parameters()?);
                let accuracies = Accuracies::of(trainer.history());
                *random = trainer.into_random();
                Ok((trained, state, best, accuracies))
            };
            py.detach(work).map_err(to_python)
        })?;
        let error = match (follower.error.take(), trained) {
            (Some(error), _) => Some(error),
            (None, Ok(_) | Err(Error::Interrupted { .. })) => None,
            (None, Err(error)) => return Err(to_python(error)),
        };
        let result = PyDict::new(py);
        result.set_item("best", give_layers(py, &best))?;
        result.set_item("parameters", give_layers(py, &state.parameters))?;
        result
            .set_item("states", state.optimiser.iter().map(|one| give_state(py, one)).collect::<Vec<_>>())?;
        result.set_item("running", give_running(py, &state.running))?;
        result.set_item("loss", accuracies.loss)?;
        result.set_item("train_acc", accuracies.train_accuracy)?;
        result.set_item("val_acc", accuracies.val_accuracy)?;
        result.set_item("error", error)?;
        Ok(result)
    })
}

/// Samples in the network's precision. Images minus their mean, in float64 as returned by `get_CIFAR10_data`, are
/// converted back to bytes: half of the time of a run is for accuracies, which are faster with bytes.
fn samples<F: Number>((x, y): &Pair<'_>, classes: usize) -> PyResult<Rows<F>> {
    let x: Features<F> = match dtype_of(x)? {
        Dtype::F32 => Argument::<f32>::new(x, "X")?.view::<Ix2>()?.mapv(|x| F::from_f64(x.into())).into(),
        Dtype::F64 => {
            let x = Argument::<f64>::new(x, "X")?;
            let x = x.view::<Ix2>()?;
            Pixels::recover(x).map_or_else(|| x.mapv(F::from_f64).into(), Features::Pixels)
        }
    };
    Rows::with_classes(x, labels(y)?, classes).map_err(to_python)
}

/// Passes on a run's lines and checks for Ctrl-C.
struct Follower {
    verbose: bool,
    print_every: u64,
    epochs: usize,
    earlier_epochs: usize,
    report: Py<PyAny>,
    watch: RefCell<Watch>,
    error: RefCell<Option<PyErr>>,
}

impl Follower {
    fn new(plan: &SolverRun<'_>, report: Py<PyAny>) -> Self {
        Self {
            verbose: plan.verbose,
            print_every: plan.print_every as u64,
            epochs: plan.num_epochs,
            earlier_epochs: plan.epoch,
            report,
            watch: RefCell::new(Watch::new()),
            error: RefCell::new(None),
        }
    }

    /// Passes on a line, in Python's spelling.
    fn print(&self, mut line: CourseLine) {
        if let CourseLine::Epoch { epoch, .. } = &mut line {
            *epoch += self.earlier_epochs;
        }
        let line = line.to_string().replace("NaN", "nan");
        if let Err(error) = Python::attach(|py| self.report.call1(py, (line,))) {
            self.error.replace(Some(error));
        }
    }
}

impl Progress for Follower {
    fn step(&mut self, step: &Step, steps: u64) {
        if self.verbose {
            CourseLine::of(step, steps, self.epochs, self.print_every).for_each(|line| self.print(line));
        }
    }

    fn interrupted(&self) -> bool {
        if self.error.borrow().is_none()
            && let Err(signal) = self.watch.borrow_mut().check()
        {
            self.error.replace(Some(signal));
        }
        self.error.borrow().is_some()
    }
}
