//! The scores of an ensemble's networks as one: [`Objective::combine`] as nodes.

use super::graph::Graph;
use super::messages::AttributeProto;
use crate::layers::{Loss, Objective, SMALLEST_VARIANCE};

/// The scores (N, C) of all networks together; of one network, its own. With [`Loss::GaussianNll`] there are none: see
/// [`moments`].
///
/// - `members`: the scores of each network (N, C)
pub(super) fn combined(graph: &mut Graph, members: &[String], objective: &Objective) -> String {
    if let [only] = members {
        return only.clone();
    }
    match objective.loss {
        Loss::Softmax => {
            let own = each(graph, members, &|graph, scores| {
                graph.node("LogSoftmax", "member_logs", &[scores], vec![AttributeProto::int("axis", 1)])
            });
            // Without the logarithm of their number, which the softmax leaves out anyway.
            total(graph, &own)
        }
        Loss::Logistic => {
            // log sum p - log sum (1 - p), without differences from 1.
            let odds = ["Identity", "Neg"].map(|sign| {
                let logs = each(graph, members, &|graph, scores| {
                    let signed = graph.node(sign, "signed", &[scores], Vec::new());
                    let signed = graph.node("Neg", "opposite", &[&signed], Vec::new());
                    let plus = graph.node("Softplus", "softplus", &[&signed], Vec::new());
                    graph.node("Neg", "member_logs", &[&plus], Vec::new())
                });
                total(graph, &logs)
            });
            graph.node("Sub", "log_odds", &[&odds[0], &odds[1]], Vec::new())
        }
        Loss::Poisson => {
            let all = total(graph, members);
            let count = graph.floats("log_members", &[], [(members.len() as f64).ln()]);
            graph.node("Sub", "log_mean", &[&all, &count], Vec::new())
        }
        Loss::Quantile if objective.quantiles.len() > 1 => {
            let own = each(graph, members, &|graph, scores| sorted(graph, scores, objective.quantiles.len()));
            mean(graph, "mean_quantiles", &own)
        }
        _ => mean(graph, "mean_scores", members),
    }
}

/// The mean and the variance (N, K) of each target, whose scores are side by side: of the mixture of all networks.
///
/// - `members`: the scores of each network (N, 2 K)
pub(super) fn moments(graph: &mut Graph, members: &[String], count: usize) -> (String, String) {
    let means =
        each(graph, members, &|graph, scores| every(graph, "mean_scores", scores, (0..count).step_by(2)));
    let variances = each(graph, members, &|graph, scores| {
        let score = every(graph, "deviation_scores", scores, (1..count).step_by(2));
        let variance = graph.node("Softplus", "softplus", &[&score], Vec::new());
        let least = graph.floats("smallest_variance", &[], [SMALLEST_VARIANCE]);
        graph.node("Add", "variance", &[&variance, &least], Vec::new())
    });
    if let ([only], [variance]) = (means.as_slice(), variances.as_slice()) {
        return (only.clone(), variance.clone());
    }
    let center = mean(graph, "mixture_mean", &means);
    let spread = each(graph, &means, &|graph, own| {
        let off = graph.node("Sub", "off", &[own, &center], Vec::new());
        graph.node("Mul", "square", &[&off, &off], Vec::new())
    });
    let (noise, spread) = (mean(graph, "noise", &variances), mean(graph, "spread", &spread));
    let variance = graph.node("Add", "mixture_variance", &[&noise, &spread], Vec::new());
    (center, variance)
}

/// The quantiles of each target in ascending order, (N, K Q): those of different scores may cross.
fn sorted(graph: &mut Graph, scores: &str, each: usize) -> String {
    let blocks = graph.ints("blocks_shape", &[3], [0, -1, i64::try_from(each).unwrap_or(1)]);
    let blocks = graph.node("Reshape", "blocks", &[scores, &blocks], Vec::new());
    let length = graph.ints("blocks_length", &[1], i64::try_from(each));
    let ascending = vec![AttributeProto::int("largest", 0)];
    let [sorted, _] =
        graph.node_of_two("TopK", ["ordered", "ordered_places"], &[&blocks, &length], ascending);
    let flat = graph.ints("row_shape", &[2], [0, -1]);
    graph.node("Reshape", "rows", &[&sorted, &flat], Vec::new())
}

fn each(graph: &mut Graph, members: &[String], of: &dyn Fn(&mut Graph, &str) -> String) -> Vec<String> {
    members.iter().map(|member| of(graph, member)).collect()
}

fn mean(graph: &mut Graph, name: &str, members: &[String]) -> String {
    let members: Vec<&str> = members.iter().map(String::as_str).collect();
    graph.node("Mean", name, &members, Vec::new())
}

/// The logarithm of the sum of exponentials over the networks.
fn total(graph: &mut Graph, members: &[String]) -> String {
    let axis = graph.ints("member_axis", &[1], [1]);
    let stacked =
        each(graph, members, &|graph, own| graph.node("Unsqueeze", "member", &[own, &axis], Vec::new()));
    let stacked: Vec<&str> = stacked.iter().map(String::as_str).collect();
    let all = graph.node("Concat", "members", &stacked, vec![AttributeProto::int("axis", 1)]);
    let over = vec![AttributeProto::ints("axes", vec![1]), AttributeProto::int("keepdims", 0)];
    graph.node("ReduceLogSumExp", "log_sum", &[&all], over)
}

/// These columns of the scores.
fn every(graph: &mut Graph, name: &str, scores: &str, columns: impl Iterator<Item = usize>) -> String {
    let columns: Vec<i64> = columns.filter_map(|column| i64::try_from(column).ok()).collect();
    let columns = graph.ints(&format!("{name}_columns"), &[columns.len()], columns);
    graph.node("Gather", name, &[scores, &columns], vec![AttributeProto::int("axis", 1)])
}
