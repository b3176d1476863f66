//! Text that came from a guest, made fit to be shown.
//!
//! A guest must not steer a terminal, forge a log line or fill a disk. Control characters and those
//! that reorder text are escaped, and text longer than [`MAX_BYTES`] is cut. In text of several
//! lines, all but the first are indented, so that none can be taken for a line of the host.

use std::borrow::Cow;

use crate::foreign_text::{MOST_BYTES, is_steering};

/// The number of bytes of guest text that are shown.
pub(crate) const MAX_BYTES: usize = MOST_BYTES;

/// The largest number of bytes of text of several lines after escaping.
const MAX_ESCAPED_BYTES: usize = 4 * MAX_BYTES;

/// The indent of the lines of a paragraph.
const INDENT: &str = "    ";

/// Escapes `text` into one line.
pub(crate) fn one_line(text: &str) -> String {
    escape(text, MAX_BYTES, |_| None)
}

/// Escapes `text` and keeps its line breaks and tabs. Too long a text loses its middle: some
/// languages report the cause first, and some last.
pub(crate) fn paragraph(text: &str) -> String {
    let text = cut(text.trim_end()).replace("\r\n", "\n");
    escape(&text, MAX_ESCAPED_BYTES, |character| match character {
        '\n' => Some("\n    "),
        '\t' => Some(INDENT),
        _ => None,
    })
}

/// Removes the middle of `text` if it is longer than [`MAX_BYTES`], for keeping it unescaped.
pub(crate) fn cut(text: &str) -> Cow<'_, str> {
    if text.len() <= MAX_BYTES {
        return Cow::Borrowed(text);
    }
    let start = &text[..text.floor_char_boundary(MAX_BYTES / 2)];
    let end = &text[text.ceil_char_boundary(text.len() - MAX_BYTES / 2)..];
    let missing = text.len() - start.len() - end.len();
    Cow::Owned(format!("{start}… ({missing} bytes left out) …{end}"))
}

fn escape(text: &str, most_bytes: usize, instead: impl Fn(char) -> Option<&'static str>) -> String {
    let mut shown = String::with_capacity(text.len().min(most_bytes));
    for (position, character) in text.char_indices() {
        if shown.len() >= most_bytes {
            shown.push_str(&format!("… ({} bytes more)", text.len() - position));
            break;
        }
        if let Some(instead) = instead(character) {
            shown.push_str(instead);
        } else if is_steering(character) {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_and_direction_marks_are_escaped() {
        assert_eq!(
            one_line("a\u{1b}[2Jb\r\nc\u{202e}d é"),
            "a\\u{1b}[2Jb\\r\\nc\\u{202e}d é"
        );
    }

    #[test]
    fn a_paragraph_keeps_its_lines_indented_and_nothing_else() {
        assert_eq!(paragraph("a\r\n\tb\u{7}\rc\n\n"), "a\n        b\\u{7}\\rc");
    }

    #[test]
    fn a_paragraph_that_is_too_long_loses_its_middle() {
        let text = format!("first\n{}\nlast", "x".repeat(2 * MAX_BYTES));
        let shown = paragraph(&text);
        assert!(shown.starts_with("first\n    xxx"), "{shown}");
        assert!(shown.ends_with("xxx\n    last"), "{shown}");
        let missing = text.len() - MAX_BYTES;
        assert!(shown.contains(&format!("x… ({missing} bytes left out) …x")));
        // The text stays bounded, whatever its characters are escaped to.
        let steering = paragraph(&"\u{202e}".repeat(MAX_BYTES));
        assert!(
            steering.len() < MAX_ESCAPED_BYTES + 64,
            "{}",
            steering.len()
        );
    }

    #[test]
    fn long_text_is_cut_and_says_how_much_is_missing() {
        let shown = one_line(&"é".repeat(MAX_BYTES));
        assert_eq!(
            shown,
            format!("{}… (8192 bytes more)", "é".repeat(MAX_BYTES / 2))
        );
    }

    #[test]
    fn text_is_cut_between_whole_characters() {
        let text = cut(&"€".repeat(MAX_BYTES)).into_owned();
        let kept = 2 * (MAX_BYTES / 2 / "€".len()) * "€".len();
        let missing = "€".len() * MAX_BYTES - kept;
        assert!(text.contains(&format!("€… ({missing} bytes left out) …€")));
    }
}
