//! The options of a source that say what its bytes are, and their check. Pure.

use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidegate_connector::ConnectorError;
use tidegate_connector::source::FixedOption;

use super::columns::Columns;
use super::json_pointer::JsonPointer;

/// The form of records in the bytes of a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum InputFormat {
    /// A record is a line: empty key, no timestamp, and as value the bytes before the newline,
    /// including a carriage return. The last line needs no newline.
    #[default]
    Lines,
    /// Like `lines`, and each line is JSON (RFC 8259). The value is the line as it is. Any other
    /// line, also an empty one, is an invalid record.
    Jsonl,
    /// Fields between commas, quoted as in RFC 4180. The value is a JSON object with a string for
    /// each column, in the order of the columns. A record with another number of fields or with
    /// bytes that are not UTF-8 is an invalid record. Empty lines are skipped, a quote inside an
    /// unquoted field stands for itself, and one subtask reads all of a file.
    Csv,
}

/// A part of the input's record: `{ json = "/user" }` or `{ column = "user" }`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(title = "table")]
pub enum InputField {
    /// A JSON pointer (RFC 6901) into the line.
    Json(String),
    /// The name of a column.
    Column(String),
}

/// The parts of the input's record that become the key and the value of a record.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parts<F> {
    /// Without it, keys are empty.
    pub(crate) key: Option<F>,
    /// Without it, the value is the whole record.
    pub(crate) value: Option<F>,
}

impl<F> Parts<F> {
    /// Maps each part; `map` takes the name of the option, too.
    pub(super) fn try_map<G, E>(
        self,
        map: impl Fn(&'static str, F) -> Result<G, E>,
    ) -> Result<Parts<G>, E> {
        let part = |option, field: Option<F>| field.map(|field| map(option, field)).transpose();
        Ok(Parts {
            key: part("key", self.key)?,
            value: part("value", self.value)?,
        })
    }
}

impl fmt::Display for InputFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lines => "\"lines\"",
            Self::Jsonl => "\"jsonl\"",
            Self::Csv => "\"csv\"",
        })
    }
}

impl fmt::Display for InputField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(pointer) => write!(f, "{{ json = {pointer:?} }}"),
            Self::Column(name) => write!(f, "{{ column = {name:?} }}"),
        }
    }
}

/// Returns the options that fix which records the bytes of a source are.
pub(crate) fn fixed_options(
    format: InputFormat,
    columns: Option<&[String]>,
    parts: &Parts<InputField>,
) -> Vec<FixedOption> {
    let mut options = vec![FixedOption::new("format", format)];
    let columns = columns.map(|names| FixedOption::new("columns", format_args!("{names:?}")));
    options.extend(columns);
    let key = parts.key.as_ref();
    options.extend(key.map(|key| FixedOption::new("key", key)));
    let value = parts.value.as_ref();
    options.extend(value.map(|value| FixedOption::new("value", value)));
    options
}

/// The meaning of a source's bytes: the options, checked.
#[derive(Debug)]
pub(crate) enum InputShape {
    /// Lines.
    Lines,
    /// JSON Lines.
    Jsonl(Parts<JsonPointer>),
    /// CSV. Without `columns`, each input begins with a header.
    Csv {
        columns: Option<Arc<Columns>>,
        parts: Parts<String>,
    },
}

fn refused<T>(reason: &str) -> Result<T, ConnectorError> {
    let reason = reason.to_owned();
    Err(ConnectorError::JobRefused { reason })
}

/// Refuses a part of a line without fields.
fn of_line(option: &str, _: InputField) -> Result<(), ConnectorError> {
    refused(&format!(
        "`{option}` needs `format = \"jsonl\"` or `format = \"csv\"`: a line has no fields"
    ))
}

/// Checks a part of a line of JSON.
fn pointer(option: &str, field: InputField) -> Result<JsonPointer, ConnectorError> {
    match field {
        InputField::Json(text) => {
            JsonPointer::parse(&text).or_else(|reason| refused(&format!("`{option}`: {reason}")))
        }
        InputField::Column(_) => refused(&format!(
            "`{option}` names a column, but JSON Lines have members: write `{option} = {{ json = \
             \"/NAME\" }}`"
        )),
    }
}

/// Checks a part of a record of CSV.
fn column_name(option: &str, field: InputField) -> Result<String, ConnectorError> {
    match field {
        InputField::Column(name) => Ok(name),
        InputField::Json(_) => refused(&format!(
            "`{option}` is a JSON pointer, and CSV has columns: write `{option} = {{ column = \
             \"NAME\" }}`"
        )),
    }
}

impl InputShape {
    /// Checks the options of a source.
    pub(crate) fn checked(
        format: InputFormat,
        columns: Option<Vec<String>>,
        parts: Parts<InputField>,
    ) -> Result<Self, ConnectorError> {
        if columns.is_some() && format != InputFormat::Csv {
            return refused("`columns` are only for `format = \"csv\"`");
        }
        match format {
            InputFormat::Lines => parts.try_map(of_line).map(|_| Self::Lines),
            InputFormat::Jsonl => parts.try_map(pointer).map(Self::Jsonl),
            InputFormat::Csv => Self::csv(columns, parts.try_map(column_name)?),
        }
    }

    fn csv(columns: Option<Vec<String>>, parts: Parts<String>) -> Result<Self, ConnectorError> {
        let columns = columns.map(Columns::new).transpose();
        let columns = columns.or_else(|reason| refused(&format!("`columns`: {reason}")))?;
        if let Some(columns) = &columns {
            parts
                .clone()
                .try_map(|option, name| match columns.position(&name) {
                    Some(_) => Ok(()),
                    None => refused(&format!("`{option}`: `columns` have no `{name}`")),
                })?;
        }
        let columns = columns.map(Arc::new);
        Ok(Self::Csv { columns, parts })
    }

    /// Returns true if every newline ends a record, so that input can be divided at any byte.
    pub(crate) fn is_divisible(&self) -> bool {
        match self {
            Self::Lines | Self::Jsonl(_) => true,
            Self::Csv { .. } => false,
        }
    }

    /// Returns true if some input is not a record.
    pub(crate) fn rejects_records(&self) -> bool {
        match self {
            Self::Lines => false,
            Self::Jsonl(_) | Self::Csv { .. } => true,
        }
    }
}
