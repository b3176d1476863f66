//! Operators that know what may be done to them.
//!
//! Deterministic but for the order in which their inputs interleave, so that a pure model can tell
//! what must come out of them. Each checks how it is called, and that the records of a key come in
//! the order in which their source gave them where the graph promises that.

use std::collections::{BTreeMap, BTreeSet};

use tidegate_key_groups::key_group;
use tidegate_operator::{
    Batch, Emission, FaultCause, GuestCall, GuestFault, NO_TIMESTAMP, OperatorContext, StateChunk,
};
use tidegate_runtime::chain::{OperatorFactory, OperatorInstance};

use crate::faults::{Fault, Faults};
use crate::memory::{self, Memory};
use crate::record::{Origin, window_of};
use crate::told::{Awaited, Told};

/// What an operator does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Gives what it gets.
    Pass,
    /// Gives values whose last byte is even on port 0, the others on port 1.
    Split,
    /// Gives what it gets, and counts it in state that has no key.
    Tally,
    /// Gives what it gets, and counts it by key.
    Count,
    /// Gives the count of each key and window when the watermark has passed it.
    Windows,
    /// Gives the count of each key at its end.
    Totals,
}

impl Kind {
    /// True if its inputs must be partitioned by key.
    pub(crate) fn is_keyed(self) -> bool {
        match self {
            Self::Pass | Self::Split | Self::Tally => false,
            Self::Count | Self::Windows | Self::Totals => true,
        }
    }

    /// True if it gives what it gets.
    pub(crate) fn passes(self) -> bool {
        match self {
            Self::Pass | Self::Split | Self::Tally | Self::Count => true,
            Self::Windows | Self::Totals => false,
        }
    }

    pub(crate) fn ports(self) -> usize {
        match self {
            Self::Split => 2,
            Self::Pass | Self::Tally | Self::Count | Self::Windows | Self::Totals => 1,
        }
    }
}

/// The port that a `Split` gives a value on.
pub(crate) fn port_of(value: &[u8]) -> usize {
    usize::from(value.last().copied().unwrap_or_default() % 2)
}

/// An operator of a kind.
#[derive(Clone)]
pub(crate) struct Simulated {
    pub(crate) kind: Kind,
    pub(crate) faults: Faults,
    /// Sources whose records come in order, by key.
    pub(crate) ordered: BTreeSet<String>,
    pub(crate) memory: Memory,
}

/// What is known of a key, or of a key in a window.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) count: u64,
    /// The last number of each split of a source.
    last: BTreeMap<String, u64>,
}

/// By key and window; without windows, the window of records without a timestamp.
pub(crate) type State = BTreeMap<(Vec<u8>, i64), Known>;

/// The layout of a chunk: a list of these.
type Entry = ((Vec<u8>, i64), (u64, BTreeMap<String, u64>));

/// The state in a chunk with a key group.
pub(crate) fn decode(chunk: &StateChunk) -> State {
    let entries: Vec<Entry> = postcard::from_bytes(&chunk.bytes).expect("a chunk is whole");
    let known = |(count, last)| Known { count, last };
    let entries = entries.into_iter();
    entries.map(|(key, of)| (key, known(of))).collect()
}

/// The count in a chunk without a key group.
pub(crate) fn decode_tally(chunk: &StateChunk) -> u64 {
    postcard::from_bytes(&chunk.bytes).expect("a chunk is whole")
}

impl OperatorFactory for Simulated {
    fn open(&self, context: &OperatorContext) -> Result<Box<dyn OperatorInstance>, GuestFault> {
        Ok(Box::new(Instance {
            operator: self.clone(),
            context: context.clone(),
            state: State::new(),
            memory: self.memory.begins_with,
            tally: 0,
            watermark: i64::MIN,
            awaited: Awaited::default(),
            has_started: false,
            has_finished: false,
            snapshots: BTreeSet::new(),
        }))
    }

    fn memory_limit(&self) -> Option<u64> {
        Some(memory::LIMIT)
    }
}

struct Instance {
    operator: Simulated,
    context: OperatorContext,
    state: State,
    memory: u64,
    tally: u64,
    watermark: i64,
    /// What it was told before it was restored, until it is told that again.
    awaited: Awaited,
    has_started: bool,
    has_finished: bool,
    snapshots: BTreeSet<u64>,
}

impl Instance {
    fn fault(&self, call: GuestCall, cause: FaultCause) -> GuestFault {
        GuestFault {
            operator: self.context.operator.clone(),
            subtask: self.context.subtask,
            call,
            cause,
        }
    }

