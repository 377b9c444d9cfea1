//! `thinnet evaluate`: evaluates a model on labelled data.

use std::path::Path;
use std::sync::atomic::Ordering;

use thinnet::Float;
use thinnet::data::{DataSet, Part, ReadOptions, Rows, parse_size};
use thinnet::model::{
    Averages, ClassFigures, Comparison, Evaluation, Evaluator, Model, OverMasks, Quality, TargetFigures,
    Trust,
};
use thinnet::report::{EvaluationReport, kind_name, listed, most_frequent};
use thinnet::run::open_with;
use thinnet::text::aligned;
use thinnet::training::Task;

use super::AnyModel;
use crate::args::model::EvaluateArguments;
use crate::failure::Failure;
use crate::figures::{figure, part_name, percent, thousands};
use crate::folder;
use crate::interrupt;
use crate::memory;
use crate::output::{Output, Paint, characters};

/// Samples that are evaluated at a time.
const BLOCK: usize = 1024;
/// The terminal shows the whole confusion matrix up to this many classes.
const MOST_CLASSES: usize = 12;
/// A name is cut to this many characters, and to fewer on a narrow terminal.
const NAME: usize = 24;
/// The width of a class's figures after its name.
const CLASS_FIGURES: usize = "  samples  precision  100.00%  100.00%".len();
/// The min and max width of names above the columns of the confusion matrix.
const HEADS: std::ops::RangeInclusive<usize> = 2..=8;

/// Evaluates the model.
pub(crate) fn run(arguments: &EvaluateArguments, output: &Output) -> Result<(), Failure> {
    if let Some(out) = &arguments.out {
        folder::check("--out", out)?;
    }
    match AnyModel::load(&arguments.model)?.uncalibrated(arguments.uncalibrated) {
        AnyModel::F32(model) => evaluate(&model, arguments, output),
        AnyModel::F64(model) => evaluate(&model, arguments, output),
    }
}

fn evaluate<F: Float>(
    model: &Model<F>,
    arguments: &EvaluateArguments,
    output: &Output,
) -> Result<(), Failure> {
    let set = open(model, &arguments.data)?;
    output.notes_of(&set);
    let parts = parts(&set, &arguments.data, arguments.part.as_deref())?;
    let averages = averages_of(model, arguments, &set, &parts)?;
    let evaluation = Evaluation { averages, ..evaluation(model, &arguments.data, &set, &parts)? };
    let what = match parts.as_slice() {
        [(part, _)] => part_name(*part),
        _ => "",
    };
    if let Some(out) = &arguments.out {
        let files = EvaluationReport {
            evaluation: &evaluation,
            model: &arguments.model.display().to_string(),
            data: &arguments.data.display().to_string(),
            shown: Some((&set, &parts)),
            what,
        };
        files.write(out)?;
        output.note(&format!("report in {}", out.join("evaluation.html").display()));
    }
    if arguments.json {
        return output.pretty_json(&evaluation);
    }
    let space = if what.is_empty() { "" } else { " " };
    output.line(&output.paint(
        Paint::Strong,
        &format!("{} {what}{space}samples of {}", thousands(evaluation.samples), arguments.data.display()),
    ))?;
    let columns = output.width().unwrap_or(usize::MAX);
    let lines = lines(&evaluation, columns, |text| output.paint(Paint::Strong, text));
    lines.iter().try_for_each(|line| output.line(line))
}

/// Evaluates the model on these parts of a data set.
pub(super) fn evaluation<F: Float>(
    model: &Model<F>,
    path: &Path,
    set: &DataSet,
    parts: &[(Part, &Rows<f64>)],
) -> Result<Evaluation, Failure> {
    let mut evaluator = Evaluator::new(model);
    each_block(model, path, set, parts, |rows| Ok(evaluator.add(rows)?))?;
    Ok(evaluator.finish()?)
}

/// One pass compared with averages over masks, if that is asked for.
fn averages_of<F: Float>(
    model: &Model<F>,
    arguments: &EvaluateArguments,
    set: &DataSet,
    parts: &[(Part, &Rows<f64>)],
) -> Result<Option<Averages>, Failure> {
    let Some(most) = arguments.compare_averages else { return Ok(None) };
    let mut comparison = Comparison::new(model, most as u64, arguments.seed.into())?;
    let stop = interrupt::flag()?;
    each_block(model, &arguments.data, set, parts, |rows| {
        comparison.add(rows, &mut || !stop.load(Ordering::Relaxed)).map_err(|error| match error {
            thinnet::Error::Interrupted { .. } => {
                Failure::Interrupted("stopped before the last sample".to_owned())
            }
            error => error.into(),
        })
    })?;
    Ok(Some(comparison.finish()?))
}

