//! Reads one table of a job file, key by key, and at the end reports the keys that no one read.
//!
//! Errors go to [`Problems`]; the reader then returns `None` and its caller continues, so that one
//! run finds all of them.

use std::ops::RangeInclusive;
use std::time::Duration;

use tidegate_runtime::config::RecycleAt;
use toml::Spanned;
use toml::de::{DeArray, DeString, DeTable, DeValue};

use super::problem::{Problem, Problems, Span};
use super::{suggest, value};
use crate::duration;

/// A value with its key.
pub type Entry<'a, 'i> = (&'a Spanned<DeString<'i>>, &'a Spanned<DeValue<'i>>);

/// Reads one table.
pub struct TableReader<'a, 'i> {
    /// The table's name in messages: `"[checkpoint]"`, ``"operator `count`"``.
    title: String,
    /// The place where missing keys are reported.
    span: Span,
    table: &'a DeTable<'i>,
    known: Vec<&'static str>,
    problems: &'a Problems,
}

impl<'a, 'i> TableReader<'a, 'i> {
    /// Returns a reader that has read no keys yet.
    pub fn new(
        title: impl Into<String>,
        span: Span,
        table: &'a DeTable<'i>,
        problems: &'a Problems,
    ) -> Self {
        Self {
            title: title.into(),
            span,
            table,
            known: Vec::new(),
            problems,
        }
    }

    /// Returns the place where the table is reported.
    pub fn span(&self) -> Span {
        self.span.clone()
    }

    /// Returns the table's name in messages.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Renames the table in later messages.
    pub fn retitle(&mut self, title: &str) {
        title.clone_into(&mut self.title);
    }

    /// Returns true if the file sets this key, to any value.
    pub fn is_set(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Returns the place of this key's value, if the file sets it.
    pub fn value_span(&self, key: &str) -> Option<Span> {
        self.table.get(key).map(Spanned::span)
    }

    /// Returns the list that collects the problems of the file.
    pub fn problems(&self) -> &'a Problems {
        self.problems
    }

    /// Returns the keys that were read so far.
    pub fn known(&self) -> &[&'static str] {
        &self.known
    }

    /// Returns a key and its value of any type. The key counts as known from now on.
    pub fn entry(&mut self, key: &'static str) -> Option<Entry<'a, 'i>> {
        self.known.push(key);
        self.table.get_key_value(key)
    }

    /// Reports `key` as missing if the table lacks it. Returns `found`.
    pub fn required<T>(&self, found: Option<T>, key: &str, expected: &str) -> Option<T> {
        if found.is_none() && !self.table.contains_key(key) {
            let message = format!("{} has no `{key}`", self.title);
            let problem = Problem::at(self.span.clone(), message);
            self.problems
                .push(problem.help(format!("expected {expected}")));
        }
        found
    }

    /// Reads a string.
    pub fn string(&mut self, key: &'static str, what: &str) -> Option<Spanned<String>> {
        let (_, found) = self.entry(key)?;
        self.as_string(key, found, what)
    }

    /// Reads a string that is not empty.
    pub fn text(&mut self, key: &'static str, what: &str) -> Option<Spanned<String>> {
        let found = self.string(key, what)?;
        if found.get_ref().is_empty() {
            let message = format!("`{key}` of {} is empty", self.title);
            self.refuse(found.span(), message, what);
            return None;
        }
        Some(found)
    }

    /// Reads an integer in a range.
    pub fn number(
        &mut self,
        key: &'static str,
        allowed: RangeInclusive<u32>,
    ) -> Option<Spanned<u32>> {
        let (_, found) = self.entry(key)?;
        let what = match (allowed.start(), allowed.end()) {
            (least, &u32::MAX) => format!("an integer, at least {least}"),
            (least, most) => format!("an integer from {least} to {most}"),
        };
        let DeValue::Integer(number) = found.get_ref() else {
            self.wrong_type(key, found, &what);
            return None;
        };
        let fitting = value::integer(number).and_then(|number| u32::try_from(number).ok());
        match fitting.filter(|number| allowed.contains(number)) {
            Some(number) => Some(Spanned::new(found.span(), number)),
            None => {
                let message = format!("`{key}` of {} is {number}", self.title);
                self.refuse(found.span(), message, &what);
                None
            }
        }
    }

    /// Reads a signed 64-bit integer.
    pub fn integer(&mut self, key: &'static str, what: &str) -> Option<Spanned<i64>> {
        let (_, found) = self.entry(key)?;
        let DeValue::Integer(number) = found.get_ref() else {
            self.wrong_type(key, found, what);
            return None;
        };
        if let Some(number) = value::integer(number) {
            return Some(Spanned::new(found.span(), number));
        }
        let message = format!("`{key}` of {} is {number}", self.title);
        self.refuse(found.span(), message, "a signed 64-bit integer");
        None
    }

