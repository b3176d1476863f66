//! How a call into a guest fails: a guest's fault is expected, typed, and costs one instance.
//!
//! Everything in here that came from the guest is escaped, so that every message can be shown.

use std::fmt;
use std::time::Duration;

use rustix::io::Errno;
use thiserror::Error;

use crate::batch::{MalformedBatch, MalformedColumn};
use crate::system_refusal::SystemRefusal;

/// A call into an operator instance did not succeed.
///
/// Unless [`GuestFault::instance_is_usable`], the instance answers no other call and is to be
/// replaced from the last checkpoint.
#[derive(Debug, Error)]
#[error("operator `{operator}`, subtask {subtask}: {call} {cause}")]
pub struct GuestFault {
    /// The operator's name.
    pub operator: String,
    /// Which of its parallel instances.
    pub subtask: u32,
    /// The call that failed.
    pub call: GuestCall,
    /// Why.
    pub cause: FaultCause,
}

impl GuestFault {
    /// True only if `snapshot` or `checkpoint-complete` came to its own end, with a failure or with
    /// a snapshot that is refused: the guest's state is then as it was before the call.
    #[must_use]
    pub fn instance_is_usable(&self) -> bool {
        let only_reads = match self.call {
            GuestCall::Snapshot | GuestCall::CheckpointComplete => true,
            GuestCall::Instantiate
            | GuestCall::Open
            | GuestCall::Restore
            | GuestCall::Process
            | GuestCall::AdvanceWatermark
            | GuestCall::Finish => false,
        };
        only_reads && self.cause.came_to_its_end()
    }
}

/// A call into a guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GuestCall {
    /// Making the instance, which runs the start functions of its modules.
    Instantiate,
    /// `open`
    Open,
    /// `restore`
    Restore,
    /// `process`
    Process,
    /// `advance-watermark`
    AdvanceWatermark,
    /// `snapshot`
    Snapshot,
    /// `checkpoint-complete`
    CheckpointComplete,
    /// `finish`
    Finish,
}

impl fmt::Display for GuestCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Instantiate => "instantiation",
            Self::Open => "`open`",
            Self::Restore => "`restore`",
            Self::Process => "`process`",
            Self::AdvanceWatermark => "`advance-watermark`",
            Self::Snapshot => "`snapshot`",
            Self::CheckpointComplete => "`checkpoint-complete`",
            Self::Finish => "`finish`",
        })
    }
}

