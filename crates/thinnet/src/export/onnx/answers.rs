//! The outputs of a model as nodes: from scores (N, C) to labels and probabilities, or numbers.

use super::graph::{DEVIATION, Graph, LABEL, PROBABILITIES, VARIABLE};
use super::messages::{AttributeProto, TensorProto};
use super::together::{combined, moments};
use crate::data::Scale;
use crate::error::{Error, Result, ensure};
use crate::layers::{Loss, Objective};

/// The classes of a classification, in the order of their scores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Labels {
    /// Whole numbers.
    Numbers(Vec<i64>),
    /// Names.
    Words(Vec<String>),
}

impl Labels {
    /// Classes with these names: numbers if all names are whole numbers as people write them, otherwise words.
    pub fn of_names(names: &[String]) -> Self {
        let number = |name: &String| name.parse().ok().filter(|number: &i64| number.to_string() == *name);
        names
            .iter()
            .map(number)
            .collect::<Option<_>>()
            .map_or_else(|| Self::Words(names.to_vec()), Self::Numbers)
    }

    fn len(&self) -> usize {
        match self {
            Self::Numbers(numbers) => numbers.len(),
            Self::Words(words) => words.len(),
        }
    }

    fn kind(&self) -> i32 {
        match self {
            Self::Numbers(_) => TensorProto::INT64,
            Self::Words(_) => TensorProto::STRING,
        }
    }
}

/// What the scores of a network stand for, beside its loss.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answers<'a> {
    /// The classes; `None` for several labels per sample, and for numbers.
    pub(super) labels: Option<&'a Labels>,
    /// The scaling of the targets, which is undone.
    pub(super) targets: Option<&'a Scale>,
    /// What scores of classes are divided by; `None` if they are not.
    pub(super) temperature: Option<f64>,
    /// Whether probabilities are a map for each sample.
    pub(super) zipmap: bool,
}

