//! The vectors of the state format, which all SDKs share: `guest-sdk/vectors`.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::fs;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tidegate_sdk::prelude::*;
use tidegate_sdk::raw::StateChunk;
use tidegate_sdk::testing::Harness;

/// A type of the vectors: made from their JSON, and compared by its bits.
trait Case: Serialize + DeserializeOwned + Default + Debug + 'static {
    fn of(json: &Value) -> Self;
    fn is(&self, json: &Value) -> bool;
}

macro_rules! decimal {
    ($($number:ty),*) => {$(
        impl Case for $number {
            fn of(json: &Value) -> Self {
                text(json).parse().expect("decimal text of the type")
            }

            fn is(&self, json: &Value) -> bool {
                text(json) == self.to_string()
            }
        }
    )*};
}

decimal!(u8, i8, u16, i16, u32, i32, u64, i64);

macro_rules! float {
    ($($float:ty, $bits:ty);*) => {$(
        impl Case for $float {
            fn of(json: &Value) -> Self {
                Self::from_bits(<$bits>::from_str_radix(text(json), 16).expect("bits"))
            }

            fn is(&self, json: &Value) -> bool {
                let expected = Self::of(json);
                self.to_bits() == expected.to_bits() || (self.is_nan() && expected.is_nan())
            }
        }
    )*};
}

float!(f32, u32; f64, u64);

impl Case for () {
    fn of(json: &Value) -> Self {
        assert!(list(json).is_empty());
    }

    fn is(&self, json: &Value) -> bool {
        list(json).is_empty()
    }
}

impl Case for bool {
    fn of(json: &Value) -> Self {
        json.as_bool().expect("a bool")
    }

    fn is(&self, json: &Value) -> bool {
        json.as_bool() == Some(*self)
    }
}

impl Case for String {
    fn of(json: &Value) -> Self {
        text(json).to_owned()
    }

    fn is(&self, json: &Value) -> bool {
        text(json) == self
    }
}

/// Byte strings, which serde sees as a list of `u8`.
#[derive(Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, serde::Deserialize)]
struct Bytes(Vec<u8>);

impl Case for Bytes {
    fn of(json: &Value) -> Self {
        Self(hex(json))
    }

    fn is(&self, json: &Value) -> bool {
        hex(json) == self.0
    }
}

impl<T: Case> Case for Option<T> {
    fn of(json: &Value) -> Self {
        json.as_array().map(|one| T::of(&one[0]))
    }

    fn is(&self, json: &Value) -> bool {
        match (self, json.as_array()) {
            (Some(value), Some(one)) => value.is(&one[0]),
            (None, None) => true,
            _ => false,
        }
    }
}

impl<T: Case> Case for Vec<T> {
    fn of(json: &Value) -> Self {
        list(json).iter().map(T::of).collect()
    }

    fn is(&self, json: &Value) -> bool {
        let given = list(json);
        self.len() == given.len() && self.iter().zip(given).all(|(item, json)| item.is(json))
    }
}

impl<K: Case + Ord, V: Case> Case for BTreeMap<K, V> {
    fn of(json: &Value) -> Self {
        let pairs = list(json).iter();
        pairs
            .map(|pair| (K::of(&pair[0]), V::of(&pair[1])))
            .collect()
    }

    fn is(&self, json: &Value) -> bool {
        let given = list(json);
        let alike =
            |((key, value), pair): ((&K, &V), &Value)| key.is(&pair[0]) && value.is(&pair[1]);
        self.len() == given.len() && self.iter().zip(given).all(alike)
    }
}

macro_rules! tuple {
    ($($part:ident $index:tt),*) => {
        impl<$($part: Case),*> Case for ($($part,)*) {
            fn of(json: &Value) -> Self {
                ($($part::of(&json[$index]),)*)
            }

            fn is(&self, json: &Value) -> bool {
                $(self.$index.is(&json[$index]) &&)* true
            }
        }
    };
}

tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);

/// The use of a case whose type is known at run time only.
trait Visitor {
    fn visit<T: Case>(self);
}

