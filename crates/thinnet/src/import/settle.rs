//! The settings that a network from a file decides.

use super::imported::Imported;
use crate::error::{Error, Result, ensure};
use crate::text::joined;
use crate::training::TrainingConfig;

impl Imported {
    /// Takes hidden layers, activation and normalisation into the settings of a run. Returns what the user should know.
    ///
    /// - `given`: whether a setting, as `model.hidden`, was given by the user and must stay
    ///
    /// # Errors
    /// [`Error::Configuration`] for a given setting that differs; it says both values.
    pub fn settle(&self, config: &mut TrainingConfig, given: &dyn Fn(&str) -> bool) -> Result<Vec<String>> {
        let mut notes = Vec::new();
        let source = &self.source;
        let list = |units: &[usize]| format!("[{}]", joined(units, ", "));
        let model = &mut config.model;
        let hidden = self.hidden();
        if model.hidden != hidden {
            ensure!(
                !given("model.hidden"),
                differs("model.hidden", &list(&model.hidden), source, &list(&hidden))
            );
            model.hidden.clone_from(&hidden);
        }
        if let Some(own) = self.activation.filter(|own| *own != model.activation) {
            ensure!(
                !given("model.activation"),
                differs("model.activation", model.activation.name(), source, own.name())
            );
            model.activation = own;
        } else if self.activation.is_none() && !hidden.is_empty() && !given("model.activation") {
            notes.push(format!(
                "{source} does not say its activation; it is taken to be {}, unless you set model.activation",
                model.activation.name()
            ));
        }
        if model.normalisation != self.normalisation {
            ensure!(
                !given("model.normalisation"),
                differs("model.normalisation", model.normalisation.name(), source, self.normalisation.name())
            );
            model.normalisation = self.normalisation;
        }
        if self.scale.is_some() {
            ensure!(
                config.data.scaling.is_none(),
                Error::setting(
                    "data.scaling",
                    format!(
                        "is {}, but {source} has the scaling of its inputs, which its first layer needs; leave the setting at auto",
                        config.data.scaling.map_or("auto", |scaling| scaling.name())
                    )
                )
            );
        }
        Ok(notes)
    }
}

fn differs(key: &'static str, set: &str, source: &str, own: &str) -> Error {
    Error::setting(
        key,
        format!("is {set}, but the network in {source} has {own}; leave the setting out, or give the same"),
    )
}
