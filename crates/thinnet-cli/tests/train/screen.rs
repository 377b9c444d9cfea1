//! What a terminal shows, with two things that `vt100` leaves out: lines that do not wrap, and lines that flow anew where the
//! width changes, as most terminals have it.

use std::fmt::Write;
use std::num::NonZero;

/// A terminal's screen.
pub(super) struct Screen {
    parser: vt100::Parser,
    /// Whether what is beyond the last column goes to the next row.
    wraps: bool,
    /// Columns that were written since the last start of a line.
    column: usize,
    /// The escape sequence that is being written, empty if none is.
    escape: Vec<u8>,
    /// Whether the rest of the present character is to be left out.
    leaves_out: bool,
}

fn size(count: u16) -> NonZero<u16> {
    NonZero::new(count).unwrap()
}

fn parser(rows: u16, columns: u16) -> vt100::Parser {
    vt100::Parser::new(size(rows), size(columns), 0)
}

impl Screen {
    pub(super) fn new(rows: u16, columns: u16) -> Self {
        let parser = parser(rows, columns);
        Self { parser, wraps: true, column: 0, escape: Vec::new(), leaves_out: false }
    }

    fn columns(&self) -> usize {
        self.parser.screen().size().1.get().into()
    }

    /// Shows what the program writes.
    pub(super) fn process(&mut self, bytes: &[u8]) {
        let bytes: Vec<u8> = bytes.iter().copied().filter(|&byte| self.takes(byte)).collect();
        self.parser.process(&bytes);
    }

    /// Whether a byte comes to be seen, or moves the cursor, or the like.
    fn takes(&mut self, byte: u8) -> bool {
        match byte {
            b'\x1b' => self.escape = vec![byte],
            _ if !self.escape.is_empty() => {
                self.escape.push(byte);
                match self.escape.as_slice() {
                    b"\x1b[?7l" => self.wraps = false,
                    b"\x1b[?7h" => self.wraps = true,
                    _ => {}
                }
                if byte.is_ascii_alphabetic() {
                    self.escape.clear();
                }
            }
            b'\r' => self.column = 0,
            b'\n' => {}
            0x80..=0xbf => return !self.leaves_out, // the rest of a character
            _ => {
                self.leaves_out = !self.wraps && self.column >= self.columns();
                self.column += 1;
                return !self.leaves_out;
            }
        }
        true
    }

    /// All rows.
    pub(super) fn rows(&self) -> Vec<String> {
        let columns = self.parser.screen().size().1.get();
        self.parser.screen().rows(0, columns).map(|row| row.trim_end().to_owned()).collect()
    }

    /// The lines that the rows were written as.
    pub(super) fn lines(&self) -> Vec<String> {
        let columns = self.columns();
        let mut lines = vec![String::new()];
        for (row, number) in self.rows().into_iter().zip(0..) {
            let line = lines.last_mut().unwrap();
            if self.parser.screen().row_wrapped(number) {
                write!(line, "{row:<columns$}").unwrap();
            } else {
                line.push_str(&row);
                lines.push(String::new());
            }
        }
        lines
    }

    /// The lines in which the terminal itself went to the next row within a word.
    pub(super) fn split(&self) -> Vec<String> {
        let columns = self.columns();
        let within = |at: usize, line: &Vec<char>| line[at - 1] != ' ' && line[at] != ' ';
        let is_split = |line: &String| {
            let line: Vec<char> = line.chars().collect();
            (columns..line.len()).step_by(columns).any(|at| within(at, &line))
        };
        self.lines().into_iter().filter(is_split).collect()
    }

    /// The cursor's row and column.
    pub(super) fn cursor(&self) -> (u16, u16) {
        self.parser.screen().cursor_position()
    }

    /// Whether the cursor is at the start of the row below all others.
    pub(super) fn cursor_is_below(&self) -> bool {
        let filled = self.rows().iter().rposition(|row| !row.is_empty()).map_or(0, |row| row + 1);
        (usize::from(self.cursor().0), self.cursor().1) == (filled, 0)
    }

    pub(super) fn hides_cursor(&self) -> bool {
        self.parser.screen().hide_cursor()
    }

    pub(super) fn wraps(&self) -> bool {
        self.wraps
    }

    /// Takes another size; what does not fit is cut off, as xterm does it.
    pub(super) fn cut_to(&mut self, rows: u16, columns: u16) {
        self.parser.screen_mut().set_size(size(rows), size(columns));
    }

    /// Takes another size; what does not fit goes to the next row, as most terminals do it. The cursor is below all lines.
    pub(super) fn flow_to(&mut self, rows: u16, columns: u16) {
        let mut lines = self.lines();
        while lines.last().is_some_and(String::is_empty) {
            lines.pop();
        }
        self.parser = parser(rows, columns);
        self.parser.process((lines.join("\r\n") + "\r\n").as_bytes());
    }
}
