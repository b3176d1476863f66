//! `tidegate checkpoint inspect`: the contents of one checkpoint.

use std::collections::BTreeMap;

use bytesize::ByteSize;
use serde::Serialize;
use tidegate_checkpoint::{
    CheckpointDirectory, CheckpointKind, JobGraph, Manifest, SnapshotContents, StateFile,
    StoreError, SubtaskSnapshot,
};
use tidegate_connector::{CheckpointId, SubtaskId};
use tidegate_operator::StateChunk;

use super::{kind, time};
use crate::terminal::Lines;

/// A checkpoint for tools: bytes are hexadecimal.
#[derive(Debug, Serialize)]
pub(crate) struct Inspection {
    checkpoint: CheckpointId,
    kind: CheckpointKind,
    job: String,
    lineage: String,
    origin: Option<InspectedOrigin>,
    attempt: u64,
    created_at_ms: u64,
    /// The time at which a restore drill beside the job proved it.
    proven_at_ms: Option<u64>,
    manifest_digest: String,
    graph: JobGraph,
    subtasks: Vec<InspectedSubtask>,
}

#[derive(Debug, Serialize)]
struct InspectedOrigin {
    lineage: String,
    checkpoint: CheckpointId,
    manifest_digest: String,
}

#[derive(Debug, Serialize)]
struct InspectedSubtask {
    subtask: String,
    has_ended: bool,
    /// `None` before the first watermark.
    watermark: Option<i64>,
    #[serde(flatten)]
    contents: InspectedContents,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
enum InspectedContents {
    Splits(Vec<InspectedSplit>),
    State(Option<InspectedState>),
    Pending(Vec<String>),
}

#[derive(Debug, Serialize)]
struct InspectedSplit {
    name: String,
    position: String,
}

#[derive(Debug, Serialize)]
struct InspectedState {
    file: String,
    bytes: u64,
    digest: String,
    names: Vec<InspectedName>,
}

/// All chunks of the state with one name.
#[derive(Debug, Serialize)]
struct InspectedName {
    name: String,
    schema_version: u32,
    key_groups: usize,
    bytes: u64,
}

impl Inspection {
    /// Reads all files that the manifest refers to.
    pub(crate) fn of(
        directory: &CheckpointDirectory,
        manifest: &Manifest,
    ) -> Result<Self, StoreError> {
        let digest = directory.manifest_digest(manifest.checkpoint)?;
        let subtasks = manifest.subtasks.iter();
        let inspected = subtasks.map(|snapshot| inspect(directory, manifest, snapshot));
        Ok(Self {
            checkpoint: manifest.checkpoint,
            kind: manifest.kind,
            job: manifest.graph.job().to_owned(),
            lineage: manifest.lineage.to_string(),
            origin: manifest.origin.as_ref().map(|origin| InspectedOrigin {
                lineage: origin.lineage.to_string(),
                checkpoint: origin.checkpoint,
                manifest_digest: hexadecimal(&origin.digest),
            }),
            attempt: manifest.attempt,
            created_at_ms: manifest.created_at_ms,
            proven_at_ms: directory.proven_at_ms(manifest.checkpoint)?,
            manifest_digest: hexadecimal(&digest),
            graph: manifest.graph.clone(),
            subtasks: inspected.collect::<Result<_, _>>()?,
        })
    }

