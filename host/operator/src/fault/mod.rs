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

/// The kind of the trap with which a guest stops itself.
const UNREACHABLE: &str = "wasm `unreachable` instruction executed";

/// Returns the first line of the text of a fault, with its innermost frame if it has one.
#[must_use]
pub fn headline(fault: &str) -> String {
    let mut lines = fault.lines();
    let first = lines.next().unwrap_or_default();
    let frame = lines
        .map(str::trim_start)
        .find(|line| line.starts_with("at "));
    match frame {
        Some(frame) => format!("{first} {frame}"),
        None => first.to_owned(),
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
        match &self.panic_message {
            // Every panic and exception ends in this instruction, so it adds nothing.
            Some(message) if self.kind == UNREACHABLE => f.write_str(message)?,
            Some(message) => write!(f, "{}: {message}", self.kind)?,
            None => f.write_str(&self.kind)?,
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
            panic_message: Some("panicked: boom".to_owned()),
            backtrace: vec!["count::on_record (src/lib.rs:10)".to_owned()],
        };
        assert_eq!(
            fault(GuestCall::Process, FaultCause::Trap(Box::new(trap))).to_string(),
            "operator `count`, subtask 1: `process` trapped: panicked: boom\n    \
             at count::on_record (src/lib.rs:10)"
        );
    }

    #[test]
    fn the_kind_of_a_trap_is_shown_unless_a_message_says_more() {
        let shown = |kind: &str, message: Option<&str>| {
            let report = TrapReport {
                kind: kind.to_owned(),
                panic_message: message.map(str::to_owned),
                backtrace: Vec::new(),
            };
            report.to_string()
        };
        assert_eq!(shown(UNREACHABLE, None), UNREACHABLE);
        assert_eq!(shown(UNREACHABLE, Some("boom")), "boom");
        assert_eq!(
            shown("integer overflow", Some("boom")),
            "integer overflow: boom"
        );
    }

    #[test]
    fn a_headline_is_one_line_with_the_innermost_frame() {
        let lines = [
            ("`process` trapped: boom", "`process` trapped: boom"),
            (
                "trapped: a\n    b\n    at f (x:1)\n    at g",
                "trapped: a at f (x:1)",
            ),
            ("", ""),
        ];
        for (fault, expected) in lines {
            assert_eq!(headline(fault), expected);
        }
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
