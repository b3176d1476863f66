//! Text that came from a guest, made fit to be shown.
//!
//! A guest must not steer a terminal, forge a log line or fill a disk: control characters and those
//! that reorder text are escaped, and what is longer than [`MAX_BYTES`] is cut.

/// Bytes of guest text that are shown.
pub(crate) const MAX_BYTES: usize = 8 * 1024;

/// `text` as one line.
pub(crate) fn one_line(text: &str) -> String {
    escape(text, |_| false)
}

/// `text` with its line breaks.
pub(crate) fn paragraph(text: &str) -> String {
    escape(text.trim_end(), |character| character == '\n')
}

/// `text` without what is past [`MAX_BYTES`], for keeping it before it is escaped.
pub(crate) fn cut(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(MAX_BYTES));
    text
}

fn escape(text: &str, keep: impl Fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(text.len().min(MAX_BYTES));
    for (position, character) in text.char_indices() {
        if shown.len() >= MAX_BYTES {
            shown.push_str(&format!("… ({} bytes more)", text.len() - position));
            break;
        }
        if is_steering(character) && !keep(character) {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Control characters, line separators, and those that change the direction of text.
fn is_steering(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
        )
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
    fn a_paragraph_keeps_its_line_breaks_and_nothing_else() {
        assert_eq!(paragraph("a\n\tb\u{7}\n"), "a\n\\tb\\u{7}");
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
    fn text_is_kept_up_to_a_whole_character() {
        assert_eq!(cut("€".repeat(MAX_BYTES)).len(), MAX_BYTES - MAX_BYTES % 3);
    }
}