    /// Reads a switch, which is either true or absent. Returns its place if it is on.
    pub fn switch(&mut self, key: &'static str) -> Option<Span> {
        let (name, found) = self.entry(key)?;
        match found.get_ref() {
            DeValue::Boolean(true) => Some(name.span()),
            DeValue::Boolean(false) => {
                let message = format!("`{key}` of {} is false", self.title);
                self.refuse(found.span(), message, "true, or no such key");
                None
            }
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_)
            | DeValue::Table(_) => {
                self.wrong_type(key, found, "true");
                None
            }
        }
    }

    /// Reads a duration; `zero` decides whether it may be zero.
    pub fn duration(&mut self, key: &'static str, zero: Zero) -> Option<Spanned<Duration>> {
        let what = "a duration such as \"500ms\", \"1s\" or \"10m\"";
        let found = self.string(key, what)?;
        let read = duration::parse(found.get_ref()).map_err(|error| error.to_string());
        let read = match (read, zero) {
            (Ok(Duration::ZERO), Zero::Refused) => Err("it can't be zero".to_owned()),
            (read, Zero::Allowed | Zero::Refused) => read,
        };
        self.read_or_refuse(key, &found, read, what)
    }

    /// Reads a number of bytes, at least 1.
    pub fn size(&mut self, key: &'static str) -> Option<Spanned<u64>> {
        let what = "a size such as \"64KiB\", \"256MiB\" or \"1GiB\"";
        let found = self.string(key, what)?;
        let read = match value::size(found.get_ref()) {
            Ok(0) => Err("it can't be zero".to_owned()),
            read => read,
        };
        self.read_or_refuse(key, &found, read, what)
    }

    /// Reads a share of the memory limit, or "never".
    pub fn share(&mut self, key: &'static str) -> Option<Spanned<RecycleAt>> {
        let what = "a percentage such as \"75%\", or \"never\"";
        let found = self.string(key, what)?;
        let read = value::share(found.get_ref());
        self.read_or_refuse(key, &found, read, what)
    }

    /// Reads one of several words.
    pub fn choice<T: Copy>(
        &mut self,
        key: &'static str,
        choices: &[(&'static str, T)],
    ) -> Option<Spanned<T>> {
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        let what = format!("\"{}\"", words.join("\" or \""));
        let found = self.string(key, &what)?;
        let word = found.get_ref();
        if let Some((_, choice)) = choices.iter().find(|(known, _)| known == word) {
            return Some(Spanned::new(found.span(), *choice));
        }
        let message = format!("`{key}` of {} is \"{word}\"", self.title);
        let mut problem = Problem::at(found.span(), message);
        problem.help = suggest::expected(word, words.iter().copied());
        self.problems.push(problem);
        None
    }

    /// Reads a table.
    pub fn table(&mut self, key: &'static str, title: &str) -> Option<TableReader<'a, 'i>> {
        let (name, found) = self.entry(key)?;
        let Some(table) = found.get_ref().as_table() else {
            self.wrong_type(key, found, "a table");
            return None;
        };
        Some(TableReader::new(title, name.span(), table, self.problems))
    }

    /// Reads an array. Returns it with the place of its key.
    pub fn array(&mut self, key: &'static str, what: &str) -> Option<(Span, &'a DeArray<'i>)> {
        let (name, found) = self.entry(key)?;
        let Some(array) = found.get_ref().as_array() else {
            self.wrong_type(key, found, what);
            return None;
        };
        Some((name.span(), array))
    }

    /// Returns `found` as a string. It stands in `key`, alone or in an array.
    pub fn as_string(
        &self,
        key: &str,
        found: &Spanned<DeValue<'_>>,
        what: &str,
    ) -> Option<Spanned<String>> {
        match found.get_ref() {
            DeValue::String(text) => Some(Spanned::new(found.span(), text.clone().into_owned())),
            DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_)
            | DeValue::Table(_) => {
                self.wrong_type(key, found, what);
                None
            }
        }
    }

    /// Reports that a value has the wrong type.
    pub fn wrong_type(&self, key: &str, found: &Spanned<DeValue<'_>>, expected: &str) {
        let kind = kind_of(found.get_ref());
        let message = format!("`{key}` of {} is {kind}", self.title);
        self.refuse(found.span(), message, expected);
    }

    /// Reports every key that was not read. The last call.
    pub fn finish(self) {
        for (key, _) in self.table.iter() {
            let name: &str = key.get_ref();
            if !self.known.contains(&name) {
                let message = format!("unknown key `{name}` in {}", self.title);
                let mut problem = Problem::at(key.span(), message);
                if !self.problems.is_full() {
                    problem.help = suggest::expected(name, self.known.iter().copied());
                }
                self.problems.push(problem);
            }
        }
    }

    fn refuse(&self, span: Span, message: String, expected: &str) {
        let problem = Problem::at(span, message);
        self.problems
            .push(problem.help(format!("expected {expected}")));
    }

    fn read_or_refuse<T>(
        &self,
        key: &str,
        found: &Spanned<String>,
        read: Result<T, String>,
        what: &str,
    ) -> Option<Spanned<T>> {
        match read {
            Ok(value) => Some(Spanned::new(found.span(), value)),
            Err(reason) => {
                let text = found.get_ref();
                let message = format!("`{key}` of {} is {text:?}: {reason}", self.title);
                self.refuse(found.span(), message, what);
                None
            }
        }
    }
}

/// The treatment of a duration of zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zero {
    /// Zero is allowed.
    Allowed,
    /// Zero is a problem.
    Refused,
}

/// Returns the name of a TOML type with its article.
pub fn kind_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}
