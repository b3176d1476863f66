//! JSON Schema of the scenario, for editors.
//!
//! Like the schema of the job file, it allows more than the parser, and never rejects a scenario
//! that the parser accepts.

// The structs below are never constructed: the schema is derived from them.
#![expect(dead_code, reason = "only their schema is used")]

use schemars::JsonSchema;
use serde_json::{Map, Value, json};
use tidegate_job_file::{LimitsSchema, version_schema, without_null};

/// Returns the schema of the scenario.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(ScenarioSchema).to_value();
    without_null(&mut schema);
    if let Some(root) = schema.as_object_mut() {
        root.insert("title".to_owned(), json!("Tidegate scenario"));
    }
    schema
}

/// The input of an operator, and the output that it must produce.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
struct ScenarioSchema {
    /// Version of the scenario's format.
    #[schemars(schema_with = "version_schema")]
    version: u32,
    /// Path of the component, relative to the scenario.
    #[schemars(length(min = 1))]
    component: String,
    /// Passed to the guest's `open` as JSON.
    config: Option<Map<String, Value>>,
    /// The resources that one instance may use.
    limits: Option<LimitsSchema>,
    /// Names of the inputs. Default ["main"].
    #[schemars(length(min = 1))]
    inputs: Option<Vec<String>>,
    /// Names of the output ports. Default ["main"].
    #[schemars(length(min = 1))]
    outputs: Option<Vec<String>>,
    /// Initial number of subtasks. Default 1.
    #[schemars(range(min = 1, max = 32_768))]
    parallelism: Option<u32>,
    /// Number of key groups. Default 128.
    #[schemars(range(min = 1, max = 32_768))]
    max_parallelism: Option<u32>,
    /// The steps, in order. A step does at most one thing, and expects at most one thing.
    step: Vec<StepSchema>,
}

/// An action, and the result that must follow.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
struct StepSchema {
    /// Opens the instances; only in the first step, and only needed beside `expect-failure`.
    #[schemars(extend("const" = true))]
    open: Option<bool>,
    /// Records that arrive, in one batch for each subtask that owns one of their keys.
    records: Option<Vec<RecordSchema>>,
    /// The input of `records`. Default: the first.
    input: Option<String>,
    /// Sends all of `records` to every subtask, as an edge with `partition = "broadcast"` does.
    /// Default: each record reaches the subtask that owns its key.
    #[schemars(extend("const" = true))]
    broadcast: Option<bool>,
    /// Event time, in milliseconds since the Unix epoch: no older record follows.
    watermark: Option<i64>,
    /// Takes a checkpoint that completes; the instances continue.
    #[schemars(extend("const" = true))]
    checkpoint: Option<bool>,
    /// Takes a checkpoint and continues with new instances that are restored from it. They receive
    /// the watermark again if there was one.
    #[schemars(extend("const" = true))]
    restart: Option<bool>,
    /// Restarts with this many subtasks.
    #[schemars(range(min = 1, max = 32_768))]
    rescale: Option<u32>,
    /// All inputs end, and event time with them.
    #[schemars(extend("const" = true))]
    finish: Option<bool>,
    /// All records emitted since the last `expect`: in this order from one subtask, in any order
    /// from several.
    expect: Option<Vec<ExpectedSchema>>,
    /// The operator rejects a record of this step. The step then has no effect.
    expect_invalid_record: Option<InvalidSchema>,
    /// The action fails with this text in its message. The step then has no effect.
    #[schemars(length(min = 1))]
    expect_failure: Option<String>,
}

/// A record.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct RecordSchema {
    /// Default: empty, which is no key.
    key: Option<BytesSchema>,
    /// Default: empty.
    value: Option<BytesSchema>,
    /// Milliseconds since the Unix epoch. Default: none.
    timestamp: Option<i64>,
}

/// A record that is emitted.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct ExpectedSchema {
    /// Name of the output port. Default: the first.
    port: Option<String>,
    /// Default: empty, which is no key.
    key: Option<BytesSchema>,
    /// Default: empty.
    value: Option<BytesSchema>,
    /// Milliseconds since the Unix epoch. Default: none.
    timestamp: Option<i64>,
}

/// A rejected record.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct InvalidSchema {
    /// Its number in the step, from 0.
    row: u32,
    /// A part of the reason. Default: any reason.
    #[schemars(length(min = 1))]
    reason: Option<String>,
}

/// Text, or bytes.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum BytesSchema {
    /// Text in UTF-8.
    Text(String),
    /// Two digits for each byte.
    Hex(HexSchema),
    /// With padding.
    Base64(Base64Schema),
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct HexSchema {
    /// Two digits for each byte.
    #[schemars(regex(pattern = "^([0-9A-Fa-f]{2})*$"))]
    hex: String,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Base64Schema {
    /// RFC 4648, with padding.
    #[schemars(regex(pattern = "^[A-Za-z0-9+/]*=*$"))]
    base64: String,
}