impl Answers<'_> {
    /// Adds the outputs.
    ///
    /// - `members`: the scores (N, C) of each network
    ///
    /// # Errors
    /// [`Error::Configuration`] for labels that do not suit the loss, or maps without labels.
    pub(super) fn add(
        self,
        graph: &mut Graph,
        members: &[String],
        count: usize,
        objective: &Objective,
    ) -> Result<()> {
        let classes = matches!((objective.loss, self.labels), (Loss::Softmax | Loss::Logistic, Some(_)));
        ensure!(
            classes || !self.zipmap,
            Error::configuration(
                "zipmap gives each class its probability, but this model has no classes: it predicts numbers, or several \
                 labels per sample; leave zipmap out"
            )
        );
        if objective.loss == Loss::GaussianNll && self.labels.is_none() {
            self.moments(graph, members, count);
            return Ok(());
        }
        let scores = combined(graph, members, objective);
        let scores = &self.tempered(graph, scores);
        match (objective.loss, self.labels) {
            (Loss::Softmax, Some(labels)) if labels.len() == count => self.softmax(graph, scores, labels),
            (Loss::Logistic, Some(labels)) if count == 1 && labels.len() == 1 => {
                self.certain(graph, scores, labels);
            }
            (Loss::Logistic, Some(labels)) if count == 1 && labels.len() == 2 => {
                self.pair(graph, scores, labels);
            }
            (Loss::Softmax | Loss::Logistic, Some(labels)) => {
                return Err(Error::configuration(format!(
                    "{} labels do not suit {count} outputs of the {} loss",
                    labels.len(),
                    objective.loss.name()
                )));
            }
            (Loss::Softmax, None) => {
                return Err(Error::configuration("the softmax loss needs the labels of its classes"));
            }
            (Loss::Logistic, None) => several(graph, scores, count),
            (_, Some(_)) => {
                return Err(Error::configuration(format!(
                    "the {} loss predicts numbers, which have no labels",
                    objective.loss.name()
                )));
            }
            (_, None) => self.numbers(graph, scores, count, objective),
        }
        Ok(())
    }

    fn softmax(self, graph: &mut Graph, scores: &str, labels: &Labels) {
        let axis = |name: &str, axis| AttributeProto::int(name, axis);
        let p = graph.node("Softmax", "softmax", &[scores], vec![axis("axis", 1)]);
        let best = graph.node("ArgMax", "best", &[scores], vec![axis("axis", 1), axis("keepdims", 0)]);
        self.classes(graph, &p, &best, labels);
    }

    /// Two classes with one output, which is the second one's.
    fn pair(self, graph: &mut Graph, scores: &str, labels: &Labels) {
        let second = graph.node("Sigmoid", "second", &[scores], Vec::new());
        let one = graph.floats("one", &[], [1.0]);
        let first = graph.node("Sub", "first", &[&one, &second], Vec::new());
        let p = graph.node("Concat", "both", &[&first, &second], vec![AttributeProto::int("axis", 1)]);
        let likelier = above_half(graph, &second);
        let flat = graph.ints("flat_shape", &[1], [-1]);
        let best = graph.node("Reshape", "best", &[&likelier, &flat], Vec::new());
        self.classes(graph, &p, &best, labels);
    }

    /// A single class, whatever the score.
    fn certain(self, graph: &mut Graph, scores: &str, labels: &Labels) {
        let one = graph.floats("one", &[], [1.0]);
        let p = graph.node("Clip", "certain", &[scores, &one, &one], Vec::new());
        let zero = graph.node("Sub", "zero", &[&p, &one], Vec::new());
        let places = graph.cast("place", &zero, TensorProto::INT64);
        let flat = graph.ints("flat_shape", &[1], [-1]);
        let best = graph.node("Reshape", "best", &[&places, &flat], Vec::new());
        self.classes(graph, &p, &best, labels);
    }

    /// The outputs for probabilities (N, C) and the places of the best classes (N).
    fn classes(self, graph: &mut Graph, p: &str, best: &str, labels: &Labels) {
        let (constant, keys) = match labels {
            Labels::Numbers(numbers) => (
                graph.ints("labels", &[numbers.len()], numbers.iter().copied()),
                AttributeProto::ints("classlabels_int64s", numbers.clone()),
            ),
            Labels::Words(words) => {
                (graph.words("labels", words), AttributeProto::strings("classlabels_strings", words.clone()))
            }
        };
        let label = graph.node("Gather", "best_label", &[&constant, best], Vec::new());
        graph.output(LABEL, &label, labels.kind(), &[], "The most probable class of each sample.");
        let doc = "The probability of each class, in the order of the labels.";
        if self.zipmap {
            graph.output_maps(p, labels.kind(), keys, "The probability of each class, by its label.");
        } else {
            graph.output(PROBABILITIES, p, TensorProto::FLOAT, &[labels.len()], doc);
        }
    }

    fn numbers(self, graph: &mut Graph, scores: &str, count: usize, objective: &Objective) {
        let each = objective.scores_per_target();
        let targets = count / each;
        let doc = "The prediction of each target, in its own units.";
        match objective.loss {
            Loss::Quantile if each > 1 => {
                let sizes = if targets == 1 { vec![each] } else { vec![targets, each] };
                let shape =
                    std::iter::once(-1).chain(sizes.iter().filter_map(|&size| i64::try_from(size).ok()));
                let shape: Vec<i64> = shape.collect();
                let shape = graph.ints("quantiles_shape", &[shape.len()], shape);
                let numbers = self.unscaled(graph, scores, each, true);
                let blocks = graph.node("Reshape", "quantiles", &[&numbers, &shape], Vec::new());
                // Scores of different quantiles may cross.
                let length = graph.ints("quantiles_length", &[1], i64::try_from(each));
                let ascending = vec![AttributeProto::int("largest", 0)];
                let names = ["sorted", "sorted_places"];
                let [sorted, _] = graph.node_of_two("TopK", names, &[&blocks, &length], ascending);
                let doc = format!("The quantiles {:?} of each target.", objective.quantiles);
                graph.output(VARIABLE, &sorted, TensorProto::FLOAT, &sizes, &doc);
            }
            Loss::Poisson => {
                let mean = graph.node("Exp", "exp", &[scores], Vec::new());
                graph.output(VARIABLE, &mean, TensorProto::FLOAT, &[count], doc);
            }
            _ => {
                let numbers = self.unscaled(graph, scores, 1, true);
                graph.output(VARIABLE, &numbers, TensorProto::FLOAT, &[count], doc);
            }
        }
    }

    /// Means and the noise around them.
    fn moments(self, graph: &mut Graph, members: &[String], count: usize) {
        let (mean, variance) = moments(graph, members, count);
        let deviation = graph.node("Sqrt", "root", &[&variance], Vec::new());
        let mean = self.unscaled(graph, &mean, 1, true);
        let deviation = self.unscaled(graph, &deviation, 1, false);
        graph.output(VARIABLE, &mean, TensorProto::FLOAT, &[count / 2], "The mean of each target.");
        let doc = if members.len() == 1 {
            "The standard deviation of each target: the noise in the data."
        } else {
            "The standard deviation of each target: the noise in the data, and what the networks differ by."
        };
        graph.output(DEVIATION, &deviation, TensorProto::FLOAT, &[count / 2], doc);
    }

    /// Scores divided by the temperature.
    fn tempered(self, graph: &mut Graph, scores: String) -> String {
        let Some(temperature) = self.temperature else { return scores };
        let temperature = graph.floats("temperature", &[], [temperature]);
        graph.node("Div", "tempered", &[&scores, &temperature], Vec::new())
    }

    /// Numbers in the units of the data, or sizes, which do not move.
    ///
    /// - `each`: how many numbers each target has
    fn unscaled(self, graph: &mut Graph, numbers: &str, each: usize, moves: bool) -> String {
        let Some(Scale { mean, deviation }) = self.targets else { return numbers.to_owned() };
        let repeated =
            |own: &[f64]| own.iter().flat_map(|&own| std::iter::repeat_n(own, each)).collect::<Vec<_>>();
        let mut numbers = numbers.to_owned();
        if let Some(deviation) = deviation {
            let factors = repeated(deviation);
            let factor = graph.floats("target_deviation", &[factors.len()], factors);
            numbers = graph.node("Mul", "unscaled", &[&numbers, &factor], Vec::new());
        }
        if moves && mean.iter().any(|mean| *mean != 0.0) {
            let means = repeated(mean);
            let mean = graph.floats("target_mean", &[means.len()], means);
            numbers = graph.node("Add", "shifted", &[&numbers, &mean], Vec::new());
        }
        numbers
    }
}

/// The outputs for several labels per sample: whether each of them holds, and its probability.
fn several(graph: &mut Graph, scores: &str, count: usize) {
    let p = graph.node("Sigmoid", "sigmoid", &[scores], Vec::new());
    let holds = above_half(graph, &p);
    graph.output(LABEL, &holds, TensorProto::INT64, &[count], "1 for each label that holds, otherwise 0.");
    graph.output(PROBABILITIES, &p, TensorProto::FLOAT, &[count], "The probability of each label.");
}

/// 1 for a probability above a half, otherwise 0.
fn above_half(graph: &mut Graph, p: &str) -> String {
    let half = graph.floats("half", &[], [0.5]);
    let above = graph.node("Greater", "above_half", &[p, &half], Vec::new());
    graph.cast("likelier", &above, TensorProto::INT64)
}
