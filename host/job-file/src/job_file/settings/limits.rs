//! `limits` of an operator.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::Value;
use tidegate_operator::Limits;

use crate::config_file::reader::{TableReader, Zero};
use crate::config_file::setting::{
    Described, DurationKind, FIRST, NumberKind, Section, Setting, SizeKind, Slot, Typed,
};

/// More memories than any operator may have: wasmtime limits them, too.
const MOST_MEMORIES: u32 = 100;

/// `limits` of an operator.
pub(crate) static LIMITS: Section<Limits> = Section {
    help: "The resources that one instance of an operator may use.",
    settings: &[
        Setting {
            key: "memory",
            value: &Typed {
                kind: SizeKind,
                slot: Slot::Value(|limits: &mut Limits| &mut limits.memory),
            },
            help: "Bytes of all its memories and tables together.",
            since: FIRST,
        },
        Setting {
            key: "call-timeout",
            value: &Typed {
                kind: DurationKind {
                    zero: Zero::Refused,
                },
                slot: Slot::Value(|limits: &mut Limits| &mut limits.call_timeout),
            },
            help: "The time that one call may take.",
            since: FIRST,
        },
        Setting {
            key: "output",
            value: &Typed {
                kind: SizeKind,
                slot: Slot::Value(|limits: &mut Limits| &mut limits.output),
            },
            help: "Bytes that one call may return. Each emission counts as 256 more.",
            since: FIRST,
        },
        Setting {
            key: "snapshot",
            value: &Typed {
                kind: SizeKind,
                slot: Slot::Value(|limits: &mut Limits| &mut limits.snapshot),
            },
            help: "Bytes that a snapshot may have. Each chunk counts as 128 more.",
            since: FIRST,
        },
        Setting {
            key: "memories",
            value: &Typed {
                kind: NumberKind {
                    least: 1,
                    most: MOST_MEMORIES,
                },
                slot: Slot::Value(|limits: &mut Limits| &mut limits.memories),
            },
            help: "Memories that it may have; each reserves 4 GiB of address space.",
            since: FIRST,
        },
        Setting {
            key: "log-lines-per-second",
            value: &Typed {
                kind: NumberKind {
                    least: 0,
                    most: u32::MAX,
                },
                slot: Slot::Value(|limits: &mut Limits| &mut limits.log_lines_per_second),
            },
            help: "The most log lines that the host logs in a second. Further lines are dropped \
                   and counted.",
            since: FIRST,
        },
        Setting {
            key: "log-bytes-per-second",
            value: &Typed {
                kind: SizeKind,
                slot: Slot::Value(|limits: &mut Limits| &mut limits.log_bytes_per_second),
            },
            help: "The most bytes of log lines that the host logs in a second.",
            since: FIRST,
        },
    ],
};

/// Reads `limits`; missing keys keep their defaults.
pub fn limits(table: &mut TableReader<'_, '_>) -> Limits {
    let title = format!("limits of {}", table.title());
    let Some(mut limits) = table.table("limits", &title) else {
        return Limits::default();
    };
    let read = LIMITS.read(&mut limits);
    limits.finish();
    read
}

/// The schema of `limits`, for derived schemas.
pub struct LimitsSchema;

impl JsonSchema for LimitsSchema {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Limits".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let Value::Object(schema) = LIMITS.schema(generator) else {
            unreachable!("the schema of a section is an object");
        };
        Schema::from(schema)
    }
}
