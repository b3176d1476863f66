//! The options of a source that say what its bytes are, and their check. Pure.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidegate_connector::ConnectorError;

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

/// The part of a record that becomes its key: `{ json = "/user" }` or `{ column = "user" }`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(title = "table")]
pub enum KeyField {
    /// A JSON pointer (RFC 6901) into the value.
    Json(String),
    /// The name of a column.
    Column(String),
}

/// The meaning of a source's bytes: the options, checked.
#[derive(Debug)]
pub(crate) enum InputShape {
    /// Lines.
    Lines,
    /// JSON Lines.
    Jsonl { key: Option<JsonPointer> },
    /// CSV. Without `columns`, each input begins with a header.
    Csv {
        columns: Option<Arc<Columns>>,
        key: Option<String>,
    },
}

fn refused<T>(reason: &str) -> Result<T, ConnectorError> {
    let reason = reason.to_owned();
    Err(ConnectorError::JobRefused { reason })
}

impl InputShape {
    /// Checks the options of a source.
    pub(crate) fn checked(
        format: InputFormat,
        columns: Option<Vec<String>>,
        key: Option<KeyField>,
    ) -> Result<Self, ConnectorError> {
        if columns.is_some() && format != InputFormat::Csv {
            return refused("`columns` are only for `format = \"csv\"`");
        }
        match (format, key) {
            (InputFormat::Lines, None) => Ok(Self::Lines),
            (InputFormat::Lines, Some(_)) => refused(
                "`key` needs `format = \"jsonl\"` or `format = \"csv\"`: a line has no fields",
            ),
            (InputFormat::Jsonl, None) => Ok(Self::Jsonl { key: None }),
            (InputFormat::Jsonl, Some(KeyField::Json(text))) => {
                let pointer = JsonPointer::parse(&text);
                let pointer = pointer.or_else(|reason| refused(&format!("`key`: {reason}")))?;
                Ok(Self::Jsonl { key: Some(pointer) })
            }
            (InputFormat::Jsonl, Some(KeyField::Column(_))) => refused(
                "`key` names a column, and JSON Lines have none: write `key = { json = \"/NAME\" }`",
            ),
            (InputFormat::Csv, Some(KeyField::Json(_))) => refused(
                "`key` is a JSON pointer, and CSV has columns: write `key = { column = \"NAME\" }`",
            ),
            (InputFormat::Csv, Some(KeyField::Column(name))) => Self::csv(columns, Some(name)),
            (InputFormat::Csv, None) => Self::csv(columns, None),
        }
    }

    fn csv(columns: Option<Vec<String>>, key: Option<String>) -> Result<Self, ConnectorError> {
        let columns = columns.map(Columns::new).transpose();
        let columns = columns.or_else(|reason| refused(&format!("`columns`: {reason}")))?;
        if let (Some(columns), Some(key)) = (&columns, &key)
            && columns.position(key).is_none()
        {
            return refused(&format!("`key`: `columns` have no `{key}`"));
        }
        let columns = columns.map(Arc::new);
        Ok(Self::Csv { columns, key })
    }

    /// Returns the pointer to the key in a line of JSON.
    pub(super) fn json_key(&self) -> Option<&JsonPointer> {
        match self {
            Self::Jsonl { key } => key.as_ref(),
            Self::Lines | Self::Csv { .. } => None,
        }
    }

    /// Returns true if every newline ends a record, so that input can be divided at any byte.
    pub(crate) fn is_divisible(&self) -> bool {
        match self {
            Self::Lines | Self::Jsonl { .. } => true,
            Self::Csv { .. } => false,
        }
    }

    /// Returns true if some input is not a record.
    pub(crate) fn rejects_records(&self) -> bool {
        match self {
            Self::Lines => false,
            Self::Jsonl { .. } | Self::Csv { .. } => true,
        }
    }
}
