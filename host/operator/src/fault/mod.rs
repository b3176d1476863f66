//! Faults of calls into a guest: each is expected, typed, and costs one instance.
//!
//! All texts from the guest are escaped here, so that every message can be shown.

mod cause;
mod shown;

use std::fmt;

use thiserror::Error;

pub use cause::{BatchColumn, FaultCause, MalformedSnapshot};

/// A call into an operator instance did not succeed.
///
/// Unless [`GuestFault::instance_is_usable`], the instance rejects every further call and must be
/// replaced from the last checkpoint.
#[derive(Debug, Error)]
#[error("operator `{operator}`, subtask {subtask}: {call} {cause}")]
pub struct GuestFault {
    /// The operator's name.
    pub operator: String,
    /// The index of the subtask.
    pub subtask: u32,
    /// The call that failed.
    pub call: GuestCall,
    /// The reason.
    pub cause: FaultCause,
}

impl GuestFault {
    /// Returns true only if the guest's state is as before the call: `snapshot` or
    /// `checkpoint-complete` returned a failure or a snapshot that the host rejects, or the call
    /// was not made for lack of stack.
    #[must_use]
    pub fn instance_is_usable(&self) -> bool {
        if matches!(self.cause, FaultCause::ThreadStack { .. }) {
            return true;
        }
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
    /// Instantiation, which runs the start functions of the modules.
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

/// The report of a trap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrapReport {
    /// The kind of trap.
    pub kind: String,
    /// The last errors that the guest logged in this call: the message of a panic or exception.
    pub panic_message: Option<String>,
    /// The guest's frames, innermost first, without those of its panic machinery: the function, and
    /// `file:line` where the component has debug information.
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

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
    fn an_instance_is_usable_only_after_a_call_that_was_not_made_or_reads_and_came_to_its_end() {
        let failed = || FaultCause::Failed("no".to_owned());
        let thread_stack = FaultCause::ThreadStack { left: 1, needed: 2 };
        let usable = [
            fault(GuestCall::Snapshot, failed()),
            fault(GuestCall::CheckpointComplete, failed()),
            fault(GuestCall::Process, failed()),
            fault(GuestCall::Snapshot, FaultCause::StackOverflow),
            fault(GuestCall::Snapshot, FaultCause::SnapshotLimit { limit: 1 }),
            fault(GuestCall::Snapshot, FaultCause::OutputLimit { limit: 1 }),
            fault(GuestCall::Process, thread_stack),
        ]
        .map(|fault| fault.instance_is_usable());
        assert_eq!(usable, [true, true, false, false, true, false, true]);
    }

    #[test]
    fn a_fault_can_travel_between_threads_and_stays_small() {
        fn travels<T: Send + Sync + 'static>() {}
        travels::<GuestFault>();
        assert!(size_of::<GuestFault>() <= 128);
    }
}
