//! The tables of a job file, as its schema and its reference page list them.

use tidegate_checkpoint::NodeKind;

use super::nodes::{OPERATOR, SINK, SOURCE};
use super::settings::{CHECKPOINT, DEFAULTS, ISOLATION, RESTART};
use crate::config_file::setting::Described;

/// A table of a job file.
pub(crate) struct Table {
    /// Its key in the file.
    pub(crate) key: &'static str,
    /// Its settings.
    pub(crate) section: &'static dyn Described,
}

/// The tables that a job has once.
pub(crate) const JOB_TABLES: [Table; 4] = [
    Table {
        key: "checkpoint",
        section: &CHECKPOINT,
    },
    Table {
        key: "restart",
        section: RESTART,
    },
    Table {
        key: "isolation",
        section: &ISOLATION,
    },
    Table {
        key: "defaults",
        section: &DEFAULTS,
    },
];

/// Returns the settings of a node of this kind, without the options of its connector.
pub(crate) fn node_section(kind: NodeKind) -> &'static dyn Described {
    match kind {
        NodeKind::Source => &SOURCE,
        NodeKind::Operator => &OPERATOR,
        NodeKind::Sink => &SINK,
    }
}
