//! Short names for the settings of a sweep: "keep 0.5, hidden 200-100".

use thinnet::sweep::{Plan, label};
use toml::Value;

/// Columns of the table; a setting's short name must not be one of these.
const TAKEN: [&str; 6] = ["epochs", "gap", "runs", "seconds", "train", "val"];

/// The names of the varied settings: `keep` for `model.keep`, and the whole key if that is ambiguous.
#[derive(Debug)]
pub(super) struct Names(Vec<String>);

impl Names {
    /// The names for these keys.
    pub(super) fn new(keys: &[String]) -> Self {
        let last = |key: &String| key.rsplit('.').next().unwrap_or_default().to_owned();
        let clear = |name: &String| {
            !TAKEN.contains(&name.as_str()) && keys.iter().filter(|key| last(key) == *name).count() == 1
        };
        let name = |key: &String| Some(last(key)).filter(clear).unwrap_or_else(|| key.clone());
        Self(keys.iter().map(name).map(|name| name.replace('_', " ")).collect())
    }

    /// The names, in the order of the keys.
    pub(super) fn all(&self) -> &[String] {
        &self.0
    }

    /// A point's settings: "keep 0.5, hidden 200"; "the network" if none is varied.
    pub(super) fn point(&self, plan: &Plan, point: usize) -> String {
        self.point_within(plan, point, usize::MAX).unwrap_or_default()
    }

    /// The same in at most `room` characters, with dots for settings without space; `None` if there is no space for
    /// the first.
    pub(super) fn point_within(&self, plan: &Plan, point: usize, room: usize) -> Option<String> {
        let values = plan.points.get(point).map(|point| &point.values[..]).unwrap_or_default();
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

/// A value: layers as "200-100", anything else as in the library.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Array(sizes) if !sizes.is_empty() && sizes.iter().all(Value::is_integer) => {
            sizes.iter().map(label).collect::<Vec<_>>().join("-")
        }
        other => label(other),
    }
}

#[cfg(test)]
mod tests {
    use thinnet::sweep::SweepConfig;
    use thinnet::training::TrainingConfig;

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
        let space = ["model.keep=0.5,1", "model.hidden=[100],[200,100]", "optim.rule=sgd_momentum,adam"];
        let space = space.map(str::to_owned);
        let config = SweepConfig::new(TrainingConfig::default(), &space, 1, None).unwrap();
        let plan = Plan::new(config).unwrap();
        let names = Names::new(&plan.space.keys());
        let last = plan.points.len() - 1;
        assert_eq!(names.point(&plan, last), "keep 1, hidden 200-100, rule adam");
        let within = |room| names.point_within(&plan, last, room);
        assert_eq!(within(33), Some("keep 1, hidden 200-100, rule adam".to_owned()));
        assert_eq!(within(32), Some("keep 1, hidden 200-100, ...".to_owned()));
        assert_eq!(within(20), Some("keep 1, ...".to_owned()));
        assert_eq!(within(10), None);
    }
}
