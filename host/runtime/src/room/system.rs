//! The limits of this system on threads, mappings, address space and open files, and their use.
//!
//! Read from `/proc` and from the cgroup; a limit that can't be read or does not exist is left out.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::process::Resource as ProcessResource;
use rustix::process::{getrlimit, getuid};

use super::{Resource, SystemLimit};

/// Reads all limits.
pub(super) fn limits() -> Vec<SystemLimit> {
    let all = [
        mappings(),
        threads_of_system("`kernel.threads-max`", "/proc/sys/kernel/threads-max"),
        threads_of_system("`kernel.pid_max`", "/proc/sys/kernel/pid_max"),
        threads_of_user(),
        threads_of_cgroup(),
        open_files(),
        of_process("`ulimit -v`", Resource::AddressSpace),
        of_process("`ulimit -d`", Resource::Data),
    ];
    all.into_iter().flatten().collect()
}

fn mappings() -> Option<SystemLimit> {
    Some(SystemLimit {
        name: "`vm.max_map_count`",
        resource: Resource::Mappings,
        allowed: number("/proc/sys/vm/max_map_count")?,
        used: fs::read_to_string("/proc/self/maps").ok()?.lines().count() as u64,
    })
}

fn threads_of_system(name: &'static str, path: &str) -> Option<SystemLimit> {
    // The second number of the pair counts all threads.
    let load = fs::read_to_string("/proc/loadavg").ok()?;
    let used = load.split(' ').nth(3)?.split('/').nth(1)?;
    Some(SystemLimit {
        name,
        resource: Resource::Threads,
        allowed: number(path)?,
        used: used.parse().ok()?,
    })
}

/// Reads the limit on a user's threads, in all processes; root is exempt.
fn threads_of_user() -> Option<SystemLimit> {
    let user = getuid();
    let allowed = getrlimit(ProcessResource::Nproc).current?;
    if user.is_root() {
        return None;
    }
    let processes = fs::read_dir("/proc").ok()?.flatten();
    let own = processes.filter(|entry| {
        let is_process = entry.file_name().to_string_lossy().parse::<u32>().is_ok();
        let owner = entry.metadata().map(|status| status.uid());
        is_process && owner.is_ok_and(|owner| owner == user.as_raw())
    });
    Some(SystemLimit {
        name: "`ulimit -u`",
        resource: Resource::Threads,
        allowed,
        used: own.filter_map(|entry| threads_of(&entry.path())).sum(),
    })
}

/// Returns `None` if the process is gone by now.
fn threads_of(process: &Path) -> Option<u64> {
    let status = fs::read_to_string(process.join("status")).ok()?;
    field(&status, "Threads:")
}

/// Returns the tightest `pids.max` of the cgroup and its ancestors.
fn threads_of_cgroup() -> Option<SystemLimit> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let group = |line: &str| {
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, path) = (parts.next()?, parts.next()?);
        let root = match controllers {
            "" => "/sys/fs/cgroup",
            pids if pids.split(',').any(|one| one == "pids") => "/sys/fs/cgroup/pids",
            _ => return None,
        };
        Some((root, path.trim_start_matches('/').to_owned()))
    };
    let limits = groups.lines().filter_map(group).flat_map(|(root, path)| {
        let directory = PathBuf::from(root).join(path);
        let within: Vec<PathBuf> = directory
            .ancestors()
            .take_while(|directory| directory.starts_with(root))
            .map(Path::to_owned)
            .collect();
        within.into_iter().filter_map(|directory| {
            Some(SystemLimit {
                name: "`pids.max` of its cgroup",
                resource: Resource::Threads,
                allowed: number(directory.join("pids.max"))?,
                used: number(directory.join("pids.current"))?,
            })
        })
    });
    limits.min_by_key(|limit| limit.allowed.saturating_sub(limit.used))
}

/// Reads a limit on the bytes of this process.
fn of_process(name: &'static str, resource: Resource) -> Option<SystemLimit> {
    let (limit, used) = match resource {
        Resource::AddressSpace => (ProcessResource::As, "VmSize:"),
        Resource::Data => (ProcessResource::Data, "VmData:"),
        Resource::Threads | Resource::Mappings | Resource::OpenFiles => return None,
    };
    let allowed = getrlimit(limit).current?;
    let status = fs::read_to_string("/proc/self/status").ok()?;
    Some(SystemLimit {
        name,
        resource,
        allowed,
        used: field(&status, used)? << 10,
    })
}

/// Reads the hard limit, to which a run raises the soft limit.
fn open_files() -> Option<SystemLimit> {
    let open = fs::read_dir("/proc/self/fd").ok()?.count() as u64;
    Some(SystemLimit {
        name: "`ulimit -n`",
        resource: Resource::OpenFiles,
        allowed: getrlimit(ProcessResource::Nofile).maximum?,
        // One of the open files lists the others.
        used: open.saturating_sub(1),
    })
}

/// Returns the bytes that this process may still map and write; `None` if there is no limit.
pub(super) fn free_memory() -> Option<u64> {
    let limits = [Resource::AddressSpace, Resource::Data];
    let limits = limits
        .into_iter()
        .filter_map(|resource| of_process("", resource));
    let free = limits.map(|limit| limit.allowed.saturating_sub(limit.used));
    free.min()
}

/// Reads the number in a file, if there is one: `max` is not a number.
fn number(path: impl AsRef<Path>) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// Finds the number after a name in `/proc/PID/status`.
fn field(status: &str, name: &str) -> Option<u64> {
    let value = status.lines().find_map(|line| line.strip_prefix(name))?;
    value.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests;
