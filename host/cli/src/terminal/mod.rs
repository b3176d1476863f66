//! The terminal: the only place that prints. Data goes to standard output, talk to standard error.
//!
//! Talk never fails: whoever closed standard error does not want to hear it.

mod log_queue;
mod progress;
mod report;
mod table;

use std::io::{self, IsTerminal as _, Write};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar};
use tracing_subscriber::fmt::MakeWriter;

use crate::failure::Failure;

use log_queue::LogQueue;

pub(crate) use progress::{Narrator, summary};
pub(crate) use report::{chain, job_file_error};
pub(crate) use table::table;

/// A handle to the terminal. Lines and logs never tear a progress bar that is shown.
#[derive(Clone, Debug, Default)]
pub(crate) struct Terminal {
    bars: MultiProgress,
    /// Once there is a log.
    logs: Arc<OnceLock<LogQueue>>,
}

impl Terminal {
    /// Prints data as it is.
    pub(crate) fn data(&self, text: &str) -> Result<(), Failure> {
        let print = || {
            let mut out = io::stdout().lock();
            out.write_all(text.as_bytes())?;
            if !text.ends_with('\n') {
                out.write_all(b"\n")?;
            }
            out.flush()
        };
        match self.bars.suspend(print) {
            // Whoever reads, such as `head`, has seen enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            printed => printed.map_err(Failure::io("write to standard output")),
        }
    }

    /// Prints data as JSON.
    pub(crate) fn json(&self, data: &impl serde::Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(data)
            .map_err(|error| Failure::io("write JSON")(io::Error::from(error)))?;
        self.data(&text)
    }

    /// Makes the terminal a place for logs. Called once.
    pub(crate) fn take_logs(&self) -> Result<(), Failure> {
        let bars = self.bars.clone();
        let queue = LogQueue::start(move |line| write_talk(&bars, line));
        let queue = queue.map_err(Failure::thread("the log"))?;
        self.logs.set(queue).expect("the log is set up once");
        Ok(())
    }

    /// Waits until all that was logged is written.
    pub(crate) fn flush_logs(&self) {
        if let Some(logs) = self.logs.get() {
            logs.flush();
        }
    }

    /// The same before the process is ended at once: whoever does not read is not waited for long.
    pub(crate) fn flush_logs_soon(&self) {
        if let Some(logs) = self.logs.get() {
            logs.flush_within(Duration::from_secs(1));
        }
    }

    /// Says a line to the person who watches. Like the log, it waits for nobody.
    pub(crate) fn say(&self, line: &str) {
        let line = format!("{line}\n");
        match self.logs.get() {
            Some(logs) => logs.push(line.as_bytes()),
            None => write_talk(&self.bars, line.as_bytes()),
        }
    }

    /// Says why a command failed.
    pub(crate) fn report(&self, failure: &Failure) {
        let text = match failure {
            Failure::JobFile(error) => job_file_error(error, self.is_watched()),
            Failure::Usage { .. }
            | Failure::Job(_)
            | Failure::Build(_)
            | Failure::NoRunningJob { .. }
            | Failure::Refused { .. }
            | Failure::NoAnswer { .. }
            | Failure::TimedOut { .. }
            | Failure::VerificationFailed { .. }
            | Failure::DrillFailed { .. }
            | Failure::NewProject(_)
            | Failure::NothingToTest(_)
            | Failure::ScenariosFailed { .. }
            | Failure::FewFiles { .. }
            | Failure::NoThread { .. }
            | Failure::SignalsUnanswered
            | Failure::Io { .. } => format!("error: {}\n", chain(failure)),
        };
        let advice = failure.advice();
        let advice = advice.map_or(String::new(), |advice| format!("help: {advice}\n"));
        self.write_talk((text + &advice).as_bytes());
    }

    /// True if a person sees standard error as it is written.
    pub(crate) fn is_watched(&self) -> bool {
        io::stderr().is_terminal()
    }

    /// A bar that is redrawn in place; it has no length, since a stream has none.
    pub(crate) fn progress_bar(&self) -> ProgressBar {
        self.bars.add(ProgressBar::new_spinner())
    }

    /// Writes behind what was logged before.
    fn write_talk(&self, bytes: &[u8]) {
        self.flush_logs();
        write_talk(&self.bars, bytes);
    }
}

fn write_talk(bars: &MultiProgress, bytes: &[u8]) {
    let print = || io::stderr().lock().write_all(bytes);
    drop(bars.suspend(print));
}

/// What `tracing` writes a line of its log to.
pub(crate) struct LogWriter {
    terminal: Terminal,
}

impl Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.terminal.logs.get() {
            Some(logs) => logs.push(bytes),
            None => write_talk(&self.terminal.bars, bytes),
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Terminal {
    type Writer = LogWriter;

    fn make_writer(&'a self) -> LogWriter {
        LogWriter {
            terminal: self.clone(),
        }
    }
}
