//! Which runs are one network with several seeds, and in which settings networks differ.

use toml::Value;

use super::facts::ComparedRun;
use crate::error::Result;
use crate::report::paired::Estimate;
use crate::sweep::{Measure, Names, RunFigures, Table};
use crate::training::{DataConfig, TrainConfig, TrainingConfig, keys};

/// Networks that differ in more settings than this are named by their folders.
const MOST_NAMED: usize = 3;

/// Settings that change no figure, or that tell runs of one network apart.
const OWN: [&str; 2] = ["train.seed", "train.threads"];
/// Where samples are, which does not matter where they are known to be the same.
const PATH: &str = "data.path";

/// A figure of a run.
pub(super) type Figure = fn(&RunFigures) -> Option<f64>;

/// All networks.
#[derive(Debug)]
pub(super) struct Groups<'a> {
    /// The settings in which they differ.
    pub keys: Vec<String>,
    /// What scores are.
    pub measure: Measure,
    /// By their first runs.
    pub all: Vec<Group<'a>>,
    /// The settings that all share, as lines of `key = value`.
    pub shared: Vec<String>,
    /// Whether networks are named by the settings in which they differ, and not by their folders.
    pub by_settings: bool,
    /// Whether all are known to have the same samples; `None` if it is not known of all.
    pub same_samples: Option<bool>,
}

/// One network: runs that differ only in their seed.
#[derive(Debug)]
pub(super) struct Group<'a> {
    /// What tells it from the others.
    pub label: String,
    /// Its values of the settings in which networks differ.
    pub values: Vec<Value>,
    pub runs: Vec<&'a ComparedRun>,
}

impl Group<'_> {
    /// A figure of each run; `None` if a run has none.
    pub(super) fn figures(&self, figure: Figure) -> Option<Vec<f64>> {
        self.runs.iter().map(|run| figure(&run.figures()?)).collect()
    }

    /// By how much a figure is larger than that of `other`, one of `count` such comparisons: paired where both have the same seeds.
    /// `None` with a single seed.
    pub(super) fn minus(&self, other: &Self, figure: Figure, count: usize) -> Option<Estimate> {
        let (own, others) = (self.figures(figure)?, other.figures(figure)?);
        let seeds = |group: &Self| group.runs.iter().map(|run| run.config.train.seed).collect::<Vec<_>>();
        let (seeds, other_seeds) = (seeds(self), seeds(other));
        let place = |seed| other_seeds.iter().position(|other| other == seed);
        let places: Option<Vec<usize>> = seeds.iter().map(place).collect();
        match places.filter(|places| places.len() == others.len()) {
            Some(places) => {
                let differences: Vec<f64> =
                    own.iter().zip(places).map(|(own, place)| own - others[place]).collect();
                Estimate::of_mean_among(&differences, count)
            }
            None => Estimate::of_difference_among(&own, &others, count),
        }
    }
}

