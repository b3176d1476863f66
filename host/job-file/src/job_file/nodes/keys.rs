//! The keys of nodes, by kind, and those of their inputs.

use schemars::SchemaGenerator;
use serde_json::{Value, json};
use tidegate_checkpoint::Partitioning;
use tidegate_runtime::config::RecordPolicy;
use toml::Spanned;
use toml::de::DeValue;

use super::operator_keys::{self, OperatorKeys, POLICY};
use crate::config_file::problem::Span;
use crate::config_file::reader::TableReader;
use crate::config_file::setting::{
    ChoiceKind, Described, FIRST, NumberKind, Own, Placed, Section, Setting, ShareKind, Slot,
    TextKind, Typed, Word,
};
use crate::job_file::document::InputEntry;
use crate::job_file::settings::{LimitsSchema, MOST_KEY_GROUPS, limits};

/// The keys of a node of any kind.
#[derive(Debug, Default)]
pub(crate) struct NodeKeys {
    /// The node's own parallelism, if set.
    pub(super) parallelism: Option<Spanned<u32>>,
    /// The inputs with the place of their key.
    pub(super) inputs: Option<(Span, Vec<InputEntry>)>,
    /// The treatment of records that a source or an operator calls invalid.
    pub(super) on_invalid_record: Placed<RecordPolicy>,
    /// The connector of a source or sink.
    pub(super) connector: Option<Spanned<String>>,
    /// The keys of an operator.
    pub(super) operator: OperatorKeys,
}

/// The keys that every source has. Connectors add more.
pub(crate) static SOURCE: Section<NodeKeys> = Section {
    help: "A source of records.",
    settings: &[
        PARALLELISM,
        CONNECTOR,
        Setting {
            key: "on-invalid-record",
            value: ON_INVALID_RECORD,
            help: "The treatment of input that is not a record in the format of the source. Only \
                   for formats that reject input.",
            since: FIRST,
        },
    ],
};

/// The keys that every sink has. Connectors add more.
pub(crate) static SINK: Section<NodeKeys> = Section {
    help: "A sink, which writes records out of the job.",
    settings: &[PARALLELISM, INPUTS, CONNECTOR],
};

/// The keys of an operator.
pub(crate) static OPERATOR: Section<NodeKeys> = Section {
    help: "A component that processes records.",
    settings: &[
        PARALLELISM,
        INPUTS,
        Setting {
            key: "component",
            value: &Typed {
                kind: TextKind {
                    expected: COMPONENT,
                    pattern: None,
                },
                slot: Slot::Required(
                    |node: &mut NodeKeys| &mut node.operator.component,
                    COMPONENT,
                ),
            },
            help: "The path of the component, relative to the job file.",
            since: FIRST,
        },
        Setting {
            key: "limits",
            value: &Own {
                kind: "table of [limits](#limits)",
                schema: |generator| generator.subschema_for::<LimitsSchema>().to_value(),
                read: |table, node: &mut NodeKeys| node.operator.limits = limits(table),
                absent: Some("the default of each limit"),
            },
            help: "The resources that one instance may use.",
            since: FIRST,
        },
        Setting {
            key: "config",
            value: &Own {
                kind: "table",
                schema: |_| json!({ "type": "object" }),
                read: |table, node: &mut NodeKeys| {
                    node.operator.config = operator_keys::config(table)
                },
                absent: Some("an empty table"),
            },
            help: "The operator's own settings. The host passes them to the guest's `open` as \
                   JSON.",
            since: FIRST,
        },
        Setting {
            key: "outputs",
            value: &Own {
                kind: "list of texts",
                schema: |_| outputs_schema(),
                read: |table, node: &mut NodeKeys| {
                    node.operator.outputs = operator_keys::outputs(table)
                },
                absent: Some("as many as other nodes read, named `main`, `1`, `2`, and so on"),
            },
            help: "The names of the output ports.",
            since: FIRST,
        },
        Setting {
            key: "on-invalid-record",
            value: ON_INVALID_RECORD,
            help: "The treatment of a record that the guest rejects as invalid.",
            since: FIRST,
        },
        Setting {
            key: "on-trap",
            value: &Typed {
                kind: POLICY,
                slot: Slot::Placed(|node: &mut NodeKeys| &mut node.operator.on_trap),
            },
            help: "The treatment of a record at which the guest traps, meets a limit or breaks the \
                   contract.",
            since: FIRST,
        },
        Setting {
            key: "recycle-at",
            value: &Typed {
                kind: ShareKind,
                slot: Slot::Optional(
                    |node: &mut NodeKeys| &mut node.operator.recycle_at,
                    OF_DEFAULTS,
                ),
            },
            help: "The share of its memory limit at which an instance is recycled.",
            since: FIRST,
        },
    ],
};

