//! Record path: source → channel → operator instance → router → **sink**.
//!
//! Records to bytes, for the sinks `file` and `stdout`. Pure. Whole columns are searched for bytes
//! that need escaping, so that an ordinary batch is only copied.

mod csv;

use memchr::{memchr, memchr2, memchr3, memchr3_iter};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidegate_connector::{ConnectorError, SubtaskId};
use tidegate_operator::{Batch, Column, NO_TIMESTAMP};

use crate::json_text;

use csv::CsvColumns;

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
    /// A line with a field for each of the `columns`, without a header: the members of the value,
    /// which must be a JSON object. A string is written as its text, null or a missing member as an
    /// empty field, and any other value as JSON. Fields are quoted as in RFC 4180 where they must
    /// be; a line ends with a newline. Key, timestamp and other members are not written.
    Csv,
}

/// The form of a value in a line of `format = "jsonl"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum JsonlValue {
    /// A string, or `{"hex":"…"}` if the value is not UTF-8.
    #[default]
    Text,
    /// The JSON that the value is, on one line. A value that is not JSON is rejected.
    Json,
}

/// The form in which a sink writes records: the options, checked.
#[derive(Clone, Debug)]
pub(crate) enum RecordForm {
    /// `format = "tsv"`.
    Tsv,
    /// `format = "lines"`.
    Lines,
    /// `format = "jsonl"`.
    Jsonl(JsonlValue),
    /// `format = "csv"`.
    Csv(CsvColumns),
}

/// A value that the format can't hold.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RejectedValue {
    row: usize,
    value: Vec<u8>,
    /// The rest of a sentence about the value: "holds a newline".
    reason: String,
}

/// The number of bytes of a rejected value that an error shows.
const SHOWN_BYTES: usize = 64;

impl RejectedValue {
    fn of(values: &Column, row: usize, reason: String) -> Self {
        let value = values.row(row).to_vec();
        Self { row, value, reason }
    }

    /// Makes the error of the sink subtask that was to write the value.
    pub(crate) fn into_error(self, subtask: &SubtaskId) -> ConnectorError {
        let Self { row, value, reason } = self;
        let shown = &value[..value.len().min(SHOWN_BYTES)];
        ConnectorError::Record {
            position: format!("sink {subtask}, record {row} of a batch"),
            reason: format!("its value \"{}\" {reason}", shown.escape_ascii()),
        }
    }
}

impl RecordForm {
    /// Checks the options of a sink.
    pub(crate) fn checked(
        format: RecordFormat,
        columns: Option<Vec<String>>,
        value: Option<JsonlValue>,
    ) -> Result<Self, ConnectorError> {
        let refused = |reason: String| Err(ConnectorError::JobRefused { reason });
        if columns.is_some() && format != RecordFormat::Csv {
            return refused("`columns` are only for `format = \"csv\"`".to_owned());
        }
        if value.is_some() && format != RecordFormat::Jsonl {
            return refused("`value` is only for `format = \"jsonl\"`".to_owned());
        }
        match format {
            RecordFormat::Tsv => Ok(Self::Tsv),
            RecordFormat::Lines => Ok(Self::Lines),
            RecordFormat::Jsonl => Ok(Self::Jsonl(value.unwrap_or_default())),
            RecordFormat::Csv => match columns.map(CsvColumns::new) {
                Some(columns) => columns.map(Self::Csv).or_else(refused),
                None => refused(
                    "`format = \"csv\"` needs `columns`, the names of the members to write"
                        .to_owned(),
                ),
            },
        }
    }

