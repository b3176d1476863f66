//! The types that several settings have: how to read, describe and write their values.

use std::time::Duration;

use schemars::SchemaGenerator;
use serde_json::{Value, json};
use tidegate_runtime::config::RecycleAt;
use toml::Spanned;

use crate::config_file::reader::{TableReader, Zero};
use crate::config_file::value;
use crate::duration;

/// A type of values.
pub trait Kind: Sync {
    /// A value.
    type Value;

    /// Reads the value of a key, and reports problems.
    fn read(
        &self,
        key: &'static str,
        table: &mut TableReader<'_, '_>,
    ) -> Option<Spanned<Self::Value>>;

    /// Returns the JSON Schema of a value, without a description.
    fn schema(&self, generator: &mut SchemaGenerator) -> Value;

    /// Returns the name of the type, in Markdown.
    fn name(&self) -> String;

    /// Returns a value as a file writes it.
    fn shown(&self, value: &Self::Value) -> String;

    /// Returns the words that a value can be, each with its meaning; empty for other types.
    fn words(&self) -> Vec<(&'static str, &'static str)> {
        Vec::new()
    }
}

/// A string that is not empty.
pub struct TextKind {
    /// The expected value in messages: "a path".
    pub expected: &'static str,
    /// The regular expression that the JSON Schema requires, if any.
    pub pattern: Option<&'static str>,
}

impl Kind for TextKind {
    type Value = String;

    fn read(&self, key: &'static str, table: &mut TableReader<'_, '_>) -> Option<Spanned<String>> {
        table.text(key, self.expected)
    }

    fn schema(&self, _: &mut SchemaGenerator) -> Value {
        match self.pattern {
            Some(pattern) => json!({ "type": "string", "pattern": pattern }),
            None => json!({ "type": "string", "minLength": 1 }),
        }
    }

    fn name(&self) -> String {
        "text".to_owned()
    }

    fn shown(&self, value: &String) -> String {
        format!("{value:?}")
    }
}

/// A duration such as "1m 30s".
pub struct DurationKind {
    /// The treatment of zero.
    pub zero: Zero,
}

impl Kind for DurationKind {
    type Value = Duration;

    fn read(
        &self,
        key: &'static str,
        table: &mut TableReader<'_, '_>,
    ) -> Option<Spanned<Duration>> {
        table.duration(key, self.zero)
    }

    fn schema(&self, generator: &mut SchemaGenerator) -> Value {
        let of = "A duration of at most a year such as \"500ms\", \"1s\" or \"1m 30s\"; units are \
                  ns, us, ms, s, m (minutes), h, d and w.";
        shared(generator, "Duration", duration::PATTERN, of)
    }

    fn name(&self) -> String {
        match self.zero {
            Zero::Allowed => "duration".to_owned(),
            Zero::Refused => "duration, not zero".to_owned(),
        }
    }

    fn shown(&self, value: &Duration) -> String {
        format!("\"{}\"", duration::shown(*value))
    }
}

/// An integer in a range.
pub struct NumberKind {
    /// The least value.
    pub least: u32,
    /// The largest value.
    pub most: u32,
}

impl Kind for NumberKind {
    type Value = u32;

    fn read(&self, key: &'static str, table: &mut TableReader<'_, '_>) -> Option<Spanned<u32>> {
        table.number(key, self.least..=self.most)
    }

    fn schema(&self, _: &mut SchemaGenerator) -> Value {
        let mut schema = json!({ "type": "integer", "minimum": self.least });
        if self.most < u32::MAX {
            schema["maximum"] = json!(self.most);
        }
        schema
    }

    fn name(&self) -> String {
        match (self.least, self.most) {
            (0, u32::MAX) => "integer".to_owned(),
            (least, u32::MAX) => format!("integer, at least {least}"),
            (least, most) => format!("integer from {least} to {most}"),
        }
    }

    fn shown(&self, value: &u32) -> String {
        value.to_string()
    }
}

/// A number of bytes such as "64KiB", at least 1.
pub struct SizeKind;

impl Kind for SizeKind {
    type Value = u64;

    fn read(&self, key: &'static str, table: &mut TableReader<'_, '_>) -> Option<Spanned<u64>> {
        table.size(key)
    }

    fn schema(&self, generator: &mut SchemaGenerator) -> Value {
        let of = "A size such as \"64KiB\", \"256MiB\" or \"1GB\".";
        shared(generator, "Size", "^[0-9.]+ *[A-Za-z]+$", of)
    }

    fn name(&self) -> String {
        "size".to_owned()
    }

    fn shown(&self, value: &u64) -> String {
        format!("\"{}\"", value::shown_size(*value))
    }
}

/// A share of the memory limit such as "75%", or "never".
pub struct ShareKind;

impl Kind for ShareKind {
    type Value = RecycleAt;

    fn read(
        &self,
        key: &'static str,
        table: &mut TableReader<'_, '_>,
    ) -> Option<Spanned<RecycleAt>> {
        table.share(key)
    }

    fn schema(&self, generator: &mut SchemaGenerator) -> Value {
        let of = "A share of `limits.memory` such as \"75%\", or \"never\". An instance whose \
                  memory has reached the share is replaced at the next barrier by a new one, which \
                  is restored from its snapshot; for this, the job takes a checkpoint without \
                  waiting for the interval.";
        shared(generator, "Share", "^(never|[0-9]+ *%)$", of)
    }

    fn name(&self) -> String {
        "share".to_owned()
    }

    fn shown(&self, value: &RecycleAt) -> String {
        match value {
            RecycleAt::Percent(percent) => format!("\"{percent}%\""),
            RecycleAt::Never => "\"never\"".to_owned(),
        }
    }
}

/// One of several words.
pub struct ChoiceKind<T: 'static> {
    /// The words.
    pub words: &'static [Word<T>],
}

/// A word with its meaning.
pub struct Word<T> {
    /// The word.
    pub word: &'static str,
    /// The value that it stands for.
    pub value: T,
    /// Its meaning, as a sentence in Markdown.
    pub help: &'static str,
}

impl<T: Copy + PartialEq + Sync> Kind for ChoiceKind<T> {
    type Value = T;

    fn read(&self, key: &'static str, table: &mut TableReader<'_, '_>) -> Option<Spanned<T>> {
        let words = self.words.iter().map(|word| (word.word, word.value));
        table.choice(key, &words.collect::<Vec<_>>())
    }

    fn schema(&self, _: &mut SchemaGenerator) -> Value {
        let words = self.words.iter();
        let words = words.map(|word| json!({ "const": word.word, "description": word.help }));
        json!({ "oneOf": words.collect::<Vec<_>>() })
    }

    fn name(&self) -> String {
        "word".to_owned()
    }

    fn shown(&self, value: &T) -> String {
        let mut words = self.words.iter();
        let word = words.find(|word| word.value == *value);
        let word = word.expect("every value of the type has a word");
        format!("\"{}\"", word.word)
    }

    fn words(&self) -> Vec<(&'static str, &'static str)> {
        self.words
            .iter()
            .map(|word| (word.word, word.help))
            .collect()
    }
}

/// Returns a reference to a shared definition of a text, which is created if missing.
fn shared(generator: &mut SchemaGenerator, name: &str, pattern: &str, description: &str) -> Value {
    let definition = json!({ "type": "string", "pattern": pattern, "description": description });
    let definitions = generator.definitions_mut();
    definitions.insert(name.to_owned(), definition);
    json!({ "$ref": format!("#/$defs/{name}") })
}
