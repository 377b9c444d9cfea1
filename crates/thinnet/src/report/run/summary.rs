//! What a training run came to, in sentences.

use std::cmp::Ordering;

use super::RunReport;
use crate::report::confusion::total;
use crate::report::figures::Tenths;
use crate::report::look::{float, percent};
use crate::report::summary::{points, trust_in};
use crate::training::{Epoch, MOST_COUNTED, Monitor, Score, Task};

/// The sentences, the most important first.
pub(super) fn sentences(report: &RunReport<'_>) -> Vec<String> {
    let no_sense = not_finite(report);
    let diverged = report.history.divergence(report.config.loss(), report.classes.len());
    // What matters most; a loss that is not finite has a sentence of its own.
    let diverged = diverged.filter(|_| no_sense.is_none()).map(|diverged| {
        let epoch = report.history.epochs.iter().find(|epoch| epoch.epoch == diverged.epoch);
        let place = epoch.map_or_else(String::new, |epoch| format!(" after step {}", epoch.step));
        format!(
            "Training has diverged: the training loss of the last epoch, {}{place}, is more than ten times that of a network \
             that knows nothing, {}. A smaller learning rate or a bound on the gradients may help.",
            float(diverged.loss),
            float(diverged.start)
        )
    });
    let mut sentences: Vec<String> = diverged.into_iter().collect();
    sentences.extend(match best(report) {
        Some(best) => {
            let mut sentences = vec![headline(report, best)];
            sentences.extend(gap(report, best));
            sentences.extend(top5(report, best));
            sentences.extend(trust(report));
            sentences
        }
        None if report.history.epochs.is_empty() => vec!["No epoch was completed.".to_owned()],
        None => vec![format!("No epoch has a finite validation {}.", quantity(report))],
    });
    sentences.extend(no_sense);
    sentences.extend(uncounted(report));
    sentences.push(end(report));
    sentences
}

/// What decides which epoch is the best.
fn quantity(report: &RunReport<'_>) -> &'static str {
    if report.config.monitor() == Monitor::Accuracy { "accuracy" } else { "loss" }
}

/// The best epoch, if what makes it so is finite.
pub(super) fn best<'a>(report: &RunReport<'a>) -> Option<&'a Epoch> {
    let best = report.history.best_epoch()?;
    let value = match report.config.monitor() {
        Monitor::Accuracy => best.val.accuracy?,
        Monitor::Loss => best.val.loss,
    };
    value.is_finite().then_some(best)
}

/// "accuracy 54.3%" or "R squared 0.8712".
fn score(score: &Score) -> Option<String> {
    let accuracy = score.accuracy.map(|accuracy| format!("accuracy {}", percent(accuracy)));
    accuracy.or_else(|| Some(format!("R squared {}", float(score.r2?))))
}

fn headline(report: &RunReport<'_>, best: &Epoch) -> String {
    let epoch = format!("in epoch {} of {}", best.epoch, report.config.train.epochs);
    let what = match (report.config.monitor(), score(&best.val)) {
        (Monitor::Accuracy, Some(score)) => format!("Best validation {score}, {epoch}"),
        (_, score) => {
            let with = score.map_or_else(String::new, |score| format!(", with validation {score}"));
            format!("Lowest validation loss {}, {epoch}{with}", float(best.val.loss))
        }
    };
    let test = report.test.map_or_else(String::new, |test| match score(&test) {
        Some(score) if report.config.monitor() == Monitor::Accuracy => format!("; test {score}"),
        Some(score) => format!("; test loss {}, test {score}", float(test.loss)),
        None => format!("; test loss {}", float(test.loss)),
    });
    format!("{what}{test}.")
}

