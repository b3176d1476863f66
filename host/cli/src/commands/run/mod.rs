//! `tidegate run`: from a job file to the end of the job.
//!
//! Nothing is created before everything was checked: the job file and its components by
//! [`crate::job_file`], what they would read and write by [`tidegate_runtime::prepare`].

mod signals;
mod watch;

use std::future::Future;
use std::path::Path;
use std::sync::Arc;

use tidegate_runtime::checkpoint::DirStore;
use tidegate_runtime::{
    ConnectorError, Job, JobError, JobHandle, Outcome, RunOptions, StartFrom, prepare,
};

use crate::args::RunArgs;
use crate::code_cache;
use crate::control::{ControlServer, ControlState, OwnDirectories};
use crate::failure::Failure;
use crate::job_file::{JobFile, LoadedJob};
use crate::terminal::{Terminal, summary};
use watch::Watch;

/// Runs a job to its end.
pub(crate) fn run(args: &RunArgs, terminal: &Terminal) -> Result<(), Failure> {
    let wanted = !args.no_code_cache;
    let compiled = wanted.then(code_cache::of_this_user).flatten();
    let loaded = JobFile::read(&args.job)?.load(args.parallelism, compiled)?;
    let options = options(args);
    warn_of_duplicates(&loaded.job, terminal);
    let directory = &loaded.checkpoint_directory;
    let ended = match prepare(&loaded.job, directory, &options) {
        Ok(store) => {
            let run = Run {
                job: loaded.job.clone(),
                options,
                is_quiet: args.quiet,
                terminal,
            };
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .enable_all()
                .build()
                .map_err(Failure::io("start the runtime"))?;
            let ended = runtime.block_on(run.until_end(store, directory));
            // All that matters has been joined; a read of standard input may never return.
            runtime.shutdown_background();
            ended?
        }
        Err(error) => Err(error),
    };
    ended.map_err(|error| placed(error, &loaded))
}

fn options(args: &RunArgs) -> RunOptions {
    let start = match (&args.from, args.fresh) {
        (Some(path), _) => StartFrom::Path(path.clone()),
        (None, true) => StartFrom::Fresh,
        (None, false) => StartFrom::Newest,
    };
    RunOptions {
        start,
        allow_dropped_state: args.allow_dropped_state.clone(),
        ..RunOptions::default()
    }
}

fn warn_of_duplicates(job: &Job, terminal: &Terminal) {
    for (name, sink) in &job.sinks {
        if !sink.is_exactly_once() {
            let connector = sink.connector();
            terminal.say(format_args!(
                "sink {name} ({connector}) is at-least-once: after a failure, records can come \
                 again"
            ));
        }
    }
}

/// A job that can't run as described is wrong in its job file, so that is what is pointed at.
fn placed(error: JobError, loaded: &LoadedJob) -> Failure {
    if let JobError::Connector { subtask, error } = &error
        && let ConnectorError::JobRefused { reason } = error
    {
        return loaded.refusal(&subtask.operator, reason).into();
    }
    error.into()
}

/// A run that may begin.
struct Run<'a> {
    job: Job,
    options: RunOptions,
    is_quiet: bool,
    terminal: &'a Terminal,
}

impl Run<'_> {
    /// Runs the job, answers requests, and tells how it goes.
    async fn until_end(
        self,
        store: DirStore,
        directory: &Path,
    ) -> Result<Result<(), JobError>, Failure> {
        let graph = Arc::new(self.job.graph.clone());
        let (handle, control) = JobHandle::new(graph.job());
        // The store holds the lock, which is kept until the socket is gone.
        let store = Arc::new(store);
        let state = ControlState {
            job: handle.clone(),
            graph,
            own: Arc::new(OwnDirectories::of(&self.job, directory)),
        };
        let server = match ControlServer::start(directory, state) {
            Ok(server) => Some(server),
            Err(error) => {
                let line = format!("status, savepoint and stop can't reach this run: {error}");
                self.terminal.say(line);
                None
            }
        };
        let lock = Arc::clone(&store);
        let job = tidegate_runtime::run(self.job, lock, self.options, control);
        let watch = Watch::new(handle, self.is_quiet, self.terminal.clone());
        let ended = watched(tokio::spawn(job), watch).await;
        if let Some(server) = &server {
            server.unlink();
        }
        drop(store);
        if let Some(server) = server {
            server.shut_down().await;
        }
        ended
    }
}

/// Waits for the end of the job while telling how it goes and minding signals.
async fn watched(
    job: impl Future<Output = Result<Result<Outcome, JobError>, tokio::task::JoinError>>,
    mut watch: Watch,
) -> Result<Result<(), JobError>, Failure> {
    let mut signals = signals::Signals::new()?;
    tokio::pin!(job);
    let ended = loop {
        // Each branch is cancel-safe: it waits for something that stays until it is taken.
        tokio::select! {
            ended = &mut job => break ended,
            () = watch.next() => watch.tell(),
            signal = signals.next() => watch.on_signal(signal),
        }
    };
    let ended = match ended {
        Ok(ended) => ended,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    };
    let status = watch.finish();
    match ended {
        Ok(outcome) => {
            watch.say(summary(&outcome, &status));
            Ok(Ok(()))
        }
        Err(error) => Ok(Err(error)),
    }
}
