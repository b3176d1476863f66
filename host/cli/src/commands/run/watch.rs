//! The user's view of a running job: progress and events.

use std::fmt::Display;
use std::time::Duration;

use indicatif::ProgressBar;
use tidegate_runtime::JobHandle;
use tidegate_runtime::observe::JobStatus;
use tokio::sync::watch;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use crate::terminal::{Narrator, Terminal};

/// The time between redraws of the bar.
const BAR_PERIOD: Duration = Duration::from_secs(1);
/// The time between lines if standard error is not a terminal.
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
}

/// The form of progress.
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
        }
    }

    /// Waits until there may be something to report. Cancel-safe.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.period.tick() => self.is_due = true,
            changed = self.status.changed() => {
                if changed.is_err() {
                    // The job has ended and sends no more; the caller learns of it elsewhere.
                    std::future::pending::<()>().await;
                }
            }
        }
    }

    /// Reports the news since the last call.
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

    /// Reports the last events, removes the bar, and returns the last status.
    pub(crate) fn finish(&mut self) -> JobStatus {
        self.is_due = false;
        self.tell();
        if let Progress::Bar(bar) = &self.progress {
            bar.finish_and_clear();
        }
        self.handle.status()
    }

    /// Prints a line.
    pub(crate) fn say(&self, line: impl Display) {
        self.terminal.say(line);
    }
}