impl<'a> Groups<'a> {
    /// The networks of runs that all have the same task. A run with settings and seed of an earlier one begins another network: so
    /// the same training can be compared with itself.
    ///
    /// # Errors
    /// Those of settings that TOML cannot hold, which none in range are.
    pub(super) fn of(runs: &'a [ComparedRun]) -> Result<Self> {
        let same_samples = runs[1..]
            .iter()
            .try_fold(true, |same, run| Some(same && run.samples.as_ref()? == runs[0].samples.as_ref()?));
        let mut identities: Vec<String> = Vec::new();
        let mut groups: Vec<Vec<&ComparedRun>> = Vec::new();
        for run in runs {
            let identity = identity(run)?;
            let takes = |(own, group): (&String, &Vec<&ComparedRun>)| {
                *own == identity && group.iter().all(|other| other.config.train.seed != run.config.train.seed)
            };
            if let Some(place) = identities.iter().zip(&groups).position(takes) {
                groups[place].push(run);
            } else {
                identities.push(identity);
                groups.push(vec![run]);
            }
        }
        let of_all = |key: &str| -> Vec<Value> {
            let value = |group: &Vec<&ComparedRun>| group[0].config.get(key);
            groups.iter().map(|group| value(group).unwrap_or_else(|| "not set".into())).collect()
        };
        let (mut differing, mut shared) = (Vec::new(), Vec::new());
        for key in keys() {
            let values = of_all(&key);
            let differs = values.iter().any(|value| *value != values[0]);
            if OWN.contains(&key.as_str()) || (key == PATH && differs && same_samples == Some(true)) {
                continue;
            }
            if differs {
                differing.push((key, values));
            } else {
                shared.extend(runs[0].config.get(&key).map(|value| format!("{key} = {value}")));
            }
        }
        let keys: Vec<String> = differing.iter().map(|(key, _)| key.clone()).collect();
        let values = |number: usize| differing.iter().map(|(_, values)| values[number].clone()).collect();
        let mut all: Vec<Group<'a>> = groups
            .into_iter()
            .enumerate()
            .map(|(number, runs)| Group { label: String::new(), values: values(number), runs })
            .collect();
        let by_settings = name(&keys, &mut all);
        Ok(Self { keys, measure: Measure::of(&runs[0].config), all, shared, by_settings, same_samples })
    }

    /// The network that others are compared with.
    pub(super) fn reference(&self) -> &Group<'a> {
        &self.all[0]
    }

    /// How many networks are compared with the reference.
    pub(super) fn comparisons(&self) -> usize {
        self.all.len() - 1
    }

    /// The networks' figures, in their order.
    pub(super) fn table(&self, keys: Vec<String>, values: impl Fn(&Group<'a>) -> Vec<Value>) -> Table {
        let figures = |group: &Group<'a>| group.runs.iter().map(|run| run.figures()).collect();
        let groups = self.all.iter().map(|group| (values(group), figures(group))).collect();
        Table::of_groups(keys, self.measure, groups)
    }
}

/// What runs of one network have in common, as text.
fn identity(run: &ComparedRun) -> Result<String> {
    let TrainingConfig { data, train, .. } = run.config.clone();
    let path = if run.samples.is_some() { String::new() } else { data.path.clone() };
    let config = TrainingConfig {
        data: DataConfig { path, ..data },
        train: TrainConfig { seed: 0, threads: None, ..train },
        ..run.config.clone()
    };
    Ok(format!("{}{}", run.samples.as_deref().unwrap_or_default(), config.to_toml()?))
}

