//! JSON Schema of the job file, for editors.
//!
//! It says less than the parser checks (names, ports, units), and never refuses what the parser
//! takes; a test holds both to the same keys.

// The structs below are never made: the schema is derived from them.
#![expect(dead_code, reason = "only their schema is used")]

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};
use tidegate_connector::ConnectorList;

use crate::duration;

/// The schema of the job file that can name these connectors.
pub fn schema(connectors: &ConnectorList) -> Value {
    let mut generator = SchemaGenerator::default();
    let nodes = [
        ("source", sources(&mut generator, connectors)),
        ("sink", sinks(&mut generator, connectors)),
    ];
    let mut schema = generator.into_root_schema_for::<JobFileSchema>().to_value();
    for (key, nodes) in nodes {
        if let Some(property) = schema["properties"][key].as_object_mut() {
            property.extend(nodes);
        }
    }
    without_null(&mut schema);
    if let Some(root) = schema.as_object_mut() {
        root.insert("title".to_owned(), json!("Tidegate job file"));
    }
    schema
}

/// A stream-processing job.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
struct JobFileSchema {
    /// Version of the job file's format.
    #[schemars(schema_with = "version_schema")]
    version: u32,
    /// The job's name, part of its savepoints and metrics.
    #[schemars(regex(pattern = "^[A-Za-z0-9_-]{1,64}$"))]
    name: String,
    /// When checkpoints are taken and how many are kept.
    checkpoint: Option<CheckpointSchema>,
    /// What follows a failure.
    restart: Option<RestartSchema>,
    /// Cost of isolating records.
    isolation: Option<IsolationSchema>,
    /// What nodes have that set nothing else.
    defaults: Option<DefaultsSchema>,
    /// Where records come from, by name.
    source: BTreeMap<String, Value>,
    /// What is done with records, by name.
    operator: Option<BTreeMap<String, OperatorSchema>>,
    /// Where records go, by name.
    sink: BTreeMap<String, Value>,
}

/// When checkpoints are taken and how many are kept.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
struct CheckpointSchema {
    /// Where checkpoints are kept, relative to the job file; created if missing. Default "state".
    directory: Option<String>,
    /// Time from the start of one checkpoint to the start of the next. Default "10s".
    interval: Option<DurationSchema>,
    /// A checkpoint that is not complete by then is abandoned. Default "10m".
    timeout: Option<DurationSchema>,
    /// Least time from the end of one checkpoint to the start of the next. Default "0s".
    min_pause: Option<DurationSchema>,
    /// How many complete checkpoints are kept. Default 3.
    #[schemars(range(min = 1, max = 10_000))]
    retain: Option<u32>,
    /// How many checkpoints in a row may fail before the job is restarted. Default 3.
    tolerable_failures: Option<u32>,
    /// After how many complete checkpoints one is restored beside the job, to prove that it can
    /// be. Default: none is.
    #[schemars(range(min = 1))]
    drill_every: Option<u32>,
}

