//! Operators that know how the runtime may call them.
//!
//! They are deterministic except for the order in which their inputs interleave, so that a pure
//! model can predict their output. Each checks how it is called, and that the records of a key come
//! in the order in which their source emitted them where the graph promises that.

use std::collections::{BTreeMap, BTreeSet};

use tidegate_fakes::Contract;
use tidegate_key_groups::key_group;
use tidegate_operator::{
    Batch, Emission, GuestCall, GuestFault, NO_TIMESTAMP, OperatorContext, StateChunk,
};
use tidegate_runtime::chain::{OperatorFactory, OperatorInstance};

use crate::faults::{Fault, Faults};
use crate::memory::{self, Memory};
use crate::record::{Origin, window_of};
use crate::told::{Awaited, Told};

/// The work of an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Emits its input unchanged.
    Pass,
    /// Emits values whose last byte is even on port 0, the others on port 1.
    Split,
    /// Emits its input unchanged, and counts it in state without a key.
    Tally,
    /// Emits its input unchanged, and counts it by key.
    Count,
    /// Emits the count of each key and window when the watermark has passed the window.
    Windows,
    /// Emits the count of each key at its end.
    Totals,
}

impl Kind {
    /// Returns true if its inputs must be partitioned by key.
    pub(crate) fn is_keyed(self) -> bool {
        match self {
            Self::Pass | Self::Split | Self::Tally => false,
            Self::Count | Self::Windows | Self::Totals => true,
        }
    }

    /// Returns true if it emits its input unchanged.
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

/// Returns the port on which a `Split` emits a value.
pub(crate) fn port_of(value: &[u8]) -> usize {
    usize::from(value.last().copied().unwrap_or_default() % 2)
}

/// The operator of one kind.
#[derive(Clone)]
pub(crate) struct Simulated {
    pub(crate) kind: Kind,
    pub(crate) faults: Faults,
    /// Sources whose records come in order, by key.
    pub(crate) ordered: BTreeSet<String>,
    pub(crate) memory: Memory,
}

/// The state of a key, or of a key in a window.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) count: u64,
    /// The last number of each split of a source.
    last: BTreeMap<String, u64>,
}

/// State by key and window; without windows, the window of records without a timestamp.
pub(crate) type State = BTreeMap<(Vec<u8>, i64), Known>;

/// An entry of the list in a chunk.
type Entry = ((Vec<u8>, i64), (u64, BTreeMap<String, u64>));

/// Decodes the state in a chunk with a key group.
pub(crate) fn decode(chunk: &StateChunk) -> State {
    let entries: Vec<Entry> = postcard::from_bytes(&chunk.bytes).expect("a chunk is whole");
    let known = |(count, last)| Known { count, last };
    let entries = entries.into_iter();
    entries.map(|(key, of)| (key, known(of))).collect()
}

/// Decodes the count in a chunk without a key group.
pub(crate) fn decode_tally(chunk: &StateChunk) -> u64 {
    postcard::from_bytes(&chunk.bytes).expect("a chunk is whole")
}

impl OperatorFactory for Simulated {
    fn open(&self, context: &OperatorContext) -> Result<Box<dyn OperatorInstance>, GuestFault> {
        Ok(Box::new(Instance {
            operator: self.clone(),
            contract: Contract::new(context),
            state: State::new(),
            memory: self.memory.begins_with,
            tally: 0,
            awaited: Awaited::default(),
        }))
    }

    fn memory_limit(&self) -> Option<u64> {
        Some(memory::LIMIT)
    }
}

struct Instance {
    operator: Simulated,
    contract: Contract,
    state: State,
    memory: u64,
    tally: u64,
    /// The watermark that it got before it was restored, until it gets that again.
    awaited: Awaited,
}

impl Instance {
    fn may_trap(&self, planned: Fault, call: GuestCall) -> Result<(), GuestFault> {
        if self.operator.faults.hit(planned) {
            return Err(self.contract.trap(call));
        }
        Ok(())
    }

    /// Reports a broken promise, if there is one.
    fn note(&self, broken: Option<String>) {
        if let Some(broken) = broken {
            self.operator.faults.violation(self.contract.named(&broken));
        }
    }

