//! A sweep's results, as tables.
#![allow(clippy::unwrap_used, clippy::float_cmp, clippy::unnecessary_wraps)] // a test fails by panic; figures are exact

use thinnet::sweep::{Measure, Outcome, Plan, RunFigures, Stat, SweepConfig, Table, runs_csv};

fn plan(space: &[&str], seeds: usize) -> Plan {
    let space = space.iter().map(ToString::to_string).collect();
    Plan::new(SweepConfig { space, seeds, ..SweepConfig::default() }).unwrap()
}

/// A finished run that ends where it is best.
fn finished(val: f64, train: f64, epochs: usize) -> Option<Outcome> {
    Some(Outcome::Finished(RunFigures {
        best_val_score: Some(val),
        best_val_loss: Some(2.0 * val),
        best_epoch: Some(epochs),
        final_val_score: Some(val - 0.125),
        final_val_loss: Some(3.0 * val),
        train_score: Some(train),
        train_loss: Some(0.25),
        epochs,
        seconds: 0.5 * epochs as f64,
    }))
}

fn diverged() -> Option<Outcome> {
    Some(Outcome::Failed { reason: "the loss is NaN, \"really\"".to_owned(), diverged: true })
}

/// Points 1 to 4 of two keys, three seeds each; point 3 is the best, point 4 has no figures.
fn sweep() -> (Plan, Vec<Option<Outcome>>) {
    let plan = plan(&["model.keep=0.5,1", "optim.rule=adam,sgd"], 3);
    let outcomes = vec![
        finished(0.25, 0.5, 4),
        finished(0.125, 0.25, 2),
        finished(0.5, 1.0, 6),
        diverged(),
        finished(0.5, 0.75, 8),
        diverged(),
        finished(0.75, 1.0, 6),
        None,
        finished(0.375, 0.625, 3),
        finished(0.25, 0.25, 2),
        finished(0.625, 1.0, 6),
        diverged(),
    ];
    (plan, outcomes)
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-12
}

#[test]
fn means_and_deviations_are_those_worked_out_by_hand() {
    assert_eq!(Stat::of([]), None);
    assert_eq!(Stat::of([3.0]), Some(Stat { count: 1, mean: 3.0, sd: None }));
    // 2, 4, 4, 4, 5, 5, 7, 9: the squares of the differences to 5 sum to 32.
    let stat = Stat::of([2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]).unwrap();
    assert!(stat.count == 8 && stat.mean == 5.0 && near(stat.sd.unwrap(), (32.0f64 / 7.0).sqrt()));

    let (plan, outcomes) = sweep();
    let table = Table::new(&plan, &outcomes);
    assert_eq!(table.measure, Measure::Accuracy);
    // Sorted by the mean: 0.625 (point 3), 0.375 (point 1), 0.1875 (point 2), none (point 4).
    assert_eq!(table.rows.iter().map(|row| row.point).collect::<Vec<_>>(), [2, 0, 1, 3]);
    let counts: Vec<_> = table.rows.iter().map(|row| (row.finished, row.failed, row.unfinished)).collect();
    assert_eq!(counts, [(3, 0, 0), (3, 0, 0), (2, 1, 0), (0, 2, 1)]);
    assert_eq!(table.counts(), (8, 3, 1));

    let first = &table.rows[1];
    let stat = |stat: Option<Stat>| stat.map(|s| (s.count, s.mean, s.sd.unwrap())).unwrap();
    assert_eq!(stat(first.best), (3, 0.375, 0.125));
    assert_eq!(stat(first.best_loss), (3, 0.75, 0.25));
    assert_eq!(stat(first.last), (3, 0.25, 0.125));
    assert_eq!(stat(first.train), (3, 0.625, 0.125));
    // Gaps 0.375, 0.375 and 0.375: 0.5 - 0.125, 0.75 - 0.375, 0.625 - 0.25.
    assert_eq!(stat(first.gap), (3, 0.375, 0.0));
    let (_, epochs, sd) = stat(first.epochs);
    assert!(epochs == 5.0 && near(sd, 7f64.sqrt())); // 4, 8, 3: squares 1 + 9 + 4, over 2
    assert!(near(stat(first.seconds).1, 2.5));
    let (count, mean, sd) = stat(table.rows[2].best); // 0.125 and 0.25
    assert!(count == 2 && mean == 0.1875 && near(sd, 0.0625 * 2f64.sqrt()));
    assert_eq!(table.rows[3].best, None);
}

