//! JSON Schema of the scenario, for editors.
//!
//! As for the job file, it says less than the parser checks, and never refuses what the parser
//! takes.

// The structs below are never made: the schema is derived from them.
#![expect(dead_code, reason = "only their schema is used")]

use schemars::JsonSchema;
use serde_json::{Map, Value, json};
use tidegate_job_file::{LimitsSchema, version_schema, without_null};

/// The schema of the scenario.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(ScenarioSchema).to_value();
    without_null(&mut schema);
    if let Some(root) = schema.as_object_mut() {
        root.insert("title".to_owned(), json!("Tidegate scenario"));
    }
    schema
}

/// What an operator is given, and what it must do.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
struct ScenarioSchema {
    /// Version of the scenario's format.
    #[schemars(schema_with = "version_schema")]
    version: u32,
    /// Path of the component, relative to the scenario.
    #[schemars(length(min = 1))]
    component: String,
    /// Handed to the guest's `open` as JSON.
    config: Option<Map<String, Value>>,
    /// What one instance may use.
    limits: Option<LimitsSchema>,
    /// Names of the inputs. Default ["main"].
    #[schemars(length(min = 1))]
    inputs: Option<Vec<String>>,
    /// Names of the output ports. Default ["main"].
    #[schemars(length(min = 1))]
    outputs: Option<Vec<String>>,
    /// How many subtasks there are at first. Default 1.
    #[schemars(range(min = 1, max = 32_768))]
    parallelism: Option<u32>,
    /// Number of key groups. Default 128.
    #[schemars(range(min = 1, max = 32_768))]
    max_parallelism: Option<u32>,
    /// What happens, in order. A step does one thing at most, and expects one thing at most.
    step: Vec<StepSchema>,
}

/// One thing that is done, and what must follow.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
struct StepSchema {
    /// Opens the instances; only in the first step, and only needed beside `expect-failure`.
    #[schemars(extend("const" = true))]
    open: Option<bool>,
    /// Records that arrive, as one batch for each subtask that a key of theirs belongs to.
    records: Option<Vec<RecordSchema>>,
    /// The input of `records`. Default: the first.
    input: Option<String>,
    /// Gives every subtask all of `records`, as an edge with `partition = "broadcast"` does.
    /// Default: each record reaches the subtask that owns its key.
    #[schemars(extend("const" = true))]
    broadcast: Option<bool>,
    /// Event time, in milliseconds since the Unix epoch: no older record follows.
    watermark: Option<i64>,
    /// Takes a checkpoint that completes; the instances go on.
    #[schemars(extend("const" = true))]
    checkpoint: Option<bool>,
    /// Takes a checkpoint and goes on with new instances that are restored from it, and told the
    /// watermark again if there was one.
    #[schemars(extend("const" = true))]
    restart: Option<bool>,
    /// The same with this many subtasks.
    #[schemars(range(min = 1, max = 32_768))]
    rescale: Option<u32>,
    /// All inputs end, and event time with them.
    #[schemars(extend("const" = true))]
    finish: Option<bool>,
    /// Everything that was emitted since the last `expect`: of one subtask in this order, of
    /// several in any.
    expect: Option<Vec<ExpectedSchema>>,
    /// A record of this step is refused. The step has then no effect.
    expect_invalid_record: Option<InvalidSchema>,
    /// The action fails with this in its message. The step has then no effect.
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

/// A record that is refused.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct InvalidSchema {
    /// Its number in the step, from 0.
    row: u32,
    /// A part of the reason. Default: any will do.
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
