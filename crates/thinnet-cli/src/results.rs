//! Results of runs as a table that fits a terminal.

use thinnet::sweep::{Names, Table, shown};
use thinnet::text::aligned;

use crate::output::characters;

/// Columns of figures in the order in which they are left out if there is no space, by their places in
/// [`Table::heads`].
const LEFT_OUT: [usize; 7] = [SECONDS, EPOCHS, AT_THE_END, VAL_LOSS, GAP, TRAIN, RUNS];

const VAL_LOSS: usize = 1;
const AT_THE_END: usize = 2;
const TRAIN: usize = 3;
const GAP: usize = 4;
const EPOCHS: usize = 5;
const SECONDS: usize = 6;
const RUNS: usize = 7;

/// The lines of the table: columns of the varied settings, then of the figures, and remarks below it.
///
/// - `rest`: the file that has all columns
/// - `columns`: those of the terminal; `None` for as many as it takes
pub(crate) fn lines(table: &Table, rest: &str, columns: Option<usize>) -> Vec<String> {
    let names = Names::new(&table.keys);
    let order = if says_nothing(table) { [&[RUNS], &LEFT_OUT[..6]].concat() } else { LEFT_OUT.to_vec() };
    let fits =
        |lines: &[String]| columns.is_none_or(|columns| lines.iter().all(|line| characters(line) <= columns));
    let (mut lines, mut left_out) = (Vec::new(), &order[..0]);
    for count in 0..=order.len() {
        left_out = &order[..count];
        lines = laid_out(table, &names, left_out);
        if fits(&lines) {
            break;
        }
    }
    lines.extend(table.missing());
    if !left_out.is_empty() {
        let heads = table.heads();
        let names: Vec<&str> = left_out.iter().rev().map(|&column| heads[column]).collect();
        lines.push(format!("{rest} has the rest: {}.", names.join(", ")));
    }
    lines
}

/// Whether the column of runs has the same number in each row, which was printed before.
fn says_nothing(table: &Table) -> bool {
    table.rows.windows(2).all(|two| two[0].finished == two[1].finished) && {
        let (_, failed, unfinished) = table.counts();
        failed + unfinished == 0
    }
}

/// The table without these columns.
fn laid_out(table: &Table, names: &Names, left_out: &[usize]) -> Vec<String> {
    let kept = |cells: Vec<String>| {
        let cells = cells.into_iter().enumerate();
        cells.filter(|(column, _)| !left_out.contains(column)).map(|(_, cell)| cell).collect::<Vec<_>>()
    };
    let head = kept(table.heads().map(str::to_owned).to_vec());
    let mut rows = vec![[names.all().to_vec(), head].concat()];
    for row in &table.rows {
        let values: Vec<String> = row.values.iter().map(shown).collect();
        rows.push([values, kept(table.cells(row).to_vec())].concat());
    }
    let settings = names.all().len();
    let runs = rows[0].len() - 1; // is text as well
    let has_runs = !left_out.contains(&RUNS);
    aligned(&rows, |column| column < settings || (has_runs && column == runs))
}

#[cfg(test)]
mod tests {
    use thinnet::sweep::{Measure, Row, Stat};

    use super::*;

    /// Results over two settings, one of whose names is long, with two seeds each.
    fn table(failed: usize) -> Table {
        let stat = |mean| Some(Stat { count: 2, mean, sd: Some(0.0123) });
        let row = |point: usize| Row {
            point,
            values: vec![toml::Value::Float(0.25), vec![200, 100].into()],
            finished: 2 - failed,
            failed,
            unfinished: 0,
            best: stat(0.3512),
            best_loss: stat(1.8765),
            last: stat(0.3402),
            last_loss: stat(2.5),
            train: stat(0.9812),
            gap: stat(0.641),
            epochs: stat(25.0),
            seconds: stat(12.34),
        };
        let keys = ["model.input_keep", "model.hidden"].map(str::to_owned).to_vec();
        Table { keys, measure: Measure::Accuracy, rows: vec![row(0), row(1)] }
    }

    fn shown_in(columns: Option<usize>, failed: usize) -> Vec<String> {
        lines(&table(failed), "sweep.csv", columns)
    }

    #[test]
    fn all_columns_are_there_where_there_is_room() {
        let lines = shown_in(None, 0);
        for head in ["input keep", "hidden", "val accuracy", "val loss", "at the end", "seconds", "runs"] {
            assert!(lines[0].contains(head), "{}", lines[0]);
        }
        assert_eq!(lines.len(), 3);
    }

    #[test]
    fn a_terminal_has_what_fits_and_is_told_where_the_rest_is() {
        for columns in [50, 60, 80, 100, 120] {
            let lines = shown_in(Some(columns), 0);
            for line in &lines[..3] {
                assert!(line.chars().count() <= columns, "{columns} columns: {line}");
            }
            assert!(lines[1].starts_with("0.25        200-100   35.1 ± 1.2%"), "{}", lines[1]);
        }
        let lines = shown_in(Some(80), 0);
        assert!(lines[0].ends_with("gap"), "{}", lines[0]);
        assert_eq!(lines[3], "sweep.csv has the rest: at the end, epochs, seconds, runs.");
    }

    #[test]
    fn runs_that_failed_are_told_as_long_as_there_is_room() {
        let lines = shown_in(Some(80), 1);
        assert!(lines[0].ends_with("runs") && lines[1].ends_with("1, 1 failed"), "{lines:#?}");
        assert_eq!(lines[3], "2 of 4 runs failed and are in no figure.");
    }
}
