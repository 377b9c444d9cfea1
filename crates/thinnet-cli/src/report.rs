//! `thinnet report`: runs, sweeps and experiments, compared on one page.

use std::collections::HashSet;
use std::path::Path;

use serde_json::{Map, Value, json};
use thinnet::report::{ComparedRun, ComparisonReport};
use thinnet::run::{compared, has_results};
use thinnet::sweep::{Row, Stat, Table};

use crate::args::report::ReportArguments;
use crate::failure::Failure;
use crate::folder;
use crate::output::{Output, Paint};
use crate::results;

/// Reads the runs and writes the report.
///
/// - `command`: what a person would type to make it again
pub(crate) fn run(arguments: &ReportArguments, command: &str, output: &Output) -> Result<(), Failure> {
    let out = &arguments.out;
    folder::check_for_report(out)?;
    if has_results(out) {
        return Err(Failure::Refused(format!(
            "--out {}: it holds a run, a sweep or an experiment, whose page would be lost; choose another folder",
            out.display()
        )));
    }
    let runs = read(&arguments.folders)?;
    let report = ComparisonReport::new(&runs)?.command(command);
    report.write(out)?;
    let table = report.table();
    if arguments.json {
        return output.json(&object(&table, out));
    }
    results::lines(&table, "comparison.csv", output.width()).iter().try_for_each(|line| output.line(line))?;
    // What the table says below itself is not said twice.
    let missing = table.missing();
    report.sentences().iter().filter(|told| !missing.contains(told)).for_each(|told| output.note(told));
    output.note(&format!(
        "report in {}: open {}",
        out.display(),
        output.paint_note(Paint::Strong, &out.join("report.html").display().to_string()),
    ));
    Ok(())
}

/// The runs in all folders, those of a folder that is named twice once.
fn read(folders: &[impl AsRef<Path>]) -> Result<Vec<ComparedRun>, Failure> {
    let (mut runs, mut known) = (Vec::new(), HashSet::new());
    for folder in folders.iter().map(AsRef::as_ref) {
        let place = folder.canonicalize();
        let place =
            place.map_err(|error| Failure::Refused(format!("cannot read {}: {error}", folder.display())))?;
        if !place.is_dir() {
            return Err(Failure::Refused(format!(
                "{} is not a folder; give the folder of a run, a sweep or an experiment",
                folder.display()
            )));
        }
        if known.insert(place) {
            runs.extend(compared(folder)?);
        }
    }
    Ok(runs)
}

/// The networks' figures.
fn object(table: &Table, out: &Path) -> Value {
    let stat =
        |stat: Option<Stat>| stat.map(|stat| json!({ "mean": stat.mean, "sd": stat.sd, "runs": stat.count }));
    let network = |row: &Row| {
        let figures = [
            ("best_val", row.best),
            ("best_val_loss", row.best_loss),
            ("final_val", row.last),
            ("final_val_loss", row.last_loss),
            ("train", row.train),
            ("gap", row.gap),
            ("epochs", row.epochs),
            ("seconds", row.seconds),
        ];
        let name = row.values.first().and_then(toml::Value::as_str).unwrap_or_default();
        let mut object: Map<String, Value> = [
            ("network".to_owned(), name.into()),
            ("finished".to_owned(), row.finished.into()),
            ("unfinished".to_owned(), row.unfinished.into()),
        ]
        .into_iter()
        .collect();
        object.extend(figures.map(|(name, figure)| (name.to_owned(), json!(stat(figure)))));
        Value::Object(object)
    };
    json!({
        "measure": table.measure.name(),
        "networks": table.rows.iter().map(network).collect::<Vec<_>>(),
        "report": out.join("report.html"),
    })
}
