//! Ctrl-C, SIGTERM and SIGHUP, and the thread that answers them.
//!
//! The thread waits only for signals and time, so that it answers a signal whatever the job, its
//! guests, the disk or the terminal do. The first signal asks the job to stop; the second, or a
//! stop that takes too long, ends the process.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use tidegate_runtime::observe::JobState;
use tidegate_runtime::{CommandError, JobCommand, JobHandle};
use tokio::signal::unix::{self, SignalKind};
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use super::stopping::{Answer, Stopping};
use crate::failure::Failure;
use crate::terminal::Terminal;

/// The wait before a refused stop is requested again.
const STOP_AGAIN: Duration = Duration::from_millis(500);
/// The time for the process to report the end of the job after a signal.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A signal from the user or a service manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminate,
    /// SIGHUP: the terminal is gone.
    HangUp,
}

impl Signal {
    /// Returns the exit code of a process that this signal ends at once.
    fn exit_code(self) -> i32 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
            Self::HangUp => 129,
        }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Interrupt => "Ctrl-C",
            Self::Terminate => "SIGTERM",
            Self::HangUp => "SIGHUP",
        })
    }
}

/// The thread that answers signals, until the process ends.
#[derive(Debug)]
pub(in crate::commands) struct SignalThread {
    is_over: Arc<AtomicBool>,
    /// True once a signal requested the end.
    pub(in crate::commands) is_requested: watch::Receiver<bool>,
    /// Closed when the thread ends, which happens only by a panic while the process lives.
    pub(in crate::commands) gone: oneshot::Receiver<()>,
}

impl SignalThread {
    /// Starts answering signals, which ended the process until now. The first one stops `job`, the
    /// job that runs at that moment, if any; the stop may take `timeout`.
    pub(in crate::commands) fn start(
        job: watch::Receiver<Option<JobHandle>>,
        terminal: Terminal,
        timeout: Duration,
    ) -> Result<Self, Failure> {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().build();
        let runtime = runtime.map_err(Failure::io("listen for signals"))?;
        let signals = {
            let _within = runtime.enter();
            Signals::new().map_err(Failure::io("listen for signals"))?
        };
        let is_over = Arc::new(AtomicBool::new(false));
        let (requested, is_requested) = watch::channel(false);
        let answering = Answering {
            signals,
            job,
            terminal,
            stopping: Stopping::new(timeout),
            is_over: Arc::clone(&is_over),
            requested,
        };
        let (ending, gone) = oneshot::channel();
        let answer = move || {
            // Dropped after everything else, also by a panic.
            let _ending: oneshot::Sender<()> = ending;
            runtime.block_on(answering.answer());
        };
        let thread = thread::Builder::new().name("tidegate-signals".to_owned());
        // Not joined: the thread ends with the process.
        drop(thread.spawn(answer).map_err(Failure::thread("signals"))?);
        Ok(Self {
            is_over,
            is_requested,
            gone,
        })
    }

    /// Reports that the job is over: from now on, any signal ends the process, which has only to
    /// report.
    pub(in crate::commands) fn on_job_over(&self) {
        self.is_over.store(true, Ordering::Release);
    }
}

struct Answering {
    signals: Signals,
    job: watch::Receiver<Option<JobHandle>>,
    terminal: Terminal,
    stopping: Stopping,
    is_over: Arc<AtomicBool>,
    requested: watch::Sender<bool>,
}

impl Answering {
    async fn answer(mut self) {
        let mut asking = None;
        loop {
            let deadline = self.stopping.deadline();
            // Every branch is cancel-safe: its event stays until it is taken.
            let answer = tokio::select! {
                signal = self.signals.next() => self.stopping.on_signal(signal, Instant::now()),
                () = until(deadline) => self.stopping.on_deadline(),
                () = going_on(&mut asking) => {
                    asking = None;
                    continue;
                }
            };
            match answer {
                Answer::Nothing => {}
                Answer::End(signal) | Answer::Stop(signal) if self.is_over() => {
                    // Normally the process ends first, unless no one reads its output.
                    tokio::time::sleep(LAST_WORDS).await;
                    self.end(signal);
                }
                Answer::Stop(signal) => {
                    self.requested.send_replace(true);
                    let job = self.job.borrow().clone();
                    asking = job.map(|job| Box::pin(self.stop(signal, job)));
                }
                Answer::End(signal) => {
                    self.terminal.say(format_args!(
                        "{signal} again: ended at once; run the job again to continue from its \
                         last complete checkpoint"
                    ));
                    self.end(signal);
                }
                Answer::GiveUp(signal, waited) => {
                    self.terminal.say(self.gave_up(signal, waited));
                    self.end(signal);
                }
            }
        }
    }