    /// Returns the extension of a file's name, without the dot.
    pub(crate) fn extension(&self) -> &'static str {
        match self {
            Self::Tsv => "tsv",
            Self::Lines => "txt",
            Self::Jsonl(_) => "jsonl",
            Self::Csv(_) => "csv",
        }
    }

    /// Appends all records of `batch` to `out`, or nothing if a record is rejected.
    pub(crate) fn append(&self, batch: &Batch, out: &mut Vec<u8>) -> Result<(), RejectedValue> {
        let before = out.len();
        let appended = match self {
            Self::Tsv => {
                append_tsv(batch, out);
                Ok(())
            }
            Self::Lines => append_lines(batch.values(), out),
            Self::Jsonl(value) => append_jsonl(batch, *value, out),
            Self::Csv(columns) => columns
                .append(batch.values(), out)
                .map_err(|(row, reason)| {
                    let reason = format!("can't be written as CSV: {reason}");
                    RejectedValue::of(batch.values(), row, reason)
                }),
        };
        if appended.is_err() {
            out.truncate(before);
        }
        appended
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

fn append_lines(values: &Column, out: &mut Vec<u8>) -> Result<(), RejectedValue> {
    if memchr(b'\n', values.data()).is_some() {
        let row = values.rows().position(|value| value.contains(&b'\n'));
        let row = row.expect("a byte of the column is in one of its rows");
        let reason = "holds a newline, which `format = \"lines\"` can't write; use \"tsv\" or \
                      \"jsonl\"";
        return Err(RejectedValue::of(values, row, reason.to_owned()));
    }
    out.reserve(values.data().len() + values.len());
    for value in values.rows() {
        out.extend_from_slice(value);
        out.push(b'\n');
    }
    Ok(())
}

fn append_jsonl(batch: &Batch, form: JsonlValue, out: &mut Vec<u8>) -> Result<(), RejectedValue> {
    let keys = JsonColumn::of(batch.keys());
    let values = match form {
        JsonlValue::Text => JsonColumn::of(batch.values()),
        JsonlValue::Json => JsonColumn::Json,
    };
    let fields = batch.keys().rows().zip(batch.values().rows());
    let mut decimal = itoa::Buffer::new();
    let rejected = |row| {
        move |reason| {
            let reason = format!("can't be written with `value = \"json\"`: {reason}");
            RejectedValue::of(batch.values(), row, reason)
        }
    };
    for (row, ((key, value), timestamp)) in fields.zip(batch.timestamps()).enumerate() {
        out.extend_from_slice(b"{\"key\":");
        keys.append(key, out).map_err(rejected(row))?;
        out.extend_from_slice(b",\"value\":");
        values.append(value, out).map_err(rejected(row))?;
        out.extend_from_slice(b",\"timestamp\":");
        match *timestamp {
            NO_TIMESTAMP => out.extend_from_slice(b"null"),
            timestamp => out.extend_from_slice(decimal.format(timestamp).as_bytes()),
        }
        out.extend_from_slice(b"}\n");
    }
    Ok(())
}

/// A property of all rows of a column.
#[derive(Clone, Copy)]
enum JsonColumn {
    /// Printable ASCII without quotes and backslashes: JSON as it is.
    Plain,
    /// Any bytes, to be written as a string.
    Any,
    /// JSON, to be written as it is.
    Json,
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

    /// Appends a field. An error is the reason why it is not JSON.
    fn append(self, field: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        match self {
            Self::Plain => {
                out.push(b'"');
                out.extend_from_slice(field);
                out.push(b'"');
            }
            Self::Any => append_json_bytes(field, out),
            Self::Json => return append_json(field, out),
        }
        Ok(())
    }
}

/// Appends JSON on one line. Outside of strings, which have none, a line break is a space.
fn append_json(field: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
    let text = std::str::from_utf8(field).map_err(|_| "it is not UTF-8".to_owned())?;
    json_text::check(text)?;
    let start = out.len();
    out.extend_from_slice(field);
    if memchr2(b'\n', b'\r', field).is_some() {
        for byte in &mut out[start..] {
            if matches!(byte, b'\n' | b'\r') {
                *byte = b' ';
            }
        }
    }
    Ok(())
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
mod tests;