/// Why a call did not succeed. The text goes on after the name of the call.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum FaultCause {
    /// The guest stopped itself or did what no guest may.
    #[error("trapped: {0}")]
    Trap(Box<TrapReport>),
    /// The call took too long and was stopped.
    #[error("ran for more than {} and was stopped", ShownDuration(*limit))]
    Timeout {
        /// The call timeout.
        limit: Duration,
    },
    /// The guest ran into its memory limit and trapped.
    #[error(
        "needed more memory than its limit of {}: it asked for {} in all{}",
        ShownBytes(*limit), ShownBytes(*asked), ShownTrap(trap.as_deref())
    )]
    MemoryLimit {
        /// The limit on all its memories and tables together.
        limit: u64,
        /// What they would have occupied.
        asked: u64,
        /// What the guest did when it did not get it; nothing if it could not even start.
        trap: Option<Box<TrapReport>>,
    },
    /// The system refused this process what the call takes, such as memory. The guest did nothing
    /// wrong.
    #[error(
        "needed what the system refuses this process, whichever operator it is: \
         {refusal}{}{}", ShownHint(*refusal), ShownTrap(trap.as_deref())
    )]
    SystemRefused {
        /// What the system says.
        refusal: SystemRefusal,
        /// What the guest did when its memory could not grow; nothing if it was not running.
        trap: Option<Box<TrapReport>>,
    },
    /// The guest returned, or handed to a function of the host, more bytes than a call may.
    #[error("handed over more than the {} that one call may", ShownBytes(*limit))]
    OutputLimit {
        /// The output limit.
        limit: u64,
    },
    /// The snapshot is too large. The checkpoint fails, and the instance goes on.
    #[error(
        "gave more than the {} that a snapshot may have (`limits.snapshot`)", ShownBytes(*limit)
    )]
    SnapshotLimit {
        /// The snapshot limit.
        limit: u64,
    },
    /// The guest's call stack is exhausted.
    #[error("recursed too deeply and exhausted its call stack")]
    StackOverflow,
    /// A column that the guest returned breaks a rule of the layout.
    #[error("returned a malformed batch: in emission {emission}, the {column} column: {error}")]
    MalformedColumn {
        /// Which emission of the call, from 0.
        emission: usize,
        /// Which column of it.
        column: BatchColumn,
        /// The rule.
        error: MalformedColumn,
    },
    /// The columns of a batch that the guest returned do not fit together.
    #[error("returned a malformed batch: emission {emission}: {error}")]
    MalformedBatch {
        /// Which emission of the call, from 0.
        emission: usize,
        /// How they differ.
        error: MalformedBatch,
    },
    /// The guest emitted to an output port that the operator does not have.
    #[error("emitted to output port {port}, but the operator has {declared} (the first is 0)")]
    UndeclaredPort {
        /// The port.
        port: u32,
        /// How many the operator has.
        declared: u32,
    },
    /// The snapshot breaks a rule of the contract. The checkpoint fails, and the instance goes on.
    #[error("gave a malformed snapshot: {0}")]
    MalformedSnapshot(#[from] MalformedSnapshot),
    /// The guest can't process one record. What happens then is the job's policy.
    #[error("can't process record {row} of the batch: {reason}")]
    InvalidRecord {
        /// The record's row in the batch, from 0; the batch has it.
        row: u32,
        /// What the guest says.
        reason: String,
    },
    /// The guest calls a record invalid that it was not given.
    #[error("can't process record {row}, but it was given {rows}: {reason}")]
    UnknownRecord {
        /// The row that the guest names.
        row: u32,
        /// How many records it was given.
        rows: usize,
        /// What the guest says.
        reason: String,
    },
    /// The guest can't read the state that it was given.
    #[error("can't read the state: {0}")]
    IncompatibleState(String),
    /// The guest gave up, and says why.
    #[error("failed: {0}")]
    Failed(String),
    /// The host's WebAssembly engine panicked during the call. This is a bug of the host.
    #[error("made the host's WebAssembly engine panic: {message}")]
    HostPanic {
        /// What the engine says.
        message: String,
    },
    /// The call was not made, since an earlier one failed and left the guest in an unknown state.
    #[error("was not called: an earlier call of this instance failed")]
    InstanceSpent,
}

impl FaultCause {
    /// True if the guest returned from the call, and did not break down in it. Broken output is not
    /// meant: who emits that is not asked again.
    fn came_to_its_end(&self) -> bool {
        match self {
            Self::InvalidRecord { .. }
            | Self::UnknownRecord { .. }
            | Self::IncompatibleState(_)
            | Self::Failed(_)
            | Self::SnapshotLimit { .. }
            | Self::MalformedSnapshot(_) => true,
            Self::Trap(_)
            | Self::Timeout { .. }
            | Self::MemoryLimit { .. }
            | Self::SystemRefused { .. }
            | Self::OutputLimit { .. }
            | Self::StackOverflow
            | Self::MalformedColumn { .. }
            | Self::MalformedBatch { .. }
            | Self::UndeclaredPort { .. }
            | Self::HostPanic { .. }
            | Self::InstanceSpent => false,
        }
    }
}

/// What is known about a trap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrapReport {
    /// The kind of trap.
    pub kind: String,
    /// The last errors that the guest logged in this call: the message of a panic or exception.
    pub panic_message: Option<String>,
    /// The guest's frames, innermost first, without those of its panic machinery:
    /// the function, and `file:line` where the component has debug information.
    pub backtrace: Vec<String>,
}

impl fmt::Display for TrapReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)?;
        if let Some(message) = &self.panic_message {
            write!(f, ": {message}")?;
        }
        for frame in &self.backtrace {
            write!(f, "\n    at {frame}")?;
        }
        Ok(())
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