#[test]
fn the_text_has_a_column_for_each_varied_key_and_tells_what_is_missing() {
    let (plan, outcomes) = sweep();
    let text = Table::new(&plan, &outcomes).text();
    let lines: Vec<&str> = text.lines().collect();
    let cells = |line: &str| {
        line.split("  ").map(str::trim).filter(|c| !c.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(
        cells(lines[0]),
        [
            "model.keep",
            "optim.rule",
            "val accuracy",
            "val loss",
            "at the end",
            "train",
            "gap",
            "epochs",
            "seconds",
            "runs"
        ]
    );
    assert_eq!(
        cells(lines[1]),
        [
            "1",
            "adam",
            "62.5 ± 12.5%",
            "1.250 ± 0.250",
            "50.0 ± 12.5%",
            "100.0 ± 0.0%",
            "50.0 ± 12.5%",
            "6.0",
            "3.0",
            "3"
        ]
    );
    assert_eq!(cells(lines[3]).last().unwrap(), "2, 1 failed");
    assert_eq!(cells(lines[4]), ["1", "sgd", "-", "-", "-", "-", "-", "-", "-", "0, 2 failed, 1 unfinished"]);
    assert_eq!(lines[5..], ["3 of 12 runs failed and are in no figure.", "1 of 12 runs is unfinished."]);
    // A column's cells end where its head ends.
    let end =
        |line: &str, cell: &str| line[..line.find(cell).unwrap()].chars().count() + cell.chars().count();
    assert_eq!(end(lines[0], "val loss"), end(lines[1], "1.250 ± 0.250"));
    assert_eq!(end(lines[0], "seconds"), end(lines[4], "-  0, 2 failed") - "  0, 2 failed".len());
}

#[test]
fn the_tables_read_back_float_for_float() {
    let (plan, mut outcomes) = sweep();
    let third = 1.0 / 3.0;
    for index in [2, 6, 10] {
        outcomes[index] = finished(third * index as f64, 0.1 + 0.2, 1);
    }
    let table = Table::new(&plan, &outcomes);
    let bytes = table.csv().unwrap();
    let mut reader = csv::Reader::from_reader(&bytes[..]);
    let header: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let column = |name: &str| header.iter().position(|column| column == name).unwrap();
    assert_eq!(header.len(), 1 + 2 + 3 + 16);
    assert_eq!(records.len(), 4);
    for (record, row) in records.iter().zip(&table.rows) {
        assert_eq!(record[column("point")].parse(), Ok(row.point + 1));
        assert_eq!(record[column("model.keep")].parse::<f64>().ok(), row.values[0].as_float());
        assert_eq!(Some(&record[column("optim.rule")]), row.values[1].as_str());
        for (name, stat) in [
            ("best_val_accuracy", row.best),
            ("best_val_loss", row.best_loss),
            ("final_val_accuracy", row.last),
            ("final_val_loss", row.last_loss),
            ("train_accuracy", row.train),
            ("gap", row.gap),
            ("epochs", row.epochs),
            ("seconds", row.seconds),
        ] {
            assert_eq!(record[column(&format!("{name}_mean"))].parse().ok(), stat.map(|s| s.mean), "{name}");
            assert_eq!(record[column(&format!("{name}_sd"))].parse().ok(), stat.and_then(|s| s.sd), "{name}");
        }
    }

    let bytes = runs_csv(&plan, &outcomes).unwrap();
    let mut reader = csv::Reader::from_reader(&bytes[..]);
    let header: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let column = |name: &str| header.iter().position(|column| column == name).unwrap();
    assert_eq!(records.len(), 12);
    for ((record, run), outcome) in records.iter().zip(&plan.runs).zip(&outcomes) {
        assert_eq!(&record[0], run.name);
        assert_eq!(record[column("seed")].parse(), Ok(run.seed));
        let (state, score, reason) = match outcome {
            None => ("unfinished", None, ""),
            Some(Outcome::Failed { reason, .. }) => ("diverged", None, reason.as_str()),
            Some(Outcome::Finished(figures)) => ("finished", figures.best_val_score, ""),
        };
        assert_eq!(&record[column("state")], state);
        assert_eq!(record[column("best_val_accuracy")].parse().ok(), score);
        assert_eq!(&record[column("reason")], reason);
    }
}

#[test]
fn regression_is_judged_by_r_squared() {
    let mut config =
        SweepConfig { space: vec!["model.keep=0.5,1".to_owned()], seeds: 1, ..SweepConfig::default() };
    config.base.set(&"model.task=regression".parse().unwrap()).unwrap();
    let plan = Plan::new(config).unwrap();
    let outcomes = [finished(0.5, 0.75, 1), finished(0.625, 0.75, 1)];
    let table = Table::new(&plan, &outcomes);
    assert_eq!((table.measure, table.rows[0].point), (Measure::R2, 1));
    assert!(table.text().contains("val R2") && table.text().contains("0.6250"), "{}", table.text());
    assert!(String::from_utf8(table.csv().unwrap()).unwrap().contains("best_val_r2_mean"));
    assert!(String::from_utf8(runs_csv(&plan, &outcomes).unwrap()).unwrap().contains("final_val_r2"));
}

#[test]
fn the_largest_sweep_is_planned_and_told_in_no_time() {
    let start = std::time::Instant::now();
    let plan = plan(&["model.keep=lin:0.1:0.9:100", "optim.learning_rate=log:1e-5:1e-1:100"], 1);
    let outcomes = vec![finished(0.5, 0.75, 1); plan.runs.len()];
    assert_eq!(Table::new(&plan, &outcomes).text().lines().count(), 10_001);
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
}
