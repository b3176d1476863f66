//! The cost of keys that an attacker has chosen: the instructions, which the engine counts, of the
//! counter in each language. Processing, a snapshot and its restore together take at most twice as
//! many as with unchosen keys. A guest that takes more is stopped there, so that a test ends in any
//! case.

use bindings::StreamOperator;
use bindings::exports::tidegate::operator::operator::{Batch, Context, StateChunk};
use bindings::tidegate::operator::host;
use bindings::tidegate::operator::types::{self, Column};
use tidegate_tests::{CHOSEN_KEYS, guest, other_keys};
use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{Config, Engine, Store};

mod bindings {
    wasmtime::component::bindgen!({ path: "../../wit", world: "stream-operator" });
}

const KEY_GROUPS: u32 = 128;

/// The number of records in a call.
const BATCH: usize = 1024;

/// The host's functions, which discard everything.
struct Lent;

impl types::Host for Lent {}

impl host::Host for Lent {
    fn log(&mut self, _level: host::Level, _message: String) {}

    fn count(&mut self, _metric: String, _delta: u64) {}

    fn key_groups(&mut self, keys: Column) -> Vec<u32> {
        let rows = keys.offsets.array_windows();
        let rows = rows.map(|[start, end]| &keys.data[*start as usize..*end as usize]);
        rows.map(|key| tidegate_key_groups::key_group(key, KEY_GROUPS))
            .collect()
    }
}

/// A counter of the instructions of a component's instances.
struct Counter {
    component: Component,
    linker: Linker<Lent>,
}

impl Counter {
    fn of(name: &str) -> Self {
        let mut config = Config::new();
        config.consume_fuel(true);
        let engine = Engine::new(&config).expect("this machine runs components");
        let bytes = std::fs::read(guest(name)).expect("the guest is built");
        let component = Component::new(&engine, bytes).expect("it is a component");
        let mut linker = Linker::new(&engine);
        StreamOperator::add_to_linker::<_, HasSelf<Lent>>(&mut linker, |lent| lent)
            .expect("the interfaces have different names");
        Self { component, linker }
    }

    /// Returns the instructions for `keys`, if they are at most `limit`.
    fn instructions(&self, keys: &[[u8; 8]], limit: u64) -> wasmtime::Result<u64> {
        let (chunks, left) = self.processed(keys, limit)?;
        let (mut store, operator) = self.open(left)?;
        let operator = operator.tidegate_operator_operator();
        let restored = operator.call_restore(&mut store, &chunks)?;
        assert!(restored.is_ok(), "{restored:?}");
        let again = operator.call_snapshot(&mut store, 2)?;
        let again = again.expect("a snapshot can be taken");
        let bytes = |chunks: &[StateChunk]| -> Vec<Vec<u8>> {
            chunks.iter().map(|chunk| chunk.bytes.clone()).collect()
        };
        assert!(
            bytes(&again) == bytes(&chunks),
            "what is restored is written again"
        );
        Ok(limit - store.get_fuel()?)
    }

    /// Returns the snapshot after all keys, and the remaining instructions.
    fn processed(&self, keys: &[[u8; 8]], limit: u64) -> wasmtime::Result<(Vec<StateChunk>, u64)> {
        let (mut store, operator) = self.open(limit)?;
        let operator = operator.tidegate_operator_operator();
        for keys in keys.chunks(BATCH) {
            let emitted = operator.call_process(&mut store, 0, &batch(keys))?;
            assert!(emitted.is_ok(), "{emitted:?}");
        }
        let snapshot = operator.call_snapshot(&mut store, 1)?;
        let left = store.get_fuel()?;
        Ok((snapshot.expect("a snapshot can be taken"), left))
    }

    fn open(&self, fuel: u64) -> wasmtime::Result<(Store<Lent>, StreamOperator)> {
        let mut store = Store::new(self.linker.engine(), Lent);
        store.set_fuel(fuel)?;
        let operator = StreamOperator::instantiate(&mut store, &self.component, &self.linker)?;
        let opened = operator
            .tidegate_operator_operator()
            .call_open(&mut store, &context())?;
        assert!(opened.is_ok(), "{opened:?}");
        Ok((store, operator))
    }
}

fn context() -> Context {
    Context {
        job: "job".to_owned(),
        operator: "count".to_owned(),
        subtask: 0,
        parallelism: 1,
        max_parallelism: KEY_GROUPS,
        first_key_group: 0,
        last_key_group: KEY_GROUPS - 1,
        inputs: vec!["in".to_owned()],
        outputs: vec!["out".to_owned()],
        config: r#"{ "emit": "final" }"#.to_owned(),
        hash_seed: 0x7469_6465_6761_7465,
    }
}

fn batch(keys: &[[u8; 8]]) -> Batch {
    let rows = u32::try_from(keys.len()).expect("a batch is small");
    Batch {
        timestamps: vec![i64::MIN; keys.len()],
        keys: Column {
            offsets: (0..=rows).map(|row| row * 8).collect(),
            data: keys.as_flattened().to_vec(),
        },
        values: Column {
            offsets: vec![0; keys.len() + 1],
            data: Vec::new(),
        },
    }
}

/// Asserts that chosen keys take at most twice as many instructions as others.
fn assert_bounded(name: &str, keys: usize) {
    let counter = Counter::of(name);
    let good: Vec<_> = other_keys().take(keys).collect();
    let good = counter.instructions(&good, u64::MAX);
    let good = good.expect("there is no limit");
    for (kind, chosen) in CHOSEN_KEYS {
        let bad: Vec<_> = chosen().take(keys).collect();
        let counted = counter.instructions(&bad, 2 * good);
        let bad = counted.unwrap_or_else(|error| panic!("{kind}: more than 2 * {good}: {error:#}"));
        assert!(bad > 0, "{name}, {kind}: nothing was counted");
    }
}

const MILLION: usize = 1_000_000;

#[test]
fn a_million_chosen_keys_take_at_most_twice_the_instructions_in_rust() {
    assert_bounded("examples/word-count/operators/count", MILLION);
}

#[test]
fn a_million_chosen_keys_take_at_most_twice_the_instructions_in_c() {
    assert_bounded("guest-sdk/c/examples/count", MILLION);
}

#[test]
fn a_million_chosen_keys_take_at_most_twice_the_instructions_in_go() {
    assert_bounded("guest-sdk/go/examples/count", MILLION);
}

/// Fewer keys, since an interpreter takes minutes for a million.
#[test]
fn chosen_keys_take_at_most_twice_the_instructions_in_javascript() {
    assert_bounded("guest-sdk/javascript/examples/count", 20_000);
}

/// As in JavaScript.
#[test]
fn chosen_keys_take_at_most_twice_the_instructions_in_python() {
    assert_bounded("guest-sdk/python/examples/count", 20_000);
}