/// Calls `each` with the rows of these parts as the model takes them, some at a time.
fn each_block<F: Float>(
    model: &Model<F>,
    path: &Path,
    set: &DataSet,
    parts: &[(Part, &Rows<f64>)],
    mut each: impl FnMut(&Rows<f64>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let within = |error: thinnet::Error| Failure::Refused(format!("{}: {error}", path.display()));
    for (_, rows) in parts {
        for from in (0..rows.len()).step_by(BLOCK) {
            let block = rows.slice(from, from + BLOCK);
            each(&model.rows_of(set, &block).map_err(within)?)?;
        }
    }
    Ok(())
}

/// Reads the data like the model's own data.
pub(super) fn open<F: Float>(model: &Model<F>, path: &Path) -> Result<DataSet, Failure> {
    let data = &model.config().data;
    let columns = model.preprocessing().columns.as_ref();
    let label = columns.filter(|columns| columns.header).map(|columns| columns.target.clone());
    let options = ReadOptions {
        known: columns.cloned(),
        skip_unlabelled: true,
        label: label.or_else(|| data.label_column.clone()),
        header: data.header,
        resize: data.resize.as_deref().and_then(parse_size),
        skip_broken: data.skip_broken,
        regression: model.config().model.task == Task::Regression,
        ..ReadOptions::default()
    };
    memory::check_file(path, &[])?;
    Ok(open_with(path, &options, "")?)
}

/// The parts to evaluate the model on.
pub(super) fn parts<'a>(
    set: &'a DataSet,
    path: &Path,
    part: Option<&str>,
) -> Result<Vec<(Part, &'a Rows<f64>)>, Failure> {
    let wanted = match part {
        Some("all") => None,
        Some(part) => Some(part.parse()?),
        None => set.test().map(|_| Part::Test),
    };
    let parts: Vec<_> = set.parts().filter(|(part, _)| wanted.is_none_or(|wanted| wanted == *part)).collect();
    if parts.is_empty() {
        let there: Vec<String> = set.parts().map(|(part, _)| part.to_string()).collect();
        return Err(Failure::Refused(format!(
            "--part {}: {} has no such part; it has {}",
            part.unwrap_or_default(),
            path.display(),
            there.join(" and ")
        )));
    }
    Ok(parts)
}

/// The figures as text, with this width if possible.
fn lines(evaluation: &Evaluation, columns: usize, strong: impl Fn(&str) -> String) -> Vec<String> {
    let mut lines = Vec::new();
    let shares = [("accuracy", evaluation.accuracy), ("top-5 accuracy", evaluation.top5)];
    for (name, share) in shares {
        lines.extend(share.map(|share| format!("{name:<15}{}", percent(share))));
    }
    lines.extend(evaluation.log_loss.map(|loss| format!("{:<15}{}", "log loss", figure(loss))));
    lines.extend(evaluation.trust.iter().flat_map(|trust| self::trust(trust, &evaluation.classes)));
    lines.extend(evaluation.averages.iter().flat_map(|own| averages(own, &strong)));
    if !evaluation.classes.is_empty() {
        let counts: Vec<usize> = evaluation.classes.iter().map(|class| class.samples).collect();
        let rows = most_frequent(&counts).into_iter().filter_map(|class| evaluation.classes.get(class)).map(
            |class| {
                let shares = [class.precision, class.recall, class.f1].map(percent);
                (class.name.as_str(), [vec![thousands(class.samples)], shares.to_vec()].concat())
            },
        );
        lines.push(String::new());
        let name = columns.saturating_sub(CLASS_FIGURES).clamp(*HEADS.end(), NAME);
        lines.extend(table("class", name, &["samples", "precision", "recall", "F1"], rows, &strong));
        lines.extend(Some(listed(counts.len())).filter(|text| !text.is_empty()));
    }
    if !evaluation.targets.is_empty() {
        let rows = evaluation.targets.iter().map(|target| {
            let r2 = target.r2.map_or_else(|| "none".to_owned(), |r2| format!("{r2:.4}"));
            (target.name.as_str(), vec![figure(target.rmse), figure(target.mae), r2])
        });
        lines.extend(table("target", NAME, &["RMSE", "MAE", "R squared"], rows, &strong));
        lines.extend(intervals(&evaluation.targets, &strong));
    }
    if let Some(matrix) = evaluation.confusion.as_ref().filter(|matrix| matrix.nrows() <= MOST_CLASSES) {
        let matrix = |letters: usize| {
            let short = |name: &str| name.chars().take(letters).collect::<String>();
            let heads: Vec<String> = evaluation.classes.iter().map(|class| short(&class.name)).collect();
            let rows = evaluation.classes.iter().zip(matrix.rows());
            let rows =
                rows.map(|(class, row)| (class.name.as_str(), row.iter().map(ToString::to_string).collect()));
            table("true \\ predicted", 2 * HEADS.end(), &heads, rows, &strong)
        };
        let fits = |table: &Vec<String>| table.iter().all(|line| characters(line) <= columns);
        let matrix = HEADS.rev().map(&matrix).find(fits).unwrap_or_else(|| matrix(*HEADS.start()));
        lines.push(String::new());
        lines.extend(matrix);
    }
    lines
}

