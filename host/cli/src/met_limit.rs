//! Describes the limit of the process that an error has met.

use std::error::Error;
use std::io;

use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};
use tidegate_connector::ConnectorError;
use tidegate_operator::{FaultCause, SystemRefusal};
use tidegate_runtime::JobError;

/// The threads of a run besides those of its chains: the main thread, the threads of the job, of
/// signals, of the log, of call timeouts, of the limit of processor time and of the compiler, and
/// two for blocking work.
const THREADS: usize = 9;

/// Describes the limit that an error or one of its sources has met, for people.
pub(crate) fn behind(error: &(dyn Error + 'static)) -> Option<String> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return meets(error).map(shown);
        }
        if let Some(refusal) = error.downcast_ref::<SystemRefusal>() {
            return meets(&refusal.to_io_error()).map(shown);
        }
        next = error.source();
    }
    None
}

/// The same as [`behind`] for the failure of a job.
pub(crate) fn behind_job(error: &JobError) -> Option<String> {
    if let JobError::RestartsExhausted { last, .. } | JobError::IsolationExhausted { last, .. } =
        error
    {
        return behind_job(last);
    }
    if let JobError::Publication { failures } = error {
        return failures.iter().find_map(behind_job);
    }
    if let JobError::Connector { error, .. } = error
        && let ConnectorError::Io { source, .. } = error
    {
        return meets(source).map(shown);
    }
    if let Some(fault) = error.guest_fault()
        && let FaultCause::SystemRefused { refusal, .. } = &fault.cause
    {
        return behind(refusal);
    }
    behind(error)
}

/// A limit that can cause an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    OpenFiles,
    FileSize,
    Threads,
    Memory,
}

/// Returns the limit that makes the system return this error.
pub(crate) fn meets(error: &io::Error) -> Option<Limit> {
    let code = Errno::from_io_error(error)?;
    let limits = [
        (Errno::MFILE, Limit::OpenFiles),
        (Errno::FBIG, Limit::FileSize),
        // From creating a thread; no other call whose failure ends a command would have to wait.
        (Errno::AGAIN, Limit::Threads),
        (Errno::NOMEM, Limit::Memory),
    ];
    let met = limits.into_iter().find(|(error, _)| *error == code);
    met.map(|(_, limit)| limit)
}

fn shown(limit: Limit) -> String {
    match limit {
        Limit::OpenFiles => format!(
            "RLIMIT_NOFILE, the number of files that this process may have open, is {}: raise \
             `ulimit -n`",
            current(Resource::Nofile)
        ),
        Limit::FileSize => format!(
            "RLIMIT_FSIZE, the bytes that a file of this process may have, is {}: raise \
             `ulimit -f`",
            current(Resource::Fsize)
        ),
        Limit::Threads => {
            let stacks = of_memory().map(|limit| format!("; a stack takes memory, too: {limit}"));
            format!(
                "the system refuses more threads; a job needs one for each chain and {THREADS} \
                 more. RLIMIT_NPROC, the number for all processes of this user, is {}: raise \
                 `ulimit -u`, or the limit of the service or container{}",
                current(Resource::Nproc),
                stacks.unwrap_or_default()
            )
        }
        Limit::Memory => of_memory().unwrap_or_else(|| {
            "the system has no memory left for this process, or the process has as many mappings \
             as `vm.max_map_count` allows"
                .to_owned()
        }),
    }
}

/// Describes the memory limits that are set, or returns `None` if there are none.
fn of_memory() -> Option<String> {
    let limits = [
        (
            Resource::As,
            "RLIMIT_AS, the bytes of address space of this process",
            "-v",
        ),
        (
            Resource::Data,
            "RLIMIT_DATA, the bytes of memory that this process may write",
            "-d",
        ),
    ];
    let set = limits.into_iter().filter_map(|(resource, what, flag)| {
        let limit = getrlimit(resource).current?;
        Some(format!("{what}, is {limit}: raise `ulimit {flag}`"))
    });
    let set: Vec<String> = set.collect();
    (!set.is_empty()).then(|| set.join("; "))
}

fn current(resource: Resource) -> String {
    match getrlimit(resource).current {
        Some(limit) => limit.to_string(),
        None => "unlimited".to_owned(),
    }
}
