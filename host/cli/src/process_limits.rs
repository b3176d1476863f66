//! The system's limits of this process: what `ulimit` shows.
//!
//! A limit that is met is an error of the call that meets it, never the silent end of the process;
//! and the message says which limit it was.

use std::error::Error;
use std::fs::File;
use std::io;

use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};
use tidegate_connector::ConnectorError;
use tidegate_runtime::JobError;
use tokio::signal::unix::{SignalKind, signal};

use crate::failure::Failure;

/// Files that every command can open at once. A job needs more: see [`raise_open_files`].
const LEAST_FILES: usize = 24;

/// Threads of a run besides those of its chains: the main thread, those of the job, of signals, of
/// the log, of call timeouts and of the compiler, and two for blocking work.
const THREADS: usize = 8;

/// Prepares the process for its limits. Called first, before there are other threads.
pub(crate) fn prepare() -> Result<(), Failure> {
    // Whoever listens for signals needs a pair of sockets, and panics without.
    check_open_files()?;
    survive_file_size().map_err(Failure::io("listen for SIGXFSZ"))
}

fn check_open_files() -> Result<(), Failure> {
    let open = |_| File::open("/dev/null");
    let opened: io::Result<Vec<File>> = (0..LEAST_FILES).map(open).collect();
    match opened {
        Err(error) if meets(&error) == Some(Limit::OpenFiles) => Err(Failure::FewFiles {
            least: LEAST_FILES,
            source: error,
        }),
        // Without `/dev/null`, nothing is known.
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Has a write beyond the greatest size of a file fail, in place of the process. The handler stays
/// when the runtime that installs it is gone.
fn survive_file_size() -> io::Result<()> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_io().build()?;
    let _within = runtime.enter();
    drop(signal(SignalKind::from_raw(Signal::XFSZ.as_raw()))?);
    Ok(())
}

/// Raises the number of files that may be open to the most that the process may set by itself, as
/// servers do: the lower one is for programs that use `select`. Not for commands that start other
/// programs.
pub(crate) fn raise_open_files() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    if current != maximum
        && let Err(error) = setrlimit(Resource::Nofile, raised)
    {
        tracing::debug!("the limit of open files stays {current:?}: {error}");
    }
}

/// The limit that an error or one behind it has met, for people.
pub(crate) fn behind(error: &(dyn Error + 'static)) -> Option<String> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return meets(error).map(shown);
        }
        next = error.source();
    }
    None
}

/// As [`behind`], of the failure of a job.
pub(crate) fn behind_job(error: &JobError) -> Option<String> {
    if let JobError::RestartsExhausted { last, .. } | JobError::IsolationExhausted { last, .. } =
        error
    {
        return behind_job(last);
    }
    if let JobError::Connector { error, .. } = error
        && let ConnectorError::Io { source, .. } = error
    {
        return meets(source).map(shown);
    }
    behind(error)
}

/// A limit that an error can stem from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Limit {
    OpenFiles,
    FileSize,
    Threads,
}

/// The limit that makes the system return this error.
fn meets(error: &io::Error) -> Option<Limit> {
    let code = Errno::from_io_error(error)?;
    let limits = [
        (Errno::MFILE, Limit::OpenFiles),
        (Errno::FBIG, Limit::FileSize),
        // Of a thread; nothing else that fails a command would have to wait.
        (Errno::AGAIN, Limit::Threads),
    ];
    let met = limits.into_iter().find(|(error, _)| *error == code);
    met.map(|(_, limit)| limit)
}

fn shown(limit: Limit) -> String {
    let is = |resource| match getrlimit(resource).current {
        Some(limit) => limit.to_string(),
        None => "unlimited".to_owned(),
    };
    match limit {
        Limit::OpenFiles => format!(
            "RLIMIT_NOFILE, the number of files that this process may have open, is {}: raise \
             `ulimit -n`",
            is(Resource::Nofile)
        ),
        Limit::FileSize => format!(
            "RLIMIT_FSIZE, the bytes that a file of this process may have, is {}: raise \
             `ulimit -f`",
            is(Resource::Fsize)
        ),
        Limit::Threads => format!(
            "the system refuses more threads; a job needs one for each chain and {THREADS} more. \
             RLIMIT_NPROC, the number for all processes of this user, is {}: raise `ulimit -u`, \
             or the limit of the service or container",
            is(Resource::Nproc)
        ),
    }
}
