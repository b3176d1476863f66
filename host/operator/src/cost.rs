//! The host's fixed cost of each piece that a guest hands over, apart from its bytes.
//!
//! Limits count both: a million pieces of a byte cost more than a million bytes. The costs are
//! rounded up: those of a structure, of its allocations, and of writing it.

/// A chunk of a snapshot, apart from its name and bytes: 64 bytes of structure, up to 48 of
/// allocations; in a checkpoint, up to 96 of header, including the operator's name.
pub(crate) const CHUNK_BYTES: u64 = 128;
/// An emission, apart from its columns: 128 bytes of structure, up to 130 of allocations.
pub(crate) const EMISSION_BYTES: u64 = 256;
/// A line of the log, apart from its text: time, level, operator and subtask.
pub(crate) const LOG_LINE_BYTES: u64 = 128;
/// The answer of `key-groups` for one key.
pub(crate) const KEY_GROUP_BYTES: u64 = 4;
