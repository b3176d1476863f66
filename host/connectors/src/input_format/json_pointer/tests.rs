//! Tests of `json_pointer`.

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
fn a_member_beside_the_way_may_have_half_of_a_surrogate_pair_as_its_name() {
    assert_eq!(key("/a", r#"{"\ud800":1,"a":2}"#), found("2"));
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
