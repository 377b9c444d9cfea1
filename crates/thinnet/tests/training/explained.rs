//! What settings mean is said of each, and the same wherever it is said.

use std::fmt::Write;
use std::fs;

use thinnet::training::{TrainingConfig, keys, settings};

#[test]
fn every_setting_is_explained() {
    let settings = settings().unwrap();
    let mut explained: Vec<String> = settings.iter().map(|setting| setting.key.clone()).collect();
    assert_eq!(explained[0], "data.path", "in the order of the file");
    explained.sort();
    let mut keys = keys();
    keys.sort();
    assert_eq!(explained, keys);
    for setting in settings {
        let (key, meaning) = (&setting.key, &setting.meaning);
        assert!(meaning.len() > 10 && meaning.ends_with('.'), "{key}: {meaning:?}");
        assert!(!meaning.contains("[`"), "{key}: a link means nothing outside rustdoc: {meaning}");
        if let Some(word) = setting.default.as_str() {
            assert!(meaning.contains(&format!("`{word}`")), "{key}: what is {word:?}? {meaning}");
        }
    }
}

#[test]
fn a_file_with_comments_is_the_file_without() {
    let mut config = TrainingConfig::default();
    for change in ["data.label_column=\"a = [b]\"", "model.hidden=[20, 30]", "train.patience=3"] {
        config.set(&change.parse().unwrap()).unwrap();
    }
    let commented = config.to_commented_toml().unwrap();
    assert_eq!(TrainingConfig::from_toml(&commented).unwrap(), config);
    let code: Vec<&str> =
        commented.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let plain = config.to_toml().unwrap();
    assert_eq!(code, plain.lines().filter(|line| !line.is_empty()).collect::<Vec<_>>());
    let lines: Vec<&str> = commented.lines().collect();
    for (above, line) in lines.iter().zip(&lines[1..]) {
        let explained = line.starts_with('#') || line.is_empty() || above.starts_with("# ");
        assert!(explained && line.len() <= 120, "{line}");
    }
}

#[test]
fn the_documentation_has_the_table_of_all_settings() {
    let mut table = String::from("| key | default | meaning |\n|---|---|---|\n");
    for setting in settings().unwrap() {
        let meaning = setting.meaning.replace('|', "\\|");
        writeln!(table, "| `{}` | `{}` | {meaning} |", setting.key, setting.default).unwrap();
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/training.md");
    let text = fs::read_to_string(path).unwrap();
    let start = text.find("| key | default | meaning |").expect("a table of settings in docs/training.md");
    let end = text[start..].find("\n\n").map_or(text.len(), |end| start + end + 1);
    assert!(text[start..end] == table, "docs/training.md is to have this table:\n\n{table}");
}
