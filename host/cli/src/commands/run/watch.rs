//! What a person sees and can do while a job runs: progress, events, and the signals' meaning.

use std::fmt::Display;
use std::time::Duration;

use indicatif::ProgressBar;
use tidegate_runtime::status::{JobState, JobStatus};
use tidegate_runtime::{JobCommand, JobHandle};
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use super::signals::Signal;
use crate::terminal::{Narrator, Terminal};

/// How often a bar is redrawn.
const BAR_PERIOD: Duration = Duration::from_secs(1);
/// `timeout` and other wrappers signal their child and then its whole group: the same signal again
/// within this time is the same wish.
const SAME_SIGNAL: Duration = Duration::from_millis(500);
/// The wait before a stop that was refused is asked for again.
const STOP_AGAIN: Duration = Duration::from_millis(500);
/// How often a line is written where nobody watches.
const LINE_PERIOD: Duration = Duration::from_secs(5);

/// Follows one run.
pub(crate) struct Watch {
    handle: JobHandle,
    status: watch::Receiver<JobStatus>,
    terminal: Terminal,
    narrator: Narrator,
    progress: Progress,
    period: Interval,
    is_due: bool,
    /// The first signal, and when it came.
    stopping: Option<(Signal, Instant)>,
}

/// How progress is shown.
enum Progress {
    /// Not at all.
    None,
    /// A line from time to time.
    Lines,
    /// A bar that is redrawn.
    Bar(ProgressBar),
}

impl Watch {
    /// Follows the run of `handle` from its start. Must be called within a tokio runtime.
    pub(crate) fn new(handle: JobHandle, is_quiet: bool, terminal: Terminal) -> Self {
        let (progress, period) = if is_quiet {
            (Progress::None, LINE_PERIOD)
        } else if terminal.is_watched() {
            (Progress::Bar(terminal.progress_bar()), BAR_PERIOD)
        } else {
            (Progress::Lines, LINE_PERIOD)
        };
        let mut period = interval_at(Instant::now() + period, period);
        period.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            status: handle.watch(),
            handle,
            terminal,
            narrator: Narrator::default(),
            progress,
            period,
            is_due: false,
            stopping: None,
        }
    }

    /// Waits until there may be something to tell. Cancel-safe.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.period.tick() => self.is_due = true,
            changed = self.status.changed() => {
                if changed.is_err() {
                    // The job has ended and will not say more: its caller learns it elsewhere.
                    std::future::pending::<()>().await;
                }
            }
        }
    }

    /// Tells what is new.
    pub(crate) fn tell(&mut self) {
        let status = self.status.borrow_and_update().clone();
        for line in self.narrator.events(&status) {
            self.terminal.say(line);
        }
        if std::mem::take(&mut self.is_due) {
            match &self.progress {
                Progress::None => {}
                Progress::Lines => {
                    let line = self.narrator.progress(&status);
                    self.terminal.say(line);
                }
                Progress::Bar(bar) => {
                    bar.set_message(Terminal::message(self.narrator.progress(&status)));
                }
            }
        }
    }

    /// Tells what is left, takes the bar away, and gives the last status.
    pub(crate) fn finish(&mut self) -> JobStatus {
        self.is_due = false;
        self.tell();
        if let Progress::Bar(bar) = &self.progress {
            bar.finish_and_clear();
        }
        self.handle.status()
    }

    /// Says a line.
    pub(crate) fn say(&self, line: impl Display) {
        self.terminal.say(line);
    }

    /// The first signal stops the job, the second ends the process.
    pub(crate) fn on_signal(&mut self, signal: Signal) {
        if let Some((first, at)) = self.stopping {
            if signal == first && at.elapsed() < SAME_SIGNAL {
                return;
            }
            self.terminal.say(format_args!(
                "{signal} again: ended at once; run it again to go on from the last checkpoint"
            ));
            self.terminal.flush_logs_soon();
            std::process::exit(signal.exit_code());
        }
        self.stopping = Some((signal, Instant::now()));
        let line = format!("{signal}: stopping after a last checkpoint; once more ends it at once");
        self.terminal.say(line);
        tokio::spawn(stop(self.handle.clone(), self.terminal.clone()));
    }
}

/// Asks the job to stop, again and again while it is between two attempts. That it did shows in
/// how it ends.
async fn stop(handle: JobHandle, terminal: Terminal) {
    loop {
        let (reply, answer) = oneshot::channel();
        let command = JobCommand::Stop {
            drain: false,
            savepoint: None,
            reply,
        };
        let refused = match handle.send(command).await {
            Ok(()) => answer.await.ok().and_then(Result::err),
            Err(error) => Some(error),
        };
        let Some(error) = refused else {
            return;
        };
        if is_over(handle.status().state) {
            return;
        }
        terminal.say(format_args!(
            "could not stop yet: {error}; once more ends it at once"
        ));
        tokio::time::sleep(STOP_AGAIN).await;
    }
}

fn is_over(state: JobState) -> bool {
    match state {
        JobState::Restoring | JobState::Running | JobState::Stopping | JobState::Restarting => {
            false
        }
        JobState::Finished | JobState::Stopped | JobState::Cancelled | JobState::Failed => true,
    }
}
