//! Lines on their way to the user: the only thing that the terminal and the log write. Pure.
//!
//! All input is escaped here, so that no name, message or value can steer a terminal or start a
//! line, and no caller has to remember to escape it. Only methods of [`Lines`] end a line,
//! never a character of the text.

use std::fmt::{self, Display, Write as _};

use tidegate_operator::{is_steering, shown_text};

/// The start of each line of a paragraph but the first. Guests' text has it already.
const CONTINUED: &str = "\n    ";
/// The most bytes of a paragraph: more than an error has with all of a guest's output.
const MOST_BYTES: usize = 128 * 1024;
const WRITES: &str = "a string takes what is written to it";

/// Lines that are fit to be shown. Each ends with a line break.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lines {
    text: String,
}

impl Lines {
    /// Returns no lines.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Returns one line.
    pub(crate) fn one(line: impl Display) -> Self {
        let mut lines = Self::new();
        lines.line(line);
        lines
    }

    /// Returns one [paragraph](Self::paragraph).
    pub(crate) fn one_paragraph(text: impl Display) -> Self {
        let mut lines = Self::new();
        lines.paragraph(text);
        lines
    }

    /// Returns the output of our own serializers and generators, line by line: JSON, completions.
    pub(super) fn generated(text: &str) -> Self {
        let mut lines = Self::new();
        for line in text.lines() {
            lines.text.push_str(line);
            lines.text.push('\n');
        }
        lines
    }

    /// Returns text that our own code laid out from escaped lines: snippets with colours.
    pub(super) fn laid_out(text: String) -> Self {
        Self { text }
    }

    /// Adds a line. A line break in it is escaped.
    pub(crate) fn line(&mut self, line: impl Display) {
        let line = line.to_string();
        writeln!(self.text, "{}", shown_text(&line)).expect(WRITES);
    }

    /// Adds text whose later lines are indented, as guests' text is. Any other line break is
    /// escaped.
    pub(crate) fn paragraph(&mut self, text: impl Display) {
        let text = text.to_string();
        let mut rest = text.as_str();
        if rest.len() > MOST_BYTES {
            rest = &rest[..rest.floor_char_boundary(MOST_BYTES)];
        }
        let missing = text.len() - rest.len();
        for (at, line) in rest.split(CONTINUED).enumerate() {
            if at > 0 {
                self.text.push_str(CONTINUED);
            }
            write!(self.text, "{}", shown_text(line)).expect(WRITES);
        }
        if missing > 0 {
            write!(self.text, "… ({missing} bytes more)").expect(WRITES);
        }
        self.text.push('\n');
    }

    /// Adds an empty line.
    pub(crate) fn gap(&mut self) {
        self.text.push('\n');
    }

    /// Adds other lines.
    pub(crate) fn append(&mut self, others: &Self) {
        self.text.push_str(&others.text);
    }

    /// Returns the text with its line breaks.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }
}

/// Returns a line of the log as `tracing` formats it; with `colours` it may have colours of its
/// own.
pub(super) fn of_log(formatted: &str, colours: bool) -> Lines {
    let line = formatted.strip_suffix('\n').unwrap_or(formatted);
    if !colours {
        return Lines::one_paragraph(line);
    }
    let mut text = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(start) = rest.find("\u{1b}[") {
        let after = &rest[start + 2..];
        let end = after.find(|c: char| !c.is_ascii_digit() && c != ';');
        let Some(end) = end.filter(|end| after[*end..].starts_with('m')) else {
            break;
        };
        paragraph_into(&mut text, &rest[..start]);
        text.push_str(&rest[start..=start + 2 + end]);
        rest = &after[end + 1..];
    }
    paragraph_into(&mut text, rest);
    text.push('\n');
    Lines { text }
}

fn paragraph_into(text: &mut String, piece: &str) {
    let lines = Lines::one_paragraph(piece);
    text.push_str(lines.text.strip_suffix('\n').unwrap_or(&lines.text));
}

/// Replaces each character that steers a terminal by as many bytes of `?`, so that byte positions
/// remain valid. Line breaks and tabs stay.
pub(super) fn masked(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    for character in text.chars() {
        if is_steering(character) && !matches!(character, '\n' | '\t') {
            masked.extend(std::iter::repeat_n('?', character.len_utf8()));
        } else {
            masked.push(character);
        }
    }
    masked
}

impl Display for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_one_whatever_is_in_it() {
        let mut lines = Lines::one("a\nerror: forged\u{1b}[2J");
        lines.line(format_args!("{}\r", 7));
        assert_eq!(lines.as_str(), "a\\nerror: forged\\u{1b}[2J\n7\\r\n");
    }

    #[test]
    fn only_indented_lines_of_a_paragraph_are_lines() {
        let lines = Lines::one_paragraph("error: trap\n    at x\u{7}\nforged\n    at y");
        assert_eq!(
            lines.as_str(),
            "error: trap\n    at x\\u{7}\\nforged\n    at y\n"
        );
    }

    #[test]
    fn a_log_line_keeps_its_colours_and_no_other_sequence() {
        let line = "\u{1b}[2m12:00\u{1b}[0m \u{1b}[31mERROR\u{1b}[0m x\u{1b}[2Jy\nz\u{1b}[\n";
        assert_eq!(
            of_log(line, true).as_str(),
            "\u{1b}[2m12:00\u{1b}[0m \u{1b}[31mERROR\u{1b}[0m x\\u{1b}[2Jy\\nz\\u{1b}[\n"
        );
        assert_eq!(of_log("a\nb\n", false).as_str(), "a\\nb\n");
    }

    #[test]
    fn masked_text_is_as_long() {
        let text = "a\u{1b}b\u{202e}\u{9b}é\n\t";
        assert_eq!(masked(text), "a?b?????é\n\t");
        assert_eq!(masked(text).len(), text.len());
    }

    #[test]
    fn a_paragraph_is_cut() {
        let lines = Lines::one_paragraph("x\n    ".repeat(MOST_BYTES));
        assert!(lines.as_str().len() < MOST_BYTES + 100);
        assert!(lines.as_str().ends_with("bytes more)\n"));
    }
}
