//! The manifest, which lists the parts of a complete checkpoint. Pure; `FORMAT.md` documents every
//! byte.
//!
//! The invariants:
//! - it lists every subtask of its graph exactly once, by node and index;
//! - every file it lists was durable before it was written;
//! - its own digest covers every byte before the digest.
//!
//! `manifest_codec.rs` turns it into bytes.

use serde::{Deserialize, Serialize};
use thiserror::Error;
use tidegate_connector::sink::PendingOutput;
use tidegate_connector::source::SourceSplit;
use tidegate_connector::{CheckpointId, LARGEST_NUMBER, Lineage, SubtaskId};

use super::StateIdentity;
use super::file_names::StateFileName;
use crate::job_graph::{GraphError, JobGraph, NodeKind};

/// A complete checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Its id.
    pub checkpoint: CheckpointId,
    /// Its lineage.
    pub lineage: Lineage,
    /// The savepoint or checkpoint from which the lineage started, if any.
    pub origin: Option<Origin>,
    /// The attempt that took it. An older attempt may not commit after a newer one.
    pub attempt: u64,
    /// The time when it was taken, in milliseconds since the Unix epoch. For people only.
    pub created_at_ms: u64,
    /// Its purpose.
    pub kind: CheckpointKind,
    /// The graph that ran.
    pub graph: JobGraph,
    /// One entry for each subtask of the graph, in the order of [`SubtaskId`].
    pub subtasks: Vec<SubtaskSnapshot>,
}

/// The purpose of a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckpointKind {
    /// Checkpoint 0 of a fresh start: positions before the first record, no state.
    Start,
    /// A copy of a savepoint or checkpoint from elsewhere, before the first record after it, with
    /// its original graph.
    Imported,
    /// Taken while the job ran, or when it was stopped.
    Running,
    /// Taken at the end of the job: nothing remains to run.
    Final,
}

/// The checkpoint from which a lineage started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Its lineage.
    pub lineage: Lineage,
    /// Its id there.
    pub checkpoint: CheckpointId,
    /// BLAKE3 of its manifest.
    pub digest: [u8; 32],
}

/// The contribution of one subtask to a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubtaskSnapshot {
    /// The subtask.
    pub subtask: SubtaskId,
    /// True if all of its inputs (a source: its splits) had ended and, in an operator, `finish`
    /// had returned.
    pub has_ended: bool,
    /// The last watermark before the barrier that reached the subtask or, in a source, that it
    /// emitted; `None` before the first.
    pub watermark: Option<i64>,
    /// Its contents.
    pub contents: SnapshotContents,
}

/// A subtask's part of a checkpoint, by kind of node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SnapshotContents {
    /// Positions.
    Source {
        /// All splits of the subtask.
        splits: Vec<SourceSplit>,
    },
    /// State.
    Operator {
        /// None if there is no state.
        state: Option<StateFile>,
    },
    /// Output that is durable but not yet visible.
    Sink {
        /// In the order in which it was written.
        pending: Vec<PendingOutput>,
    },
}

/// A file with the state of one subtask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateFile {
    /// Its name in `state/`.
    pub name: String,
    /// Its length in bytes.
    pub length: u64,
    /// BLAKE3 of its bytes.
    pub digest: [u8; 32],
}

/// A contradiction in a manifest.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum InconsistentManifest {
    /// The graph is invalid.
    #[error("its job graph is not valid: {0}")]
    Graph(#[from] GraphError),
    /// A subtask of the graph has no entry.
    #[error("it does not list {subtask}")]
    Missing {
        /// The subtask.
        subtask: SubtaskId,
    },
    /// A subtask has two entries, or its entry is out of order.
    #[error("it lists {subtask} twice or out of order")]
    Unordered {
        /// The subtask.
        subtask: SubtaskId,
    },
    /// An entry is of a subtask that the graph does not have.
    #[error("{subtask} is not a subtask of its job graph")]
    Unknown {
        /// The subtask.
        subtask: SubtaskId,
    },
    /// The contents do not fit the node.
    #[error("it lists the contents of a {found} for {subtask}, which is a {expected}")]
    WrongKind {
        /// The subtask.
        subtask: SubtaskId,
        /// The kind of node with such contents.
        found: NodeKind,
        /// The kind of its node.
        expected: NodeKind,
    },
    /// A number is larger than Tidegate ever hands out.
    #[error("its {what} is {number}; the largest is {LARGEST_NUMBER}")]
    NumberTooLarge {
        /// The name of the number.
        what: &'static str,
        /// The number.
        number: u64,
    },
    /// The manifest refers to a state file of another checkpoint or attempt.
    #[error("it names {name:?} as the state file of {subtask}; the name must be {expected}")]
    ForeignFile {
        /// The subtask.
        subtask: SubtaskId,
        /// The file's name.
        name: String,
        /// The expected name.
        expected: String,
    },
}

impl Manifest {
    /// Returns the entries of one node, by subtask.
    #[must_use]
    pub fn snapshots_of(&self, node: &str) -> &[SubtaskSnapshot] {
        let name = |snapshot: &SubtaskSnapshot| snapshot.subtask.operator.as_str().cmp(node);
        let from = self
            .subtasks
            .partition_point(|snapshot| name(snapshot).is_lt());
        let behind = &self.subtasks[from..];
        &behind[..behind.partition_point(|snapshot| name(snapshot).is_eq())]
    }

