//! Short names for the settings of a sweep: "keep 0.5, hidden 200-100".

use toml::Value;

use super::space::label;
use crate::text::joined;

/// Columns of the table that a setting's short name would be taken for.
const TAKEN: [&str; 6] = ["epochs", "gap", "runs", "seconds", "train", "val"];

/// What settings are called: `keep` for `model.keep`, and the whole key where that is not clear.
#[derive(Debug)]
pub struct Names(Vec<String>);

impl Names {
    /// The names of these keys.
    pub fn new(keys: &[String]) -> Self {
        let last = |key: &String| key.rsplit('.').next().unwrap_or_default().to_owned();
        let clear = |name: &String| {
            !TAKEN.contains(&name.as_str()) && keys.iter().filter(|key| last(key) == *name).count() == 1
        };
        let name = |key: &String| Some(last(key)).filter(clear).unwrap_or_else(|| key.clone());
        Self(keys.iter().map(name).map(|name| name.replace('_', " ")).collect())
    }

    /// The names, in the order of the keys.
    pub fn all(&self) -> &[String] {
        &self.0
    }

    /// Values of the settings: "keep 0.5, hidden 200"; "the network" where there is no setting.
    pub fn point(&self, values: &[Value]) -> String {
        self.point_within(values, usize::MAX).unwrap_or_default()
    }

    /// The same in at most so many characters, with dots for settings that there is no room for; `None` if there is no room for
    /// the first.
    pub fn point_within(&self, values: &[Value], room: usize) -> Option<String> {
        let settings = self.0.iter().zip(values).map(|(name, value)| format!("{name} {}", shown(value)));
        let settings: Vec<String> = settings.collect();
        if settings.is_empty() {
            return Some("the network".to_owned());
        }
        (1..=settings.len()).rev().find_map(|count| {
            let dots = if count < settings.len() { ", ..." } else { "" };
            let text = settings[..count].join(", ") + dots;
            (text.chars().count() <= room).then_some(text)
        })
    }
}

/// A value: layers as "200-100", anything else as [`label`] has it.
pub fn shown(value: &Value) -> String {
    match value {
        Value::Array(sizes) if !sizes.is_empty() && sizes.iter().all(Value::is_integer) => {
            joined(sizes.iter().map(label), "-")
        }
        other => label(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(keys: &[&str]) -> Vec<String> {
        Names::new(&keys.iter().map(ToString::to_string).collect::<Vec<_>>()).0
    }

    #[test]
    fn a_setting_has_its_short_name_where_that_is_clear() {
        assert_eq!(names(&["model.keep", "optim.learning_rate"]), ["keep", "learning rate"]);
        assert_eq!(names(&["train.epochs", "data.train"]), ["train.epochs", "data.train"]);
        assert_eq!(names(&["train.seed", "data.seed"]), ["train.seed", "data.seed"]);
    }

    #[test]
    fn a_point_is_named_by_its_settings_as_far_as_there_is_room() {
        let keys = ["model.keep", "model.hidden", "optim.rule"].map(str::to_owned);
        let names = Names::new(&keys);
        let last: [Value; 3] = [1.0.into(), vec![200, 100].into(), "adam".into()];
        assert_eq!(names.point(&last), "keep 1, hidden 200-100, rule adam");
        assert_eq!(Names::new(&[]).point(&[]), "the network");
        let within = |room| names.point_within(&last, room);
        assert_eq!(within(33), Some("keep 1, hidden 200-100, rule adam".to_owned()));
        assert_eq!(within(32), Some("keep 1, hidden 200-100, ...".to_owned()));
        assert_eq!(within(20), Some("keep 1, ...".to_owned()));
        assert_eq!(within(10), None);
    }
}
