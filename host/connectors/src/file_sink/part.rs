//! Output that waits for its checkpoint, in the form that a manifest lists. Pure.

use serde::{Deserialize, Serialize};
use tidegate_connector::sink::PendingOutput;
use tidegate_connector::{CheckpointId, ConnectorError, Lineage};

use super::names::{LineageDigits, PartName, PendingName};
use crate::versioned;

/// The version of [`PendingPart`].
const PENDING_VERSION: u8 = 1;

/// A part that is durable under its pending name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PendingPart {
    /// The lineage that wrote the part.
    pub(super) lineage: Lineage,
    /// The checkpoint at which the part was cut. If that checkpoint is abandoned, a later one
    /// publishes the part.
    pub(super) checkpoint: CheckpointId,
    /// The name until publication.
    pub(super) pending_name: String,
    /// The name after publication.
    pub(super) part_name: String,
    /// The length in bytes.
    pub(super) length: u64,
}

impl PendingPart {
    /// Describes a finished part, which is published with `checkpoint`.
    pub(super) fn new(
        name: &PendingName,
        checkpoint: CheckpointId,
        extension: &str,
        length: u64,
    ) -> Self {
        let part_name = PartName {
            checkpoint: checkpoint.0,
            subtask: name.subtask,
            lineage: LineageDigits::of(name.lineage),
            attempt: name.attempt,
            extension: extension.to_owned(),
        };
        Self {
            lineage: name.lineage,
            checkpoint,
            pending_name: name.to_string(),
            part_name: part_name.to_string(),
            length,
        }
    }

    pub(super) fn to_output(&self) -> PendingOutput {
        PendingOutput(versioned::encode(PENDING_VERSION, self))
    }

    /// Decodes a part. Rejects names that are not those of parts, since they are used as paths.
    pub(super) fn of_output(output: &PendingOutput) -> Result<Self, ConnectorError> {
        let refuse = |why: String| ConnectorError::StateRefused {
            reason: format!(
                "the file sink's pending output in the checkpoint can't be read: {why}"
            ),
        };
        let part: Self =
            versioned::decode(PENDING_VERSION, &output.0).map_err(|e| refuse(e.to_string()))?;
        let pending = PendingName::parse(&part.pending_name);
        let is_ours = pending.is_some_and(|name| name.lineage == part.lineage);
        if !is_ours || PartName::parse(&part.part_name).is_none() {
            return Err(refuse(format!(
                "{} is not the name of a part",
                part.pending_name
            )));
        }
        Ok(part)
    }
}
