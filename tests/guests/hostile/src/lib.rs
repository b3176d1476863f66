//! Misbehaves on purpose, as its config says; until then it emits every record unchanged and counts
//! records.
//!
//! Config: `behaviour` (see [`Behaviour`]) and `after-records` (0 by default): the behaviour starts
//! with the first call after that many records. State is the number of records, as one chunk of
//! operator state, so that tests can see a job continue after a fault.

use serde::Deserialize;
use tidegate_sdk::raw::{Batch, Column, Emission, RawOperator, StateChunk};
use tidegate_sdk::{Context, Failure, Level, count, log};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Config {
    behaviour: Behaviour,
    #[serde(default)]
    after_records: u64,
    /// True if only an instance that was not restored misbehaves. Otherwise a job that restarts
    /// would meet the behaviour again.
    #[serde(default)]
    only_before_restore: bool,
}

/// A misbehaviour, and the call that it affects.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Behaviour {
    /// Correct behaviour.
    Echo,

    FailOpen,
    PanicInOpen,
    LoopInOpen,

    /// Executes an `unreachable` instruction without a message.
    TrapInProcess,
    /// Panics with the message `hostile on purpose`.
    PanicInProcess,
    /// Logs an error as long as a Python traceback in one message, then traps.
    TracebackInProcess,
    /// Logs errors line by line, with tabs as Go does, and an escape sequence, then traps.
    ErrorsInProcess,
    LoopInProcess,
    /// Recurses until the stack is exhausted.
    OverflowStack,
    /// Allocates and touches memory without a limit.
    GrowMemory,
    FailProcess,
    /// Reports the last row of each batch as an invalid record.
    InvalidRecord,
    /// Reports a row that the batch does not have as an invalid record.
    InvalidRecordOutOfRange,

    /// Offsets that end behind the data.
    OffsetsOutOfRange,
    /// Offsets that fall.
    OffsetsDecreasing,
    /// A first offset that is not 0.
    OffsetsNotFromZero,
    /// A column without even the first offset.
    OffsetsMissing,
    /// More keys than values.
    RowsDiffer,
    /// An emission out of port 4096.
    UndeclaredPort,
    /// 256 MiB of output.
    HugeOutput,
    /// One million messages to the log.
    FloodLog,
    /// Asks the host for the key groups of a malformed column.
    MalformedKeyGroups,

    TrapInSnapshot,
    LoopInSnapshot,
    FailSnapshot,
    /// 256 MiB of state.
    HugeSnapshot,
    /// A chunk of a key group that no job has.
    ForeignKeyGroup,

    /// Stores in each snapshot the number of snapshots before it.
    CountSnapshots,

    RefuseRestore,
    TrapInRestore,
    LoopInRestore,
    /// Restores a state that has never seen a record.
    ForgetOnRestore,

    FailFinish,
    TrapInFinish,
    FailWatermark,
    /// Emits at each watermark, whatever it has emitted before.
    EmitAtWatermark,
    FailCheckpointComplete,
}

/// More than any default limit allows.
const HUGE: usize = 256 << 20;

struct Hostile {
    config: Config,
    records: u64,
    restored: bool,
    snapshots: u64,
}

impl Hostile {
    /// Returns true if the misbehaviour is this one, and due.
    fn is(&self, behaviour: Behaviour) -> bool {
        let spared = self.restored && self.config.only_before_restore;
        self.config.behaviour == behaviour && self.records >= self.config.after_records && !spared
    }

