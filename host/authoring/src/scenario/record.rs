//! A record, written and shown in the notation of scenarios, so that shown records can be pasted
//! into the file. Pure.

use std::fmt::{self, Write as _};

use data_encoding::HEXLOWER;
use serde::Serialize;
use tidegate_operator::{Batch, NO_TIMESTAMP};

/// The most bytes shown of a key or value.
const SHOWN: usize = 256;

/// A record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Record {
    /// The key; empty if the record has none.
    pub key: Vec<u8>,
    /// Its value.
    pub value: Vec<u8>,
    /// Milliseconds since the Unix epoch, or [`NO_TIMESTAMP`].
    pub timestamp: i64,
}

impl Record {
    /// Returns the records of a batch.
    pub(crate) fn all(batch: &Batch) -> impl Iterator<Item = Self> {
        let rows = batch.keys().rows().zip(batch.values().rows());
        rows.zip(batch.timestamps())
            .map(|((key, value), timestamp)| Self {
                key: key.to_vec(),
                value: value.to_vec(),
                timestamp: *timestamp,
            })
    }
}

/// Shows the notation of scenarios: `{ key = "a", value = "1", timestamp = 5 }`.
impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (key, value) = (Bytes(&self.key), Bytes(&self.value));
        write!(f, "{{ key = {key}, value = {value}")?;
        if self.timestamp != NO_TIMESTAMP {
            write!(f, ", timestamp = {}", self.timestamp)?;
        }
        f.write_str(" }")
    }
}

/// Serializes the text that people see.
impl Serialize for Record {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Bytes as TOML: a string if they are text, else `{ hex = "00ff" }`.
struct Bytes<'a>(&'a [u8]);

impl fmt::Display for Bytes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok(text) = str::from_utf8(self.0) else {
            let shown = &self.0[..self.0.len().min(SHOWN)];
            write!(f, "{{ hex = \"{}\" }}", HEXLOWER.encode(shown))?;
            return more(self.0.len() - shown.len(), f);
        };
        let shown = &text[..text.floor_char_boundary(SHOWN)];
        f.write_char('"')?;
        shown.chars().try_for_each(|c| escaped(c, f))?;
        f.write_char('"')?;
        more(text.len() - shown.len(), f)
    }
}

/// Writes the number of bytes not shown.
fn more(bytes: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match bytes {
        0 => Ok(()),
        bytes => write!(f, " … ({bytes} bytes more)"),
    }
}

/// Escapes a character as TOML does if it could steer a terminal: it is a guest's output.
fn escaped(character: char, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match character {
        '"' => f.write_str("\\\""),
        '\\' => f.write_str("\\\\"),
        '\n' => f.write_str("\\n"),
        '\r' => f.write_str("\\r"),
        '\t' => f.write_str("\\t"),
        '\u{200e}'
        | '\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}'
        | '\u{feff}' => write!(f, "\\u{:04x}", u32::from(character)),
        control if control.is_control() => write!(f, "\\u{:04x}", u32::from(control)),
        other => f.write_char(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(key: &[u8], timestamp: i64) -> String {
        let (key, value) = (key.to_vec(), b"1".to_vec());
        let record = Record {
            key,
            value,
            timestamp,
        };
        record.to_string()
    }

    #[test]
    fn a_record_is_shown_as_a_scenario_writes_it() {
        assert_eq!(shown(b"a", NO_TIMESTAMP), r#"{ key = "a", value = "1" }"#);
        assert_eq!(
            shown(b"\x00\xff", -5),
            r#"{ key = { hex = "00ff" }, value = "1", timestamp = -5 }"#
        );
    }

    #[test]
    fn what_would_steer_a_terminal_is_escaped_as_toml_does() {
        let text = "\u{1b}[2J\"\\\n\u{202e}é";
        let shown = shown(text.as_bytes(), NO_TIMESTAMP);
        assert_eq!(shown, r#"{ key = "\u001b[2J\"\\\n\u202eé", value = "1" }"#);
        let read: toml::Table = toml::from_str(&format!("record = {shown}")).expect("it is TOML");
        assert_eq!(read["record"]["key"].as_str(), Some(text));
    }

    #[test]
    fn long_bytes_are_cut_and_say_how_much_is_missing() {
        let text = shown(&[b'x'; 300], NO_TIMESTAMP);
        assert!(text.contains("x\" … (44 bytes more), value"), "{text}");
    }
}
