//! Wraps texts to a terminal's width: between words, never within one.

/// The break between lines of the same text; spaces at a break are removed.
const BREAK: char = '\n';

/// The characters of a line, each with whether it is visible: colour codes are not.
pub(super) fn seen(line: &str) -> impl Iterator<Item = (char, bool)> {
    let mut code = false;
    line.chars().map(move |character| {
        let ends = code && character == 'm';
        code = (code && !ends) || character == '\x1b';
        (character, !code && !ends)
    })
}

/// The number of visible characters in a line.
pub(crate) fn characters(line: &str) -> usize {
    seen(line).filter(|(_, seen)| *seen).count()
}

/// A text with lines of at most `columns` characters, if its words allow it.
///
/// Continued lines are aligned with the second of two columns that are separated by two spaces, or indented a little
/// more than an indented line. A command in `backquotes` stays on one line if it fits, so that it can be copied.
pub(crate) fn wrap(text: &str, columns: usize) -> String {
    let lines: Vec<String> = text.split(BREAK).map(|line| wrap_line(line, columns)).collect();
    lines.join("\n")
}

fn wrap_line(line: &str, columns: usize) -> String {
    if characters(line) <= columns {
        return line.to_owned();
    }
    let hang = hang(line, columns);
    let (mut wrapped, mut width) = (String::new(), 0);
    for (blanks, word) in words(line, columns.saturating_sub(hang)) {
        let wide = characters(word);
        if !wrapped.is_empty() && width > hang && width + blanks.len() + wide > columns {
            wrapped.push(BREAK);
            wrapped.push_str(&" ".repeat(hang));
            width = hang + wide;
        } else {
            wrapped.push_str(blanks);
            width += blanks.len() + wide;
        }
        wrapped.push_str(word);
    }
    wrapped
}

/// The indentation of continued lines.
fn hang(line: &str, columns: usize) -> usize {
    let plain: String = seen(line).filter(|(_, seen)| *seen).map(|(character, _)| character).collect();
    let start = plain.chars().take_while(|&c| c == ' ').count();
    let words = plain.trim_start();
    let second = words.find("  ").map(|at| {
        let rest = &words[at..];
        start + words[..at].chars().count() + (rest.len() - rest.trim_start_matches(' ').len())
    });
    match second.filter(|&second| second <= columns / 2) {
        Some(second) => second,
        None if start > 0 => start + 2,
        None => 0,
    }
}

/// The words of a line, each with the spaces before it. Text in backquotes is one word, if it is no longer than
/// `longest`.
fn words(line: &str, longest: usize) -> Vec<(&str, &str)> {
    let mut words = Vec::new();
    let mut rest = line;
    while !rest.is_empty() {
        let word = rest.trim_start_matches(' ');
        let blanks = &rest[..rest.len() - word.len()];
        let end = word_end(word, longest);
        words.push((blanks, &word[..end]));
        rest = &word[end..];
    }
    words
}

/// Where the first word of a text ends.
fn word_end(text: &str, longest: usize) -> usize {
    let blank = |from: usize| text[from..].find(' ').map_or(text.len(), |at| from + at);
    let end = blank(0);
    let Some(open) = text[..end].find('`') else { return end };
    let Some(close) = text[open + 1..].find('`').map(|at| open + 1 + at) else { return end };
    let whole = blank(close);
    if characters(&text[..whole]) <= longest { whole } else { end }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words() {
        assert_eq!(wrap("one two three", 13), "one two three");
        assert_eq!(wrap("one two three", 12), "one two\nthree");
        assert_eq!(wrap("one two three\n\nfour five", 5), "one\ntwo\nthree\n\nfour\nfive");
        assert_eq!(wrap("a/path/that/is/long is here", 8), "a/path/that/is/long\nis here");
        assert_eq!(wrap("", 8), "");
    }

    #[test]
    fn what_goes_on_stands_under_its_column() {
        assert_eq!(wrap("takes   images of 3 x 32", 18), "takes   images of\n        3 x 32");
        assert_eq!(wrap("  thinnet train --set a=b", 18), "  thinnet train\n    --set a=b");
        assert_eq!(wrap("a long first column  and more", 20), "a long first column\nand more");
    }

    #[test]
    fn a_command_stays_whole_where_it_fits() {
        assert_eq!(wrap("stopped; `a b c` goes on", 12), "stopped;\n`a b c` goes\non");
        assert_eq!(wrap("a `command too long` here", 10), "a `command\ntoo long`\nhere");
        assert_eq!(wrap("one ` alone stands", 8), "one `\nalone\nstands");
    }

    #[test]
    fn colours_have_no_width() {
        assert_eq!(wrap("\x1b[1mone\x1b[0m two", 7), "\x1b[1mone\x1b[0m two");
        assert_eq!(wrap("\x1b[1mone two\x1b[0m", 6), "\x1b[1mone\ntwo\x1b[0m");
        assert_eq!(characters("\x1b[1m\x1b[31mred\x1b[0m ━━"), 6);
    }

    #[test]
    fn no_line_is_too_wide_and_no_word_is_lost() {
        let text =
            "error: there is no argument '--keep' here; give `--set model.keep=0.5`; names  of two columns";
        for columns in 1..100 {
            let wrapped = wrap(text, columns);
            assert!(wrapped.split_whitespace().eq(text.split_whitespace()), "{wrapped}");
            for line in wrapped.lines() {
                let alone = line.trim_start().split(' ').count() == 1;
                assert!(alone || characters(line) <= columns, "{columns} columns: {line:?}");
            }
        }
    }
}
