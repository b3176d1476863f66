//! What a restore drill found, as data.

use std::fmt;

use serde::Serialize;

use crate::CheckpointId;

/// What was found when every subtask of a checkpoint was restored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DrillReport {
    /// The checkpoint.
    pub checkpoint: CheckpointId,
    /// Every operator of the job, in the order of its graph.
    pub operators: Vec<OperatorDrill>,
}

/// What was found for one operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OperatorDrill {
    /// Its name.
    pub operator: String,
    /// How many subtasks it was restored to.
    pub parallelism: u32,
    /// How many it has in the checkpoint; 0 if the checkpoint does not know it.
    pub checkpoint_parallelism: u32,
    /// Whether the component is the one that wrote the checkpoint.
    pub component: DrilledComponent,
    /// By subtask.
    pub subtasks: Vec<SubtaskDrill>,
}

/// Which component was restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DrilledComponent {
    /// The one that the checkpoint was taken with.
    Same,
    /// One of another digest: the drill says whether an upgrade would restore.
    Other,
    /// The checkpoint has no such operator: there was nothing to restore.
    New,
}

/// What was found for one subtask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SubtaskDrill {
    /// Its index.
    pub subtask: u32,
    /// Chunks that it was restored with.
    pub chunks: u64,
    /// Bytes of those.
    pub bytes: u64,
    /// What came of it.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// What came of restoring a subtask and taking a snapshot of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "kebab-case")]
pub enum Verdict {
    /// It gave back, byte for byte, what it was restored with.
    Same,
    /// It gave other bytes, as another parallelism or another component may; restoring those gave
    /// the same bytes once more.
    Changed,
    /// It gave something else.
    Differs {
        /// The first difference.
        difference: Difference,
    },
    /// It gave other bytes, as it may; restoring those gave something else again.
    Unstable {
        /// The first difference of the second time.
        difference: Difference,
    },
    /// It can't be opened or restored, or gives no snapshot.
    Failed {
        /// Why.
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
    /// Its key group; none for operator state.
    pub key_group: Option<u32>,
    /// What is different.
    #[serde(flatten)]
    pub change: ChunkChange,
}

/// How a chunk differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum ChunkChange {
    /// It was restored and is in the snapshot no more.
    Missing,
    /// It is in the snapshot and was not restored.
    Added,
    /// It stands in another place.
    Moved,
    /// Its schema version is another one.
    SchemaVersion {
        /// The one in the snapshot.
        found: u32,
    },
    /// Its bytes are others.
    Bytes {
        /// The first that differs.
        offset: u64,
        /// How many were restored.
        restored: u64,
        /// How many are in the snapshot.
        found: u64,
    },
}

impl Verdict {
    /// True if nothing speaks against restoring the subtask.
    #[must_use]
    pub fn is_good(&self) -> bool {
        match self {
            Self::Same | Self::Changed => true,
            Self::Differs { .. } | Self::Unstable { .. } | Self::Failed { .. } => false,
        }
    }
}

impl DrillReport {
    /// True if every subtask can be restored and nothing of its state is lost.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.problems().next().is_none()
    }

    /// What speaks against restoring the checkpoint, a line for each subtask.
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
            Self::Changed => f.write_str("changed, as it may, and restored once more"),
            Self::Differs { difference } => write!(f, "{difference}"),
            Self::Unstable { difference } => {
                write!(f, "what it wrote is not what it restores: {difference}")
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
            ChunkChange::Moved => f.write_str("it stands in another place"),
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
