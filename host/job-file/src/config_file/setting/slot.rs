//! The place of a setting's value in its section, and the meaning of an absent value.

use schemars::SchemaGenerator;
use serde_json::Value;
use toml::Spanned;

use super::kind::Kind;
use super::{Absent, SettingValue};
use crate::config_file::problem::Span;
use crate::config_file::reader::TableReader;

/// A value with its place in the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// The place; `None` for defaults and flags.
    pub span: Option<Span>,
}

impl<T> From<T> for Placed<T> {
    fn from(value: T) -> Self {
        Self { value, span: None }
    }
}

/// A value of one of the common types.
pub struct Typed<K: Kind, S> {
    /// The type.
    pub kind: K,
    /// The value's place in an `S`.
    pub slot: Slot<K, S>,
}

/// The place of a value in an `S`.
pub enum Slot<K: Kind, S> {
    /// A value whose default is that of `S`.
    Value(fn(&mut S) -> &mut K::Value),
    /// Like [`Self::Value`], with the place in the file.
    Placed(fn(&mut S) -> &mut Placed<K::Value>),
    /// A value that may be absent, with the meaning of its absence.
    Optional(fn(&mut S) -> &mut Option<K::Value>, &'static str),
    /// Like [`Self::Optional`], with the place in the file.
    OptionalPlaced(fn(&mut S) -> &mut Option<Spanned<K::Value>>, &'static str),
    /// A value that every file must have, with its words in the message about a missing one.
    Required(fn(&mut S) -> &mut Option<Spanned<K::Value>>, &'static str),
}

impl<K: Kind, S> SettingValue<S> for Typed<K, S> {
    fn read(&self, key: &'static str, table: &mut TableReader<'_, '_>, section: &mut S) {
        let mut found = self.kind.read(key, table);
        if let Slot::Required(_, expected) = &self.slot {
            found = table.required(found, key, expected);
        }
        let Some(found) = found else {
            return;
        };
        match &self.slot {
            Slot::Value(slot) => *slot(section) = found.into_inner(),
            Slot::Placed(slot) => {
                *slot(section) = Placed {
                    span: Some(found.span()),
                    value: found.into_inner(),
                };
            }
            Slot::Optional(slot, _) => *slot(section) = Some(found.into_inner()),
            Slot::OptionalPlaced(slot, _) | Slot::Required(slot, _) => {
                *slot(section) = Some(found);
            }
        }
    }

    fn schema(&self, generator: &mut SchemaGenerator) -> Value {
        self.kind.schema(generator)
    }

    fn kind(&self) -> String {
        self.kind.name()
    }

    fn words(&self) -> Vec<(&'static str, &'static str)> {
        self.kind.words()
    }

    fn absent(&self, defaults: &mut S) -> Absent {
        match &self.slot {
            Slot::Value(slot) => Absent::Value(self.kind.shown(slot(defaults))),
            Slot::Placed(slot) => Absent::Value(self.kind.shown(&slot(defaults).value)),
            Slot::Optional(_, phrase) | Slot::OptionalPlaced(_, phrase) => Absent::Means(phrase),
            Slot::Required(..) => Absent::Refused,
        }
    }
}

/// A value of a type that only one key has.
pub struct Own<S: 'static> {
    /// The name of the type, in Markdown.
    pub kind: &'static str,
    /// The JSON Schema of the value.
    pub schema: fn(&mut SchemaGenerator) -> Value,
    /// Reads the value, and reports problems.
    pub read: fn(&mut TableReader<'_, '_>, &mut S),
    /// The meaning of an absent key; `None` if the key is required.
    pub absent: Option<&'static str>,
}

impl<S> SettingValue<S> for Own<S> {
    fn read(&self, _: &'static str, table: &mut TableReader<'_, '_>, section: &mut S) {
        (self.read)(table, section);
    }

    fn schema(&self, generator: &mut SchemaGenerator) -> Value {
        (self.schema)(generator)
    }

    fn kind(&self) -> String {
        self.kind.to_owned()
    }

    fn words(&self) -> Vec<(&'static str, &'static str)> {
        Vec::new()
    }

    fn absent(&self, _: &mut S) -> Absent {
        self.absent.map_or(Absent::Refused, Absent::Means)
    }
}