    fn count(&mut self, (timestamp, key, value): (i64, &[u8], &[u8])) {
        let is_windowed = self.operator.kind == Kind::Windows;
        if is_windowed && timestamp != NO_TIMESTAMP {
            self.note(self.contract.on_timestamp(timestamp));
        }
        let group = key_group(key, self.contract.context().max_parallelism);
        self.note(self.contract.on_key_of(group));
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
            self.note(Some(format!("got {value} after number {last:?}")));
        }
    }

    /// Emits and forgets the counts of windows that `is_told` picks.
    fn tell(&mut self, is_told: impl Fn(i64) -> bool) -> Vec<Emission> {
        let mut batch = Batch::default();
        let name = &self.contract.context().operator;
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
        self.note(self.awaited.on_record());
        self.memory = memory::LIMIT.min(self.memory + self.operator.memory.leaks);
        let broken = self.contract.on_batch();
        self.note(broken);
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
        let untold = self.awaited.on_watermark(watermark);
        self.note(untold);
        let broken = self.contract.on_watermark(watermark);
        self.note(broken);
        if self.operator.kind != Kind::Windows {
            return Ok(Vec::new());
        }
        let is_over = |window| window != NO_TIMESTAMP && crate::record::end_of(window) <= watermark;
        Ok(self.tell(is_over))
    }

    fn snapshot(&mut self, checkpoint: u64) -> Result<Vec<StateChunk>, GuestFault> {
        self.may_trap(Fault::TrapSnapshot, GuestCall::Snapshot)?;
        let broken = self.contract.on_snapshot(checkpoint);
        self.note(broken);
        if self.operator.faults.hit(Fault::DeclineSnapshot) {
            return Err(self.contract.declined_snapshot());
        }
        let context = self.contract.context();
        let mut groups: BTreeMap<u32, Vec<Entry>> = BTreeMap::new();
        for (key, known) in &self.state {
            let group = key_group(&key.0, context.max_parallelism);
            let entry = (key.clone(), (known.count, known.last.clone()));
            groups.entry(group).or_default().push(entry);
        }
        let bytes = |entries| postcard::to_allocvec(entries).expect("a list can be encoded");
        let keyed = groups
            .iter()
            .map(|(g, e)| Contract::chunk("known", Some(*g), bytes(e)));
        let mut chunks: Vec<StateChunk> = keyed.collect();
        if self.tally > 0 {
            let tally = postcard::to_allocvec(&self.tally).expect("a number can be encoded");
            chunks.push(Contract::chunk("tally", None, tally));
        }
        // A drill takes its snapshot before the instance gets its watermark again.
        let watermark = Some(self.contract.watermark()).filter(|watermark| *watermark > i64::MIN);
        let told = Told {
            subtask: context.subtask,
            parallelism: context.parallelism,
            watermark: watermark.or(self.awaited.watermark()),
        };
        chunks.push(told.encode());
        let (memory, subtask) = (&self.operator.memory, context.subtask);
        memory.on_snapshot(subtask, self.memory, &chunks);
        Ok(chunks)
    }

    fn restore(&mut self, chunks: Vec<StateChunk>) -> Result<(), GuestFault> {
        self.may_trap(Fault::TrapRestore, GuestCall::Restore)?;
        let holds_state = !self.state.is_empty() || self.tally > 0;
        self.note(self.contract.on_restore(holds_state));
        let context = self.contract.context();
        let memory = &self.operator.memory;
        if memory.on_restore(context.subtask, &chunks) {
            self.operator.faults.note(Fault::Recycle);
        }
        let told: Vec<Told> = chunks.iter().filter_map(Told::decode).collect();
        if told.is_empty() && memory.restores_own_snapshots(context.subtask) {
            self.note(Some(
                "was restored without what it had been told".to_owned(),
            ));
        }
        self.awaited = Awaited::after(&told, context.parallelism);
        for chunk in chunks.iter().filter(|chunk| Told::decode(chunk).is_none()) {
            let Some(group) = chunk.key_group else {
                self.tally += decode_tally(chunk);
                continue;
            };
            self.note(self.contract.on_chunk_of(group));
            for (key, known) in decode(chunk) {
                if self.state.insert(key, known).is_some() {
                    self.note(Some("was given a key twice".to_owned()));
                }
            }
        }
        Ok(())
    }

    fn checkpoint_complete(&mut self, checkpoint: u64) -> Result<(), GuestFault> {
        self.may_trap(Fault::TrapComplete, GuestCall::CheckpointComplete)?;
        self.note(self.contract.on_checkpoint_complete(checkpoint));
        let subtask = self.contract.context().subtask;
        self.operator.memory.on_complete(subtask);
        Ok(())
    }

    fn finish(&mut self) -> Result<Vec<Emission>, GuestFault> {
        self.may_trap(Fault::TrapFinish, GuestCall::Finish)?;
        let broken = self.contract.on_finish();
        self.note(broken);
        match self.operator.kind {
            Kind::Windows => {
                if self.state.keys().any(|(_, window)| *window != NO_TIMESTAMP) {
                    self.note(Some("ended before its last watermark".to_owned()));
                }
                Ok(self.tell(|_| true))
            }
            Kind::Totals => Ok(self.tell(|_| true)),
            Kind::Pass | Kind::Split | Kind::Tally | Kind::Count => Ok(Vec::new()),
        }
    }
}
