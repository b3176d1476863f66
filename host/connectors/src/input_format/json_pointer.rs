//! A JSON pointer (RFC 6901), followed into JSON text without building the values beside it. Pure.
//!
//! All of the text is checked, in time that grows with its length only: values beside the way are
//! skipped without recursion, and the way is as deep as the pointer.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize as _;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::json_text::not_json;

/// The most steps of a pointer. The parser enters at most 128 levels.
const MOST_STEPS: usize = 100;

/// A pointer such as `/user/name` or `/tags/0`.
#[derive(Clone, Debug)]
pub(crate) struct JsonPointer {
    text: String,
    steps: Vec<String>,
}

impl JsonPointer {
    /// Parses a pointer. An error is the reason.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = text.split('/');
        if parts.next() != Some("") {
            return Err(format!(
                "the JSON pointer \"{text}\" does not begin with a slash: write \"/{text}\""
            ));
        }
        let steps: Vec<String> = parts.map(unescaped).collect::<Result<_, _>>()?;
        if steps.len() > MOST_STEPS {
            return Err(format!("the JSON pointer has more than {MOST_STEPS} steps"));
        }
        Ok(Self {
            text: text.to_owned(),
            steps,
        })
    }

    /// Returns the key in `text`: a string without its quotes, or a number or boolean as it is
    /// written. An error is the reason why there is none.
    pub(super) fn key_in<'a>(&self, text: &'a str) -> Result<Cow<'a, str>, String> {
        self.part_in(text, "key", false)
    }

    /// Returns the value in `text`, like a key; an object or a list is returned as it is written.
    pub(super) fn value_in<'a>(&self, text: &'a str) -> Result<Cow<'a, str>, String> {
        self.part_in(text, "value", true)
    }

    fn part_in<'a>(
        &self,
        text: &'a str,
        part: &str,
        may_be_nested: bool,
    ) -> Result<Cow<'a, str>, String> {
        let mut parser = serde_json::Deserializer::from_str(text);
        let found = Way(&self.steps).deserialize(&mut parser);
        let found = found.and_then(|found| parser.end().map(|()| found));
        let found = found.map_err(|error| not_json(text, &error))?;
        let refused = |problem: &str| format!("its {part} `{}` is {problem}", self.text);
        let found = found.ok_or_else(|| refused("missing"))?.get();
        match found.as_bytes().first() {
            Some(b'"') if !found.contains('\\') => Ok(Cow::Borrowed(&found[1..found.len() - 1])),
            Some(b'"') => {
                let unescaped = serde_json::from_str(found).map(Cow::Owned);
                unescaped.map_err(|_| refused("half of a surrogate pair"))
            }
            Some(b'{') if !may_be_nested => Err(refused("an object")),
            Some(b'[') if !may_be_nested => Err(refused("a list")),
            Some(b'n') => Err(refused("null")),
            Some(_) | None => Ok(Cow::Borrowed(found)),
        }
    }
}

/// Decodes a step of a pointer: `~1` is a slash, `~0` a tilde.
fn unescaped(step: &str) -> Result<String, String> {
    let mut parts = step.split('~');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = match part.as_bytes().first() {
            Some(b'0') => {
                text.push('~');
                &part[1..]
            }
            Some(b'1') => {
                text.push('/');
                &part[1..]
            }
            Some(_) | None => {
                return Err("in a JSON pointer, `~` is written `~0`".to_owned());
            }
        };
        text.push_str(rest);
    }
    Ok(text)
}

/// The rest of a pointer's steps, to be followed in the next value.
#[derive(Clone, Copy)]
struct Way<'p>(&'p [String]);

impl<'de> DeserializeSeed<'de> for Way<'_> {
    type Value = Option<&'de RawValue>;

    fn deserialize<D: Deserializer<'de>>(self, parser: D) -> Result<Self::Value, D::Error> {
        match self.0.is_empty() {
            true => <&RawValue>::deserialize(parser).map(Some),
            false => parser.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for Way<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    /// The last of several members of one name counts.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(is_next) = map.next_key_seed(IsStep(&self.0[0]))? {
            match is_next {
                true => found = map.next_value_seed(Way(&self.0[1..]))?,
                false => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let index = index_of(&self.0[0]);
        let (mut at, mut found) = (0, None);
        loop {
            if Some(at) == index {
                match list.next_element_seed(Way(&self.0[1..]))? {
                    Some(value) => found = value,
                    None => return Ok(None),
                }
            } else if list.next_element::<IgnoredAny>()?.is_none() {
                return Ok(found);
            }
            at += 1;
        }
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

/// Returns the index that a step names: digits without a leading zero.
fn index_of(step: &str) -> Option<u64> {
    let is_index = step == "0" || !step.starts_with(['0', '+']);
    is_index.then(|| step.parse().ok()).flatten()
}

/// Returns, for the name of a member, whether it is the next step.
struct IsStep<'p>(&'p str);

impl<'de> DeserializeSeed<'de> for IsStep<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, parser: D) -> Result<bool, D::Error> {
        // Not as a string: half of a surrogate pair is allowed in JSON.
        parser.deserialize_bytes(self)
    }
}

impl Visitor<'_> for IsStep<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    fn visit_bytes<E>(self, name: &[u8]) -> Result<bool, E> {
        Ok(name == self.0.as_bytes())
    }
}

#[cfg(test)]
mod tests;
