//! The samples of a run that begins with a network from a file, and its first state.

use ndarray::{Array1, Axis};

use super::imported::Imported;
use crate::data::{Columns, DataSet, Scale};
use crate::engine;
use crate::error::{Error, Result, ensure};
use crate::float::Float;
use crate::layers::{Loss, RunningStatistics};
use crate::model::Model;
use crate::net::{LayerParameters, Parameters};
use crate::text::first_of;
use crate::training::{Preprocessing, Progress, Task, Trainer, TrainerState, TrainingConfig, TrainingData};

/// How many names a message shows.
const SHOWN: usize = 10;

impl Imported {
    /// Splits a data set, and scales it as the network expects; if the file does not say how, as the settings say.
    ///
    /// # Errors
    /// As [`TrainingData::new`]; [`Error::Data`] for samples of another size, and for a table of other columns.
    pub fn data<F: Float>(&self, set: DataSet, config: &TrainingConfig) -> Result<TrainingData<F>> {
        ensure!(
            set.input_dim() == self.inputs(),
            Error::data(format!(
                "the network in {} takes {} numbers per sample, but these samples have {}",
                self.source,
                self.inputs(),
                set.input_dim()
            ))
        );
        self.check_columns(set.columns())?;
        TrainingData::with_scale(set, config, self.scale.as_ref())
    }

    /// Refuses a table whose columns are other ones than the network's, or in another order.
    fn check_columns(&self, found: Option<&Columns>) -> Result<()> {
        let (Some(own), Some(found)) = (&self.columns, found) else { return Ok(()) };
        let same = own.inputs == found.inputs || !(own.header && found.header);
        if same && own.encodings == found.encodings {
            return Ok(());
        }
        let columns = |columns: &Columns| first_of(&columns.inputs, SHOWN);
        Err(Error::data(format!(
            "the network in {} was trained on the columns {}, but these are {}, or of other kinds; read the table with \
             ReadOptions::known, which takes the columns of the network",
            self.source,
            columns(own),
            columns(found)
        )))
    }

    /// The state from which a run with this network begins, and what the user should know about it. The hidden layers
    /// are those of the file. So is the last layer, in the order of the data's classes, or in the scale of the data's
    /// targets. If the classes or the number of targets differ, the last layer is the fresh one.
    ///
    /// - `fresh`: the state of a new run with these settings, which [`Imported::settle`] has settled
    /// - `loss`: the run's
    ///
    /// # Errors
    /// [`Error::Data`] for numbers beyond the range of `F`; [`Error::Shape`] for a run with other layers.
    pub fn begin<F: Float>(
        &self,
        fresh: &TrainerState<F>,
        data: &TrainingData<F>,
        loss: Loss,
    ) -> Result<(TrainerState<F>, Vec<String>)> {
        let mut notes = Vec::new();
        if self.scale.is_none() {
            notes.push(format!(
                "{} does not say how its inputs were scaled: they are scaled by the new samples",
                self.source
            ));
        }
        let outputs = fresh.parameters().layers.last().map_or(0, |layer| layer.b.len());
        let last = self.last(&data.preprocessing, outputs, loss, &mut notes);
        let mut own = self.clone();
        if let (Some(layer), Some(last)) = (own.parameters.layers.last_mut(), &last) {
            layer.clone_from(last);
        }
        let (mut parameters, running): (Parameters<F>, Vec<RunningStatistics<F>>) = own.converted()?;
        if last.is_none()
            && let (Some(layer), Some(new)) = (parameters.layers.last_mut(), fresh.parameters().layers.last())
        {
            layer.clone_from(new);
        }
        Ok((fresh.with_network(parameters, running)?, notes))
    }

