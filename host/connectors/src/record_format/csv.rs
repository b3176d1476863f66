//! Records whose values are JSON objects to lines of CSV. Pure.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;

use csv_core::{QuoteStyle, WriteResult, Writer, WriterBuilder};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use tidegate_operator::Column;

use crate::json_text::not_json;

/// The columns of a CSV.
#[derive(Clone, Debug)]
pub(crate) struct CsvColumns {
    places: HashMap<String, usize>,
}

impl CsvColumns {
    /// Checks the names. An error is the reason.
    pub(super) fn new(names: Vec<String>) -> Result<Self, String> {
        if names.is_empty() {
            return Err("`columns` has no name".to_owned());
        }
        let mut seen = HashSet::new();
        if let Some(twice) = names.iter().find(|name| !seen.insert(name.as_str())) {
            return Err(format!("`columns` has the name `{twice}` twice"));
        }
        let places = names.into_iter().zip(0..).collect();
        Ok(Self { places })
    }

    /// Appends a line for each value. An error is the row of the first value that has no line, and
    /// the reason.
    pub(super) fn append(&self, values: &Column, out: &mut Vec<u8>) -> Result<(), (usize, String)> {
        let mut plain = Writer::new();
        let mut quoting = WriterBuilder::new().quote_style(QuoteStyle::Always).build();
        for (row, value) in values.rows().enumerate() {
            let fields = self.fields_of(value).map_err(|reason| (row, reason))?;
            // A reader takes this character for a byte order mark at the beginning of a file,
            // unless it stands in quotes.
            let is_marked = fields.first().is_some_and(|it| it.starts_with('\u{feff}'));
            let writer = if is_marked { &mut quoting } else { &mut plain };
            for (at, field) in fields.iter().enumerate() {
                if at > 0 {
                    write(out, 2, |room| writer.delimiter(room));
                }
                let most = 2 * field.len() + 2;
                write(out, most, |room| {
                    let (result, _, written) = writer.field(field.as_bytes(), room);
                    (result, written)
                });
            }
            // The quotes of the last field, or of the only one if it is empty, and the newline.
            write(out, 3, |room| writer.terminator(room));
        }
        Ok(())
    }

    /// Returns the fields of one value, in the order of the columns.
    fn fields_of<'v>(&self, value: &'v [u8]) -> Result<Vec<Cow<'v, str>>, String> {
        let text = std::str::from_utf8(value).map_err(|_| "it is not UTF-8".to_owned())?;
        let mut parser = serde_json::Deserializer::from_str(text);
        let members = Members(self).deserialize(&mut parser);
        let members = members.and_then(|members| parser.end().map(|()| members));
        let members = members.map_err(|error| match error.is_data() {
            true => "it is not a JSON object".to_owned(),
            false => not_json(text, &error),
        })?;
        members.into_iter().map(field_of).collect()
    }
}

/// Lets the writer write at most `most` bytes to the end of `out`.
fn write(out: &mut Vec<u8>, most: usize, write: impl FnOnce(&mut [u8]) -> (WriteResult, usize)) {
    let end = out.len();
    out.resize(end + most, 0);
    let (result, written) = write(&mut out[end..]);
    assert!(
        matches!(result, WriteResult::InputEmpty),
        "there was room for all bytes"
    );
    out.truncate(end + written);
}

/// Returns the text of a member: a string without its quotes, nothing for null or none, and any
/// other value as it is written.
fn field_of(member: Option<&RawValue>) -> Result<Cow<'_, str>, String> {
    let json = member.map_or("null", RawValue::get);
    match json.as_bytes().first() {
        Some(b'n') => Ok(Cow::Borrowed("")),
        Some(b'"') if !json.contains('\\') => Ok(Cow::Borrowed(&json[1..json.len() - 1])),
        Some(b'"') => {
            let text = serde_json::from_str(json).map(Cow::Owned);
            text.map_err(|_| format!("{json} is half of a surrogate pair"))
        }
        Some(_) | None => Ok(Cow::Borrowed(json)),
    }
}

/// Reads the members of an object that are columns; the last of several of one name counts.
struct Members<'c>(&'c CsvColumns);

impl<'de> DeserializeSeed<'de> for Members<'_> {
    type Value = Vec<Option<&'de RawValue>>;

    fn deserialize<D: Deserializer<'de>>(self, parser: D) -> Result<Self::Value, D::Error> {
        parser.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = Vec<Option<&'de RawValue>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = vec![None; self.0.places.len()];
        while let Some(column) = map.next_key_seed(ColumnOf(self.0))? {
            match column {
                Some(at) => members[at] = Some(map.next_value()?),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(members)
    }
}

/// Returns the place of the column that a member's name is, if it is one.
struct ColumnOf<'c>(&'c CsvColumns);

impl<'de> DeserializeSeed<'de> for ColumnOf<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, parser: D) -> Result<Self::Value, D::Error> {
        // Not as a string: half of a surrogate pair is allowed in JSON.
        parser.deserialize_bytes(self)
    }
}

impl Visitor<'_> for ColumnOf<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    fn visit_bytes<E>(self, name: &[u8]) -> Result<Self::Value, E> {
        let name = std::str::from_utf8(name).ok();
        Ok(name.and_then(|name| self.0.places.get(name).copied()))
    }
}
