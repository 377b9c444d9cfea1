//! Points and seeds as runs.

use serde::{Deserialize, Serialize};
use toml::Value;

use super::space::{MAX_RUNS, Space, label, twice};
use crate::error::{Error, Result, ensure};
use crate::training::{Assignment, TrainingConfig, keys};

/// Min number of digits of a point's number in a run's name, so that names sort.
const DIGITS: usize = 4;

/// Points drawn at random, instead of a grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draws {
    /// How many.
    pub points: usize,
    /// Seed of NumPy's stream for drawing them.
    pub seed: u32,
}

/// Everything that determines a sweep's runs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SweepConfig {
    /// The settings that are varied, as [`Space::parse`] reads them.
    pub space: Vec<String>,
    /// Seeds per point: `train.seed`, and the numbers after it.
    pub seeds: usize,
    /// Draws points at random; otherwise all points of the grid are used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub random: Option<Draws>,
    /// The settings that are not varied.
    pub base: TrainingConfig,
}

impl SweepConfig {
    /// The sweep over these texts `KEY=VALUES`. A setting with a single value is not a dimension: it goes into the
    /// base.
    ///
    /// # Errors
    /// As [`Space::parse`]; [`Plan::new`] checks ranges and combinations.
    pub fn new(
        mut base: TrainingConfig,
        texts: &[String],
        seeds: usize,
        random: Option<Draws>,
    ) -> Result<Self> {
        let mut space: Vec<String> = Vec::new();
        let mut keys: Vec<String> = Vec::new();
        for text in texts {
            let text = text.trim();
            let key = text.parse::<Assignment>()?.key;
            ensure!(!keys.contains(&key), twice(&key));
            match Space::single(text, &base)? {
                Some(assignment) => base.set(&assignment)?,
                None => space.push(text.to_owned()),
            }
            keys.push(key);
        }
        Ok(Self { space, seeds, random, base })
    }

    /// How this differs from `new`, for a sentence; `None` if both are the same sweep.
    pub(crate) fn difference(&self, new: &Self) -> Option<String> {
        let space = |config: &Self| match config.space.join(" ") {
            space if space.is_empty() => "nothing varied".to_owned(),
            space => space,
        };
        let points = |config: &Self| match config.random {
            None => "a grid".to_owned(),
            Some(draws) => format!("{} points drawn with seed {}", draws.points, draws.seed),
        };
        if self.space != new.space {
            return Some(format!("another space ({}, not {})", space(self), space(new)));
        }
        if self.random != new.random {
            return Some(format!("other points ({}, not {})", points(self), points(new)));
        }
        if self.seeds != new.seeds {
            return Some(format!("{} seeds per point, not {}", self.seeds, new.seeds));
        }
        let changed = keys().into_iter().find(|key| self.base.get(key) != new.base.get(key))?;
        let value =
            |config: &Self| config.base.get(&changed).map_or_else(String::new, |value| value.to_string());
        Some(format!("{changed} = {}, not {}", value(self), value(new)))
    }
}

/// A point of the space.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// A value for each key of the space.
    pub values: Vec<Value>,
}

/// One training run.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Its name and that of its folder: `0003-seed232`, the number of its point from 1 and its seed.
    pub name: String,
    /// The place of its point in [`Plan::points`].
    pub point: usize,
    /// Its seed.
    pub seed: u32,
    /// All its settings.
    pub config: TrainingConfig,
}

/// All runs of a sweep.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The settings of the sweep.
    pub config: SweepConfig,
    /// The settings that are varied.
    pub space: Space,
    /// The points, in the order of the grid or of the draws.
    pub points: Vec<Point>,
    /// The runs, in the order in which they should be trained: every point once, then every point with the next seed.
    pub runs: Vec<Run>,
}

