//! The settings of the job as a whole: `[checkpoint]`, `[restart]`, `[isolation]`, `[defaults]` and
//! the limits of operators. Each section is a list; code beside it checks the rest.

mod limits;
mod restart;
mod version;

use tidegate_runtime::config::{
    CheckpointSettings, IsolationSettings, ParallelismSettings, RecycleAt,
};
use toml::Spanned;

use crate::config_file::problem::Problem;
use crate::config_file::reader::{TableReader, Zero};
use crate::config_file::setting::{
    DurationKind, FIRST, NumberKind, Placed, Section, Setting, ShareKind, Slot, TextKind, Typed,
};

pub(crate) use limits::LIMITS;
pub use limits::{LimitsSchema, limits};
pub(crate) use restart::{RESTART, restart};
pub use version::{version, version_schema};

/// The largest `max-parallelism`.
pub const MOST_KEY_GROUPS: u32 = 1 << 15;
/// The most restarts of a period. The process remembers each of them.
const MOST_ISOLATION_RESTARTS: u32 = 1_000_000;
const MOST_LETTERS_IN_A_ROW: u32 = 1_000_000_000;

/// Returns the number of key groups of a job that does not set `max-parallelism`.
#[must_use]
pub fn default_max_parallelism() -> u32 {
    ParallelismSettings::default().max_parallelism
}

/// The top-level keys of the file, except `version`.
#[derive(Debug, Default)]
pub(crate) struct Root {
    /// The job's name.
    pub(crate) name: Option<Spanned<String>>,
}

/// The top-level keys of the file, except `version`.
pub(crate) static ROOT: Section<Root> = Section {
    help: "A stream-processing job.",
    settings: &[Setting {
        key: "name",
        value: &Typed {
            kind: TextKind {
                expected: "the job's name",
                pattern: Some("^[A-Za-z0-9_-]{1,64}$"),
            },
            slot: Slot::Required(
                |root: &mut Root| &mut root.name,
                "the job's name, such as `name = \"word-count\"`",
            ),
        },
        help: "The job's name: 1 to 64 of a-z, A-Z, 0-9, `-` and `_`. Checkpoints, savepoints and \
               metrics carry it.",
        since: FIRST,
    }],
};

/// Reads the job's name. It appears in savepoints, metrics and messages, so it follows the rule for
/// nodes.
pub(crate) fn name(root: &mut TableReader<'_, '_>) -> Option<Spanned<String>> {
    let name = ROOT.read(root).name?;
    let is_fine = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let text = name.get_ref();
    if text.len() > 64 || !text.chars().all(is_fine) {
        let message = format!("the job's name is {text:?}");
        let help = "expected 1 to 64 of a-z, A-Z, 0-9, `-` and `_`";
        root.problems()
            .push(Problem::at(name.span(), message).help(help));
    }
    Some(name)
}

/// `[checkpoint]`.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    /// The checkpoint directory, as written.
    pub(crate) directory: String,
    /// The times of checkpoints and the number kept.
    pub(crate) settings: CheckpointSettings,
}

impl Default for Checkpoint {
    fn default() -> Self {
        Self {
            directory: "state".to_owned(),
            settings: CheckpointSettings::default(),
        }
    }
}

/// `[checkpoint]`.
pub(crate) static CHECKPOINT: Section<Checkpoint> = Section {
    help: "The schedule and the retention of checkpoints.",
    settings: &[
        Setting {
            key: "directory",
            value: &Typed {
                kind: TextKind {
                    expected: "a path, relative to the job file",
                    pattern: None,
                },
                slot: Slot::Value(|section: &mut Checkpoint| &mut section.directory),
            },
            help: "The checkpoint directory, relative to the job file. The job creates it if it \
                   is missing.",
            since: FIRST,
        },
        Setting {
            key: "interval",
            value: &Typed {
                kind: DurationKind {
                    zero: Zero::Refused,
                },
                slot: Slot::Value(|section: &mut Checkpoint| &mut section.settings.interval),
            },
            help: "The time from the start of one checkpoint to the start of the next.",
            since: FIRST,
        },
        Setting {
            key: "timeout",
            value: &Typed {
                kind: DurationKind {
                    zero: Zero::Refused,
                },
                slot: Slot::Value(|section: &mut Checkpoint| &mut section.settings.timeout),
            },
            help: "The time that a checkpoint may take. The job abandons a checkpoint that takes \
                   longer.",
            since: FIRST,
        },
        Setting {
            key: "min-pause",
            value: &Typed {
                kind: DurationKind {
                    zero: Zero::Allowed,
                },
                slot: Slot::Value(|section: &mut Checkpoint| &mut section.settings.min_pause),
            },
            help: "The least time from the end of one checkpoint to the start of the next.",
            since: FIRST,
        },
        Setting {
            key: "retain",
            value: &Typed {
                kind: NumberKind {
                    least: 1,
                    most: 10_000,
                },
                slot: Slot::Value(|section: &mut Checkpoint| &mut section.settings.retain),
            },
            help: "The number of complete checkpoints that are kept.",
            since: FIRST,
        },
        Setting {
            key: "tolerable-failures",
            value: &Typed {
                kind: NumberKind {
                    least: 0,
                    most: u32::MAX,
                },
                slot: Slot::Value(|section: &mut Checkpoint| {
                    &mut section.settings.tolerable_failures
                }),
            },
            help: "The number of checkpoints in a row that may fail. One more restarts the job.",
            since: FIRST,
        },
        Setting {
            key: "drill-every",
            value: &Typed {
                kind: NumberKind {
                    least: 1,
                    most: u32::MAX,
                },
                slot: Slot::Optional(
                    |section: &mut Checkpoint| &mut section.settings.drill_every,
                    "no restore drills",
                ),
            },
            help: "The number of complete checkpoints from one restore drill to the next. A drill \
                   restores a checkpoint beside the job, to prove that it can be restored.",
            since: FIRST,
        },
    ],
};

