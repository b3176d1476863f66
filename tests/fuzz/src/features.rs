//! Names for the observations of a target's run. Pure.
//!
//! A feature must not repeat the input, or every input would be new: it omits text in quotes and
//! numbers.

use std::fmt::{self, Debug, Write};

/// The length of the longest feature.
const LONGEST: usize = 300;

/// Returns the shape of a value's `Debug` form: its names, without the text, numbers and lists in
/// it.
#[must_use]
pub fn shape(value: &dyn Debug) -> String {
    let mut shaper = Shaper {
        shape: String::new(),
        quote: None,
        is_escaped: false,
        is_in_number: false,
    };
    // It fails when the shape is long enough.
    let _ = write!(shaper, "{value:?}");
    shaper.shape
}

/// Returns the number of binary digits of a count: inputs of another order of magnitude are worth
/// keeping.
#[must_use]
pub fn size_class(count: usize) -> String {
    format!("2^{}", usize::BITS - count.leading_zeros())
}

/// A writer that takes text piece by piece.
struct Shaper {
    shape: String,
    /// The quote that ends the omitted text.
    quote: Option<char>,
    is_escaped: bool,
    /// True inside a number: a word that begins with a digit is a number, whatever its base.
    is_in_number: bool,
}

impl Write for Shaper {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            if self.shape.len() >= LONGEST {
                return Err(fmt::Error);
            }
            self.take(character);
        }
        Ok(())
    }
}

impl Shaper {
    fn take(&mut self, character: char) {
        if let Some(quote) = self.quote {
            let ends = character == quote && !self.is_escaped;
            self.is_escaped = character == '\\' && !self.is_escaped;
            if ends {
                self.quote = None;
            }
            return;
        }
        if self.is_in_number && character.is_ascii_alphanumeric() {
            return;
        }
        self.is_in_number = character.is_ascii_digit();
        match character {
            '"' | '`' => {
                self.quote = Some(character);
                self.shape.push(character);
            }
            '0'..='9' if self.shape.ends_with('#') => {}
            '0'..='9' => self.shape.push('#'),
            // A list of numbers counts as one number.
            ',' | ' ' if self.shape.ends_with('#') => {}
            other => self.shape.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_has_names_and_nothing_of_the_input() {
        assert_eq!(
            shape(&Some(("a \"quoted\" text", 17, [1, 2, 3]))),
            r#"Some((", #[#]))"#
        );
        assert_eq!(shape(&format_args!("`x` at 0x7f.")), "` at #.");
        assert_eq!(shape(&"x".repeat(1000)), "\"");
    }

    #[test]
    fn sizes_are_told_by_magnitude() {
        assert_eq!(
            [0, 1, 2, 3, 4, 1000].map(size_class),
            ["2^0", "2^1", "2^2", "2^2", "2^3", "2^10"]
        );
    }
}
