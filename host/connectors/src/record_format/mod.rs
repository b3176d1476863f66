//! Record path: source → channel → operator instance → router → **sink**.
//!
//! Records to bytes, for the sinks `file` and `stdout`. Pure. Whole columns are searched for bytes
//! that need escaping, so that an ordinary batch is only copied.

use memchr::{memchr, memchr3, memchr3_iter};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidegate_connector::{ConnectorError, SubtaskId};
use tidegate_operator::{Batch, Column, NO_TIMESTAMP};

/// The form in which a sink writes a record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RecordFormat {
    /// A line of key, tab and value. Tab, newline and backslash inside a field are written `\t`,
    /// `\n` and `\\`; all other bytes as they are.
    #[default]
    Tsv,
    /// A line of the value only, as it is. A value that contains a newline is rejected.
    Lines,
    /// A line of `{"key":…,"value":…,"timestamp":…}`. A key or value that is UTF-8 is a string, any
    /// other `{"hex":"…"}`; the timestamp is a number of milliseconds or `null`.
    Jsonl,
}

/// A value that the format `lines` can't hold.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NewlineInValue {
    row: usize,
    value: Vec<u8>,
}

/// The number of bytes of a rejected value that an error shows.
const SHOWN_BYTES: usize = 64;

impl NewlineInValue {
    /// Makes the error of the sink subtask that was to write the value.
    pub(crate) fn into_error(self, subtask: &SubtaskId) -> ConnectorError {
        let Self { row, value } = self;
        let shown = &value[..value.len().min(SHOWN_BYTES)];
        ConnectorError::Record {
            position: format!("sink {subtask}, record {row} of a batch"),
            reason: format!(
                "its value \"{}\" holds a newline, which `format = \"lines\"` can't write; use \
                 \"tsv\" or \"jsonl\"",
                shown.escape_ascii()
            ),
        }
    }
}

impl RecordFormat {
    /// Returns the extension of a file's name, without the dot.
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::Tsv => "tsv",
            Self::Lines => "txt",
            Self::Jsonl => "jsonl",
        }
    }

    /// Appends all records of `batch` to `out`, or nothing if a record is rejected.
    pub(crate) fn append(self, batch: &Batch, out: &mut Vec<u8>) -> Result<(), NewlineInValue> {
        match self {
            Self::Tsv => append_tsv(batch, out),
            Self::Lines => return append_lines(batch.values(), out),
            Self::Jsonl => append_jsonl(batch, out),
        }
        Ok(())
    }
}

fn append_tsv(batch: &Batch, out: &mut Vec<u8>) {
    let (keys, values) = (batch.keys(), batch.values());
    let is_plain = |column: &Column| memchr3(b'\t', b'\n', b'\\', column.data()).is_none();
    if is_plain(keys) && is_plain(values) {
        out.reserve(keys.data().len() + values.data().len() + 2 * batch.len());
        for (key, value) in keys.rows().zip(values.rows()) {
            out.extend_from_slice(key);
            out.push(b'\t');
            out.extend_from_slice(value);
            out.push(b'\n');
        }
        return;
    }
    for (key, value) in keys.rows().zip(values.rows()) {
        append_escaped(key, out);
        out.push(b'\t');
        append_escaped(value, out);
        out.push(b'\n');
    }
}

fn append_escaped(field: &[u8], out: &mut Vec<u8>) {
    let mut start = 0;
    for special in memchr3_iter(b'\t', b'\n', b'\\', field) {
        out.extend_from_slice(&field[start..special]);
        out.extend_from_slice(match field[special] {
            b'\t' => b"\\t",
            b'\n' => b"\\n",
            _ => b"\\\\",
        });
        start = special + 1;
    }
    out.extend_from_slice(&field[start..]);
}

fn append_lines(values: &Column, out: &mut Vec<u8>) -> Result<(), NewlineInValue> {
    if memchr(b'\n', values.data()).is_some() {
        let refused = values
            .rows()
            .enumerate()
            .find(|(_, value)| value.contains(&b'\n'));
        let (row, value) = refused.expect("a byte of the column is in one of its rows");
        let value = value.to_vec();
        return Err(NewlineInValue { row, value });
    }
    out.reserve(values.data().len() + values.len());
    for value in values.rows() {
        out.extend_from_slice(value);
        out.push(b'\n');
    }
    Ok(())
}

fn append_jsonl(batch: &Batch, out: &mut Vec<u8>) {
    let (keys, values) = (JsonColumn::of(batch.keys()), JsonColumn::of(batch.values()));
    let fields = batch.keys().rows().zip(batch.values().rows());
    let mut decimal = itoa::Buffer::new();
    for ((key, value), timestamp) in fields.zip(batch.timestamps()) {
        out.extend_from_slice(b"{\"key\":");
        keys.append(key, out);
        out.extend_from_slice(b",\"value\":");
        values.append(value, out);
        out.extend_from_slice(b",\"timestamp\":");
        match *timestamp {
            NO_TIMESTAMP => out.extend_from_slice(b"null"),
            timestamp => out.extend_from_slice(decimal.format(timestamp).as_bytes()),
        }
        out.extend_from_slice(b"}\n");
    }
}

/// A property of all rows of a column.
#[derive(Clone, Copy)]
enum JsonColumn {
    /// Printable ASCII without quotes and backslashes: JSON as it is.
    Plain,
    Any,
}

