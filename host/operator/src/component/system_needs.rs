//! The needs of an operator instance that the operating system has to meet, apart from used memory.
//!
//! A memory of a guest is a reservation of address space in several mappings, so many instances
//! meet limits of the system long before any limit on memory. The numbers are measured: a test
//! checks that they are enough and not far too high.

use super::structure::Footprint;
use crate::engine::{MEMORY_GUARD_BYTES, MEMORY_RESERVATION_BYTES};

/// The number of mappings of a memory: a guard page before it, its initial contents, its growth so
/// far, and its possible growth.
const MAPPINGS_OF_A_MEMORY: u64 = 4;
/// The number of mappings of a large table.
const MAPPINGS_OF_A_TABLE: u64 = 1;

/// The needed mappings and address space.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SystemNeeds {
    /// The number of mappings; on Linux `vm.max_map_count` bounds it for a process.
    pub mappings: u64,
    /// The bytes of address space; `ulimit -v` bounds them for a process.
    pub address_space: u64,
}

impl SystemNeeds {
    /// The needs of a thread that calls guests: its stack of 4 MiB, the stacks that the language
    /// and the engine have for signals, each with a guard, and large buffers.
    pub const OF_A_THREAD: Self = Self {
        mappings: 7,
        address_space: 5 << 20,
    };
}

/// Returns the needs of an instance.
pub(crate) fn of_instance(footprint: Footprint) -> SystemNeeds {
    let Footprint {
        memories, tables, ..
    } = footprint;
    let of_memory = MEMORY_RESERVATION_BYTES + 2 * MEMORY_GUARD_BYTES;
    let mappings = memories.saturating_mul(MAPPINGS_OF_A_MEMORY);
    SystemNeeds {
        mappings: mappings.saturating_add(tables.saturating_mul(MAPPINGS_OF_A_TABLE)),
        address_space: memories.saturating_mul(of_memory),
    }
}
