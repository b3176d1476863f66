//! A key of a table, declared once.
//!
//! A [`Section`] lists the [`Setting`]s of one table. The reader, the JSON Schema and the reference
//! page are generated from the list. The `Default` of the section's struct is the only place that
//! states the default of a setting.

mod kind;
pub mod markdown;
mod slot;

use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};

use super::reader::TableReader;

pub use kind::{ChoiceKind, DurationKind, Kind, NumberKind, ShareKind, SizeKind, TextKind, Word};
pub use slot::{Own, Placed, Slot, Typed};

/// The version that introduced the first settings.
pub const FIRST: &str = "0.1";

/// One key of a table that is read into an `S`.
pub struct Setting<S: 'static> {
    /// The key.
    pub key: &'static str,
    /// The type of its value, and the place of the value in an `S`.
    pub value: &'static dyn SettingValue<S>,
    /// The meaning of the setting, as sentences in Markdown.
    pub help: &'static str,
    /// The version of Tidegate that introduced it.
    pub since: &'static str,
}

/// The type of a value, and the place of the value in an `S`.
pub trait SettingValue<S>: Sync {
    /// Reads the value from a table into `section`, and reports problems.
    fn read(&self, key: &'static str, table: &mut TableReader<'_, '_>, section: &mut S);

    /// Returns the JSON Schema of the value, without a description.
    fn schema(&self, generator: &mut SchemaGenerator) -> Value;

    /// Returns the name of the type, in Markdown.
    fn kind(&self) -> String;

    /// Returns the words that the value can be, each with its meaning; empty for other types.
    fn words(&self) -> Vec<(&'static str, &'static str)>;

    /// Returns the effect of a missing key. `defaults` is a section with its defaults.
    fn absent(&self, defaults: &mut S) -> Absent;
}

/// The effect of a missing key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Absent {
    /// The key is required.
    Refused,
    /// The setting has this value, written as in a file.
    Value(String),
    /// A phrase in Markdown for an effect that is not a value.
    Means(&'static str),
}

/// The settings of one table.
pub struct Section<S: 'static> {
    /// The meaning of the table.
    pub help: &'static str,
    /// Its keys, in the order in which they are read and shown.
    pub settings: &'static [Setting<S>],
}

impl<S: Default> Section<S> {
    /// Reads all settings of a table; missing ones keep their defaults.
    pub fn read(&self, table: &mut TableReader<'_, '_>) -> S {
        let mut section = S::default();
        for setting in self.settings {
            setting.value.read(setting.key, table, &mut section);
        }
        section
    }
}

/// A section for documents and schemas, independent of the type that it is read into.
pub trait Described: Sync {
    /// Returns the meaning of the table.
    fn help(&self) -> &'static str;

    /// Returns the JSON Schema of the table.
    fn schema(&self, generator: &mut SchemaGenerator) -> Value;

    /// Returns a row for each setting.
    fn rows(&self) -> Vec<Row>;
}

/// A setting for documents. All texts are Markdown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The key.
    pub key: String,
    /// The type of its value.
    pub kind: String,
    /// The effect of a missing key.
    pub absent: Absent,
    /// The meaning of the setting.
    pub help: String,
    /// The words that the value can be, each with its meaning.
    pub words: Vec<(String, String)>,
    /// The version that introduced it, if known.
    pub since: Option<&'static str>,
}

impl<S: Default> Described for Section<S> {
    fn help(&self) -> &'static str {
        self.help
    }

    fn schema(&self, generator: &mut SchemaGenerator) -> Value {
        let mut properties = Map::new();
        let mut required = Vec::new();
        for (setting, row) in self.settings.iter().zip(self.rows()) {
            let mut schema = setting.value.schema(generator);
            schema["description"] = json!(row.described());
            properties.insert(setting.key.to_owned(), schema);
            if row.absent == Absent::Refused {
                required.push(setting.key);
            }
        }
        let mut schema = json!({
            "type": "object",
            "description": self.help,
            "properties": properties,
            "additionalProperties": false,
        });
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        schema
    }

    fn rows(&self) -> Vec<Row> {
        let mut defaults = S::default();
        let owned = |(word, meaning): (&str, &str)| (word.to_owned(), meaning.to_owned());
        let row = |setting: &Setting<S>| Row {
            key: setting.key.to_owned(),
            kind: setting.value.kind(),
            absent: setting.value.absent(&mut defaults),
            help: setting.help.to_owned(),
            words: setting.value.words().into_iter().map(owned).collect(),
            since: Some(setting.since),
        };
        self.settings.iter().map(row).collect()
    }
}

impl Row {
    /// Returns the meaning of the setting with its default.
    fn described(&self) -> String {
        let help = &self.help;
        match &self.absent {
            Absent::Refused => help.clone(),
            Absent::Value(value) => format!("{help} Default {value}."),
            Absent::Means(phrase) => format!("{help} Default: {phrase}."),
        }
    }
}