impl JsonColumn {
    fn of(column: &Column) -> Self {
        let is_plain = |byte: u8| (b' '..=b'~').contains(&byte) && byte != b'"' && byte != b'\\';
        // Without an early exit, so that many bytes are compared at once.
        match column
            .data()
            .iter()
            .fold(true, |all, byte| all & is_plain(*byte))
        {
            true => Self::Plain,
            false => Self::Any,
        }
    }

    fn append(self, field: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::Plain => {
                out.push(b'"');
                out.extend_from_slice(field);
                out.push(b'"');
            }
            Self::Any => append_json_bytes(field, out),
        }
    }
}

fn append_json_bytes(field: &[u8], out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    if let Ok(text) = std::str::from_utf8(field) {
        serde_json::to_writer(&mut *out, text).expect("a string can be written to memory");
        return;
    }
    out.extend_from_slice(b"{\"hex\":\"");
    for byte in field {
        out.push(HEX[usize::from(byte >> 4)]);
        out.push(HEX[usize::from(byte & 15)]);
    }
    out.extend_from_slice(b"\"}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn batch(records: &[(i64, &[u8], &[u8])]) -> Batch {
        let mut batch = Batch::default();
        for (timestamp, key, value) in records {
            batch.push(*timestamp, key, value);
        }
        batch
    }

    fn written(format: RecordFormat, batch: &Batch) -> String {
        let mut out = Vec::new();
        format
            .append(batch, &mut out)
            .expect("the format takes this batch");
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn tsv_escapes_tab_newline_and_backslash_only() {
        let records = batch(&[(1, b"k", b"v"), (2, b"a\tb", b"\\c\nd\r"), (3, b"", b"")]);
        assert_eq!(
            written(RecordFormat::Tsv, &records),
            "k\tv\na\\tb\t\\\\c\\nd\r\n\t\n"
        );
    }

    #[test]
    fn tsv_without_escapes_is_the_same_for_short_and_long_fields() {
        let field = |length: usize| "abcdefghijklmnopqrstuvwxyz".repeat(2)[..length].to_owned();
        for first in [0, 1, 15, 16, 17, 40] {
            let lengths = [first, 3, 16, 0, 17, 1];
            let mut records = Batch::default();
            let mut expected = "before".to_owned();
            for length in lengths {
                let (key, value) = (field(length), field(first));
                records.push(NO_TIMESTAMP, key.as_bytes(), value.as_bytes());
                expected.push_str(&format!("{key}\t{value}\n"));
            }
            let mut out = b"before".to_vec();
            let appended = RecordFormat::Tsv.append(&records, &mut out);
            assert_eq!((appended, String::from_utf8(out)), (Ok(()), Ok(expected)));
        }
    }

    #[test]
    fn lines_are_the_values_and_refuse_a_newline_without_writing_anything() {
        let records = batch(&[(1, b"k", b"v\\\t"), (2, b"", b"")]);
        assert_eq!(written(RecordFormat::Lines, &records), "v\\\t\n\n");

        let mut out = b"before".to_vec();
        let records = batch(&[(1, b"", b"fine"), (2, b"", b"two\nlines")]);
        let refused = RecordFormat::Lines.append(&records, &mut out);
        let value = b"two\nlines".to_vec();
        assert_eq!(refused, Err(NewlineInValue { row: 1, value }));
        assert_eq!(out, b"before");
    }

    #[test]
    fn jsonl_keeps_text_as_text_and_other_bytes_as_hex() {
        let records = batch(&[
            (7, "ключ".as_bytes(), b"a \"b\"\n"),
            (NO_TIMESTAMP, b"", b"\xff\x00\x1a"),
        ]);
        assert_eq!(
            written(RecordFormat::Jsonl, &records),
            "{\"key\":\"ключ\",\"value\":\"a \\\"b\\\"\\n\",\"timestamp\":7}\n\
             {\"key\":\"\",\"value\":{\"hex\":\"ff001a\"},\"timestamp\":null}\n"
        );
    }

    fn unescape(field: &[u8]) -> Vec<u8> {
        let mut bytes = field.iter();
        let mut plain = Vec::new();
        while let Some(byte) = bytes.next() {
            plain.push(match byte {
                b'\\' => match bytes.next() {
                    Some(b't') => b'\t',
                    Some(b'n') => b'\n',
                    Some(b'\\') => b'\\',
                    other => panic!("a backslash before {other:?}"),
                },
                byte => *byte,
            });
        }
        plain
    }

    proptest! {
        #[test]
        fn tsv_can_be_read_back(
            fields in prop::collection::vec(
                ("[a\t\n\\\\\r]{0,6}", prop::collection::vec(any::<u8>(), 0..9)), 0..20,
            ),
        ) {
            let mut records = Batch::default();
            for (key, value) in &fields {
                records.push(NO_TIMESTAMP, key.as_bytes(), value);
            }
            let mut out = Vec::new();
            prop_assert!(RecordFormat::Tsv.append(&records, &mut out).is_ok());
            let mut read = Vec::new();
            for line in out.split_inclusive(|byte| *byte == b'\n') {
                let line = line.strip_suffix(b"\n").expect("every line ends");
                let tab = memchr(b'\t', line).expect("every line has a tab");
                read.push((unescape(&line[..tab]), unescape(&line[tab + 1..])));
            }
            let bytes = |(key, value): (String, Vec<u8>)| (key.into_bytes(), value);
            let expected: Vec<_> = fields.into_iter().map(bytes).collect();
            prop_assert_eq!(read, expected);
        }
    }
}