impl Plan {
    /// Lists all runs and checks the settings of each. A run has one thread unless the settings say otherwise:
    /// several runs at once use the cores better, and the number of threads changes no result.
    ///
    /// # Errors
    /// [`Error::Configuration`] for a space that [`Space::parse`] refuses, for more than [`MAX_RUNS`] runs or none,
    /// for seeds beyond 2^32, and for settings out of range, with the point that has them.
    pub fn new(config: SweepConfig) -> Result<Self> {
        let seeds = config.seeds;
        if seeds == 0 || seeds > MAX_RUNS {
            return Err(Error::configuration(format!(
                "the number of seeds must be from 1 to {MAX_RUNS}, got {seeds}"
            )));
        }
        ensure!(
            config.base.model.from.is_none(),
            Error::setting(
                "model.from",
                "is for single runs: networks of a sweep begin with drawn weights; set it to none"
            )
        );
        let space = Space::parse(&config.space, &config.base)?;
        let values = match config.random {
            None => space.grid(MAX_RUNS)?,
            Some(Draws { points: 0, .. }) => {
                return Err(Error::configuration("the number of points to draw must be at least 1, got 0"));
            }
            Some(draws) if draws.points > MAX_RUNS => {
                return Err(Error::configuration(format!(
                    "{} points are requested, but {MAX_RUNS} are the maximum",
                    draws.points
                )));
            }
            Some(draws) => space.draw(draws.points, draws.seed)?,
        };
        if values.len() * seeds > MAX_RUNS {
            return Err(Error::configuration(format!(
                "{} points with {seeds} seeds each are {} runs, but {MAX_RUNS} are the maximum",
                values.len(),
                values.len() * seeds
            )));
        }
        let seeds: Vec<u32> = (0..)
            .take(seeds)
            .map(|offset| config.base.train.seed.checked_add(offset))
            .collect::<Option<_>>()
            .ok_or_else(|| {
                let first = config.base.train.seed;
                Error::configuration(format!("{seeds} seeds from {first} on go beyond {}", u32::MAX))
            })?;

        let points: Vec<Point> = values.into_iter().map(|values| Point { values }).collect();
        let keys = space.keys();
        let configs: Vec<TrainingConfig> =
            points.iter().map(|point| point.config(&keys, &config.base)).collect::<Result<_>>()?;
        let mut runs = Vec::with_capacity(points.len() * seeds.len());
        for &seed in &seeds {
            for (point, config) in configs.iter().enumerate() {
                let mut config = config.clone();
                config.train.seed = seed;
                let name = format!("{:0DIGITS$}-seed{seed}", point + 1);
                runs.push(Run { name, point, seed, config });
            }
        }
        Ok(Self { config, space, points, runs })
    }

    /// A point as text: `model.keep=0.5, train.epochs=10`; `the network` if no setting is varied.
    pub fn label(&self, point: usize) -> String {
        let Some(point) = self.points.get(point) else { return String::new() };
        point.label(&self.space.keys())
    }
}

impl Point {
    /// The point as text, given the space's keys.
    pub(super) fn label(&self, keys: &[String]) -> String {
        if keys.is_empty() {
            return "the network".to_owned();
        }
        let settings = keys.iter().zip(&self.values).map(|(key, value)| format!("{key}={}", label(value)));
        settings.collect::<Vec<_>>().join(", ")
    }

