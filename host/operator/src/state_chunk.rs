//! What an operator instance is told when it opens, and the state it gives and takes.
//!
//! Plain data with the meaning that `wit/operator.wit` gives it.

use serde::{Deserialize, Serialize};

use crate::cost::CHUNK_BYTES;

/// One piece of an operator's state in a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateChunk {
    /// The author's name for this state.
    pub name: String,
    /// Version of the layout of `bytes`, chosen by the author.
    pub schema_version: u32,
    /// The key group that the state belongs to; none for operator state.
    pub key_group: Option<u32>,
    /// The state itself; only the operator can read it.
    pub bytes: Vec<u8>,
}

/// Bytes of a snapshot as its limit counts them: names, state, and what the host pays for a chunk.
pub(crate) fn snapshot_bytes(chunks: &[StateChunk]) -> u64 {
    let bytes = |chunk: &StateChunk| CHUNK_BYTES + (chunk.name.len() + chunk.bytes.len()) as u64;
    chunks.iter().map(bytes).sum()
}

/// Where an instance runs, handed to the guest's `open`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorContext {
    /// The job's name.
    pub job: String,
    /// The operator's name.
    pub operator: String,
    /// Which of the parallel instances, from 0.
    pub subtask: u32,
    /// How many parallel instances there are.
    pub parallelism: u32,
    /// Number of key groups.
    pub max_parallelism: u32,
    /// First key group that the instance owns.
    pub first_key_group: u32,
    /// Last key group that the instance owns.
    pub last_key_group: u32,
    /// Names of the inputs, by input index.
    pub inputs: Vec<String>,
    /// Names of the output ports, by port.
    pub outputs: Vec<String>,
    /// The operator's `config` table of the job file, as JSON.
    pub config: String,
    /// The secret seed of the guest's hash tables.
    pub hash_seed: u64,
}