/// Visits every type that the vectors have. Another type is a panic, so that none is passed over.
fn visit(kind: &Value, visitor: impl Visitor) {
    match kind.to_string().as_str() {
        r#""unit""# => visitor.visit::<()>(),
        r#""bool""# => visitor.visit::<bool>(),
        r#""u8""# => visitor.visit::<u8>(),
        r#""i8""# => visitor.visit::<i8>(),
        r#""u16""# => visitor.visit::<u16>(),
        r#""i16""# => visitor.visit::<i16>(),
        r#""u32""# => visitor.visit::<u32>(),
        r#""i32""# => visitor.visit::<i32>(),
        r#""u64""# => visitor.visit::<u64>(),
        r#""i64""# => visitor.visit::<i64>(),
        r#""f32""# => visitor.visit::<f32>(),
        r#""f64""# => visitor.visit::<f64>(),
        r#""string""# => visitor.visit::<String>(),
        r#""bytes""# => visitor.visit::<Bytes>(),
        r#"{"option":"u8"}"# => visitor.visit::<Option<u8>>(),
        r#"{"option":"u64"}"# => visitor.visit::<Option<u64>>(),
        r#"{"option":"unit"}"# => visitor.visit::<Option<()>>(),
        r#"{"option":{"option":"u8"}}"# => visitor.visit::<Option<Option<u8>>>(),
        r#"{"list":"bool"}"# => visitor.visit::<Vec<bool>>(),
        r#"{"list":"u16"}"# => visitor.visit::<Vec<u16>>(),
        r#"{"list":"u64"}"# => visitor.visit::<Vec<u64>>(),
        r#"{"list":"i64"}"# => visitor.visit::<Vec<i64>>(),
        r#"{"list":"f64"}"# => visitor.visit::<Vec<f64>>(),
        r#"{"list":"unit"}"# => visitor.visit::<Vec<()>>(),
        r#"{"list":"string"}"# => visitor.visit::<Vec<String>>(),
        r#"{"list":{"list":"u8"}}"# => visitor.visit::<Vec<Vec<u8>>>(),
        r#"{"map":["string","u64"]}"# => visitor.visit::<BTreeMap<String, u64>>(),
        r#"{"map":["u32","string"]}"# => visitor.visit::<BTreeMap<u32, String>>(),
        r#"{"map":["i32","bool"]}"# => visitor.visit::<BTreeMap<i32, bool>>(),
        r#"{"map":["bytes","unit"]}"# => visitor.visit::<BTreeMap<Bytes, ()>>(),
        r#"{"map":["bool","u8"]}"# => visitor.visit::<BTreeMap<bool, u8>>(),
        r#"{"map":[{"tuple":["string","i64"]},"u64"]}"# => {
            visitor.visit::<BTreeMap<(String, i64), u64>>();
        }
        r#"{"map":["string",{"list":"u64"}]}"# => visitor.visit::<BTreeMap<String, Vec<u64>>>(),
        r#"{"tuple":["u8","u8"]}"# => visitor.visit::<(u8, u8)>(),
        r#"{"tuple":["u32","u64"]}"# => visitor.visit::<(u32, u64)>(),
        r#"{"tuple":["u64","i64"]}"# => visitor.visit::<(u64, i64)>(),
        r#"{"tuple":["string",{"option":"i64"}]}"# => visitor.visit::<(String, Option<i64>)>(),
        r#"{"tuple":["string",{"option":"f64"},"bool"]}"# => {
            visitor.visit::<(String, Option<f64>, bool)>();
        }
        r#"{"tuple":[{"tuple":["u8","u8"]},{"list":{"tuple":["string","u64"]}}]}"# => {
            visitor.visit::<((u8, u8), Vec<(String, u64)>)>();
        }
        r#"{"tuple":["u64",{"option":"i64"},{"map":["string","f64"]}]}"# => {
            visitor.visit::<(u64, Option<i64>, BTreeMap<String, f64>)>();
        }
        unknown => panic!("the vectors have a type that this test does not: {unknown}"),
    }
}

/// Sets the state of a key from its record, and has its config as its only item.
#[derive(Debug)]
struct Keep<T> {
    item: Option<T>,
}

impl<T: Case> Operator for Keep<T> {
    type Config = Value;
    type State = T;

