//! Checks whether the system has room for a job: threads, mappings of memory, address space, memory
//! to write, and open files.
//!
//! Each chain has a thread and each memory of a guest a reservation of address space, so that a job
//! with many subtasks reaches limits of the system that have nothing to do with memory; connectors
//! have files open. Some of the limits end the whole process when they are reached, and others
//! every attempt of the job, so all are checked before anything starts. This module decides;
//! [`system`] reads the limits. A limit that can't be read is not checked: the system will report
//! it.

mod system;

use std::{fmt, io};

use rustix::io::Errno;
use thiserror::Error;
use tidegate_checkpoint::{JobGraph, Node, NodeKind};
use tidegate_operator::SystemNeeds;

use crate::config::limits::{LEAST_BLOCKING_THREADS, MOST_BLOCKING_THREADS};
use crate::graph::GraphCost;
use crate::job::Job;

/// Threads beside those of chains: the main thread, those of the job, of signals, of the log, of
/// call timeouts, of the limit of processor time and of the compiler, and those for blocking work
/// that are always there.
const FIXED_THREADS: u64 = 7 + LEAST_BLOCKING_THREADS as u64;
/// Mappings that a process opens later: machine code, files, the allocator's mappings.
const FIXED_MAPPINGS: u64 = 512;
/// Address space for all that is not a thread or an instance.
const FIXED_ADDRESS_SPACE: u64 = 256 << 20;
/// Files of the process and of the checkpoints: the lock, sockets, the log, a directory that is
/// listed.
const FIXED_FILES: u64 = 16;
/// Files that a thread for blocking work has open: the file that it writes, and its directory.
const FILES_OF_A_BLOCKING_THREAD: u64 = 2;
/// The image of an operator's memory, which its instances share.
const FILES_OF_AN_OPERATOR: u64 = 1;
/// Memory that may be written, for all that is not a thread. The growth of guests is unknown: the
/// system refuses them memory that is not there.
const FIXED_DATA: u64 = 32 << 20;

/// Free address space, and memory that may be written, without which no thread is started. A thread
/// takes them for its stack, and then for the stacks of its signals; a system that refuses the
/// latter ends the whole process.
const FREE_FOR_A_THREAD: u64 = SystemNeeds::OF_A_THREAD.address_space + (16 << 20);

/// Checks that the process may have one more thread. Limits can be lowered while a job runs, so
/// this is called before each thread; it costs next to nothing where there is no limit.
///
/// # Errors
///
/// The error that the system would return.
pub(crate) fn check_thread() -> io::Result<()> {
    match system::free_memory() {
        Some(free) if free < FREE_FOR_A_THREAD => Err(Errno::NOMEM.into()),
        Some(_) | None => Ok(()),
    }
}

/// Checks that the system has room for a job, before any part of it runs.
///
/// # Errors
///
/// [`NoRoom`] with the first limit that the job would reach.
pub fn check_room(job: &Job) -> Result<(), NoRoom> {
    let instance = |operator: &str| job.operators[operator].factory.instance_needs();
    let files = |node: &Node| match node.kind {
        NodeKind::Source => job.sources[&node.name].open_files(node.parallelism),
        NodeKind::Operator => FILES_OF_AN_OPERATOR,
        NodeKind::Sink => job.sinks[&node.name].open_files(node.parallelism),
    };
    Needs::of(&job.graph, instance, files).check(&system::limits())
}

/// The resources of the system that a job needs while it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Needs {
    chains: u64,
    instances: u64,
    threads: u64,
    mappings: u64,
    address_space: u64,
    files: u64,
    /// Bytes that may be written: stacks count as soon as they exist.
    data: u64,
}

impl Needs {
    /// Counts the needs of a graph, from those of an operator's instance and the files of each
    /// node.
    fn of(
        graph: &JobGraph,
        instance: impl Fn(&str) -> SystemNeeds,
        files: impl Fn(&Node) -> u64,
    ) -> Self {
        let GraphCost {
            chains, instances, ..
        } = GraphCost::of(graph);
        let threads = chains + FIXED_THREADS;
        // As many as the chains that write at once. A system that refuses these threads only makes
        // the work wait, so they count as mappings alone.
        let blocking = chains.min(MOST_BLOCKING_THREADS as u64);
        let most = threads + blocking;
        let of_nodes = graph.nodes().iter().map(files).fold(0, u64::saturating_add);
        let mut needs = Self {
            chains,
            instances,
            threads,
            mappings: FIXED_MAPPINGS + most * SystemNeeds::OF_A_THREAD.mappings,
            address_space: FIXED_ADDRESS_SPACE + most * SystemNeeds::OF_A_THREAD.address_space,
            files: of_nodes.saturating_add(FIXED_FILES + blocking * FILES_OF_A_BLOCKING_THREAD),
            data: FIXED_DATA + most * SystemNeeds::OF_A_THREAD.address_space,
        };
        let nodes = graph.nodes().iter();
        for node in nodes.filter(|node| node.kind == NodeKind::Operator) {
            let instances = u64::from(node.parallelism);
            let each = instance(&node.name);
            let of_node = |each: u64| each.saturating_mul(instances);
            needs.mappings = needs.mappings.saturating_add(of_node(each.mappings));
            needs.address_space = needs
                .address_space
                .saturating_add(of_node(each.address_space));
        }
        needs
    }

