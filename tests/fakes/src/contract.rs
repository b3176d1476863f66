//! The promises of the host to each operator instance, checked from inside. Pure: it returns a
//! broken promise as a text, which the suite notes.

use std::collections::BTreeSet;

use tidegate_operator::{FaultCause, GuestCall, GuestFault, OperatorContext, StateChunk};

/// A promise that the host has broken, if any.
type Broken = Option<String>;

/// The identity of one instance, and the calls that it has seen.
#[derive(Clone, Debug)]
pub struct Contract {
    context: OperatorContext,
    watermark: i64,
    has_started: bool,
    has_finished: bool,
    snapshots: BTreeSet<u64>,
}

impl Contract {
    /// Creates the contract of an instance that was just opened.
    #[must_use]
    pub fn new(context: &OperatorContext) -> Self {
        Self {
            context: context.clone(),
            watermark: i64::MIN,
            has_started: false,
            has_finished: false,
            snapshots: BTreeSet::new(),
        }
    }

    /// Returns the context that the instance was opened with.
    #[must_use]
    pub fn context(&self) -> &OperatorContext {
        &self.context
    }

    /// Returns the last watermark; `i64::MIN` before the first.
    #[must_use]
    pub fn watermark(&self) -> i64 {
        self.watermark
    }

    /// Returns a broken promise with the name of the instance before it.
    #[must_use]
    pub fn named(&self, broken: &str) -> String {
        let OperatorContext {
            operator, subtask, ..
        } = &self.context;
        format!("{operator}[{subtask}] {broken}")
    }

    /// Notes a batch, which never comes after `finish`.
    pub fn on_batch(&mut self) -> Broken {
        self.has_started = true;
        let is_late = self.has_finished;
        is_late.then(|| "was called after `finish`".to_owned())
    }

    /// Notes a watermark, which only grows.
    pub fn on_watermark(&mut self, watermark: i64) -> Broken {
        self.has_started = true;
        let before = std::mem::replace(&mut self.watermark, watermark);
        (watermark <= before).then(|| format!("went from {before} to {watermark}"))
    }

    /// Checks the timestamp of a record: no source of these suites emits late records.
    #[must_use]
    pub fn on_timestamp(&self, timestamp: i64) -> Broken {
        let watermark = self.watermark;
        (timestamp <= watermark).then(|| format!("got {timestamp} after {watermark}"))
    }

    /// Checks the key group of a record, which must belong to the instance.
    #[must_use]
    pub fn on_key_of(&self, group: u32) -> Broken {
        (!self.owns(group)).then(|| format!("got a key of group {group}"))
    }

    /// Notes a snapshot; there is one for each checkpoint.
    pub fn on_snapshot(&mut self, checkpoint: u64) -> Broken {
        let is_again = !self.snapshots.insert(checkpoint);
        is_again.then(|| format!("gave its state for checkpoint {checkpoint} twice"))
    }

    /// Checks a restore, which comes before any other call. `holds_state` is true if the instance
    /// already has state.
    #[must_use]
    pub fn on_restore(&self, holds_state: bool) -> Broken {
        let is_late = self.has_started || holds_state;
        is_late.then(|| "was restored after it had started".to_owned())
    }

    /// Checks the key group of a restored chunk, which must belong to the instance.
    #[must_use]
    pub fn on_chunk_of(&self, group: u32) -> Broken {
        (!self.owns(group)).then(|| format!("was given key group {group}"))
    }

    /// Checks a notice, which is about a checkpoint that the instance took part in.
    #[must_use]
    pub fn on_checkpoint_complete(&self, checkpoint: u64) -> Broken {
        let is_unknown = !self.snapshots.contains(&checkpoint);
        is_unknown.then(|| format!("heard of checkpoint {checkpoint} without its snapshot"))
    }

    /// Notes the end of the input, which comes once.
    pub fn on_finish(&mut self) -> Broken {
        let is_again = std::mem::replace(&mut self.has_finished, true);
        is_again.then(|| "finished twice".to_owned())
    }

    fn owns(&self, group: u32) -> bool {
        (self.context.first_key_group..=self.context.last_key_group).contains(&group)
    }

    /// Returns a fault of this instance.
    #[must_use]
    pub fn fault(&self, call: GuestCall, cause: FaultCause) -> GuestFault {
        GuestFault {
            operator: self.context.operator.clone(),
            subtask: self.context.subtask,
            call,
            cause,
        }
    }

    /// Returns a planned trap.
    #[must_use]
    pub fn trap(&self, call: GuestCall) -> GuestFault {
        self.fault(call, FaultCause::Trap(Box::default()))
    }

    /// Returns a planned refusal of a snapshot.
    #[must_use]
    pub fn declined_snapshot(&self) -> GuestFault {
        let cause = FaultCause::Failed("a planned refusal".to_owned());
        self.fault(GuestCall::Snapshot, cause)
    }

    /// Returns a chunk of state in version 1.
    #[must_use]
    pub fn chunk(name: &str, key_group: Option<u32>, bytes: Vec<u8>) -> StateChunk {
        StateChunk {
            name: name.to_owned(),
            schema_version: 1,
            key_group,
            bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use tidegate_operator::{KeyGroups, OperatorDescription};

    use super::*;

    fn contract() -> Contract {
        let operator = OperatorDescription {
            job: "job".to_owned(),
            operator: "count".to_owned(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            config: String::new(),
        };
        let key_groups = KeyGroups::new(8, 2);
        Contract::new(&OperatorContext::of_subtask(operator, key_groups, 1, 0))
    }

    #[test]
    fn a_host_that_keeps_its_promises_hears_nothing() {
        let mut contract = contract();
        let seen = [
            contract.on_restore(false),
            contract.on_chunk_of(4),
            contract.on_batch(),
            contract.on_key_of(7),
            contract.on_watermark(10),
            contract.on_timestamp(11),
            contract.on_snapshot(1),
            contract.on_checkpoint_complete(1),
            contract.on_snapshot(2),
            contract.on_finish(),
        ];
        assert_eq!(seen, [const { None }; 10]);
        assert_eq!(contract.watermark(), 10);
    }

    #[test]
    fn each_broken_promise_is_named() {
        let mut contract = contract();
        assert_eq!(contract.on_batch(), None);
        assert_eq!(contract.on_watermark(10), None);
        assert_eq!(contract.on_snapshot(1), None);
        assert_eq!(contract.on_finish(), None);
        let broken = [
            contract.on_batch(),
            contract.on_watermark(10),
            contract.on_timestamp(10),
            contract.on_key_of(8),
            contract.on_snapshot(1),
            contract.on_restore(false),
            contract.on_chunk_of(3),
            contract.on_checkpoint_complete(2),
            contract.on_finish(),
        ];
        let expected = [
            "was called after `finish`",
            "went from 10 to 10",
            "got 10 after 10",
            "got a key of group 8",
            "gave its state for checkpoint 1 twice",
            "was restored after it had started",
            "was given key group 3",
            "heard of checkpoint 2 without its snapshot",
            "finished twice",
        ];
        assert_eq!(broken, expected.map(|text| Some(text.to_owned())));
        assert_eq!(contract.named("stopped"), "count[1] stopped");
    }
}
