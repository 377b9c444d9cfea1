//! The display's layout.

use super::*;

const PACE: Pace = Pace { steps: 100.0, left: Duration::from_secs(83) };

fn run(epochs: usize, steps_per_epoch: u64) -> Announcement {
    Announcement {
        folder: "run".into(),
        data: "sample: images".to_owned(),
        samples: [48_000, 1000, 0],
        layers: vec![3072, 500, 10],
        parameters: 1_541_510,
        epochs,
        steps_per_epoch,
        done: 0,
        history: Vec::new(),
        dtype: "f32".to_owned(),
        threads: 2,
        members: 1,
        best: None,
        samples_per_step: 100.0,
    }
}

fn epoch(number: usize, steps_per_epoch: u64, accuracy: f64) -> Epoch {
    let score = |accuracy| Score { loss: 1.0, accuracy: Some(accuracy), top5: None, r2: None };
    Epoch {
        epoch: number,
        step: number as u64 * steps_per_epoch,
        learning_rate: 1e-3,
        loss: 2.0 / number as f64,
        train: score(accuracy + 0.1),
        val: score(accuracy),
        seconds: 1.0,
        samples_per_second: 12_345.0,
    }
}

/// After so many epochs, of which the second is the best, and some steps.
fn panel(run: &Announcement, epochs: usize, steps: u64) -> Panel {
    let mut panel = Panel::new(run);
    let step = |panel: &mut Panel, number| {
        panel.step(&Step { step: number, loss: 0.5, epoch: None, best: false });
    };
    for number in 1..=epochs {
        for at in 1..=run.steps_per_epoch {
            step(&mut panel, (number as u64 - 1) * run.steps_per_epoch + at);
        }
        let accuracy = if number == 2 { 0.85 } else { 0.5 };
        panel.epoch(&epoch(number, run.steps_per_epoch, accuracy), number <= 2);
    }
    for at in 1..=steps {
        step(&mut panel, epochs as u64 * run.steps_per_epoch + at);
    }
    panel
}

fn plain(columns: usize) -> Canvas {
    Canvas::plain(columns, true)
}

#[test]
fn all_is_told_in_eighty_columns() {
    let lines = panel(&run(25, 48), 3, 24).lines(plain(80), PACE);
    assert_eq!(
        lines[0],
        format!("epoch  4/25  step 24/48  {}{}   1:23 min left", "━".repeat(5), "─".repeat(33))
    );
    assert!(lines[1].starts_with("loss              0.5000  ▄▄▄"), "{}", lines[1]);
    assert_eq!(lines[2], "train accuracy    60.00%  ▁█▁                                  60.00% to 95.00%");
    assert_eq!(
        lines[3], "val accuracy      50.00%  ▁█▁                                  50.00% to 85.00%",
        "on a scale of its own"
    );
    assert_eq!(lines[4], "best              85.00%  epoch  2    1 epoch ago");
    assert_eq!(lines[5], "samples/s          12.3k        0 s so far");
    assert_eq!(lines.len(), 6);
}

#[test]
fn no_line_is_wider_than_the_terminal_and_none_is_lost() {
    for columns in (0..60).chain([60, 80, 89, 90, 91, 120, 200, 1000]) {
        for unicode in [true, false] {
            for (epochs, steps_per_epoch, done, steps) in
                [(25, 48, 3, 24), (10_000, 12_345, 0, 7), (10_000, 1, 300, 0), (1, 1, 1, 0), (3, 2, 0, 0)]
            {
                let panel = panel(&run(epochs, steps_per_epoch), done, steps);
                let lines = panel.lines(Canvas::plain(columns, unicode), PACE);
                assert_eq!(lines.len(), 6);
                for line in &lines {
                    let width = line.chars().count();
                    let least =
                        if line.starts_with("epoch") { "epoch 10000/10000".len() } else { panel.head() };
                    assert!(width <= columns.saturating_sub(1).max(least + 2), "{columns} columns: {line:?}");
                    assert!(unicode || line.is_ascii(), "{line}");
                }
                if columns >= 60 {
                    assert!(lines[0].ends_with("1:23 min left"), "{columns} columns: {:?}", lines[0]);
                    assert!(lines[0].contains(if unicode { "─" } else { "-" }) || done == epochs);
                }
            }
        }
    }
}