    fn check(&self, limits: &[SystemLimit]) -> Result<(), NoRoom> {
        let needed = |resource| match resource {
            Resource::Threads => self.threads,
            Resource::Mappings => self.mappings,
            Resource::AddressSpace => self.address_space,
            Resource::OpenFiles => self.files,
            Resource::Data => self.data,
        };
        let is_met = |limit: &&SystemLimit| {
            needed(limit.resource).saturating_add(limit.used) > limit.allowed
        };
        match limits.iter().find(is_met) {
            None => Ok(()),
            Some(limit) => Err(NoRoom {
                chains: self.chains,
                instances: self.instances,
                needed: needed(limit.resource),
                limit: limit.clone(),
            }),
        }
    }
}

/// The resource of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resource {
    /// Threads.
    Threads,
    /// Mappings of memory of a process.
    Mappings,
    /// Bytes of address space of a process.
    AddressSpace,
    /// Files that a process has open at once.
    OpenFiles,
    /// Bytes of memory that a process may write.
    Data,
}

/// A limit of the system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SystemLimit {
    /// Its name, as the user who can raise it knows it.
    pub(crate) name: &'static str,
    /// The resource that it limits.
    pub(crate) resource: Resource,
    /// The amount that it allows.
    pub(crate) allowed: u64,
    /// The amount that is used already.
    pub(crate) used: u64,
}

impl SystemLimit {
    /// Shows `value` in the unit in which the limit is set.
    fn shown(&self, value: u64) -> String {
        match self.resource {
            Resource::Threads => format!("{value} threads"),
            Resource::Mappings => format!("{value} mappings of memory"),
            Resource::AddressSpace => {
                format!("{} GiB of address space", value.div_ceil(1 << 30))
            }
            Resource::OpenFiles => format!("{value} open files"),
            Resource::Data => format!("{} MiB of memory to write", value.div_ceil(1 << 20)),
        }
    }
}

/// The system has no room for the job. No part of the job was started.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub struct NoRoom {
    chains: u64,
    instances: u64,
    needed: u64,
    limit: SystemLimit,
}

impl NoRoom {
    /// Returns the remedies, for a message.
    #[must_use]
    pub fn advice(&self) -> String {
        let enough = self.needed.saturating_add(self.limit.used);
        let how = match self.limit.resource {
            Resource::Mappings => format!("`sysctl -w vm.max_map_count={enough}`"),
            Resource::Threads => format!("raise {} to {enough} or more", self.limit.name),
            Resource::OpenFiles => format!(
                "raise its hard limit to {enough} or more, as root with `ulimit -Hn {enough}` or \
                 in a service with `LimitNOFILE={enough}`"
            ),
            Resource::Data => {
                let kib = enough.div_ceil(1 << 10);
                format!(
                    "`ulimit -d unlimited`, or {kib} plus the growth of the operators' memories"
                )
            }
            Resource::AddressSpace => {
                let kib = enough.div_ceil(1 << 10);
                format!(
                    "`ulimit -v unlimited`, or {kib}: each memory of a guest reserves 4 GiB of \
                     addresses and uses only a part of them; to bound memory, set `memory` in the \
                     operators' `limits`, or a cgroup's memory.max"
                )
            }
        };
        match self.limit.resource {
            Resource::OpenFiles => {
                format!("{how}; or lower the number of file sinks or `parallelism`")
            }
            Resource::Mappings | Resource::Threads | Resource::AddressSpace | Resource::Data => {
                format!("{how}; or lower `parallelism`")
            }
        }
    }
}

impl fmt::Display for NoRoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            chains,
            instances,
            needed,
            limit,
        } = self;
        write!(
            f,
            "this system has no room for the job: its {chains} chains and {instances} operator \
             instances need up to {}; {} allows {}, of which {} are used",
            limit.shown(*needed),
            limit.name,
            limit.shown(limit.allowed),
            limit.shown(limit.used),
        )
    }
}

#[cfg(test)]
mod tests;