    fn stop(&self, signal: Signal, job: JobHandle) -> impl Future<Output = ()> + use<> {
        self.terminal.say(format_args!(
            "{signal}: stopping after a last checkpoint; a second signal, half a second from now \
             or later, ends the job at once"
        ));
        stop(job, self.terminal.clone())
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    fn gave_up(&self, signal: Signal, waited: Duration) -> String {
        let waited = humantime::format_duration(waited);
        let Some(job) = self.job.borrow().clone() else {
            return format!("{signal}: ended, because the process has not ended within {waited}");
        };
        let status = job.status();
        let mut details = Vec::new();
        if let Some(checkpoint) = status.checkpoints.in_progress {
            details.push(format!("checkpoint {checkpoint} is not complete"));
        }
        if let Some(failure) = &status.checkpoints.last_failure {
            details.push(format!("the last failure was {failure}"));
        }
        let details = match details.as_slice() {
            [] => String::new(),
            details => format!(" ({})", details.join(", ")),
        };
        format!(
            "{signal}: ended without a last checkpoint, because the job, still {}, has not \
             stopped within {waited}{details}; run the job again to continue from its last \
             complete checkpoint",
            status.state
        )
    }

    fn end(&self, signal: Signal) -> ! {
        self.terminal.flush_logs_soon();
        std::process::exit(signal.exit_code())
    }
}

/// Asks the job to stop, again and again while it is between two attempts. The way it ends shows
/// that it stopped.
async fn stop(job: JobHandle, terminal: Terminal) {
    loop {
        let (reply, answer) = oneshot::channel();
        let command = JobCommand::Stop {
            drain: false,
            savepoint: None,
            reply,
        };
        let refused: Option<CommandError> = match job.send(command).await {
            Ok(()) => answer.await.ok().and_then(Result::err),
            Err(error) => Some(error),
        };
        let Some(error) = refused else {
            return;
        };
        if is_over(job.status().state) {
            return;
        }
        terminal.say(format_args!(
            "could not stop yet: {error}; another signal ends the job at once"
        ));
        tokio::time::sleep(STOP_AGAIN).await;
    }
}

pub(in crate::commands) fn is_over(state: JobState) -> bool {
    match state {
        JobState::Restoring | JobState::Running | JobState::Stopping | JobState::Restarting => {
            false
        }
        JobState::Finished | JobState::Stopped | JobState::Cancelled | JobState::Failed => true,
    }
}

/// Receives the signals instead of being killed by them.
#[derive(Debug)]
struct Signals {
    interrupt: unix::Signal,
    terminate: unix::Signal,
    /// `None` if SIGHUP is ignored, as under `nohup`; it then stays ignored.
    hang_up: Option<unix::Signal>,
}

impl Signals {
    /// Receives signals from now on. Must be called within a tokio runtime.
    fn new() -> io::Result<Self> {
        Ok(Self {
            interrupt: unix::signal(SignalKind::interrupt())?,
            terminate: unix::signal(SignalKind::terminate())?,
            hang_up: match is_hang_up_ignored() {
                true => None,
                false => Some(unix::signal(SignalKind::hangup())?),
            },
        })
    }

    /// Waits for the next signal. Cancel-safe.
    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::Interrupt,
            _ = self.terminate.recv() => Signal::Terminate,
            () = received(&mut self.hang_up) => Signal::HangUp,
        }
    }
}

async fn received(signal: &mut Option<unix::Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

async fn going_on<T: Future<Output = ()> + Unpin>(task: &mut Option<T>) {
    match task {
        Some(task) => task.await,
        None => std::future::pending().await,
    }
}

/// Returns true if the parent had this process ignore SIGHUP; false if the system does not say.
fn is_hang_up_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    // SIGHUP is signal 1, the lowest bit.
    ignored.is_some_and(|mask| mask & 1 != 0)
}