#[test]
fn the_first_epoch_shows_its_steps() {
    let lines = panel(&run(25, 48), 0, 5).lines(plain(80), PACE);
    assert!(lines[0].starts_with("epoch  1/25  step  5/48  "), "{}", lines[0]);
    assert_eq!(lines[1], "loss           0.5000  ▄▄▄▄▄");
    assert_eq!(lines[3], "val score           –  after the first epoch");
    assert_eq!(lines[4], "best                –");
    assert_eq!(lines[5], "samples/s       10.0k        0 s so far", "100 steps of 100 samples");
}

#[test]
fn a_run_that_goes_on_shows_what_came_before() {
    let mut run = run(25, 48);
    run.done = 2 * 48 + 5;
    run.history = vec![epoch(1, 48, 0.4), epoch(2, 48, 0.3)];
    run.best = Some(1);
    let lines = Panel::new(&run).lines(plain(80), PACE);
    assert!(lines[0].starts_with("epoch  3/25  step  5/48  "), "{}", lines[0]);
    assert_eq!(
        lines[1], "loss              1.0000  █▁                                   1.0000 to 2.0000",
        "that of the last epoch"
    );
    assert_eq!(lines[3], "val accuracy      30.00%  █▁                                   30.00% to 40.00%");
    assert_eq!(lines[4], "best              40.00%  epoch  1    1 epoch ago");
}

#[test]
fn regression_shows_what_it_has() {
    let mut panel = Panel::new(&run(5, 2));
    let score = Score { loss: 0.25, accuracy: None, top5: None, r2: Some(-0.5) };
    panel.epoch(&Epoch { train: score, val: score, ..epoch(1, 2, 0.0) }, true);
    let lines = panel.lines(plain(80), PACE);
    assert_eq!(lines[2], "train R2    -0.5000  ▄▄▄▄", "an epoch of five has four columns");
    let score = Score { r2: None, ..score };
    panel.epoch(&Epoch { train: score, val: score, ..epoch(2, 2, 0.0) }, true);
    let lines = panel.lines(plain(80), PACE);
    assert!(lines[3].starts_with("val loss      0.2500"), "{}", lines[3]);
    assert!(lines[4].ends_with("epoch 2      the last"), "{}", lines[4]);
}

#[test]
fn few_epochs_are_wide_and_narrow_terminals_have_no_ranges() {
    let lines = panel(&run(6, 48), 3, 0).lines(plain(50), PACE);
    assert_eq!(lines[3], "val accuracy      50.00%  ▁▁▁███▁▁▁", "23 columns are 3 for each of 6 epochs");
    let lines = panel(&run(6, 48), 6, 0).lines(plain(120), PACE);
    assert_eq!(
        lines[3],
        "val accuracy      50.00%  ▁▁▁▁████▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁                                                     50.00% to 85.00%"
    );
}

#[test]
fn wide_terminals_show_ranges() {
    let lines = panel(&run(25, 48), 12, 0).lines(plain(120), PACE);
    assert!(lines[1].ends_with(&format!("▁{}0.1667 to 2.0000", " ".repeat(65))), "{}", lines[1]);
    assert!(lines[3].ends_with("  50.00% to 85.00%"), "{}", lines[3]);
}

#[test]
fn lines_keep_their_lengths() {
    let run = run(1000, 2);
    let lengths = |epochs, columns| -> Vec<usize> {
        let lines = panel(&run, epochs, 1).lines(plain(columns), PACE);
        lines.iter().map(|line| line.chars().count()).collect()
    };
    for columns in [70, 80, 120, 200] {
        // Before, the curve of steps grows.
        let first = lengths(FEW_EPOCHS + 1, columns);
        for epochs in [12, 99, 100, 101, 999] {
            assert_eq!(lengths(epochs, columns), first, "{epochs} epochs, {columns} columns");
        }
    }
}

#[test]
fn the_loss_is_smoothed_and_starts_right() {
    let mut smoothed = Smoothed::new(50);
    assert_eq!(smoothed.value(), None);
    smoothed.push(7.0);
    assert_eq!(smoothed.value(), Some(7.0));
    (0..1000).for_each(|at| smoothed.push(if at % 2 == 0 { 1.0 } else { 3.0 }));
    assert!((smoothed.value().unwrap_or_default() - 2.0).abs() < 0.05, "{smoothed:?}");
}

#[test]
fn what_is_trained_is_told_in_two_lines() {
    let run = Announcement { done: 4800, ..run(25, 480) };
    assert_eq!(
        announcement(&run),
        [
            "run: 3072-500-10 with 1,541,510 parameters, f32, 2 threads, resumed after step 4,800",
            "sample: images; 48,000 training, 1,000 validation samples"
        ]
    );
}
