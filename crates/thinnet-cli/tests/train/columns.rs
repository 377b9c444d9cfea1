//! Narrow and wide terminals: no word of what is written is split between two rows.

use std::fs;

use super::common::empty_folder;
use super::terminal::Terminal;

/// What is run, one after the other in a folder.
const COMMANDS: &[&str] = &[
    "train --set model.hidden=[16] --set train.epochs=3 --set data.val=200 --out run",
    "train --out run",
    "train --resume run --set train.epochs=4",
    "train --kepp 0.5",
    "train config.toml",
    "sweep --set model.hidden=[8],[8,16] --set train.epochs=2 --set data.train=50 --set optim.learning_rate=1e30,1e-3",
    "sweep --resume thinnet-sweep",
    "evaluate run sample",
    "model info run",
    "predict run sample --top 3",
    "data info sample",
    "data info table.csv",
    "check",
    "experiment --epochs 2 --hidden 8 --train 50",
    "experiment --keep 1.5",
    "--help",
    "train --help",
    "sweep --help",
];

#[test]
fn no_word_is_split_between_rows() {
    for columns in [50, 80, 120] {
        let place = empty_folder();
        let rows = (0..40).map(|row| format!("{row},a word or two,{}\n", row % 2));
        let table = "number,text of a column,label\n".to_owned() + &rows.collect::<String>();
        fs::write(place.path().join("table.csv"), table).unwrap();
        for command in COMMANDS {
            let words: Vec<&str> = command.split(' ').collect();
            let screen = Terminal::run(place.path(), (300, columns), &words, &[]).shown();
            let screen = screen.lock().unwrap();
            assert_eq!(screen.split(), [""; 0], "{command} in {columns} columns: {:#?}", screen.rows());
            assert!(screen.rows().iter().any(|row| !row.is_empty()), "{command} says nothing");
        }
    }
}
