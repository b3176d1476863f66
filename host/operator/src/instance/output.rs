//! Record path: operator instance → **output check** → router → sink.
//!
//! The host checks here the results of a guest, before any other part sees them: layout of the
//! columns, ports, key groups and size. The lists that wasmtime lifted are moved, never copied.

use std::collections::BTreeSet;

use crate::batch::{Batch, Column, Emission};
use crate::bindings::tidegate::operator::types;
use crate::cost::EMISSION_BYTES;
use crate::fault::{BatchColumn, FaultCause, MalformedSnapshot};
use crate::guest_text;
use crate::limits::Limits;
use crate::state_chunk::{OperatorContext, StateChunk, snapshot_bytes};

/// The rules for the results of an instance, from its context and limits.
#[derive(Debug)]
pub(crate) struct OutputRules {
    /// The number of output ports.
    ports: u32,
    first_key_group: u32,
    last_key_group: u32,
    output_limit: u64,
    snapshot_limit: u64,
}

impl OutputRules {
    pub(crate) fn new(context: &OperatorContext, limits: &Limits) -> Self {
        Self {
            ports: u32::try_from(context.outputs.len()).unwrap_or(u32::MAX),
            first_key_group: context.first_key_group,
            last_key_group: context.last_key_group,
            output_limit: limits.output,
            snapshot_limit: limits.snapshot,
        }
    }

    /// Checks the results of `process`, `advance-watermark` or `finish`.
    pub(crate) fn check_emissions(
        &self,
        emissions: Vec<types::Emission>,
    ) -> Result<Vec<Emission>, FaultCause> {
        let limit = self.output_limit;
        let mut bytes = 0;
        let check = |(index, emission): (usize, types::Emission)| {
            let port = emission.port;
            if port >= self.ports {
                return Err(FaultCause::UndeclaredPort {
                    port,
                    declared: self.ports,
                });
            }
            let batch = check_batch(index, emission.records)?;
            bytes += EMISSION_BYTES + batch.byte_size() as u64;
            if bytes > limit {
                return Err(FaultCause::OutputLimit { limit });
            }
            Ok(Emission { port, batch })
        };
        // In place: both types have the same size, so the list needs no allocation.
        emissions.into_iter().enumerate().map(check).collect()
    }

    /// Checks the result of `snapshot`.
    pub(crate) fn check_chunks(
        &self,
        chunks: Vec<types::StateChunk>,
    ) -> Result<Vec<StateChunk>, FaultCause> {
        let chunks: Vec<StateChunk> = chunks.into_iter().map(StateChunk::from).collect();
        if snapshot_bytes(&chunks) > self.snapshot_limit {
            let limit = self.snapshot_limit;
            return Err(FaultCause::SnapshotLimit { limit });
        }
        let mut seen = BTreeSet::new();
        for chunk in &chunks {
            self.check_key_group(chunk)?;
            // Operator state may come in any number of chunks, which a rescaled job distributes.
            let Some(key_group) = chunk.key_group else {
                continue;
            };
            if !seen.insert((chunk.name.as_str(), key_group)) {
                let name = guest_text::one_line(&chunk.name);
                return Err(MalformedSnapshot::DuplicateKeyedChunk { name, key_group }.into());
            }
        }
        Ok(chunks)
    }

    fn check_key_group(&self, chunk: &StateChunk) -> Result<(), MalformedSnapshot> {
        let (first, last) = (self.first_key_group, self.last_key_group);
        match chunk.key_group {
            Some(key_group) if !(first..=last).contains(&key_group) => {
                Err(MalformedSnapshot::KeyGroupNotOwned {
                    name: guest_text::one_line(&chunk.name),
                    key_group,
                    first,
                    last,
                })
            }
            Some(_) | None => Ok(()),
        }
    }
}

fn check_batch(emission: usize, records: types::Batch) -> Result<Batch, FaultCause> {
    let keys = check_column(emission, BatchColumn::Key, records.keys)?;
    let values = check_column(emission, BatchColumn::Value, records.values)?;
    Batch::from_columns(records.timestamps, keys, values)
        .map_err(|error| FaultCause::MalformedBatch { emission, error })
}

fn check_column(
    emission: usize,
    column: BatchColumn,
    raw: types::Column,
) -> Result<Column, FaultCause> {
    Column::from_parts(raw.offsets, raw.data).map_err(|error| FaultCause::MalformedColumn {
        emission,
        column,
        error,
    })
}

impl From<Batch> for types::Batch {
    fn from(batch: Batch) -> Self {
        let (timestamps, keys, values) = batch.into_columns();
        Self {
            timestamps,
            keys: keys.into(),
            values: values.into(),
        }
    }
}

impl From<Column> for types::Column {
    fn from(column: Column) -> Self {
        let (offsets, data) = column.into_parts();
        Self { offsets, data }
    }
}

impl From<StateChunk> for types::StateChunk {
    fn from(chunk: StateChunk) -> Self {
        Self {
            name: chunk.name,
            schema_version: chunk.schema_version,
            key_group: chunk.key_group,
            bytes: chunk.bytes,
        }
    }
}

impl From<types::StateChunk> for StateChunk {
    fn from(chunk: types::StateChunk) -> Self {
        Self {
            name: chunk.name,
            schema_version: chunk.schema_version,
            key_group: chunk.key_group,
            bytes: chunk.bytes,
        }
    }
}

impl From<&OperatorContext> for types::Context {
    fn from(context: &OperatorContext) -> Self {
        Self {
            job: context.job.clone(),
            operator: context.operator.clone(),
            subtask: context.subtask,
            parallelism: context.parallelism,
            max_parallelism: context.max_parallelism,
            first_key_group: context.first_key_group,
            last_key_group: context.last_key_group,
            inputs: context.inputs.clone(),
            outputs: context.outputs.clone(),
            config: context.config.clone(),
            hash_seed: context.hash_seed,
        }
    }
}
