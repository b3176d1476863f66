//! The job of `tidegate dev`: an ordinary run, which is stopped with a checkpoint when newer code
//! waits.

use std::path::Path;
use std::pin::Pin;
use std::time::Duration;

use tidegate_checkpoint::CheckpointDirectory;
use tidegate_job_file::LoadedJob;
use tidegate_runtime::{JobCommand, JobError, JobHandle, Outcome, RunOptions, StartFrom, prepare};
use tokio::sync::{oneshot, watch};

use super::super::run::{Answer, JobOnThread, JobThread, Watch, is_over, placed};
use super::session::{Beginning, Ended};
use crate::failure::Failure;
use crate::terminal::{Terminal, summary};

/// A running job.
pub(super) struct RunningJob {
    /// Keeps the places of its sources and sinks.
    loaded: LoadedJob,
    handle: JobHandle,
    thread: JobThread,
    watch: Watch,
    /// The request to stop, until it is answered.
    stopping: Option<Pin<Box<dyn Future<Output = ()>>>>,
}

/// The settings of every job of one `dev`.
pub(super) struct Running<'a> {
    pub(super) terminal: &'a Terminal,
    pub(super) is_quiet: bool,
    /// The job that signals stop.
    pub(super) current: &'a watch::Sender<Option<JobHandle>>,
    /// True once a signal requested the end.
    pub(super) is_left: watch::Receiver<bool>,
}

impl RunningJob {
    /// Starts a job, or returns `None` if a signal requested the end. After an error, nothing runs.
    pub(super) fn start(
        loaded: LoadedJob,
        beginning: Beginning,
        running: &Running<'_>,
    ) -> Result<Option<Self>, Failure> {
        let options = RunOptions {
            start: match beginning {
                Beginning::Newest => StartFrom::Newest,
                Beginning::Over => StartFrom::Fresh,
            },
            ..RunOptions::default()
        };
        let directory = &loaded.checkpoint_directory;
        let store = prepare(&loaded.job, directory, &options);
        let store = store.map_err(|error| placed(error, &loaded))?;
        let (handle, control) = JobHandle::new(loaded.job.graph.job());
        running.current.send_replace(Some(handle.clone()));
        // A later signal finds the job above and stops it.
        if *running.is_left.borrow() {
            return Ok(None);
        }
        let thread = JobThread::start(JobOnThread {
            job: loaded.job.clone(),
            options,
            store,
            directory: directory.clone(),
            handle: handle.clone(),
            control,
            terminal: running.terminal.clone(),
        })?;
        Ok(Some(Self {
            watch: Watch::new(handle.clone(), running.is_quiet, running.terminal.clone()),
            loaded,
            handle,
            thread,
            stopping: None,
        }))
    }

    /// Requests a stop with a checkpoint. If the job can't take one in time, it ends without, and
    /// newer code continues from the newest complete one.
    pub(super) fn stop(&mut self, within: Duration, terminal: &Terminal) {
        let stop = stop(self.handle.clone(), within, terminal.clone());
        self.stopping = Some(Box::pin(stop));
    }

    /// Waits for the end of the job and reports progress meanwhile. Cancel-safe.
    pub(super) async fn ended(&mut self) -> Result<Answer, Failure> {
        loop {
            // Each branch is cancel-safe: its event stays until it is taken.
            tokio::select! {
                ended = self.thread.ended() => return ended,
                () = self.watch.next() => self.watch.tell(),
                () = requested(&mut self.stopping) => self.stopping = None,
            }
        }
    }

    /// Reports the end of the job, and releases its places.
    pub(super) fn finish(mut self, ended: Answer) -> (Ended, Option<Failure>) {
        let status = self.watch.finish();
        match ended {
            Ok(outcome) => {
                self.watch.say(summary(&outcome, &status));
                let ended = match outcome {
                    Outcome::Finished | Outcome::AlreadyFinished => Ended::Finished,
                    Outcome::Stopped { .. } | Outcome::Cancelled => Ended::Stopped,
                };
                (ended, None)
            }
            Err(error) => (Ended::Failed, Some(placed(error, &self.loaded))),
        }
    }
}

async fn requested(request: &mut Option<Pin<Box<dyn Future<Output = ()>>>>) {
    match request {
        Some(request) => request.await,
        None => std::future::pending().await,
    }
}

/// Asks a job to stop with a checkpoint, or else to end without.
async fn stop(job: JobHandle, within: Duration, terminal: Terminal) {
    let why = match tokio::time::timeout(within, stop_with_checkpoint(&job)).await {
        Ok(Ok(())) => return,
        Ok(Err(error)) => error,
        Err(_) => format!("not within {}", humantime::format_duration(within)),
    };
    if is_over(job.status().state) {
        return;
    }
    terminal.say(format_args!(
        "the running code can't take a last checkpoint ({why}): the new code continues from the \
         newest complete one"
    ));
    // An error means that the job is over.
    job.send(JobCommand::Cancel).await.ok();
}

async fn stop_with_checkpoint(job: &JobHandle) -> Result<(), String> {
    let (reply, answer) = oneshot::channel();
    let command = JobCommand::Stop {
        drain: false,
        savepoint: None,
        reply,
    };
    job.send(command).await.map_err(|error| error.to_string())?;
    match answer.await {
        // Without an answer, the job is over.
        Ok(Ok(_)) | Err(_) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
    }
}

/// Removes the output of a finished job, so that it can start over. `directory` holds its
/// checkpoints.
pub(super) fn discard_output(loaded: &LoadedJob, directory: &Path) -> Result<(), Failure> {
    let checkpoints = CheckpointDirectory::open(directory)?;
    let manifest = checkpoints.load(checkpoints.newest()?)?;
    for (name, sink) in &loaded.job.sinks {
        sink.discard(manifest.lineage.published())
            .map_err(|error| {
                let subtask = tidegate_runtime::SubtaskId {
                    operator: name.clone(),
                    index: 0,
                };
                placed(JobError::Connector { subtask, error }, loaded)
            })?;
    }
    Ok(())
}
