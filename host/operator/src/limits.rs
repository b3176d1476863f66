//! Limits of one operator instance, and a meter of the bytes that its memories and tables occupy.
//!
//! wasmtime's own limiter bounds each memory by itself; a component can have many. [`MemoryMeter`]
//! bounds their sum. It counts linear memories and tables, not the engine's own bookkeeping.

use std::time::Duration;

use wasmtime::ResourceLimiter;

use crate::fault::GuestCall;
use crate::system_refusal::SystemRefusal;

/// The largest number of tables of one instance.
const TABLES: usize = 256;
/// The largest number of core instances of one component.
const CORE_INSTANCES: usize = 1_000;

const MIB: u64 = 1024 * 1024;

/// Limits of one operator instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest number of bytes that all memories and tables may occupy together.
    pub memory: u64,
    /// The longest time that one call may take; instantiation counts as a call.
    pub call_timeout: Duration,
    /// The largest number of bytes that a call may return, and that one call of the host's
    /// interface may hand over.
    pub output: u64,
    /// The largest number of bytes of a snapshot, including names and a fixed cost for each chunk.
    pub snapshot: u64,
    /// The largest number of memories. Each reserves 4 GiB of address space.
    pub memories: u32,
    /// The largest number of log lines a second; further lines are dropped and counted.
    pub log_lines_per_second: u32,
    /// The number of bytes of log lines a second; the line that reaches it is the last.
    pub log_bytes_per_second: u64,
}

impl Limits {
    /// The largest number of bytes of a component. A larger file is rejected before it is parsed.
    pub const COMPONENT_BYTES: u64 = 32 * MIB;

    /// Returns the number of bytes that the guest may hand over in a call of this kind.
    pub(crate) fn handed_over(&self, call: GuestCall) -> u64 {
        match call {
            GuestCall::Snapshot => self.snapshot,
            GuestCall::Instantiate
            | GuestCall::Open
            | GuestCall::Restore
            | GuestCall::Process
            | GuestCall::AdvanceWatermark
            | GuestCall::CheckpointComplete
            | GuestCall::Finish => self.output,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 256 * MIB,
            call_timeout: Duration::from_secs(5),
            output: 64 * MIB,
            snapshot: 256 * MIB,
            memories: 8,
            log_lines_per_second: 1_000,
            log_bytes_per_second: MIB,
        }
    }
}

/// A growth that [`MemoryMeter`] did not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RefusedGrowth {
    /// The number of bytes that all memories and tables may occupy together.
    pub(crate) limit: u64,
    /// The number of bytes that they would have occupied.
    pub(crate) asked: u64,
}

/// Counts the bytes of all memories and tables of one store, and rejects growth beyond the limit. A
/// memory lives as long as its store, so the count never falls; growth that the operating system
/// then refuses stays counted.
#[derive(Debug)]
pub(crate) struct MemoryMeter {
    limit: u64,
    memories: u32,
    used: u64,
    refused: Option<RefusedGrowth>,
    refused_by_system: Option<SystemRefusal>,
}

impl MemoryMeter {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            limit: limits.memory,
            memories: limits.memories,
            used: 0,
            refused: None,
            refused_by_system: None,
        }
    }

    /// Returns the number of bytes that all memories and tables occupy now.
    pub(crate) fn used(&self) -> u64 {
        self.used
    }

    /// Returns the last rejected growth since the last call.
    pub(crate) fn take_refused(&mut self) -> Option<RefusedGrowth> {
        self.refused.take()
    }

    /// Returns the last growth within the limit that the system refused since the last call.
    pub(crate) fn take_refused_by_system(&mut self) -> Option<SystemRefusal> {
        self.refused_by_system.take()
    }

    fn on_growth_failed(&mut self, error: &wasmtime::Error) {
        let refusal = SystemRefusal::behind(error);
        self.refused_by_system = refusal.or(self.refused_by_system);
    }

    /// Decides about a growth from `current` to `desired` units of `unit_bytes` bytes.
    fn grow(&mut self, growth: Growth, unit_bytes: usize) -> bool {
        // Past its own maximum a memory can't grow anyway; that does not concern our limit.
        if growth
            .maximum
            .is_some_and(|maximum| growth.desired > maximum)
        {
            return false;
        }
        let units = growth.desired.saturating_sub(growth.current) as u64;
        let asked = self
            .used
            .saturating_add(units.saturating_mul(unit_bytes as u64));
        if asked > self.limit {
            self.refused = Some(RefusedGrowth {
                limit: self.limit,
                asked,
            });
            return false;
        }
        self.used = asked;
        true
    }
}

/// The requested growth of a memory or table, in bytes or elements.
struct Growth {
    current: usize,
    desired: usize,
    maximum: Option<usize>,
}

impl ResourceLimiter for MemoryMeter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let growth = Growth {
            current,
            desired,
            maximum,
        };
        Ok(self.grow(growth, 1))
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let growth = Growth {
            current,
            desired,
            maximum,
        };
        Ok(self.grow(growth, size_of::<usize>()))
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        self.on_growth_failed(&error);
        Ok(())
    }

    fn table_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        self.on_growth_failed(&error);
        Ok(())
    }

    fn instances(&self) -> usize {
        CORE_INSTANCES
    }

    fn tables(&self) -> usize {
        TABLES
    }

    fn memories(&self) -> usize {
        self.memories as usize
    }
}

/// Bounds for compiling one component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompileLimits {
    /// The processor time that compiling may take, where the system reports it, as Linux does: a
    /// busy machine must not cause a refusal. Elsewhere, the elapsed time. In any case at most ten
    /// times as much may elapse.
    pub time: Duration,
    /// The number of bytes by which the process may grow meanwhile. Checked where the system
    /// reports them, as Linux does.
    pub memory: u64,
}

impl Default for CompileLimits {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(60),
            memory: 1 << 30,
        }
    }
}
