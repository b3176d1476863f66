//! The causes of faults, each with a stable code.

use std::fmt;
use std::time::Duration;

use thiserror::Error;

use super::TrapReport;
use super::shown::{ShownBytes, ShownDuration, ShownHint, ShownTrap};
use crate::batch::{MalformedBatch, MalformedColumn};
use crate::system_refusal::SystemRefusal;

/// The reason why a call did not succeed. The text continues after the name of the call.
///
/// [`FaultCause::code`] names each cause for programs. Codes never change:
///
/// | code | variant |
/// | --- | --- |
/// | `trap` | [`Trap`](Self::Trap) |
/// | `call-timeout` | [`Timeout`](Self::Timeout) |
/// | `cancelled` | [`Cancelled`](Self::Cancelled) |
/// | `memory-limit` | [`MemoryLimit`](Self::MemoryLimit) |
/// | `system-refused` | [`SystemRefused`](Self::SystemRefused) |
/// | `output-limit` | [`OutputLimit`](Self::OutputLimit) |
/// | `snapshot-limit` | [`SnapshotLimit`](Self::SnapshotLimit) |
/// | `stack-exhausted` | [`StackOverflow`](Self::StackOverflow) |
/// | `thread-stack` | [`ThreadStack`](Self::ThreadStack) |
/// | `malformed-column` | [`MalformedColumn`](Self::MalformedColumn) |
/// | `malformed-batch` | [`MalformedBatch`](Self::MalformedBatch) |
/// | `undeclared-port` | [`UndeclaredPort`](Self::UndeclaredPort) |
/// | `malformed-snapshot` | [`MalformedSnapshot`](Self::MalformedSnapshot) |
/// | `invalid-record` | [`InvalidRecord`](Self::InvalidRecord) |
/// | `unknown-record` | [`UnknownRecord`](Self::UnknownRecord) |
/// | `incompatible-state` | [`IncompatibleState`](Self::IncompatibleState) |
/// | `failed` | [`Failed`](Self::Failed) |
/// | `host-panic` | [`HostPanic`](Self::HostPanic) |
/// | `instance-spent` | [`InstanceSpent`](Self::InstanceSpent) |
#[derive(Debug, Error, PartialEq, Eq)]
pub enum FaultCause {
    /// The guest stopped itself or did something forbidden to guests.
    #[error("trapped: {0}")]
    Trap(Box<TrapReport>),
    /// The call took too long and was stopped.
    #[error("ran for more than {} and was stopped", ShownDuration(*limit))]
    Timeout {
        /// The call timeout.
        limit: Duration,
    },
    /// The caller cancelled the instance, before the call or during it.
    #[error("was cancelled by its caller")]
    Cancelled,
    /// The guest ran into its memory limit and trapped.
    #[error(
        "needed more memory than its limit of {}: it asked for {} in all{}",
        ShownBytes(*limit), ShownBytes(*asked), ShownTrap(trap.as_deref())
    )]
    MemoryLimit {
        /// The limit on all its memories and tables together.
        limit: u64,
        /// The number of bytes that they would have occupied.
        asked: u64,
        /// The trap that followed; `None` if the guest could not even start.
        trap: Option<Box<TrapReport>>,
    },
    /// The system refused this process a resource that the call needs, such as memory. The guest
    /// did nothing wrong.
    #[error(
        "needed a resource that the system refuses this process, whichever operator asks for it: \
         {refusal}{}{}", ShownHint(*refusal), ShownTrap(trap.as_deref())
    )]
    SystemRefused {
        /// The system's error.
        refusal: SystemRefusal,
        /// The trap that followed; `None` if the guest was not running.
        trap: Option<Box<TrapReport>>,
    },
    /// The guest returned, or handed to a function of the host, more bytes than a call may.
    #[error("passed more than {} to the host in one call (`limits.output`)", ShownBytes(*limit))]
    OutputLimit {
        /// The output limit.
        limit: u64,
    },
    /// The snapshot is too large. The checkpoint fails, and the instance continues.
    #[error(
        "returned a snapshot of more than {} (`limits.snapshot`)", ShownBytes(*limit)
    )]
    SnapshotLimit {
        /// The snapshot limit.
        limit: u64,
    },
    /// The guest's call stack is exhausted.
    #[error("recursed too deeply and exhausted its call stack")]
    StackOverflow,
    /// The calling thread has too little stack left for a guest. The call was not made, and the
    /// instance can be called from another thread.
    #[error(
        "was not called: {} KiB of the calling thread's stack are left, but a guest may need {}; \
         give threads that call guests a larger stack (2 MiB is enough for the default), or the \
         engine a smaller guest stack", left >> 10, needed.div_ceil(1 << 10)
    )]
    ThreadStack {
        /// The number of bytes left.
        left: usize,
        /// The number of bytes that the guest and the host may need.
        needed: usize,
    },
    /// A column that the guest returned breaks a rule of the layout.
    #[error("returned a malformed batch: in emission {emission}, the {column} column: {error}")]
    MalformedColumn {
        /// The index of the emission in its call, from 0.
        emission: usize,
        /// The column of that emission.
        column: BatchColumn,
        /// The rule.
        error: MalformedColumn,
    },
    /// The columns of a batch that the guest returned do not fit together.
    #[error("returned a malformed batch: emission {emission}: {error}")]
    MalformedBatch {
        /// The index of the emission in its call, from 0.
        emission: usize,
        /// The lengths, which differ.
        error: MalformedBatch,
    },
    /// The guest emitted to an output port that the operator does not have.
    #[error("emitted to output port {port}, but the operator has {declared} (the first is 0)")]
    UndeclaredPort {
        /// The port.
        port: u32,
        /// The number of ports of the operator.
        declared: u32,
    },
    /// The snapshot breaks a rule of the contract. The checkpoint fails, and the instance
    /// continues.
    #[error("returned a malformed snapshot: {0}")]
    MalformedSnapshot(#[from] MalformedSnapshot),
    /// The guest can't process one record. The job's policy decides what happens next.
    #[error("can't process a record: {reason}")]
    InvalidRecord {
        /// The record's row in the batch, from 0; checked to exist.
        row: u32,
        /// The guest's explanation.
        reason: String,
    },
    /// The guest reported an invalid record that is not in its batch.
    #[error("rejected record {row}, but the batch has {rows}: {reason}")]
    UnknownRecord {
        /// The row that the guest named.
        row: u32,
        /// The number of records that the guest was given.
        rows: usize,
        /// The guest's explanation.
        reason: String,
    },
    /// The guest can't read the state that it received.
    #[error("can't read the state: {0}")]
    IncompatibleState(String),
    /// The guest gave up, with a reason.
    #[error("failed: {0}")]
    Failed(String),
    /// The host's WebAssembly engine panicked during the call. This is a bug of the host.
    #[error("made the host's WebAssembly engine panic: {message}")]
    HostPanic {
        /// The engine's message.
        message: String,
    },
    /// The call was not made, since an earlier one failed and left the guest in an unknown state.
    #[error("was not called: an earlier call of this instance failed")]
    InstanceSpent,
}

