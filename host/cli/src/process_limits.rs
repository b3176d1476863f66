//! The system's limits of this process, as `ulimit` shows them.
//!
//! The call that meets a limit fails with an error, and the message names the limit. The process
//! never ends silently.

mod processor_time;

use std::fs::File;
use std::io;

use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};

use crate::failure::Failure;
use crate::met_limit::{Limit, meets};
use crate::terminal::Terminal;

/// The number of files that every command must be able to open at once. A job needs more: see
/// [`raise_open_files`].
const LEAST_FILES: usize = 24;

/// Bytes of address space and of written memory that every command needs. With less, it may abort
/// in the middle when an allocation fails. A job needs more, which is checked once it is known.
const LEAST_ADDRESS_SPACE: u64 = 512 << 20;
const LEAST_DATA: u64 = 64 << 20;

/// Prepares the process for its limits. Called first, before there are other threads.
pub(crate) fn prepare(terminal: &Terminal) -> Result<(), Failure> {
    // Listening for signals needs a pair of sockets, and panics without.
    check_open_files()?;
    check_memory()?;
    survive_file_size().map_err(Failure::io("listen for SIGXFSZ"))?;
    processor_time::watch(terminal.clone())
}

fn check_open_files() -> Result<(), Failure> {
    let open = |_| File::open("/dev/null");
    let opened: io::Result<Vec<File>> = (0..LEAST_FILES).map(open).collect();
    match opened {
        Err(error) if meets(&error) == Some(Limit::OpenFiles) => Err(Failure::FewFiles {
            least: LEAST_FILES,
            source: error,
        }),
        // Without `/dev/null`, the limit can't be checked.
        Ok(_) | Err(_) => Ok(()),
    }
}

fn check_memory() -> Result<(), Failure> {
    let least = [
        ("RLIMIT_AS (`ulimit -v`)", Resource::As, LEAST_ADDRESS_SPACE),
        ("RLIMIT_DATA (`ulimit -d`)", Resource::Data, LEAST_DATA),
    ];
    for (limit, resource, least) in least {
        if let Some(allowed) = getrlimit(resource).current.filter(|it| *it < least) {
            return Err(Failure::LittleMemory {
                limit,
                allowed,
                least,
            });
        }
    }
    Ok(())
}

/// Makes a write beyond the greatest file size fail instead of killing the process. The handler
/// outlives the runtime that installs it.
fn survive_file_size() -> io::Result<()> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_io().build()?;
    let _within = runtime.enter();
    drop(signal(SignalKind::from_raw(Signal::XFSZ.as_raw()))?);
    Ok(())
}

/// Raises the limit of open files to the hard limit, as servers do: the lower one is for programs
/// that use `select`. Not for commands that start other programs.
pub(crate) fn raise_open_files() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    if current != maximum
        && let Err(error) = setrlimit(Resource::Nofile, raised)
    {
        tracing::debug!("could not raise the limit of open files, {current:?}: {error}");
    }
}