/// How far training and validation are apart, in the best epoch and in the last.
fn gap(report: &RunReport<'_>, best: &Epoch) -> Option<String> {
    let last = report.history.epochs.last()?;
    if report.config.model.task == Task::Regression {
        let at = |epoch: &Epoch| {
            let r2 = epoch.train.r2.map_or_else(String::new, |r2| format!(" and R squared {}", float(r2)));
            format!("the training loss is {}{r2}", float(epoch.train.loss))
        };
        let end = if last.epoch == best.epoch {
            String::new()
        } else {
            format!(
                "; in the last ({}) {}, the validation loss {}",
                last.epoch,
                at(last),
                float(last.val.loss)
            )
        };
        return Some(format!("In that epoch {}{end}.", at(best)));
    }
    let of = |epoch: &Epoch| {
        let finite = |score: Score| score.accuracy.filter(|accuracy| accuracy.is_finite()).map(Tenths::of);
        Some((finite(epoch.train)?, finite(epoch.train)?.less(finite(epoch.val)?)))
    };
    let (train, at_best) = of(best)?;
    let relation = match at_best.0.cmp(&0) {
        Ordering::Greater => format!("{} above validation accuracy", points(at_best)),
        Ordering::Equal => "level with validation accuracy".to_owned(),
        Ordering::Less => format!("{} below validation accuracy", points(at_best.size())),
    };
    let later = of(last).filter(|_| last.epoch != best.epoch).map_or_else(String::new, |(_, at_end)| {
        format!("; in the last epoch ({}) the gap is {}", last.epoch, points(at_end))
    });
    Some(format!("In that epoch training accuracy is {train}%, {relation}{later}."))
}

fn top5(report: &RunReport<'_>, best: &Epoch) -> Option<String> {
    let val = percent(best.val.top5?);
    let test = report.test.and_then(|test| test.top5);
    let test = test.map_or_else(String::new, |top5| format!(", that on test samples {}", percent(top5)));
    Some(format!("Validation top-5 accuracy is {val} in that epoch{test}."))
}

/// How far the accuracy that the confusion matrix was counted with can be trusted.
fn trust(report: &RunReport<'_>) -> Option<String> {
    let matrix = report.confusion?;
    let count = total(matrix);
    trust_in(total(matrix.diag().iter()) as f64 / count.max(1) as f64, count, counted(report))
}

/// Which samples the confusion matrix counts.
pub(super) fn counted(report: &RunReport<'_>) -> &'static str {
    if report.test.is_some() { "test" } else { "validation" }
}

fn not_finite(report: &RunReport<'_>) -> Option<String> {
    let finite =
        |epoch: &Epoch| [epoch.loss, epoch.train.loss, epoch.val.loss].iter().all(|loss| loss.is_finite());
    let first = report.history.epochs.iter().find(|epoch| !finite(epoch))?;
    Some(format!(
        "In epoch {} a loss is not finite: training has diverged; a smaller learning rate or weight scale may help.",
        first.epoch
    ))
}

/// Why there is no confusion matrix, where classes are too many for one.
fn uncounted(report: &RunReport<'_>) -> Option<String> {
    let count = report.classes.len();
    let is_left_out = report.confusion.is_none() && report.config.model.task == Task::Classification;
    (is_left_out && count > MOST_COUNTED).then(|| {
        format!("There is no confusion matrix: the data have {count} classes, and {MOST_COUNTED} are the most for one.")
    })
}

/// How the run ended, and what it took.
fn end(report: &RunReport<'_>) -> String {
    let (done, most) = (report.history.epochs.len(), report.config.train.epochs);
    let epochs = if done == 1 { "epoch" } else { "epochs" };
    let seconds = float(report.seconds);
    match (report.finished, report.config.train.patience) {
        (true, _) if done == 0 => format!("The run took {seconds} seconds."),
        (false, _) => format!("The run was stopped after {done} of {most} epochs and {seconds} seconds."),
        (true, Some(patience)) if done < most => format!(
            "Training ended after {done} of at most {most} epochs and {seconds} seconds, when {patience} had passed \
             without a better one."
        ),
        (true, _) => format!("{done} {epochs} took {seconds} seconds of training steps."),
    }
}
