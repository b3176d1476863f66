//! Foreign text, made fit to be shown: file names, strings of job files and manifests, and texts of
//! guests.
//!
//! Such text must not steer a terminal, forge a line or fill a log. [`Foreign`] is the one place
//! that escapes it: control characters and those that reorder or hide text are written as `\u{1b}`,
//! a line break as `\n`, bytes that are not UTF-8 as `\xff`; longer text is cut. Nothing here
//! decides where text is written. Each place where text leaves the process escapes again, in case
//! one was forgotten.

use std::any::Any;
use std::fmt::{self, Display, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

/// The number of bytes of foreign text that are shown: more than the longest path of Linux has.
pub const MOST_BYTES: usize = 8 * 1024;

/// Foreign text, shown as one line.
#[derive(Clone, Copy, Debug)]
pub struct Foreign<'a> {
    bytes: &'a [u8],
}

impl<'a> Foreign<'a> {
    /// Wraps the bytes of a file name or similar text.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }
}

/// Returns a path as messages show it, on one line.
#[must_use]
pub fn shown(path: &(impl AsRef<Path> + ?Sized)) -> Foreign<'_> {
    Foreign::new(path.as_ref().as_os_str().as_bytes())
}

/// Returns text as messages show it, on one line.
#[must_use]
pub fn shown_text(text: &str) -> Foreign<'_> {
    Foreign::new(text.as_bytes())
}

/// Returns an error with all its causes on one line, outermost first.
#[must_use]
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |line, cause| {
        let cause = cause.to_string();
        match line.ends_with(&cause) {
            // Some errors have their cause in their own text.
            true => line,
            false => format!("{line}: {cause}"),
        }
    })
}

/// Returns the message of a panic, on one line.
#[must_use]
pub fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&'static str>().copied());
    shown_text(text.unwrap_or("the panic has no text message")).to_string()
}

/// Returns true for control characters, line separators, and characters that are invisible or
/// change the direction of text.
#[must_use]
pub fn is_steering(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// Returns JSON text in which no character steers a terminal: such characters stand only in
/// strings, and are escaped there. Line breaks between values stay.
#[must_use]
pub fn quiet_json(json: String) -> String {
    let is_loud = |character: char| character != '\n' && is_steering(character);
    if !json.contains(is_loud) {
        return json;
    }
    let mut quiet = String::with_capacity(json.len() + 16);
    for character in json.chars() {
        if is_loud(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(quiet, "\\u{unit:04x}").expect("a string takes what is written to it");
            }
        } else {
            quiet.push(character);
        }
    }
    quiet
}

impl Display for Foreign<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = self.bytes.len().min(MOST_BYTES);
        // A character at the cut stays whole.
        let end = (end..self.bytes.len().min(MOST_BYTES + 4))
            .find(|end| self.bytes[*end] & 0xc0 != 0x80)
            .unwrap_or(end);
        for chunk in self.bytes[..end].utf8_chunks() {
            for character in chunk.valid().chars() {
                if is_steering(character) {
                    write!(f, "{}", character.escape_default())?;
                } else {
                    f.write_char(character)?;
                }
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        match self.bytes.len() - end {
            0 => Ok(()),
            missing => write!(f, "… ({missing} bytes more)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    #[test]
    fn foreign_text_is_one_line_without_control_characters() {
        assert_eq!(
            shown_text("a\u{1b}[2Jb\r\nc\u{202e}d\u{7f}\u{9b}\u{200b} é\t\\").to_string(),
            "a\\u{1b}[2Jb\\r\\nc\\u{202e}d\\u{7f}\\u{9b}\\u{200b} é\\t\\"
        );
    }

    #[test]
    fn a_path_that_is_not_utf_8_shows_its_bytes() {
        let path = Path::new(OsStr::from_bytes(b"/tmp/\xff\xc3\x28\n/x"));
        assert_eq!(shown(path).to_string(), "/tmp/\\xff\\xc3(\\n/x");
    }

    #[test]
    fn long_text_is_cut_and_says_how_much_is_missing() {
        let text = shown_text(&"é".repeat(MOST_BYTES)).to_string();
        let kept = "é".repeat(MOST_BYTES / 2);
        assert_eq!(text, format!("{kept}… (8192 bytes more)"));
        let bytes = vec![0xff; 3 * MOST_BYTES];
        assert!(Foreign::new(&bytes).to_string().len() < 4 * MOST_BYTES + 100);
    }

    #[test]
    fn quiet_json_means_the_same() {
        let text = "a\u{7f}\u{9b}31m\u{202e}\u{e0041}é\n\"\\";
        let json = format!("[\n{}]", quiet_json_of(text));
        assert!(json.chars().all(|c| c == '\n' || !is_steering(c)), "{json}");
        assert!(
            json.contains("\\u007f\\u009b31m\\u202e\\udb40\\udc41é\\n"),
            "{json}"
        );
    }

    fn quiet_json_of(text: &str) -> String {
        let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
        quiet_json(format!("\"{}\"", escaped.replace('\n', "\\n")))
    }
}