/// `[isolation]`.
pub(crate) static ISOLATION: Section<IsolationSettings> = Section {
    help: "The bounds on isolating records for the dead-letter ports of operators.",
    settings: &[
        Setting {
            key: "restarts",
            value: &Typed {
                kind: NumberKind {
                    least: 0,
                    most: MOST_ISOLATION_RESTARTS,
                },
                slot: Slot::Value(|section: &mut IsolationSettings| &mut section.restarts),
            },
            help: "The most restarts to isolate records within a period. They do not count \
                   against those of `[restart]`.",
            since: FIRST,
        },
        Setting {
            key: "period",
            value: &Typed {
                kind: DurationKind {
                    zero: Zero::Refused,
                },
                slot: Slot::Value(|section: &mut IsolationSettings| &mut section.period),
            },
            help: "The period in which `restarts` are counted.",
            since: FIRST,
        },
        Setting {
            key: "in-a-row",
            value: &Typed {
                kind: NumberKind {
                    least: 1,
                    most: MOST_LETTERS_IN_A_ROW,
                },
                slot: Slot::Value(|section: &mut IsolationSettings| &mut section.in_a_row),
            },
            help: "The most dead letters of a subtask in a row, with no record between them that \
                   its operator processed. One more ends the job.",
            since: FIRST,
        },
    ],
};

/// `[defaults]`.
#[derive(Debug)]
pub(crate) struct Defaults {
    /// The parallelism of nodes that set none. It has a place if the file sets it.
    pub(crate) parallelism: Placed<u32>,
    /// Number of key groups.
    pub(crate) max_parallelism: Placed<u32>,
    /// The memory share at which operators that set none replace their instances.
    pub(crate) recycle_at: RecycleAt,
}

impl Default for Defaults {
    fn default() -> Self {
        let settings = ParallelismSettings::default();
        Self {
            parallelism: settings.parallelism.into(),
            max_parallelism: settings.max_parallelism.into(),
            recycle_at: RecycleAt::default(),
        }
    }
}

/// `[defaults]`.
pub(crate) static DEFAULTS: Section<Defaults> = Section {
    help: "The settings of nodes that set none of their own, and the number of key groups.",
    settings: &[
        Setting {
            key: "parallelism",
            value: &Typed {
                kind: NumberKind {
                    least: 1,
                    most: MOST_KEY_GROUPS,
                },
                slot: Slot::Placed(|section: &mut Defaults| &mut section.parallelism),
            },
            help: "The number of subtasks of a node.",
            since: FIRST,
        },
        Setting {
            key: "max-parallelism",
            value: &Typed {
                kind: NumberKind {
                    least: 1,
                    most: MOST_KEY_GROUPS,
                },
                slot: Slot::Placed(|section: &mut Defaults| &mut section.max_parallelism),
            },
            help: "The number of key groups, and the largest parallelism of any node. It never \
                   changes in the life of a job's state.",
            since: FIRST,
        },
        Setting {
            key: "recycle-at",
            value: &Typed {
                kind: ShareKind,
                slot: Slot::Value(|section: &mut Defaults| &mut section.recycle_at),
            },
            help: "The share of its memory limit at which an operator's instance is recycled.",
            since: FIRST,
        },
    ],
};
