//! `thinnet predict`: one thread reads samples and another predicts them, one block at a time.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use ndarray::{Array2, Axis, concatenate};
use thinnet::Float;
use thinnet::data::{Block, Columns, Features, Wanted, stream_table};
use thinnet::engine::MaskedPredictions;
use thinnet::files::NewFile;
use thinnet::layers::Loss;
use thinnet::model::{Model, MonteCarlo};
use thinnet::training::Task;
use thinnet::{Error, run};

use super::AnyModel;
use super::lines::{Lines, Show};
use crate::args::model::PredictArguments;
use crate::failure::Failure;
use crate::figures::{plural, thousands};
use crate::output::Output;
use crate::{folder, interrupt};

/// The name of standard input.
const STANDARD_INPUT: &str = "-";
/// Blocks that may wait for prediction.
const WAITING: usize = 2;
/// How often a run that waits for samples checks whether to stop.
const LOOK: Duration = Duration::from_millis(100);
/// Steps of the bar.
const STEPS: usize = 1000;

/// Predicts the samples.
pub(crate) fn run(arguments: &PredictArguments, output: &mut Output) -> Result<(), Failure> {
    if let Some(file) = &arguments.out {
        folder::check_file("--out ", file, "", true)?;
    }
    match AnyModel::load(&arguments.model)?.uncalibrated(arguments.uncalibrated) {
        AnyModel::F32(model) => predict(&model, arguments, output),
        AnyModel::F64(model) => predict(&model, arguments, output),
    }
}

