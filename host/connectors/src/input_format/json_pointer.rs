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
#[derive(Debug)]
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
        let mut parser = serde_json::Deserializer::from_str(text);
        let found = Way(&self.steps).deserialize(&mut parser);
        let found = found.and_then(|found| parser.end().map(|()| found));
        let found = found.map_err(|error| not_json(text, &error))?;
        let refused = |problem: &str| format!("its key `{}` is {problem}", self.text);
        let found = found.ok_or_else(|| refused("missing"))?.get();
        match found.as_bytes().first() {
            Some(b'"') if !found.contains('\\') => Ok(Cow::Borrowed(&found[1..found.len() - 1])),
            Some(b'"') => {
                let unescaped = serde_json::from_str(found).map(Cow::Owned);
                unescaped.map_err(|_| refused("half of a surrogate pair"))
            }
            Some(b'{') => Err(refused("an object")),
            Some(b'[') => Err(refused("a list")),
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
        parser.deserialize_str(self)
    }
}

impl Visitor<'_> for IsStep<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    fn visit_str<E>(self, name: &str) -> Result<bool, E> {
        Ok(name == self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::json_text;

    fn key(pointer: &str, text: &str) -> Result<String, String> {
        let pointer = JsonPointer::parse(pointer).expect("it is a pointer");
        pointer.key_in(text).map(Cow::into_owned)
    }

    fn found(text: &str) -> Result<String, String> {
        Ok(text.to_owned())
    }

    #[test]
    fn a_key_is_the_text_of_a_string_number_or_boolean() {
        let line = r#"{"user":"ann","n":1.50,"big":123456789012345678901,"on":true,"e":"a\"é"}"#;
        assert_eq!(key("/user", line), found("ann"));
        assert_eq!(key("/n", line), found("1.50"));
        assert_eq!(key("/big", line), found("123456789012345678901"));
        assert_eq!(key("/on", line), found("true"));
        assert_eq!(key("/e", line), found("a\"é"));
        assert_eq!(key("", " 7 "), found("7"));
    }

    #[test]
    fn a_pointer_leads_through_objects_and_lists_and_the_last_of_two_members_counts() {
        let line = r#"{"a":[{"b/c":"x"},{"~":"y"}],"a~":1,"d":"first","d":"last"}"#;
        assert_eq!(key("/a/0/b~1c", line), found("x"));
        assert_eq!(key("/a/1/~0", line), found("y"));
        assert_eq!(key("/d", line), found("last"));
        for missing in ["/a/2", "/a/01", "/a/-", "/a/+0", "/d/0", "/e", "/a~0/x"] {
            let reason = format!("its key `{missing}` is missing");
            assert_eq!(key(missing, line), Err(reason));
        }
    }

    #[test]
    fn null_objects_and_lists_are_no_keys() {
        let line = r#"{"a":null,"b":{},"c":[],"d":"\ud800"}"#;
        let reason = |pointer| key(pointer, line).expect_err("it is no key");
        assert_eq!(reason("/a"), "its key `/a` is null");
        assert_eq!(reason("/b"), "its key `/b` is an object");
        assert_eq!(reason("/c"), "its key `/c` is a list");
        assert_eq!(reason("/d"), "its key `/d` is half of a surrogate pair");
    }

    #[test]
    fn text_that_is_not_json_is_invalid_before_and_behind_the_key() {
        for text in [
            "",
            "{",
            "{\"k\":1} x",
            "{\"k\":1,}",
            "{'k':1}",
            "{\"k\":1,\"a\":01}",
        ] {
            let reason = key("/k", text).expect_err("it is not JSON");
            assert!(reason.starts_with("it is not JSON: "), "{reason}");
            assert!(json_text::check(text).is_err(), "{text}");
        }
        let reason = key("/k", "{\"k\":1} x");
        let expected = "it is not JSON: trailing characters at its byte 9";
        assert_eq!(reason, Err(expected.to_owned()));
    }

    #[test]
    fn any_depth_beside_the_way_costs_no_stack() {
        let deep = "[".repeat(1 << 20) + &"]".repeat(1 << 20);
        assert_eq!(key("/k", &format!("{{\"a\":{deep},\"k\":1}}")), found("1"));
        assert_eq!(json_text::check(&deep), Ok(()));
    }

    #[test]
    fn a_pointer_that_is_none_is_refused() {
        for (text, reason) in [
            ("user", "does not begin with a slash: write \"/user\""),
            ("/a~b", "`~` is written `~0`"),
            ("/a~", "`~` is written `~0`"),
        ] {
            let refused = JsonPointer::parse(text).expect_err("it is none");
            assert!(refused.contains(reason), "{refused}");
        }
        assert!(JsonPointer::parse(&"/a".repeat(101)).is_err());
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[a\"\\\\é\u{1}]{0,4}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[ab~/0]{0,2}", inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_key_is_the_one_that_serde_json_finds(
            value in any_json(),
            steps in prop::collection::vec("a|b|~0|~1|0|1|a~1", 0..4),
        ) {
            let pointer: String = steps.iter().map(|step| format!("/{step}")).collect();
            let expected = match value.pointer(&pointer) {
                Some(Value::String(text)) => Some(text.clone()),
                Some(scalar @ (Value::Number(_) | Value::Bool(_))) => Some(scalar.to_string()),
                Some(Value::Null | Value::Array(_) | Value::Object(_)) | None => None,
            };
            prop_assert_eq!(key(&pointer, &value.to_string()).ok(), expected);
        }
    }
}
