//! The content of a job file, key by key: every value has its type and its place. Later steps look
//! up names, ports, connectors and components.

use tidegate_checkpoint::{NodeKind, Partitioning};
use tidegate_operator::Limits;
use tidegate_runtime::config::{IsolationSettings, RecordPolicies, RecycleAt, RestartSettings};
use toml::Spanned;
use toml::de::DeTable;

use super::nodes::{ConfigTable, Nodes};
use super::settings::{Checkpoint, Defaults};
use crate::config_file::problem::Span;

/// A job file.
#[derive(Debug)]
pub(crate) struct Document<'i> {
    /// The job's name.
    pub(crate) name: String,
    /// `[checkpoint]`.
    pub(crate) checkpoint: Checkpoint,
    /// `[restart]`.
    pub(crate) restart: RestartSettings,
    /// `[isolation]`.
    pub(crate) isolation: IsolationSettings,
    /// `[defaults]`.
    pub(crate) defaults: Defaults,
    /// Sources, operators and sinks.
    pub(crate) nodes: Nodes<'i>,
}

/// A source, operator or sink.
#[derive(Debug)]
pub(crate) struct NodeEntry<'i> {
    /// Its name, placed at the table's header.
    pub(crate) name: Spanned<String>,
    /// Its own parallelism, if it sets one.
    pub(crate) parallelism: Option<Spanned<u32>>,
    /// The inputs, in order.
    pub(crate) inputs: Vec<InputEntry>,
    /// The place of the key `inputs`, or of the header if it is missing.
    pub(crate) inputs_span: Span,
    /// The place of the first "dead-letter" among its policies; `None` if it has no dead letters.
    pub(crate) dead_letter_span: Option<Span>,
    /// The part that differs by kind.
    pub(crate) part: PartEntry<'i>,
}

impl NodeEntry<'_> {
    /// Returns the kind: source, operator or sink.
    pub(crate) fn kind(&self) -> NodeKind {
        match self.part {
            PartEntry::Source(_) => NodeKind::Source,
            PartEntry::Operator(_) => NodeKind::Operator,
            PartEntry::Sink(_) => NodeKind::Sink,
        }
    }

    /// Returns the node's name in messages: "operator `count`".
    pub(crate) fn title(&self) -> String {
        format!("{} `{}`", self.kind(), self.name.get_ref())
    }
}

/// The part of a node that differs by kind.
#[derive(Debug)]
pub(crate) enum PartEntry<'i> {
    /// A source's connector.
    Source(ConnectorEntry<'i>),
    /// A component and its settings.
    Operator(Box<OperatorEntry>),
    /// A sink's connector.
    Sink(ConnectorEntry<'i>),
}

/// A connector and its options.
#[derive(Debug)]
pub(crate) struct ConnectorEntry<'i> {
    /// The connector's name.
    pub(crate) connector: Spanned<String>,
    /// All keys of the table that do not belong to every node.
    pub(crate) options: DeTable<'i>,
}

/// The settings of an operator.
#[derive(Debug)]
pub(crate) struct OperatorEntry {
    /// The component's path, as written.
    pub(crate) component: Spanned<String>,
    /// The resources that an instance may use.
    pub(crate) limits: Limits,
    /// The settings that the operator itself reads.
    pub(crate) config: ConfigTable,
    /// Names of the output ports, if the file names them.
    pub(crate) outputs: Option<Vec<String>>,
    /// The treatment of records that the operator can't process.
    pub(crate) policies: RecordPolicies,
    /// The memory share at which instances are replaced, if the file sets it.
    pub(crate) recycle_at: Option<RecycleAt>,
}

/// One entry of `inputs`.
#[derive(Debug)]
pub(crate) struct InputEntry {
    /// The upstream node and, after a colon, its port, as written.
    pub(crate) from: Spanned<String>,
    /// The partitioning, if the entry sets it.
    pub(crate) partition: Option<Spanned<Partitioning>>,
}
