//! `RLIMIT_CPU`: a process that has used up its processor time reports it and ends, instead of
//! being killed by SIGXCPU.
//!
//! The system sends SIGXCPU at the soft limit, and SIGKILL, which no process can report, at the
//! hard limit. So a soft limit that is as high as the hard limit is lowered by a second, and a
//! hard limit that leaves no room for that is rejected.

use std::{io, thread};

use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};
use tokio::runtime::Runtime;
use tokio::signal::unix::{self, SignalKind, signal};

use crate::failure::Failure;
use crate::terminal::{Terminal, chain};

/// Starts the thread that waits for SIGXCPU, whatever the other threads do. It ends with the
/// process.
pub(super) fn watch(terminal: Terminal) -> Result<(), Failure> {
    leave_time_for_last_words()?;
    let (runtime, mut used_up) = listen().map_err(Failure::io("listen for SIGXCPU"))?;
    let wait = move || {
        if runtime.block_on(used_up.recv()).is_some() {
            end(&terminal);
        }
    };
    let thread = thread::Builder::new().name("tidegate-limits".to_owned());
    let thread = thread.spawn(wait);
    // Not joined: it waits as long as the process lives.
    drop(thread.map_err(Failure::thread("the limit of processor time"))?);
    Ok(())
}

fn listen() -> io::Result<(Runtime, unix::Signal)> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_io().build()?;
    let used_up = {
        let _within = runtime.enter();
        signal(SignalKind::from_raw(Signal::XCPU.as_raw()))?
    };
    Ok((runtime, used_up))
}

fn leave_time_for_last_words() -> Result<(), Failure> {
    let Rlimit { current, maximum } = getrlimit(Resource::Cpu);
    let Some(hard) = maximum else {
        return Ok(());
    };
    // The system treats a soft limit of 0 as one second.
    if hard <= 1 {
        return Err(Failure::LittleProcessorTime { allowed: hard });
    }
    if current == maximum {
        let current = Some(hard - 1);
        if let Err(error) = setrlimit(Resource::Cpu, Rlimit { current, maximum }) {
            tracing::debug!("could not lower the soft limit of processor time: {error}");
        }
    }
    Ok(())
}

/// Reports the limit and ends the process, as a second SIGTERM does. Complete checkpoints remain.
fn end(terminal: &Terminal) {
    let seconds = met(getrlimit(Resource::Cpu));
    let failure = Failure::NoProcessorTime { seconds };
    terminal.say(format_args!("error: {}", chain(&failure)));
    if let Some(advice) = failure.advice() {
        terminal.say(format_args!("help: {advice}"));
    }
    terminal.flush_logs_soon();
    std::process::exit(failure.exit_code().into())
}

/// Returns the limit that was met: the system raises the soft limit by a second as it sends
/// SIGXCPU. `None` if no limit is set, and another process sent the signal.
fn met(limit: Rlimit) -> Option<u64> {
    let current = limit.current?;
    let is_ours = limit.maximum.is_some_and(|maximum| current >= maximum);
    Some(if is_ours { current } else { current - 1 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_that_was_met_is_the_one_that_was_set() {
        let met_of = |current, maximum| met(Rlimit { current, maximum });
        assert_eq!(met_of(Some(3), None), Some(2));
        assert_eq!(met_of(Some(3), Some(60)), Some(2));
        // Lowered by a second at the start, raised by one now.
        assert_eq!(met_of(Some(2), Some(2)), Some(2));
        assert_eq!(met_of(None, None), None);
    }
}
