//! The terminal: the only place that prints. Data goes to standard output, messages to standard
//! error.
//!
//! Messages never fail: a user who closed standard error does not want them. Everything printed is
//! [`Lines`], which escape their content.

mod lines;
mod log_queue;
#[cfg(test)]
mod mutations;
mod progress;
mod report;
mod table;

use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use clap_complete::Shell;
use clap_complete::env::Shells;
use indicatif::{MultiProgress, ProgressBar};
use tidegate_job_file::json;
use tracing_subscriber::fmt::MakeWriter;

use crate::args::COMPLETE;
use crate::failure::Failure;

use log_queue::LogQueue;

pub(crate) use lines::Lines;
pub(crate) use progress::{Narrator, summary};
pub(crate) use report::{chain, job_file_error};
pub(crate) use table::table;

/// A handle to the terminal. Lines and logs never tear a progress bar that is shown.
#[derive(Clone, Debug, Default)]
pub(crate) struct Terminal {
    bars: MultiProgress,
    /// `None` until there is a log.
    logs: Arc<OnceLock<LogQueue>>,
}

impl Terminal {
    /// Prints data.
    pub(crate) fn data(&self, lines: &Lines) -> Result<(), Failure> {
        let print = || {
            let mut out = io::stdout().lock();
            out.write_all(lines.as_str().as_bytes())?;
            out.flush()
        };
        match self.bars.suspend(print) {
            // The reader, such as `head`, has seen enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            printed => printed.map_err(Failure::io("write to standard output")),
        }
    }

    /// Prints data as JSON.
    pub(crate) fn json(&self, data: &impl serde::Serialize) -> Result<(), Failure> {
        let text = json::pretty(data)
            .map_err(|error| Failure::io("write JSON")(io::Error::from(error)))?;
        self.data(&Lines::generated(&text))
    }

    /// Prints a script with which a shell asks this binary for completions.
    pub(crate) fn completions(&self, shell: Shell) -> Result<(), Failure> {
        let shells = Shells::builtins();
        let shell = shells.completer(&shell.to_string());
        let shell = shell.expect("every shell of the command line has completions");
        let (name, mut script) = ("tidegate", Vec::new());
        shell
            .write_registration(COMPLETE, name, name, name, &mut script)
            .map_err(Failure::io("write the completions"))?;
        self.data(&Lines::generated(&String::from_utf8_lossy(&script)))
    }

    /// Starts logging to the terminal. Called once.
    pub(crate) fn take_logs(&self) -> Result<(), Failure> {
        let bars = self.bars.clone();
        let queue = LogQueue::start(move |line| write_talk(&bars, line));
        let queue = queue.map_err(Failure::thread("the log"))?;
        self.logs.set(queue).expect("the log is set up once");
        Ok(())
    }

    /// Waits until everything logged so far is written.
    pub(crate) fn flush_logs(&self) {
        if let Some(logs) = self.logs.get() {
            logs.flush();
        }
    }

    /// The same before the process ends at once, with a short limit in case no one reads.
    pub(crate) fn flush_logs_soon(&self) {
        if let Some(logs) = self.logs.get() {
            logs.flush_within(Duration::from_secs(1));
        }
    }

    /// Shows the user a message, in one line unless a guest's text has more. Like the log, it never
    /// waits for a reader.
    pub(crate) fn say(&self, text: impl Display) {
        self.pass_on(Lines::one_paragraph(text));
    }

    /// Shows the user several lines, as [`Self::say`] does.
    pub(crate) fn show(&self, lines: Lines) {
        self.pass_on(lines);
    }

    fn pass_on(&self, lines: Lines) {
        match self.logs.get() {
            Some(logs) => logs.push(lines),
            None => write_talk(&self.bars, &lines),
        }
    }

    /// Reports why a command failed.
    pub(crate) fn report(&self, failure: &Failure) {
        let mut lines = match failure {
            Failure::JobFile(error) => job_file_error(error, self.is_watched()),
            Failure::Usage { .. }
            | Failure::Job(_)
            | Failure::Checkpoint(_)
            | Failure::Build(_)
            | Failure::OperatorNotBuilt { .. }
            | Failure::NoRunningJob { .. }
            | Failure::OtherJobRuns { .. }
            | Failure::Refused { .. }
            | Failure::NoAnswer { .. }
            | Failure::TimedOut { .. }
            | Failure::VerificationFailed { .. }
            | Failure::DrillFailed { .. }
            | Failure::NewProject(_)
            | Failure::Sdk(_)
            | Failure::ToolsMissing { .. }
            | Failure::NothingToTest(_)
            | Failure::ScenariosFailed { .. }
            | Failure::FewFiles { .. }
            | Failure::LittleMemory { .. }
            | Failure::LittleProcessorTime { .. }
            | Failure::NoProcessorTime { .. }
            | Failure::NoThread { .. }
            | Failure::SignalsUnanswered
            | Failure::Io { .. } => Lines::one_paragraph(format_args!("error: {}", chain(failure))),
        };
        if let Some(advice) = failure.advice() {
            lines.line(format_args!("help: {advice}"));
        }
        self.write_talk(&lines);
    }

    /// Reports panics of all threads as lines from now on.
    pub(crate) fn take_panics() {
        std::panic::set_hook(Box::new(|panic| {
            // Not through the log, whose thread may be the one that panics.
            let lines = report::panic(panic);
            drop(io::stderr().lock().write_all(lines.as_str().as_bytes()));
        }));
    }

    /// Returns true if standard error is a terminal.
    pub(crate) fn is_watched(&self) -> bool {
        io::stderr().is_terminal()
    }

    /// Returns a bar that is redrawn in place; it has no length, since a stream has none.
    pub(crate) fn progress_bar(&self) -> ProgressBar {
        self.bars.add(ProgressBar::new_spinner())
    }

    /// Returns the text for a bar's message.
    pub(crate) fn message(text: impl Display) -> String {
        Lines::one(text).as_str().trim_end().to_owned()
    }

    /// Writes after everything logged before.
    fn write_talk(&self, lines: &Lines) {
        self.flush_logs();
        write_talk(&self.bars, lines);
    }
}

fn write_talk(bars: &MultiProgress, lines: &Lines) {
    let print = || io::stderr().lock().write_all(lines.as_str().as_bytes());
    drop(bars.suspend(print));
}

/// The writer that `tracing` uses for one event of its log.
pub(crate) struct LogWriter {
    terminal: Terminal,
}

impl Write for LogWriter {
    /// Called once for each event.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let lines = lines::of_log(&text, self.terminal.is_watched());
        self.terminal.pass_on(lines);
        Ok(event.len())
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