fn predict<F: Float>(
    model: &Model<F>,
    arguments: &PredictArguments,
    output: &mut Output,
) -> Result<(), Failure> {
    let show = show(model, arguments)?;
    let has_noise = model.objective().loss == Loss::GaussianNll;
    let spread = arguments.std || (has_noise && arguments.coverage.is_none());
    let alone = has_noise || arguments.coverage.is_some();
    let names = if alone { model.preprocessing().names.clone() } else { model.output_names() };
    let lines = Lines::new(show, arguments.json, &names);
    let radii = arguments.coverage.map(|coverage| radii(model, arguments, coverage)).transpose()?;
    let lines = match &radii {
        Some(radii) => lines.within(radii[0]),
        None => lines,
    };
    let stop = interrupt::flag()?;
    let masks = |count: usize| match count {
        0 => Err(Failure::Refused("--mc-samples must be at least 1; got 0".to_owned())),
        _ => Ok(MonteCarlo::new(model, count as u64, arguments.seed.into())?),
    };
    let mut masks = arguments.mc_samples.map(masks).transpose()?;
    let lines = if masks.is_some() || spread { lines.masked() } else { lines };
    let input = Input::new(model, &arguments.input);
    let mut sink = Sink::open(arguments.out.as_deref(), output)?;
    if sink.shows_nothing() {
        sink.output.start_progress(arguments.input.display().to_string(), STEPS);
    }
    let mut order =
        InOrder { lines, sink: &mut sink, next: 0, samples: 0, current: None, later: BTreeMap::new() };
    let mut strangers = 0;
    let done = each(input, &stop, |block| {
        if let Features::Table(table) = &block.x {
            strangers += table.strangers();
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to STEPS")]
        order.sink.output.advance((block.done.unwrap_or(0.0) * STEPS as f64) as usize);
        let values = match (&mut masks, show) {
            (Some(masks), _) => match masks.predict_while(block.x, &mut || !stop.load(Ordering::Relaxed))? {
                Some(found) => in_columns(found)?,
                None => return Err(stopped()),
            },
            (None, _) if spread => in_columns(model.predict_spread(block.x)?)?,
            (None, Show::Numbers) => match &radii {
                None => model.outputs(&block.x)?,
                Some(radii) => with_ends(model, &block.x, radii)?,
            },
            (None, _) => model.predict_proba(block.x)?,
        };
        order.take(block.file, values)?;
        order.sink.output.message(plural_samples(order.seen()));
        Ok(())
    });
    let done = done.and_then(|()| order.finish());
    let samples = order.samples;
    sink.output.end_bar();
    done?;
    if strangers > 0 {
        let words = plural(strangers, "word");
        sink.output.note(&format!(
            "{words} among the samples are not among the model's categories; they count as zeros"
        ));
    }
    sink.close(samples)
}

/// What [`Lines::masked`] takes, in the number type of the model.
fn in_columns<F: Float>(found: MaskedPredictions) -> Result<Array2<F>, Failure> {
    let MaskedPredictions { mean, deviation, entropy, mutual_information } = found;
    let parts = [&mean, &deviation, &entropy, &mutual_information].map(|part| part.view());
    let all = concatenate(Axis(1), &parts);
    all.map(|all| all.mapv(F::from_f64)).map_err(|error| Failure::Refused(error.to_string()))
}

/// The numbers of a regression, then the lower and the upper ends of their intervals.
fn with_ends<F: Float>(model: &Model<F>, x: &Features<f64>, radii: &[f64]) -> Result<Array2<F>, Failure> {
    let outputs = model.outputs(x)?;
    let [low, high] = model.intervals(outputs.view(), radii).map(|ends| ends.mapv(F::from_f64));
    let points = model.objective().points(outputs.view());
    let all = concatenate(Axis(1), &[points.view(), low.view(), high.view()]);
    all.map_err(|error| Failure::Refused(error.to_string()))
}

fn stopped() -> Failure {
    Failure::Interrupted("stopped before the last sample".to_owned())
}

/// What to print, if the model supports it.
fn show<F: Float>(model: &Model<F>, arguments: &PredictArguments) -> Result<Show, Failure> {
    let classes = model.preprocessing().names.len();
    let regression = model.config().model.task == Task::Regression;
    match (arguments.top, arguments.proba) {
        (Some(_), _) | (_, true) if regression => Err(Failure::Refused(format!(
            "{} is for models that predict classes, but {} predicts numbers",
            if arguments.proba { "--proba" } else { "--top" },
            arguments.model.display()
        ))),
        (Some(top), _) if top == 0 || top > classes => Err(Failure::Refused(format!(
            "--top must be from 1 to {classes}, the model's classes; got {top}"
        ))),
        (Some(top), _) => Ok(Show::Top(top)),
        (None, true) => Ok(Show::All),
        (None, false) => Ok(if regression { Show::Numbers } else { Show::Class }),
    }
}

/// How far sets or intervals reach that hold the truth with this probability.
fn radii<F: Float>(
    model: &Model<F>,
    arguments: &PredictArguments,
    coverage: f64,
) -> Result<Vec<f64>, Failure> {
    let refuse = |error| Failure::Refused(format!("--coverage: {}: {error}", arguments.model.display()));
    model.radii(coverage).map_err(refuse)
}

/// What a thread needs to read the samples.
struct Input {
    path: PathBuf,
    shape: Vec<usize>,
    columns: Option<Columns>,
    resize: bool,
}

impl Input {
    fn new<F: Float>(model: &Model<F>, path: &Path) -> Self {
        let own = model.preprocessing();
        Self {
            path: path.to_path_buf(),
            shape: own.shape.clone(),
            columns: own.columns.clone(),
            resize: model.config().data.resize.is_some(),
        }
    }

    fn read(&self, each: &mut dyn FnMut(Block) -> thinnet::Result<()>) -> thinnet::Result<()> {
        let wanted = Wanted { shape: &self.shape, columns: self.columns.as_ref(), resize: self.resize };
        if self.path == Path::new(STANDARD_INPUT) {
            stream_table(io::stdin().lock(), wanted, each)
        } else {
            run::stream(&self.path, wanted, each)
        }
    }
}

/// Reads on another thread and passes each block to `take`. If the work ends early, nobody waits for that thread: it
/// may wait for input that never comes.
fn each(
    input: Input,
    stop: &Arc<AtomicBool>,
    mut take: impl FnMut(Block) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let (send, receive) = sync_channel(WAITING);
    let read = move || {
        let mut hand_on = |block| send.send(Ok(block)).map_err(|_| Error::Interrupted { step: 0 });
        if let Err(error) = input.read(&mut hand_on) {
            let _ = send.send(Err(error)); // if nobody receives it, nobody needs it
        }
    };
    thread::Builder::new()
        .name("reader".to_owned())
        .spawn(read)
        .map_err(|error| Failure::Refused(format!("cannot start to read: {error}")))?;
    while let Some(block) = next(&receive, stop)? {
        take(block?)?;
    }
    Ok(())
}

/// The next block, or `None` after the last.
fn next(
    receive: &Receiver<thinnet::Result<Block>>,
    stop: &AtomicBool,
) -> Result<Option<thinnet::Result<Block>>, Failure> {
    loop {
        if stop.load(Ordering::Relaxed) {
            return Err(stopped());
        }
        match receive.recv_timeout(LOOK) {
            Ok(block) => return Ok(Some(block)),
            Err(RecvTimeoutError::Disconnected) => return Ok(None),
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

/// Writes the files' predictions in order: an archive may have the second file before the first. Early ones wait as
/// predictions, which are small compared with samples.
struct InOrder<'a, 'b, F> {
    lines: Lines<'a>,
    sink: &'a mut Sink<'b>,
    /// The file whose samples are next.
    next: usize,
    samples: usize,
    /// The current file.
    current: Option<usize>,
    later: BTreeMap<usize, Vec<Array2<F>>>,
}

impl<F: Float> InOrder<'_, '_, F> {
    fn take(&mut self, file: usize, values: Array2<F>) -> Result<(), Failure> {
        if self.current.is_some_and(|current| current == self.next && current != file) {
            self.next += 1;
            while let Some(waiting) = self.later.remove(&self.next) {
                self.write_all(waiting)?;
                self.next += 1;
            }
        }
        self.current = Some(file);
        if file == self.next {
            return self.write(&values);
        }
        self.later.entry(file).or_default().push(values);
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Failure> {
        while let Some((_, waiting)) = self.later.pop_first() {
            self.write_all(waiting)?;
        }
        Ok(())
    }

    fn write_all(&mut self, all: Vec<Array2<F>>) -> Result<(), Failure> {
        all.iter().try_for_each(|values| self.write(values))
    }

    fn write(&mut self, values: &Array2<F>) -> Result<(), Failure> {
        // If the input does not match the model, nothing is written, not even the names of columns.
        let head = if self.samples == 0 { self.lines.head() } else { String::new() };
        let text = head + &self.lines.of(self.samples, values.view());
        self.samples += values.nrows();
        self.sink.write(&text)
    }

    /// The number of predicted samples, written or not.
    fn seen(&self) -> usize {
        self.samples + self.later.values().flatten().map(Array2::nrows).sum::<usize>()
    }
}

/// The destination of predictions.
struct Sink<'a> {
    output: &'a mut Output,
    file: Option<(NewFile, &'a Path)>,
}

impl<'a> Sink<'a> {
    fn open(path: Option<&'a Path>, output: &'a mut Output) -> Result<Self, Failure> {
        let create = |path| match NewFile::create(path) {
            Ok(file) => Ok((file, path)),
            Err(error) => Err(cannot_write(path, &error)),
        };
        Ok(Self { output, file: path.map(create).transpose()? })
    }

    /// Whether a bar would be mixed with results.
    fn shows_nothing(&self) -> bool {
        self.file.is_some() || self.output.width().is_none()
    }

    fn write(&mut self, text: &str) -> Result<(), Failure> {
        match &mut self.file {
            None => self.output.text(text),
            Some((file, path)) => {
                file.content.write_all(text.as_bytes()).map_err(|error| cannot_write(path, &error))
            }
        }
    }

    /// Gives the file its name, after everything is written.
    fn close(self, samples: usize) -> Result<(), Failure> {
        let Some((file, path)) = self.file else { return Ok(()) };
        file.finish(true).map_err(|error| cannot_write(path, &error))?;
        self.output.aside(&format!("{}: {}", path.display(), plural_samples(samples)));
        self.output.line(&path.display().to_string())
    }
}

fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    Failure::Refused(format!("--out {}: cannot write it: {error}", path.display()))
}

fn plural_samples(count: usize) -> String {
    let text = plural(count, "sample");
    text.replacen(&count.to_string(), &thousands(count), 1)
}
