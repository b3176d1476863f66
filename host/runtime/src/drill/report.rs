//! The findings of a restore drill, as data.

use std::fmt;

use serde::Serialize;

use crate::CheckpointId;

/// The findings when every subtask of a checkpoint was restored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DrillReport {
    /// The checkpoint.
    pub checkpoint: CheckpointId,
    /// Every operator of the job, in the order of its graph.
    pub operators: Vec<OperatorDrill>,
}

/// The findings for one operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OperatorDrill {
    /// Its name.
    pub operator: String,
    /// The number of subtasks that it was restored to.
    pub parallelism: u32,
    /// The number of its subtasks in the checkpoint; 0 if the checkpoint does not know the
    /// operator.
    pub checkpoint_parallelism: u32,
    /// The relation of the component to the one that wrote the checkpoint.
    pub component: DrilledComponent,
    /// The findings, by subtask.
    pub subtasks: Vec<SubtaskDrill>,
}

/// The component that was restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DrilledComponent {
    /// The component that the checkpoint was taken with.
    Same,
    /// A component of another digest: the drill shows whether an upgrade would restore.
    Other,
    /// A new operator, unknown to the checkpoint: there was nothing to restore.
    New,
}

/// The findings for one subtask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SubtaskDrill {
    /// Its index.
    pub subtask: u32,
    /// The number of chunks that it was restored with.
    pub chunks: u64,
    /// The number of bytes of those chunks.
    pub bytes: u64,
    /// The verdict on the subtask.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// The verdict on a subtask that was restored and then took a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "kebab-case")]
pub enum Verdict {
    /// The snapshot is, byte for byte, the restored state.
    Same,
    /// The snapshot has other bytes, as another parallelism or component may write; restoring the
    /// snapshot returned the same bytes.
    Changed,
    /// The snapshot differs from the restored state.
    Differs {
        /// The first difference.
        difference: Difference,
    },
    /// The snapshot has other bytes, as allowed; restoring the snapshot returned a different one.
    Unstable {
        /// The first difference of the second comparison.
        difference: Difference,
    },
    /// The subtask can't be opened or restored, or returns no snapshot.
    Failed {
        /// The reason.
        reason: String,
    },
}

/// The first difference between two lists of chunks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Place of the chunk in its list, from 0.
    pub chunk: u64,
    /// Name of its state.
    pub name: String,
    /// Schema version of its state.
    pub schema_version: u32,
    /// Its key group; `None` for operator state.
    pub key_group: Option<u32>,
    /// The kind of difference.
    #[serde(flatten)]
    pub change: ChunkChange,
}

/// The kind of difference of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum ChunkChange {
    /// The chunk was restored and is missing in the snapshot.
    Missing,
    /// The chunk is in the snapshot and was not restored.
    Added,
    /// The chunk stands in another place.
    Moved,
    /// The schema version of the chunk has changed.
    SchemaVersion {
        /// The version in the snapshot.
        found: u32,
    },
    /// The bytes of the chunk have changed.
    Bytes {
        /// The offset of the first byte that differs.
        offset: u64,
        /// The number of bytes that were restored.
        restored: u64,
        /// The number of bytes in the snapshot.
        found: u64,
    },
}

impl Verdict {
    /// Returns true if the subtask can be restored.
    #[must_use]
    pub fn is_good(&self) -> bool {
        match self {
            Self::Same | Self::Changed => true,
            Self::Differs { .. } | Self::Unstable { .. } | Self::Failed { .. } => false,
        }
    }
}

impl DrillReport {
    /// Returns true if every subtask can be restored and nothing of its state is lost.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.problems().next().is_none()
    }

    /// Returns the problems of restoring the checkpoint, one line for each bad subtask.
    pub fn problems(&self) -> impl Iterator<Item = String> {
        let subtasks = self.operators.iter().flat_map(|operator| {
            let subtasks = operator.subtasks.iter();
            subtasks.map(move |subtask| (&operator.operator, subtask))
        });
        let bad = subtasks.filter(|(_, subtask)| !subtask.verdict.is_good());
        bad.map(|(operator, subtask)| {
            format!("{operator}[{}]: {}", subtask.subtask, subtask.verdict)
        })
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Same => f.write_str("same"),
            Self::Changed => f.write_str("changed, which is allowed, and restored again"),
            Self::Differs { difference } => write!(f, "{difference}"),
            Self::Unstable { difference } => {
                write!(
                    f,
                    "restoring its new snapshot returned a different one: {difference}"
                )
            }
            Self::Failed { reason } => f.write_str(reason),
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (chunk, name, version) = (self.chunk, &self.name, self.schema_version);
        write!(f, "chunk {chunk} (state {name:?} version {version}, ")?;
        match self.key_group {
            Some(key_group) => write!(f, "key group {key_group}): ")?,
            None => f.write_str("no key group): ")?,
        }
        match self.change {
            ChunkChange::Missing => f.write_str("it is missing"),
            ChunkChange::Added => f.write_str("it was not there before"),
            ChunkChange::Moved => f.write_str("it is in another place"),
            ChunkChange::SchemaVersion { found } => {
                write!(f, "its schema version is now {found}")
            }
            ChunkChange::Bytes {
                offset,
                restored,
                found,
            } if restored == found => write!(f, "byte {offset} differs"),
            ChunkChange::Bytes {
                offset,
                restored,
                found,
            } => write!(
                f,
                "it had {restored} bytes and now has {found}, which differ from byte {offset} on"
            ),
        }
    }
}