    /// Returns the checkpoint for people.
    pub(crate) fn lines(&self) -> Lines {
        let mut lines = Lines::one(format_args!(
            "checkpoint {} of job {}, {}, taken {} by attempt {}",
            self.checkpoint,
            self.job,
            kind(self.kind),
            time(self.created_at_ms),
            self.attempt,
        ));
        lines.line(format_args!("lineage {}", self.lineage));
        if let Some(origin) = &self.origin {
            let (checkpoint, lineage) = (origin.checkpoint, &origin.lineage);
            lines.line(format_args!(
                "from checkpoint {checkpoint} of lineage {lineage}"
            ));
        }
        if let Some(proven_at_ms) = self.proven_at_ms {
            lines.line(format_args!(
                "proven by a restore drill {}",
                time(proven_at_ms)
            ));
        }
        lines.line(format_args!("manifest BLAKE3 {}", self.manifest_digest));
        for subtask in &self.subtasks {
            subtask.write(&mut lines);
        }
        lines
    }
}

impl InspectedSubtask {
    fn write(&self, lines: &mut Lines) {
        let ended = if self.has_ended { ", ended" } else { "" };
        let watermark = match self.watermark {
            Some(watermark) if !self.has_ended => format!(", watermark {watermark}"),
            Some(_) | None => String::new(),
        };
        lines.line(format_args!("{}{ended}{watermark}", self.subtask));
        match &self.contents {
            InspectedContents::Splits(splits) => {
                for split in splits {
                    lines.line(format_args!("  split {}", split.name));
                }
            }
            InspectedContents::State(None) => {}
            InspectedContents::State(Some(state)) => {
                let bytes = ByteSize(state.bytes);
                lines.line(format_args!("  {bytes} in state/{}", state.file));
                for name in &state.names {
                    let (groups, bytes) = (name.key_groups, ByteSize(name.bytes));
                    let (name, version) = (&name.name, name.schema_version);
                    lines.line(format_args!(
                        "  state {name:?} version {version}: {bytes} in {groups} key group(s)"
                    ));
                }
            }
            InspectedContents::Pending(pending) => {
                lines.line(format_args!(
                    "  {} piece(s) of pending output",
                    pending.len()
                ));
            }
        }
    }
}

fn inspect(
    directory: &CheckpointDirectory,
    manifest: &Manifest,
    snapshot: &SubtaskSnapshot,
) -> Result<InspectedSubtask, StoreError> {
    let contents = match &snapshot.contents {
        SnapshotContents::Source { splits } => {
            let split = |split: &tidegate_connector::source::SourceSplit| InspectedSplit {
                name: split.name.clone(),
                position: hexadecimal(&split.position),
            };
            InspectedContents::Splits(splits.iter().map(split).collect())
        }
        SnapshotContents::Operator { state: None } => InspectedContents::State(None),
        SnapshotContents::Operator { state: Some(file) } => {
            let state = inspect_state(directory, manifest, &snapshot.subtask, file)?;
            InspectedContents::State(Some(state))
        }
        SnapshotContents::Sink { pending } => {
            let pending = pending.iter().map(|pending| hexadecimal(&pending.0));
            InspectedContents::Pending(pending.collect())
        }
    };
    Ok(InspectedSubtask {
        subtask: snapshot.subtask.to_string(),
        has_ended: snapshot.has_ended,
        watermark: snapshot.watermark,
        contents,
    })
}

fn inspect_state(
    directory: &CheckpointDirectory,
    manifest: &Manifest,
    subtask: &SubtaskId,
    file: &StateFile,
) -> Result<InspectedState, StoreError> {
    let chunks = directory.read_state(manifest, subtask, file)?;
    Ok(InspectedState {
        file: file.name.clone(),
        bytes: file.length,
        digest: hexadecimal(&file.digest),
        names: names(&chunks),
    })
}

fn names(chunks: &[StateChunk]) -> Vec<InspectedName> {
    let mut by_name: BTreeMap<(&str, u32), InspectedName> = BTreeMap::new();
    for chunk in chunks {
        let key = (chunk.name.as_str(), chunk.schema_version);
        let entry = by_name.entry(key).or_insert_with(|| InspectedName {
            name: chunk.name.clone(),
            schema_version: chunk.schema_version,
            key_groups: 0,
            bytes: 0,
        });
        entry.key_groups += usize::from(chunk.key_group.is_some());
        entry.bytes += chunk.bytes.len() as u64;
    }
    by_name.into_values().collect()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_told_by_state() {
        let chunk = |name: &str, key_group| StateChunk {
            name: name.to_owned(),
            schema_version: 1,
            key_group,
            bytes: vec![0; 10],
        };
        let chunks = [
            chunk("sums", Some(3)),
            chunk("sums", Some(4)),
            chunk("seen", None),
        ];
        let told: Vec<_> = names(&chunks)
            .into_iter()
            .map(|name| (name.name, name.key_groups, name.bytes))
            .collect();
        assert_eq!(
            told,
            [("seen".to_owned(), 0, 10), ("sums".to_owned(), 2, 20)]
        );
    }
}