impl FaultCause {
    /// Returns the stable name of the cause, for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Trap(_) => "trap",
            Self::Timeout { .. } => "call-timeout",
            Self::Cancelled => "cancelled",
            Self::MemoryLimit { .. } => "memory-limit",
            Self::SystemRefused { .. } => "system-refused",
            Self::OutputLimit { .. } => "output-limit",
            Self::SnapshotLimit { .. } => "snapshot-limit",
            Self::StackOverflow => "stack-exhausted",
            Self::ThreadStack { .. } => "thread-stack",
            Self::MalformedColumn { .. } => "malformed-column",
            Self::MalformedBatch { .. } => "malformed-batch",
            Self::UndeclaredPort { .. } => "undeclared-port",
            Self::MalformedSnapshot(_) => "malformed-snapshot",
            Self::InvalidRecord { .. } => "invalid-record",
            Self::UnknownRecord { .. } => "unknown-record",
            Self::IncompatibleState(_) => "incompatible-state",
            Self::Failed(_) => "failed",
            Self::HostPanic { .. } => "host-panic",
            Self::InstanceSpent => "instance-spent",
        }
    }

    /// Returns false if the guest was not called, or its caller stopped it: then no record is to
    /// blame.
    pub(crate) fn can_stem_from_records(&self) -> bool {
        !matches!(
            self,
            Self::Cancelled | Self::ThreadStack { .. } | Self::InstanceSpent
        )
    }

    /// Returns true if the guest returned from the call, with a failure or with a snapshot that the
    /// host rejects. Other output that breaks the rules is not meant: its guest is not called
    /// again.
    pub(super) fn came_to_its_end(&self) -> bool {
        match self {
            Self::InvalidRecord { .. }
            | Self::UnknownRecord { .. }
            | Self::IncompatibleState(_)
            | Self::Failed(_)
            | Self::SnapshotLimit { .. }
            | Self::MalformedSnapshot(_) => true,
            Self::Trap(_)
            | Self::Timeout { .. }
            | Self::Cancelled
            | Self::MemoryLimit { .. }
            | Self::SystemRefused { .. }
            | Self::OutputLimit { .. }
            | Self::StackOverflow
            | Self::ThreadStack { .. }
            | Self::MalformedColumn { .. }
            | Self::MalformedBatch { .. }
            | Self::UndeclaredPort { .. }
            | Self::HostPanic { .. }
            | Self::InstanceSpent => false,
        }
    }
}

/// A column of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchColumn {
    /// The keys.
    Key,
    /// The values.
    Value,
}

impl fmt::Display for BatchColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key => "key",
            Self::Value => "value",
        })
    }
}

