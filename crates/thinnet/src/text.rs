//! Text for messages and pages.

/// Joins things with a separator.
pub fn joined<T: ToString>(things: impl IntoIterator<Item = T>, between: &str) -> String {
    things.into_iter().map(|thing| thing.to_string()).collect::<Vec<_>>().join(between)
}

/// The first `most` names, then dots if there are more.
pub fn first_of(names: &[String], most: usize) -> String {
    joined(names.iter().take(most), ", ") + if names.len() > most { ", ..." } else { "" }
}

/// The text on one line, with single spaces.
pub fn one_line(text: &str) -> String {
    joined(text.split_whitespace(), " ")
}

/// A word for a shell: quoted, if it has characters with a meaning in a shell.
pub fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=.,/+:".contains(c);
    if word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

/// Lines of cells as columns two spaces apart: left-aligned if `is_left` is true for the column's number, otherwise
/// right-aligned.
pub fn aligned(lines: &[Vec<String>], is_left: impl Fn(usize) -> bool) -> Vec<String> {
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let shown = |line: &Vec<String>| {
        let cells = line.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| {
            if is_left(column) { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        joined(cells, "  ").trim_end().to_owned()
    };
    lines.iter().map(shown).collect()
}