/// Which rule a snapshot breaks.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum MalformedSnapshot {
    /// A chunk belongs to a key group of another subtask.
    #[error("`{name}` has state of key group {key_group}, but the instance owns {first} to {last}")]
    KeyGroupNotOwned {
        /// The chunk's name.
        name: String,
        /// Its key group.
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

/// A duration in the largest unit that shows it whole.
struct ShownDuration(Duration);

impl fmt::Display for ShownDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.subsec_nanos() == 0 {
            write!(f, "{} s", self.0.as_secs())
        } else {
            write!(f, "{} ms", self.0.as_millis())
        }
    }
}

/// A number of bytes in the largest unit that shows it whole.
struct ShownBytes(u64);

impl fmt::Display for ShownBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
        let whole = units
            .iter()
            .find(|(size, _)| self.0 >= *size && self.0.is_multiple_of(*size));
        match whole {
            Some((size, unit)) => write!(f, "{} {unit}", self.0 / size),
            None => write!(f, "{} bytes", self.0),
        }
    }
}

/// What takes the most of what the system refused.
struct ShownHint(SystemRefusal);

impl fmt::Display for ShownHint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == SystemRefusal::from(Errno::NOMEM) {
            f.write_str(
                " (each memory of a guest reserves 4 GiB of address space, in several mappings: \
                 see `ulimit -v` and `vm.max_map_count`)",
            )?;
        }
        Ok(())
    }
}

/// What the guest did after it was refused memory.
struct ShownTrap<'a>(Option<&'a TrapReport>);

impl fmt::Display for ShownTrap<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(trap) => write!(f, ", then trapped: {trap}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(call: GuestCall, cause: FaultCause) -> GuestFault {
        GuestFault {
            operator: "count".to_owned(),
            subtask: 1,
            call,
            cause,
        }
    }

    #[test]
    fn a_fault_names_operator_subtask_call_and_where_it_happened() {
        let trap = TrapReport {
            kind: "wasm `unreachable` instruction executed".to_owned(),
            panic_message: Some("panicked at src/lib.rs:10:5:\nboom".to_owned()),
            backtrace: vec!["count::on_record (src/lib.rs:10)".to_owned()],
        };
        assert_eq!(
            fault(GuestCall::Process, FaultCause::Trap(Box::new(trap))).to_string(),
            "operator `count`, subtask 1: `process` trapped: \
             wasm `unreachable` instruction executed: panicked at src/lib.rs:10:5:\nboom\n    \
             at count::on_record (src/lib.rs:10)"
        );
    }

    #[test]
    fn limits_are_shown_in_whole_units() {
        let limit = Duration::from_millis(1500);
        let timeout = fault(GuestCall::Instantiate, FaultCause::Timeout { limit });
        let memory = FaultCause::MemoryLimit {
            limit: 256 << 20,
            asked: (256 << 20) + 1,
            trap: None,
        };
        assert_eq!(
            timeout.to_string(),
            "operator `count`, subtask 1: instantiation ran for more than 1500 ms and was stopped"
        );
        assert_eq!(
            memory.to_string(),
            "needed more memory than its limit of 256 MiB: it asked for 268435457 bytes in all"
        );
    }

    #[test]
    fn an_instance_is_usable_only_after_a_call_that_reads_and_came_to_its_end() {
        let failed = || FaultCause::Failed("no".to_owned());
        let usable = [
            fault(GuestCall::Snapshot, failed()),
            fault(GuestCall::CheckpointComplete, failed()),
            fault(GuestCall::Process, failed()),
            fault(GuestCall::Snapshot, FaultCause::StackOverflow),
            fault(GuestCall::Snapshot, FaultCause::SnapshotLimit { limit: 1 }),
            fault(GuestCall::Snapshot, FaultCause::OutputLimit { limit: 1 }),
        ]
        .map(|fault| fault.instance_is_usable());
        assert_eq!(usable, [true, true, false, false, true, false]);
    }

    #[test]
    fn a_fault_can_travel_between_threads_and_stays_small() {
        fn travels<T: Send + Sync + 'static>() {}
        travels::<GuestFault>();
        assert!(size_of::<GuestFault>() <= 128);
    }
}