    fn open(config: Value, _context: &Context) -> Result<Self, Failure> {
        let item = config.get("item").map(T::of);
        Ok(Self { item })
    }

    fn on_record(
        &mut self,
        record: Record<'_>,
        state: &mut T,
        _out: &mut Output,
    ) -> Result<(), Failure> {
        let json: Value = record.value_json()?;
        *state = T::of(&json);
        Ok(())
    }

    fn operator_state(&self, items: &mut Items) -> Result<(), Failure> {
        self.item.iter().try_for_each(|item| items.push(item))
    }

    fn restore_operator_state(&mut self, items: RestoredItems) -> Result<(), Failure> {
        self.item = items.read()?.pop();
        Ok(())
    }
}

fn vectors(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../vectors")
        .join(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    serde_json::from_str(&text).expect("the vectors are JSON")
}

fn text(json: &Value) -> &str {
    json.as_str().expect("text")
}

fn list(json: &Value) -> &[Value] {
    json.as_array().expect("a list")
}

/// Returns the cases of a list, which is not empty.
fn cases(json: &Value) -> &[Value] {
    assert!(!list(json).is_empty());
    list(json)
}

fn hex(json: &Value) -> Vec<u8> {
    let digits = text(json);
    let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hexadecimal");
    (0..digits.len()).step_by(2).map(byte).collect()
}

fn small(json: &Value) -> u32 {
    json.as_u64()
        .and_then(|number| number.try_into().ok())
        .expect("a small number")
}

fn keyed(key_group: u32, bytes: Vec<u8>) -> StateChunk {
    StateChunk {
        name: "keyed".to_owned(),
        schema_version: 1,
        key_group: Some(key_group),
        bytes,
    }
}

fn item(bytes: Vec<u8>) -> StateChunk {
    StateChunk {
        name: "items".to_owned(),
        schema_version: 1,
        key_group: None,
        bytes,
    }
}

/// Returns the bytes that an operator with one item writes for that item.
fn write<T: Case>(value: &Value) -> Vec<u8> {
    let config = serde_json::json!({ "item": value }).to_string();
    let opened = Harness::<Keep<T>>::builder().config(config).open();
    let chunks = opened.and_then(|mut keep| keep.snapshot());
    let [chunk] = chunks
        .expect("it can be written")
        .try_into()
        .expect("one item");
    let StateChunk {
        name,
        key_group: None,
        bytes,
        ..
    } = chunk
    else {
        panic!("an item has no key group: {chunk:?}");
    };
    assert_eq!(name, "items");
    bytes
}

struct Written<'a>(&'a Value);

impl Visitor for Written<'_> {
    fn visit<T: Case>(self) {
        let Self(case) = self;
        let bytes = hex(&case["bytes"]);
        assert_eq!(
            write::<T>(&case["value"]),
            [b"TGI\x01", &bytes[..]].concat(),
            "{case}"
        );
        AlsoRead(case).visit::<T>();
    }
}

struct AlsoRead<'a>(&'a Value);

impl Visitor for AlsoRead<'_> {
    fn visit<T: Case>(self) {
        let Self(case) = self;
        let read =
            read_state::<T>(&hex(&case["bytes"])).unwrap_or_else(|no| panic!("{case}: {no}"));
        assert!(read.is(&case["value"]), "{case} is read as {read:?}");
    }
}

struct Refused<'a>(&'a Value);

impl Visitor for Refused<'_> {
    fn visit<T: Case>(self) {
        let Self(case) = self;
        let read = read_state::<T>(&hex(&case["bytes"]));
        assert!(
            matches!(read, Err(Failure::IncompatibleState(_))),
            "{case} is read as {read:?}"
        );
    }
}

#[test]
fn values_are_written_and_read_as_the_vectors_say() {
    let vectors = vectors("values.json");
    for case in cases(&vectors["written"]) {
        visit(&case["type"], Written(case));
    }
    for case in cases(&vectors["also-read"]) {
        visit(&case["type"], AlsoRead(case));
    }
    for case in cases(&vectors["refused"]) {
        visit(&case["type"], Refused(case));
    }
}

struct Snapshot<'a>(&'a Value);