    fn may_trap(&self, planned: Fault, call: GuestCall) -> Result<(), GuestFault> {
        if self.operator.faults.hit(planned) {
            let trap = FaultCause::Trap(Box::default());
            return Err(self.fault(call, trap));
        }
        Ok(())
    }

    fn violation(&self, what: &str) {
        let OperatorContext {
            operator, subtask, ..
        } = &self.context;
        let told = format!("{operator}[{subtask}] {what}");
        self.operator.faults.violation(told);
    }

    fn count(&mut self, (timestamp, key, value): (i64, &[u8], &[u8])) {
        let is_windowed = self.operator.kind == Kind::Windows;
        if is_windowed && timestamp != NO_TIMESTAMP && timestamp <= self.watermark {
            self.violation(&format!("got {timestamp} after {}", self.watermark));
        }
        let group = key_group(key, self.context.max_parallelism);
        let owned = self.context.first_key_group..=self.context.last_key_group;
        if !owned.contains(&group) {
            self.violation(&format!("got a key of group {group}"));
        }
        let window = match self.operator.kind {
            Kind::Windows => window_of(timestamp),
            Kind::Pass | Kind::Split | Kind::Tally | Kind::Count | Kind::Totals => NO_TIMESTAMP,
        };
        let known = self.state.entry((key.to_vec(), window)).or_default();
        known.count += 1;
        let origin = Origin::of(value);
        let Some(origin) = origin.filter(|o| self.operator.ordered.contains(o.source)) else {
            return;
        };
        let last = known.last.insert(origin.split.to_owned(), origin.number);
        if last.is_some_and(|last| last >= origin.number) {
            let value = String::from_utf8_lossy(value).into_owned();
            self.violation(&format!("got {value} after number {last:?}"));
        }
    }

    /// Gives and forgets the counts of windows that `is_told` picks.
    fn tell(&mut self, is_told: impl Fn(i64) -> bool) -> Vec<Emission> {
        let mut batch = Batch::default();
        let name = &self.context.operator;
        self.state.retain(|(key, window), known| {
            let tells = is_told(*window);
            if tells {
                let (timestamp, value) = crate::record::told(name, *window, known.count);
                batch.push(timestamp, key, value.as_bytes());
            }
            !tells
        });
        match batch.is_empty() {
            true => Vec::new(),
            false => vec![Emission { port: 0, batch }],
        }
    }
}

impl OperatorInstance for Instance {
    fn process(&mut self, _input: u32, batch: Batch) -> Result<Vec<Emission>, GuestFault> {
        self.may_trap(Fault::TrapProcess, GuestCall::Process)?;
        self.has_started = true;
        if let Some(what) = self.awaited.on_record() {
            self.violation(&what);
        }
        self.memory = memory::LIMIT.min(self.memory + self.operator.memory.leaks);
        if self.has_finished {
            self.violation("was called after `finish`");
        }
        let mut ports = [Batch::default(), Batch::default()];
        let columns = batch.keys().rows().zip(batch.values().rows());
        for ((key, value), timestamp) in columns.zip(batch.timestamps()) {
            match self.operator.kind {
                Kind::Pass => {}
                Kind::Tally => self.tally += 1,
                Kind::Split => {
                    ports[port_of(value)].push(*timestamp, key, value);
                    continue;
                }
                Kind::Count => self.count((*timestamp, key, value)),
                Kind::Windows | Kind::Totals => {
                    self.count((*timestamp, key, value));
                    continue;
                }
            }
            ports[0].push(*timestamp, key, value);
        }
        let emissions = (0u32..).zip(ports);
        let emissions = emissions.map(|(port, batch)| Emission { port, batch });
        Ok(emissions.filter(|e| !e.batch.is_empty()).collect())
    }

    fn memory_bytes(&self) -> u64 {
        self.memory
    }

    fn advance_watermark(&mut self, watermark: i64) -> Result<Vec<Emission>, GuestFault> {
        self.may_trap(Fault::TrapWatermark, GuestCall::AdvanceWatermark)?;
        self.has_started = true;
        if let Some(what) = self.awaited.on_watermark(watermark) {
            self.violation(&what);
        }
        if watermark <= self.watermark {
            self.violation(&format!("went from {} to {watermark}", self.watermark));
        }
        self.watermark = watermark;
        if self.operator.kind != Kind::Windows {
            return Ok(Vec::new());
        }
        let is_over = |window| window != NO_TIMESTAMP && crate::record::end_of(window) <= watermark;
        Ok(self.tell(is_over))
    }