/// What follows a failure.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
struct RestartSchema {
    /// How long to wait before a restart. Default "exponential-backoff".
    strategy: Option<StrategySchema>,
    /// fixed-delay: the wait before each restart. Default "1s".
    delay: Option<DurationSchema>,
    /// exponential-backoff: the first wait. Default "100ms".
    initial: Option<DurationSchema>,
    /// exponential-backoff: the longest wait. Default "30s".
    max: Option<DurationSchema>,
    /// How many restarts there may be; for exponential-backoff, in a row. Default 5.
    #[schemars(range(min = 1))]
    attempts: Option<u32>,
    /// exponential-backoff: time without a failure after which counting starts again.
    /// Default "10m".
    reset_after: Option<DurationSchema>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
enum StrategySchema {
    /// The first failure ends the job.
    None,
    /// The same wait before each restart.
    FixedDelay,
    /// Waits that grow.
    ExponentialBackoff,
}

/// Cost of isolating records for their operators' dead-letter ports.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
struct IsolationSchema {
    /// The most such restarts within a period; they do not count as those of `[restart]`.
    /// Default 100.
    #[schemars(range(max = 1_000_000))]
    restarts: Option<u32>,
    /// Default "10m".
    period: Option<DurationSchema>,
    /// The most dead letters of a subtask in a row, with no record between them that its operator
    /// processed. Default 1000.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    in_a_row: Option<u32>,
}

/// What nodes have that set nothing else.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
struct DefaultsSchema {
    /// How many subtasks a node has. Default 1.
    #[schemars(range(min = 1, max = 32_768))]
    parallelism: Option<u32>,
    /// Number of key groups; never changes in the life of a job's state. Default 128.
    #[schemars(range(min = 1, max = 32_768))]
    max_parallelism: Option<u32>,
    /// When instances of operators are recycled. Default "75%".
    recycle_at: Option<RecycleAtSchema>,
}

/// A component that processes records.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
struct OperatorSchema {
    /// Path of the component, relative to the job file.
    #[schemars(length(min = 1))]
    component: String,
    /// What it reads; the guest knows an input by its index.
    inputs: Vec<InputSchema>,
    /// How many subtasks it has. Default: that of `[defaults]`.
    #[schemars(range(min = 1, max = 32_768))]
    parallelism: Option<u32>,
    /// What one instance may use.
    limits: Option<LimitsSchema>,
    /// Handed to the guest's `open` as JSON.
    config: Option<Map<String, Value>>,
    /// Names of the output ports. Default: as many as are read, "main", "1", "2", and so on.
    #[schemars(length(min = 1))]
    outputs: Option<Vec<String>>,
    /// What happens with a record that the guest calls invalid. Default "fail".
    on_invalid_record: Option<RecordPolicySchema>,
    /// What happens with a record in whose processing the guest traps, runs into a limit or breaks
    /// the contract. Default "fail".
    on_trap: Option<RecordPolicySchema>,
    /// When its instances are recycled. Default: that of `[defaults]`.
    recycle_at: Option<RecycleAtSchema>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
enum RecordPolicySchema {
    /// The job is restarted, and fails when no restart is left.
    Fail,
    /// The record goes to the output port "dead-letter", which a node must read; the job continues
    /// with all others.
    DeadLetter,
}

/// What one instance of an operator may use.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LimitsSchema {
    /// Bytes of all its memories and tables together. Default "256MiB".
    memory: Option<SizeSchema>,
    /// How long one call may take. Default "5s".
    call_timeout: Option<DurationSchema>,
    /// Bytes that one call may return, and 256 for each emission. Default "64MiB".
    output: Option<SizeSchema>,
    /// Bytes that a snapshot may have, and 128 for each chunk. Default "256MiB".
    snapshot: Option<SizeSchema>,
    /// Memories that it may have; each reserves 4 GiB of address space. Default 8.
    #[schemars(range(min = 1, max = 100))]
    memories: Option<u32>,
    /// Log lines that are let through in a second. Default 1000.
    log_lines_per_second: Option<u32>,
    /// Bytes of log lines that are let through in a second. Default "1MiB".
    log_bytes_per_second: Option<SizeSchema>,
}

/// One input of an operator or sink.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
struct InputSchema {
    /// A source or operator; "split:1" or "split:late" is one of its output ports, and
    /// "split:dead-letter" gives the records that it could not process.
    #[schemars(length(min = 1))]
    from: String,
    /// How records are spread over subtasks. Default "forward" if both sides have the same
    /// parallelism, else "rebalance".
    partition: Option<PartitionSchema>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
enum PartitionSchema {
    /// Subtask i to subtask i.
    Forward,
    /// To the subtask that owns the key group of the record's key.
    Hash,
    /// To each subtask in turn.
    Rebalance,
    /// To every subtask.
    Broadcast,
}

/// A duration of at most a year such as "500ms", "1s" or "1m 30s"; units are ns, us, ms, s, m
/// (minutes), h, d and w.
#[derive(JsonSchema)]
#[schemars(transparent)]
struct DurationSchema(#[schemars(regex(pattern = duration::PATTERN))] String);

/// A size such as "64KiB", "256MiB" or "1GB".
#[derive(JsonSchema)]
#[schemars(transparent)]
struct SizeSchema(#[schemars(regex(pattern = "^[0-9.]+ *[A-Za-z]+$"))] String);

/// A share of `limits.memory` such as "75%", or "never". An instance whose memory has reached it is
/// replaced by a new one, which is restored from its snapshot, at the next barrier; for this, a
/// checkpoint is taken without waiting for its interval.
#[derive(JsonSchema)]
#[schemars(transparent)]
struct RecycleAtSchema(#[schemars(regex(pattern = "^(never|[0-9]+ *%)$"))] String);

/// The one version of the format.
pub fn version_schema(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({ "type": "integer", "const": super::settings::VERSION })
}

fn sources(generator: &mut SchemaGenerator, connectors: &ConnectorList) -> Map<String, Value> {
    let common = json!({ "parallelism": parallelism() });
    let kinds = connectors.sources().iter();
    let kinds = kinds.map(|kind| (kind.name(), kind.schema()));
    nodes(generator, &common, kinds)
}

fn sinks(generator: &mut SchemaGenerator, connectors: &ConnectorList) -> Map<String, Value> {
    let inputs = generator.subschema_for::<Vec<InputSchema>>();
    let common = json!({ "parallelism": parallelism(), "inputs": inputs });
    let kinds = connectors.sinks().iter();
    let kinds = kinds.map(|kind| (kind.name(), kind.schema()));
    nodes(generator, &common, kinds)
}

fn parallelism() -> Value {
    json!({
        "description": "How many subtasks it has. Default: that of [defaults].",
        "type": "integer",
        "minimum": 1,
        "maximum": 32_768,
    })
}

/// Tables of any name, each with the options of one of the connectors and the keys in `common`.
fn nodes(
    generator: &mut SchemaGenerator,
    common: &Value,
    connectors: impl Iterator<Item = (&'static str, Schema)>,
) -> Map<String, Value> {
    let mut variants = Vec::new();
    for (connector, schema) in connectors {
        let mut schema = schema.to_value();
        let Some(variant) = schema.as_object_mut() else {
            continue;
        };
        variant.remove("$schema");
        if let Some(Value::Object(definitions)) = variant.remove("$defs") {
            generator.definitions_mut().extend(definitions);
        }
        add_properties(variant, connector, common);
        variants.push(schema);
    }
    let keywords = [
        ("type", json!("object")),
        ("minProperties", json!(1)),
        ("additionalProperties", json!({ "oneOf": variants })),
    ];
    let named = keywords.map(|(keyword, value)| (keyword.to_owned(), value));
    named.into_iter().collect()
}

fn add_properties(variant: &mut Map<String, Value>, connector: &str, common: &Value) {
    let mut required = vec![json!("connector")];
    let properties = variant.entry("properties").or_insert_with(|| json!({}));
    if let (Some(properties), Some(common)) = (properties.as_object_mut(), common.as_object()) {
        properties.insert("connector".to_owned(), json!({ "const": connector }));
        properties.extend(common.clone());
        required.extend(common.contains_key("inputs").then(|| json!("inputs")));
    }
    if let Some(own) = variant.get("required").and_then(Value::as_array) {
        required.extend(own.iter().cloned());
    }
    variant.insert("required".to_owned(), Value::Array(required));
}

/// TOML has no null, so no value may be one; an absent key is what the options mean by it.
pub fn without_null(value: &mut Value) {
    if let Some(object) = value.as_object_mut() {
        if let Some(Value::Array(types)) = object.get_mut("type") {
            types.retain(|name| name != "null");
            if let [only] = types.as_slice() {
                let only = only.clone();
                object.insert("type".to_owned(), only);
            }
        }
        if let Some(Value::Array(choices)) = object.get_mut("anyOf") {
            choices.retain(|choice| choice != &json!({ "type": "null" }));
        }
        if object.get("default") == Some(&Value::Null) {
            object.remove("default");
        }
        object.values_mut().for_each(without_null);
    } else if let Some(items) = value.as_array_mut() {
        items.iter_mut().for_each(without_null);
    }
}