impl Visitor for Snapshot<'_> {
    fn visit<T: Case>(self) {
        let Self(case) = self;
        let groups = small(&case["max-parallelism"]);
        let builder = Harness::<Keep<T>>::builder().max_parallelism(groups);
        let mut keep = builder.clone().open().expect("it opens");
        // The last arrives first: the order is no part of the state.
        for entry in cases(&case["entries"]).iter().rev() {
            let value = entry["value"].to_string();
            keep.send(hex(&entry["key"]), value).expect("it is taken");
        }
        let expected: Vec<_> = cases(&case["chunks"])
            .iter()
            .map(|chunk| keyed(small(&chunk["key-group"]), hex(&chunk["bytes"])))
            .collect();
        assert_eq!(keep.snapshot().expect("it is written"), expected, "{case}");
        let mut restored = builder.restore(&expected).expect("it is read");
        assert_eq!(
            restored.snapshot().expect("it is written again"),
            expected,
            "{case}"
        );
    }
}

struct Item<'a>(&'a Value);

impl Visitor for Item<'_> {
    fn visit<T: Case>(self) {
        let Self(case) = self;
        let bytes = hex(&case["bytes"]);
        assert_eq!(write::<T>(&case["value"]), bytes, "{case}");
        let chunk = item(bytes);
        let restored = Harness::<Keep<T>>::builder().restore(std::slice::from_ref(&chunk));
        let again = restored.and_then(|mut keep| keep.snapshot());
        assert_eq!(again, Ok(vec![chunk]), "{case}");
    }
}

#[test]
fn chunks_are_written_and_restored_as_the_vectors_say() {
    let vectors = vectors("chunks.json");
    for case in cases(&vectors["snapshots"]) {
        visit(&case["type"], Snapshot(case));
    }
    for case in cases(&vectors["items"]) {
        visit(&case["type"], Item(case));
    }
}

/// Restores one chunk into an operator of `u64` values, which must reject it with a reason.
fn assert_refused(chunk: StateChunk, groups: u32, case: &Value) {
    let builder = Harness::<Keep<u64>>::builder().max_parallelism(groups);
    let restored = builder.restore(&[chunk]);
    let Err(Failure::IncompatibleState(reason)) = restored else {
        panic!("{case} is not refused as incompatible: {restored:?}");
    };
    assert!(reason.contains(text(&case["says"])), "{case}: {reason}");
}

#[test]
fn chunks_that_break_the_format_are_refused() {
    let vectors = vectors("chunks.json");
    let refused = &vectors["refused-keyed"];
    assert_eq!(refused["type"], "u64");
    for case in cases(&refused["cases"]) {
        let chunk = keyed(small(&case["key-group"]), hex(&case["bytes"]));
        assert_refused(chunk, small(&refused["max-parallelism"]), case);
    }
    let refused = &vectors["refused-items"];
    assert_eq!(refused["type"], "u64");
    for case in cases(&refused["cases"]) {
        assert_refused(item(hex(&case["bytes"])), 128, case);
    }
}

/// Opens a harness of subtask `index` of `parallelism`.
fn subtask(max_parallelism: u32, parallelism: u32, index: u32) -> Harness<Keep<u64>> {
    let builder = Harness::builder().max_parallelism(max_parallelism);
    let opened = builder.subtask(index, parallelism).open();
    opened.expect("an operator without configuration opens")
}

#[test]
fn a_harness_owns_the_keys_and_key_groups_of_the_vectors() {
    let vectors = vectors("key-groups.json");
    for case in cases(&vectors["keys"]) {
        // With a subtask for each key group, the owner of a key shows its key group.
        let groups = small(&case["max-parallelism"]);
        let harness = subtask(groups, groups, small(&case["key-group"]));
        assert!(harness.owns(hex(&case["key"])), "{case}");
    }
    for case in cases(&vectors["ranges"]) {
        let groups = small(&case["max-parallelism"]);
        let parallelism = small(&case["parallelism"]);
        let range = |index| {
            let harness = subtask(groups, parallelism, index);
            let context = harness.context();
            json!([context.first_key_group, context.last_key_group])
        };
        let ranges: Vec<_> = (0..parallelism).map(range).collect();
        assert_eq!(ranges, cases(&case["ranges"]), "{case}");
    }
}
