//! Where the parts of a job run: a thread for each chain, tasks for what only waits, other threads
//! for what blocks.
//!
//! The one seam between the runtime and threads, so that a simulation can run a whole job in one
//! thread, in an order that a seed decides. Decides nothing about jobs. Called when something
//! starts, never for a record.

use std::any::Any;
use std::future::Future;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread;

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::source::BoxFuture;

/// Guests run on their chain's thread's stack: theirs is 512 KiB, the rest is ours.
const STACK_BYTES: usize = 4 << 20;

/// Something that runs until it is over. It does not panic.
pub type Task = BoxFuture<'static, ()>;

/// Ready when a task is over and everything that it owned is gone.
pub type Joined = BoxFuture<'static, ()>;

/// How the parts of a job are run. Each call returns at once.
pub trait Executor: Send + Sync {
    /// Runs a chain, which may compute for seconds between two waits.
    ///
    /// # Errors
    ///
    /// The system has no room for it; it was not started.
    fn start_chain(&self, chain: Task) -> io::Result<Joined>;

    /// Runs a task that never blocks.
    fn spawn(&self, task: Task) -> Joined;

    /// Runs work that blocks. It does not panic.
    fn run_blocking(&self, work: Box<dyn FnOnce() + Send>);
}

/// Threads of the operating system, and the tokio runtime that the caller is in.
#[derive(Clone, Copy, Debug, Default)]
pub struct Threads;

impl Executor for Threads {
    fn start_chain(&self, chain: Task) -> io::Result<Joined> {
        let runtime = Handle::current();
        let thread = thread::Builder::new().name("tidegate-chain".to_owned());
        let spawned = thread.stack_size(STACK_BYTES);
        let thread = spawned.spawn(move || runtime.block_on(chain))?;
        Ok(Box::pin(async move {
            // Most have ended when their turn to be joined comes.
            if thread.is_finished() {
                drop(thread.join());
                return;
            }
            let join = move || drop(thread.join());
            let joined = tokio::task::spawn_blocking(join).await;
            joined.expect("joining does not panic and is never aborted");
        }))
    }

    fn spawn(&self, task: Task) -> Joined {
        let task = tokio::spawn(task);
        Box::pin(async move {
            if let Err(error) = task.await {
                tracing::error!("a task ended badly: {error}");
            }
        })
    }

    fn run_blocking(&self, work: Box<dyn FnOnce() + Send>) {
        drop(tokio::task::spawn_blocking(work));
    }
}

/// Blocking work that was started; ready with what came of it, or with the message of its panic.
/// Cancel-safe; the work goes on without it.
pub(crate) struct Blocking<T>(oneshot::Receiver<Result<T, String>>);

/// Starts blocking work. A panic in it, which is a bug in us or in a connector, costs the attempt
/// and not the process.
pub(crate) fn blocking<T: Send + 'static>(
    executor: &dyn Executor,
    work: impl FnOnce() -> T + Send + 'static,
) -> Blocking<T> {
    let (done, result) = oneshot::channel();
    executor.run_blocking(Box::new(move || {
        let result = catch_unwind(AssertUnwindSafe(work));
        // Nobody waits for it any more if the attempt was dropped.
        drop(done.send(result.map_err(|panic| panic_message(&*panic))));
    }));
    Blocking(result)
}

impl<T> Future for Blocking<T> {
    type Output = Result<T, String>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let result = Pin::new(&mut self.0).poll(context);
        result.map(|sent| sent.unwrap_or_else(|_| Err("it was never run".to_owned())))
    }
}

/// What a panic said.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "no message".to_owned())
}
