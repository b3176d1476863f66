//! `tidegate run`: from a job file to the end of the job.
//!
//! Everything is checked before anything is created: the job file and its components by
//! [`tidegate_job_file`], their inputs and outputs by [`tidegate_runtime::prepare`].

mod job_thread;
mod rollback;
mod signals;
mod stopping;
mod watch;

use std::path::Path;
use std::time::Duration;

use tidegate_checkpoint::DirStore;
use tidegate_connector::ConnectorError;
use tidegate_connectors::built_in;
use tidegate_job_file::{JobFile, LoadedJob, Loading};
use tidegate_runtime::{Job, JobError, JobHandle, RunOptions, StartFrom, prepare};

use super::check::rejected_config;
use super::job_projects::{JobProjects, stale};
use crate::args::RunArgs;
use crate::failure::Failure;
use crate::terminal::{Terminal, summary};
use crate::{code_cache, process_limits};

pub(super) use job_thread::{Answer, JobOnThread, JobThread};
pub(super) use signals::{SignalThread, is_over};
pub(super) use watch::Watch;

/// Runs a job to its end.
pub(crate) fn run(args: &RunArgs, terminal: &Terminal) -> Result<(), Failure> {
    process_limits::raise_open_files();
    let wanted = !args.no_code_cache;
    let loading = Loading {
        connectors: built_in(),
        compiled: wanted.then(code_cache::of_this_user).flatten(),
        debug_info: args.debug_info,
        backtrace: args.faults.backtrace.into(),
    };
    let file = JobFile::read(&args.job.file)?;
    if args.build {
        JobProjects::of(&file)?.build_stale(&args.compiler, terminal)?;
    }
    let loaded = file.load(args.defaults.parallelism, loading)?;
    for stale in stale(&loaded) {
        let warning = stale.warning(&args.job.file);
        terminal.say(format_args!("warning: {warning}"));
    }
    let directory = &loaded.checkpoint_directory;
    let options = options(args, directory)?;
    warn_of_duplicates(&loaded.job, terminal);
    let ended = match prepare(&loaded.job, directory, &options) {
        Ok(store) => {
            rollback::confirm(&loaded.job, &store, &options, args.yes, terminal)?;
            let run = Run {
                job: loaded.job.clone(),
                options,
                is_quiet: args.quiet,
                terminal,
            };
            run.until_end(store, directory, args.stopping.stop_timeout)?
        }
        Err(error) => Err(error),
    };
    ended.map_err(|error| placed(error, &loaded))
}

fn options(args: &RunArgs, directory: &Path) -> Result<RunOptions, Failure> {
    let start = match (&args.from, args.fresh) {
        (Some(from), _) => StartFrom::Path(rollback::start_path(from, directory)?),
        (None, true) => StartFrom::Fresh,
        (None, false) => StartFrom::Newest,
    };
    Ok(RunOptions {
        start,
        allowed: args.state.allowed(),
        moved_input: args.moved.move_input.clone(),
        discard_newer_output: args.discard_newer_output,
        ..RunOptions::default()
    })
}

/// Warns of each sink that is not exactly-once.
pub(super) fn warn_of_duplicates(job: &Job, terminal: &Terminal) {
    for (name, sink) in &job.sinks {
        if !sink.is_exactly_once() {
            let connector = sink.connector();
            terminal.say(format_args!(
                "sink {name} ({connector}) is at-least-once: a failure can duplicate records"
            ));
        }
    }
}

/// Places the error of a job that can't run as described at the job file, which is wrong.
pub(super) fn placed(error: JobError, loaded: &LoadedJob) -> Failure {
    if let JobError::Connector { subtask, error } = &error
        && let ConnectorError::JobRefused { reason } = error
    {
        return loaded.refusal(&subtask.operator, reason).into();
    }
    if let Some(fault) = error.guest_fault()
        && let Some(reason) = rejected_config(fault)
    {
        return loaded.refusal(&fault.operator, reason).into();
    }
    error.into()
}

/// A run that may start.
struct Run<'a> {
    job: Job,
    options: RunOptions,
    is_quiet: bool,
    terminal: &'a Terminal,
}

impl Run<'_> {
    /// Runs the job on a second thread, answers signals on a third, and reports progress on this
    /// one: neither a blocked terminal nor the job delays the others.
    fn until_end(
        self,
        store: DirStore,
        directory: &Path,
        stop_timeout: Duration,
    ) -> Result<Result<(), JobError>, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .map_err(Failure::io("start the runtime"))?;
        let (handle, control) = JobHandle::new(self.job.graph.job());
        let terminal = self.terminal.clone();
        let (_, current) = tokio::sync::watch::channel(Some(handle.clone()));
        let signals = SignalThread::start(current, terminal.clone(), stop_timeout)?;
        let job = JobThread::start(JobOnThread {
            job: self.job,
            options: self.options,
            store,
            directory: directory.to_owned(),
            handle: handle.clone(),
            control,
            terminal: terminal.clone(),
        })?;
        runtime.block_on(async {
            let watch = Watch::new(handle, self.is_quiet, terminal);
            watched(job, watch, signals).await
        })
    }
}

/// Waits for the end of the job and reports progress meanwhile.
async fn watched(
    mut job: JobThread,
    mut watch: Watch,
    mut signals: SignalThread,
) -> Result<Result<(), JobError>, Failure> {
    let ended = loop {
        // Each branch is cancel-safe: its event stays until it is taken.
        tokio::select! {
            ended = job.ended() => break ended,
            () = watch.next() => watch.tell(),
            _ = &mut signals.gone => break Err(Failure::SignalsUnanswered),
        }
    };
    signals.on_job_over();
    let status = watch.finish();
    Ok(ended?.map(|outcome| watch.say(summary(&outcome, &status))))
}