    /// `base` with the point's values, checked.
    fn config(&self, keys: &[String], base: &TrainingConfig) -> Result<TrainingConfig> {
        let mut config = base.clone();
        for (key, value) in keys.iter().zip(&self.values) {
            config.set(&Assignment { key: key.clone(), value: value.clone() })?;
        }
        config.train.threads.get_or_insert(1);
        config.check().map_err(|error| Error::configuration(format!("{}: {error}", self.label(keys))))?;
        if config.train.members > 1 {
            return Err(Error::setting(
                "train.members",
                "must be 1 in a sweep, which trains each seed by itself",
            ));
        }
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(space: &[&str], seeds: usize) -> SweepConfig {
        SweepConfig {
            space: space.iter().map(ToString::to_string).collect(),
            seeds,
            ..SweepConfig::default()
        }
    }

    #[test]
    fn every_point_is_trained_with_every_seed_under_a_name_of_its_own() {
        let plan = Plan::new(config(&["model.keep=0.5,1", "train.epochs=3,4"], 2)).unwrap();
        let shown: Vec<(&str, usize, u32)> =
            plan.runs.iter().map(|run| (run.name.as_str(), run.point, run.seed)).collect();
        assert_eq!(
            shown,
            [
                ("0001-seed231", 0, 231),
                ("0002-seed231", 1, 231),
                ("0003-seed231", 2, 231),
                ("0004-seed231", 3, 231),
                ("0001-seed232", 0, 232),
                ("0002-seed232", 1, 232),
                ("0003-seed232", 2, 232),
                ("0004-seed232", 3, 232),
            ]
        );
        let run = &plan.runs[6];
        let mut expected = TrainingConfig::default();
        for text in ["model.keep=1.0", "train.epochs=3", "train.seed=232", "train.threads=1"] {
            expected.set(&text.parse().unwrap()).unwrap();
        }
        assert_eq!(run.config, expected);
        assert_eq!(plan.label(run.point), "model.keep=1, train.epochs=3");
        assert_eq!(plan, Plan::new(plan.config.clone()).unwrap());
    }

    #[test]
    fn a_single_value_is_no_dimension() {
        let texts = ["train.epochs=3", "model.keep=0.5,1", "train.seed=7", "model.hidden=[10, 20]"]
            .map(str::to_owned);
        let config = SweepConfig::new(TrainingConfig::default(), &texts, 1, None).unwrap();
        assert_eq!(config.space, ["model.keep=0.5,1"]);
        assert_eq!((config.base.train.epochs, config.base.train.seed), (3, 7));
        assert_eq!(config.base.model.hidden, [10, 20]);
        let twice = ["train.epochs=3", "train.epochs=4,5"].map(str::to_owned);
        let text = SweepConfig::new(TrainingConfig::default(), &twice, 1, None).unwrap_err().to_string();
        assert!(text.contains("train.epochs is given twice"), "{text}");
    }

    #[test]
    fn threads_that_are_set_stay() {
        let mut two = config(&["model.keep=0.5,1"], 1);
        two.base.train.threads = Some(2);
        assert!(Plan::new(two).unwrap().runs.iter().all(|run| run.config.train.threads == Some(2)));
        let varied = Plan::new(config(&["train.threads=2,3"], 1)).unwrap();
        assert_eq!(varied.runs[1].config.train.threads, Some(3));
    }

    #[test]
    fn draws_are_part_of_the_plan() {
        let mut random = config(&["optim.learning_rate=log:1e-4:1e-1"], 1);
        random.random = Some(Draws { points: 5, seed: 3 });
        let plan = Plan::new(random.clone()).unwrap();
        assert_eq!((plan.points.len(), plan.runs.len()), (5, 5));
        assert_eq!(plan, Plan::new(random.clone()).unwrap());
        random.random = Some(Draws { points: 5, seed: 4 });
        assert_ne!(plan.points, Plan::new(random).unwrap().points);
    }

    #[test]
    fn no_seeds_at_all_and_no_keys_at_all() {
        let plan = Plan::new(config(&[], 3)).unwrap();
        assert_eq!((plan.points.len(), plan.runs.len()), (1, 3));
        assert_eq!(plan.label(0), "the network");
        let text = Plan::new(config(&[], 0)).unwrap_err().to_string();
        assert!(text.contains("from 1 to 10000, got 0"), "{text}");
    }

    #[test]
    fn what_cannot_be_trained_is_refused_before_anything_is() {
        let refused = |config: SweepConfig| Plan::new(config).unwrap_err().to_string();
        let text = refused(config(&["model.keep=0.5,1.5", "train.epochs=2"], 1));
        assert!(text.starts_with("model.keep=1.5, train.epochs=2: "), "{text}");
        // Each value is fine by itself, and the second list has two keep probabilities for one layer.
        let text = refused(config(&["model.hidden=[10,10],[10]", "model.keep=[0.5,0.5]"], 1));
        assert!(text.starts_with("model.hidden=[10], model.keep=[0.5, 0.5]: "), "{text}");
        let text = refused(config(&["model.keep=lin:0.1:0.9:5000"], 3));
        assert!(text.contains("5000 points with 3 seeds each are 15000 runs"), "{text}");
        let mut late = config(&["model.keep=0.5"], 3);
        late.base.train.seed = u32::MAX - 1;
        assert!(refused(late.clone()).contains("go beyond 4294967295"));
        late.seeds = 2;
        assert!(Plan::new(late).is_ok());
        for (points, says) in [(0, "at least 1"), (20_000, "10000 are the maximum")] {
            let mut random = config(&["model.keep=lin:0.1:0.9"], 1);
            random.random = Some(Draws { points, seed: 0 });
            let text = refused(random);
            assert!(text.contains(says), "{text}");
        }
    }
}
