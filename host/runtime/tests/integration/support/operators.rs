//! Operators in Rust that check how they are called.

use std::collections::BTreeMap;
use std::time::Duration;

use tidegate_fakes::Contract;
use tidegate_operator::{
    Batch, Emission, GuestCall, GuestFault, NO_TIMESTAMP, OperatorContext, StateChunk,
};
use tidegate_runtime::chain::{OperatorFactory, OperatorInstance};

use super::faults::{Call, Faults};
use super::leak::Leak;
use super::poison::Poison;

/// The event time that one window covers.
const WINDOW: i64 = 100;

/// The work of an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Emits its input unchanged.
    Pass,
    /// Emits the n-th record of each key with `#n` behind its value.
    Count,
    /// Emits each record twice.
    Twice,
    /// Emits even numbers on port 0, odd ones on port 1.
    Split,
    /// Emits input 0 unchanged, counts input 1, and emits that count at its end.
    Join,
    /// Emits the count of each key at its end.
    Totals,
    /// Emits the count of each key in each window when the watermark has passed the window.
    Windows,
}

/// The operator of one kind.
#[derive(Clone)]
pub(crate) struct Native {
    pub(crate) kind: Kind,
    pub(crate) faults: Faults,
    /// The time that a batch takes.
    pub(crate) takes: Duration,
    /// The records that it can't process.
    pub(crate) poison: Poison,
    /// The memory that it occupies.
    pub(crate) leak: Leak,
}

impl OperatorFactory for Native {
    fn open(&self, context: &OperatorContext) -> Result<Box<dyn OperatorInstance>, GuestFault> {
        Ok(Box::new(NativeInstance {
            native: self.clone(),
            contract: Contract::new(context),
            counts: BTreeMap::new(),
            seen: BTreeMap::new(),
            others: 0,
            memory: self.leak.opened(context.subtask),
        }))
    }

    fn memory_limit(&self) -> Option<u64> {
        self.leak.limit
    }
}

/// Counts by key and window; without windows, window 0.
type Counts = BTreeMap<(Vec<u8>, i64), u64>;

struct NativeInstance {
    native: Native,
    contract: Contract,
    counts: Counts,
    /// The number of times that each value came since the instance was opened; not part of its
    /// state.
    seen: BTreeMap<Vec<u8>, u32>,
    /// The number of records of input 1.
    others: u64,
    memory: u64,
}

impl NativeInstance {
    /// Traps, if a trap is planned.
    fn may_trap(&self, planned: Call, call: GuestCall) -> Result<(), GuestFault> {
        if self.native.faults.hit(planned) {
            return Err(self.contract.trap(call));
        }
        Ok(())
    }

    /// Reports a broken promise, if there is one.
    fn note(&self, broken: Option<String>) {
        if let Some(broken) = broken {
            self.native.faults.violation(self.contract.named(&broken));
        }
    }

    fn count(&mut self, key: &[u8], window: i64) -> u64 {
        let count = self.counts.entry((key.to_vec(), window)).or_default();
        *count += 1;
        *count
    }

    /// Emits and forgets the counts that `is_told` picks.
    fn tell(&mut self, is_told: impl Fn(i64) -> bool) -> Vec<Emission> {
        let mut batch = Batch::default();
        self.counts.retain(|(key, window), count| {
            let tells = is_told(*window);
            if tells {
                let value = format!("w{window}={count}");
                batch.push(NO_TIMESTAMP, key, value.as_bytes());
            }
            !tells
        });
        vec![Emission { port: 0, batch }]
    }
}

impl OperatorInstance for NativeInstance {
    fn process(&mut self, input: u32, batch: Batch) -> Result<Vec<Emission>, GuestFault> {
        self.may_trap(Call::Process, GuestCall::Process)?;
        std::thread::sleep(self.native.takes);
        self.memory += self.native.leak.per_batch;
        self.native.leak.note(self.memory);
        let broken = self.contract.on_batch();
        self.note(broken);
        let mut ports = [Batch::default(), Batch::default()];
        let columns = batch.keys().rows().zip(batch.values().rows());
        for (row, ((key, value), timestamp)) in (0u32..).zip(columns.zip(batch.timestamps())) {
            let seen = self.seen.entry(value.to_vec()).or_default();
            *seen += 1;
            if let Some(cause) = self.native.poison.meets(value, *seen, row) {
                return Err(self.contract.fault(GuestCall::Process, cause));
            }
            let mut give = |port: usize, value: &[u8]| ports[port].push(*timestamp, key, value);
            match self.native.kind {
                Kind::Join if input == 1 => self.others += 1,
                Kind::Pass | Kind::Join => give(0, value),
                Kind::Twice => {
                    give(0, value);
                    give(0, value);
                }
                Kind::Split => give(usize::from(value.last().unwrap() % 2), value),
                Kind::Totals => _ = self.count(key, 0),
                Kind::Count => {
                    let count = self.count(key, 0);
                    give(0, &[value, format!("#{count}").as_bytes()].concat());
                }
                Kind::Windows => {
                    self.note(self.contract.on_timestamp(*timestamp));
                    _ = self.count(key, timestamp.div_euclid(WINDOW) * WINDOW);
                }
            }
        }
        let emissions = (0u32..)
            .zip(ports)
            .map(|(port, batch)| Emission { port, batch });
        Ok(emissions
            .filter(|emission| !emission.batch.is_empty())
            .collect())
    }