/// How far the probabilities can be trusted.
fn trust(trust: &Trust, classes: &[ClassFigures]) -> Vec<String> {
    let half = trust.rejection.iter().find(|kept| kept.share >= 0.5).map(|kept| percent(kept.accuracy));
    let mistake = trust.mistakes.first().map(|mistake| {
        let name = |label: usize| {
            classes
                .get(label)
                .map(|class| class.name.chars().take(NAME).collect::<String>())
                .unwrap_or_default()
        };
        let (class, predicted) = (name(mistake.class), name(mistake.predicted));
        format!(
            "sample {}, {class}: taken for {predicted} with {}",
            mistake.sample,
            percent(mistake.probability)
        )
    });
    let calibration = format!(
        "off by {} on average (debiased root mean square {})",
        percent(trust.calibration_error),
        percent(trust.debiased_error)
    );
    let lines = [
        ("Brier score", Some(figure(trust.brier))),
        ("calibration", Some(calibration)),
        ("surer half", half.map(|half| format!("{half} accuracy"))),
        ("surest mistake", mistake),
    ];
    lines.into_iter().filter_map(|(name, text)| text.map(|text| format!("{name:<15}{text}"))).collect()
}

/// One pass compared with averages over masks.
fn averages(averages: &Averages, strong: impl Fn(&str) -> String) -> Vec<String> {
    let cells = |quality: &Quality| -> Vec<String> {
        let accuracy = quality.accuracy.map(percent);
        accuracy.into_iter().chain(quality.log_loss.map(figure)).chain(quality.rmse.map(figure)).collect()
    };
    let heads: &[&str] = if averages.scaling.rmse.is_some() {
        &["RMSE (scaled)"]
    } else {
        &["accuracy", "log loss", "geometric", "its log loss"]
    };
    let geometric = |over: &OverMasks| over.geometric.as_ref().map(cells).unwrap_or_default();
    let over = averages
        .over
        .iter()
        .map(|over| (over.masks.to_string(), [cells(&over.arithmetic), geometric(over)].concat()));
    let mut scaling = cells(&averages.scaling);
    scaling.resize(heads.len(), String::new());
    let rows: Vec<_> = [("none".to_owned(), scaling)].into_iter().chain(over).collect();
    let rows = rows.iter().map(|(name, cells)| (name.as_str(), cells.clone()));
    [vec![String::new()], table("masks", NAME, heads, rows, &strong)].concat()
}

/// Rows of a table: names, and cells.
type TableRows = Vec<(String, Vec<String>)>;

/// How far the intervals can be trusted.
fn intervals(targets: &[TargetFigures], strong: impl Fn(&str) -> String) -> Vec<String> {
    let mut tables: [(&str, [&str; 3], TableRows); 3] = [
        ("noise", ["log-likelihood", "sharpness", "calibration"], Vec::new()),
        ("quantile", ["probability", "share below", "loss"], Vec::new()),
        ("interval", ["coverage", "inside", "mean width"], Vec::new()),
    ];
    for TargetFigures { name, spread, .. } in targets {
        let noise = spread.noise.iter().map(|own| {
            let off = percent(own.calibration_error);
            (name.clone(), vec![figure(own.log_likelihood), figure(own.sharpness), format!("off by {off}")])
        });
        let quantiles = spread
            .quantiles
            .iter()
            .map(|own| (name.clone(), vec![percent(own.probability), percent(own.below), figure(own.loss)]));
        let intervals = spread.intervals.iter().map(|own| {
            let what = format!("{name}, {}", kind_name(own.kind));
            (what, vec![percent(own.coverage), percent(own.inside), figure(own.width)])
        });
        tables[0].2.extend(noise);
        tables[1].2.extend(quantiles);
        tables[2].2.extend(intervals);
    }
    let shown = tables.iter().filter(|(.., rows)| !rows.is_empty()).flat_map(|(corner, heads, rows)| {
        let rows = rows.iter().map(|(name, cells)| (name.as_str(), cells.clone()));
        [vec![String::new()], table(corner, 2 * NAME, heads, rows, &strong)].concat()
    });
    shown.collect()
}

/// A table with headings, rows with a name of at most `most` characters, and right-aligned columns.
fn table<'a>(
    corner: &str,
    most: usize,
    columns: &[impl ToString],
    rows: impl Iterator<Item = (&'a str, Vec<String>)>,
    strong: impl Fn(&str) -> String,
) -> Vec<String> {
    let line = |name: &str, cells: Vec<String>| [vec![name.chars().take(most).collect()], cells].concat();
    let head = line(corner, columns.iter().map(ToString::to_string).collect());
    let lines: Vec<_> = [head].into_iter().chain(rows.map(|(name, cells)| line(name, cells))).collect();
    let mut lines = aligned(&lines, |column| column == 0);
    lines[0] = strong(&lines[0]);
    lines
}