/// The rule that a snapshot breaks.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum MalformedSnapshot {
    /// A chunk belongs to a key group of another subtask.
    #[error("`{name}` has state of key group {key_group}, but the instance owns {first} to {last}")]
    KeyGroupNotOwned {
        /// The chunk's name.
        name: String,
        /// The chunk's key group.
        key_group: u32,
        /// The first key group that the instance owns.
        first: u32,
        /// The last key group that the instance owns.
        last: u32,
    },
    /// Two chunks have the same name and key group.
    #[error("`{name}` has two chunks of key group {key_group}")]
    DuplicateKeyedChunk {
        /// The name.
        name: String,
        /// The key group.
        key_group: u32,
    },
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Returns an example of each cause, with its code. A released code never changes.
    fn examples() -> Vec<(FaultCause, &'static str)> {
        let mut examples = breakdowns();
        examples.extend(output_and_answers());
        examples
    }

    /// Returns the causes for which a call did not come to its end.
    fn breakdowns() -> Vec<(FaultCause, &'static str)> {
        let (limit, asked, trap) = (1, 2, None);
        let timeout = FaultCause::Timeout {
            limit: Duration::ZERO,
        };
        let memory = FaultCause::MemoryLimit { limit, asked, trap };
        let system = FaultCause::SystemRefused {
            refusal: rustix::io::Errno::NOMEM.into(),
            trap: None,
        };
        let thread_stack = FaultCause::ThreadStack { left: 1, needed: 2 };
        vec![
            (FaultCause::Trap(Box::default()), "trap"),
            (timeout, "call-timeout"),
            (FaultCause::Cancelled, "cancelled"),
            (memory, "memory-limit"),
            (system, "system-refused"),
            (FaultCause::OutputLimit { limit }, "output-limit"),
            (FaultCause::SnapshotLimit { limit }, "snapshot-limit"),
            (FaultCause::StackOverflow, "stack-exhausted"),
            (thread_stack, "thread-stack"),
        ]
    }

    /// Returns the causes in the guest's results, and those of the host.
    fn output_and_answers() -> Vec<(FaultCause, &'static str)> {
        let (emission, row, rows, reason) = (0, 2, 1, || "why".to_owned());
        let column = FaultCause::MalformedColumn {
            emission,
            column: BatchColumn::Key,
            error: MalformedColumn::NoOffsets,
        };
        let error = MalformedBatch {
            timestamps: 1,
            keys: 2,
            values: 3,
        };
        let batch = FaultCause::MalformedBatch { emission, error };
        let snapshot = FaultCause::MalformedSnapshot(MalformedSnapshot::DuplicateKeyedChunk {
            name: reason(),
            key_group: 1,
        });
        let invalid = FaultCause::InvalidRecord {
            row,
            reason: reason(),
        };
        let unknown = FaultCause::UnknownRecord {
            row,
            rows,
            reason: reason(),
        };
        let port = FaultCause::UndeclaredPort {
            port: 3,
            declared: 1,
        };
        vec![
            (column, "malformed-column"),
            (batch, "malformed-batch"),
            (port, "undeclared-port"),
            (snapshot, "malformed-snapshot"),
            (invalid, "invalid-record"),
            (unknown, "unknown-record"),
            (
                FaultCause::IncompatibleState(reason()),
                "incompatible-state",
            ),
            (FaultCause::Failed(reason()), "failed"),
            (FaultCause::HostPanic { message: reason() }, "host-panic"),
            (FaultCause::InstanceSpent, "instance-spent"),
        ]
    }

    /// Returns the index of a cause among the examples. For a new cause, add an example.
    fn place(cause: &FaultCause) -> usize {
        match cause {
            FaultCause::Trap(_) => 0,
            FaultCause::Timeout { .. } => 1,
            FaultCause::Cancelled => 2,
            FaultCause::MemoryLimit { .. } => 3,
            FaultCause::SystemRefused { .. } => 4,
            FaultCause::OutputLimit { .. } => 5,
            FaultCause::SnapshotLimit { .. } => 6,
            FaultCause::StackOverflow => 7,
            FaultCause::ThreadStack { .. } => 8,
            FaultCause::MalformedColumn { .. } => 9,
            FaultCause::MalformedBatch { .. } => 10,
            FaultCause::UndeclaredPort { .. } => 11,
            FaultCause::MalformedSnapshot(_) => 12,
            FaultCause::InvalidRecord { .. } => 13,
            FaultCause::UnknownRecord { .. } => 14,
            FaultCause::IncompatibleState(_) => 15,
            FaultCause::Failed(_) => 16,
            FaultCause::HostPanic { .. } => 17,
            FaultCause::InstanceSpent => 18,
        }
    }

    #[test]
    fn every_cause_has_the_code_that_it_always_had_and_no_two_have_the_same() {
        let examples = examples();
        assert_eq!(examples.len(), 19);
        for (index, (cause, code)) in examples.iter().enumerate() {
            assert_eq!((place(cause), cause.code()), (index, *code));
        }
        let codes: BTreeSet<&str> = examples.iter().map(|(_, code)| *code).collect();
        assert_eq!(codes.len(), examples.len());
    }

    #[test]
    fn the_documents_table_has_every_code() {
        let source = include_str!("cause.rs");
        for (cause, code) in examples() {
            let debug = format!("{cause:?}");
            let variant = debug.split([' ', '(', '{']).next().unwrap_or_default();
            let row = format!("/// | `{code}` | [`{variant}`](Self::{variant}) |\n");
            assert!(source.contains(&row), "{row}");
        }
    }
}