/// Names networks by the settings in which they differ where these are few and tell them apart, which is told, and otherwise by
/// their folders.
fn name(keys: &[String], groups: &mut [Group<'_>]) -> bool {
    let names = Names::new(keys);
    let labels: Vec<String> = groups.iter().map(|group| names.point(&group.values)).collect();
    let by_settings = keys.len() <= MOST_NAMED
        && (1..labels.len()).all(|number| !labels[..number].contains(&labels[number]));
    for (group, label) in groups.iter_mut().zip(labels) {
        group.label = if by_settings {
            label
        } else {
            let seeds = group.runs.len();
            let seeds = if seeds == 1 { String::new() } else { format!(" ({seeds} seeds)") };
            group.runs[0].name.clone() + &seeds
        };
    }
    by_settings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::comparison::facts::samples::{run, run_of};

    #[test]
    fn runs_that_differ_in_the_seed_alone_are_one_network() {
        let mut runs = vec![run("a", 0.5, 1, 0.3), run("b", 1.0, 1, 0.2), run("c", 0.5, 2, 0.4)];
        runs[2].config.train.threads = Some(7);
        let groups = Groups::of(&runs).unwrap();
        let names: Vec<_> = groups
            .all
            .iter()
            .map(|g| g.runs.iter().map(|run| run.name.as_str()).collect::<Vec<_>>())
            .collect();
        assert_eq!(names, [vec!["a", "c"], vec!["b"]]);
        assert_eq!(groups.keys, ["model.keep"]);
        assert_eq!(groups.all[1].label, "keep 1");
        assert!(groups.shared.iter().any(|line| line == "model.hidden = [500]"), "{:?}", groups.shared);
        assert!(!groups.shared.iter().any(|line| line.starts_with("model.keep")));
    }

    #[test]
    fn the_same_training_twice_is_two_networks_with_names_of_folders() {
        let runs = [run("old", 0.5, 1, 0.3), run("new", 0.5, 1, 0.3), run("newer", 0.5, 2, 0.3)];
        let groups = Groups::of(&runs).unwrap();
        let labels: Vec<_> = groups.all.iter().map(|group| group.label.as_str()).collect();
        assert_eq!(labels, ["old (2 seeds)", "new"]);
        assert!(groups.keys.is_empty());
    }

    #[test]
    fn where_samples_are_matters_only_where_they_may_differ() {
        let mut runs = [run("a", 0.5, 1, 0.3), run("b", 0.5, 2, 0.3)];
        runs[1].config.data.path = "elsewhere".to_owned();
        let groups = Groups::of(&runs).unwrap();
        assert_eq!((groups.all.len(), groups.same_samples), (2, None));
        assert_eq!(groups.keys, ["data.path"]);
        for run in &mut runs {
            run.samples = Some("sum".to_owned());
        }
        let groups = Groups::of(&runs).unwrap();
        assert_eq!((groups.all.len(), groups.same_samples), (1, Some(true)));
        runs[0].samples = Some("other".to_owned());
        let groups = Groups::of(&runs).unwrap();
        assert_eq!((groups.all.len(), groups.same_samples), (2, Some(false)));
    }

    #[test]
    fn the_same_seeds_are_compared_in_pairs() {
        // Pairs differ by 1, 3, 2, 5 and 4 points; not paired, the spread between seeds hides that.
        let base = [0.1, 0.3, 0.5, 0.7, 0.9];
        let with = |shift: [f64; 5], keep, first: u32| {
            let seeds = first..;
            base.iter()
                .zip(shift)
                .zip(seeds)
                .map(move |((base, shift), seed)| run("r", keep, seed, base + shift))
        };
        let shift = [0.01, 0.03, 0.02, 0.05, 0.04];
        let estimate = |runs: Vec<ComparedRun>| {
            let groups = Groups::of(&runs).unwrap();
            groups.all[1].minus(groups.reference(), |figures| figures.final_val_score, 1).unwrap()
        };
        let paired = estimate(with([0.0; 5], 1.0, 1).chain(with(shift, 0.5, 1)).collect());
        assert!((paired.low - 0.010_367_568_6).abs() < 1e-6 && (paired.high - 0.049_632_431_4).abs() < 1e-6);
        let unpaired = estimate(with([0.0; 5], 1.0, 1).chain(with(shift, 0.5, 2)).collect());
        assert!((unpaired.mean - 0.03).abs() < 1e-9 && !unpaired.is_clear(), "{unpaired:?}");
        let one = [run("a", 1.0, 1, 0.3), run("b", 0.5, 1, 0.4)];
        let groups = Groups::of(&one).unwrap();
        assert_eq!(groups.all[1].minus(groups.reference(), |figures| figures.final_val_score, 1), None);
    }

    #[test]
    fn a_run_without_an_epoch_has_no_figures() {
        let runs = [run("a", 1.0, 1, 0.3), run_of("b", 0.5, 1, &[])];
        let groups = Groups::of(&runs).unwrap();
        assert_eq!(groups.all[1].figures(|figures| figures.final_val_score), None);
        let table = groups.table(Vec::new(), |_| Vec::new());
        assert_eq!((table.rows[1].finished, table.rows[1].unfinished), (0, 1));
    }
}