    /// Returns the pending output of one sink, from all of its subtasks.
    #[must_use]
    pub fn pending_output(&self, sink: &str) -> Vec<PendingOutput> {
        let snapshots = self.snapshots_of(sink).iter();
        let pending = snapshots.flat_map(|snapshot| match &snapshot.contents {
            SnapshotContents::Sink { pending } => pending.as_slice(),
            SnapshotContents::Source { .. } | SnapshotContents::Operator { .. } => &[],
        });
        pending.cloned().collect()
    }

    /// Checks the invariants of this file that the types don't express, except for digests.
    ///
    /// # Errors
    ///
    /// The first [`InconsistentManifest`] found.
    pub fn check(&self) -> Result<(), InconsistentManifest> {
        self.check_numbers()?;
        let graph = &self.graph;
        let (nodes, edges) = (graph.nodes().to_vec(), graph.edges().to_vec());
        JobGraph::new(
            graph.job().to_owned(),
            graph.max_parallelism(),
            nodes,
            edges,
        )?;

        let mut last = None;
        for snapshot in &self.subtasks {
            let subtask = &snapshot.subtask;
            let node = graph.node(&subtask.operator);
            let node = node.filter(|node| subtask.index < node.parallelism);
            let node = node.ok_or_else(|| InconsistentManifest::Unknown {
                subtask: subtask.clone(),
            })?;
            self.check_contents(snapshot, node.kind)?;
            if last.is_some_and(|last| last >= subtask) {
                let subtask = subtask.clone();
                return Err(InconsistentManifest::Unordered { subtask });
            }
            last = Some(subtask);
        }
        let has = |subtask: &SubtaskId| {
            let place = self
                .subtasks
                .binary_search_by(|snapshot| snapshot.subtask.cmp(subtask));
            place.is_ok()
        };
        match subtasks_of(graph).find(|subtask| !has(subtask)) {
            Some(subtask) => Err(InconsistentManifest::Missing { subtask }),
            None => Ok(()),
        }
    }

    /// Returns all state files with their subtasks.
    pub fn state_files(&self) -> impl Iterator<Item = (&SubtaskId, &StateFile)> {
        self.subtasks
            .iter()
            .filter_map(|snapshot| match &snapshot.contents {
                SnapshotContents::Operator { state } => Some((&snapshot.subtask, state.as_ref()?)),
                SnapshotContents::Source { .. } | SnapshotContents::Sink { .. } => None,
            })
    }

    /// Returns the identity that the state file of `subtask` must have.
    #[must_use]
    pub fn identity_of(&self, subtask: &SubtaskId) -> StateIdentity {
        StateIdentity {
            job: self.graph.job().to_owned(),
            lineage: self.lineage,
            attempt: self.attempt,
            checkpoint: self.checkpoint,
            subtask: subtask.clone(),
        }
    }

    fn check_numbers(&self) -> Result<(), InconsistentManifest> {
        let origin = self.origin.as_ref().map_or(0, |origin| origin.checkpoint.0);
        for (what, number) in [
            ("checkpoint", self.checkpoint.0),
            ("attempt", self.attempt),
            ("origin's checkpoint", origin),
        ] {
            if number > LARGEST_NUMBER {
                return Err(InconsistentManifest::NumberTooLarge { what, number });
            }
        }
        Ok(())
    }

    fn check_contents(
        &self,
        snapshot: &SubtaskSnapshot,
        expected: NodeKind,
    ) -> Result<(), InconsistentManifest> {
        let subtask = &snapshot.subtask;
        let found = snapshot.contents.kind();
        if found != expected {
            return Err(InconsistentManifest::WrongKind {
                subtask: subtask.clone(),
                found,
                expected,
            });
        }
        let SnapshotContents::Operator { state: Some(file) } = &snapshot.contents else {
            return Ok(());
        };
        let expected = self.identity_of(subtask).file_name().to_string();
        if file.name != expected {
            return Err(InconsistentManifest::ForeignFile {
                subtask: subtask.clone(),
                name: file.name.clone(),
                expected,
            });
        }
        Ok(())
    }
}

impl SnapshotContents {
    /// Returns the kind of node with such contents.
    #[must_use]
    pub fn kind(&self) -> NodeKind {
        match self {
            Self::Source { .. } => NodeKind::Source,
            Self::Operator { .. } => NodeKind::Operator,
            Self::Sink { .. } => NodeKind::Sink,
        }
    }
}

impl StateIdentity {
    /// Returns the name of the file with this state.
    pub(super) fn file_name(&self) -> StateFileName {
        StateFileName {
            checkpoint: self.checkpoint,
            subtask: self.subtask.clone(),
            attempt: self.attempt,
        }
    }
}

/// Every subtask of a graph, node after node.
fn subtasks_of(graph: &JobGraph) -> impl Iterator<Item = SubtaskId> {
    graph.nodes().iter().flat_map(|node| {
        (0..node.parallelism).map(|index| SubtaskId {
            operator: node.name.clone(),
            index,
        })
    })
}