    fn snapshot(&mut self, checkpoint: u64) -> Result<Vec<StateChunk>, GuestFault> {
        self.may_trap(Fault::TrapSnapshot, GuestCall::Snapshot)?;
        if !self.snapshots.insert(checkpoint) {
            self.violation(&format!("gave its state for checkpoint {checkpoint} twice"));
        }
        if self.operator.faults.hit(Fault::DeclineSnapshot) {
            let cause = FaultCause::Failed("a planned refusal".to_owned());
            return Err(self.fault(GuestCall::Snapshot, cause));
        }
        let mut groups: BTreeMap<u32, Vec<Entry>> = BTreeMap::new();
        for (key, known) in &self.state {
            let group = key_group(&key.0, self.context.max_parallelism);
            let entry = (key.clone(), (known.count, known.last.clone()));
            groups.entry(group).or_default().push(entry);
        }
        let chunk = |name: &str, key_group, bytes| StateChunk {
            name: name.to_owned(),
            schema_version: 1,
            key_group,
            bytes,
        };
        let bytes = |entries| postcard::to_allocvec(entries).expect("a list can be encoded");
        let keyed = groups
            .iter()
            .map(|(g, e)| chunk("known", Some(*g), bytes(e)));
        let mut chunks: Vec<StateChunk> = keyed.collect();
        if self.tally > 0 {
            let tally = postcard::to_allocvec(&self.tally).expect("a number can be encoded");
            chunks.push(chunk("tally", None, tally));
        }
        // A drill wants its snapshot before it is told anything again.
        let watermark = Some(self.watermark).filter(|watermark| *watermark > i64::MIN);
        let told = Told {
            subtask: self.context.subtask,
            parallelism: self.context.parallelism,
            watermark: watermark.or(self.awaited.watermark()),
        };
        chunks.push(told.encode());
        let (memory, subtask) = (&self.operator.memory, self.context.subtask);
        memory.on_snapshot(subtask, self.memory, &chunks);
        Ok(chunks)
    }

    fn restore(&mut self, chunks: Vec<StateChunk>) -> Result<(), GuestFault> {
        self.may_trap(Fault::TrapRestore, GuestCall::Restore)?;
        if self.has_started || !self.state.is_empty() || self.tally > 0 {
            self.violation("was restored after it had started");
        }
        let memory = &self.operator.memory;
        if memory.on_restore(self.context.subtask, &chunks) {
            self.operator.faults.note(Fault::Recycle);
        }
        let owned = self.context.first_key_group..=self.context.last_key_group;
        let told: Vec<Told> = chunks.iter().filter_map(Told::decode).collect();
        if told.is_empty() && memory.restores_own_snapshots(self.context.subtask) {
            self.violation("was restored without what it had been told");
        }
        self.awaited = Awaited::after(&told, self.context.parallelism);
        for chunk in chunks.iter().filter(|chunk| Told::decode(chunk).is_none()) {
            let Some(group) = chunk.key_group else {
                self.tally += decode_tally(chunk);
                continue;
            };
            if !owned.contains(&group) {
                self.violation(&format!("was given key group {group}"));
            }
            for (key, known) in decode(chunk) {
                if self.state.insert(key, known).is_some() {
                    self.violation("was given a key twice");
                }
            }
        }
        Ok(())
    }

    fn checkpoint_complete(&mut self, checkpoint: u64) -> Result<(), GuestFault> {
        self.may_trap(Fault::TrapComplete, GuestCall::CheckpointComplete)?;
        if !self.snapshots.contains(&checkpoint) {
            let told = format!("heard of checkpoint {checkpoint} without its snapshot");
            self.violation(&told);
        }
        self.operator.memory.on_complete(self.context.subtask);
        Ok(())
    }

    fn finish(&mut self) -> Result<Vec<Emission>, GuestFault> {
        self.may_trap(Fault::TrapFinish, GuestCall::Finish)?;
        if self.has_finished {
            self.violation("finished twice");
        }
        self.has_finished = true;
        match self.operator.kind {
            Kind::Windows => {
                if self.state.keys().any(|(_, window)| *window != NO_TIMESTAMP) {
                    self.violation("ended before its last watermark");
                }
                Ok(self.tell(|_| true))
            }
            Kind::Totals => Ok(self.tell(|_| true)),
            Kind::Pass | Kind::Split | Kind::Tally | Kind::Count => Ok(Vec::new()),
        }
    }
}