    fn memory_bytes(&self) -> u64 {
        self.memory
    }

    fn advance_watermark(&mut self, watermark: i64) -> Result<Vec<Emission>, GuestFault> {
        self.may_trap(Call::Watermark, GuestCall::AdvanceWatermark)?;
        let broken = self.contract.on_watermark(watermark);
        self.note(broken);
        match self.native.kind {
            Kind::Windows => Ok(self.tell(|window| window.saturating_add(WINDOW - 1) <= watermark)),
            Kind::Pass | Kind::Twice | Kind::Count | Kind::Split | Kind::Join | Kind::Totals => {
                Ok(Vec::new())
            }
        }
    }

    fn snapshot(&mut self, checkpoint: u64) -> Result<Vec<StateChunk>, GuestFault> {
        self.may_trap(Call::Snapshot, GuestCall::Snapshot)?;
        let broken = self.contract.on_snapshot(checkpoint);
        self.note(broken);
        if self.native.faults.hit(Call::DeclineSnapshot) {
            return Err(self.contract.declined_snapshot());
        }
        let max_parallelism = self.contract.context().max_parallelism;
        let mut groups: BTreeMap<u32, Counts> = BTreeMap::new();
        for (key, count) in &self.counts {
            let group = tidegate_key_groups::key_group(&key.0, max_parallelism);
            groups.entry(group).or_default().insert(key.clone(), *count);
        }
        let keyed = groups.into_iter().map(|(group, counts)| {
            let counts: Vec<_> = counts.into_iter().collect();
            let bytes = serde_json::to_vec(&counts).unwrap();
            Contract::chunk("counts", Some(group), bytes)
        });
        let mut chunks: Vec<StateChunk> = keyed.collect();
        if self.others > 0 {
            let others = self.others.to_string().into_bytes();
            chunks.push(Contract::chunk("others", None, others));
        }
        Ok(chunks)
    }

    fn restore(&mut self, chunks: Vec<StateChunk>) -> Result<(), GuestFault> {
        self.may_trap(Call::Restore, GuestCall::Restore)?;
        let holds_state = !self.counts.is_empty() || self.others > 0;
        self.note(self.contract.on_restore(holds_state));
        for chunk in chunks {
            match chunk.key_group {
                Some(group) => {
                    self.note(self.contract.on_chunk_of(group));
                    let counts: Vec<_> = serde_json::from_slice(&chunk.bytes).unwrap();
                    for (key, count) in counts {
                        if self.counts.insert(key, count).is_some() {
                            self.note(Some("was given a key twice".to_owned()));
                        }
                    }
                }
                None => {
                    let others = String::from_utf8(chunk.bytes).unwrap();
                    self.others += others.parse::<u64>().unwrap();
                }
            }
        }
        Ok(())
    }

    fn checkpoint_complete(&mut self, checkpoint: u64) -> Result<(), GuestFault> {
        self.may_trap(Call::CheckpointComplete, GuestCall::CheckpointComplete)?;
        self.note(self.contract.on_checkpoint_complete(checkpoint));
        Ok(())
    }

    fn finish(&mut self) -> Result<Vec<Emission>, GuestFault> {
        self.may_trap(Call::Finish, GuestCall::Finish)?;
        let broken = self.contract.on_finish();
        self.note(broken);
        match self.native.kind {
            Kind::Totals => Ok(self.tell(|_| true)),
            Kind::Join => {
                let mut batch = Batch::default();
                let key = format!("others@{}", self.contract.context().subtask);
                let value = self.others.to_string();
                batch.push(NO_TIMESTAMP, key.as_bytes(), value.as_bytes());
                Ok(vec![Emission { port: 0, batch }])
            }
            Kind::Windows => {
                if !self.counts.is_empty() {
                    self.note(Some("ended before its last watermark".to_owned()));
                }
                Ok(Vec::new())
            }
            Kind::Pass | Kind::Twice | Kind::Count | Kind::Split => Ok(Vec::new()),
        }
    }
}