const COMPONENT: &str = "the path of a .wasm file, relative to the job file";
const CONNECTOR_NAME: &str = "the name of a connector";
const INPUT_NAME: &str = "the name of a source or operator";
const OF_DEFAULTS: &str = "the value in `[defaults]`";

const ON_INVALID_RECORD: &Typed<ChoiceKind<RecordPolicy>, NodeKeys> = &Typed {
    kind: POLICY,
    slot: Slot::Placed(|node: &mut NodeKeys| &mut node.on_invalid_record),
};

const PARALLELISM: Setting<NodeKeys> = Setting {
    key: "parallelism",
    value: &Typed {
        kind: NumberKind {
            least: 1,
            most: MOST_KEY_GROUPS,
        },
        slot: Slot::OptionalPlaced(|node: &mut NodeKeys| &mut node.parallelism, OF_DEFAULTS),
    },
    help: "The number of its subtasks.",
    since: FIRST,
};

const INPUTS: Setting<NodeKeys> = Setting {
    key: "inputs",
    value: &Own {
        kind: "list of [inputs](#inputs)",
        schema: inputs_schema,
        read: |table, node: &mut NodeKeys| node.inputs = inputs(table),
        absent: None,
    },
    help: "The outputs that it reads. The guest of an operator knows an input by its index.",
    since: FIRST,
};

const CONNECTOR: Setting<NodeKeys> = Setting {
    key: "connector",
    value: &Typed {
        kind: TextKind {
            expected: CONNECTOR_NAME,
            pattern: None,
        },
        slot: Slot::Required(|node: &mut NodeKeys| &mut node.connector, CONNECTOR_NAME),
    },
    help: "The name of its connector, which decides the other keys.",
    since: FIRST,
};

/// The keys of an input.
#[derive(Debug, Default)]
pub(crate) struct InputKeys {
    from: Option<Spanned<String>>,
    partition: Option<Spanned<Partitioning>>,
}

/// The keys of an input.
pub(crate) static INPUT: Section<InputKeys> = Section {
    help: "One input of an operator or sink.",
    settings: &[
        Setting {
            key: "from",
            value: &Typed {
                kind: TextKind {
                    expected: INPUT_NAME,
                    pattern: None,
                },
                slot: Slot::Required(|input: &mut InputKeys| &mut input.from, INPUT_NAME),
            },
            help: "A source or operator. `split:1` or `split:late` is one of the output ports of \
                   `split`, and `split:dead-letter` has the records that it could not process, or \
                   that a source rejected.",
            since: FIRST,
        },
        Setting {
            key: "partition",
            value: &Typed {
                kind: PARTITIONINGS,
                slot: Slot::OptionalPlaced(
                    |input: &mut InputKeys| &mut input.partition,
                    "`forward` if both sides have the same parallelism, else `rebalance`",
                ),
            },
            help: "The distribution of records over subtasks.",
            since: FIRST,
        },
    ],
};

const PARTITIONINGS: ChoiceKind<Partitioning> = ChoiceKind {
    words: &[
        Word {
            word: "forward",
            value: Partitioning::Forward,
            help: "Subtask i to subtask i.",
        },
        Word {
            word: "hash",
            value: Partitioning::Hash,
            help: "To the subtask that owns the key group of the record's key.",
        },
        Word {
            word: "rebalance",
            value: Partitioning::Rebalance,
            help: "To each subtask in turn.",
        },
        Word {
            word: "broadcast",
            value: Partitioning::Broadcast,
            help: "To every subtask.",
        },
    ],
};

fn outputs_schema() -> Value {
    json!({ "type": "array", "items": { "type": "string" }, "minItems": 1 })
}

fn inputs_schema(generator: &mut SchemaGenerator) -> Value {
    let input = INPUT.schema(generator);
    let definitions = generator.definitions_mut();
    definitions.insert("Input".to_owned(), input);
    json!({ "type": "array", "items": { "$ref": "#/$defs/Input" } })
}

fn inputs(reader: &mut TableReader<'_, '_>) -> Option<(Span, Vec<InputEntry>)> {
    let what = "a list such as [{ from = \"name\" }]";
    let found = reader.array("inputs", what);
    let (span, items) = reader.required(found, "inputs", what)?;
    let mut inputs = Vec::new();
    for item in items.iter() {
        let DeValue::Table(table) = item.get_ref() else {
            reader.wrong_type("inputs", item, "tables such as { from = \"name\" }");
            continue;
        };
        let title = format!("an input of {}", reader.title());
        let mut entry = TableReader::new(title, item.span(), table, reader.problems());
        let InputKeys { from, partition } = INPUT.read(&mut entry);
        entry.finish();
        inputs.extend(from.map(|from| InputEntry { from, partition }));
    }
    Some((span, inputs))
}
