//! The columns of CSV, and the JSON object of a record. Pure.

use std::collections::HashSet;

/// The most columns that a CSV may have.
pub(super) const MOST_COLUMNS: usize = 10_000;

/// The most bytes of a record as a JSON object: escaped, a field is up to six times as long, and a
/// column of a batch stays below 4 GiB.
const MOST_OBJECT_BYTES: usize = 1 << 30;

/// The names of the columns, in order; each differs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Columns {
    names: Vec<String>,
    /// The text before each value in a JSON object: `{"a":`, `,"b":`.
    openings: Vec<Vec<u8>>,
}

impl Columns {
    /// Checks names. An error is the reason.
    pub(super) fn new(names: Vec<String>) -> Result<Self, String> {
        if names.is_empty() {
            return Err("it lists no column".to_owned());
        }
        if names.len() > MOST_COLUMNS {
            return Err(format!("it lists more than {MOST_COLUMNS} columns"));
        }
        let mut seen = HashSet::new();
        if let Some(twice) = names.iter().find(|name| !seen.insert(name.as_str())) {
            return Err(format!("two columns have the name `{twice}`"));
        }
        let openings = names.iter().enumerate().map(|(at, name)| {
            let mut opening = vec![if at == 0 { b'{' } else { b',' }];
            append_json_text(name, &mut opening);
            opening.push(b':');
            opening
        });
        Ok(Self {
            openings: openings.collect(),
            names,
        })
    }

    /// Returns the number of columns.
    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// Returns the place of a column.
    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|column| column == name)
    }

    /// Appends the JSON object of a record, which has a field for each column. An error is the
    /// reason why the record is invalid; a part may have been appended then.
    pub(super) fn append_object<'a>(
        &self,
        fields: impl Iterator<Item = &'a [u8]>,
        out: &mut Vec<u8>,
    ) -> Result<(), String> {
        let before = out.len();
        for ((opening, name), field) in self.openings.iter().zip(&self.names).zip(fields) {
            let text = std::str::from_utf8(field)
                .map_err(|_| format!("its field `{name}` is not UTF-8"))?;
            out.extend_from_slice(opening);
            append_json_text(text, out);
            if out.len() - before > MOST_OBJECT_BYTES {
                return Err(format!(
                    "as JSON it is longer than {MOST_OBJECT_BYTES} bytes"
                ));
            }
        }
        out.push(b'}');
        Ok(())
    }
}

fn append_json_text(text: &str, out: &mut Vec<u8>) {
    serde_json::to_writer(out, text).expect("a string can be written to memory");
}