    /// The last layer for this many outputs of data; `None` if it must be a fresh one.
    fn last(
        &self,
        data: &Preprocessing,
        outputs: usize,
        loss: Loss,
        notes: &mut Vec<String>,
    ) -> Option<LayerParameters<f64>> {
        let layer = self.parameters.layers.last()?;
        let task = if data.targets.is_some() { Task::Regression } else { Task::Classification };
        let source = &self.source;
        let fresh = "the last layer begins afresh, the hidden layers stay";
        if self.task.is_some_and(|own| own != task) {
            let what = if task == Task::Regression { ("classes", "numbers") } else { ("numbers", "classes") };
            notes.push(format!("{source} predicts {}, but these data have {}: {fresh}", what.0, what.1));
            return None;
        }
        if self.outputs() != outputs {
            notes.push(format!(
                "{source} has {} outputs, but these data need {outputs}: {fresh}",
                self.outputs()
            ));
            return None;
        }
        if let Some(targets) = &data.targets {
            let each = outputs / data.names.len().max(1);
            // One output of any loss is a number; several mean what their loss says.
            if self.outputs_each() != each || each > 1 && self.loss != Some(loss) {
                notes.push(format!("{source} has other outputs for each target than this run: {fresh}"));
                return None;
            }
            return Some(rescaled(layer, self.targets.as_ref(), targets, (loss, each)));
        }
        let Some(names) = &self.names else {
            notes.push(format!(
                "{source} has no names of its {outputs} classes: they are taken to be, in this order, {}",
                first_of(&data.names, SHOWN)
            ));
            return Some(layer.clone());
        };
        let places: Option<Vec<usize>> =
            data.names.iter().map(|name| names.iter().position(|own| own == name)).collect();
        let Some(places) = places else {
            notes.push(format!(
                "{source} knows the classes {}, but these data have {}: {fresh}",
                first_of(names, SHOWN),
                first_of(&data.names, SHOWN)
            ));
            return None;
        };
        Some(LayerParameters {
            w: layer.w.select(Axis(1), &places),
            b: layer.b.select(Axis(0), &places),
            gamma_beta: None,
        })
    }

    /// Trains the network further on a data set: [`Imported::settle`], [`Imported::data`] and [`Imported::begin`] in one.
    /// Hidden layers, activation and normalisation of the settings are replaced by those of the network. Also returns what
    /// the user should know.
    ///
    /// # Errors
    /// Those of its parts, and of [`Trainer::run`].
    pub fn fine_tune<F: Float>(
        &self,
        set: DataSet,
        settings: &TrainingConfig,
        progress: &mut dyn Progress,
    ) -> Result<(Model<F>, Vec<String>)> {
        let mut config = settings.clone();
        config.model.dtype = F::DTYPE;
        config.take_task_of(&set);
        let mut notes = self.settle(&mut config, &|_| false)?;
        let data = self.data::<F>(set, &config)?;
        let threads = engine::cores();
        let (state, more) =
            self.begin(&Trainer::new(&config, &data, threads)?.state()?, &data, config.loss())?;
        notes.extend(more);
        let mut trainer = Trainer::resume(&config, &data, threads, &state)?;
        trainer.run(progress)?;
        Ok((Model::new(trainer.trained()?, data.preprocessing.clone())?, notes))
    }
}

/// A last layer for targets in another scale: its outputs, in the units of the data, stay the same.
///
/// - `before`: without one, its outputs are in the units of the data
/// - `each`: outputs of one target
fn rescaled(
    layer: &LayerParameters<f64>,
    before: Option<&Scale>,
    now: &Scale,
    (loss, each): (Loss, usize),
) -> LayerParameters<f64> {
    let width = |scale: Option<&Scale>, place: usize| {
        scale.and_then(|scale| scale.deviation.as_ref()?.get(place).copied()).unwrap_or(1.0)
    };
    let mean = |scale: Option<&Scale>, place: usize| {
        scale.and_then(|scale| scale.mean.get(place).copied()).unwrap_or(0.0)
    };
    if before == Some(now) {
        return layer.clone();
    }
    let mut w = layer.w.clone();
    let mut b: Array1<f64> = layer.b.clone();
    for (output, (mut column, b)) in w.columns_mut().into_iter().zip(&mut b).enumerate() {
        if loss == Loss::GaussianNll && output % each == 1 {
            continue; // what makes the variance is no linear function of it; training mends the rest
        }
        let place = output / each;
        let factor = width(before, place) / width(Some(now), place);
        column.mapv_inplace(|w| w * factor);
        *b = (*b * width(before, place) + mean(before, place) - mean(Some(now), place))
            / width(Some(now), place);
    }
    LayerParameters { w, b, gamma_beta: None }
}
