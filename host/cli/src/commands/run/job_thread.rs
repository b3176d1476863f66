//! The thread of a job: its supervisor, its coordinator and its control socket. All of them only
//! wait.
//!
//! It has a small runtime of its own, since tokio's multi-threaded one panics and hangs when the
//! system refuses it a thread. The main thread learns of its end, also of a panic.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use tidegate_checkpoint::DirStore;
use tidegate_runtime::{Job, JobControl, JobError, JobHandle, Outcome, RunOptions};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use crate::control::{ControlServer, ControlState, OwnDirectories};
use crate::failure::Failure;
use crate::terminal::Terminal;

/// A job with everything it needs to run.
pub(in crate::commands) struct JobOnThread {
    pub(in crate::commands) job: Job,
    pub(in crate::commands) options: RunOptions,
    pub(in crate::commands) store: DirStore,
    pub(in crate::commands) directory: PathBuf,
    pub(in crate::commands) handle: JobHandle,
    pub(in crate::commands) control: JobControl,
    pub(in crate::commands) terminal: Terminal,
}

/// The result of a job.
pub(in crate::commands) type Answer = Result<Outcome, JobError>;

/// A running job.
pub(in crate::commands) struct JobThread {
    /// `None` once joined.
    thread: Option<JoinHandle<()>>,
    ended: oneshot::Receiver<Answer>,
}

impl JobThread {
    pub(in crate::commands) fn start(job: JobOnThread) -> Result<Self, Failure> {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().build();
        let runtime = runtime.map_err(Failure::io("start the runtime of the job"))?;
        let (end, ended) = oneshot::channel();
        let run = move || job.run(&runtime, end);
        let thread = thread::Builder::new().name("tidegate-job".to_owned());
        let thread = thread.spawn(run).map_err(Failure::thread("the job"))?;
        Ok(Self {
            thread: Some(thread),
            ended,
        })
    }

    /// Waits for the end of the job. Called until it returns; cancel-safe.
    pub(in crate::commands) async fn ended(&mut self) -> Result<Answer, Failure> {
        if let Ok(ended) = (&mut self.ended).await {
            return Ok(ended);
        }
        // The thread panicked, so it has ended or is about to.
        let thread = self.thread.take().map(JoinHandle::join);
        let panic = thread.and_then(Result::err);
        let message = panic.map(|panic| tidegate_operator::panic_message(&*panic));
        Err(Failure::Job(JobError::Panicked {
            chain: "the supervisor of the job".to_owned(),
            message: message.unwrap_or_default(),
        }))
    }
}

impl JobOnThread {
    fn run(self, runtime: &Runtime, end: oneshot::Sender<Answer>) {
        let ended = runtime.block_on(self.until_end());
        // The receiver is gone if the process is ending.
        drop(end.send(ended));
    }

    /// Runs the job and answers requests.
    async fn until_end(self) -> Answer {
        let state = ControlState {
            job: self.handle,
            graph: Arc::new(self.job.graph.clone()),
            own: Arc::new(OwnDirectories::of(&self.job, &self.directory)),
        };
        let server = match ControlServer::start(&self.directory, state, &self.terminal) {
            Ok(server) => Some(server),
            Err(error) => {
                let line = format!("status, savepoint and stop can't reach this run: {error}");
                self.terminal.say(line);
                None
            }
        };
        // The store holds the lock, which is kept until the socket is gone.
        let store = Arc::new(self.store);
        let lock = Arc::clone(&store);
        let ended = tidegate_runtime::run(self.job, lock, self.options, self.control).await;
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