    /// Commits the faults that end `process` before it emits anything.
    fn misbehave(&self, records: &Batch) -> Result<(), Failure> {
        let last_row = u32::try_from(records.len())
            .unwrap_or(u32::MAX)
            .saturating_sub(1);
        if !self.is(self.config.behaviour) {
            return Ok(());
        }
        match self.config.behaviour {
            Behaviour::TrapInProcess => trap(),
            Behaviour::PanicInProcess => panic!("hostile on purpose"),
            Behaviour::LoopInProcess => loop_forever(),
            Behaviour::TracebackInProcess => {
                let frame = "  File \"app.py\", line 7, in on_record\n    self.deeper(record)\n";
                let frames = frame.repeat(50);
                log(
                    Level::Error,
                    format_args!(
                        "Traceback (most recent call last):\n{frames}ValueError: on purpose"
                    ),
                );
                trap()
            }
            Behaviour::ErrorsInProcess => {
                for line in [
                    "panic: on purpose",
                    "",
                    "goroutine 1 [running]:",
                    "\tmain.go:7",
                ] {
                    log(Level::Error, format_args!("{line}"));
                }
                log(
                    Level::Error,
                    format_args!("\u{1b}[31mexit status 2\r\nforged line"),
                );
                trap()
            }
            Behaviour::OverflowStack => {
                std::hint::black_box(recurse(0));
                Ok(())
            }
            Behaviour::GrowMemory => grow_memory(),
            Behaviour::FailProcess => Err(Failure::other("process failed on purpose")),
            Behaviour::InvalidRecord => Err(invalid(last_row)),
            Behaviour::InvalidRecordOutOfRange => Err(invalid(last_row + 1)),
            Behaviour::FloodLog => {
                (0..1_000_000).for_each(|line| log(Level::Warn, format_args!("line {line}")));
                Ok(())
            }
            Behaviour::MalformedKeyGroups => {
                let keys = tidegate_sdk::bindings::tidegate::operator::types::Column {
                    offsets: vec![0, 9],
                    data: vec![],
                };
                tidegate_sdk::bindings::tidegate::operator::host::key_groups(&keys);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Returns the emissions, malformed if that is the behaviour.
    fn emissions(&self, records: Batch) -> Vec<Emission> {
        let mut emission = Emission { port: 0, records };
        let values = &mut emission.records.values;
        if self.is(Behaviour::OffsetsOutOfRange) {
            values
                .offsets
                .last_mut()
                .into_iter()
                .for_each(|end| *end += 1_000);
        } else if self.is(Behaviour::OffsetsDecreasing) {
            let end = values.offsets.len() - 1;
            values.offsets[end] = 0;
            values.offsets[end - 1] = 1;
        } else if self.is(Behaviour::OffsetsNotFromZero) {
            values.offsets[0] = 1;
        } else if self.is(Behaviour::OffsetsMissing) {
            values.offsets.clear();
        } else if self.is(Behaviour::RowsDiffer) {
            values.push(b"one too many");
        } else if self.is(Behaviour::UndeclaredPort) {
            emission.port = 4096;
        } else if self.is(Behaviour::HugeOutput) {
            let offsets = vec![0, HUGE as u32];
            emission.records = Batch {
                timestamps: vec![0],
                keys: Column {
                    offsets: vec![0, 0],
                    data: vec![],
                },
                values: Column {
                    offsets,
                    data: vec![b'x'; HUGE],
                },
            };
        }
        vec![emission]
    }
}

impl RawOperator for Hostile {
    fn open(context: Context) -> Result<Self, Failure> {
        let config = serde_json::from_str(&context.config);
        let hostile = Self {
            config: config.map_err(|error| Failure::other(format!("config: {error}")))?,
            records: 0,
            restored: false,
            snapshots: 0,
        };
        if hostile.is(Behaviour::FailOpen) {
            return Err(Failure::other("open failed on purpose"));
        }
        if hostile.is(Behaviour::PanicInOpen) {
            panic!("hostile on purpose");
        }
        if hostile.is(Behaviour::LoopInOpen) {
            loop_forever();
        }
        Ok(hostile)
    }

    fn process(&mut self, _input: u32, records: Batch) -> Result<Vec<Emission>, Failure> {
        self.misbehave(&records)?;
        let rows = records.len() as u64;
        count("records", rows);
        let emissions = self.emissions(records);
        self.records += rows;
        Ok(emissions)
    }

    fn advance_watermark(&mut self, watermark: i64) -> Result<Vec<Emission>, Failure> {
        if self.is(Behaviour::FailWatermark) {
            return Err(Failure::other("advance-watermark failed on purpose"));
        }
        if !self.is(Behaviour::EmitAtWatermark) {
            return Ok(Vec::new());
        }
        let mut records = Batch::default();
        records.push(watermark, b"at", watermark.to_string().as_bytes());
        Ok(vec![Emission { port: 0, records }])
    }

    fn snapshot(&mut self, _checkpoint: u64) -> Result<Vec<StateChunk>, Failure> {
        let mut chunk = StateChunk {
            name: "records".to_owned(),
            schema_version: 1,
            key_group: None,
            bytes: self.records.to_le_bytes().to_vec(),
        };
        if self.is(Behaviour::TrapInSnapshot) {
            trap();
        }
        if self.is(Behaviour::LoopInSnapshot) {
            loop_forever();
        }
        if self.is(Behaviour::FailSnapshot) {
            return Err(Failure::other("snapshot failed on purpose"));
        }
        if self.is(Behaviour::CountSnapshots) {
            chunk.bytes = self.snapshots.to_le_bytes().to_vec();
            self.snapshots += 1;
        }
        if self.is(Behaviour::HugeSnapshot) {
            chunk.bytes = vec![b'x'; HUGE];
        }
        if self.is(Behaviour::ForeignKeyGroup) {
            chunk.key_group = Some(u32::MAX);
        }
        Ok(vec![chunk])
    }

    fn restore(&mut self, chunks: Vec<StateChunk>) -> Result<(), Failure> {
        if self.is(Behaviour::RefuseRestore) {
            return Err(Failure::incompatible_state("restore refused on purpose"));
        }
        if self.is(Behaviour::TrapInRestore) {
            trap();
        }
        if self.is(Behaviour::LoopInRestore) {
            loop_forever();
        }
        for chunk in chunks {
            let bytes = <[u8; 8]>::try_from(chunk.bytes.as_slice())
                .map_err(|_| Failure::incompatible_state("not a number of records"))?;
            self.records += u64::from_le_bytes(bytes);
        }
        if self.is(Behaviour::ForgetOnRestore) {
            self.records = 0;
        }
        self.restored = true;
        Ok(())
    }

    fn checkpoint_complete(&mut self, _checkpoint: u64) -> Result<(), Failure> {
        if self.is(Behaviour::FailCheckpointComplete) {
            return Err(Failure::other("checkpoint-complete failed on purpose"));
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<Vec<Emission>, Failure> {
        if self.is(Behaviour::FailFinish) {
            return Err(Failure::other("finish failed on purpose"));
        }
        if self.is(Behaviour::TrapInFinish) {
            trap();
        }
        Ok(Vec::new())
    }
}

tidegate_sdk::export_raw_operator!(Hostile);

fn invalid(row: u32) -> Failure {
    Failure::InvalidRecord {
        row,
        reason: "refused on purpose".to_owned(),
    }
}

/// Executes the `unreachable` instruction in WebAssembly.
fn trap() -> ! {
    std::process::abort()
}

fn loop_forever() -> ! {
    loop {
        std::hint::spin_loop();
    }
}

#[expect(unconditional_recursion, reason = "it ends when the stack does")]
fn recurse(depth: u64) -> u64 {
    let frame = std::hint::black_box([depth; 64]);
    recurse(depth + 1) + frame[(depth % 64) as usize]
}

/// Ends with an abort when the host allows no more memory.
fn grow_memory() -> ! {
    let mut hoard = Vec::new();
    loop {
        hoard.push(vec![1_u8; 1 << 20]);
        std::hint::black_box(&hoard);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_sdk::testing::RawHarness;

    #[test]
    fn the_behaviour_waits_for_its_records_and_spares_what_was_restored() -> Result<(), Failure> {
        let config = r#"{"behaviour":"fail-process","after-records":2,"only-before-restore":true}"#;
        let builder = RawHarness::<Hostile>::builder().config(config);
        let mut hostile = builder.clone().open()?;
        hostile.send("a", "1")?;
        hostile.send("a", "2")?;
        let chunks = hostile.snapshot()?;
        assert!(hostile.send("a", "3").is_err());
        let mut restored = builder.restore(&chunks)?;
        restored.send("a", "3")?;
        assert_eq!(restored.snapshot()?[0].bytes, 3_u64.to_le_bytes());
        Ok(())
    }
}
