//! `thinnet experiment`.

use std::fs;
use std::path::{Path, PathBuf};

use thinnet::Error;
use thinnet::float::{Dtype, Float};
use thinnet::model::Model;
use thinnet::report::Report;
use thinnet::text::joined;
use thinnet::training::experiment::{self, Outcome, Settings};
use thinnet::training::{Trained, TrainingData};

use crate::args::ExperimentArguments;
use crate::config::Config;
use crate::failure::Failure;
use crate::figures::{percent, plural};
use crate::follow::Follower;
use crate::interrupt;
use crate::output::{Output, Paint};

/// Trains the networks, and writes the report and the models.
///
/// - `command`: the command line that runs them again
pub(crate) fn run(arguments: ExperimentArguments, command: &str, output: &mut Output) -> Result<(), Failure> {
    let config = Config::new(arguments)?;
    let (outcome, models) = match config.settings.dtype {
        Dtype::F32 => train::<f32>(&config, output)?,
        Dtype::F64 => train::<f64>(&config, output)?,
    };
    Report::new(&outcome).command(command).write(&config.out)?;
    save(&models, &config.out)?;
    summarise(&outcome, output);
    told(&config.out, output);
    Ok(())
}

/// Files of models: a name, and a function that writes the file.
pub(crate) type Models = Vec<(String, Box<dyn Fn(&Path) -> thinnet::Result<()>>)>;

/// The files of trained networks, each named by its keep probability and, if necessary, more.
pub(crate) fn models<F: Float>(
    trained: Vec<Trained<F>>,
    (settings, data): (&Settings, &TrainingData<F>),
    ending: &str,
) -> Result<Models, Failure> {
    let mut models: Models = Vec::new();
    for (trained, keep) in trained.into_iter().zip(&settings.keep) {
        let model = Model::new(trained, data.preprocessing.clone())?;
        let again = models.iter().filter(|(name, _)| name.starts_with(&format!("keep-{keep}."))).count();
        let again = if again == 0 { String::new() } else { format!(".{}", again + 1) };
        let name = format!("keep-{keep}{ending}{again}.safetensors");
        models.push((name, Box::new(move |path| model.save(path))));
    }
    Ok(models)
}

/// Writes files of models into the report's folder.
pub(crate) fn save(models: &Models, out: &Path) -> Result<(), Failure> {
    let folder = models_folder(out);
    fs::create_dir_all(&folder)
        .map_err(|error| Failure::Refused(format!("cannot make {}: {error}", folder.display())))?;
    models.iter().try_for_each(|(name, save)| Ok(save(&folder.join(name))?))
}

fn models_folder(out: &Path) -> PathBuf {
    out.join("models")
}

/// Prints where everything is.
pub(crate) fn told(out: &Path, output: &Output) {
    output.note(&format!("networks in {}, for thinnet predict", models_folder(out).display()));
    output.note(&format!(
        "report in {}: open {}",
        out.display(),
        output.paint_note(Paint::Strong, &out.join("report.html").display().to_string()),
    ));
}

/// Why training ended early.
///
/// - `network`: the network that was being trained
pub(crate) fn failure(error: Error, network: &str, settings: &Settings) -> Failure {
    match error {
        Error::Interrupted { step } => Failure::Interrupted(format!(
            "stopped after iteration {step} of {network}; no report was written"
        )),
        Error::Diverged { what, step } => Failure::Refused(format!(
            "{what} after iteration {step} of {network}: training diverges with --learning-rate {:e}; try a smaller one",
            settings.learning_rate
        )),
        error => error.into(),
    }
}

/// Trains the networks.
fn train<F: Float>(config: &Config, output: &mut Output) -> Result<(Outcome, Models), Failure> {
    let (settings, data) = config.load::<F>(output)?;
    output.aside(&announcement(&settings, data.input_dim()));
    let mut follower = Follower::new(output, &settings, interrupt::flag()?);
    let result = experiment::run(&settings, &data, &mut follower);
    let (network, failure) = follower.finish();
    if let Some(failure) = failure {
        return Err(failure);
    }
    let (outcome, trained) = result.map_err(|error| self::failure(error, &network, &settings))?;
    Ok((outcome, models(trained, (&settings, &data), "")?))
}

/// A description of what is about to be trained.
pub(crate) fn announcement(settings: &Settings, input_dim: usize) -> String {
    let units =
        [input_dim].into_iter().chain(settings.hidden.iter().copied()).chain([settings.classes.len()]);
    format!(
        "{} of {}, {}, {}, {}, {}",
        plural(settings.keep.len(), "network"),
        joined(units, "-"),
        plural(settings.epochs, "epoch"),
        plural(settings.num_train, "sample"),
        settings.dtype,
        plural(settings.threads, "thread"),
    )
}

/// How each network ended, one line each.
fn summarise(outcome: &Outcome, output: &Output) {
    let names: Vec<String> =
        outcome.networks.iter().map(|network| format!("keep {}", network.keep)).collect();
    let width = names.iter().map(String::len).max().unwrap_or(0);
    for (network, name) in outcome.networks.iter().zip(names) {
        let last = |accuracies: &[f64]| accuracies.last().copied().unwrap_or(f64::NAN);
        let best = network.history.best().map_or_else(String::new, |(epoch, accuracy)| {
            format!("  best val {} (epoch {epoch})", percent(accuracy))
        });
        output.note(&format!(
            "{name:<width$}  train {}  val {}{best}",
            percent(last(&network.history.train_accuracy)),
            percent(last(&network.history.val_accuracy)),
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_announcement_has_the_inputs_and_classes_of_the_data() {
        let classes = vec!["left".to_owned(), "right".to_owned()];
        let settings = Settings { classes, hidden: vec![8], keep: vec![1.0], ..Settings::course("", 12, 1) };
        let expected = "1 network of 7-8-2, 25 epochs, 500 samples, f32, 1 thread";
        assert_eq!(announcement(&settings, 7), expected);
    }
}
