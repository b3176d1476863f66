//! Output that waits for its checkpoint, as a manifest lists it. Pure.

use serde::{Deserialize, Serialize};
use tidegate_connector::sink::PendingOutput;
use tidegate_connector::{CheckpointId, ConnectorError, Lineage};

use super::names::{LineageDigits, PartName, PendingName};
use crate::versioned;

/// Version of [`PendingPart`].
const PENDING_VERSION: u8 = 1;

/// A part that is durable under its pending name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PendingPart {
    /// The lineage that wrote it.
    pub(super) lineage: Lineage,
    /// The checkpoint that it was cut at. A later one publishes it if that one was abandoned.
    pub(super) checkpoint: CheckpointId,
    /// Its name now.
    pub(super) pending_name: String,
    /// Its name when published.
    pub(super) part_name: String,
    /// Its length in bytes.
    pub(super) length: u64,
}

impl PendingPart {
    /// A finished part, to be published with `checkpoint`.
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

    /// Refuses names that are not those of parts: they are used as paths.
    pub(super) fn of_output(output: &PendingOutput) -> Result<Self, ConnectorError> {
        let refuse = |why: String| ConnectorError::StateRefused {
            reason: format!("pending output of the file sink in the checkpoint: {why}"),
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
