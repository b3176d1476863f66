//! A bounded writer of text: a guest, or the names in it, can make the host write text that is
//! exponentially longer than its source, or endless.
//!
//! The bound is on bytes and, since writing stops there, on work. Nothing is escaped here: see
//! [`crate::guest_text`].

use std::fmt::{Display, Error, Result, Write};

/// Returns the text of `value`, or its first `most` bytes and a mark that more follows.
pub(crate) fn bounded(most: usize, value: impl Display) -> String {
    let mut text = BoundedText {
        text: String::new(),
        most,
    };
    // The only error is that the text is full.
    if write!(text, "{value}").is_err() {
        text.text.push('…');
    }
    text.text
}

struct BoundedText {
    text: String,
    most: usize,
}

impl Write for BoundedText {
    fn write_str(&mut self, part: &str) -> Result {
        let room = self.most - self.text.len();
        if part.len() <= room {
            self.text.push_str(part);
            return Ok(());
        }
        self.text.push_str(&part[..part.floor_char_boundary(room)]);
        self.most = self.text.len();
        Err(Error)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::fmt::Formatter;

    use super::*;

    #[test]
    fn text_that_fits_is_whole_and_other_text_ends_between_characters() {
        let shown = ["", "abcd", "abcde", "aéé"].map(|text| bounded(4, text));
        assert_eq!(shown, ["", "abcd", "abcd…", "aé…"]);
    }

    #[test]
    fn who_writes_without_end_is_stopped() {
        struct Endless(Cell<usize>);
        impl Display for Endless {
            fn fmt(&self, f: &mut Formatter<'_>) -> Result {
                loop {
                    self.0.set(self.0.get() + 1);
                    f.write_str("abc")?;
                }
            }
        }
        let endless = Endless(Cell::new(0));
        assert_eq!(bounded(7, &endless), "abcabca…");
        assert_eq!(endless.0.get(), 3);
    }
}
